//! What one node asks of another while a cloud is founded.

use renkei_ids::{CloudId, GroupId, NodeId};
use renkei_placement::Replica;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::admin::{BootstrapReply, BootstrapRequest, NodeAt, OpenReplicaRequest};
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
pub(super) async fn open_replica(
    tls: &Tls,
    cloud: CloudId,
    address: &Address,
    group: GroupId,
    replica: Replica,
    nodes: Vec<NodeAt>,
) -> Result<(), Status> {
    let request = OpenReplicaRequest { group, replica: replica.id, nodes };
    client(tls, cloud, replica.node, address).open_replica(super::pb::OpenReplicaRequest::from(request)).await?;
    Ok(())
}

/// Passes a bootstrap on to the node that leads the meta group.
pub(super) async fn bootstrap(
    tls: &Tls,
    cloud: CloudId,
    node: NodeId,
    address: &Address,
    request: BootstrapRequest,
) -> Result<BootstrapReply, Status> {
    let reply = client(tls, cloud, node, address).bootstrap(super::pb::BootstrapRequest::from(request)).await?;
    BootstrapReply::try_from(reply.into_inner())
        .map_err(|_| renkei_wire::Refusal::new(renkei_wire::ErrorCode::Unavailable).into())
}
