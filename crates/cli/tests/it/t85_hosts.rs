//! Three hosts and one for the gateway, as `deploy/` shows them: one configuration file each, certificates, the
//! founding, records, and a cable that is pulled.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use renkei_launch::{Hosts, beside};
use renkei_population::{DocumentKind, PersonIndex, Population};
use serde_json::Value;
use toml::Table;

use crate::renkei::{profile, renkei};

const CLOUD: &str = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1";
const SEED: u64 = 77;
const NODES: [&str; 3] = ["node1", "node2", "node3"];
/// Gateway and vault share a host: a build that opens patients without tickets serves on loopback only.
const GATEWAY: &str = "gateway";
/// Longest time that one put or get may take, with a node that has vanished without a word: a gateway asks another one
/// after 4 to 6 s, and by then that one leads.
const OPERATION_MAX: Duration = Duration::from_secs(12);
/// Beside the meta group there is one, so that every record is the cut-off leader's.
const GROUP: u64 = 1;
const PATIENCE: Duration = Duration::from_secs(90);

struct Site {
    hosts: Hosts,
    dir: tempfile::TempDir,
    institution: String,
}

#[test]
fn three_hosts_serve_through_a_cable_that_is_pulled_and_put_back() {
    let names: Vec<_> = NODES.into_iter().chain([GATEWAY]).collect();
    let hosts = match Hosts::make(&names) {
        Ok(hosts) => hosts,
        Err(reason) => {
            println!("SKIPPED: no network namespaces: {}", renkei_runtime::Chain(&reason));
            return;
        }
    };
    let mut site = Site { hosts, dir: tempfile::tempdir().unwrap(), institution: "a1".repeat(16) };
    site.make_certificates();
    site.start();
    site.found();
    let first = site.put(0);
    assert!(first.1 == site.get(&first.0), "what was put is read back");

    let away = site.leader();
    site.hosts.link(NODES[away - 1], false).unwrap();
    let mut kept = vec![first];
    let mut longest = Duration::ZERO;
    for n in 1..=6 {
        let began = Instant::now();
        let put = site.put(n);
        longest = longest.max(began.elapsed());
        let began = Instant::now();
        assert!(put.1 == site.get(&put.0), "document {n} without node {away}");
        longest = longest.max(began.elapsed());
        kept.push(put);
    }
    println!("longest operation with node {away} cut off: {longest:?}");
    assert!(longest < OPERATION_MAX, "{longest:?}");
    let status = site.status();
    assert!(status["nodes"][away - 1]["error"].is_string(), "node {away} is cut off: {status}");

    site.hosts.link(NODES[away - 1], true).unwrap();
    let goal = committed(&site.status(), away);
    assert!(!goal.is_empty(), "groups have leaders");
    site.until("the node has caught up", |site| {
        let status = site.status();
        goal.iter()
            .all(|(group, index)| replica(&status, away, *group).is_some_and(|r| r["applied"].as_u64() >= Some(*index)))
    });
    for (reference, document) in &kept {
        assert!(*document == site.get(reference));
    }
}

impl Site {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn certs(&self) -> PathBuf {
        self.path("certs")
    }

    fn make_certificates(&self) {
        let nodes = (1..=NODES.len()).map(|id| format!("--issue=node/{id}@10.77.0.{id}"));
        let others = ["vault/1", "gateway/one", "operator/admin"].map(|leaf| format!("--issue={leaf}"));
        let institution = format!("--issue=institution/{}", self.institution);
        let certs = self.certs().to_str().unwrap().to_owned();
        let fixed = ["certs".to_owned(), "dev".to_owned(), certs, format!("--cloud={CLOUD}")];
        let made = renkei(fixed.into_iter().chain(nodes).chain(others).chain([institution]));
        assert_eq!(made.code, 0, "{}", made.err);
    }

