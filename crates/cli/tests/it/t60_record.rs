//! `renkei put`, `get`, `replace` and `delete` against a real cloud: node, vault and gateway.

use std::fs;

use renkei_population::DocumentKind;

use crate::world::{World, document};

#[test]
fn a_document_reads_back_byte_for_byte_and_a_repeated_put_stores_nothing_twice() {
    let world = World::founded();
    let file = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let put = || world.run(&["--json", "put", &file("prescription.json"), "--idempotency-key", "key-1"]);
    let first = put();
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!((&first.json()["kind"], &first.json()["replayed"]), (&"prescription".into(), &false.into()));
    let again = put();
    assert_eq!((again.code, &again.json()["replayed"]), (0, &true.into()), "{}", again.err);

    let reference = first.json()["reference"].as_str().unwrap().to_owned();
    let read = world.run(&["get", &reference, "--output", &file("read.json")]);
    assert_eq!(read.code, 0, "{}", read.err);
    assert_eq!(fs::read(file("read.json")).unwrap(), document(DocumentKind::Prescription, 1));

    fs::write(file("prescription.json"), "{}").unwrap();
    let refused = put();
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("not_a_resource"), "{}", refused.err);
}

#[test]
fn a_document_is_replaced_over_its_current_version_only_and_is_gone_when_deleted() {
    let world = World::founded();
    let file = |name: &str| world.path(name).to_str().unwrap().to_owned();
    let (old, new) = (document(DocumentKind::Discharge, 1), document(DocumentKind::Discharge, 2));
    let reference = world.put("first", &old);
    fs::write(file("new.json"), &new).unwrap();
    let replace = |key: &str, version: &str| {
        let which = ["--reference", &reference, "--version", version, "--idempotency-key", key];
        world.run(&[&["--json", "replace", &file("new.json")], &which[..]].concat())
    };
    let replaced = replace("second", "1");
    assert_eq!((replaced.code, &replaced.json()["version"]), (0, &2.into()), "{}", replaced.err);
    let late = replace("third", "1");
    assert_eq!(late.code, 1);
    assert!(late.err.contains("version_conflict"), "{}", late.err);
    for (version, bytes) in [("1", &old), ("2", &new)] {
        let output = file(&format!("read-{version}"));
        let read = world.run(&["get", &reference, "--version", version, "--output", &output]);
        assert_eq!(read.code, 0, "{}", read.err);
        assert!(fs::read(&output).unwrap() == *bytes, "version {version}");
    }

    let delete = |version: &str| {
        world.run(&["delete", "--reference", &reference, "--version", version, "--idempotency-key", "end"])
    };
    assert_eq!(delete("1").code, 1, "version 2 is current");
    let deleted = delete("2");
    assert_eq!(deleted.code, 0, "{}", deleted.err);
    for version in ["1", "2"] {
        let read = world.run(&["get", &reference, "--version", version, "--output", &file("never")]);
        assert!(read.code == 1 && read.err.contains("not_found"), "{}", read.err);
    }
    assert!(!world.path("never").exists());
}
