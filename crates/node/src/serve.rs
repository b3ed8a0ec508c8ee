//! The way of a request: admit, decide from one view, record, answer.
//!
//! Invariant: no answer leaves before its audit row is committed, and each is made under one leadership: the view was
//! taken in it, and the row is proposed in it.

mod admission;
mod frames;
mod reads;
mod rpc;
pub(crate) mod verdicts;
mod writes;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_access::Capability;
use renkei_consensus::{Engine, Replica};
use renkei_ids::{Clock, GroupId, LeaderTerm, SlotEpoch};
use renkei_peers::Clocks;
use renkei_runtime::{Denials, PeerIdentity, Role};
use renkei_shard::{Access, Item, ItemKind};
use renkei_storage::DiskWatch;
use renkei_wire::{ErrorCode, GroupPlace, NodeReply, NodeRequest, Operation, PutBody, Refusal, RouteMap};

use crate::capabilities::Capabilities;
use crate::founding::Hosted;
use crate::metrics::Metrics;
use crate::proposer::{Proposer, Recorded};
use crate::routes::Routes;

pub(crate) use admission::{Admission, Held};
pub(crate) use rpc::Records;

/// How long a request waits for this node to hear of the slot map that its caller goes by.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// What serving a request needs. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) hosted: Hosted,
    pub(crate) routes: Routes,
    pub(crate) capabilities: Capabilities,
    pub(crate) admission: Admission,
    pub(crate) disk: Arc<DiskWatch>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) clocks: Clocks,
    pub(crate) denials: Denials,
    pub(crate) metrics: Metrics,
}

/// An answer, the document that follows it in pieces, if one does, and the room that both take until they are sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) reply: NodeReply,
    pub(crate) body: Option<Bytes>,
    pub(crate) held: Vec<Held>,
}

/// A group that this node leads: its replica here, the way into its log, and the leadership.
pub(crate) struct Led {
    pub(crate) replica: Replica,
    pub(crate) proposer: Proposer,
    pub(crate) under: LeaderTerm,
}

/// A request that was let in: whose patient it is about, and the leadership it is served under.
struct Case {
    capability: Arc<Capability>,
    led: Led,
    request: renkei_ids::RequestId,
    actor: Bytes,
    proposed: Proposed,
}

/// Whether a request has come so far that nobody can say any more that it took no effect.
#[derive(Clone, Debug, Default)]
struct Proposed(Arc<AtomicBool>);

impl Proposed {
    fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// What its caller is told when the deadline passes.
    fn out_of_time(&self) -> Refusal {
        let proposed = self.0.load(Ordering::Relaxed);
        Refusal::new(if proposed { ErrorCode::OutcomeUnknown } else { ErrorCode::DeadlineExceeded })
    }
}

impl Server {
    /// Serves one request of a gateway, within its deadline. `body` is the document of a put that came in pieces.
    pub(crate) async fn serve(
        &self,
        caller: &PeerIdentity,
        request: NodeRequest,
        body: Option<Bytes>,
    ) -> Result<Answer, Refusal> {
        let (name, deadline) = (operation_name(&request.operation), request.deadline);
        let began = Instant::now();
        let proposed = Proposed::default();
        let served = tokio::time::timeout(deadline, self.serve_in_time(caller, request, body, &proposed)).await;
        let outcome = served.unwrap_or_else(|_| Err(proposed.out_of_time()));
        self.metrics.request_seconds.with_label_values(&[name]).observe(began.elapsed().as_secs_f64());
        outcome.inspect_err(|refusal| {
            self.metrics.refusals.with_label_values(&[refusal.code.name()]).inc();
            if is_denial(refusal.code) {
                self.denials.note(caller, refusal.code.name());
            }
        })
    }

