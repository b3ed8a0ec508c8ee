//! `renkei admin` against real nodes.

use renkei_ids::NodeId;
use renkei_launch::Role;

use crate::renkei::{profile, renkei};
use crate::world::nodes as cloud;

#[test]
fn a_cloud_is_founded_and_shown_and_a_dead_node_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut cloud = cloud(dir.path(), 3, Vec::new());
    cloud.start_all().unwrap();
    cloud.issue(Role::Operator, "admin").unwrap();
    let addresses: Vec<String> = cloud.addresses().values().map(ToString::to_string).collect();
    let config = profile(&dir.path().join("certs"), "operator-admin", &addresses);
    let config = config.to_str().unwrap();
    let nodes: Vec<String> = cloud.addresses().iter().map(|(id, at)| format!("--node={id}={at}")).collect();
    let admin = |more: &[&str]| renkei(["--json", "admin"].iter().chain(more).copied());

    let empty = admin(&["status", "--config", config]);
    assert_eq!((empty.code, &empty.json()["nodes"][0]["up"]["slot_epoch"]), (0, &0.into()));

    let founding: Vec<&str> = ["bootstrap", "--config", config, "--groups", "2"]
        .into_iter()
        .chain(nodes.iter().map(String::as_str))
        .collect();
    for _ in 0..2 {
        let founded = admin(&founding);
        assert_eq!(founded.code, 0, "{}", founded.err);
        assert_eq!(founded.json()["slot_epoch"], 1);
    }
    let other: Vec<&str> = founding.iter().map(|word| if *word == "2" { "3" } else { word }).collect();
    let refused = admin(&other);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("already_bootstrapped"), "{}", refused.err);

    let shown = admin(&["status", "--config", config]).json();
    for node in shown["nodes"].as_array().unwrap() {
        // The meta group and two others.
        assert_eq!(node["up"]["replicas"].as_array().unwrap().len(), 3, "{node}");
    }
    let text = renkei(["admin", "status", "--config", config]);
    assert!(text.code == 0 && text.out.contains("node 1, slot map 1"), "{}", text.out);

    cloud.node(NodeId(2)).unwrap().kill().unwrap();
    let degraded = admin(&["status", "--config", config]);
    assert_eq!(degraded.code, 3, "{}", degraded.err);
    let rows = degraded.json();
    assert!(rows["nodes"][0]["up"].is_object() && rows["nodes"][1]["error"].is_string(), "{rows}");
}

#[test]
fn plans_are_asked_for_at_any_node_and_watched_until_they_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let mut cloud = cloud(dir.path(), 4, Vec::new());
    cloud.start_all().unwrap();
    cloud.issue(Role::Operator, "admin").unwrap();
    let addresses = cloud.addresses();
    let fourth = addresses[&NodeId(4)].to_string();
    // The newcomer is asked first: it knows who leads as soon as it has heard of the cloud.
    let endpoints: Vec<String> = addresses.values().rev().map(ToString::to_string).collect();
    let config = profile(&dir.path().join("certs"), "operator-admin", &endpoints);
    let config = config.to_str().unwrap();
    let admin = |more: &[&str]| renkei(["--json", "admin"].iter().chain(more).chain(&["--config", config]).copied());

    let early = admin(&["jobs", "--wait", "1"]);
    assert_eq!(early.code, 1, "{}", early.err);
    assert!(early.err.contains("not_bootstrapped"), "{}", early.err);
    let nodes: Vec<String> = addresses.iter().take(3).map(|(id, at)| format!("--node={id}={at}")).collect();
    let founding: Vec<&str> =
        ["bootstrap", "--groups", "2"].into_iter().chain(nodes.iter().map(String::as_str)).collect();
    assert_eq!(admin(&founding).code, 0);

    let nowhere = admin(&["drain", "--node", "2"]);
    assert_eq!(nowhere.code, 1);
    assert!(nowhere.err.contains("nowhere_to_go"), "{}", nowhere.err);
    let added = admin(&["add-node", "--node", "4", "--address", &fourth]);
    assert_eq!((added.code, &added.json()["node"]), (0, &4.into()), "{}", added.err);

    let moved = admin(&["move-replica", "--group", "1", "--from", "2", "--to", "4"]);
    assert_eq!((moved.code, &moved.json()["jobs"][0]["step"]), (0, &"done".into()), "{}", moved.err);
    assert!(moved.err.contains("replica"), "progress: {}", moved.err);
    let hosted = admin(&["status", "--node", &fourth]).json();
    assert_eq!(hosted["nodes"][0]["up"]["replicas"][0]["group"], 1, "{hosted}");

    let transferred = admin(&["transfer", "--group", "1", "--to", "4", "--detach"]);
    assert_eq!(transferred.code, 0, "{}", transferred.err);
    let watched = admin(&["jobs", "--watch"]);
    assert_eq!((watched.code, &watched.json()["jobs"][0]["step"]), (0, &"done".into()), "{}", watched.err);
    assert_eq!(admin(&["transfer", "--group", "1", "--to", "2"]).code, 1, "it has no replica there any more");
    let abandoned = admin(&["abandon"]);
    assert_eq!(abandoned.code, 0, "{}", abandoned.err);
}

#[test]
fn another_role_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut cloud = cloud(dir.path(), 1, Vec::new());
    cloud.start_all().unwrap();
    cloud.issue(Role::Gateway, "1").unwrap();
    let address = cloud.addresses()[&NodeId(1)].to_string();
    let config = profile(&dir.path().join("certs"), "gateway-1", &[address]);
    let refused = renkei(["admin", "status", "--config", config.to_str().unwrap()]);
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("role_not_allowed"), "{}", refused.out);
}
