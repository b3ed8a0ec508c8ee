//! What `docs/INTEGRATION.md` shows: the client of another language, as it is printed there, against a real cloud.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::renkei::{Ran, renkei};
use crate::t70_demo::{demo, wait_for};

/// Lines that the client may have.
const CLIENT_MAX_LINES: usize = 40;
/// Names a Python of at least 3.11 that has grpcio and grpcio-tools. `cargo verify` makes one and sets it.
const PYTHON: &str = "RENKEI_TEST_PYTHON";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn client() -> PathBuf {
    root().join("deploy/examples/put_get.py")
}

#[expect(clippy::disallowed_methods, reason = "the house tells its tests what the machine has")]
fn python() -> Option<std::ffi::OsString> {
    std::env::var_os(PYTHON).filter(|python| !python.is_empty())
}

fn run(python: &std::ffi::OsStr, dir: &Path) -> Ran {
    // The client's own folder is where it is run from, and it must leave nothing there.
    let ran = Command::new(python).arg("-B").arg(client()).arg(dir).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: ran.status.code().unwrap(), out: text(ran.stdout), err: text(ran.stderr) }
}

#[test]
fn the_client_in_the_document_is_the_one_that_is_tested_and_is_short() {
    let client = fs::read_to_string(client()).unwrap();
    let document = fs::read_to_string(root().join("docs/INTEGRATION.md")).unwrap();
    assert!(document.contains(&format!("```python\n{client}```\n")), "docs/INTEGRATION.md shows another client");
    assert!(client.lines().count() <= CLIENT_MAX_LINES, "{} lines", client.lines().count());
}

/// A demo that stays, and the directory that it hands out.
struct Demo {
    dir: tempfile::TempDir,
    demo: Child,
}

impl Demo {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let demo = demo(&["--data", &path("data"), "--client", &path("client")]);
        let demo = Self { dir, demo };
        // The last file that is written.
        wait_for(|| demo.path("prescription.json").exists());
        demo
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("client").join(name)
    }

    /// Runs `renkei` as the document has it.
    fn run(&self, arguments: &[&str]) -> Ran {
        let [config, ticket, actor] = ["institution.toml", "ticket", "actor"].map(|name| self.path(name));
        let who = [("--config", &config), ("--ticket", &ticket), ("--signed-actor", &actor)];
        let who = who.iter().flat_map(|(flag, path)| [*flag, path.to_str().unwrap()]);
        renkei(arguments.iter().copied().chain(who))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.demo);
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _ended = self.demo.wait();
    }
}

#[test]
fn clients_of_the_demo_put_and_read_back_with_a_ticket_and_are_told_why_they_are_refused() {
    let demo = Demo::start();
    let prescription = fs::read(demo.path("prescription.json")).unwrap();
    let output = demo.path("read.json");
    let read_back = |reference: &str| {
        let read = demo.run(&["get", reference, "--output", output.to_str().unwrap()]);
        assert_eq!(read.code, 0, "{}", read.err);
        let read = fs::read(&output).unwrap();
        fs::remove_file(&output).unwrap();
        read == prescription
    };
    let document = demo.path("prescription.json");
    let put = demo.run(&["--json", "put", document.to_str().unwrap(), "--idempotency-key", "order-1"]);
    assert_eq!(put.code, 0, "{}", put.err);
    assert!(read_back(put.json()["reference"].as_str().unwrap()));
    let audit = demo.run(&["audit", "list"]);
    assert_eq!(audit.code, 0, "{}", audit.err);

    let Some(python) = python() else {
        println!("SKIPPED: {PYTHON} names no Python with grpcio and grpcio-tools");
        return;
    };
    let client = || run(&python, &demo.dir.path().join("client"));
    let first = client();
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(read_back(first.out.trim()), "what Python put is what the command line reads");

    let again = client();
    assert_eq!(again.code, 0, "{}", again.err);
    let told = demo.run(&["--json", "timeline"]).json();
    assert_eq!(told["entries"].as_array().unwrap().len(), 2, "the same document under the same key is stored once");

    fs::write(&document, "{}").unwrap();
    let refused = client();
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert_eq!(refused.err.trim(), "INVALID_ARGUMENT: not_a_resource");
    // Of many pieces: nothing in a prescription keeps a reader from white space behind it.
    let large = [&prescription[..], &vec![b' '; 600_000]].concat();
    fs::write(&document, &large).unwrap();
    let whole = client();
    assert_eq!(whole.code, 0, "{}", whole.err);
}
