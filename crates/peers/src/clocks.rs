//! The rule of clocks: a process whose clock is off neither leads nor opens.
//!
//! Safety uses no clock, but expiry and the times in audit rows do. Peers ask each other what their clocks say; a process
//! whose own is more than [`CLOCK_OFF_MAX`] from the median of all that it knows, its own included, is *off*: it gives its
//! leaderships away, does not stand for election, stamps nothing, and refuses what it is asked to decide.
//!
//! - Of an even number of clocks both middle ones are the median: off is who is far from both, in line again who is near
//!   both. So two clocks that differ accuse nobody, for nobody can say which of them is wrong: with one of three processes
//!   away, a jump goes unnoticed until it is back.
//! - Clocks that jump together stay in line: the rule is about agreement, not about true time.
//! - A process that has just started does not stand for election before it knows two other clocks, or all that there are,
//!   or has waited for [`PATIENCE`].

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use prometheus::IntGauge;
use renkei_consensus::Engine;
use renkei_ids::{Clock, NodeId, UnixMillis};
use renkei_runtime::{Address, Check, ExpectedPeer, Http2, Shell};
use renkei_wire::PeerServiceClient;
use renkei_wire::pb::peer::v1 as pb;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;

use crate::Circle;
use crate::book::AddressBook;

/// How far a clock may be from the median.
pub const CLOCK_OFF_MAX: Duration = Duration::from_secs(2);

/// Between two looks at one's own clock.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two questions to one peer.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// A slower answer says too little about the peer's clock.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// How long an answer counts.
const FRESH: Duration = Duration::from_secs(5);
/// How long a process that has just started waits for other clocks before it stands for election without them.
const PATIENCE: Duration = Duration::from_secs(2);
/// Clocks of others from which a median can tell who is wrong.
const ENOUGH: usize = 2;

/// What is told of a process's clock.
#[derive(Clone, Debug)]
pub struct ClockGauges {
    /// 1 while it is off, else 0.
    pub off: IntGauge,
    /// How far the median is ahead of it, in milliseconds.
    pub median: IntGauge,
}

/// How a process stands with its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It has just started, and knows too few other clocks.
    Unknown,
    InLine,
    Off,
}

/// One's own clock beside those of the peers. Clones share them.
#[derive(Clone)]
pub struct Clocks(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    node: NodeId,
    book: AddressBook,
    state: Mutex<State>,
}

struct State {
    began: Instant,
    standing: Standing,
    readings: HashMap<NodeId, Reading>,
}

/// What a peer's clock said.
#[derive(Clone, Copy, Debug)]
struct Reading {
    said: UnixMillis,
    /// In the middle between question and answer.
    at: Instant,
    /// Half the time between them: the peer may have read its clock that much earlier or later.
    unsure: Duration,
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clocks").field("node", &self.0.node).finish_non_exhaustive()
    }
}

/// Both middle values of one's own clock and others', in milliseconds ahead of one's own; the nearer one first. They are
/// one value where the number of clocks is odd.
fn median(others: &[i64]) -> (i64, i64) {
    let mut all: Vec<i64> = others.iter().copied().chain([0]).collect();
    all.sort_unstable();
    let (low, high) = (all[(all.len() - 1) / 2], all[all.len() / 2]);
    if low.unsigned_abs() <= high.unsigned_abs() { (low, high) } else { (high, low) }
}

/// How a process stands after it looked at the clocks of others. `peers` is how many others there are, `waited` whether it
/// has been patient since its start.
fn judge(before: Standing, others: &[i64], peers: usize, waited: bool) -> Standing {
    let is_far = |millis: i64| u128::from(millis.unsigned_abs()) > CLOCK_OFF_MAX.as_millis();
    let (near, far) = median(others);
    if is_far(near) {
        return Standing::Off;
    }
    match before {
        Standing::Unknown if others.len() >= ENOUGH.min(peers) || waited => Standing::InLine,
        Standing::Off if others.len() >= peers.min(1) && !is_far(far) => Standing::InLine,
        _ => before,
    }
}

impl Clocks {
    /// The clocks of the peers in a book, beside this process's own.
    pub fn new(clock: Arc<dyn Clock>, node: NodeId, book: AddressBook) -> Self {
        let state = State { began: Instant::now(), standing: Standing::Unknown, readings: HashMap::new() };
        let clocks = Self(Arc::new(Shared { clock, node, book, state: Mutex::new(state) }));
        clocks.look();
        clocks
    }