    /// The file of `deploy/`, with the places of this test in it.
    fn config(&self, role: &str, name: &str, certificate: &str, change: impl FnOnce(&mut Table)) -> PathBuf {
        let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../deploy/{role}.toml"));
        let mut config: Table = fs::read_to_string(shown).unwrap().parse().unwrap();
        let file = |end: &str| self.certs().join(format!("{certificate}.{end}"));
        set(&mut config, "tls", "certificate", file("pem").to_str().unwrap());
        set(&mut config, "tls", "key", file("key").to_str().unwrap());
        set(&mut config, "tls", "ca", self.certs().join("ca.pem").to_str().unwrap());
        change(&mut config);
        let path = self.path(&format!("{name}.toml"));
        fs::write(&path, config.to_string()).unwrap();
        path
    }

    fn start(&mut self) {
        let keys = self.path("vault-keys");
        let secret = self.path("host-secret");
        fs::write(&secret, [0x5A; 32]).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        let made = Command::new(beside("renkei-vault").unwrap())
            .args(["setup", "--dir"])
            .arg(&keys)
            .arg("--host-secret")
            .arg(&secret)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let public = fs::read_to_string(keys.join("signing.pub")).unwrap().trim().to_owned();
        for (id, name) in (1_i64..).zip(NODES) {
            let data = self.path(&format!("{name}-data"));
            let config = self.config("node", name, &format!("node-{id}"), |config| {
                set(config, "node", "id", id);
                set(config, "listen", "address", format!("10.77.0.{id}:7001"));
                set(config, "data", "dir", data.to_str().unwrap());
                set(config, "memory", "total_mib", 256);
                // Several nodes on one machine, which other tests may keep busy.
                set(config, "raft", "profile", "demo");
                set(config, "vault", "keys", vec![public.clone()]);
                for peer in 1..=NODES.len() {
                    set(config, "peers", &peer.to_string(), format!("10.77.0.{peer}:7001"));
                }
            });
            self.serve(name, "renkei-node", name, &config);
        }
        let data = self.path("vault-data");
        let config = self.config("vault", "vault", "vault-1", |config| {
            set(config, "listen", "address", "127.0.0.1:7101");
            set(config, "data", "dir", data.to_str().unwrap());
            set(config, "memory", "total_mib", 256);
            set(config, "keys", "epoch_file", keys.join("epoch.key").to_str().unwrap());
            set(config, "keys", "signing_file", keys.join("signing.key").to_str().unwrap());
            set(config, "keys", "host_secret_file", secret.to_str().unwrap());
            // One vault: three hosts for it are the vault's own test.
            config["peers"] = Table::new().into();
        });
        self.serve(GATEWAY, "renkei-vault", "vault", &config);
        let founding = ["found", "--config", config.to_str().unwrap()];
        self.until("the vault has begun", |site| {
            site.hosts.run(GATEWAY, &beside("renkei-vault").unwrap(), founding).unwrap().status.success()
        });
        let config = self.config("gateway", "gateway", "gateway-one", |config| {
            set(config, "listen", "address", "127.0.0.1:7201");
            // Nobody checks in here: patients are opened as in a development build without a directory.
            config.remove("cell");
            config.remove("directory");
            set(config, "vault", "addresses", vec!["127.0.0.1:7101".to_owned()]);
            set(
                config,
                "nodes",
                "addresses",
                (1..=NODES.len()).map(|id| format!("10.77.0.{id}:7001")).collect::<Vec<_>>(),
            );
        });
        self.serve(GATEWAY, "renkei-gateway", "gateway", &config);
    }

    fn serve(&mut self, host: &str, binary: &'static str, name: &str, config: &Path) {
        let log = self.path(&format!("{name}.log"));
        self.hosts.start(host, &beside(binary).unwrap(), &["--config", config.to_str().unwrap()], &log).unwrap();
    }

    /// Runs `renkei` where the gateway is; gives exit code, output and complaints.
    fn renkei(&self, arguments: &[&str]) -> (i32, String, String) {
        let ran = self.hosts.run(GATEWAY, Path::new(env!("CARGO_BIN_EXE_renkei")), arguments).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }

