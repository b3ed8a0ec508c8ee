//! Slots that move between groups: orders in order, imports behind their fence, nothing left behind, and every history
//! of patients as if they had never moved.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::bool::weighted;
use proptest::prelude::*;
use proptest::sample::Index;
use renkei_access::RuleSet;
use renkei_ids::{AuditSeq, ContentTag, IdemTag, LogId, Pid, Slot, UnixMillis};
use renkei_shard::audit::AuditContent;
use renkei_shard::transfer::{self, Chunk, Import, MovedRow, NotLeaving, Place, Purge};
use renkei_shard::{
    Access, DeleteRecord, FREEZE_MILLIS, Family, Fence, Item, ItemKind, Memory, PutRecord, SlotChange, SlotHold,
    Verdict, read,
};

use crate::scenario::*;

/// Slots of these tests: a patient in each, and nobody beside them.
const SLOTS: u32 = 6;

fn slot(n: u32) -> Slot {
    Slot::try_from(n).unwrap()
}

/// The only patient of a slot.
fn patient(n: u8) -> Pid {
    let mut bytes = [0xA0; 16];
    bytes[..2].copy_from_slice(&[n >> 4, n << 4]);
    Pid::from_bytes(bytes)
}

fn by(n: u8) -> Access {
    Access { pid: patient(n), ..access(1) }
}

fn group(log: u8, held: &[(Slot, Slot)]) -> Group {
    #[cfg(feature = "faults")]
    crate::broken_rules::break_as_told();
    let mut group = Group { store: Memory::default(), now: UnixMillis(NOW) };
    let slots = SlotChange { fence: fence(1, 0), hold: SlotHold::Owned, ranges: held.to_vec() };
    assert_eq!(group.one(Item::Found { log: LogId::from_bytes([log; 16]), slots }), Verdict::Changed);
    group
}

fn order(fence: Fence, hold: SlotHold, range: (Slot, Slot)) -> Item {
    Item::Slots(SlotChange { fence, hold, ranges: vec![range] })
}

