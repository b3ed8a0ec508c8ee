//! What a node answers clients: the way of a read and of a write, as the product goes it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use renkei_consensus::{Engine, MembersError, ProposeError, Replica};
use renkei_ids::{LeaderTerm, NodeId, ReplicaId};
use renkei_shard::read::{Admission, group_head};
use renkei_shard::{Recorded, Verdict};
use renkei_shard_state::ShardState;
use renkei_storage::state::View;
use tokio::time::{sleep, timeout};
use turmoil::net::{TcpListener, TcpStream};

use crate::event::Event;
use crate::frames::{self, Call, CallKind, Item, ItemKind, Reply, ReplyKind};
use crate::node::{self, Host};
use crate::patients::{self, Row};
use crate::proposer::{NodeClock, Proposer};
use crate::{CLIENT_PORT, GROUP, start};

const IDLE: Duration = Duration::from_secs(10);
/// How long a change of members may take.
const CHANGE_WITHIN: Duration = Duration::from_secs(5);
/// How long a machine may stand still between two steps of a request, rarely.
const STILL_MAX: Duration = Duration::from_millis(3_000);
const FOUND_EVERY: Duration = Duration::from_millis(100);
const PACE_MAX: Duration = Duration::from_millis(3);

/// Takes calls until the machine stops.
pub(crate) async fn listen(host: Host, engine: Engine) -> io::Result<()> {
    let listener = TcpListener::bind((IpAddr::from(Ipv4Addr::UNSPECIFIED), CLIENT_PORT)).await?;
    let service = Service { host, engine, proposer: std::sync::Arc::default() };
    start(service.clone().found());
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service.clone();
        start(async move { drop(service.serve(stream).await) });
    }
}

#[derive(Clone)]
struct Service {
    host: Host,
    engine: Engine,
    /// Of the replica that is open.
    proposer: std::sync::Arc<std::sync::Mutex<Option<(ReplicaId, Proposer)>>>,
}

