//! What a command does. Total: every item gets its verdict, and only the store can fail.
//!
//! Ownership, revocation, expiry and scope are decided here for each item, whatever the leader saw before it proposed.

use core::ops::ControlFlow;

use bytes::Bytes;
use renkei_faults::{Mutation, mutated};
use renkei_ids::{AuditSeq, LeafIndex, LogId, Pid, RecordId, RecordVersion, UnixMillis};

use crate::audit::{AuditContent, AuditRow};
use crate::command::{Access, Command, DeleteRecord, Item, ItemKind, Note, Operation, Outcome, PutRecord, SetRules};
use crate::keys::{self, Family};
use crate::noting::Noting;
use crate::rows::{GroupHead, PatientHead, RecordHead, Row, StoredReply, SummaryRow, Superseded, Tombstone};
use crate::store::{Direction, ShardError, Store, View};
use crate::verdict::{Recorded, Verdict, Verdicts};
use crate::{slots, transfer};

/// How long a stored reply answers a retry.
const IDEMPOTENCY_WINDOW_MILLIS: u64 = 24 * 3_600_000;
/// Stored replies cleared with each write, so that clearing keeps up with writing and no apply grows long.
const EXPIRIES_PER_WRITE: usize = 4;
/// Most versions of a record.
const VERSIONS_MAX: u32 = 1_000;
/// Most live revocations of a patient.
const REVOCATIONS_MAX: usize = 64;

type Result<T, S> = core::result::Result<T, ShardError<<S as View>::Error>>;

/// Applies one log entry and gives the reply of the state machine: encoded [`Verdicts`].
///
/// # Errors
/// When the store fails, or holds a row that does not read back. The caller must then stop the replica.
pub fn apply<S: Store>(store: &mut S, entry: &Bytes) -> Result<Bytes, S> {
    let Ok(Command { time, items }) = Command::decode(entry) else {
        return Ok(Verdicts { log: None, verdicts: vec![Verdict::Malformed] }.encode());
    };
    let head: Option<GroupHead> = load(store, Family::System, &keys::group_head())?;
    let mut group = match head {
        Some(head) => Group::Founded(GroupHead { time: head.time.max(time), ..head }),
        None => Group::Unfounded(time),
    };
    let mut verdicts = Vec::with_capacity(items.len());
    for item in &items {
        verdicts.push(apply_item(store, &mut group, item)?);
    }
    if let Group::Founded(head) = &group {
        save(store, Family::System, &keys::group_head(), head);
    }
    Ok(Verdicts { log: group.log(), verdicts }.encode())
}

enum Group {
    Unfounded(UnixMillis),
    Founded(GroupHead),
}

impl Group {
    fn log(&self) -> Option<LogId> {
        match self {
            Self::Unfounded(_) => None,
            Self::Founded(head) => Some(head.log),
        }
    }
}

fn apply_item<S: Store>(store: &mut S, group: &mut Group, item: &Bytes) -> Result<Verdict, S> {
    let Ok(item) = Item::decode(item) else {
        return Ok(Verdict::Malformed);
    };
    match (item, &mut *group) {
        (Item::Found { log, slots }, Group::Unfounded(time)) => {
            let head = GroupHead { log, leaves: 0, time: *time };
            slots::take_first(store, &slots, head.time);
            *group = Group::Founded(head);
            Ok(Verdict::Changed)
        }
        (Item::Slots(change), Group::Founded(head)) => slots::change(store, &change, head.time),
        (Item::Import(import), Group::Founded(head)) => transfer::import(store, head, &import),
        (Item::Purge(purge), Group::Founded(_)) => transfer::purge(store, &purge),
        (Item::Patient { access, kind }, Group::Founded(head)) => {
            let slot = slots::state(store, access.pid.slot())?;
            let hold = slot.at(head.time);
            if !hold.serves() && !decided_before() {
                return Ok(Verdict::WrongOwner { epoch: slot.fence.epoch, passing: hold.is_passing() });
            }
            let mut store = Noting::new(store, access.pid.slot(), hold);
            Patient::load(&mut store, head, &access)?.decide(kind)
        }
        (Item::Found { .. }, Group::Founded(_)) | (_, Group::Unfounded(_)) => Ok(Verdict::NotFounded),
    }
}

/// Broken on purpose only: whether the owner of a slot was decided on before, and not here.
fn decided_before() -> bool {
    mutated(Mutation::OwnerCheckedAtProposal) || mutated(Mutation::StaleEpochServed)
}

