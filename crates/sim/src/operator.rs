//! The operator: hands leadership over, adds replicas, replaces and removes them, all under faults.

use std::time::Duration;

use renkei_ids::{NodeId, ReplicaId};
use tokio::time::sleep;

use crate::client::{Called, Caller};
use crate::event::Event;
use crate::frames::{Call, CallKind, Reply, ReplyKind};
use crate::world::{Phase, SharedWorld};

const PAUSE: Duration = Duration::from_millis(200);
/// Tries of one step before the operator leaves it and looks anew.
const TRIES: u32 = 60;

/// Works until the chaos is over; then finishes a change that it has begun.
pub(crate) async fn run(nodes: u32, voters: u32, world: SharedWorld) -> turmoil::Result {
    let (membership, pause) = {
        let world = world.lock();
        (world.plan().membership, world.plan().operator_pause)
    };
    let mut operator = Operator { caller: Caller::new(nodes, world.clone()), world: world.clone() };
    // Which replica each node hosts, 0 for none.
    let mut hosted: Vec<u64> = (1..=nodes).map(|node| if node <= voters { u64::from(node) } else { 0 }).collect();
    let mut next_replica = 100;
    while world.phase() == Phase::Chaos {
        sleep(world.up_to(pause)).await;
        if membership && world.one_in(2) {
            operator.replace(&mut hosted, next_replica).await;
            next_replica += 1;
        } else {
            operator.transfer(&hosted).await;
        }
    }
    Ok(())
}

struct Operator {
    caller: Caller,
    world: SharedWorld,
}

impl Operator {
    async fn transfer(&mut self, hosted: &[u64]) {
        let to = hosted[usize::try_from(self.world.below(hosted.len() as u64)).unwrap_or(0)];
        let call = Call { kind: CallKind::Transfer.into(), replica: to, ..Call::default() };
        if to != 0 && self.ask_leader(&call, 5).await.is_some() {
            self.world.record(Event::Fault(format!("leadership is to go to replica {to}")));
            self.world.lock().counts.transfers += 1;
        }
    }

    /// A new replica on the free node takes the place of another one.
    async fn replace(&mut self, hosted: &mut [u64], replica: u64) {
        let Some(free) = hosted.iter().position(|hosted| *hosted == 0) else { return };
        let leaving = usize::try_from(self.world.below(hosted.len() as u64)).unwrap_or(0);
        if leaving == free {
            return;
        }
        let node = u32::try_from(free).unwrap_or(0) + 1;
        self.world.record(Event::Fault(format!("replica {replica} on node {node} replaces {}", hosted[leaving])));
        let host = Call { kind: CallKind::Host.into(), replica, ..Call::default() };
        if !self.tell(NodeId(node), &host).await {
            return;
        }
        hosted[free] = replica;
        let learner = Call { kind: CallKind::AddLearner.into(), replica, node, ..Call::default() };
        let mut voters: Vec<u64> = hosted.iter().copied().filter(|hosted| *hosted != 0).collect();
        voters.retain(|voter| *voter != hosted[leaving]);
        let change = Call { kind: CallKind::Change.into(), voters: voters.clone(), ..Call::default() };
        for _ in 0..TRIES {
            if self.world.phase() == Phase::Over {
                return;
            }
            let is_member = self.members().await.is_some_and(|reply| reply.members.contains(&replica));
            if is_member || self.ask_leader(&learner, 1).await.is_some() {
                let _ = self.ask_leader(&change, 1).await;
            }
            if let Some(reply) = self.members().await
                && !reply.changing
                && sorted(&reply.voters) == sorted(&voters)
            {
                self.world.lock().counts.replaced += 1;
                let gone = Call { kind: CallKind::Remove.into(), replica: hosted[leaving], ..Call::default() };
                let from = u32::try_from(leaving).unwrap_or(0) + 1;
                if self.tell(NodeId(from), &gone).await {
                    hosted[leaving] = 0;
                }
                return;
            }
            sleep(PAUSE).await;
        }
    }

    /// What the leader says of the members.
    async fn members(&mut self) -> Option<Reply> {
        self.ask_leader(&Call { kind: CallKind::Members.into(), ..Call::default() }, 5).await
    }

    async fn ask_leader(&mut self, call: &Call, tries: u32) -> Option<Reply> {
        for _ in 0..tries.max(1) * 4 {
            match self.caller.call(call).await {
                Called::Answered(reply) => match reply.kind() {
                    ReplyKind::Done => return Some(reply),
                    ReplyKind::NotLeader => self.caller.turn_to(reply.leader),
                    ReplyKind::Refused | ReplyKind::Unknown => return None,
                    ReplyKind::Conflict | ReplyKind::Deleted | ReplyKind::Found => return None,
                },
                Called::NotSent | Called::Unknown => self.caller.turn_to(0),
            }
            sleep(PAUSE).await;
        }
        None
    }

    async fn tell(&mut self, node: NodeId, call: &Call) -> bool {
        for _ in 0..TRIES {
            self.caller.go_to(node);
            match self.caller.call(call).await {
                Called::Answered(reply) if reply.kind() == ReplyKind::Done => return true,
                // What was asked may have been done although nobody heard.
                Called::Answered(_) if self.is_hosted(node, call) => return true,
                Called::Answered(_) | Called::NotSent | Called::Unknown => sleep(PAUSE).await,
            }
        }
        false
    }

    fn is_hosted(&self, node: NodeId, call: &Call) -> bool {
        let hosts = self.world.lock().replicas.get(&node).is_some_and(|open| open.replica() == ReplicaId(call.replica));
        call.kind() == CallKind::Host && hosts
    }
}

fn sorted(ids: &[u64]) -> Vec<u64> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}
