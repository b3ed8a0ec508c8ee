//! Moving the rows of slots from one group to another.
//!
//! The source is copied in rounds while it serves: round 1 takes everything, each further one the keys that were noted
//! in the round before. Then the source is frozen, what the last round noted is copied, and the source promises the slots.
//! Rows enter the target by its log, so each of its replicas has them by consensus.
//!
//! Why the target ends up with exactly what the source holds that promised it, whatever is repeated, delayed or half done:
//!
//! * A key that changes after round n began at the source is noted in round n or a later one. Any view of the source that
//!   shows round n therefore agrees with any other such view on all keys but those noted in n or later.
//! * So the chunks of two attempts at round n, made from two views, may mix in any order: a key on which they differ is
//!   noted, and copied again in round n + 1, or after the freeze. Nothing changes in a frozen slot: views of one freeze
//!   agree on every key, and the last copies of all keys are equal.
//! * A freeze that lapsed may have been copied in part. What changes from then on is noted in a round of its own, the slot is
//!   not promised any more, and the next round copies on.
//! * A chunk that was made in an earlier step never lands in a later one: it bears the fence of its step, and the target's
//!   slots bear that of theirs; [`Import`] is applied only where the two are equal and the slot is incoming. So no old
//!   value overwrites a newer one, and none comes after the slot was activated.
//! * A view is proof by itself: it shows hold and fence of the slots, and rows of the same moment. Whether the replica that
//!   gave it still leads does not matter.

use core::ops::ControlFlow;

use bytes::Bytes;
use renkei_ids::{Slot, UnixMillis};

use crate::keys::{self, Family, Key};
use crate::read;
use crate::rows::GroupHead;
use crate::slots::{self, Fence, SlotHold, SlotState};
use crate::store::{Direction, ShardError, Store, View};
use crate::verdict::Verdict;

/// Most rows in a chunk.
pub const CHUNK_MAX_ROWS: usize = 1_000;
/// Bytes of keys and values after which a chunk is full. A row that is larger travels alone.
pub const CHUNK_MAX_BYTES: usize = 1 << 20;
/// Most rows that one purge deletes, so that no apply grows long.
const PURGE_MAX_ROWS: usize = 1_000;
/// Bytes of values that one purge passes over: they are read on the way.
const PURGE_MAX_BYTES: usize = 4 << 20;
/// Most slots that one purge looks at.
const PURGE_MAX_SLOTS: usize = 64;

type Result<T, V> = core::result::Result<T, ShardError<<V as View>::Error>>;

/// A row on its way, or the news that there is none any more.
#[derive(Clone, PartialEq, Eq)]
pub struct MovedRow {
    /// Its family.
    pub family: Family,
    /// Its key.
    pub key: Bytes,
    /// Its value; `None` where it was deleted.
    pub value: Option<Bytes>,
}

impl MovedRow {
    /// Whether it is a row of a patient: how slots stand, and what is noted about them, stays where it is.
    pub fn moves(&self) -> bool {
        keys::moves(self.family, &self.key)
    }

    /// Bytes of key and value.
    pub fn bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// Keys and values are a patient's, so only sizes are shown.
impl core::fmt::Debug for MovedRow {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MovedRow")
            .field("family", &self.family)
            .field("key_len", &self.key.len())
            .field("value_len", &self.value.as_ref().map(Bytes::len))
            .finish()
    }
}

/// Rows for the target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// That of the step in which they were read.
    pub fence: Fence,
    /// Group time of the source: the target's is taken to it, so that time does not go back for a patient.
    pub time: UnixMillis,
    /// The rows, at most [`CHUNK_MAX_ROWS`].
    pub rows: Vec<MovedRow>,
}

/// Removes what a departed slot left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purge {
    /// That under which the slots are gone.
    pub fence: Fence,
    /// First and last slot.
    pub range: (Slot, Slot),
}

/// Where a copy goes on: behind a key. It names a patient, and is nobody's to print.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    family: Family,
    key: Bytes,
}

impl core::fmt::Debug for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Place").field("family", &self.family).finish_non_exhaustive()
    }
}

/// Bytes that are no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a copy cannot go on there")]
pub struct InvalidPlace;

impl Place {
    /// The place's bytes.
    pub fn encode(&self) -> Bytes {
        let Self { family, key } = self;
        [&[*family as u8], &key[..]].concat().into()
    }

    /// Reads a place.
    ///
    /// # Errors
    /// [`InvalidPlace`].
    pub fn decode(bytes: &Bytes) -> core::result::Result<Self, InvalidPlace> {
        let family = bytes.first().and_then(|number| Family::from_number(*number)).ok_or(InvalidPlace)?;
        let key = bytes.slice(1..);
        // One byte more is pushed to go on behind it.
        let is_key = keys::slot_of(&key).is_some() && key.len() < keys::KEY_MAX_BYTES;
        if is_key { Ok(Self { family, key }) } else { Err(InvalidPlace) }
    }
}