/// One patient for the length of one item.
struct Patient<'a, S> {
    store: &'a mut S,
    group: &'a mut GroupHead,
    access: &'a Access,
    head: PatientHead,
}

impl<'a, S: Store> Patient<'a, S> {
    fn load(store: &'a mut S, group: &'a mut GroupHead, access: &'a Access) -> Result<Self, S> {
        let head = load(store, Family::System, &keys::patient_head(&access.pid))?.unwrap_or_default();
        Ok(Self { store, group, access, head })
    }

    fn decide(mut self, kind: ItemKind) -> Result<Verdict, S> {
        let operation = kind.operation();
        if self.head.is_revoked(self.access.capability) {
            return Ok(Verdict::Revoked(self.record(operation, Outcome::DeniedRevoked, &[])));
        }
        if self.group.time >= self.access.expires {
            return Ok(Verdict::Expired(self.record(operation, Outcome::DeniedExpired, &[])));
        }
        if !self.access.scope.allows(kind.needed()) {
            return Ok(Verdict::OutOfScope(self.record(operation, Outcome::DeniedScope, &[])));
        }
        match kind {
            ItemKind::Note(note) => Ok(self.note(&note)),
            ItemKind::Put(put) => self.put(&put),
            ItemKind::Delete(delete) => self.delete(&delete),
            ItemKind::SetRules(rules) => Ok(self.set_rules(&rules)),
            ItemKind::Revoke { capability, expires } => Ok(self.revoke(capability, expires)),
        }
    }

    fn note(mut self, note: &Note) -> Verdict {
        if note.rules_version != self.head.rules_version {
            return Verdict::RulesChanged;
        }
        let outcome = if note.records.is_empty() { Outcome::Nothing } else { Outcome::Done };
        Verdict::Recorded(self.record(note.operation, outcome, &note.records))
    }

    fn put(mut self, put: &PutRecord) -> Result<Verdict, S> {
        if let Some(reply) = self.earlier_reply(&put.idem)? {
            return Ok(self.replayed_put(put, &reply));
        }
        if self.tombstone(&put.record)?.is_some() {
            return Ok(Verdict::Deleted(self.record(Operation::Put, Outcome::Deleted, &[])));
        }
        if put.version.get() > VERSIONS_MAX {
            return Ok(Verdict::LimitReached(self.record(Operation::Put, Outcome::LimitReached, &[])));
        }
        let known = self.record_head(&put.record)?;
        match (known, put.version) {
            (None, RecordVersion::FIRST) => {}
            (None, _) => return Ok(Verdict::Nothing(self.record(Operation::Put, Outcome::Nothing, &[]))),
            (Some(head), RecordVersion::FIRST) => return Ok(self.version_conflict(Operation::Put, head.version)),
            (Some(head), _) if head.institution != self.access.institution => {
                return Ok(Verdict::Nothing(self.record(Operation::Put, Outcome::Nothing, &[])));
            }
            (Some(head), version) if head.version.next() != Some(version) => {
                return Ok(self.version_conflict(Operation::Put, head.version));
            }
            (Some(head), _) => self.supersede(&put.record, &head)?,
        }
        self.store_version(put);
        self.keep_reply(&put.idem, put.content, (put.record, Some(put.version)))?;
        let row = self.record(Operation::Put, Outcome::Done, &[put.record]);
        Ok(Verdict::Stored { row, record: put.record, version: put.version, replayed: false })
    }

    fn replayed_put(&mut self, put: &PutRecord, reply: &StoredReply) -> Verdict {
        // A reply of version 1 names no record. That of a replace is the one asked for, for the content tag covers it;
        // that of a first put is nobody's to guess, and a conflict at least has the caller look before it stores again.
        let record = reply.record.or((put.version != RecordVersion::FIRST).then_some(put.record));
        match record.filter(|_| reply.content == put.content) {
            Some(record) => {
                let row = self.record(Operation::Put, Outcome::Replayed, &[record]);
                Verdict::Stored { row, record, version: reply.version.unwrap_or(put.version), replayed: true }
            }
            None => Verdict::IdempotencyConflict(self.record(Operation::Put, Outcome::IdempotencyConflict, &[])),
        }
    }

