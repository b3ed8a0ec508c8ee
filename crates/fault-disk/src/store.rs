//! Files and names, each as programs see it and as it is on the medium.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::content::{Content, PAGE};
use crate::{Loss, Lost};

/// The directory that is mounted.
pub(crate) const ROOT: u64 = 1;
/// Removals after which what nobody can reach any more is thrown away.
const SWEEP_EVERY: u32 = 64;

/// Why an operation is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoEntry,
    Exists,
    NotEmpty,
    NotADirectory,
    IsADirectory,
    NoSpace,
    Io,
}

pub(crate) type Outcome<T> = Result<T, Refused>;
pub(crate) type Names = BTreeMap<OsString, u64>;

/// A file or a directory, whatever its names are.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) mode: u16,
    /// Handles that programs hold.
    open: u32,
    /// The name that it was last given, to choose whose syncs fail.
    name: OsString,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    File { now: Content, durable: Content },
    Directory { now: Names, durable: Names },
}

/// What the disk does wrong.
#[derive(Debug, Default)]
pub(crate) struct Misbehaviour {
    /// No power: everything fails.
    pub(crate) off: bool,
    /// Syncs return and do nothing.
    pub(crate) lies: bool,
    /// Syncs of files whose name ends so fail.
    pub(crate) failing: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Store {
    nodes: HashMap<u64, Node>,
    next: u64,
    removals: u32,
    pub(crate) capacity: u64,
    pub(crate) misbehaviour: Misbehaviour,
    pub(crate) syncs: u64,
}

impl Store {
    pub(crate) fn new() -> Self {
        let root = Node {
            mode: 0o700,
            open: 0,
            name: OsString::new(),
            what: What::Directory { now: Names::new(), durable: Names::new() },
        };
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            removals: 0,
            capacity: 1 << 40,
            misbehaviour: Misbehaviour::default(),
            syncs: 0,
        }
    }

    pub(crate) fn node(&self, id: u64) -> Outcome<&Node> {
        if self.misbehaviour.off { Err(Refused::Io) } else { self.nodes.get(&id).ok_or(Refused::NoEntry) }
    }

    fn node_mut(&mut self, id: u64) -> Outcome<&mut Node> {
        if self.misbehaviour.off { Err(Refused::Io) } else { self.nodes.get_mut(&id).ok_or(Refused::NoEntry) }
    }

    pub(crate) fn names(&self, directory: u64) -> Outcome<&Names> {
        match &self.node(directory)?.what {
            What::Directory { now, .. } => Ok(now),
            What::File { .. } => Err(Refused::NotADirectory),
        }
    }

    fn names_mut(&mut self, directory: u64) -> Outcome<&mut Names> {
        match &mut self.node_mut(directory)?.what {
            What::Directory { now, .. } => Ok(now),
            What::File { .. } => Err(Refused::NotADirectory),
        }
    }

    fn content_mut(&mut self, file: u64) -> Outcome<&mut Content> {
        match &mut self.node_mut(file)?.what {
            What::File { now, .. } => Ok(now),
            What::Directory { .. } => Err(Refused::IsADirectory),
        }
    }

    pub(crate) fn lookup(&self, directory: u64, name: &OsStr) -> Outcome<u64> {
        self.names(directory)?.get(name).copied().ok_or(Refused::NoEntry)
    }

    pub(crate) fn create(&mut self, directory: u64, name: &OsStr, mode: u16, is_directory: bool) -> Outcome<u64> {
        if self.names(directory)?.contains_key(name) {
            return Err(Refused::Exists);
        }
        let what = if is_directory {
            What::Directory { now: Names::new(), durable: Names::new() }
        } else {
            What::File { now: Content::default(), durable: Content::default() }
        };
        let id = self.next;
        self.next += 1;
        self.nodes.insert(id, Node { mode, open: 0, name: name.to_owned(), what });
        self.names_mut(directory)?.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(crate) fn link(&mut self, id: u64, directory: u64, name: &OsStr) -> Outcome<()> {
        self.node(id)?;
        if self.names(directory)?.contains_key(name) {
            return Err(Refused::Exists);
        }
        self.names_mut(directory)?.insert(name.to_owned(), id);
        Ok(())
    }

    pub(crate) fn remove(&mut self, directory: u64, name: &OsStr, is_directory: bool) -> Outcome<()> {
        let id = self.lookup(directory, name)?;
        match (&self.node(id)?.what, is_directory) {
            (What::Directory { .. }, false) => return Err(Refused::IsADirectory),
            (What::File { .. }, true) => return Err(Refused::NotADirectory),
            (What::Directory { now, .. }, true) if !now.is_empty() => return Err(Refused::NotEmpty),
            _ => {}
        }
        self.names_mut(directory)?.remove(name);
        self.removed();
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr), replaces: bool) -> Outcome<()> {
        let id = self.lookup(from.0, from.1)?;
        if let Ok(there) = self.lookup(to.0, to.1) {
            let occupied = matches!(&self.node(there)?.what, What::Directory { now, .. } if !now.is_empty());
            if !replaces {
                return Err(Refused::Exists);
            }
            if occupied && there != id {
                return Err(Refused::NotEmpty);
            }
        }
        self.names_mut(from.0)?.remove(from.1);
        self.names_mut(to.0)?.insert(to.1.to_owned(), id);
        self.node_mut(id)?.name = to.1.to_owned();
        self.removed();
        Ok(())
    }