    fn found(&self) {
        let endpoints: Vec<_> = (1..=NODES.len()).map(|id| format!("10.77.0.{id}:7001")).collect();
        let operator = profile(&self.certs(), "operator-admin", &endpoints);
        let nodes: Vec<_> = (1..).zip(&endpoints).map(|(id, at)| format!("--node={id}={at}")).collect();
        let mut arguments = vec!["admin", "bootstrap", "--config", operator.to_str().unwrap(), "--groups", "1"];
        arguments.extend(nodes.iter().map(String::as_str));
        let (code, _, err) = self.renkei(&arguments);
        assert_eq!(code, 0, "{err}\n{}", self.logs());
        profile(&self.certs(), &format!("institution-{}", self.institution), &["127.0.0.1:7201".to_owned()]);
        fs::write(self.path("patient"), "5e".repeat(32)).unwrap();
        self.until("every group is led", |site| committed(&site.status(), 0).len() == 2);
    }

    fn status(&self) -> Value {
        let operator = self.certs().join("operator-admin.toml");
        // The exit code says whether a node is down, and so does the row.
        let (_, out, err) = self.renkei(&["--json", "admin", "status", "--config", operator.to_str().unwrap()]);
        serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"))
    }

    /// The node, from 1, that leads the group of all records.
    fn leader(&self) -> usize {
        let status = self.status();
        let leads = |node: &usize| replica(&status, *node, GROUP).is_some_and(|replica| replica["leads"] == true);
        (1..=NODES.len()).find(leads).unwrap()
    }

    /// Arguments that say who asks, and about whom.
    fn visit(&self) -> [String; 6] {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let config = text(self.certs().join(format!("institution-{}.toml", self.institution)));
        ["--config".into(), config, "--patient".into(), text(self.path("patient")), "--actor".into(), "dr-1".into()]
    }

    /// Puts a document of its own number; gives its reference and what it is.
    fn put(&self, n: u32) -> (String, Vec<u8>) {
        let person = PersonIndex::try_from(n).unwrap();
        let document = Population::new(SEED).document(person, DocumentKind::Prescription, 1);
        let file = self.path("document.json");
        fs::write(&file, &document).unwrap();
        let (visit, key) = (self.visit(), format!("key-{n}"));
        let mut arguments = vec!["--json", "put", file.to_str().unwrap(), "--idempotency-key", &key];
        arguments.extend(visit.iter().map(String::as_str));
        let (code, out, err) = self.renkei(&arguments);
        assert_eq!(code, 0, "put {n}: {err}\n{}", self.logs());
        let stored: Value = serde_json::from_str(&out).unwrap();
        (stored["reference"].as_str().unwrap().to_owned(), document)
    }

    fn get(&self, reference: &str) -> Vec<u8> {
        let file = self.path("read.json");
        let visit = self.visit();
        let mut arguments = vec!["get", reference, "--output", file.to_str().unwrap()];
        arguments.extend(visit.iter().map(String::as_str));
        let (code, _, err) = self.renkei(&arguments);
        assert_eq!(code, 0, "get: {err}\n{}", self.logs());
        let document = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        document
    }

    fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn logs(&self) -> String {
        let names = NODES.into_iter().chain(["vault", "gateway"]);
        names.map(|name| fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default()).collect()
    }
}

fn set(config: &mut Table, section: &str, key: &str, value: impl Into<toml::Value>) {
    let section = config[section].as_table_mut().unwrap();
    section.insert(key.to_owned(), value.into());
}

fn replicas(status: &Value, node: usize) -> Vec<Value> {
    status["nodes"][node - 1]["up"]["replicas"].as_array().cloned().unwrap_or_default()
}

fn replica(status: &Value, node: usize, group: u64) -> Option<Value> {
    replicas(status, node).into_iter().find(|replica| replica["group"] == group)
}

/// What each group's leader has committed, by group, of leaders on other nodes than `except`.
fn committed(status: &Value, except: usize) -> Vec<(u64, u64)> {
    let others = (1..=NODES.len()).filter(|node| *node != except);
    let leaders = others.flat_map(|node| replicas(status, node)).filter(|replica| replica["leads"] == true);
    leaders.map(|r| (r["group"].as_u64().unwrap(), r["committed"].as_u64().unwrap())).collect()
}
