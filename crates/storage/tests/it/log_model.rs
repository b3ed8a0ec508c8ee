//! A log against a plain model, over random operations and reopenings.

use bytes::Bytes;
use proptest::prelude::*;
use renkei_ids::{GroupId, ReplicaId};
use renkei_storage::MemoryBudget;
use renkei_storage::log::{LogBounds, LogDb, SimulatedDisk};

use crate::fixture::{budget, open_log_on};

#[derive(Clone, Debug)]
enum Step {
    Append { log: usize, first_ever: u64, sizes: Vec<usize> },
    Truncate { log: usize, back: u64 },
    TruncateAll { log: usize },
    Purge { log: usize, ahead: u64 },
    Vote { log: usize, vote: u8 },
    Committed { log: usize, committed: u8 },
    Read { log: usize, skip: u64, count: u64, max_bytes: usize },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let log = 0..2_usize;
    prop_oneof![
        8 => (log.clone(), 0..3_u64, prop::collection::vec(0..400_usize, 0..5))
            .prop_map(|(log, first_ever, sizes)| Step::Append { log, first_ever, sizes }),
        2 => (log.clone(), 0..8_u64).prop_map(|(log, back)| Step::Truncate { log, back }),
        1 => log.clone().prop_map(|log| Step::TruncateAll { log }),
        2 => (log.clone(), 0..10_u64).prop_map(|(log, ahead)| Step::Purge { log, ahead }),
        1 => (log.clone(), any::<u8>()).prop_map(|(log, vote)| Step::Vote { log, vote }),
        1 => (log.clone(), any::<u8>()).prop_map(|(log, committed)| Step::Committed { log, committed }),
        4 => (log, 0..12_u64, 0..8_u64, 0..800_usize)
            .prop_map(|(log, skip, count, max_bytes)| Step::Read { log, skip, count, max_bytes }),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Default)]
struct Model {
    first: u64,
    entries: Vec<Bytes>,
    begun: bool,
    purged: Option<(u64, Bytes)>,
    vote: Option<Bytes>,
    committed: Option<Bytes>,
    /// Makes every entry ever appended different from all others.
    serial: u64,
}

impl Model {
    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn bounds(&self) -> LogBounds {
        let present = !self.entries.is_empty();
        LogBounds {
            first: present.then_some(self.first),
            last: present.then(|| self.next() - 1),
            purged_through: self.purged.as_ref().map(|(through, _)| *through),
        }
    }

    fn append(&mut self, first_ever: u64, sizes: &[usize]) -> (u64, Vec<Bytes>) {
        if !self.begun && !sizes.is_empty() {
            (self.first, self.begun) = (first_ever, true);
        }
        let at = self.next();
        let entries: Vec<Bytes> = sizes
            .iter()
            .map(|size| {
                self.serial += 1;
                let mut entry = self.serial.to_be_bytes().to_vec();
                entry.resize(8 + size, 0xEE);
                entry.into()
            })
            .collect();
        self.entries.extend(entries.iter().cloned());
        (at, entries)
    }

    fn truncate(&mut self, last_kept: Option<u64>) {
        let boundary = last_kept.map_or(0, |last| last + 1).max(self.first);
        self.entries.truncate(usize::try_from(boundary - self.first).unwrap());
        if self.entries.is_empty() && self.purged.is_none() {
            self.begun = false;
        }
    }

    fn purge(&mut self, through: u64, marker: Bytes) {
        if self.purged.as_ref().is_some_and(|(earlier, _)| *earlier >= through) {
            return;
        }
        let boundary = through + 1;
        if boundary > self.first || !self.begun {
            let gone = usize::try_from(boundary.saturating_sub(self.first)).unwrap().min(self.entries.len());
            self.entries.drain(..gone);
            self.first = boundary;
        }
        self.begun = true;
        self.purged = Some((through, marker));
    }

