//! What insurers register: whose a member id is, until when, and which token stands for it.
//!
//! A binding is settled only if the register of residents has exactly this person with all five items. One that the
//! register has nobody for, and one member id for two people, are quarantined: nobody is checked in on them, and an
//! institution is told no more than that they cannot be linked.

use renkei_ids::{BindingId, MemberIndex, PersonId, UnixMillis};

use super::command::{End, Insure, InsurerItem, Match, Print, Register, RegisterAnswer, Say};
use super::log_row::{self, Asked, Came, LogRow, Who};
use super::rows::{
    BindingRow, Head, MemberRow, PersonRow, ResidentRow, Standing, TokenRow, binding_row, member_row, person_row,
    put_binding, put_member, put_person, put_resident, put_token, resident_row, there,
};
use super::store::{StateError, Store, Table};
use super::verdict::{Done, Reason, Refused, Registered, Verdict};

/// Most bindings of one member id: more claims of one id are no mistake of one entry.
const BINDINGS_MAX: usize = 16;

/// A binding and its id.
type Bound = (BindingId, BindingRow);

pub(crate) fn insure<S: Store>(
    store: &mut S,
    head: &mut Head,
    command: &Insure,
) -> Result<Vec<Verdict>, StateError<S::Error>> {
    let Insure { time: _, request, insurer, items } = command;
    let mut verdicts = Vec::with_capacity(items.len());
    for item in items {
        let asked = match &item.say {
            Say::Register(_) => Asked::Register,
            Say::End(_) => Asked::End,
            Say::Print(_) => Asked::Print,
            Say::Revoke(_) => Asked::Revoke,
        };
        let bound = bindings_of(store, item.member)?;
        let decided = match &item.say {
            Say::Register(register) if has_clash(store, register)? => Err(Reason::Clash),
            Say::Register(register) => register_person(store, head.time, item, register, bound)?,
            Say::End(End { until }) => change(store, item, bound, |row| row.until = Some(*until)),
            Say::Print(print) => print_token(store, item, bound, print),
            Say::Revoke(_) => change(store, item, bound, |row| row.token = None),
        };
        let mut row = LogRow::new(head.time, *request, Who::Insurer(*insurer), asked, Came::Done);
        let verdict = match decided {
            Ok(Taken { binding, row: taken, registered }) => {
                (row.binding, row.person) = (Some(binding), taken.person);
                row.came = if registered { Came::Registered(taken.standing) } else { Came::Done };
                let leaf = log_row::write(store, head, &item.salt, row)?;
                match registered {
                    true => Verdict::Registered(Registered { leaf, binding, standing: taken.standing }),
                    false => Verdict::Done(Done { leaf }),
                }
            }
            Err(reason) => {
                row.came = Came::Refused(reason);
                log_row::write(store, head, &item.salt, row)?;
                Verdict::Refused(Refused { reason, retry_after_millis: retry(reason) })
            }
        };
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

const fn retry(reason: Reason) -> u64 {
    match reason {
        Reason::RegisterSilent => 60_000,
        _ => 0,
    }
}

/// What became of something that is taken.
struct Taken {
    binding: BindingId,
    row: BindingRow,
    registered: bool,
}

/// Taken or refused.
type Decided = Result<Taken, Reason>;

fn bindings_of<S: Store>(store: &S, member: MemberIndex) -> Result<Vec<Bound>, StateError<S::Error>> {
    let MemberRow { bindings } = member_row(store, &member)?.unwrap_or_default();
    bindings.into_iter().map(|id| Ok((id, there(binding_row(store, &id)?, "binding")?))).collect()
}

/// Whether a new binding or person would take the place of another.
fn has_clash<S: Store>(store: &S, register: &Register) -> Result<bool, StateError<S::Error>> {
    let clashes = match &register.register {
        RegisterAnswer::Match(found) => {
            person_row(store, &found.person)?.is_some_and(|row| row.resident != found.resident)
        }
        RegisterAnswer::Nobody(_) | RegisterAnswer::Silent(_) => false,
    };
    Ok(clashes || binding_row(store, &register.binding)?.is_some())
}

fn is_same(row: &BindingRow, item: &InsurerItem, register: &Register) -> bool {
    row.birth == item.birth && row.sex == register.sex
}

fn register_person<S: Store>(
    store: &mut S,
    now: UnixMillis,
    item: &InsurerItem,
    register: &Register,
    bound: Vec<Bound>,
) -> Result<Decided, StateError<S::Error>> {
    match &register.register {
        RegisterAnswer::Match(found) => register_matched(store, now, item, register, found, bound),
        RegisterAnswer::Nobody(_) => Ok(register_unmatched(store, now, item, register, bound, Standing::Quarantined)),
        RegisterAnswer::Silent(_) => Ok(register_unmatched(store, now, item, register, bound, Standing::Tentative)),
    }
}

/// The register has nobody with these items, or did not answer.
fn register_unmatched<S: Store>(
    store: &mut S,
    now: UnixMillis,
    item: &InsurerItem,
    register: &Register,
    bound: Vec<Bound>,
    standing: Standing,
) -> Decided {
    let against = if standing == Standing::Tentative { Reason::RegisterSilent } else { Reason::RegisterMismatch };
    if !register.entered_twice {
        return Err(Reason::EntryUnconfirmed);
    }
    if bound.is_empty() {
        return Ok(bind(store, now, item, register, (None, standing), Vec::new()));
    }
    // A second person on a member id is believed from the register only, and never against whom it knows.
    let Some((binding, row)) = bound.into_iter().find(|(_, row)| is_same(row, item, register)) else {
        return Err(against);
    };
    match (row.person, standing) {
        (Some(_), Standing::Quarantined) => Err(against),
        // The items are not known to be right, so that only the period is taken.
        (Some(_), _) => Ok(keep(store, binding, BindingRow { from: register.from, until: register.until, ..row })),
        (None, _) => {
            // A register that has nobody for her has said more than one that is silent.
            let standing = if standing == Standing::Tentative { row.standing } else { standing };
            let row = BindingRow { standing, from: register.from, until: register.until, ..row };
            Ok(keep(store, binding, row))
        }
    }
}

fn register_matched<S: Store>(
    store: &mut S,
    now: UnixMillis,
    item: &InsurerItem,
    register: &Register,
    found: &Match,
    bound: Vec<Bound>,
) -> Result<Decided, StateError<S::Error>> {
    let known = resident_row(store, &found.resident)?.map(|row| row.person);
    let own = |row: &BindingRow| row.person.is_some() && row.person == known;
    if let Some((binding, row)) = bound.iter().find(|(_, row)| own(row)).cloned() {
        person_of(store, known, found)?;
        let row =
            BindingRow { birth: item.birth, sex: register.sex, from: register.from, until: register.until, ..row };
        return Ok(Ok(keep(store, binding, row)));
    }
    // The register says that there is such a person, and nothing of whose the member id is.
    if !register.entered_twice {
        return Ok(Err(Reason::EntryUnconfirmed));
    }
    if bound.len() >= BINDINGS_MAX {
        return Ok(Err(Reason::RegisterMismatch));
    }
    let person = person_of(store, known, found)?;
    let (unknown, known): (Vec<Bound>, Vec<Bound>) =
        bound.into_iter().partition(|(_, row)| row.person.is_none() && row.standing == Standing::Quarantined);
    // Nobody was ever bound by an entry that the register has nobody for: this one takes its place.
    for (binding, _) in &unknown {
        store.delete(Table::Bindings, binding.as_bytes());
    }
    let left: Vec<BindingId> = known.iter().map(|(binding, _)| *binding).collect();
    if let [(binding, row)] = &known[..]
        && row.person.is_none()
        && is_same(row, item, register)
    {
        let row = BindingRow {
            person: Some(person),
            standing: Standing::Settled,
            from: register.from,
            until: register.until,
            ..row.clone()
        };
        put_member(store, &item.member, &MemberRow { bindings: left });
        add_binding(store, person, *binding)?;
        return Ok(Ok(keep(store, *binding, row)));
    }
    let standing = if known.is_empty() { Standing::Settled } else { Standing::Quarantined };
    for (binding, row) in known {
        put_binding(store, &binding, &BindingRow { standing: Standing::Quarantined, ..row });
    }
    let taken = bind(store, now, item, register, (Some(person), standing), left);
    add_binding(store, person, register.binding)?;
    Ok(Ok(taken))
}

/// The person that a resident is, who may become one now.
fn person_of<S: Store>(
    store: &mut S,
    known: Option<PersonId>,
    found: &Match,
) -> Result<PersonId, StateError<S::Error>> {
    let Match { resident, protected, person, seed, values, decoys } = found;
    if let Some(known) = known {
        let mut row = there(person_row(store, &known)?, "person")?;
        row.protected = *protected;
        // Else it was sealed for somebody who did not become one: another registration came first.
        if known == *person {
            row.register = values.clone();
        }
        put_person(store, &known, &row);
        return Ok(known);
    }
    let row = PersonRow {
        resident: *resident,
        generation: 1,
        seed: seed.clone(),
        register: values.clone(),
        protected: *protected,
        decoys: *decoys,
        written: Vec::new(),
        listed: Vec::new(),
        bindings: Vec::new(),
    };
    put_person(store, person, &row);
    put_resident(store, resident, &ResidentRow { person: *person });
    Ok(*person)
}

fn add_binding<S: Store>(store: &mut S, person: PersonId, binding: BindingId) -> Result<(), StateError<S::Error>> {
    let mut row = there(person_row(store, &person)?, "person")?;
    if !row.bindings.contains(&binding) {
        row.bindings.push(binding);
        put_person(store, &person, &row);
    }
    Ok(())
}

/// Makes a new binding beside those that are `left`.
fn bind<S: Store>(
    store: &mut S,
    now: UnixMillis,
    item: &InsurerItem,
    register: &Register,
    (person, standing): (Option<PersonId>, Standing),
    mut left: Vec<BindingId>,
) -> Taken {
    let Register { sex, entered_twice: _, from, until, binding, registration, register: _ } = register;
    let row = BindingRow {
        member: item.member,
        person,
        standing,
        birth: item.birth,
        sex: *sex,
        from: *from,
        until: *until,
        registration: registration.clone(),
        registered: now,
        token: None,
    };
    left.push(*binding);
    put_member(store, &item.member, &MemberRow { bindings: left });
    keep(store, *binding, row)
}

fn keep<S: Store>(store: &mut S, binding: BindingId, row: BindingRow) -> Taken {
    put_binding(store, &binding, &row);
    Taken { binding, row, registered: true }
}

/// Changes the binding of the birth date that is said.
fn change<S: Store>(
    store: &mut S,
    item: &InsurerItem,
    bound: Vec<Bound>,
    change: impl FnOnce(&mut BindingRow),
) -> Decided {
    let found = bound.into_iter().find(|(_, row)| row.birth == item.birth);
    let (binding, mut row) = found.ok_or(Reason::NoBinding)?;
    if let Some(token) = row.token {
        change(&mut row);
        if row.token.is_none() {
            store.delete(Table::Tokens, token.as_bytes());
        }
    } else {
        change(&mut row);
    }
    put_binding(store, &binding, &row);
    Ok(Taken { binding, row, registered: false })
}

fn print_token<S: Store>(store: &mut S, item: &InsurerItem, bound: Vec<Bound>, print: &Print) -> Decided {
    let found = bound.iter().find(|(_, row)| row.birth == item.birth);
    let (binding, row) = found.ok_or(Reason::NoBinding)?;
    if row.standing != Standing::Settled {
        return Err(Reason::NotSettled);
    }
    if let Some(earlier) = row.token {
        store.delete(Table::Tokens, earlier.as_bytes());
    }
    put_token(store, &print.token, &TokenRow { binding: *binding, expires: print.expires });
    let row = BindingRow { token: Some(print.token), ..row.clone() };
    put_binding(store, binding, &row);
    Ok(Taken { binding: *binding, row, registered: false })
}
