//! What goes wrong while clients work: drawn from a seed, one thing after another, each put right again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use renkei_ids::NodeId;
use renkei_launch::{Cloud, Hosts};
use renkei_testkit::Dice;

use super::desk::Desk;

/// The host of the clients.
pub(crate) const CLIENTS: &str = "clients";
/// Pause between two packets-lost pulses of a bad cable, and length of one.
const PULSE: Duration = Duration::from_millis(300);
const PULSES: u32 = 6;

/// One kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    KillOne,
    KillLeader,
    KillTwo,
    KillAll,
    PauseOne,
    PauseLeader,
    /// A node hears nobody, and nobody hears it, clients included.
    CutOff,
    /// A leader keeps its clients and loses its followers.
    LeaderAlone,
    /// What a leader sends to its followers is lost; what they send arrives.
    LeaderUnheard,
    /// What followers send to a leader is lost; what it sends arrives.
    LeaderDeaf,
    /// Two nodes lose each other, and the third has both.
    Estranged,
    /// Packets between two nodes are lost for moments, again and again.
    BadCable,
    /// A leader's clock runs ahead by minutes.
    LeaderAhead,
    /// A leader's clock falls behind by minutes.
    LeaderBehind,
    /// A clock is off by less than the rule of clocks forbids.
    SlightlyOff,
    /// Every clock jumps, and they still agree.
    AllAhead,
}

impl Fault {
    pub(crate) const ALL: [Self; 16] = [
        Self::KillOne,
        Self::KillLeader,
        Self::KillTwo,
        Self::KillAll,
        Self::PauseOne,
        Self::PauseLeader,
        Self::CutOff,
        Self::LeaderAlone,
        Self::LeaderUnheard,
        Self::LeaderDeaf,
        Self::Estranged,
        Self::BadCable,
        Self::LeaderAhead,
        Self::LeaderBehind,
        Self::SlightlyOff,
        Self::AllAhead,
    ];

