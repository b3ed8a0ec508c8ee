//! What a node answers clients: the way of a read and of a write, as the product goes it.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use renkei_consensus::{Engine, MembersError, ProposeError, Replica};
use renkei_ids::{NodeId, ReplicaId};
use tokio::time::{sleep, timeout};
use turmoil::net::{TcpListener, TcpStream};

use crate::event::Event;
use crate::frames::{self, Call, CallKind, Item, ItemKind, Reply, ReplyKind};
use crate::node::{self, Host};
use crate::proposer::Proposer;
use crate::{CLIENT_PORT, GROUP, machine, start};

const IDLE: Duration = Duration::from_secs(10);
/// How long a change of members may take.
const CHANGE_WITHIN: Duration = Duration::from_secs(5);
/// How long a machine may stand still between two steps of a request, rarely.
const STILL_MAX: Duration = Duration::from_millis(3_000);
const PACE_MAX: Duration = Duration::from_millis(3);

/// Takes calls until the machine stops.
pub(crate) async fn listen(host: Host, engine: Engine) -> io::Result<()> {
    let listener = TcpListener::bind((IpAddr::from(Ipv4Addr::UNSPECIFIED), CLIENT_PORT)).await?;
    let service = Service { host, engine, proposer: std::sync::Arc::default() };
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
        let world = &self.host.world;
        let hint = || replica.leader_hint().map(|(_, node)| node);
        let Some(under) = replica.leadership() else { return not_leader(hint()) };
        let read = matches!(item.kind(), ItemKind::Read | ItemKind::List);
        let found = if read { machine::find(&replica.view(), &item) } else { Ok(Vec::new()) };
        let Ok(found) = found else { return Reply::of(ReplyKind::Refused) };
        sleep(world.up_to(if world.one_in(50) { STILL_MAX } else { PACE_MAX })).await;
        match self.proposer(replica).record(under, item).await {
            Ok((reply, term, index)) => {
                world.record(Event::Answered { node: self.host.node, under: under.term, term, index });
                if read { Reply { found, ..Reply::of(ReplyKind::Found) } } else { reply }
            }
            Err(ProposeError::NotLeader { hint }) => not_leader(hint.map(|(_, node)| node)),
            Err(ProposeError::Overloaded | ProposeError::Stopped) => Reply::of(ReplyKind::Refused),
            Err(ProposeError::OutcomeUnknown) => Reply::of(ReplyKind::Unknown),
        }
    }

    fn proposer(&self, replica: &Replica) -> Proposer {
        let mut held = self.proposer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*held {
            Some((of, proposer)) if *of == replica.replica() => proposer.clone(),
            _ => {
                let (proposer, work) = Proposer::new(replica.clone());
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
