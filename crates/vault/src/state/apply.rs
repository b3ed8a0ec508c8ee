//! Deciding. Openings, refusals and what they create and use up change together, or not at all.

use bytes::Bytes;
use renkei_access::Scope;
use renkei_ids::{LeafIndex, Pid, SLOTS, Slot, UnixMillis};

use super::budget::{Asker, Limits, Use, charge};
use super::command::{Ask, Batch, Command, Founding, Item, NewClassKey, NewPatient, TicketUse};
use super::lock::{self, LOCK_MILLIS};
use super::log_row::{LogRow, Outcome};
use super::rows::{
    HEAD_KEY, Head, IndexRow, PatientRow, class_key_name, encode_one, escrow_row, head, index_row, patient_row,
    wrapped_class_key,
};
use super::store::{Store, Table, View};
use super::verdict::{Reason, Verdict, Verdicts};
use super::{directory, refusals, tickets};

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
            Some(head) if head.directory != batch.directory => Verdicts::Again,
            Some(_) if is_outdated(store, &batch)? => Verdicts::Again,
            Some(head) => decide(store, head, &batch)?,
        },
        Ok(Command::Direct { time, signed }) => match head(store)? {
            None => Verdicts::NotFounded,
            Some(head) => direct(store, head, time, &signed)?,
        },
    };
    Ok(verdicts.encode())
}

fn direct<S: Store>(
    store: &mut S,
    mut head: Head,
    time: UnixMillis,
    signed: &Bytes,
) -> Result<Verdicts, StateError<S::Error>> {
    head.time = head.time.max(time);
    let Ok(version) = directory::take(store, signed, head.time)? else { return Ok(Verdicts::NotDirected) };
    head.directory = Some(version);
    store.put(Table::Head, HEAD_KEY, head.encode());
    Ok(Verdicts::Directed)
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
    let head = Head { time: UnixMillis(0), log: *log, leaves: 0, epoch: *epoch, forget: (0, 0), directory: None };
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
            Ask::Open { .. } | Ask::Refuse { .. } | Ask::Delete { .. } | Ask::Stubs { .. } => false,
        };
        if missing {
            return Ok(true);
        }
    }
    Ok(false)
}

