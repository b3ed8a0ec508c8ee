//! Deciding. What a command does, the budgets that it uses and its rows in the log change together, or not at all.

use bytes::Bytes;
use renkei_ids::{LeafIndex, UnixMillis};

use super::attend::{CLOUDS_MAX, attend, enrol};
use super::command::{Command, Founding};
use super::days::keep_day;
use super::directing::direct;
use super::forget::forget;
use super::insure::insure;
use super::log_row::drop_old;
use super::rows::{Head, Span, head, put_head};
use super::store::{StateError, Store};
use super::verdict::{Outcome, Verdict, Verdicts};

/// Most items of one command.
pub const ITEMS_MAX: usize = 64;

/// Applies one encoded [`Command`]; the reply is encoded [`Verdicts`].
///
/// # Errors
/// Only a state that cannot be read.
pub fn apply<S: Store>(store: &mut S, command: &Bytes) -> Result<Bytes, StateError<S::Error>> {
    let Ok(command) = Command::decode(command) else {
        return Ok(Verdicts::undecided(Outcome::Malformed).encode());
    };
    let (time, items) = match &command {
        Command::Found(founding) => return found(store, founding),
        Command::Insure(insure) => (insure.time, insure.items.len()),
        Command::Attend(attend) if attend.clouds.len() > CLOUDS_MAX => (attend.time, usize::MAX),
        Command::Attend(attend) => (attend.time, attend.items.len()),
        Command::Enrol(enrol) => (enrol.time, 1),
        Command::KeepDay(keep) => (keep.time, 1),
        Command::Direct(direct) => (direct.time, 1),
    };
    if items > ITEMS_MAX {
        return Ok(Verdicts::undecided(Outcome::Malformed).encode());
    }
    let Some(mut head) = head(store)? else { return Ok(Verdicts::undecided(Outcome::NotFounded).encode()) };
    head.time = head.time.max(time);
    // Twice as many as may come in at once, and some more: what is due gets less from command to command.
    let most = 2 * items + 4;
    forget(store, &mut head, most)?;
    drop_old(store, &mut head, most)?;
    let verdicts = match &command {
        Command::Found(_) => Vec::new(),
        Command::Insure(command) => insure(store, &mut head, command)?,
        Command::Attend(command) => attend(store, &mut head, command)?,
        Command::Enrol(command) => enrol(store, &mut head, command)?,
        Command::KeepDay(command) => keep_day(store, &head, command)?,
        Command::Direct(command) => direct(store, &head, command)?,
    };
    put_head(store, &head);
    Ok(decided(verdicts))
}

fn decided(verdicts: Vec<Verdict>) -> Bytes {
    Verdicts { outcome: Outcome::Decided, verdicts }.encode()
}

fn found<S: Store>(store: &mut S, founding: &Founding) -> Result<Bytes, StateError<S::Error>> {
    let Founding { log, key_check, seed_check } = *founding;
    if head(store)?.is_none() {
        let head = Head {
            time: UnixMillis(0),
            log,
            first_leaf: LeafIndex(0),
            leaves: LeafIndex(0),
            queues: [Span::default(); _],
            key_check,
            seed_check,
        };
        put_head(store, &head);
    }
    Ok(decided(Vec::new()))
}
