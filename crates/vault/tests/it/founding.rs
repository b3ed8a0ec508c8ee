//! How three vaults begin: once, all together, with the same keys and the same list of peers.

use std::fs;

use renkei_launch::READY_TIMEOUT;
use renkei_runtime::Role;
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, VaultAdminServiceClient};

use crate::world::{World, asking};

async fn found(world: &World, vault: u32) -> Result<(), Refusal> {
    let founded = world.admin(vault).found(pb::FoundVaultRequest {}).await;
    founded.map(|_| ()).map_err(|status| Refusal::from_status(&status).unwrap())
}

fn start(world: &mut World, vault: u32) {
    world.processes.start_vault_replica(vault).unwrap();
    world.processes.vault_replica(vault).unwrap().wait_ready(READY_TIMEOUT).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_begins_when_all_its_replicas_answer_and_only_once() {
    let mut world = World::unfounded(3, &[]);
    start(&mut world, 1);
    start(&mut world, 2);
    assert_eq!(found(&world, 1).await.unwrap_err().code, ErrorCode::Unavailable, "vault 3 is down");
    assert_eq!(world.open_at(1, asking(1, 7)).await.unwrap_err().code, ErrorCode::NotBootstrapped);
    start(&mut world, 3);
    // Who was not asked to begin does not.
    assert!(world.status(3).await.unwrap().replica.is_none());
    let both = futures::future::join(found(&world, 1), found(&world, 2)).await;
    assert_eq!(both, (Ok(()), Ok(())), "two at once are one");
    let opened = world.open(asking(1, 7)).await.unwrap();
    for vault in 1..=3 {
        assert_eq!(found(&world, vault).await, Ok(()));
    }
    assert!(world.open(asking(1, 7)).await.unwrap().pid == opened.pid, "nothing began anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vaults_with_other_keys_do_not_begin_together() {
    let mut world = World::unfounded(3, &[]);
    // Setup run on each host by itself: the mistake that a founding must not seal.
    let (other, keys) = (World::unfounded(1, &[]), world.keys(3));
    for name in ["epoch.key", "signing.key", "signing.pub"] {
        fs::copy(other.keys(1).join(name), keys.join(name)).unwrap();
    }
    for vault in 1..=3 {
        start(&mut world, vault);
    }
    let refusal = found(&world, 1).await.unwrap_err();
    assert_eq!((refusal.code, refusal.field.unwrap().as_str()), (ErrorCode::InvalidArgument, "keys"));
    assert!(world.status(1).await.unwrap().replica.is_none(), "nothing was opened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_found_and_vaults_open_and_nobody_else() {
    let mut world = World::unfounded(3, &[]);
    for vault in 1..=3 {
        start(&mut world, vault);
    }
    let refused = |status: tonic::Status| Refusal::from_status(&status).unwrap().code;
    let mut gateway = VaultAdminServiceClient::new(world.channel(&world.gateway, 1));
    assert_eq!(refused(gateway.found(pb::FoundVaultRequest {}).await.unwrap_err()), ErrorCode::RoleNotAllowed);
    assert_eq!(refused(gateway.status(pb::VaultStatusRequest {}).await.unwrap_err()), ErrorCode::RoleNotAllowed);
    let open = world.admin(1).open_replica(pb::OpenVaultReplicaRequest {}).await;
    assert_eq!(refused(open.unwrap_err()), ErrorCode::RoleNotAllowed);
    let node = world.identity(Role::Node, "1");
    let mut node = VaultAdminServiceClient::new(world.channel(&node, 1));
    assert!(node.found(pb::FoundVaultRequest {}).await.is_err());
    assert!(world.status(1).await.unwrap().replica.is_none());
}