    fn delete(mut self, delete: &DeleteRecord) -> Result<Verdict, S> {
        match self.earlier_reply(&delete.idem)? {
            Some(reply) if reply.content == delete.content => {
                let row = self.record(Operation::Delete, Outcome::Replayed, &[delete.record]);
                return Ok(Verdict::Done { row, replayed: true });
            }
            Some(_) => {
                let row = self.record(Operation::Delete, Outcome::IdempotencyConflict, &[]);
                return Ok(Verdict::IdempotencyConflict(row));
            }
            None => {}
        }
        if self.tombstone(&delete.record)?.is_some() {
            return Ok(Verdict::Deleted(self.record(Operation::Delete, Outcome::Deleted, &[])));
        }
        let head = match self.record_head(&delete.record)? {
            Some(head) if head.institution == self.access.institution => head,
            _ => return Ok(Verdict::Nothing(self.record(Operation::Delete, Outcome::Nothing, &[]))),
        };
        if head.version != delete.version {
            return Ok(self.version_conflict(Operation::Delete, head.version));
        }
        self.erase(&delete.record, &head)?;
        self.keep_reply(&delete.idem, delete.content, (delete.record, None))?;
        let row = self.record(Operation::Delete, Outcome::Done, &[delete.record]);
        Ok(Verdict::Done { row, replayed: false })
    }

    fn set_rules(mut self, set: &SetRules) -> Verdict {
        if set.expected_version != self.head.rules_version {
            let current = u32::try_from(self.head.rules_version).unwrap_or(u32::MAX);
            let row = self.record(Operation::SetRules, Outcome::VersionConflict, &[]);
            return Verdict::VersionConflict { row, current };
        }
        self.head.rules_version += 1;
        self.store.put(Family::Rules, &keys::rules(&self.access.pid), set.rules.encode());
        Verdict::Done { row: self.record(Operation::SetRules, Outcome::Done, &[]), replayed: false }
    }

    fn revoke(mut self, capability: renkei_ids::CapabilityId, expires: UnixMillis) -> Verdict {
        let now = self.group.time;
        self.head.revoked.retain(|(_, expires)| now < *expires);
        if !self.head.is_revoked(capability) && now < expires {
            if self.head.revoked.len() >= REVOCATIONS_MAX {
                return Verdict::LimitReached(self.record(Operation::Revoke, Outcome::LimitReached, &[]));
            }
            self.head.revoked.push((capability, expires));
        }
        Verdict::Done { row: self.record(Operation::Revoke, Outcome::Done, &[]), replayed: false }
    }

    fn version_conflict(&mut self, operation: Operation, current: RecordVersion) -> Verdict {
        let row = self.record(operation, Outcome::VersionConflict, &[]);
        Verdict::VersionConflict { row, current: current.get() }
    }

    /// Writes the audit row and the patient's head.
    fn record(&mut self, operation: Operation, outcome: Outcome, records: &[RecordId]) -> Recorded {
        self.head.rows += 1;
        let row = Recorded { seq: AuditSeq(self.head.rows), leaf: LeafIndex(self.group.leaves) };
        self.group.leaves += 1;
        let content = AuditContent::new(self.access, row.seq, self.group.time, operation, outcome, records);
        let stored = AuditRow::new(self.group.log, row.leaf, self.access.salt, &content);
        let pid = &self.access.pid;
        save(self.store, Family::Audit, &keys::audit(pid, self.group.time.month(), row.seq), &stored);
        save(self.store, Family::System, &keys::patient_head(pid), &self.head);
        row
    }

    fn record_head(&self, record: &RecordId) -> Result<Option<RecordHead>, S> {
        load(self.store, Family::Record, &keys::record(&self.access.pid, record))
    }

    fn tombstone(&self, record: &RecordId) -> Result<Option<Tombstone>, S> {
        load(self.store, Family::Tombstones, &keys::tombstone(&self.access.pid, record))
    }

    fn earlier_reply(&self, tag: &renkei_ids::IdemTag) -> Result<Option<StoredReply>, S> {
        let reply: Option<StoredReply> =
            load(self.store, Family::Idempotency, &keys::stored_reply(&self.access.pid, tag))?;
        Ok(reply.filter(|reply| self.group.time < reply.expires))
    }

