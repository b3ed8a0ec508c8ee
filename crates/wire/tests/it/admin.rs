//! Messages of operators, nodes and vaults: there and back, and refused at their edges.

use renkei_wire::admin::{
    BootstrapReply, BootstrapRequest, DigestReply, DigestRequest, OpenReplicaRequest, StatusReply, VaultStatus,
};
use renkei_wire::limits::{ADMIN_MAX_NODES, ADMIN_MAX_REPLICAS};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{Refusal, limits};

use crate::admin_jobs::jobs;

fn nodes(count: usize) -> Vec<pb::NodeAt> {
    (1..).take(count).map(|node| pb::NodeAt { node, address: format!("127.0.0.1:{}", 7_000 + node) }).collect()
}

fn bootstrap(nodes: Vec<pb::NodeAt>, groups: u32, replicas: u32) -> pb::BootstrapRequest {
    pb::BootstrapRequest { nodes, groups, replicas }
}

fn refused_field(message: pb::BootstrapRequest) -> Option<String> {
    let refusal = Refusal::from(BootstrapRequest::try_from(message).err()?);
    refusal.field.map(|field| field.as_str().to_owned())
}

fn status() -> pb::StatusReply {
    let member = pb::Member { replica: 4, node: 2 };
    let replica = pb::ReplicaStatus {
        group: 1,
        replica: 3,
        term: 9,
        leader: Some(member),
        last_log: 100,
        committed: 90,
        applied: 80,
        snapshot: 70,
        purged: 60,
        members: vec![member, pb::Member { replica: 3, node: 1 }],
        leads: false,
        voters: vec![4],
        changing: true,
        membership: 77,
    };
    pb::StatusReply {
        node: 1,
        slot_epoch: 5,
        replicas: vec![replica],
        disk_free_permille: 1_000,
        stamp: 8,
        disk_refused: true,
        job: Some(jobs()[0].clone()),
        disk: vec![5; 16].into(),
        commands_version: 2,
    }
}

fn vault_status() -> pb::VaultStatusReply {
    pb::VaultStatusReply {
        vault: 2,
        members: vec![1, 2, 3],
        replica: status().replicas.pop(),
        begun: true,
        founded: true,
        signing_key: vec![7; 32].into(),
        key_epoch: 1,
        disk_free_permille: 1_000,
    }
}

#[test]
fn a_vaults_status_reads_back_and_is_refused_at_its_edges() {
    let lost = pb::VaultStatusReply { replica: None, begun: false, founded: false, ..vault_status() };
    for message in [vault_status(), lost] {
        let read = VaultStatus::try_from(message.clone()).expect("it is valid");
        assert_eq!(pb::VaultStatusReply::from(read), message);
    }
    type Plant = fn(&mut pb::VaultStatusReply);
    let plants: [(&str, Plant); 10] = [
        ("vault", |status| status.vault = 0),
        ("no members", |status| status.members.clear()),
        ("too many", |status| status.members = (1..=65).collect()),
        ("not a member", |status| status.members = vec![1, 3]),
        ("twice", |status| status.members = vec![2, 2, 3]),
        ("out of order", |status| status.members = vec![3, 2, 1]),
        ("member 0", |status| status.members = vec![0, 2]),
        ("replica", |status| status.replica.as_mut().expect("it has one").replica = 0),
        ("signing key", |status| status.signing_key = vec![7; 31].into()),
        ("epoch", |status| status.key_epoch = 0),
    ];
    for (name, plant) in plants {
        let mut message = vault_status();
        plant(&mut message);
        assert!(VaultStatus::try_from(message).is_err(), "{name}");
    }
}

#[test]
fn a_bootstrap_reads_back_and_is_refused_at_its_edges() {
    let message = bootstrap(nodes(3), 64, 3);
    let request = BootstrapRequest::try_from(message.clone()).expect("it is valid");
    assert_eq!(pb::BootstrapRequest::from(request), message);
    assert_eq!(refused_field(bootstrap(nodes(ADMIN_MAX_NODES), 1, 1)), None);
    assert_eq!(refused_field(bootstrap(nodes(ADMIN_MAX_NODES + 1), 1, 1)).as_deref(), Some("nodes"));
    assert_eq!(refused_field(bootstrap(nodes(0), 1, 1)).as_deref(), Some("nodes"));
    assert_eq!(refused_field(bootstrap(nodes(3), 0, 3)).as_deref(), Some("groups"));
    assert_eq!(refused_field(bootstrap(nodes(3), 65, 3)).as_deref(), Some("groups"));
    for replicas in [0, 2, 4, 5, 6] {
        assert_eq!(refused_field(bootstrap(nodes(3), 1, replicas)).as_deref(), Some("replicas"), "{replicas}");
    }
    assert_eq!(refused_field(bootstrap(nodes(5), 1, 5)), None);
}