    /// Whether it takes hosts of their own.
    fn needs_hosts(self) -> bool {
        matches!(
            self,
            Self::CutOff
                | Self::LeaderAlone
                | Self::LeaderUnheard
                | Self::LeaderDeaf
                | Self::Estranged
                | Self::BadCable
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The name of a node's host.
pub(crate) fn host(node: NodeId) -> String {
    format!("node{node}")
}

/// Brings trouble over a cloud.
pub(crate) struct Nemesis<'a> {
    pub(crate) cloud: &'a mut Cloud,
    /// Where each node has one of its own.
    pub(crate) hosts: Option<&'a Hosts>,
    pub(crate) desk: &'a Desk,
    pub(crate) dice: Dice,
    pub(crate) done: BTreeMap<Fault, u32>,
    /// When what happened, in nanoseconds on the desk's clock.
    pub(crate) story: Vec<(u64, String)>,
}

impl Nemesis<'_> {
    /// Goes through the deck, again and again, until the time is up; then everything is right again.
    pub(crate) fn run(&mut self, deck: &[Fault], until: Instant, stop: &AtomicBool) {
        let mut deck: Vec<Fault> =
            deck.iter().copied().filter(|fault| self.hosts.is_some() || !fault.needs_hosts()).collect();
        let pause = |nemesis: &mut Self, millis| nemesis.hold(millis, until, stop);
        pause(self, 500..1_000);
        while !deck.is_empty() {
            for fault in &deck {
                if Instant::now() + Duration::from_secs(3) > until || stop.load(Ordering::Relaxed) {
                    return;
                }
                self.bring(*fault, until, stop);
                *self.done.entry(*fault).or_default() += 1;
                pause(self, 800..2_000);
            }
            self.dice.shuffle(&mut deck);
        }
    }

    fn bring(&mut self, fault: Fault, until: Instant, stop: &AtomicBool) {
        let nodes: Vec<NodeId> = self.cloud.addresses().into_keys().collect();
        let chosen = *self.dice.pick(&nodes).unwrap();
        let group = *self.dice.pick(&self.desk.groups).unwrap();
        let leader = self.desk.leader(group);
        let hold = 1_500..4_000;
        match fault {
            Fault::KillOne => self.kill(fault, &[chosen], until, stop),
            Fault::KillLeader => self.kill(fault, &[leader], until, stop),
            Fault::KillTwo => {
                let two: Vec<_> = nodes.iter().copied().filter(|node| *node != chosen).collect();
                self.kill(fault, &two, until, stop);
            }
            Fault::KillAll => self.kill(fault, &nodes, until, stop),
            Fault::PauseOne => self.pause(fault, chosen, until, stop),
            Fault::PauseLeader => self.pause(fault, leader, until, stop),
            Fault::CutOff | Fault::Estranged | Fault::LeaderAlone | Fault::LeaderUnheard | Fault::LeaderDeaf => {
                let node = if matches!(fault, Fault::CutOff | Fault::Estranged) { chosen } else { leader };
                let ways = ways(fault, node, &nodes);
                self.lose(fault, node, &ways);
                self.hold(hold, until, stop);
                self.mend(&ways);
            }
            Fault::BadCable => {
                let ways = ways(fault, chosen, &nodes);
                for _ in 0..PULSES {
                    self.lose(fault, chosen, &ways);
                    std::thread::sleep(PULSE);
                    self.mend(&ways);
                    std::thread::sleep(PULSE);
                }
            }
            Fault::LeaderAhead | Fault::LeaderBehind | Fault::SlightlyOff => {
                let off = i64::try_from(self.dice.within(3_000..600_000)).unwrap();
                let (node, off) = match fault {
                    Fault::LeaderAhead => (leader, off),
                    Fault::LeaderBehind => (leader, -off),
                    _ => (chosen, i64::try_from(self.dice.within(0..3_000)).unwrap() - 1_500),
                };
                self.set_clocks(fault, &[node], off);
                self.hold(hold, until, stop);
                self.set_clocks(fault, &[node], 0);
            }
            Fault::AllAhead => {
                let off = i64::try_from(self.dice.within(60_000..600_000)).unwrap();
                self.set_clocks(fault, &nodes, off);
                self.hold(hold, until, stop);
                self.set_clocks(fault, &nodes, 0);
            }
        }
    }

    fn kill(&mut self, fault: Fault, nodes: &[NodeId], until: Instant, stop: &AtomicBool) {
        self.tell(format!("{fault}: killed {nodes:?}"));
        for node in nodes {
            self.cloud.node(*node).unwrap().kill().unwrap();
        }
        self.hold(200..2_500, until, stop);
        self.tell(format!("{fault}: started {nodes:?}"));
        for node in nodes {
            self.cloud.start(*node).unwrap();
        }
        for node in nodes {
            self.cloud.wait_ready(*node).unwrap();
        }
    }

    fn pause(&mut self, fault: Fault, node: NodeId, until: Instant, stop: &AtomicBool) {
        self.tell(format!("{fault}: paused {node}"));
        self.cloud.node(node).unwrap().pause().unwrap();
        self.hold(1_500..4_000, until, stop);
        self.cloud.node(node).unwrap().resume().unwrap();
        self.tell(format!("{fault}: resumed {node}"));
    }

    fn lose(&mut self, fault: Fault, node: NodeId, ways: &[(String, String)]) {
        self.tell(format!("{fault}: {node}, lost: {ways:?}"));
        let hosts = self.hosts.expect("a fault of the network was drawn, so there are hosts");
        for (from, to) in ways {
            hosts.lose(from, to).unwrap();
        }
    }

    fn mend(&mut self, ways: &[(String, String)]) {
        let hosts = self.hosts.expect("what was cut had hosts");
        for (from, to) in ways {
            hosts.mend(from, to).unwrap();
        }
        self.tell("mended".to_owned());
    }

    fn set_clocks(&mut self, fault: Fault, nodes: &[NodeId], millis: i64) {
        self.tell(format!("{fault}: clocks of {nodes:?} off by {millis} ms"));
        for node in nodes {
            self.cloud.node(*node).unwrap().set_clock_offset(millis).unwrap();
        }
    }

    /// Lets time go by: so many milliseconds, at most until the end.
    fn hold(&mut self, millis: std::ops::Range<u64>, until: Instant, stop: &AtomicBool) {
        let end = until.min(Instant::now() + Duration::from_millis(self.dice.within(millis)));
        while Instant::now() < end && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn tell(&mut self, what: String) {
        self.story.push((self.desk.now(), what));
    }
}

/// Pairs of hosts, from and to, whose packets a fault of a node's network loses.
fn ways(fault: Fault, node: NodeId, nodes: &[NodeId]) -> Vec<(String, String)> {
    let others = || nodes.iter().copied().filter(|other| *other != node).map(host);
    let out = others().map(|other| (host(node), other));
    let back = others().map(|other| (other, host(node)));
    match fault {
        Fault::LeaderUnheard => out.collect(),
        Fault::LeaderDeaf => back.collect(),
        Fault::LeaderAlone => out.chain(back).collect(),
        Fault::CutOff => {
            let clients = [(host(node), CLIENTS.to_owned()), (CLIENTS.to_owned(), host(node))];
            out.chain(back).chain(clients).collect()
        }
        // One other node only.
        _ => out.take(1).chain(back.take(1)).collect(),
    }
}
