//! Clouds of real processes, founded by the command line itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_ids::{Clock as _, CloudId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile, Role, SystemClock};
use renkei_population::{DocumentKind, Expected, PersonIndex, Population};

use crate::renkei::{Ran, profile, renkei};

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
const SEED: u64 = 42;
/// Attempts to reach a cloud that is being founded, a tenth of a second apart.
const ATTEMPTS: u32 = 300;
const PAUSE: Duration = Duration::from_millis(100);

/// Nodes that were not started yet.
pub(crate) fn nodes(dir: &Path, nodes: u32, set: Vec<String>) -> Cloud {
    let spec = CloudSpec {
        cloud: CLOUD,
        nodes,
        dir: dir.to_owned(),
        memory_mib: 256,
        raft: RaftProfile::Demo,
        set,
        now: SystemClock::new().now(),
    };
    Cloud::prepare(&spec).unwrap()
}

/// Founds a cloud of nodes that run, with one group besides the meta group, and waits until all are led.
pub(crate) fn found(cloud: &Cloud, dir: &Path) {
    cloud.issue(Role::Operator, "admin").unwrap();
    let addresses: Vec<String> = cloud.addresses().values().map(ToString::to_string).collect();
    let operator = profile(&dir.join("certs"), "operator-admin", &addresses);
    let operator = operator.to_str().unwrap();
    let nodes = cloud.addresses().into_iter().map(|(id, at)| format!("--node={id}={at}"));
    let bootstrap = ["admin", "bootstrap", "--config", operator, "--groups", "1"].map(str::to_owned);
    let ran = renkei(bootstrap.into_iter().chain(nodes));
    assert_eq!(ran.code, 0, "{}", ran.err);
    for _ in 0..ATTEMPTS {
        let status = renkei(["--json", "admin", "status", "--config", operator]).json();
        let up = status["nodes"].as_array().unwrap().iter().map(|node| node["up"]["replicas"].as_array().unwrap());
        let replicas: Vec<_> = up.flatten().collect();
        if replicas.len() == 2 * addresses.len() && replicas.iter().all(|replica| !replica["leader_node"].is_null()) {
            return;
        }
        std::thread::sleep(PAUSE);
    }
    panic!("the groups are not led");
}

/// A cloud of one node, a vault and a gateway, and an institution with a patient who is opened by pseudonym. Its directory
/// holds `institution.toml`, `patient` and `prescription.json`.
pub(crate) struct World {
    dir: tempfile::TempDir,
    cloud: Cloud,
}

impl World {
    pub(crate) fn founded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut cloud = nodes(dir.path(), 1, Vec::new());
        cloud.add_vault(256, &[]).unwrap();
        cloud.add_gateway("one", &[]).unwrap();
        cloud.start_vault().unwrap();
        cloud.start_all().unwrap();
        cloud.start_gateway().unwrap();
        found(&cloud, dir.path());
        let world = Self { dir, cloud };
        world.admit("institution", "a1");
        fs::write(world.path("patient"), "5e".repeat(32)).unwrap();
        fs::write(world.path("prescription.json"), document(DocumentKind::Prescription, 1)).unwrap();
        world.wait_served();
        world
    }

    /// Issues a certificate for an institution, and leaves a connection file of this name in the directory.
    pub(crate) fn admit(&self, file: &str, digits: &str) {
        let institution = digits.repeat(16);
        self.cloud.issue(Role::Institution, &institution).unwrap();
        let gateway = self.cloud.gateway_address().unwrap().to_string();
        let text = format!(
            "endpoints = [\"{gateway}\"]\ncertificate = \"certs/institution-{institution}.pem\"\n\
             key = \"certs/institution-{institution}.key\"\nca = \"certs/ca.pem\"\n"
        );
        fs::write(self.path(&format!("{file}.toml")), text).unwrap();
    }

    /// A group that was founded may still be on its way to the gateway. Another patient's history shows when it is there.
    fn wait_served(&self) {
        fs::write(self.path("nobody"), "0b".repeat(32)).unwrap();
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let ran = self.as_institution("institution", "nobody", &["timeline"]);
            if ran.code == 0 {
                return;
            }
            last = Some(ran.err);
            std::thread::sleep(PAUSE);
        }
        panic!("the gateway does not serve: {last:?}");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `renkei` as the institution, for its patient.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.as_institution("institution", "patient", arguments)
    }

    /// Runs `renkei` with the connection file and the patient of these names.
    pub(crate) fn as_institution(&self, config: &str, patient: &str, arguments: &[&str]) -> Ran {
        let (config, patient) = (self.path(&format!("{config}.toml")), self.path(patient));
        let who = ["--config", config.to_str().unwrap(), "--patient", patient.to_str().unwrap(), "--actor", "dr-1"];
        renkei(arguments.iter().chain(&who))
    }

    /// Puts these bytes under a key of their own, and gives the reference.
    pub(crate) fn put(&self, key: &str, document: &[u8]) -> String {
        let file = self.path(&format!("{key}.json"));
        fs::write(&file, document).unwrap();
        let ran = self.run(&["--json", "put", file.to_str().unwrap(), "--idempotency-key", key]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()["reference"].as_str().unwrap().to_owned()
    }
}

/// A synthetic document of one person.
pub(crate) fn document(kind: DocumentKind, version: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    expected(kind, version).write(&mut bytes);
    bytes
}

/// What such a document says.
pub(crate) fn expected(kind: DocumentKind, version: u32) -> Expected {
    Population::new(SEED).expected(PersonIndex::try_from(7).unwrap(), kind, version)
}