#[test]
fn no_node_and_no_address_comes_twice() {
    let mut same_id = nodes(3);
    same_id[2].node = 1;
    let mut same_address = nodes(3);
    same_address[2].address = same_address[0].address.clone();
    let mut no_id = nodes(3);
    no_id[1].node = 0;
    let mut no_port = nodes(3);
    no_port[1].address = "localhost".to_owned();
    for nodes in [same_id, same_address, no_id, no_port] {
        assert_eq!(refused_field(bootstrap(nodes.clone(), 1, 3)).as_deref(), Some("nodes"));
        assert!(OpenReplicaRequest::try_from(pb::OpenReplicaRequest { group: 0, replica: 1, nodes }).is_err());
    }
}

#[test]
fn the_other_messages_read_back() {
    let open = pb::OpenReplicaRequest { group: 0, replica: 1, nodes: nodes(1) };
    let read = OpenReplicaRequest::try_from(open.clone()).expect("it is valid");
    assert_eq!(pb::OpenReplicaRequest::from(read), open);
    let founded = pb::BootstrapReply { slot_epoch: 1 };
    let read = BootstrapReply::try_from(founded).expect("it is valid");
    assert_eq!(pb::BootstrapReply::from(read), founded);
    let read = StatusReply::try_from(status()).expect("it is valid");
    assert_eq!(pb::StatusReply::from(read), status());
    let digest = pb::ReplicaDigest { group: 1, replica: 2, index: 3, digest: vec![4; 32].into() };
    let digests = pb::DigestReply { digests: vec![digest] };
    let read = DigestReply::try_from(digests.clone()).expect("it is valid");
    assert_eq!(pb::DigestReply::from(read), digests);
    let request = pb::DigestRequest { group: 7 };
    assert_eq!(pb::DigestRequest::from(DigestRequest::from(request)), request);
}

#[test]
fn replies_without_one_of_their_parts_are_refused() {
    assert!(BootstrapReply::try_from(pb::BootstrapReply { slot_epoch: 0 }).is_err());
    type Plant = fn(&mut pb::StatusReply);
    let plants: [(&str, Plant); 10] = [
        ("node", |status| status.node = 0),
        ("voter", |status| status.replicas[0].voters = vec![0]),
        ("disk's id", |status| status.disk = vec![5; 15].into()),
        ("job", |status| status.job.as_mut().expect("it has one").kind = None),
        ("disk", |status| status.disk_free_permille = 1_001),
        ("replica", |status| status.replicas[0].replica = 0),
        ("leader's replica", |status| status.replicas[0].leader = Some(pb::Member { replica: 0, node: 1 })),
        ("member's node", |status| status.replicas[0].members[0].node = 0),
        ("members", |status| status.replicas[0].members = vec![pb::Member { replica: 1, node: 1 }; 1_025]),
        ("replicas", |status| status.replicas = vec![status.replicas[0].clone(); limits::ADMIN_MAX_REPLICAS + 1]),
    ];
    for (name, plant) in plants {
        let mut message = status();
        plant(&mut message);
        assert!(StatusReply::try_from(message).is_err(), "{name}");
    }
    for (replica, len) in [(0, 32), (1, 31), (1, 33)] {
        let digest = pb::ReplicaDigest { group: 1, replica, index: 3, digest: vec![4; len].into() };
        assert!(DigestReply::try_from(pb::DigestReply { digests: vec![digest] }).is_err(), "{replica} {len}");
    }
    let digest = pb::ReplicaDigest { group: 1, replica: 1, index: 3, digest: vec![4; 32].into() };
    let digests = vec![digest; ADMIN_MAX_REPLICAS + 1];
    assert!(DigestReply::try_from(pb::DigestReply { digests }).is_err());
}
