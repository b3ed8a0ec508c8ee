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
