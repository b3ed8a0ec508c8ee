//! Who is let in where vaults talk to each other.

use std::time::Duration;

use bytes::Bytes;
use renkei_ids::{CloudId, GroupId, ReplicaId};
use renkei_runtime::{Role, Tls};
use renkei_wire::pb::peer::v1 as pb;
use renkei_wire::peer::{Lane, PeerFrame, PeerFrames, PeerPayload};
use renkei_wire::{CallId, ErrorCode, PeerServiceClient, Refusal};

use crate::world::{CLOUD, World};

fn frame(cloud: CloudId, from: u64, to: u64) -> pb::PeerFrames {
    let payload = PeerPayload::End(Bytes::from_static(b"no message"));
    let frame =
        PeerFrame { cloud, group: GroupId(1), from: ReplicaId(from), to: ReplicaId(to), call: CallId(1), payload };
    PeerFrames { lane: Lane::Control, frames: vec![frame] }.into()
}

/// Sends one frame to vault 1; the answer's refusal, `None` where the stream is closed without one.
async fn send(world: &World, tls: &Tls, message: pb::PeerFrames) -> Result<Option<u32>, tonic::Status> {
    let mut client = PeerServiceClient::new(world.channel(tls, 1));
    // The stream stays open behind the frame.
    let frames = futures::StreamExt::chain(futures::stream::iter([message]), futures::stream::pending());
    let mut answers = client.exchange(frames).await?.into_inner();
    let answer = tokio::time::timeout(Duration::from_secs(10), answers.message()).await.expect("it answers or closes");
    Ok(answer?.and_then(|answer| answer.frames.into_iter().next()).and_then(|frame| frame.refused))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_vaults_of_the_group_reach_a_replica() {
    let world = World::of_three(&[]);
    // A member's frame reaches the replica, which finds it malformed.
    let member = world.identity(Role::Vault, "2");
    assert_eq!(send(&world, &member, frame(CLOUD, 2, 1)).await.unwrap(), Some(3));
    // In the name of another member, or of a stranger, or of another cloud: closed without an answer.
    assert_eq!(send(&world, &member, frame(CLOUD, 3, 1)).await.unwrap(), None);
    assert_eq!(send(&world, &member, frame(CloudId::from_bytes([9; 16]), 2, 1)).await.unwrap(), None);
    let stranger = world.identity(Role::Vault, "4");
    assert_eq!(send(&world, &stranger, frame(CLOUD, 4, 1)).await.unwrap(), None);
    assert_eq!(send(&world, &stranger, frame(CLOUD, 2, 1)).await.unwrap(), None);

    // A node is not even let onto the port, and gateways and operators are for other services on it.
    assert!(send(&world, &world.identity(Role::Node, "2"), frame(CLOUD, 2, 1)).await.is_err());
    for role in [Role::Gateway, Role::Operator] {
        let status = send(&world, &world.identity(role, "2"), frame(CLOUD, 2, 1)).await.unwrap_err();
        assert_eq!(Refusal::from_status(&status).unwrap().code, ErrorCode::RoleNotAllowed, "{role}");
    }
}