    pub(crate) fn opened(&mut self, id: u64, cut: bool) -> Outcome<()> {
        self.node_mut(id)?.open += 1;
        if cut { self.resize(id, 0) } else { Ok(()) }
    }

    /// Also without power: it is the kernel that lets go.
    pub(crate) fn released(&mut self, id: u64) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.open = node.open.saturating_sub(1);
        }
    }

    pub(crate) fn read(&self, file: u64, offset: u64, len: usize) -> Outcome<Vec<u8>> {
        match &self.node(file)?.what {
            What::File { now, .. } => Ok(now.read(place(offset)?, len)),
            What::Directory { .. } => Err(Refused::IsADirectory),
        }
    }

    pub(crate) fn write(&mut self, file: u64, offset: u64, bytes: &[u8]) -> Outcome<()> {
        let offset = place(offset)?;
        let grown = (offset + bytes.len()).saturating_sub(self.content_mut(file)?.len());
        self.admit(grown)?;
        self.content_mut(file)?.write(offset, bytes);
        Ok(())
    }

    pub(crate) fn resize(&mut self, file: u64, len: u64) -> Outcome<()> {
        let len = place(len)?;
        let grown = len.saturating_sub(self.content_mut(file)?.len());
        self.admit(grown)?;
        self.content_mut(file)?.resize(len);
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, id: u64, mode: u16) -> Outcome<()> {
        self.node_mut(id)?.mode = mode;
        Ok(())
    }

    /// Brings a file's content, or a directory's names, to the medium.
    pub(crate) fn sync(&mut self, id: u64) -> Outcome<()> {
        self.syncs += 1;
        let Misbehaviour { lies, ref failing, .. } = self.misbehaviour;
        let failing = failing.clone();
        let node = self.node_mut(id)?;
        if failing.is_some_and(|ending| node.name.to_string_lossy().ends_with(&ending)) {
            return Err(Refused::Io);
        }
        match &mut node.what {
            _ if lies => {}
            What::File { now, durable } => durable.clone_from(now),
            What::Directory { now, durable } => durable.clone_from(now),
        }
        Ok(())
    }

    fn admit(&self, grown: usize) -> Outcome<()> {
        if grown > 0 && self.used() + grown as u64 > self.capacity { Err(Refused::NoSpace) } else { Ok(()) }
    }

    /// Bytes that files take, by whole pages.
    pub(crate) fn used(&self) -> u64 {
        let bytes = |node: &Node| match &node.what {
            What::File { now, .. } => now.len().next_multiple_of(PAGE),
            What::Directory { .. } => 0,
        };
        self.nodes.values().map(bytes).sum::<usize>() as u64
    }

    /// The power goes, and what was not synced with it, all of it or as chance has it. Nothing works until
    /// [`Misbehaviour::off`] is taken back.
    pub(crate) fn cut(&mut self, loss: Loss) -> Lost {
        let mut chance = match loss {
            Loss::Everything => None,
            Loss::Torn { seed } => Some(StdRng::seed_from_u64(seed)),
        };
        let mut lost = Lost::default();
        self.nodes.values_mut().for_each(|node| node.open = 0);
        self.sweep();
        // In a fixed order, so that a seed says what is lost.
        let mut ids: Vec<u64> = self.nodes.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            let node = self.nodes.get_mut(&id).expect("listed a line ago");
            match &mut node.what {
                What::File { now, durable } => {
                    let kept = chance.as_mut().map_or_else(|| durable.clone(), |chance| now.torn_onto(durable, chance));
                    lost.bytes += now.differs_from(&kept) as u64;
                    (*now, *durable) = (kept.clone(), kept);
                }
                What::Directory { now, durable } => {
                    let names: HashSet<OsString> = now.keys().chain(durable.keys()).cloned().collect();
                    let mut names: Vec<OsString> =
                        names.into_iter().filter(|name| now.get(name) != durable.get(name)).collect();
                    names.sort_unstable();
                    for name in names {
                        if chance.as_mut().is_some_and(|chance| chance.random()) {
                            continue;
                        }
                        lost.names += 1;
                        match durable.get(&name) {
                            Some(id) => drop(now.insert(name, *id)),
                            None => drop(now.remove(&name)),
                        }
                    }
                    durable.clone_from(now);
                }
            }
        }
        self.sweep();
        self.misbehaviour.off = true;
        lost
    }

    fn removed(&mut self) {
        self.removals += 1;
        if self.removals.is_multiple_of(SWEEP_EVERY) {
            self.sweep();
        }
    }

    /// Throws away what has no name in either state and no handle.
    fn sweep(&mut self) {
        let mut reached = HashSet::from([ROOT]);
        let mut waiting = vec![ROOT];
        waiting.extend(self.nodes.iter().filter(|(_, node)| node.open > 0).map(|(id, _)| *id));
        while let Some(id) = waiting.pop() {
            reached.insert(id);
            if let Some(Node { what: What::Directory { now, durable }, .. }) = self.nodes.get(&id) {
                waiting.extend(now.values().chain(durable.values()).filter(|id| !reached.contains(id)));
            }
        }
        self.nodes.retain(|id, _| reached.contains(id));
    }
}

fn place(offset: u64) -> Outcome<usize> {
    usize::try_from(offset).map_err(|_| Refused::NoSpace)
}
