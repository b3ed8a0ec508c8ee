//! A gateway before a vault of three: it follows the vault that leads.

use std::time::{Duration, Instant};

use renkei_ids::{Clock, NodeId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::admin::VaultStatus;
use renkei_wire::pb::admin::v1 as admin_pb;
use renkei_wire::pb::record::v1::GetDocumentRequest;
use renkei_wire::{ErrorCode, NodeAdminServiceClient, RecordServiceClient, Refusal, VaultAdminServiceClient};
use tonic::transport::Channel;

use crate::world::{CLOUD, actor, get, patient, put};

/// Longest time that an institution may go without an answer when the leading vault is killed.
const GAP_MAX: Duration = Duration::from_secs(5);

fn channel(processes: &Cloud, as_role: Role, at: &str, peer: Role) -> Channel {
    let files = processes.issue(as_role, "test").unwrap();
    let tls = Tls::load(&files, std::sync::Arc::new(SystemClock::new())).unwrap();
    let address: Address = at.parse().unwrap();
    tls.channel(&address, ExpectedPeer { cloud: CLOUD, role: peer, name: None }, Http2::CALLS)
}

/// One node, three vaults and a gateway.
async fn started(dir: &std::path::Path) -> Cloud {
    let spec = CloudSpec {
        cloud: CLOUD,
        nodes: 1,
        dir: dir.to_owned(),
        memory_mib: 256,
        raft: RaftProfile::Demo,
        set: Vec::new(),
        now: SystemClock::new().now(),
    };
    let mut processes = Cloud::prepare(&spec).unwrap();
    processes.add_vaults(3, 256, &[]).unwrap();
    processes.add_gateway("one", &[]).unwrap();
    processes.start_vault().unwrap();
    processes.start_all().unwrap();
    processes.start_gateway().unwrap();
    let address = processes.addresses()[&NodeId(1)].to_string();
    let mut node = NodeAdminServiceClient::new(channel(&processes, Role::Operator, &address, Role::Node));
    let nodes = vec![admin_pb::NodeAt { node: 1, address }];
    node.bootstrap(admin_pb::BootstrapRequest { nodes, groups: 1, replicas: 1 }).await.unwrap();
    processes
}

/// Among those that run.
async fn leading_vault(processes: &Cloud) -> u32 {
    for (vault, address) in processes.vault_addresses() {
        let channel = channel(processes, Role::Operator, &address.to_string(), Role::Vault);
        let asked = VaultAdminServiceClient::new(channel).status(admin_pb::VaultStatusRequest {}).await;
        let Ok(status) = asked else { continue };
        let status = VaultStatus::try_from(status.into_inner()).unwrap();
        if status.replica.is_some_and(|replica| replica.leads) {
            return vault;
        }
    }
    panic!("a vault that has begun is led by one that runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_and_reads_go_on_when_the_leading_vault_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut processes = started(&dir.path().join("cloud")).await;
    let at = processes.gateway_address().unwrap().to_string();
    let mut client = RecordServiceClient::new(channel(&processes, Role::Institution, &at, Role::Gateway));
    let document = |n: u8| {
        format!(
            r#"{{"resourceType":"Immunization","status":"completed","vaccineCode":{{"text":"vaccine {n}"}},"patient":{{"reference":"Patient/1"}},"occurrenceDateTime":"2026-03-05"}}"#
        )
    };
    let (mut stored, mut gap, mut last) = (Vec::new(), Duration::ZERO, Instant::now());
    for n in 0..30 {
        if n == 10 {
            let leader = leading_vault(&processes).await;
            processes.vault_replica(leader).unwrap().kill().unwrap();
            last = Instant::now();
        }
        // A patient whom the gateway has no opening of, so that each put asks the vault twice.
        let reply = put(&mut client, n, &format!("key-{n}"), &document(n)).await.unwrap();
        stored.push(reply.reference);
        gap = gap.max(last.elapsed());
        last = Instant::now();
    }
    assert!(gap < GAP_MAX, "no answer for {gap:?}");
    for (n, reference) in (0..).zip(&stored) {
        assert_eq!(get(&mut client, n, reference, 1).await.unwrap(), document(n).as_bytes());
    }
    // With one of three left nobody is opened, and the refusal says so.
    let leader = leading_vault(&processes).await;
    processes.vault_replica(leader).unwrap().kill().unwrap();
    let mut request = tonic::Request::new(GetDocumentRequest {
        patient: patient(200),
        actor: actor(),
        reference: stored[0].clone(),
        version: 1,
    });
    // Told to the gateway only: a client that gave up first would see no refusal.
    request.metadata_mut().insert("grpc-timeout", "3S".parse().unwrap());
    let status = client.get_document(request).await.unwrap().into_inner().message().await.unwrap_err();
    let code = Refusal::from_status(&status).unwrap().code;
    assert!(matches!(code, ErrorCode::Unavailable | ErrorCode::OutcomeUnknown | ErrorCode::DeadlineExceeded), "{code}");
}
