//! Configuration as a process takes it.

use std::process::{Command, Output};

use renkei_ids::{CloudId, NodeId};
use renkei_launch::{NodeSpec, RaftProfile, beside, node_config};

use crate::world::World;

fn probe(world: &World, flags: &[&str], environment: &[(&str, &str)]) -> Output {
    let spec = world.spec("live", flags);
    Command::new(beside("renkei-probe").unwrap()).args(&spec.args).envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn the_configuration_in_force_is_printed() {
    let world = World::new();
    let environment = [("RENKEI_PROBE_PROCESS__GRACE_MS", "1234"), ("RENKEI_PROBE_LOG__FILTER", "warn")];
    let output = probe(&world, &["--print-config", "--set", "log.filter=debug"], &environment);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("grace_ms = 1234") && text.contains("filter = \"debug\""), "{text}");
    assert!(text.contains("# log.filter: flag --set"), "{text}");
}

#[test]
fn an_unknown_key_keeps_a_process_from_starting() {
    let world = World::new();
    for (flags, environment, key) in [
        (&["--set", "probe.behavior=live"][..], &[][..], "`probe.behavior`"),
        (&[][..], &[("RENKEI_PROBE_PROBE__X", "1")][..], "`probe.x`"),
    ] {
        let output = probe(&world, flags, environment);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn an_exposed_key_file_keeps_a_process_from_starting() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    std::fs::set_permissions(&world.files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = probe(&world, &[], &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.contains("mode 0644")), (Some(2), true), "{text}");
}

#[test]
fn an_admin_address_beyond_loopback_keeps_a_process_from_starting() {
    let world = World::new();
    let output = probe(&world, &["--set", "admin.address=0.0.0.0:0"], &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), text.contains("admin.address")), (Some(2), true), "{text}");
}

#[test]
fn a_nodes_configuration_is_this_toml() {
    let world = World::new();
    let spec = NodeSpec {
        id: NodeId(2),
        cloud: CloudId::from_bytes([0xAB; 16]),
        listen: "127.0.0.1:7002".parse().unwrap(),
        admin: "127.0.0.1:9002".parse().unwrap(),
        tls: world.files,
        data: "/data/node-2".into(),
        memory_mib: 512,
        raft: RaftProfile::Demo,
        peers: [(NodeId(1), "127.0.0.1:7001".parse().unwrap())].into(),
    };
    let text = node_config(&spec).to_string();
    for line in [
        "id = 2",
        "cloud = \"abababababababababababababababab\"",
        "address = \"127.0.0.1:7002\"",
        "dir = \"/data/node-2\"",
        "total_mib = 512",
        "profile = \"demo\"",
        "1 = \"127.0.0.1:7001\"",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
