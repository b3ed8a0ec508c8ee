//! A client that asks one thing after the other, follows the advice that it is given, and remembers what it saw.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use renkei_ids::NodeId;
use renkei_testkit::{Operation, PatientAnswer, PatientOperation, Stored};
use tokio::time::{Instant, sleep, timeout};
use turmoil::net::TcpStream;

use crate::event::Event;
use crate::frames::{self, Call, CallKind, FoundRecord, Item, ItemKind, Reply, ReplyKind};
use crate::world::{Phase, SharedWorld};
use crate::{CLIENT_PORT, host_name};

const CONNECT: Duration = Duration::from_millis(300);
/// A call without an answer for so long has an unknown outcome.
const ANSWER: Duration = Duration::from_millis(5_000);
/// An operation that is refused for so long is not tried again.
const PATIENCE: Duration = Duration::from_secs(8);
const RECORDS: u64 = 4;

/// A connection to one node at a time.
pub(crate) struct Caller {
    nodes: u32,
    at: NodeId,
    stream: Option<TcpStream>,
    world: SharedWorld,
}

/// What became of a call.
pub(crate) enum Called {
    Answered(Reply),
    /// Certainly without effect.
    NotSent,
    Unknown,
}

impl Caller {
    pub(crate) fn new(nodes: u32, world: SharedWorld) -> Self {
        Self { nodes, at: NodeId(1), stream: None, world }
    }

    /// Goes on with the node that is said to lead, or with another one.
    pub(crate) fn turn_to(&mut self, leader: u32) {
        let next = if leader == 0 { 1 + self.world.below(u64::from(self.nodes)) } else { u64::from(leader) };
        self.go_to(NodeId(u32::try_from(next).unwrap_or(1)));
    }

    pub(crate) fn go_to(&mut self, node: NodeId) {
        if self.at != node {
            self.at = node;
            self.stream = None;
        }
    }

    pub(crate) async fn call(&mut self, call: &Call) -> Called {
        if self.stream.is_none() {
            match timeout(CONNECT, TcpStream::connect((host_name(self.at), CLIENT_PORT))).await {
                Ok(Ok(stream)) => self.stream = Some(stream),
                Ok(Err(_)) | Err(_) => return Called::NotSent,
            }
        }
        let Some(stream) = &mut self.stream else { return Called::NotSent };
        match timeout(ANSWER, exchange(stream, call)).await {
            Ok(Ok(Some(reply))) => Called::Answered(reply),
            _ => {
                self.stream = None;
                Called::Unknown
            }
        }
    }
}

async fn exchange(stream: &mut TcpStream, call: &Call) -> io::Result<Option<Reply>> {
    frames::write(stream, call).await?;
    frames::read(stream).await
}

/// Asks until the chaos is over, and in the end reads everything once more.
pub(crate) async fn run(client: u32, nodes: u32, world: SharedWorld) -> turmoil::Result {
    let mut caller = Caller::new(nodes, world.clone());
    let mut versions = BTreeMap::new();
    loop {
        match world.phase() {
            Phase::Chaos => {
                let item = draw(&world, &versions);
                operate(client, &mut caller, item, &mut versions).await;
                sleep(world.up_to(Duration::from_millis(40))).await;
            }
            Phase::Healing => sleep(Duration::from_millis(20)).await,
            Phase::Reading => break,
            Phase::Over => return Ok(()),
        }
    }
    let patients = world.lock().plan().patients;
    for patient in (0..patients).filter(|patient| patient % world.lock().plan().clients == client) {
        let item = Item { kind: ItemKind::List.into(), patient, ..Item::default() };
        operate(client, &mut caller, item, &mut versions).await;
    }
    Ok(())
}

type Versions = BTreeMap<(u32, u32), u32>;

fn draw(world: &SharedWorld, versions: &Versions) -> Item {
    let patients = u64::from(world.lock().plan().patients);
    let number = |below| u32::try_from(world.below(below)).unwrap_or(0);
    let (patient, record) = (number(patients), number(RECORDS));
    let known = versions.get(&(patient, record)).copied().unwrap_or(0);
    let kind = match world.below(100) {
        0..45 => ItemKind::Write,
        // Only what is there is deleted.
        45 if known > 0 => ItemKind::Delete,
        45..85 => ItemKind::Read,
        _ => ItemKind::List,
    };
    let content = if kind == ItemKind::Write {
        let mut world = world.lock();
        world.last_content += 1;
        world.last_content
    } else {
        0
    };
    Item { kind: kind.into(), patient, record, expected: known, content, operation: 0 }
}