    /// Whether this process may decide anything now.
    pub fn in_line(&self) -> bool {
        self.look().0 != Standing::Off
    }

    /// The present moment, to be stamped on an entry; `None` while the clock is off.
    pub fn stamp(&self) -> Option<UnixMillis> {
        self.in_line().then(|| self.0.clock.now())
    }

    /// Asks peers, keeps the engine from leading and the check from passing while the clock is off. Ends never.
    pub async fn watch(self, shell: Shell, circle: Circle, engine: Engine, check: Check, gauges: ClockGauges) {
        let mut peers: HashMap<NodeId, Asked> = HashMap::new();
        let mut asking = FuturesUnordered::new();
        let (mut told, mut given_away) = (None, Vec::new());
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some((node, reading)) = asking.next(), if !asking.is_empty() => {
                    self.heard(node, reading);
                    if let Some(asked) = peers.get_mut(&node) {
                        asked.under_way = false;
                    }
                    continue;
                }
                _ = ticks.tick() => {}
            }
            for (node, address) in self.0.book.others(self.0.node) {
                let asked = peers.entry(node).or_insert_with(|| Asked::new(&shell, circle, node, &address));
                if asked.address != address {
                    *asked = Asked::new(&shell, circle, node, &address);
                }
                if let Some(client) = asked.due() {
                    asking.push(async move { (node, ask(client).await) });
                }
            }
            let (standing, median) = self.look();
            gauges.off.set(i64::from(standing == Standing::Off));
            gauges.median.set(median);
            engine.may_lead(standing == Standing::InLine);
            if standing == Standing::Off {
                // Asked again until they are gone, and told once.
                let given = engine.give_away().await;
                if !given.is_empty() && given != given_away {
                    tracing::warn!(groups = ?given, "leaderships given away: this clock is off");
                    given_away = given;
                }
            }
            if told != Some(standing) {
                tell(standing, median, told, &check);
                told = Some(standing);
            }
        }
    }

    fn heard(&self, node: NodeId, reading: Option<Reading>) {
        if let Some(reading) = reading {
            self.state().readings.insert(node, reading);
        }
    }

    /// How this process stands now, and how far the median is ahead.
    fn look(&self) -> (Standing, i64) {
        let peers = self.0.book.count_others(self.0.node);
        let (own, now) = (self.0.clock.now(), Instant::now());
        let mut state = self.state();
        state.readings.retain(|_, reading| now.saturating_duration_since(reading.at) < FRESH);
        let others: Vec<i64> = state.readings.values().map(|reading| reading.ahead_of(own, now)).collect();
        let waited = now.saturating_duration_since(state.began) > PATIENCE;
        state.standing = judge(state.standing, &others, peers, waited);
        (state.standing, median(&others).0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("nothing panics while it holds the readings")
    }
}

impl Reading {
    /// How far the peer's clock is ahead of ours, in milliseconds, in its favour by what is unsure.
    fn ahead_of(&self, own: UnixMillis, now: Instant) -> i64 {
        let signed = |millis: u128| i64::try_from(millis).unwrap_or(i64::MAX);
        let peers = i128::from(self.said.0) + i128::from(signed(now.saturating_duration_since(self.at).as_millis()));
        let ahead = i64::try_from(peers - i128::from(own.0)).unwrap_or(i64::MAX);
        let unsure = signed(self.unsure.as_millis());
        ahead.signum() * (ahead.saturating_abs() - unsure).max(0)
    }
}

/// A peer that is asked now and then.
struct Asked {
    address: Address,
    client: PeerServiceClient<Channel>,
    last: Option<Instant>,
    under_way: bool,
}

impl Asked {
    fn new(shell: &Shell, circle: Circle, node: NodeId, address: &Address) -> Self {
        let Circle { cloud, role } = circle;
        let expected = ExpectedPeer { cloud, role, name: Some(node.to_string().into()) };
        let client = PeerServiceClient::new(shell.tls().channel(address, expected, Http2::CALLS));
        Self { address: address.clone(), client, last: None, under_way: false }
    }

    fn due(&mut self) -> Option<PeerServiceClient<Channel>> {
        if self.under_way || self.last.is_some_and(|last| last.elapsed() < ASK_EVERY) {
            return None;
        }
        self.last = Some(Instant::now());
        self.under_way = true;
        Some(self.client.clone())
    }
}

