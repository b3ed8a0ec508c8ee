//! What `docs/INTEGRATION.md` shows: the client of another language, as it is printed there, against a real cloud.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::renkei::Ran;
use crate::world::World;

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

#[test]
fn a_python_client_puts_and_reads_back_and_is_told_why_it_is_refused() {
    let Some(python) = python() else {
        println!("SKIPPED: {PYTHON} names no Python with grpcio and grpcio-tools");
        return;
    };
    let world = World::founded();
    let prescription = fs::read(world.path("prescription.json")).unwrap();
    let first = run(&python, world.dir());
    assert_eq!(first.code, 0, "{}", first.err);
    let output = world.path("read.json");
    let read = world.run(&["get", first.out.trim(), "--output", output.to_str().unwrap()]);
    assert_eq!(read.code, 0, "{}", read.err);
    assert!(fs::read(&output).unwrap() == prescription, "what Python put is what the command line reads");

    let again = run(&python, world.dir());
    assert_eq!(again.code, 0, "{}", again.err);
    let told = world.run(&["--json", "timeline"]).json();
    assert_eq!(told["entries"].as_array().unwrap().len(), 1, "the same document under the same key is stored once");

    fs::write(world.path("prescription.json"), "{}").unwrap();
    let refused = run(&python, world.dir());
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert_eq!(refused.err.trim(), "INVALID_ARGUMENT: not_a_resource");
    // Of many pieces: nothing in a prescription keeps a reader from white space behind it.
    let large = [&prescription[..], &vec![b' '; 600_000]].concat();
    fs::write(world.path("prescription.json"), &large).unwrap();
    let whole = run(&python, world.dir());
    assert_eq!(whole.code, 0, "{}", whole.err);
}
