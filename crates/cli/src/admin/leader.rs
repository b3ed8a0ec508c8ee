//! Finds the node that leads the meta group, from any node, and asks it.

use std::time::{Duration, Instant};

use renkei_ids::NodeId;
use renkei_runtime::{Address, Role};
use renkei_wire::admin::PlacementReply;
use renkei_wire::pb::admin::v1::PlacementRequest;
use renkei_wire::{ErrorCode, NodeAdminServiceClient};
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::arguments::Endpoints;
use crate::call::answer;
use crate::connection::Caller;
use crate::failure::Failure;

/// Pause between two attempts, at least.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) type Client = NodeAdminServiceClient<Channel>;

/// The meta group, as one that is asked.
#[derive(Debug)]
pub(super) struct MetaLeader {
    caller: Caller,
    endpoints: Vec<Address>,
    /// Where the last answer came from.
    at: Address,
    wait: Duration,
}

impl MetaLeader {
    pub(super) fn new(endpoints: Endpoints) -> Result<Self, Failure> {
        let Endpoints { connection, endpoints, wait } = endpoints;
        let caller = connection.open()?;
        let endpoints = if endpoints.is_empty() { caller.endpoints.clone() } else { endpoints };
        let at = endpoints.first().cloned().ok_or(Failure::Missing { what: "a node", flag: "--endpoint" })?;
        Ok(Self { caller, endpoints, at, wait: Duration::from_secs(wait) })
    }

    /// Asks until there is an answer, or a refusal that no retry helps. A request of a plan is harmless twice: the
    /// second one finds the first under way.
    pub(super) async fn ask<M, T>(
        &mut self,
        call: impl AsyncFn(Client) -> Result<Response<M>, Status>,
    ) -> Result<T, Failure>
    where
        T: TryFrom<M>,
        T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let began = Instant::now();
        let mut turn = self.endpoints.clone().into_iter().cycle();
        loop {
            let client = NodeAdminServiceClient::new(self.caller.channel(&self.at, Role::Node));
            let failure = match answer(&self.at, call(client)).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let next = self.next(&failure, &mut turn).await;
            let Some(next) = next.filter(|_| began.elapsed() < self.wait) else { return Err(failure) };
            self.at = next;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn next(&self, failure: &Failure, turn: &mut impl Iterator<Item = Address>) -> Option<Address> {
        match failure {
            Failure::Refused { source, .. } if source.code == ErrorCode::NotLeader => match source.leader_node {
                Some(leader) => match self.address_of(leader).await {
                    Some(address) => Some(address),
                    None => turn.next(),
                },
                None => turn.next(),
            },
            // One that was added may not have heard of the cloud yet.
            Failure::Refused { source, .. } if source.code == ErrorCode::NotBootstrapped => turn.next(),
            Failure::Refused { source, .. } if passes(source.code) => Some(self.at.clone()),
            Failure::Unreachable { .. } | Failure::TimedOut { .. } => turn.next(),
            _ => None,
        }
    }

    /// Where a node is, as the one that was asked last knows.
    async fn address_of(&self, node: NodeId) -> Option<Address> {
        let mut client = NodeAdminServiceClient::new(self.caller.channel(&self.at, Role::Node));
        let asked = client.placement(PlacementRequest { stamp: 0, epoch: 0 });
        let reply: PlacementReply = answer(&self.at, asked).await.ok()?;
        reply.placement?.node(node)?.address.parse().ok()
    }
}

/// Whether the same request may be taken a little later. A plan under way is not waited for.
fn passes(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unavailable | ErrorCode::OutcomeUnknown | ErrorCode::Busy | ErrorCode::ShuttingDown)
}