fn purge_all(group: &mut Group, fence: Fence, (first, last): (Slot, Slot)) {
    let mut range = (first, last);
    for _ in 0..10_000 {
        match group.one(Item::Purge(Purge { fence, range })) {
            Verdict::Purged { next: Some(next) } => range = (next, last),
            Verdict::Purged { next: None } => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("a purge that does not end");
}

type Rows = BTreeMap<(Family, Vec<u8>), Bytes>;

/// Every row about the range, but for how its slots stand.
fn rows_of(store: &Memory, (first, last): (Slot, Slot)) -> Rows {
    let inside = |key: &[u8]| {
        let slot = u16::from_be_bytes([key[0], key[1]]);
        first.get() <= slot && slot <= last.get()
    };
    let rows = store.0.iter().filter(|((family, key), _)| inside(key) && (*family != Family::System || key[2] != 0));
    rows.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[test]
fn a_slot_is_served_by_one_group_at_a_time() {
    let range = (slot(1), slot(2));
    let (mut source, mut target) = (group(1, &[(slot(0), slot(5))]), group(2, &[]));
    let passing = |epoch| Verdict::WrongOwner { epoch: renkei_ids::SlotEpoch(epoch), passing: true };
    let gone = |epoch| Verdict::WrongOwner { epoch: renkei_ids::SlotEpoch(epoch), passing: false };
    assert_eq!(target.by(by(1), note(0, &[])), gone(0), "a group knows nothing of a slot that it never held");

    assert_eq!(target.one(order(fence(1, 1), SlotHold::Incoming, range)), Verdict::Changed);
    assert_eq!(target.by(by(1), note(0, &[])), passing(1));
    assert_eq!(source.one(order(fence(1, 1), SlotHold::Moving { round: 1 }, range)), Verdict::Changed);
    assert!(matches!(source.by(by(1), note(0, &[])), Verdict::Recorded(_)));

    assert_eq!(source.one(order(fence(1, 2), SlotHold::Frozen { round: 1 }, range)), Verdict::Changed);
    let before = source.store.clone();
    assert_eq!(source.by(by(1), ItemKind::Put(put(9, 1, 10))), passing(1));
    assert_eq!(source.store, before, "a refused item leaves no trace");
    assert!(matches!(source.by(by(3), note(0, &[])), Verdict::Recorded(_)), "other slots are served on");
    assert_eq!(source.one(order(fence(1, 2), SlotHold::Promised { round: 1 }, range)), Verdict::Changed);
    assert_eq!(source.by(by(1), note(0, &[])), passing(1));

    assert_eq!(source.one(order(fence(2, 3), SlotHold::Gone, range)), Verdict::Changed);
    assert_eq!(source.by(by(1), note(0, &[])), gone(2));
    assert_eq!(target.one(order(fence(2, 3), SlotHold::Owned, range)), Verdict::Changed);
    assert!(matches!(target.by(by(1), note(0, &[])), Verdict::Recorded(_)));
}

/// A group that has frozen its slots in round 1, under stamp 2, at `NOW`.
fn frozen(range: (Slot, Slot)) -> Group {
    let mut group = group(1, &[range]);
    for (stamp, hold) in [(1, SlotHold::Moving { round: 1 }), (2, SlotHold::Frozen { round: 1 })] {
        assert_eq!(group.one(order(fence(1, stamp), hold, range)), Verdict::Changed);
    }
    group
}

#[test]
fn a_freeze_lapses_by_itself_and_what_lapsed_is_not_promised() {
    let range = (slot(1), slot(1));
    let mut group = frozen(range);
    let admitted = |group: &Group| read::admit(&group.store, &patient(1), by(1).capability, group.now).unwrap();
    let promise = |stamp| order(fence(1, stamp), SlotHold::Promised { round: 1 }, range);
    group.now = UnixMillis(NOW + FREEZE_MILLIS - 1);
    assert!(matches!(group.by(by(1), note(0, &[])), Verdict::WrongOwner { passing: true, .. }));
    // What is given anew is given no longer.
    assert_eq!(group.one(order(fence(1, 3), SlotHold::Frozen { round: 1 }, range)), Verdict::Changed);
    assert!(transfer::leaving(&group.store, range, fence(1, 3)).unwrap().is_ok());

    group.now = UnixMillis(NOW + FREEZE_MILLIS);
    assert!(matches!(admitted(&group), read::Admission::Admitted(_)), "nobody had to say so");
    assert!(matches!(group.by(by(1), ItemKind::Put(put(9, 1, 10))), Verdict::Stored { .. }));
    assert_eq!(transfer::leaving(&group.store, range, fence(1, 3)).unwrap(), Err(NotLeaving::Staying));
    assert_eq!(group.one(promise(3)), Verdict::OutOfOrder);
    assert_eq!(group.one(promise(4)), Verdict::OutOfOrder);
    assert_eq!(group.one(order(fence(2, 4), SlotHold::Gone, range)), Verdict::OutOfOrder);
    // The next round copies what was written meanwhile, after another freeze.
    assert_eq!(group.one(order(fence(1, 4), SlotHold::Moving { round: 2 }, range)), Verdict::Changed);
    assert_eq!(group.one(order(fence(1, 5), SlotHold::Frozen { round: 2 }, range)), Verdict::Changed);
    let leaving = transfer::leaving(&group.store, range, fence(1, 5)).unwrap().unwrap();
    let Chunk { rows, .. } = transfer::chunk(&group.store, &leaving, None, 1_000).unwrap();
    assert!(rows.iter().any(|row| row.family == Family::Record), "the record written behind the freeze");
    assert_eq!(group.one(order(fence(1, 5), SlotHold::Promised { round: 2 }, range)), Verdict::Changed);
}

#[test]
fn a_promise_outlasts_time_and_a_step_that_is_done_again() {
    let range = (slot(1), slot(1));
    let mut group = frozen(range);
    let passing =
        |group: &mut Group| matches!(group.by(by(1), note(0, &[])), Verdict::WrongOwner { passing: true, .. });
    assert_eq!(group.one(order(fence(1, 2), SlotHold::Promised { round: 1 }, range)), Verdict::Changed);
    group.now = UnixMillis(NOW + 10 * FREEZE_MILLIS);
    // By the same controller, and by one that knows a newer placement in which the job stands where it stood.
    for stamp in [2, 3] {
        assert_eq!(group.one(order(fence(1, stamp), SlotHold::Frozen { round: 1 }, range)), Verdict::Changed);
        group.now = group.now.plus_millis(2 * FREEZE_MILLIS);
        assert!(passing(&mut group));
        assert!(transfer::leaving(&group.store, range, fence(1, stamp)).unwrap().is_ok());
    }
    // It ends by what the placement decided: another round, or that the slot stays.
    assert_eq!(group.one(order(fence(1, 4), SlotHold::Moving { round: 2 }, range)), Verdict::Changed);
    assert!(!passing(&mut group));
    assert_eq!(group.one(order(fence(1, 3), SlotHold::Promised { round: 1 }, range)), Verdict::Fenced);
}

#[test]
fn an_old_order_changes_nothing_however_late_it_comes() {
    let range = (slot(0), slot(5));
    let mut group = group(1, &[range]);
    let mut orders = vec![order(fence(1, 1), SlotHold::Moving { round: 1 }, range)];
    orders.push(order(fence(1, 2), SlotHold::Frozen { round: 1 }, range));
    orders.push(order(fence(1, 3), SlotHold::Moving { round: 2 }, range));
    orders.push(order(fence(1, 4), SlotHold::Frozen { round: 2 }, range));
    orders.push(order(fence(1, 5), SlotHold::Promised { round: 2 }, range));
    orders.push(order(fence(2, 6), SlotHold::Gone, range));
    for (nth, next) in orders.iter().enumerate() {
        assert_eq!(group.one(next.clone()), Verdict::Changed);
        assert_eq!(group.one(next.clone()), Verdict::Changed, "the same order again is no news");
        let before = group.store.clone();
        for old in &orders[..nth] {
            assert_eq!(group.one(old.clone()), Verdict::Fenced);
        }
        assert_eq!(group.store, before);
    }
    // Of one moment, another order: nobody gives it, and nobody follows it.
    assert_eq!(group.one(order(fence(2, 6), SlotHold::Owned, range)), Verdict::Fenced);
}

#[test]
fn a_slot_skips_no_state() {
    let range = (slot(0), slot(5));
    let skipped = |mut group: Group, hold| group.one(order(fence(2, 9), hold, range));
    let owned = || group(1, &[range]);
    let (frozen, promised) = (SlotHold::Frozen { round: 1 }, SlotHold::Promised { round: 1 });
    for hold in [SlotHold::Gone, SlotHold::Incoming, frozen, promised, SlotHold::Moving { round: 2 }] {
        assert_eq!(skipped(owned(), hold), Verdict::OutOfOrder, "{hold:?}");
    }
    for hold in [SlotHold::Owned, SlotHold::Moving { round: 1 }, frozen, SlotHold::Promised { round: 0 }] {
        assert_eq!(skipped(group(1, &[]), hold), Verdict::OutOfOrder, "{hold:?}");
    }
    // One slot that cannot follow holds back all of them.
    let mut mixed = group(1, &[(slot(0), slot(4))]);
    let before = mixed.store.clone();
    assert_eq!(mixed.one(order(fence(2, 9), SlotHold::Moving { round: 1 }, range)), Verdict::OutOfOrder);
    assert_eq!(mixed.store, before);
}

#[test]
fn rows_are_taken_only_in_the_step_that_they_were_read_in() {
    let range = (slot(1), slot(1));
    let mut target = group(2, &[]);
    let row = MovedRow { family: Family::Rules, key: [&[0, 1][..], &[7; 16]].concat().into(), value: None };
    let import = |stamp, rows| Item::Import(Import { fence: fence(1, stamp), time: UnixMillis(NOW + HOUR), rows });
    assert_eq!(target.one(import(1, vec![row.clone()])), Verdict::Fenced, "the slot is not awaited");
    target.one(order(fence(1, 2), SlotHold::Incoming, range));
    assert_eq!(target.one(import(1, vec![row.clone()])), Verdict::Fenced);
    assert_eq!(target.one(import(2, vec![row.clone()])), Verdict::Changed);
    target.one(order(fence(1, 3), SlotHold::Incoming, range));
    assert_eq!(target.one(import(2, vec![row.clone()])), Verdict::Fenced, "a later round has begun");
    target.one(order(fence(2, 4), SlotHold::Owned, range));
    assert_eq!(target.one(import(4, vec![row])), Verdict::Fenced, "the slot is in use");
    // Rows are of patients: neither a slot's state nor the group's comes from elsewhere.
    for key in [&[0, 1, 0][..], &[0, 1, 2, 0, 0, 0, 1, 0, 9], &[0xFF, 0xFF]] {
        let foreign = MovedRow { family: Family::System, key: key.to_vec().into(), value: Some(Bytes::new()) };
        assert_eq!(target.one(import(4, vec![foreign])), Verdict::Malformed);
    }
    // Her time does not go back.
    target.by(by(1), note(0, &[]));
    let (rows, _) = read::audit_rows(&target.store, &patient(1), AuditSeq(0), 1).unwrap();
    assert_eq!(AuditContent::decode(&rows[0].content).unwrap().time, UnixMillis(NOW + HOUR));
}

#[test]
fn a_slot_that_left_rows_behind_is_purged_before_it_may_come_again() {
    let range = (slot(1), slot(1));
    let mut group = group(1, &[range]);
    for id in 1..=100 {
        group.by(by(1), ItemKind::Put(put(id, 1, 10)));
    }
    group.one(order(fence(1, 1), SlotHold::Moving { round: 1 }, range));
    for id in 101..=200 {
        group.by(by(1), ItemKind::Put(put(id, 1, 10)));
    }
    group.one(order(fence(1, 2), SlotHold::Frozen { round: 1 }, range));
    assert_eq!(group.one(order(fence(2, 3), SlotHold::Gone, range)), Verdict::OutOfOrder, "it was not promised");
    group.one(order(fence(1, 2), SlotHold::Promised { round: 1 }, range));
    let purge = |stamp| Item::Purge(Purge { fence: fence(2, stamp), range });
    assert_eq!(group.one(purge(3)), Verdict::Fenced);
    group.one(order(fence(2, 3), SlotHold::Gone, range));
    assert_eq!(group.one(order(fence(2, 4), SlotHold::Incoming, range)), Verdict::OutOfOrder);
    assert!(matches!(group.one(purge(3)), Verdict::Purged { next: Some(_) }), "it takes more than one");
    purge_all(&mut group, fence(2, 3), range);
    assert!(rows_of(&group.store, range).is_empty());
    assert_eq!(group.one(order(fence(2, 4), SlotHold::Incoming, range)), Verdict::Changed);
}

#[test]
fn notes_of_an_abandoned_move_are_removed_and_nothing_else() {
    let range = (slot(1), slot(1));
    let mut group = group(1, &[range]);
    group.by(by(1), ItemKind::Put(put(1, 1, 10)));
    group.one(order(fence(1, 1), SlotHold::Moving { round: 1 }, range));
    group.by(by(1), ItemKind::Put(put(2, 1, 10)));
    group.one(order(fence(1, 2), SlotHold::Owned, range));
    let notes =
        |store: &Memory| rows_of(store, range).keys().filter(|(f, k)| *f == Family::System && k[2] == 2).count();
    assert!(notes(&group.store) > 0);
    let before = rows_of(&group.store, range).len() - notes(&group.store);
    purge_all(&mut group, fence(1, 2), range);
    assert_eq!((notes(&group.store), rows_of(&group.store, range).len()), (0, before));
}

#[test]
fn a_chunk_is_bounded_and_a_large_row_travels_alone() {
    let range = (slot(1), slot(1));
    let mut group = group(1, &[range]);
    let large = |id| ItemKind::Put(PutRecord { body: vec![id; 3 << 20].into(), ..put(id, 1, 10) });
    for id in 1..=3 {
        group.by(by(1), large(id));
    }
    for id in 4..=250 {
        group.by(by(1), ItemKind::Put(put(id, 1, 10)));
    }
    group.one(order(fence(1, 1), SlotHold::Moving { round: 1 }, range));
    for id in 1..=3 {
        group.by(by(1), ItemKind::Delete(delete(id, 1)));
    }
    let leaving = transfer::leaving(&group.store, range, fence(1, 1)).unwrap().unwrap();
    let (mut after, mut all, mut chunks) = (None, BTreeMap::new(), 0);
    loop {
        let Chunk { rows, next } = transfer::chunk(&group.store, &leaving, after.as_ref(), usize::MAX).unwrap();
        let bytes: usize = rows.iter().map(MovedRow::bytes).sum();
        assert!(rows.len() <= transfer::CHUNK_MAX_ROWS && (bytes <= transfer::CHUNK_MAX_BYTES || rows.len() == 1));
        chunks += 1;
        all.extend(rows.into_iter().map(|row| ((row.family, row.key.to_vec()), row.value.unwrap())));
        match next {
            Some(next) => after = Some(Place::decode(&next.encode()).unwrap()),
            None => break,
        }
    }
    assert!(chunks > 1);
    let moving =
        rows_of(&group.store, range).into_iter().filter(|((family, key), _)| *family != Family::System || key[2] == 1);
    assert_eq!(all, moving.collect());
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        patient: u8,
        id: u8,
        version: u32,
        idem: u8,
        content: u8,
    },
    Delete {
        patient: u8,
        id: u8,
        version: u32,
        idem: u8,
    },
    SetRules {
        patient: u8,
        expected: u64,
    },
    Note {
        patient: u8,
    },
    /// Time passes.
    Tick {
        millis: u64,
    },
    /// The placement changes in something else: orders bear another stamp from here on.
    Restamp,
    /// Whoever was promised the slots in this round, and has not said so until now, says so.
    Decide,
    /// A move begins, if none is under way.
    Move {
        first: Index,
        last: Index,
        to: Index,
    },
    /// The mover does the next thing, or some of it: at most so many chunks. `again` copies another round, or thaws;
    /// `killed` is a mover that ended before it could say how far it got.
    Advance {
        again: bool,
        killed: bool,
        chunks: usize,
    },
    /// The mover gives up.
    Abandon,
    /// Something that was sent before arrives again.
    Late(Index),
}

fn arb_step() -> impl Strategy<Value = Step> {
    let patient = 0_u8..u8::try_from(SLOTS).unwrap();
    let write = (patient.clone(), 1_u8..4, 1_u32..4, 0_u8..12, 0_u8..2);
    prop_oneof![
        12 => write.clone().prop_map(|(patient, id, version, idem, content)| Step::Put { patient, id, version, idem, content }),
        3 => write.prop_map(|(patient, id, version, idem, _)| Step::Delete { patient, id, version, idem }),
        1 => (patient.clone(), 0_u64..3).prop_map(|(patient, expected)| Step::SetRules { patient, expected }),
        3 => patient.prop_map(|patient| Step::Note { patient }),
        1 => (0_u64..20).prop_map(|hours| Step::Tick { millis: hours * HOUR }),
        4 => (0..2 * FREEZE_MILLIS).prop_map(|millis| Step::Tick { millis }),
        2 => Just(Step::Restamp),
        1 => Just(Step::Decide),
        2 => any::<[Index; 3]>().prop_map(|[first, last, to]| Step::Move { first, last, to }),
        16 => (weighted(0.25), weighted(0.15), 1_usize..4).prop_map(|(again, killed, chunks)| Step::Advance { again, killed, chunks }),
        1 => Just(Step::Abandon),
        6 => any::<Index>().prop_map(Step::Late),
    ]
}

/// How far a move got, as the placement would have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Clear,
    Copy(u32),
    Freeze(u32),
    Delta(u32),
    Activate,
    Purge,
}

#[derive(Clone, Debug)]
struct Job {
    from: usize,
    to: usize,
    range: (Slot, Slot),
    at: At,
    /// Where the copy of this step goes on. A mover that was killed has forgotten it.
    place: Option<Place>,
    /// Whether this mover has copied what was left after the freeze.
    copied: bool,
    /// Whether some mover was promised the slots in this round.
    promised: bool,
}

/// Three groups, their mover, and everything that was ever sent.
struct World {
    groups: Vec<Group>,
    owner: [usize; SLOTS as usize],
    fence: Fence,
    job: Option<Job>,
    sent: Vec<(usize, Item)>,
}

impl World {
    fn new() -> Self {
        let groups = vec![group(1, &[(slot(0), slot(3))]), group(2, &[(slot(4), slot(5))]), group(3, &[])];
        Self { groups, owner: [0, 0, 0, 0, 1, 1], fence: fence(1, 0), job: None, sent: vec![] }
    }

    fn send(&mut self, to: usize, item: Item) -> Verdict {
        self.sent.push((to, item.clone()));
        self.groups[to].one(item)
    }

    fn must(&mut self, to: usize, item: Item) {
        let verdict = self.send(to, item);
        assert_eq!(verdict, Verdict::Changed);
    }

    fn advance(&mut self, again: bool, killed: bool, chunks: usize) {
        let Some(mut job) = self.job.take() else { return };
        let fence = self.fence;
        let next = match job.at {
            At::Clear => {
                self.must(job.to, order(fence, SlotHold::Gone, job.range));
                self.purge(job.to, job.range);
                Some(At::Copy(1))
            }
            At::Copy(round) => {
                self.must(job.from, order(fence, SlotHold::Moving { round }, job.range));
                self.must(job.to, order(fence, SlotHold::Incoming, job.range));
                let copied = self.copy(&mut job, chunks).unwrap();
                copied.then_some(if again { At::Copy(round + 1) } else { At::Freeze(round) })
            }
            At::Freeze(round) => match self.send(job.from, order(fence, SlotHold::Frozen { round }, job.range)) {
                Verdict::Changed if !again => Some(At::Delta(round)),
                // It lapsed before the placement said that there was one, or it took too long.
                Verdict::Changed | Verdict::OutOfOrder => Some(At::Copy(round + 1)),
                other => panic!("{other:?}"),
            },
            At::Delta(round) => self.delta(&mut job, round, again, chunks),
            At::Activate => {
                self.must(job.to, order(fence, SlotHold::Owned, job.range));
                self.must(job.from, order(fence, SlotHold::Gone, job.range));
                Some(At::Purge)
            }
            At::Purge => {
                self.must(job.from, order(fence, SlotHold::Gone, job.range));
                self.purge(job.from, job.range);
                assert!(rows_of(&self.groups[job.from].store, job.range).is_empty());
                None
            }
        };
        // A mover that was killed knows only what the placement says: the step, not how far it got in it.
        if killed {
            self.job = Some(Job { place: None, copied: false, ..job });
            return;
        }
        match (job.at, next) {
            (At::Purge, _) => self.fence.stamp += 1,
            (_, None) => self.job = Some(job),
            (_, Some(next)) => self.decide(job, next),
        }
    }

    /// The placement names the next step.
    fn decide(&mut self, job: Job, next: At) {
        self.fence.stamp += 1;
        if next == At::Activate {
            assert!(job.promised, "the placement changes on a promise only");
            self.fence.epoch.0 += 1;
            let inside = |n: &usize| (job.range.0.get()..=job.range.1.get()).contains(&u16::try_from(*n).unwrap());
            (0..self.owner.len()).filter(inside).for_each(|n| self.owner[n] = job.to);
        }
        self.job = Some(Job { at: next, place: None, copied: false, promised: false, ..job });
    }

    /// Frozen, what was noted last is copied, and then the slots are promised; where the freeze has lapsed, another round.
    fn delta(&mut self, job: &mut Job, round: u32, again: bool, chunks: usize) -> Option<At> {
        let lapsed = Some(At::Copy(round + 1));
        if job.copied {
            let (first, last) = job.range;
            let slots = first.get()..=last.get();
            let served = slots.into_iter().any(|n| self.owners(u8::try_from(n).unwrap()) > 0);
            return match self.send(job.from, order(self.fence, SlotHold::Promised { round }, job.range)) {
                Verdict::Changed => {
                    assert!(!served, "slots are promised that are served");
                    job.promised = true;
                    Some(At::Activate)
                }
                Verdict::OutOfOrder => lapsed,
                other => panic!("{other:?}"),
            };
        }
        match self.send(job.from, order(self.fence, SlotHold::Frozen { round }, job.range)) {
            Verdict::Changed => {}
            Verdict::OutOfOrder => return lapsed,
            other => panic!("{other:?}"),
        }
        self.must(job.to, order(self.fence, SlotHold::Incoming, job.range));
        match self.copy(job, chunks) {
            Ok(true) if !again => job.copied = true,
            Ok(false) => {}
            Ok(true) | Err(_) => return lapsed,
        }
        None
    }

    /// A mover that was promised the slots comes to say so after others have begun the step anew.
    fn decide_late(&mut self) {
        if let Some(job) = self.job.take_if(|job| job.promised && matches!(job.at, At::Delta(_))) {
            self.decide(job, At::Activate);
        }
    }

    /// Orders bear another stamp; a copy under way begins anew.
    fn restamp(&mut self) {
        if let Some(job) = &mut self.job {
            self.fence.stamp += 1;
            (job.place, job.copied) = (None, false);
        }
    }

    /// How many groups serve a patient now.
    fn owners(&self, n: u8) -> usize {
        let serves = |group: &&Group| {
            let admission = read::admit(&group.store, &patient(n), by(n).capability, group.now).unwrap();
            matches!(admission, read::Admission::Admitted(_))
        };
        self.groups.iter().filter(serves).count()
    }

    fn purge(&mut self, of: usize, range: (Slot, Slot)) {
        self.sent.push((of, Item::Purge(Purge { fence: self.fence, range })));
        purge_all(&mut self.groups[of], self.fence, range);
    }

    /// Whether the round is complete.
    fn copy(&mut self, job: &mut Job, chunks: usize) -> Result<bool, NotLeaving> {
        let leaving = transfer::leaving(&self.groups[job.from].store, job.range, self.fence).unwrap()?;
        for _ in 0..chunks {
            // Chunks of a few rows, so that a round has several.
            let Chunk { rows, next } =
                transfer::chunk(&self.groups[job.from].store, &leaving, job.place.as_ref(), 7).unwrap();
            let time = read::group_head(&self.groups[job.from].store).unwrap().unwrap().time;
            self.must(job.to, Item::Import(Import { fence: self.fence, time, rows }));
            job.place = next;
            if job.place.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn abandon(&mut self) {
        let Some(job) = self.job.take() else { return };
        if matches!(job.at, At::Activate | At::Purge) {
            self.job = Some(job);
            return;
        }
        self.fence.stamp += 1;
        self.must(job.from, order(self.fence, SlotHold::Owned, job.range));
        self.purge(job.from, job.range);
        self.must(job.to, order(self.fence, SlotHold::Gone, job.range));
        self.purge(job.to, job.range);
        assert!(rows_of(&self.groups[job.to].store, job.range).is_empty());
        self.fence.stamp += 1;
    }

    /// As a client does: wherever the slot is served, as soon as it is.
    fn ask(&mut self, item: &Item, patient: u8) -> Verdict {
        for _ in 0..1_000 {
            let verdict = self.groups[self.owner[usize::from(patient)]].one(item.clone());
            match verdict {
                Verdict::WrongOwner { .. } => self.advance(false, false, 3),
                verdict => return verdict,
            }
        }
        panic!("the slot is never served again");
    }
}

fn item(step: &Step) -> Option<(u8, Item)> {
    let (patient, kind) = match *step {
        Step::Put { patient, id, version, idem, content } => {
            let tags = PutRecord {
                idem: IdemTag::from_bytes([idem; 16]),
                content: ContentTag::from_bytes([content; 16]),
                ..put(id, version, u16::try_from(version).unwrap())
            };
            (patient, ItemKind::Put(tags))
        }
        Step::Delete { patient, id, version, idem } => {
            let tags = DeleteRecord { idem: IdemTag::from_bytes([idem; 16]), ..delete(id, version) };
            (patient, ItemKind::Delete(tags))
        }
        Step::SetRules { patient, expected } => (patient, set_rules(RuleSet::UNSET, expected)),
        Step::Note { patient } => (patient, note(0, &[])),
        _ => return None,
    };
    Some((patient, Item::Patient { access: by(patient), kind }))
}

/// A verdict without the row's place in its log, which is the group's.
fn without_leaf(verdict: Verdict) -> String {
    let text = format!("{verdict:?}");
    let mut parts = text.split("leaf: LeafIndex(");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, rest| text + rest.split_once(')').unwrap().1)
}

/// Everything about a patient, audit rows by what they say.
fn seen(store: &Memory, n: u8) -> (Rows, Vec<AuditContent>) {
    let mut rows = rows_of(store, (slot(u32::from(n)), slot(u32::from(n))));
    rows.retain(|(family, key), _| *family != Family::Audit && (*family != Family::System || key[2] == 1));
    let (audit, more) = read::audit_rows(store, &patient(n), AuditSeq(0), 500).unwrap();
    assert!(!more && audit.iter().all(|row| row.hash_holds()));
    (rows, audit.iter().map(|row| AuditContent::decode(&row.content).unwrap()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn patients_who_move_live_as_if_they_never_had(steps in proptest::collection::vec(arb_step(), 1..120)) {
        let mut world = World::new();
        let mut model = group(9, &[(slot(0), slot(SLOTS - 1))]);
        for step in &steps {
            match step {
                Step::Tick { millis } => {
                    let now = model.now.plus_millis(*millis);
                    world.groups.iter_mut().chain([&mut model]).for_each(|group| group.now = now);
                }
                Step::Restamp => world.restamp(),
                Step::Decide => world.decide_late(),
                Step::Move { first, last, to } => {
                    let from = world.owner[first.index(SLOTS as usize)];
                    let first = first.index(SLOTS as usize);
                    let run = world.owner[first..].iter().take_while(|owner| **owner == from).count();
                    let range = (slot(u32::try_from(first).unwrap()), slot(u32::try_from(first + last.index(run)).unwrap()));
                    let to = (from + 1 + to.index(2)) % 3;
                    if world.job.is_none() {
                        world.fence.stamp += 1;
                        world.job = Some(Job { from, to, range, at: At::Clear, place: None, copied: false, promised: false });
                    }
                }
                Step::Advance { again, killed, chunks } => world.advance(*again, *killed, *chunks),
                Step::Abandon => world.abandon(),
                Step::Late(which) if !world.sent.is_empty() => {
                    let (to, item) = world.sent[which.index(world.sent.len())].clone();
                    world.groups[to].one(item);
                }
                Step::Late(_) => {}
                step => {
                    let (patient, item) = item(step).unwrap();
                    let (moved, stayed) = (world.ask(&item, patient), model.one(item));
                    prop_assert_eq!(without_leaf(moved), without_leaf(stayed), "{:?}", step);
                }
            }
            for n in 0..u8::try_from(SLOTS).unwrap() {
                prop_assert!(world.owners(n) <= 1, "patient {} has two owners after {:?}", n, step);
            }
        }
        for _ in 0..10_000 {
            world.advance(false, false, 3);
        }
        prop_assert!(world.job.is_none());
        for n in 0..u8::try_from(SLOTS).unwrap() {
            let owner = world.owner[usize::from(n)];
            prop_assert_eq!(seen(&world.groups[owner].store, n), seen(&model.store, n), "patient {}", n);
            let range = (slot(u32::from(n)), slot(u32::from(n)));
            for (other, group) in world.groups.iter().enumerate().filter(|(other, _)| *other != owner) {
                prop_assert!(rows_of(&group.store, range).is_empty(), "group {} keeps rows of slot {}", other, n);
            }
        }
    }
}

#[test]
fn only_slots_of_one_step_are_copied() {
    let mut group = group(1, &[(slot(0), slot(5))]);
    let leaving = |group: &Group, range, stamp| transfer::leaving(&group.store, range, fence(1, stamp)).unwrap();
    assert_eq!(leaving(&group, (slot(0), slot(5)), 0), Err(NotLeaving::Staying));
    group.one(order(fence(1, 1), SlotHold::Moving { round: 1 }, (slot(0), slot(2))));
    assert!(leaving(&group, (slot(0), slot(2)), 1).is_ok());
    assert_eq!(leaving(&group, (slot(0), slot(3)), 1), Err(NotLeaving::Fenced));
    assert_eq!(leaving(&group, (slot(0), slot(2)), 2), Err(NotLeaving::Fenced), "the order has not arrived");
}
