//! What one registrar asks of another, beside Raft: while it is founded, and to compare states.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use renkei_ids::{CloudId, NodeId};
use renkei_peers::{AddressBook, HostStanding, Hosts};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::admin::{DigestReply, RegistrarStatus, ReplicaDigest};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, RegistrarAdminServiceClient, limits};
use tonic::Status;
use tonic::transport::Channel;

/// Registrars, insurers and key holders belong to no cloud.
pub(crate) const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
/// Longest time that comparing states takes.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of the other registrars. Clones share the addresses.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) tls: Tls,
    pub(crate) book: AddressBook,
}

/// A client of one registrar's admin service.
pub(crate) fn client(tls: &Tls, registrar: NodeId, address: &Address) -> RegistrarAdminServiceClient<Channel> {
    let name = Some(registrar.to_string().into());
    let expected = ExpectedPeer { cloud: NO_CLOUD, role: Role::Registrar, name };
    RegistrarAdminServiceClient::new(tls.channel(address, expected, Http2::CALLS))
        .max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES)
}

impl Remote {
    /// The digests that another registrar computed.
    pub(crate) async fn digests(&self, registrar: NodeId) -> Result<Vec<ReplicaDigest>, Status> {
        let mut client = self.client(registrar)?;
        let asked = client.digest(pb::RegistrarDigestRequest {});
        let reply = tokio::time::timeout(CALL_TIMEOUT, asked).await.map_err(|_| unreadable())??;
        DigestReply::try_from(reply.into_inner()).map(|reply| reply.digests).map_err(|_| unreadable())
    }

    fn client(&self, registrar: NodeId) -> Result<RegistrarAdminServiceClient<Channel>, Status> {
        let address = self.book.address(registrar).ok_or_else(unreadable)?;
        Ok(client(&self.tls, registrar, &address))
    }
}

impl Hosts for Remote {
    fn standing(&self, host: NodeId) -> BoxFuture<'_, Result<HostStanding, Status>> {
        let asked = async move {
            let reply = self.client(host)?.status(pb::RegistrarStatusRequest {}).await?.into_inner();
            let status = RegistrarStatus::try_from(reply).map_err(|_| unreadable())?;
            let RegistrarStatus { members, replica, begun, founded, keys_check, .. } = status;
            Ok(HostStanding { members, keys: Bytes::copy_from_slice(&keys_check), begun, founded, replica })
        };
        asked.boxed()
    }

    fn open_replica(&self, host: NodeId) -> BoxFuture<'_, Result<(), Status>> {
        let asked = async move {
            self.client(host)?.open_replica(pb::OpenRegistrarReplicaRequest {}).await?;
            Ok(())
        };
        asked.boxed()
    }
}

fn unreadable() -> Status {
    Refusal::new(ErrorCode::Unavailable).into()
}