    async fn serve_in_time(
        &self,
        caller: &PeerIdentity,
        request: NodeRequest,
        body: Option<Bytes>,
        proposed: &Proposed,
    ) -> Result<Answer, Refusal> {
        let NodeRequest { request, deadline: _, slot_epoch, capability, actor, operation } = request;
        // Before anything is computed: a request that is not answered yet takes room, whatever it will have found.
        let _underway = self.admission.admit(0)?;
        if caller.role != Role::Gateway {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        // Before anything is judged by it.
        if !self.clocks.in_line() {
            return Err(Refusal::new(ErrorCode::ClockOff));
        }
        let capability = self.capabilities.check(&capability).map_err(verdicts::invalid_capability)?;
        let needed = needed(&operation);
        capability.admits(&caller.key_hash, self.clock.now(), needed).map_err(verdicts::not_admitted)?;
        self.catch_up(slot_epoch).await?;
        let case = Case { proposed: proposed.clone(), ..self.case(capability, request, actor)? };
        match operation {
            Operation::Get(get) => self.get(case, get).await,
            Operation::Timeline(timeline) => self.timeline(case, timeline).await,
            Operation::ListAudit(list) => self.list_audit(case, list).await,
            Operation::Put(mut put) => {
                if let Some(body) = body {
                    put.body = PutBody::Whole(body);
                }
                self.put(case, put).await
            }
            Operation::Delete(delete) => self.delete(case, delete).await,
            Operation::SetRules(rules) => self.set_rules(case, rules).await,
            Operation::Revoke(revoke) => self.revoke(case, revoke).await,
        }
    }

    /// A caller may know a newer slot map than this node, which hears of it in a moment. By an older one it would send
    /// the caller back to where it comes from.
    async fn catch_up(&self, epoch: SlotEpoch) -> Result<(), Refusal> {
        let known = self.routes.epoch();
        // Before the founding there is nothing to wait for.
        if epoch <= known || known == SlotEpoch(0) {
            return Ok(());
        }
        let mut changes = self.routes.subscribe();
        let newer = changes.wait_for(|known| epoch <= *known);
        let caught_up = tokio::time::timeout(CATCH_UP_MAX, newer).await.is_ok_and(|newer| newer.is_ok());
        if caught_up { Ok(()) } else { Err(Refusal::new(ErrorCode::Busy).at_epoch(self.routes.epoch())) }
    }

    /// Finds the patient's group, and this node's leadership of it.
    fn case(&self, capability: Arc<Capability>, request: renkei_ids::RequestId, actor: Bytes) -> Result<Case, Refusal> {
        let group = self.routes.group_of(capability.pid.slot()).ok_or(Refusal::new(ErrorCode::NotBootstrapped))?;
        Ok(Case { capability, led: self.lead(group)?, request, actor, proposed: Proposed::default() })
    }

    /// This node's leadership of a group.
    pub(crate) fn lead(&self, group: GroupId) -> Result<Led, Refusal> {
        let elsewhere = |leader| self.not_leader(leader);
        let Some(replica) = self.engine.replica(group) else {
            return Err(elsewhere(self.routes.first_node(group)));
        };
        let hint = || replica.leader_hint().map(|(_, node)| node);
        let under = replica.leadership().ok_or_else(|| elsewhere(hint()))?;
        let proposer = self.hosted.proposer(group).ok_or_else(|| elsewhere(hint()))?;
        Ok(Led { replica, proposer, under })
    }

    /// The newest map, with the leaders that this node knows; an empty one for a caller who has it.
    pub(crate) fn slot_map(&self, known_epoch: u64) -> Result<renkei_wire::pb::node::v1::SlotMap, Refusal> {
        let placement = self.routes.current();
        let (epoch, slots) = placement.slots().ok_or(Refusal::new(ErrorCode::NotBootstrapped))?;
        if epoch.0 == known_epoch {
            return Ok(renkei_wire::pb::node::v1::SlotMap { epoch: epoch.0, ..Default::default() });
        }
        let leader = |group| self.engine.replica(group).and_then(|replica| replica.leader_hint());
        let groups = placement.groups().filter(|(id, _)| *id != GroupId::META).map(|(id, group)| GroupPlace {
            group: id,
            replicas: group.replicas.iter().map(|replica| (replica.id, replica.node)).collect(),
            leader: leader(id).map(|(_, node)| node),
        });
        let address = |node: &renkei_placement::Node| node.address.parse();
        let nodes = placement.nodes().map(|(id, node)| address(node).map(|address| (id, address)));
        let map = RouteMap {
            epoch,
            slots: slots.clone(),
            groups: groups.collect(),
            nodes: nodes.collect::<Result<_, _>>().map_err(|_| Refusal::new(ErrorCode::InternalIo))?,
        };
        Ok(map.into())
    }

    fn not_leader(&self, leader: Option<renkei_ids::NodeId>) -> Refusal {
        let refusal = Refusal::new(ErrorCode::NotLeader).at_epoch(self.routes.epoch());
        match leader.filter(|node| *node != self.engine.node()) {
            Some(node) => refusal.led_by(node),
            None => refusal,
        }
    }
}

impl Case {
    /// Has something decided about the patient, in the leadership of this case.
    async fn record(&self, kind: ItemKind) -> Result<Recorded, Refusal> {
        let capability = &self.capability;
        let access = Access {
            capability: capability.id,
            pid: capability.pid,
            institution: capability.institution,
            scope: capability.scope,
            expires: capability.expires,
            request: self.request,
            stub: capability.stub.clone(),
            actor: self.actor.clone(),
            salt: salt()?,
        };
        let item = Item::Patient { access, kind }.encode();
        self.proposed.note();
        Ok(self.led.proposer.record(self.led.under, item).await)
    }
}

fn salt() -> Result<[u8; renkei_merkle::SALT_BYTES], Refusal> {
    let mut salt = [0; renkei_merkle::SALT_BYTES];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| Refusal::new(ErrorCode::InternalIo))?;
    Ok(salt)
}

/// Whether a refusal is a denial: about who asks and with what, not about the state of the system.
fn is_denial(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CapabilityInvalid
            | ErrorCode::CapabilityExpired
            | ErrorCode::CapabilityOtherGateway
            | ErrorCode::CapabilityNotYetValid
            | ErrorCode::CapabilityScope
            | ErrorCode::CapabilityRevoked
            | ErrorCode::RoleNotAllowed
            | ErrorCode::CloudMismatch
    )
}

fn operation_name(operation: &Operation) -> &'static str {
    match operation {
        Operation::Get(_) => "get",
        Operation::Timeline(_) => "timeline",
        Operation::Put(_) => "put",
        Operation::Delete(_) => "delete",
        Operation::SetRules(_) => "set_rules",
        Operation::Revoke(_) => "revoke",
        Operation::ListAudit(_) => "list_audit",
    }
}

fn needed(operation: &Operation) -> renkei_access::Scope {
    use renkei_shard::Operation as Does;
    match operation {
        Operation::Get(_) => Does::Get,
        Operation::Timeline(_) => Does::Timeline,
        Operation::Put(_) => Does::Put,
        Operation::Delete(_) => Does::Delete,
        Operation::SetRules(_) => Does::SetRules,
        Operation::Revoke(_) => Does::Revoke,
        Operation::ListAudit(_) => Does::ListAudit,
    }
    .needed()
}
