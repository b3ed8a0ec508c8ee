//! Finding whom something leads to.

use renkei_ids::{AttributeTag, BindingId, MemberIndex, PersonId, UnixMillis};

use super::command::{Shown, ShownCard, ShownMember, ShownToken};
use super::day::Day;
use super::rows::{
    BindingRow, MemberRow, Standing, TokenRow, binding_row, member_row, person_row, resident_row, there, token_row,
};
use super::store::{StateError, View};
use super::verdict::Answer;

/// Whom something leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nobody, or somebody with another birth date.
    Nobody,
    /// A binding that is not settled.
    Unsettled {
        /// Which.
        binding: BindingId,
        /// Whose, where the register knew.
        person: Option<PersonId>,
    },
    /// A binding that is.
    Settled {
        /// Which.
        binding: BindingId,
        /// Whose.
        person: PersonId,
        /// Its row.
        row: BindingRow,
    },
}

impl Found {
    pub(crate) const fn person(&self) -> Option<PersonId> {
        match self {
            Self::Nobody => None,
            Self::Unsettled { person, .. } => *person,
            Self::Settled { person, .. } => Some(*person),
        }
    }

    pub(crate) const fn binding(&self) -> Option<BindingId> {
        match self {
            Self::Nobody => None,
            Self::Unsettled { binding, .. } | Self::Settled { binding, .. } => Some(*binding),
        }
    }

    /// What is answered of its eligibility, and its end where it has one.
    pub(crate) fn answer(&self, today: Day) -> (Answer, Option<Day>) {
        match self {
            Self::Nobody => (Answer::Unknown, None),
            Self::Unsettled { .. } => (Answer::CannotLink, None),
            Self::Settled { row, .. } => period(row, today),
        }
    }
}

/// What is answered of a settled binding.
pub(crate) fn period(row: &BindingRow, today: Day) -> (Answer, Option<Day>) {
    match row.until {
        Some(until) if until <= today => (Answer::Expired, Some(until)),
        until if row.from > today => (Answer::NotYetActive, until),
        until => (Answer::Valid, until),
    }
}

/// Whom a member id with a birth date leads to. An old one still does for so many days after its end.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn by_member<V: View>(
    view: &V,
    (member, birth): (MemberIndex, AttributeTag),
    now: UnixMillis,
    old_member_days: u32,
) -> Result<Found, StateError<V::Error>> {
    let MemberRow { bindings } = member_row(view, &member)?.unwrap_or_default();
    for binding in bindings {
        let row = there(binding_row(view, &binding)?, "binding")?;
        let is_old = row.until.is_some_and(|until| until.plus(old_member_days) <= Day::of(now));
        if row.birth == birth && !is_old {
            return Ok(found(binding, row));
        }
    }
    Ok(Found::Nobody)
}

fn found(binding: BindingId, row: BindingRow) -> Found {
    match (row.standing, row.person) {
        (Standing::Settled, Some(person)) => Found::Settled { binding, person, row },
        (_, person) => Found::Unsettled { binding, person },
    }
}

/// Whom what a patient shows leads to.
pub(crate) fn shown<V: View>(
    view: &V,
    shown: &Shown,
    now: UnixMillis,
    old_member_days: u32,
) -> Result<Found, StateError<V::Error>> {
    match shown {
        Shown::Member(ShownMember { member, birth }) => by_member(view, (*member, *birth), now, old_member_days),
        Shown::Token(ShownToken { token }) => {
            let valid = token_row(view, token)?.filter(|row| now < row.expires);
            let Some(TokenRow { binding, expires: _ }) = valid else { return Ok(Found::Nobody) };
            Ok(found(binding, there(binding_row(view, &binding)?, "binding")?))
        }
        Shown::Card(ShownCard { resident, presence: _, forget: _ }) => {
            let Some(person) = resident_row(view, resident)?.map(|row| row.person) else { return Ok(Found::Nobody) };
            by_card(view, person, Day::of(now))
        }
    }
}

/// A card shows who somebody is. Its holder is checked in under the newest settled binding, one that is in force before
/// any that is not: care does not wait for an insurer.
fn by_card<V: View>(view: &V, person: PersonId, today: Day) -> Result<Found, StateError<V::Error>> {
    let mut best: Option<(bool, BindingId, BindingRow)> = None;
    let mut unsettled = None;
    for binding in there(person_row(view, &person)?, "person")?.bindings {
        let row = there(binding_row(view, &binding)?, "binding")?;
        if row.standing != Standing::Settled {
            unsettled = Some(binding);
            continue;
        }
        let is_valid = period(&row, today).0 == Answer::Valid;
        if best.as_ref().is_none_or(|(valid, ..)| is_valid >= *valid) {
            best = Some((is_valid, binding, row));
        }
    }
    Ok(match (best, unsettled) {
        (Some((_, binding, row)), _) => Found::Settled { binding, person, row },
        (None, Some(binding)) => Found::Unsettled { binding, person: Some(person) },
        (None, None) => Found::Nobody,
    })
}

/// The newest settled binding of a person that is in force.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn current<V: View>(view: &V, person: PersonId, today: Day) -> Result<Option<BindingId>, StateError<V::Error>> {
    for binding in there(person_row(view, &person)?, "person")?.bindings.into_iter().rev() {
        let row = there(binding_row(view, &binding)?, "binding")?;
        if row.standing == Standing::Settled && period(&row, today).0 == Answer::Valid {
            return Ok(Some(binding));
        }
    }
    Ok(None)
}
