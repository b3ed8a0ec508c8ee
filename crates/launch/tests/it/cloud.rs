//! A cloud on paper: files, ports and certificates. Its processes are tested where the services are.

use std::sync::Arc;

use renkei_ids::{CloudId, NodeId};
use renkei_launch::{Cloud, CloudError, CloudSpec, RaftProfile};
use renkei_runtime::{Role, SystemClock, Tls};

use crate::world::now;

fn spec(dir: &std::path::Path, nodes: u32) -> CloudSpec {
    CloudSpec {
        cloud: CloudId::from_bytes([0xC1; 16]),
        nodes,
        dir: dir.to_owned(),
        memory_mib: 256,
        raft: RaftProfile::Demo,
        set: Vec::new(),
        now: now(),
    }
}

#[test]
fn every_node_knows_every_peer_and_is_who_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let cloud = Cloud::prepare(&spec(dir.path(), 3)).unwrap();
    let addresses = cloud.addresses();
    assert_eq!(addresses.keys().copied().collect::<Vec<_>>(), [NodeId(1), NodeId(2), NodeId(3)]);
    for id in addresses.keys() {
        let text = std::fs::read_to_string(dir.path().join(format!("config/node-{id}.toml"))).unwrap();
        let config: toml::Table = text.parse().unwrap();
        for (peer, address) in &addresses {
            assert_eq!(config["peers"][peer.to_string()].as_str(), Some(address.to_string().as_str()), "{text}");
        }
        assert_eq!(config["listen"]["address"].as_str(), Some(addresses[id].to_string().as_str()));
        assert!(dir.path().join(format!("node-{id}")).is_dir());
    }
    let gateway = cloud.issue(Role::Gateway, "cell-1").unwrap();
    let identity = Tls::load(&gateway, Arc::new(SystemClock::new())).unwrap().identity();
    assert_eq!((identity.cloud, identity.role), (cloud.id(), Role::Gateway));
}

#[test]
fn a_cloud_has_a_sensible_size() {
    let dir = tempfile::tempdir().unwrap();
    for nodes in [0, 33] {
        let refused = Cloud::prepare(&spec(dir.path(), nodes));
        assert!(matches!(refused, Err(CloudError::Size { .. })), "{nodes}");
    }
}

#[test]
fn nodes_that_are_not_there_are_told_from_those_that_do_not_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut cloud = Cloud::prepare(&spec(dir.path(), 1)).unwrap();
    assert!(matches!(cloud.node(NodeId(1)), Err(CloudError::NotRunning { .. })));
    assert!(matches!(cloud.node(NodeId(2)), Err(CloudError::NoSuchNode { .. })));
    assert!(cloud.usage().unwrap().is_empty());
}
