//! `renkei scan` over what real nodes leave: with an identity cipher every text is there, with none put nothing is.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use renkei_access::{Capability, Period, Purpose, Scope, SigningKey};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, Clock as _, ContentTag, IdemTag, InstTag, MonthBucket, NodeId, Pid, RecordId,
    RecordVersion, RequestId, SizeBucket, SlotEpoch,
};
use renkei_launch::{Cloud, Role, SystemClock};
use renkei_runtime::{ExpectedPeer, Http2, Tls};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{NodeRequest, NodeServiceClient, Operation, PutBody, PutRecord, Refusal};

use crate::renkei::renkei;
use crate::world::{CLOUD, found, nodes};

const SUMMARY: ClassTag = ClassTag::from_bytes([0x51; 16]);
const BODY: ClassTag = ClassTag::from_bytes([0xB0; 16]);
/// Attempts to reach a group that starts again, a tenth of a second apart.
const ATTEMPTS: u32 = 300;

/// A node that takes capabilities of `vault`, founded.
fn founded(dir: &Path, vault: &SigningKey) -> Cloud {
    let mut cloud = nodes(dir, 1, vec![format!("vault.keys=[\"{}\"]", vault.verifying_key().to_hex())]);
    cloud.start_all().unwrap();
    found(&cloud, dir);
    cloud
}

/// Puts a document as it is where its ciphertext belongs, and some of it as summary.
fn put_in_the_clear(cloud: &Cloud, vault: &SigningKey, n: u8, document: &[u8]) {
    let clock = Arc::new(SystemClock::new());
    let tls = Tls::load(&cloud.issue(Role::Gateway, "clear").unwrap(), clock.clone()).unwrap();
    let capability = Capability {
        id: CapabilityId::from_bytes([n; 16]),
        pid: Pid::from_bytes([n; 16]),
        institution: InstTag::from_bytes([2; 16]),
        classes: vec![SUMMARY, BODY],
        period: Period::ALL,
        scope: Scope::WRITE,
        purpose: Purpose::Care,
        issued: clock.now(),
        expires: clock.now().plus_millis(600_000),
        gateway: tls.identity().key_hash,
        stub: Bytes::from_static(b"stub"),
        records: vec![renkei_access::RecordGrant {
            record: RecordId::from_bytes([n; 16]),
            version: RecordVersion::FIRST,
        }],
    };
    let request = NodeRequest {
        request: RequestId::from_bytes([n; 16]),
        deadline: Duration::from_secs(10),
        slot_epoch: SlotEpoch(1),
        capability: capability.sign(vault).unwrap(),
        actor: Bytes::from_static(b"actor"),
        operation: Operation::Put(PutRecord {
            record: RecordId::from_bytes([n; 16]),
            version: RecordVersion::FIRST,
            month: MonthBucket::from_raw(600),
            summary_class: SUMMARY,
            body_class: BODY,
            binding: BindingTag::from_bytes([3; 16]),
            size: SizeBucket::of_len(document.len()),
            summary: Bytes::from_static(b"summary"),
            body: PutBody::Whole(Bytes::copy_from_slice(document)),
            idem: IdemTag::from_bytes([n; 16]),
            content: ContentTag::from_bytes([n; 16]),
        }),
    };
    let address = cloud.addresses()[&NodeId(1)].to_string().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let expected = ExpectedPeer { cloud: CLOUD, role: Role::Node, name: None };
        let mut client = NodeServiceClient::new(tls.channel(&address, expected, Http2::CALLS));
        for attempt in 1.. {
            match client.execute(pb::Request::from(request.clone())).await {
                Ok(_) => return,
                Err(status) => assert!(attempt < ATTEMPTS, "{:?}", Refusal::from_status(&status)),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn an_identity_cipher_is_found_out_and_its_absence_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let (documents, data) = (dir.path().join("documents"), dir.path().join("cloud"));
    fs::create_dir(&documents).unwrap();
    // One below the size of blob files and one above.
    let small = format!("{{\"note\":\"{}\"}}", "処方の控え 12345 abc");
    let large = format!("{{\"note\":\"退院時要約 98765 xyz の控え\",\"pad\":\"{}\"}}", "0123456789".repeat(4_000));
    fs::write(documents.join("small.json"), &small).unwrap();
    fs::write(documents.join("large.json"), &large).unwrap();
    let vault = SigningKey::from_seed(&[0x5A; 32]);
    let mut cloud = founded(&data, &vault);
    let scan = || {
        let (data, documents) = (data.to_str().unwrap(), documents.to_str().unwrap());
        renkei(["--json", "scan", data, "--documents", documents])
    };

    cloud.stop_all().unwrap();
    let clean = scan();
    let report = clean.json();
    assert_eq!((clean.code, &report["plaintext_hits"]), (0, &0.into()), "{report}");
    assert!(report["plaintext_control_hits"].as_u64().unwrap() > 0, "{report}");
    assert!(report["databases"].as_u64().unwrap() >= 3, "log, meta group and shard group: {report}");

    cloud.start_all().unwrap();
    put_in_the_clear(&cloud, &vault, 1, small.as_bytes());
    put_in_the_clear(&cloud, &vault, 2, large.as_bytes());
    cloud.node(NodeId(1)).unwrap().kill().unwrap();
    let found = scan();
    let report = found.json();
    assert_eq!(found.code, 4, "{report}");
    assert_eq!(report["tokens_found"], report["tokens"], "{report}");
    assert_eq!(report["control_tokens_found"], report["tokens"], "{report}");
    assert!(!found.out.contains("控え"), "what is found is not shown");
}
