//! The vault, asked in batches: what many callers want at one moment is one call, and one entry of its log.

mod batches;
mod rpc;

use std::time::Duration;

use renkei_ids::CloudId;
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Shell};
use renkei_wire::limits::VAULT_MESSAGE_MAX_BYTES;
use renkei_wire::vault::{
    DeleteGrant, DeleteItem, InsecureOpening, OpenStubsReply, OpenStubsRequest, Opened, OpenedStub, PutGrant, PutItem,
    SealedStub,
};
use renkei_wire::{ErrorCode, Refusal, VaultServiceClient};
use tonic::transport::Channel;

use crate::deadline::Deadline;
use crate::random::request_id;
use batches::Batches;

/// How long the first item of a batch waits for others. A call takes the vault a disk sync, which is several times that.
const LINGER: Duration = Duration::from_millis(1);

/// The vault of the cloud. Clones share its queues.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    client: VaultServiceClient<Channel>,
    #[cfg_attr(not(feature = "dev-insecure"), expect(dead_code, reason = "openings without a ticket are not built"))]
    openings: Batches<InsecureOpening, Opened>,
    puts: Batches<PutItem, PutGrant>,
    deletes: Batches<DeleteItem, DeleteGrant>,
}

impl Vault {
    pub(crate) fn new(shell: &Shell, cloud: CloudId, address: &Address) -> Self {
        let expected = ExpectedPeer { cloud, role: Role::Vault, name: None };
        let client = VaultServiceClient::new(shell.tls().channel(address, expected, Http2::CALLS))
            .max_decoding_message_size(VAULT_MESSAGE_MAX_BYTES)
            .max_encoding_message_size(VAULT_MESSAGE_MAX_BYTES);
        let (open, put, delete) = (client.clone(), client.clone(), client.clone());
        Self {
            client,
            openings: Batches::start(shell, "openings", LINGER, move |items, deadline| {
                rpc::open(open.clone(), items, deadline)
            }),
            puts: Batches::start(shell, "puts", LINGER, move |items, deadline| rpc::puts(put.clone(), items, deadline)),
            deletes: Batches::start(shell, "deletes", LINGER, move |items, deadline| {
                rpc::deletes(delete.clone(), items, deadline)
            }),
        }
    }

    #[cfg(feature = "dev-insecure")]
    pub(crate) async fn open(&self, opening: InsecureOpening, deadline: Deadline) -> Result<Opened, Refusal> {
        self.openings.ask(opening, deadline).await
    }

    pub(crate) async fn grant_put(&self, put: PutItem, deadline: Deadline) -> Result<PutGrant, Refusal> {
        self.puts.ask(put, deadline).await
    }

    pub(crate) async fn grant_delete(&self, delete: DeleteItem, deadline: Deadline) -> Result<DeleteGrant, Refusal> {
        self.deletes.ask(delete, deadline).await
    }

    /// One result for each stub, in their order; nothing where another institution caused it.
    pub(crate) async fn open_stubs(
        &self,
        opening: bytes::Bytes,
        stubs: Vec<SealedStub>,
        deadline: Deadline,
    ) -> Result<Vec<Option<OpenedStub>>, Refusal> {
        let asked = stubs.len();
        let request = OpenStubsRequest { request: request_id(), deadline: deadline.left()?, opening, stubs };
        let reply = rpc::persist(deadline, |left| {
            let (mut client, message) = (self.client.clone(), OpenStubsRequest { deadline: left, ..request.clone() });
            async move { client.open_stubs(renkei_wire::pb::vault::v1::OpenStubsRequest::from(message)).await }
        });
        let reply = reply.await?;
        match OpenStubsReply::try_from(reply) {
            Ok(OpenStubsReply(opened)) if opened.len() == asked => Ok(opened),
            _ => Err(Refusal::new(ErrorCode::Unavailable)),
        }
    }
}