async fn operate(client: u32, caller: &mut Caller, item: Item, versions: &mut Versions) {
    let world = caller.world.clone();
    let number = {
        let mut world = world.lock();
        world.counts.operations += 1;
        world.counts.operations
    };
    let item = Item { operation: number, ..item };
    let call = Call { kind: CallKind::Operate.into(), item: Some(item), ..Call::default() };
    let called = world.record(Event::Called { client, operation: number });
    let until = Instant::now() + PATIENCE;
    // Whether it may have been done without an answer; then it is asked again, under the same key.
    let mut perhaps = false;
    let outcome = loop {
        match caller.call(&call).await {
            Called::Answered(reply) => match reply.kind() {
                ReplyKind::NotLeader => caller.turn_to(reply.leader),
                ReplyKind::Refused => caller.turn_to(0),
                ReplyKind::Unknown => {
                    perhaps = true;
                    caller.turn_to(0);
                }
                ReplyKind::Done | ReplyKind::Conflict | ReplyKind::Deleted | ReplyKind::Found => break Some(reply),
            },
            Called::NotSent => caller.turn_to(0),
            Called::Unknown => {
                perhaps = true;
                caller.turn_to(0);
            }
        }
        if Instant::now() > until && perhaps {
            break None;
        }
        if Instant::now() > until {
            // Everything up to here was refused, so nothing was done.
            world.record(Event::Returned { client, operation: number, known: false });
            return;
        }
        sleep(world.up_to(Duration::from_millis(30))).await;
    };
    let known = outcome.is_some();
    let returned = world.record(Event::Returned { client, operation: number, known });
    let answered = outcome.and_then(|reply| Some((answer(&item, &reply, versions)?, returned)));
    let read = matches!(item.kind(), ItemKind::Read | ItemKind::List);
    let mut world = world.lock();
    if answered.is_some() {
        world.counts.answered += 1;
    } else {
        world.counts.unknown += 1;
    }
    // A read without an answer tells nothing and did nothing.
    if answered.is_some() || !read {
        let history = world.histories.entry(item.patient).or_default();
        history.push(Operation { asked: asked(&item), called, answered });
    }
}

fn asked(item: &Item) -> PatientOperation {
    let &Item { record, expected, content, .. } = item;
    match item.kind() {
        ItemKind::Write => PatientOperation::Write { record, expected, content },
        ItemKind::Delete => PatientOperation::Delete { record, expected },
        ItemKind::Read => PatientOperation::Read { record },
        ItemKind::List => PatientOperation::List,
    }
}

/// What a reply says, and what it teaches about versions.
fn answer(item: &Item, reply: &Reply, versions: &mut Versions) -> Option<PatientAnswer> {
    let stored = |found: &FoundRecord| Stored { version: found.version, content: found.content };
    let place = (item.patient, item.record);
    Some(match (reply.kind(), item.kind()) {
        (ReplyKind::Done, ItemKind::Write) => {
            versions.insert(place, item.expected + 1);
            PatientAnswer::Done
        }
        (ReplyKind::Done, _) => PatientAnswer::Done,
        (ReplyKind::Conflict, _) => {
            versions.insert(place, reply.current);
            PatientAnswer::Conflict { current: reply.current }
        }
        (ReplyKind::Deleted, _) => PatientAnswer::Deleted,
        (ReplyKind::Found, ItemKind::List) => {
            versions.extend(reply.found.iter().map(|found| ((item.patient, found.record), found.version)));
            PatientAnswer::Listed(reply.found.iter().map(|found| (found.record, stored(found))).collect())
        }
        (ReplyKind::Found, _) => {
            versions.extend(reply.found.first().map(|found| (place, found.version)));
            PatientAnswer::Found(reply.found.first().map(stored))
        }
        (ReplyKind::NotLeader | ReplyKind::Refused | ReplyKind::Unknown, _) => return None,
    })
}
