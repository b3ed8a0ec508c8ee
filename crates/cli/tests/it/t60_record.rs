//! `renkei put` and `renkei get` against a real cloud: node, vault and gateway.

use std::fs;

use renkei_ids::{Clock as _, CloudId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile, Role, SystemClock};
use renkei_population::{DocumentKind, PersonIndex, Population};

use crate::renkei::{Ran, profile, renkei};

/// Attempts while groups elect their leaders.
const ATTEMPTS: u32 = 20;

#[test]
fn a_document_reads_back_byte_for_byte_and_a_repeated_put_stores_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let spec = CloudSpec {
        cloud: CloudId::from_bytes([0xC1; 16]),
        nodes: 1,
        dir: dir.path().join("cloud"),
        memory_mib: 256,
        raft: RaftProfile::Demo,
        set: Vec::new(),
        now: SystemClock::new().now(),
    };
    let mut cloud = Cloud::prepare(&spec).unwrap();
    cloud.add_vault(256, &[]).unwrap();
    cloud.add_gateway("one", &[]).unwrap();
    cloud.start_vault().unwrap();
    cloud.start_all().unwrap();
    cloud.start_gateway().unwrap();
    cloud.issue(Role::Operator, "admin").unwrap();
    let institution = "a1".repeat(16);
    cloud.issue(Role::Institution, &institution).unwrap();
    let certs = dir.path().join("cloud/certs");
    let operator = profile(&certs, "operator-admin", &[]);
    let node = cloud.addresses().iter().map(|(id, at)| format!("--node={id}={at}")).next().unwrap();
    let founded = renkei(["admin", "bootstrap", "--config", operator.to_str().unwrap(), "--groups", "1", &node]);
    assert_eq!(founded.code, 0, "{}", founded.err);

    let gateway = cloud.gateway_address().unwrap().to_string();
    let config = profile(&certs, &format!("institution-{institution}"), &[gateway]);
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("patient"), "5e".repeat(32)).unwrap();
    let person = PersonIndex::try_from(7).unwrap();
    let document = Population::new(42).document(person, DocumentKind::Prescription, 1);
    fs::write(path("document.json"), &document).unwrap();
    let who =
        ["--config", config.to_str().unwrap(), "--patient", &path("patient"), "--actor", "dr-1"].map(str::to_owned);
    let put = || -> Ran {
        let arguments = ["--json", "put", &path("document.json"), "--idempotency-key", "key-1"].map(str::to_owned);
        renkei(arguments.into_iter().chain(who.clone()))
    };
    let mut first = put();
    for _ in 0..ATTEMPTS {
        if first.code == 0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
        first = put();
    }
    assert_eq!(first.code, 0, "{}", first.err);
    let again = put();
    assert_eq!((again.code, &again.json()["replayed"]), (0, &true.into()), "{}", again.err);

    let reference = first.json()["reference"].as_str().unwrap().to_owned();
    let get = ["get".to_owned(), reference, "--output".to_owned(), path("read.json")];
    let read = renkei(get.into_iter().chain(who.clone()));
    assert_eq!(read.code, 0, "{}", read.err);
    assert_eq!(fs::read(path("read.json")).unwrap(), document);

    fs::write(path("document.json"), "{}").unwrap();
    let refused = put();
    assert_eq!(refused.code, 1, "{}", refused.err);
}
