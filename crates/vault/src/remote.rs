//! What one vault asks of another, beside Raft: while the vault is founded, and to compare states. And what the command
//! `found` asks of the vault on its own host.

use std::time::Duration;

use renkei_ids::{CloudId, NodeId};
use renkei_peers::AddressBook;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::admin::{DigestReply, ReplicaDigest, VaultStatus};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, Refusal, VaultAdminServiceClient, limits};
use tonic::Status;
use tonic::transport::Channel;

/// Longest time that one call takes, beside the founding itself.
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
    pub(crate) async fn status(&self, vault: NodeId) -> Result<VaultStatus, Status> {
        let mut client = self.client(vault)?;
        let reply = in_time(client.status(pb::VaultStatusRequest {})).await?;
        VaultStatus::try_from(reply).map_err(|_| unreadable())
    }

    pub(crate) async fn open_replica(&self, vault: NodeId) -> Result<(), Status> {
        let mut client = self.client(vault)?;
        in_time(client.open_replica(pb::OpenVaultReplicaRequest {})).await.map(|pb::OpenVaultReplicaReply {}| ())
    }

    /// The digests that another vault computed.
    pub(crate) async fn digests(&self, vault: NodeId) -> Result<Vec<ReplicaDigest>, Status> {
        let mut client = self.client(vault)?;
        let reply = in_time(client.digest(pb::VaultDigestRequest {})).await?;
        DigestReply::try_from(reply).map(|reply| reply.digests).map_err(|_| unreadable())
    }

    fn client(&self, vault: NodeId) -> Result<VaultAdminServiceClient<Channel>, Status> {
        let address = self.book.address(vault).ok_or_else(unreadable)?;
        Ok(client(&self.tls, self.cloud, vault, &address))
    }
}

async fn in_time<T>(call: impl Future<Output = Result<tonic::Response<T>, Status>>) -> Result<T, Status> {
    let late = || Status::from(Refusal::new(ErrorCode::Unavailable));
    tokio::time::timeout(CALL_TIMEOUT, call).await.map_err(|_| late())?.map(tonic::Response::into_inner)
}

fn unreadable() -> Status {
    Refusal::new(ErrorCode::Unavailable).into()
}