fn decide<S: Store>(store: &mut S, mut head: Head, batch: &Batch) -> Result<Verdicts, StateError<S::Error>> {
    head.time = head.time.max(batch.time);
    tickets::forget(store, &mut head)?;
    let mut verdicts = Vec::with_capacity(batch.items.len());
    for item in &batch.items {
        let decision = decide_item(store, &mut head, batch, item)?;
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
    head: &mut Head,
    batch: &Batch,
    item: &Item,
) -> Result<Decision, StateError<S::Error>> {
    let now = head.time;
    let (known, pid) = match &item.ask {
        Ask::Refuse { reason, .. } => return Ok(Decision::refused(None, *reason, 0)),
        Ask::Open { hash, unknown, .. } => match index_row(store, hash)? {
            Some(row) => (true, row.pid),
            // `is_outdated` has seen to it that there is one or the other.
            None => (false, unknown.as_ref().expect("a patient that is not known comes with the command").pid),
        },
        Ask::Put { pid, .. } | Ask::Delete { pid, .. } | Ask::Stubs { pid, .. } => {
            (patient_row(store, pid)?.is_some(), *pid)
        }
    };
    let refused = |reason, wait| Ok(Decision::refused(known.then_some(pid), reason, wait));
    let (what, scope) = match &item.ask {
        Ask::Open { wanted, .. } | Ask::Refuse { wanted, .. } => (Use::Open, wanted.scope),
        Ask::Put { .. } => (Use::Write, Scope::WRITE),
        Ask::Delete { .. } => (Use::Write, Scope::DELETE),
        Ask::Stubs { .. } => (Use::Stubs, Scope::AUDIT),
    };
    let (Some(purpose), Some(evidence)) = (item.purpose, item.evidence) else { return refused(Reason::Evidence, 0) };
    if !evidence.allows(purpose).allows(scope) {
        return refused(Reason::Evidence, 0);
    }
    let impossible = match &item.ask {
        // It would merge two patients: with 128 random bits that is a forged command.
        Ask::Open { .. } => !known && patient_row(store, &pid)?.is_some(),
        _ => !known,
    };
    if impossible {
        return refused(Reason::NoPatient, 0);
    }
    let (institution, gateway, slot) = (item.institution, batch.gateway, pid.slot());
    let ticket = if let Ask::Open { ticket, .. } = &item.ask { *ticket } else { None };
    let breadth = ticket.and_then(|ticket| ticket.breadth);
    let asker = Asker { institution, purpose, evidence, gateway, slot, breadth };
    let allowed = match ticket {
        Some(ticket) => admit_ticket(store, head, (&ticket, &asker), &batch.limits)?,
        None => charge(store, &batch.limits, what, &asker, now)?.map_err(|up| (Reason::Budget, up.retry_after_millis)),
    };
    if let Err((reason, wait)) = allowed {
        return refused(reason, wait);
    }
    match &item.ask {
        Ask::Open { hash, unknown, escrow, .. } => {
            let new = unknown.as_ref().filter(|_| !known);
            new.into_iter().for_each(|new| create(store, hash, new));
            keep_escrow_row(store, &pid, unknown.as_ref(), escrow.as_ref())?;
            return Ok(Decision::Allowed { pid, created: new.is_some() });
        }
        Ask::Put { class_keys, .. } => {
            class_keys.iter().try_for_each(|new| keep_class_key(store, &pid, new))?;
        }
        Ask::Refuse { .. } | Ask::Delete { .. } | Ask::Stubs { .. } => {}
    }
    Ok(Decision::Allowed { pid, created: false })
}

impl Decision {
    fn refused(pid: Option<Pid>, reason: Reason, retry_after_millis: u64) -> Self {
        Self::Refused { pid, reason, retry_after_millis }
    }
}

/// Counts an opening by ticket: a ticket's first one is a patient more, whom the institution may open or not; every other
/// one is the same patient again. Who opens one patient too many is locked.
fn admit_ticket<S: Store>(
    store: &mut S,
    head: &mut Head,
    (ticket, asker): (&TicketUse, &Asker),
    limits: &Limits,
) -> Result<Result<(), (Reason, u64)>, StateError<S::Error>> {
    let now = head.time;
    // The leader has judged it by its clock; group time may be ahead of that.
    if now >= ticket.expires {
        return Ok(Err((Reason::Expired, 0)));
    }
    let who = (asker.institution, asker.purpose, asker.evidence);
    if let Some(left) = lock::held(store, who, now)? {
        return Ok(Err((Reason::Locked, left)));
    }
    let again = tickets::was_opened(store, ticket.id)?;
    match charge(store, limits, if again { Use::Again } else { Use::Open }, asker, now)? {
        Ok(()) if again => Ok(Ok(())),
        Ok(()) => {
            tickets::remember(store, head, ticket.id, ticket.expires);
            Ok(Ok(()))
        }
        Err(used_up) if used_up.by_asker && !again => {
            lock::lock(store, who, now);
            Ok(Err((Reason::Breach, LOCK_MILLIS)))
        }
        Err(used_up) => Ok(Err((Reason::Budget, used_up.retry_after_millis))),
    }
}

/// The first escrow row stays. One that was sealed for a patient who lost a race of creations is nobody's.
fn keep_escrow_row<S: Store>(
    store: &mut S,
    pid: &Pid,
    unknown: Option<&NewPatient>,
    row: Option<&Bytes>,
) -> Result<(), StateError<S::Error>> {
    let sealed_for = unknown.map_or(*pid, |new| new.pid);
    if let Some(row) = row.filter(|_| sealed_for == *pid)
        && escrow_row(store, pid)?.is_none()
    {
        store.put(Table::Escrow, pid.as_bytes(), encode_one(row));
    }
    Ok(())
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
