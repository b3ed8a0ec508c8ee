//! The vault, asked in batches: what many callers want at one moment is one call, and one entry of its log.

mod batches;
mod replicas;
mod rpc;

use std::time::Duration;

use renkei_ids::CloudId;
use renkei_runtime::{Address, Shell};
use renkei_wire::vault::{
    DeleteGrant, DeleteItem, InsecureOpening, OpenStubsReply, OpenStubsRequest, Opened, OpenedStub, PutGrant, PutItem,
    SealedStub, TicketOpening,
};
use renkei_wire::{ErrorCode, Refusal};

use crate::deadline::Deadline;
use crate::random::request_id;
use batches::Batches;
use replicas::Replicas;

/// How long the first item of a batch waits for others. A call takes the vault a disk sync, which is several times that.
const LINGER: Duration = Duration::from_millis(1);

/// The vault of the cloud. Clones share its queues.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    replicas: Replicas,
    #[cfg_attr(not(feature = "dev-insecure"), expect(dead_code, reason = "openings without a ticket are not built"))]
    openings: Batches<InsecureOpening, Opened>,
    tickets: Batches<TicketOpening, Opened>,
    puts: Batches<PutItem, PutGrant>,
    deletes: Batches<DeleteItem, DeleteGrant>,
}

impl Vault {
    /// The vault whose replicas listen at these addresses, in the order of their numbers.
    pub(crate) fn new(shell: &Shell, cloud: CloudId, addresses: &[Address]) -> Self {
        let replicas = Replicas::new(shell.tls(), cloud, addresses);
        let [open, tickets, put, delete] = [(); 4].map(|()| replicas.clone());
        Self {
            replicas,
            openings: Batches::start(shell, "openings", LINGER, move |items, deadline| {
                rpc::open(open.clone(), items, deadline)
            }),
            tickets: Batches::start(shell, "tickets", LINGER, move |items, deadline| {
                rpc::open_tickets(tickets.clone(), items, deadline)
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

    pub(crate) async fn open_ticket(&self, opening: TicketOpening, deadline: Deadline) -> Result<Opened, Refusal> {
        self.tickets.ask(opening, deadline).await
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
        let reply = rpc::persist(&self.replicas, deadline, |mut client, left| {
            let message = OpenStubsRequest { deadline: left, ..request.clone() };
            async move { client.open_stubs(renkei_wire::pb::vault::v1::OpenStubsRequest::from(message)).await }
        });
        let reply = reply.await?;
        match OpenStubsReply::try_from(reply) {
            Ok(OpenStubsReply(opened)) if opened.len() == asked => Ok(opened),
            _ => Err(Refusal::new(ErrorCode::Unavailable)),
        }
    }
}