    fn store_version(&mut self, put: &PutRecord) {
        let pid = &self.access.pid;
        let row = SummaryRow {
            version: put.version,
            summary_class: put.summary_class,
            body_class: put.body_class,
            institution: self.access.institution,
            binding: put.binding,
            size: put.size,
            body_len: u32::try_from(put.body.len()).expect("a body is at most 11 MiB: judged when the item was read"),
            summary: put.summary.clone(),
        };
        let head = RecordHead { version: put.version, month: put.month, institution: self.access.institution };
        save(self.store, Family::Summary, &keys::summary(pid, put.month, &put.record), &row);
        save(self.store, Family::Record, &keys::record(pid, &put.record), &head);
        self.store.put(Family::Body, &keys::body(pid, &put.record, put.version), put.body.clone());
    }

    /// Moves the current summary aside, to make room for the next version.
    fn supersede(&mut self, record: &RecordId, head: &RecordHead) -> Result<(), S> {
        let pid = &self.access.pid;
        let key = keys::summary(pid, head.month, record);
        let row: SummaryRow =
            load(self.store, Family::Summary, &key)?.ok_or(ShardError::Corrupt { row: SummaryRow::NAME })?;
        self.store.delete(Family::Summary, &key);
        let aside = Superseded { month: head.month, row };
        save(self.store, Family::Record, &keys::superseded(pid, record, head.version), &aside);
        Ok(())
    }

    /// Removes every version of a record and leaves a tombstone.
    fn erase(&mut self, record: &RecordId, head: &RecordHead) -> Result<(), S> {
        let pid = &self.access.pid;
        self.store.delete(Family::Summary, &keys::summary(pid, head.month, record));
        for version in (1..=head.version.get()).filter_map(RecordVersion::new) {
            self.store.delete(Family::Record, &keys::superseded(pid, record, version));
            self.store.delete(Family::Body, &keys::body(pid, record, version));
        }
        self.store.delete(Family::Record, &keys::record(pid, record));
        let tombstone = Tombstone { version: head.version, time: self.group.time };
        save(self.store, Family::Tombstones, &keys::tombstone(pid, record), &tombstone);
        Ok(())
    }

    fn keep_reply(
        &mut self,
        tag: &renkei_ids::IdemTag,
        content: renkei_ids::ContentTag,
        (record, version): (RecordId, Option<RecordVersion>),
    ) -> Result<(), S> {
        clear_expired(self.store, &self.access.pid, self.group.time)?;
        let expires = self.group.time.plus_millis(IDEMPOTENCY_WINDOW_MILLIS);
        let pid = &self.access.pid;
        let reply = StoredReply { content, record: Some(record), version, expires };
        save(self.store, Family::Idempotency, &keys::stored_reply(pid, tag), &reply);
        self.store.put(Family::Idempotency, &keys::expiry(pid, tag, expires.hour()), Bytes::new());
        Ok(())
    }
}

/// Clears a few stored replies of the patient's slot whose hour has passed.
fn clear_expired<S: Store>(store: &mut S, pid: &Pid, now: UnixMillis) -> Result<(), S> {
    let slot = pid.slot();
    let mut due = Vec::with_capacity(EXPIRIES_PER_WRITE);
    let (first, end) = (keys::expiries(slot), keys::expiries_before(slot, now.hour()));
    store
        .scan(Family::Idempotency, &first, &end, Direction::Forward, &mut |key, _| {
            due.push(Bytes::copy_from_slice(key));
            if due.len() < EXPIRIES_PER_WRITE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .map_err(ShardError::Store)?;
    for key in due {
        let (pid, tag) = keys::parse_expiry(&key).ok_or(ShardError::Corrupt { row: "expiry key" })?;
        let reply_key = keys::stored_reply(&pid, &tag);
        let reply: Option<StoredReply> = load(store, Family::Idempotency, &reply_key)?;
        // A tag that was used again after its window has a younger reply, with an expiry of its own.
        if reply.is_some_and(|reply| reply.expires <= now) {
            store.delete(Family::Idempotency, &reply_key);
        }
        store.delete(Family::Idempotency, &key);
    }
    Ok(())
}

pub(crate) fn load<V: View, R: Row>(view: &V, family: Family, key: &[u8]) -> Result<Option<R>, V> {
    match view.get(family, key).map_err(ShardError::Store)? {
        None => Ok(None),
        Some(bytes) => R::decode(&bytes).map(Some).map_err(|_| ShardError::Corrupt { row: R::NAME }),
    }
}

fn save<S: Store>(store: &mut S, family: Family, key: &[u8], row: &impl Row) {
    store.put(family, key, row.encode());
}