    fn read(&self, start: u64, end: u64, max_bytes: usize) -> Vec<Bytes> {
        let mut taken = Vec::new();
        let mut bytes = 0;
        for index in start..end.min(self.next()) {
            if start < self.first {
                break;
            }
            let entry = &self.entries[usize::try_from(index - self.first).unwrap()];
            if !taken.is_empty() && bytes + entry.len() > max_bytes {
                break;
            }
            bytes += entry.len();
            taken.push(entry.clone());
        }
        taken
    }
}

fn run(db: &LogDb, model: &mut [Model; 2], step: &Step) -> Result<(), TestCaseError> {
    let handle = |log: usize| db.group(GroupId(5), ReplicaId(log as u64)).unwrap();
    match step {
        Step::Append { log, first_ever, sizes } => {
            let (at, entries) = model[*log].append(*first_ever, sizes);
            handle(*log).append(at, entries, Box::new(Result::unwrap)).unwrap();
        }
        Step::Truncate { log, back } => {
            let last_kept = (model[*log].next() + 2).checked_sub(*back);
            model[*log].truncate(last_kept);
            handle(*log).truncate_after(last_kept, Box::new(Result::unwrap));
        }
        Step::TruncateAll { log } => {
            model[*log].truncate(None);
            handle(*log).truncate_after(None, Box::new(Result::unwrap));
        }
        Step::Purge { log, ahead } => {
            let through = model[*log].first + ahead;
            let marker = Bytes::from(format!("purge {through}"));
            model[*log].purge(through, marker.clone());
            handle(*log).purge(through, marker);
        }
        Step::Vote { log, vote } => {
            model[*log].vote = Some(Bytes::copy_from_slice(&[*vote]));
            handle(*log).save_vote(Bytes::copy_from_slice(&[*vote]), Box::new(Result::unwrap));
        }
        Step::Committed { log, committed } => {
            model[*log].committed = Some(Bytes::copy_from_slice(&[*committed]));
            handle(*log).save_committed(Bytes::copy_from_slice(&[*committed]));
        }
        Step::Read { log, skip, count, max_bytes } => {
            let start = (model[*log].first + skip).saturating_sub(2);
            let expected = model[*log].read(start, start + count, *max_bytes);
            prop_assert_eq!(handle(*log).read(start..start + count, *max_bytes).unwrap(), expected);
        }
        Step::Reopen => {}
    }
    Ok(())
}

fn compare(db: &LogDb, model: &[Model; 2]) -> Result<(), TestCaseError> {
    for (number, model) in model.iter().enumerate() {
        let log = db.group(GroupId(5), ReplicaId(number as u64)).unwrap();
        prop_assert_eq!(log.bounds(), model.bounds());
        prop_assert_eq!(log.vote(), model.vote.clone());
        prop_assert_eq!(log.committed(), model.committed.clone());
        prop_assert_eq!(log.purge_marker(), model.purged.as_ref().map(|(_, marker)| marker.clone()));
        prop_assert_eq!(log.read(model.first..u64::MAX, usize::MAX).unwrap(), model.entries.clone());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_what_its_operations_say(
        steps in prop::collection::vec(step(), 1..80),
        tail_bytes in prop_oneof![Just(0_usize), Just(500), Just(1 << 20)],
        simulated in any::<bool>(),
        write_every in 1..5_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let budget = if simulated { MemoryBudget::simulated(SimulatedDisk::new(None)) } else { budget() };
        let mut db = open_log_on(dir.path(), tail_bytes, budget.clone());
        let mut model = [Model::default(), Model::default()];
        for (number, step) in steps.iter().enumerate() {
            run(&db, &mut model, step)?;
            if simulated && number % write_every == 0 && let Some(writes) = db.queued_writes() {
                writes.written();
            }
            if matches!(step, Step::Reopen) {
                db.shutdown();
                drop(db);
                db = open_log_on(dir.path(), tail_bytes, budget.clone());
            }
            compare(&db, &model)?;
        }
    }
}