/// Part of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The rows.
    pub rows: Vec<MovedRow>,
    /// Where the round goes on; `None` at its end.
    pub next: Option<Place>,
}

/// Why a view cannot be copied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotLeaving {
    /// The slots do not all bear the fence of the step: the order has not arrived here, or a later one has.
    #[error("the slots follow another order")]
    Fenced,
    /// The slots are not on their way to another group, or their freeze has lapsed.
    #[error("the slots are not leaving")]
    Staying,
}

/// What a view of the source shows of slots that leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    range: (Slot, Slot),
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Everything,
    NotedIn(u32),
}

/// Whether the slots of a range leave this group in the step of this fence, and what a round copies then.
///
/// # Errors
/// Those of the store.
pub fn leaving<V: View>(
    view: &V,
    range: (Slot, Slot),
    fence: Fence,
) -> Result<core::result::Result<Leaving, NotLeaving>, V> {
    let Some(state) = slots::common_state(view, range)? else { return Ok(Err(NotLeaving::Fenced)) };
    if state.fence != fence {
        return Ok(Err(NotLeaving::Fenced));
    }
    let time = read::group_head(view)?.map_or(UnixMillis(0), |head| head.time);
    let part = match (state.hold, state.at(time)) {
        (SlotHold::Moving { round: 1 }, _) => Part::Everything,
        (SlotHold::Moving { round }, _) => Part::NotedIn(round - 1),
        (SlotHold::Promised { round }, _) | (_, SlotHold::Frozen { round }) => Part::NotedIn(round),
        _ => return Ok(Err(NotLeaving::Staying)),
    };
    Ok(Ok(Leaving { range, part }))
}

/// The next part of a round, of at most so many rows, from the very view that showed the slots leaving.
///
/// # Errors
/// Those of the store.
pub fn chunk<V: View>(view: &V, leaving: &Leaving, after: Option<&Place>, max_rows: usize) -> Result<Chunk, V> {
    let filling = Filling { max_rows: max_rows.clamp(1, CHUNK_MAX_ROWS), ..Filling::default() };
    match leaving.part {
        Part::Everything => everything(view, leaving.range, after, filling),
        Part::NotedIn(round) => noted(view, leaving.range, round, after, filling),
    }
}

fn everything<V: View>(view: &V, range: (Slot, Slot), after: Option<&Place>, mut filling: Filling) -> Result<Chunk, V> {
    for family in Family::ALL.into_iter().filter(|family| after.is_none_or(|after| after.family <= *family)) {
        let behind = after.filter(|after| after.family == family).map(|after| keys::behind(&after.key));
        for (first, end) in spans(family, range) {
            let first = behind.map_or(first, |behind| first.max_key(behind));
            view.scan(family, &first, &end, Direction::Forward, &mut |key, value| {
                filling.offer(MovedRowRef { family, key, value: Some(value) })
            })
            .map_err(ShardError::Store)?;
            if filling.full {
                let last = filling.rows.last().expect("a chunk that is full has a row");
                let next = Some(Place { family: last.family, key: last.key.clone() });
                return Ok(Chunk { rows: filling.rows, next });
            }
        }
    }
    Ok(Chunk { rows: filling.rows, next: None })
}

/// The ranges of keys that move, in one family.
fn spans(family: Family, (first, last): (Slot, Slot)) -> Vec<(Key, Key)> {
    match family {
        Family::System => Slot::all()
            .filter(|slot| first <= *slot && *slot <= last)
            .map(|slot| (keys::patient_heads(slot), keys::patient_heads(slot).end()))
            .collect(),
        _ => vec![(keys::slot(first), keys::slot(last).end())],
    }
}

