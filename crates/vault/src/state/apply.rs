//! Deciding. Openings, refusals and what they create and use up change together, or not at all.

use bytes::Bytes;
use renkei_access::Scope;
use renkei_ids::{LeafIndex, Pid, SLOTS, Slot};

use super::budget::{Asker, Use, charge};
use super::command::{Ask, Batch, Command, Founding, Item, NewClassKey, NewPatient};
use super::log_row::{LogRow, Outcome};
use super::refusals;
use super::rows::{
    HEAD_KEY, Head, IndexRow, PatientRow, class_key_name, encode_one, head, index_row, patient_row, wrapped_class_key,
};
use super::store::{Store, Table, View};
use super::verdict::{Reason, Verdict, Verdicts};

/// Why a state cannot be read. Nothing that a command holds leads here.
#[derive(Debug, thiserror::Error)]
pub enum StateError<E> {
    /// The storage failed.
    #[error("the storage of the state failed")]
    Store(#[source] E),
    /// A row that does not read.
    #[error("row {row} of the state does not read")]
    Corrupt {
        /// Which.
        row: &'static str,
    },
}

/// Applies one encoded [`Command`]; the reply is encoded [`Verdicts`].
///
/// # Errors
/// Only a state that cannot be read.
pub fn apply<S: Store>(store: &mut S, command: &Bytes) -> Result<Bytes, StateError<S::Error>> {
    let verdicts = match Command::decode(command) {
        Err(_) => Verdicts::Malformed,
        Ok(Command::Found(founding)) => found(store, &founding)?,
        Ok(Command::Decide(batch)) => match head(store)? {
            None => Verdicts::NotFounded,
            Some(_) if is_outdated(store, &batch)? => Verdicts::Again,
            Some(head) => decide(store, head, &batch)?,
        },
    };
    Ok(verdicts.encode())
}

fn found<S: Store>(store: &mut S, founding: &Founding) -> Result<Verdicts, StateError<S::Error>> {
    let Founding { log, epoch, slots } = founding;
    if head(store)?.is_some() {
        return Ok(Verdicts::Decided(Vec::new()));
    }
    if slots.len() != usize::from(SLOTS) || epoch.0 == 0 {
        return Ok(Verdicts::Malformed);
    }
    for (slot, key) in Slot::all().zip(slots) {
        store.put(Table::Slots, &slot.to_be_bytes(), encode_one(key.as_bytes()));
    }
    let head = Head { time: renkei_ids::UnixMillis(0), log: *log, leaves: 0, epoch: *epoch };
    store.put(Table::Head, HEAD_KEY, head.encode());
    Ok(Verdicts::Decided(Vec::new()))
}

/// Whether the leader left out what it believed to be there, and it is not.
fn is_outdated<V: View>(view: &V, batch: &Batch) -> Result<bool, StateError<V::Error>> {
    for item in &batch.items {
        let missing = match &item.ask {
            Ask::Open { hash, unknown: None, .. } => index_row(view, hash)?.is_none(),
            Ask::Put { pid, class_keys, .. } => {
                let mut missing = false;
                for new in class_keys.iter().filter(|new| new.key.is_none()) {
                    missing |= wrapped_class_key(view, pid, new.class, new.year)?.is_none();
                }
                missing
            }
            Ask::Open { .. } | Ask::Delete { .. } | Ask::Stubs { .. } => false,
        };
        if missing {
            return Ok(true);
        }
    }
    Ok(false)
}

fn decide<S: Store>(store: &mut S, mut head: Head, batch: &Batch) -> Result<Verdicts, StateError<S::Error>> {
    head.time = head.time.max(batch.time);
    let mut verdicts = Vec::with_capacity(batch.items.len());
    for item in &batch.items {
        let decision = decide_item(store, head.time, batch, item)?;
        let leaf = LeafIndex(head.leaves);
        let (pid, outcome, verdict) = match decision {
            Decision::Allowed { pid, created } => {
                let outcome = if created { Outcome::Created } else { Outcome::Allowed };
                (Some(pid), outcome, Verdict::Allowed { pid, leaf })
            }
            Decision::Refused { pid, reason, retry_after_millis } => {
                (pid, Outcome::Refused(reason), Verdict::Refused { reason, retry_after_millis })
            }
        };
        verdicts.push(verdict);
        let unlogged = match outcome {
            Outcome::Allowed | Outcome::Created => 0,
            Outcome::Refused(reason) => {
                let who = (&batch.gateway, &item.institution, reason);
                let Some(unlogged) = refusals::count(store, who, head.time)? else { continue };
                unlogged
            }
        };
        head.leaves += 1;
        let row = LogRow::new(head.time, batch, item, (pid, outcome, unlogged));
        store.put(Table::Openings, &leaf.0.to_be_bytes(), row.encode(&item.salt));
        if let Some(pid) = pid {
            let key = [&pid.as_bytes()[..], &leaf.0.to_be_bytes()].concat();
            store.put(Table::OpeningsOf, &key, Bytes::new());
        }
    }
    store.put(Table::Head, HEAD_KEY, head.encode());
    Ok(Verdicts::Decided(verdicts))
}

enum Decision {
    Allowed { pid: Pid, created: bool },
    Refused { pid: Option<Pid>, reason: Reason, retry_after_millis: u64 },
}

fn decide_item<S: Store>(
    store: &mut S,
    now: renkei_ids::UnixMillis,
    batch: &Batch,
    item: &Item,
) -> Result<Decision, StateError<S::Error>> {
    let (known, pid) = match &item.ask {
        Ask::Open { hash, unknown, .. } => match index_row(store, hash)? {
            Some(row) => (true, row.pid),
            // `is_outdated` has seen to it that there is one or the other.
            None => (false, unknown.as_ref().expect("a patient that is not known comes with the command").pid),
        },
        Ask::Put { pid, .. } | Ask::Delete { pid, .. } | Ask::Stubs { pid, .. } => {
            (patient_row(store, pid)?.is_some(), *pid)
        }
    };
    let refused =
        |reason, retry_after_millis| Ok(Decision::Refused { pid: known.then_some(pid), reason, retry_after_millis });
    let (what, scope) = match &item.ask {
        Ask::Open { scope, .. } => (Use::Open, *scope),
        Ask::Put { .. } => (Use::Write, Scope::WRITE),
        Ask::Delete { .. } => (Use::Write, Scope::DELETE),
        Ask::Stubs { .. } => (Use::Stubs, Scope::AUDIT),
    };
    if !item.evidence.allows(item.purpose).allows(scope) {
        return refused(Reason::Evidence, 0);
    }
    let impossible = match &item.ask {
        // It would merge two patients: with 128 random bits that is a forged command.
        Ask::Open { .. } => !known && patient_row(store, &pid)?.is_some(),
        Ask::Put { .. } | Ask::Delete { .. } | Ask::Stubs { .. } => !known,
    };
    if impossible {
        return refused(Reason::NoPatient, 0);
    }
    let asker = Asker {
        institution: item.institution,
        purpose: item.purpose,
        evidence: item.evidence,
        gateway: batch.gateway,
        slot: pid.slot(),
    };
    if let Err(used_up) = charge(store, &batch.limits, what, &asker, now)? {
        return refused(Reason::Budget, used_up.retry_after_millis);
    }
    match &item.ask {
        Ask::Open { hash, unknown: Some(new), .. } if !known => {
            create(store, hash, new);
            Ok(Decision::Allowed { pid, created: true })
        }
        Ask::Put { class_keys, .. } => {
            for new in class_keys {
                keep_class_key(store, &pid, new)?;
            }
            Ok(Decision::Allowed { pid, created: false })
        }
        Ask::Open { .. } | Ask::Delete { .. } | Ask::Stubs { .. } => Ok(Decision::Allowed { pid, created: false }),
    }
}

fn create<S: Store>(store: &mut S, hash: &renkei_envelope::PseudonymHash, new: &NewPatient) {
    let NewPatient { pid, seed, patient_key, log_key } = new;
    store.put(Table::Index, hash.expose(), IndexRow { pid: *pid, seed: seed.clone() }.encode());
    let row = PatientRow { patient_key: patient_key.clone(), log_key: log_key.clone() };
    store.put(Table::Patients, pid.as_bytes(), row.encode());
}

/// Of two racing puts the first committed key wins.
fn keep_class_key<S: Store>(store: &mut S, pid: &Pid, new: &NewClassKey) -> Result<(), StateError<S::Error>> {
    let NewClassKey { class, year, key } = new;
    if let Some(key) = key
        && wrapped_class_key(store, pid, *class, *year)?.is_none()
    {
        store.put(Table::ClassKeys, &class_key_name(pid, *class, *year), encode_one(key.as_bytes()));
    }
    Ok(())
}