impl Service {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        while let Some(call) = timeout(IDLE, frames::read::<Call, _>(&mut stream)).await?? {
            let reply = self.answer(&call).await;
            timeout(IDLE, frames::write(&mut stream, &reply)).await??;
        }
        Ok(())
    }

    async fn answer(&self, call: &Call) -> Reply {
        let within = CHANGE_WITHIN;
        let outcome = match (call.kind(), self.engine.replica(GROUP)) {
            (CallKind::Host, None) => {
                let hosted = node::host(&self.host, &self.engine, ReplicaId(call.replica)).await;
                return Reply::of(if hosted.is_ok() { ReplyKind::Done } else { ReplyKind::Refused });
            }
            (CallKind::Remove, _) => return self.remove(ReplicaId(call.replica)).await,
            (_, None) => return Reply::of(ReplyKind::NotLeader),
            (CallKind::Operate, Some(replica)) => {
                return match call.item {
                    Some(item) => self.operate(&replica, item).await,
                    None => Reply::of(ReplyKind::Refused),
                };
            }
            (CallKind::Members, Some(replica)) => return members(&replica),
            (CallKind::Host, Some(_)) => return Reply::of(ReplyKind::Refused),
            (CallKind::Transfer, Some(replica)) => replica.transfer_leader(ReplicaId(call.replica)).await,
            (CallKind::AddLearner, Some(replica)) => {
                replica.add_learner(ReplicaId(call.replica), NodeId(call.node), within).await
            }
            (CallKind::Change, Some(replica)) => {
                let voters: BTreeSet<_> = call.voters.iter().copied().map(ReplicaId).collect();
                replica.change_members(voters, within).await
            }
        };
        match outcome {
            Ok(()) => Reply::of(ReplyKind::Done),
            Err(MembersError::NotLeader { hint }) => not_leader(hint.map(|(_, node)| node)),
            Err(MembersError::Refused { .. } | MembersError::Overtaken | MembersError::Stopped) => {
                Reply::of(ReplyKind::Refused)
            }
            Err(MembersError::OutcomeUnknown | MembersError::NotCaughtUp(_)) => Reply::of(ReplyKind::Unknown),
        }
    }

    async fn remove(&self, replica: ReplicaId) -> Reply {
        let open = self.engine.replica(GROUP).is_some_and(|open| open.replica() == replica);
        if open {
            self.host.world.lock().replicas.remove(&self.host.node);
            *self.proposer.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
        }
        let removed = self.engine.remove(GROUP, replica).await;
        Reply::of(if removed.is_ok() { ReplyKind::Done } else { ReplyKind::Refused })
    }

    async fn operate(&self, replica: &Replica, item: Item) -> Reply {
        let Some(under) = replica.leadership() else { return self.elsewhere(replica) };
        let view = replica.view();
        let outcome = match item.kind() {
            ItemKind::Read | ItemKind::List => self.read(replica, under, &view, &item).await,
            ItemKind::Write | ItemKind::Delete => self.change(replica, under, &item).await,
        };
        match outcome {
            Ok(reply) => reply,
            Err(ProposeError::NotLeader { hint }) => not_leader(hint.map(|(_, node)| node)),
            Err(ProposeError::Overloaded | ProposeError::Stopped) => Reply::of(ReplyKind::Refused),
            Err(ProposeError::OutcomeUnknown) => Reply::of(ReplyKind::Unknown),
        }
    }

    /// Reads from one view; the answer waits for its row, in the leadership under which the view was taken.
    async fn read(
        &self,
        replica: &Replica,
        under: LeaderTerm,
        view: &View,
        item: &Item,
    ) -> Result<Reply, ProposeError> {
        let state = ShardState(view);
        let refused = Ok(Reply::of(ReplyKind::Refused));
        let now = self.clock().now();
        let Ok(Admission::Admitted(rules)) = patients::admit(&state, item.patient, now) else { return refused };
        let Ok(found) = patients::find(&state, item, &rules, now) else { return refused };
        self.stand_still().await;
        let note = patients::note(item, &rules, &found);
        let (verdict, term, index) = self.proposer(replica).record(under, note).await?;
        let Verdict::Recorded(row) = verdict else { return refused };
        self.answered(item, row, under, term, index);
        Ok(Reply { found, ..Reply::of(ReplyKind::Found) })
    }

    async fn change(&self, replica: &Replica, under: LeaderTerm, item: &Item) -> Result<Reply, ProposeError> {
        self.stand_still().await;
        let (verdict, term, index) = self.proposer(replica).record(under, patients::change(item)).await?;
        let (row, reply) = match verdict {
            Verdict::Stored { row, .. } | Verdict::Done { row, .. } => (row, Reply::of(ReplyKind::Done)),
            Verdict::VersionConflict { row, current } => (row, Reply { current, ..Reply::of(ReplyKind::Conflict) }),
            Verdict::Nothing(row) => (row, Reply::of(ReplyKind::Conflict)),
            Verdict::Deleted(row) => (row, Reply::of(ReplyKind::Deleted)),
            // Before the group is founded.
            Verdict::NotFounded | Verdict::WrongOwner { .. } => return Ok(Reply::of(ReplyKind::Refused)),
            other => {
                self.host.world.lock().violated("no failure", format!("{item:?} is judged {other:?}"));
                return Ok(Reply::of(ReplyKind::Refused));
            }
        };
        self.answered(item, row, under, term, index);
        Ok(reply)
    }

    /// An answer leaves.
    fn answered(&self, item: &Item, row: Recorded, under: LeaderTerm, term: u64, index: u64) {
        let mut world = self.host.world.lock();
        let Recorded { seq, leaf } = row;
        let request = patients::request(item.operation);
        world.rows.push(Row { patient: item.patient, seq: seq.0, leaf: leaf.0, request });
        world.record(Event::Answered { node: self.host.node, under: under.term, term, index });
    }

    /// Between two steps of a request a machine may do other things, rarely for long.
    async fn stand_still(&self) {
        let world = &self.host.world;
        let one_in = world.lock().plan().still_one_in;
        sleep(world.up_to(if world.one_in(one_in) { STILL_MAX } else { PACE_MAX })).await;
    }

    fn elsewhere(&self, replica: &Replica) -> Reply {
        not_leader(replica.leader_hint().map(|(_, node)| node))
    }

    fn clock(&self) -> NodeClock {
        NodeClock { node: self.host.node, world: self.host.world.clone() }
    }

    /// Has the group take its slots, where this node leads one that has none.
    async fn found(self) {
        loop {
            sleep(FOUND_EVERY).await;
            let Some(replica) = self.engine.replica(GROUP) else { continue };
            let Some(under) = replica.leadership() else { continue };
            let view = replica.view();
            if matches!(group_head(&ShardState(&view)), Ok(None)) {
                let log = self.host.world.below(u64::MAX);
                // Whatever comes of it, the next look tells.
                let _ = self.proposer(&replica).record(under, patients::found(log)).await;
            }
        }
    }

    fn proposer(&self, replica: &Replica) -> Proposer {
        let mut held = self.proposer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*held {
            Some((of, proposer)) if *of == replica.replica() => proposer.clone(),
            _ => {
                let (proposer, work) = Proposer::new(replica.clone(), self.clock());
                start(work);
                *held = Some((replica.replica(), proposer.clone()));
                proposer
            }
        }
    }
}

fn not_leader(hint: Option<NodeId>) -> Reply {
    Reply { leader: hint.map_or(0, |node| node.0), ..Reply::of(ReplyKind::NotLeader) }
}

fn members(replica: &Replica) -> Reply {
    let status = replica.status();
    Reply {
        leader: status.leader.map_or(0, |(_, node)| node.0),
        voters: status.members.voters.iter().map(|replica| replica.0).collect(),
        members: status.members.nodes.keys().map(|replica| replica.0).collect(),
        changing: status.members.changing,
        ..Reply::of(if replica.leadership().is_some() { ReplyKind::Done } else { ReplyKind::NotLeader })
    }
}