/// The keys noted in a round, each with what is stored under it now.
fn noted<V: View>(
    view: &V,
    (first, last): (Slot, Slot),
    round: u32,
    after: Option<&Place>,
    mut filling: Filling,
) -> Result<Chunk, V> {
    let behind = after.map(|after| keys::behind(&after.key));
    let mut next = None;
    for slot in Slot::all().filter(|slot| first <= *slot && *slot <= last) {
        let notes = keys::noted_in(slot, round);
        let start = behind.map_or(notes, |behind| notes.max_key(behind));
        let mut unread = false;
        let mut found = Vec::new();
        view.scan(Family::System, &start, &notes.end(), Direction::Forward, &mut |note, _| {
            match keys::parse_noted(note) {
                Some((family, key)) => found.push((Key::of(note), family, key)),
                None => unread = true,
            }
            // No more than can be copied, however large the values turn out to be.
            if unread || found.len() > filling.max_rows { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .map_err(ShardError::Store)?;
        if unread {
            return Err(ShardError::Corrupt { row: "note of a moving slot" });
        }
        for (note, family, key) in found {
            let value = view.get(family, &key).map_err(ShardError::Store)?;
            if filling.offer(MovedRowRef { family, key: &key, value: value.as_deref() }).is_break() {
                return Ok(Chunk { rows: filling.rows, next });
            }
            next = Some(Place { family: Family::System, key: Bytes::copy_from_slice(&note) });
        }
    }
    Ok(Chunk { rows: filling.rows, next: None })
}

struct MovedRowRef<'a> {
    family: Family,
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

#[derive(Default)]
struct Filling {
    rows: Vec<MovedRow>,
    bytes: usize,
    max_rows: usize,
    full: bool,
}

impl Filling {
    /// Takes a row, or breaks where the chunk has no room for it. The first one always has.
    fn offer(&mut self, row: MovedRowRef<'_>) -> ControlFlow<()> {
        let MovedRowRef { family, key, value } = row;
        let bytes = self.bytes + key.len() + value.map_or(0, <[u8]>::len);
        if !self.rows.is_empty() && (self.rows.len() == self.max_rows || bytes > CHUNK_MAX_BYTES) {
            self.full = true;
            return ControlFlow::Break(());
        }
        self.bytes = bytes;
        let value = value.map(Bytes::copy_from_slice);
        self.rows.push(MovedRow { family, key: Bytes::copy_from_slice(key), value });
        ControlFlow::Continue(())
    }
}

/// Takes rows in: all of them, or, where a slot does not wait for them in this step, none.
pub(crate) fn import<S: Store>(store: &mut S, group: &mut GroupHead, import: &Import) -> Result<Verdict, S> {
    let Import { fence, time, rows } = import;
    let awaited = SlotState::new(SlotHold::Incoming, *fence);
    let mut seen = None;
    for slot in rows.iter().filter_map(|row| keys::slot_of(&row.key)) {
        if seen != Some(slot) && slots::state(store, slot)? != awaited {
            return Ok(Verdict::Fenced);
        }
        seen = Some(slot);
    }
    group.time = group.time.max(*time);
    for MovedRow { family, key, value } in rows {
        match value {
            Some(value) => store.put(*family, key, value.clone()),
            None => store.delete(*family, key),
        }
    }
    Ok(Verdict::Changed)
}

/// Removes rows of slots that are gone, and notes of slots that stayed after all.
pub(crate) fn purge<S: Store>(store: &mut S, purge: &Purge) -> Result<Verdict, S> {
    let Purge { fence, range: (first, last) } = purge;
    let mut room = Room { rows: PURGE_MAX_ROWS, bytes: PURGE_MAX_BYTES };
    for (nth, slot) in Slot::all().filter(|slot| first <= slot && slot <= last).enumerate() {
        if nth == PURGE_MAX_SLOTS {
            return Ok(Verdict::Purged { next: Some(slot) });
        }
        let state = slots::state(store, slot)?;
        if state.fence != *fence {
            return Ok(Verdict::Fenced);
        }
        let whole = match state.hold {
            SlotHold::Gone => true,
            SlotHold::Owned => false,
            SlotHold::Purged => continue,
            SlotHold::Moving { .. } | SlotHold::Frozen { .. } | SlotHold::Promised { .. } | SlotHold::Incoming => {
                return Ok(Verdict::OutOfOrder);
            }
        };
        if !purge_slot(store, slot, whole, &mut room)? {
            return Ok(Verdict::Purged { next: Some(slot) });
        }
        if whole {
            slots::hold(store, slot, &SlotState::new(SlotHold::Purged, state.fence));
        }
    }
    Ok(Verdict::Purged { next: None })
}

struct Room {
    rows: usize,
    bytes: usize,
}

/// Whether nothing is left of the slot, or of its notes.
fn purge_slot<S: Store>(store: &mut S, slot: Slot, whole: bool, room: &mut Room) -> Result<bool, S> {
    let of_family = |family| match family {
        Family::System if whole => vec![keys::patient_heads(slot), keys::all_noted(slot)],
        Family::System => vec![keys::all_noted(slot)],
        _ if whole => vec![keys::slot(slot)],
        _ => vec![],
    };
    for family in Family::ALL {
        for prefix in of_family(family) {
            let mut found: Vec<Key> = Vec::new();
            store
                .scan(family, &prefix, &prefix.end(), Direction::Forward, &mut |key, value| {
                    if room.rows == 0 || room.bytes == 0 {
                        return ControlFlow::Break(());
                    }
                    room.rows -= 1;
                    room.bytes = room.bytes.saturating_sub(value.len());
                    found.push(Key::of(key));
                    ControlFlow::Continue(())
                })
                .map_err(ShardError::Store)?;
            found.iter().for_each(|key| store.delete(family, key));
            if room.rows == 0 || room.bytes == 0 {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
