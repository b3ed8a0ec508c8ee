//! What one node asks of another, beside Raft: while a cloud is founded, and to compare states.

use renkei_ids::{CloudId, GroupId, NodeId};
use renkei_placement::Replica;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::admin::{
    BootstrapReply, BootstrapRequest, DigestReply, DigestRequest, NodeAt, OpenReplicaRequest, ReplicaDigest,
};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{NodeAdminServiceClient, limits};
use tonic::Status;
use tonic::transport::Channel;

/// A client of another node's admin service.
fn client(tls: &Tls, cloud: CloudId, node: NodeId, address: &Address) -> NodeAdminServiceClient<Channel> {
    let expected = ExpectedPeer { cloud, role: Role::Node, name: Some(node.to_string().into()) };
    NodeAdminServiceClient::new(tls.channel(address, expected, Http2::CALLS))
        .max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES)
}

/// Has another node open a replica.
pub(crate) async fn open_replica(
    tls: &Tls,
    cloud: CloudId,
    address: &Address,
    group: GroupId,
    replica: Replica,
    nodes: Vec<NodeAt>,
) -> Result<(), Status> {
    let request = OpenReplicaRequest { group, replica: replica.id, nodes };
    client(tls, cloud, replica.node, address).open_replica(pb::OpenReplicaRequest::from(request)).await?;
    Ok(())
}

/// Passes a bootstrap on to the node that leads the meta group.
pub(crate) async fn bootstrap(
    tls: &Tls,
    cloud: CloudId,
    node: NodeId,
    address: &Address,
    request: BootstrapRequest,
) -> Result<BootstrapReply, Status> {
    let reply = client(tls, cloud, node, address).bootstrap(pb::BootstrapRequest::from(request)).await?;
    BootstrapReply::try_from(reply.into_inner())
        .map_err(|_| renkei_wire::Refusal::new(renkei_wire::ErrorCode::Unavailable).into())
}

/// The digests that another node computed of its replicas of a group.
pub(crate) async fn digests(
    tls: &Tls,
    cloud: CloudId,
    node: NodeId,
    address: &Address,
    group: GroupId,
) -> Result<Vec<ReplicaDigest>, Status> {
    let request = pb::DigestRequest::from(DigestRequest { group });
    let reply = client(tls, cloud, node, address).digest(request).await?;
    DigestReply::try_from(reply.into_inner())
        .map(|reply| reply.digests)
        .map_err(|_| renkei_wire::Refusal::new(renkei_wire::ErrorCode::Unavailable).into())
}
