//! What one vault asks of another, beside Raft: while the vault is founded, and to compare states.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use renkei_ids::{CloudId, NodeId};
use renkei_peers::{AddressBook, HostStanding, Hosts};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::admin::{DigestReply, ReplicaDigest, VaultStatus};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, VaultAdminServiceClient, limits};
use tonic::Status;
use tonic::transport::Channel;

use crate::founding::compared;

/// Longest time that comparing states takes.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// A client of the other vaults. Clones share the addresses.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) tls: Tls,
    pub(crate) cloud: CloudId,
    pub(crate) book: AddressBook,
}

/// A client of one vault's admin service.
pub(crate) fn client(tls: &Tls, cloud: CloudId, vault: NodeId, address: &Address) -> VaultAdminServiceClient<Channel> {
    let expected = ExpectedPeer { cloud, role: Role::Vault, name: Some(vault.to_string().into()) };
    VaultAdminServiceClient::new(tls.channel(address, expected, Http2::CALLS))
        .max_decoding_message_size(limits::ADMIN_MESSAGE_MAX_BYTES)
}

impl Remote {
    /// The digests that another vault computed.
    pub(crate) async fn digests(&self, vault: NodeId) -> Result<Vec<ReplicaDigest>, Status> {
        let mut client = self.client(vault)?;
        let asked = client.digest(pb::VaultDigestRequest {});
        let reply = tokio::time::timeout(CALL_TIMEOUT, asked).await.map_err(|_| unreadable())??;
        DigestReply::try_from(reply.into_inner()).map(|reply| reply.digests).map_err(|_| unreadable())
    }

    fn client(&self, vault: NodeId) -> Result<VaultAdminServiceClient<Channel>, Status> {
        let address = self.book.address(vault).ok_or_else(unreadable)?;
        Ok(client(&self.tls, self.cloud, vault, &address))
    }
}

impl Hosts for Remote {
    fn standing(&self, host: NodeId) -> BoxFuture<'_, Result<HostStanding, Status>> {
        let asked = async move {
            let reply = self.client(host)?.status(pb::VaultStatusRequest {}).await?.into_inner();
            let status = VaultStatus::try_from(reply).map_err(|_| unreadable())?;
            let VaultStatus { members, replica, begun, founded, signing_key, key_epoch, .. } = status;
            Ok(HostStanding { members, keys: compared(&signing_key, key_epoch), begun, founded, replica })
        };
        asked.boxed()
    }

    fn open_replica(&self, host: NodeId) -> BoxFuture<'_, Result<(), Status>> {
        let asked = async move {
            self.client(host)?.open_replica(pb::OpenVaultReplicaRequest {}).await?;
            Ok(())
        };
        asked.boxed()
    }
}

fn unreadable() -> Status {
    Refusal::new(ErrorCode::Unavailable).into()
}