async fn ask(mut client: PeerServiceClient<Channel>) -> Option<Reading> {
    let began = Instant::now();
    let reply = tokio::time::timeout(ANSWER_MAX, client.tell_clock(pb::TellClockRequest {})).await.ok()?.ok()?;
    let pb::TellClockReply { unix_ms } = reply.into_inner();
    let unsure = began.elapsed() / 2;
    Some(Reading { said: UnixMillis(unix_ms), at: began + unsure, unsure })
}

fn tell(standing: Standing, median: i64, before: Option<Standing>, check: &Check) {
    match standing {
        Standing::Unknown => check.pass(),
        Standing::InLine => {
            check.pass();
            if before == Some(Standing::Off) {
                tracing::warn!(median_ahead_ms = median, "this clock is in line with its peers again");
            }
        }
        Standing::Off => {
            check.fail("this clock is more than 2 s from its peers' median");
            tracing::error!(median_ahead_ms = median, "this clock is off: nothing is led or opened here");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(before: Standing, others: &[i64]) -> Standing {
        judge(before, others, 2, false)
    }

    #[test]
    fn a_clock_is_off_beyond_two_seconds_from_the_median_either_way() {
        for sign in [1, -1] {
            assert_eq!(after(Standing::InLine, &[1_900 * sign, 1_900 * sign]), Standing::InLine);
            assert_eq!(after(Standing::InLine, &[2_000 * sign, 2_000 * sign]), Standing::InLine);
            assert_eq!(after(Standing::InLine, &[2_100 * sign, 2_100 * sign]), Standing::Off);
            assert_eq!(after(Standing::InLine, &[2_100 * sign, 3_600_000 * sign]), Standing::Off);
        }
        assert_eq!(after(Standing::InLine, &[0, 3_600_000]), Standing::InLine, "the other one is off");
        assert_eq!(after(Standing::InLine, &[-3_600_000, 3_600_000]), Standing::InLine, "the middle one is right");
    }

    #[test]
    fn two_clocks_that_differ_accuse_nobody_and_acquit_nobody() {
        assert_eq!(after(Standing::InLine, &[3_600_000]), Standing::InLine);
        assert_eq!(after(Standing::Off, &[3_600_000]), Standing::Off);
        assert_eq!(after(Standing::Off, &[]), Standing::Off, "alone it learns nothing");
        assert_eq!(after(Standing::Off, &[1_000]), Standing::InLine, "its only peer agrees with it");
    }

    #[test]
    fn clocks_that_jump_together_are_in_line() {
        assert_eq!(after(Standing::InLine, &[3, -2]), Standing::InLine);
        assert_eq!(judge(Standing::InLine, &[5_000, 5_000, -5_000, 0], 4, false), Standing::InLine);
        assert_eq!(judge(Standing::InLine, &[5_000, 5_000, 5_000, 0], 4, false), Standing::Off);
        assert_eq!(judge(Standing::InLine, &[5_000, 5_000, 0], 3, false), Standing::InLine, "two against two");
    }

    #[test]
    fn who_has_just_started_waits_for_two_clocks_or_all_that_there_are() {
        assert_eq!(after(Standing::Unknown, &[]), Standing::Unknown);
        assert_eq!(after(Standing::Unknown, &[10]), Standing::Unknown);
        assert_eq!(after(Standing::Unknown, &[10, 20]), Standing::InLine);
        assert_eq!(after(Standing::Unknown, &[9_000, 9_000]), Standing::Off);
        assert_eq!(judge(Standing::Unknown, &[10], 1, false), Standing::InLine);
        assert_eq!(judge(Standing::Unknown, &[], 0, false), Standing::InLine, "it is alone");
        assert_eq!(judge(Standing::Unknown, &[10], 2, true), Standing::InLine, "it has been patient");
    }

    #[test]
    fn a_slow_answer_counts_in_favour() {
        let at = Instant::now();
        let reading = |said, unsure| Reading { said: UnixMillis(said), at, unsure: Duration::from_millis(unsure) };
        let own = UnixMillis(100_000);
        assert_eq!(reading(102_300, 0).ahead_of(own, at), 2_300);
        assert_eq!(reading(102_300, 400).ahead_of(own, at), 1_900);
        assert_eq!(reading(97_700, 400).ahead_of(own, at), -1_900);
        assert_eq!(reading(100_100, 400).ahead_of(own, at), 0);
        assert_eq!(reading(100_000, 0).ahead_of(own, at + Duration::from_secs(1)), 1_000, "their clock went on");
    }
}
