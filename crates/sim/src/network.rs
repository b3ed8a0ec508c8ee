//! Raft frames over simulated TCP: a connection for each peer and lane.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use renkei_consensus::{Address, Engine, Lane, PeerTransport, TransportError};
use renkei_ids::{NodeId, ReplicaId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, timeout};
use turmoil::net::tcp::OwnedReadHalf;
use turmoil::net::{TcpListener, TcpStream};

use crate::event::Event;
use crate::frames::{self, PeerFrame, PeerKind};
use crate::world::SharedWorld;
use crate::{GROUP, PEER_PORT, host_name, start};

/// A connection over which nothing comes for so long, while something is asked, is given up.
const STALL: Duration = Duration::from_millis(1_000);
const PING_EVERY: Duration = Duration::from_millis(250);
/// A peer that asks nothing for so long has gone.
const IDLE: Duration = Duration::from_secs(10);

type Answer = Result<Bytes, TransportError>;

struct Outgoing {
    frame: PeerFrame,
    answer: oneshot::Sender<Answer>,
}

/// The way from one node to the others.
pub(crate) struct Transport {
    from: NodeId,
    world: SharedWorld,
    links: Mutex<BTreeMap<(NodeId, u32), mpsc::UnboundedSender<Outgoing>>>,
}

impl Transport {
    pub(crate) fn new(from: NodeId, world: SharedWorld) -> Self {
        Self { from, world, links: Mutex::default() }
    }

    fn send(&self, to: NodeId, lane: u32, outgoing: Outgoing) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let link = links.entry((to, lane)).or_insert_with(|| {
            let (link, waiting) = mpsc::unbounded_channel();
            start(carry(to, waiting));
            link
        });
        // The task ends with its sender, which is here.
        let _ = link.send(outgoing);
    }
}

impl PeerTransport for Transport {
    fn request(
        &self,
        to: Address,
        lane: Lane,
        body: Bytes,
        ttl: Duration,
    ) -> BoxFuture<'static, Result<Bytes, TransportError>> {
        let number = lane_number(lane);
        self.world.record(Event::Sent { from: self.from, to: to.to_node, lane: number, bytes: body.len() });
        let (answer, answered) = oneshot::channel();
        let frame = PeerFrame {
            kind: PeerKind::Request.into(),
            number: 0,
            lane: number,
            from: to.from.0,
            to: to.to.0,
            body,
            code: 0,
        };
        self.send(to.to_node, number, Outgoing { frame, answer });
        async move {
            match timeout(ttl, answered).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(TransportError::Unreachable),
                Err(_) => Err(TransportError::TimedOut),
            }
        }
        .boxed()
    }
}

fn lane_number(lane: Lane) -> u32 {
    match lane {
        Lane::Append => 0,
        Lane::Control => 1,
        Lane::Snapshot => 2,
    }
}

fn lane_of(number: u32) -> Lane {
    match number {
        0 => Lane::Append,
        1 => Lane::Control,
        _ => Lane::Snapshot,
    }
}

/// Connects when there is something to carry, and again after each loss.
async fn carry(to: NodeId, mut waiting: mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(first) = waiting.recv().await {
        match timeout(STALL, TcpStream::connect((host_name(to), PEER_PORT))).await {
            // What is open or waiting when the connection is lost is dropped, which its askers take for unreachable.
            Ok(Ok(stream)) => drop(carry_over(stream, first, &mut waiting).await),
            Ok(Err(_)) | Err(_) => while waiting.try_recv().is_ok() {},
        }
    }
}

async fn carry_over(
    stream: TcpStream,
    first: Outgoing,
    waiting: &mut mpsc::UnboundedReceiver<Outgoing>,
) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let (incoming, mut answers) = mpsc::unbounded_channel();
    let reading = Reading(start(read_answers(reader, incoming)));
    let mut open = BTreeMap::new();
    let mut number = 0_u64;
    let mut heard = Instant::now();
    let mut pings = interval(PING_EVERY);
    let mut next = Some(first);
    loop {
        if let Some(Outgoing { mut frame, answer }) = next.take() {
            number += 1;
            frame.number = number;
            if open.is_empty() {
                heard = Instant::now();
            }
            open.insert(number, answer);
            timeout(STALL, frames::write(&mut writer, &frame)).await??;
        }
        tokio::select! {
            biased;
            outgoing = waiting.recv() => match outgoing {
                Some(outgoing) => next = Some(outgoing),
                None => break,
            },
            frame = answers.recv() => {
                let Some(frame) = frame else { break };
                heard = Instant::now();
                settle(&mut open, frame);
            }
            _ = pings.tick(), if !open.is_empty() => {
                if heard.elapsed() > STALL {
                    break;
                }
                let ping = PeerFrame { kind: PeerKind::Ping.into(), ..PeerFrame::default() };
                timeout(STALL, frames::write(&mut writer, &ping)).await??;
            }
        }
    }
    drop(reading);
    Ok(())
}

fn settle(open: &mut BTreeMap<u64, oneshot::Sender<Answer>>, frame: PeerFrame) {
    let answer = match frame.kind() {
        PeerKind::Answer => Ok(frame.body),
        PeerKind::Refusal => Err(TransportError::Refused(frame.code)),
        PeerKind::Request | PeerKind::Ping | PeerKind::Pong => return,
    };
    if let Some(asker) = open.remove(&frame.number) {
        // The asker may have given up.
        let _ = asker.send(answer);
    }
}

/// The task that reads a connection ends with it.
struct Reading(tokio::task::JoinHandle<()>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn read_answers(mut reader: OwnedReadHalf, answers: mpsc::UnboundedSender<PeerFrame>) {
    while let Ok(Some(frame)) = frames::read(&mut reader).await {
        if answers.send(frame).is_err() {
            return;
        }
    }
}

/// Takes what peers send until the machine stops.
pub(crate) async fn listen(engine: Engine) -> io::Result<()> {
    let listener = TcpListener::bind((IpAddr::from(Ipv4Addr::UNSPECIFIED), PEER_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let engine = engine.clone();
        start(async move { drop(serve(stream, engine).await) });
    }
}

async fn serve(stream: TcpStream, engine: Engine) -> io::Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    let (answers, mut outgoing) = mpsc::unbounded_channel::<PeerFrame>();
    start(async move {
        while let Some(frame) = outgoing.recv().await {
            if !matches!(timeout(IDLE, frames::write(&mut writer, &frame)).await, Ok(Ok(()))) {
                return;
            }
        }
    });
    while let Some(frame) = timeout(IDLE, frames::read::<PeerFrame, _>(&mut reader)).await?? {
        let number = frame.number;
        match frame.kind() {
            PeerKind::Request => {
                let (to, from) = (ReplicaId(frame.to), ReplicaId(frame.from));
                let received = engine.receive(GROUP, to, from, lane_of(frame.lane), frame.body);
                let answers = answers.clone();
                start(async move {
                    let answer = match received.await {
                        Ok(body) => PeerFrame { kind: PeerKind::Answer.into(), number, body, ..PeerFrame::default() },
                        Err(error) => PeerFrame {
                            kind: PeerKind::Refusal.into(),
                            number,
                            code: error.code(),
                            ..PeerFrame::default()
                        },
                    };
                    // The connection may be gone.
                    let _ = answers.send(answer);
                });
            }
            PeerKind::Ping => {
                let _ = answers.send(PeerFrame { kind: PeerKind::Pong.into(), ..PeerFrame::default() });
            }
            PeerKind::Answer | PeerKind::Refusal | PeerKind::Pong => {}
        }
    }
    Ok(())
}
