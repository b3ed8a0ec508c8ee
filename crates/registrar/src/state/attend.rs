//! What institutions ask: whether somebody is insured, to have a patient checked in, and to go on under a grant.
//!
//! Unknown and not linked are one towards whoever wants to check somebody in: the same reason, the same budgets, a row
//! each. Only the eligibility answer tells them apart, and it tells no more.

use renkei_access::{Evidence, Purpose, Scope};
use renkei_ids::{BindingId, CloudId, InstitutionId, PersonId, UnixMillis};

use super::budget::{DAY_MILLIS, Use, charge, count_failure};
use super::command::{Ask, Attend, CheckIn, Eligibility, InstitutionItem, Renew, Shown};
use super::day::Day;
use super::find::{self, Found};
use super::footprint::padded;
use super::forget::{Queue, VISIT_DAYS, after_grant, after_visit, enqueue};
use super::log_row::{self, Asked, Came, LogRow, Who};
use super::rows::{
    GrantRow, Head, InstitutionRow, PersonRow, Standing, VisitRow, binding_row, grant_row, institution_row, person_row,
    put_grant, put_institution, put_person, put_visit, there, visit_key, visit_row,
};
use super::store::{StateError, Store, Table};
use super::verdict::{Admitted, Answer, Eligible, Reason, Refused, Verdict};

/// Longest grant, in minutes.
pub const GRANT_MINUTES_MAX: u32 = 24 * 60;
/// Longest grant of a patient who is admitted, in minutes.
pub const ADMISSION_MINUTES_MAX: u32 = 30 * 24 * 60;
/// Most clouds that a footprint is padded among.
pub const CLOUDS_MAX: usize = 64;

const MINUTE_MILLIS: u64 = 60_000;

/// What is decided of one item, before it is logged.
enum Decision {
    Eligible(Eligible),
    /// The leaf is filled in when its row is written.
    Admitted(Box<Admitted>),
    Refused(Refused),
}

pub(crate) fn attend<S: Store>(
    store: &mut S,
    head: &mut Head,
    command: &Attend,
) -> Result<Vec<Verdict>, StateError<S::Error>> {
    let mut verdicts = Vec::with_capacity(command.items.len());
    for item in &command.items {
        let (asked, purpose, evidence) = described(&item.ask);
        let who = Who::Institution(command.institution);
        let mut row = LogRow::new(head.time, command.request, who, asked, Came::Done);
        (row.purpose, row.evidence) = (purpose, evidence);
        row.sealed_actor = command.sealed_actor.clone();
        let mut asking = Asking { store, head, command, row };
        let decision = asking.decide(item)?;
        let mut row = asking.row;
        row.came = match &decision {
            Decision::Eligible(eligible) => Came::Answered(eligible.answer),
            Decision::Admitted(_) => Came::Done,
            Decision::Refused(Refused { reason, .. }) => Came::Refused(*reason),
        };
        let leaf = log_row::write(store, head, &item.salt, row)?;
        verdicts.push(match decision {
            Decision::Eligible(eligible) => Verdict::Eligible(eligible),
            Decision::Admitted(admitted) => Verdict::Admitted(Admitted { leaf, ..*admitted }),
            Decision::Refused(refused) => Verdict::Refused(refused),
        });
    }
    Ok(verdicts)
}

fn described(ask: &Ask) -> (Asked, Option<Purpose>, Option<Evidence>) {
    match ask {
        Ask::Eligibility(Eligibility { bulk: false, .. }) => (Asked::Eligibility, None, None),
        Ask::Eligibility(Eligibility { bulk: true, .. }) => (Asked::Bulk, None, None),
        Ask::CheckIn(check_in) => (Asked::CheckIn, Some(check_in.purpose), Some(evidence_of(&check_in.shown))),
        Ask::Renew(_) => (Asked::Renew, None, None),
    }
}

/// What stands behind a check-in on what is shown.
pub const fn evidence_of(shown: &Shown) -> Evidence {
    match shown {
        Shown::Card(_) => Evidence::Card,
        Shown::Token(_) => Evidence::InsurerToken,
        Shown::Member(_) => Evidence::MemberId,
    }
}

const fn refused(reason: Reason) -> Decision {
    Decision::Refused(Refused { reason, retry_after_millis: 0 })
}

/// One item on its way, with the row that it will have.
struct Asking<'a, S> {
    store: &'a mut S,
    head: &'a mut Head,
    command: &'a Attend,
    row: LogRow,
}

impl<S: Store> Asking<'_, S> {
    fn decide(&mut self, item: &InstitutionItem) -> Result<Decision, StateError<S::Error>> {
        let Some(institution) = institution_row(self.store, &self.command.institution)? else {
            return Ok(refused(Reason::NotEnrolled));
        };
        if institution.locked.is_some() {
            return Ok(refused(Reason::Locked));
        }
        match &item.ask {
            Ask::Eligibility(eligibility) => self.eligibility(institution, eligibility),
            Ask::CheckIn(check_in) => self.check_in(institution, check_in),
            Ask::Renew(Renew { grant }) => self.renew(institution, *grant),
        }
    }

    const fn now(&self) -> UnixMillis {
        self.head.time
    }

    /// Counts a use; the refusal where a budget is used up.
    fn charge(&mut self, what: Use) -> Result<Option<Decision>, StateError<S::Error>> {
        let (command, now) = (self.command, self.now());
        let charged = charge(self.store, &command.limits, what, (command.institution, command.actor), now)?;
        Ok(charged.err().map(|used_up| {
            Decision::Refused(Refused { reason: Reason::Budget, retry_after_millis: used_up.retry_after_millis })
        }))
    }

    fn fail(&mut self) -> Result<(), StateError<S::Error>> {
        count_failure(self.store, &self.command.limits, self.command.institution, self.head.time)
    }

    fn eligibility(
        &mut self,
        institution: InstitutionRow,
        asked: &Eligibility,
    ) -> Result<Decision, StateError<S::Error>> {
        let Eligibility { member, birth, bulk, five_items_of } = asked;
        if let Some(refusal) = self.charge(if *bulk { Use::Bulk } else { Use::Eligibility })? {
            return Ok(refusal);
        }
        let found = find::by_member(self.store, (*member, *birth), self.now(), self.command.old_member_days)?;
        let person = found.person();
        if *bulk && !self.was_here(person)? {
            // Who was not here is nobody, whether there is such a person or not.
            self.fail()?;
            return Ok(Decision::Eligible(Eligible { answer: Answer::Unknown, until: None, successor: None }));
        }
        (self.row.person, self.row.binding) = (person, found.binding());
        if let Some(person) = person
            && let Some(refusal) = self.seen(institution, person, None)?
        {
            return Ok(refusal);
        }
        let (answer, until) = found.answer(Day::of(self.now()));
        if matches!(answer, Answer::Unknown | Answer::CannotLink) {
            self.fail()?;
        }
        let successor = match &found {
            Found::Settled { binding, person, .. } if *five_items_of == Some(*binding) => {
                self.successor(*person, *binding)?
            }
            _ => None,
        };
        Ok(Decision::Eligible(Eligible { answer, until, successor }))
    }

    fn check_in(&mut self, institution: InstitutionRow, asked: &CheckIn) -> Result<Decision, StateError<S::Error>> {
        let CheckIn { shown, purpose, categories, text, basis, minutes, admission, grant } = asked;
        (self.row.categories, self.row.text, self.row.basis) = (*categories, *text, *basis);
        let evidence = evidence_of(shown);
        let scope = match scope_of(asked, evidence) {
            Ok(scope) => scope,
            Err(reason) => return Ok(refused(reason)),
        };
        let longest = if *admission { ADMISSION_MINUTES_MAX } else { GRANT_MINUTES_MAX };
        if *minutes == 0 || *minutes > longest {
            return Ok(refused(Reason::TooLong));
        }
        if grant_row(self.store, grant)?.is_some() {
            return Ok(refused(Reason::Clash));
        }
        if let Some(refusal) = self.charge(Use::CheckIn(*purpose, evidence))? {
            return Ok(refusal);
        }
        if let Shown::Card(card) = shown
            && !self.remember_presence(card)?
        {
            return Ok(refused(Reason::ProofUsed));
        }
        let found = find::shown(self.store, shown, self.now(), self.command.old_member_days)?;
        (self.row.person, self.row.binding) = (found.person(), found.binding());
        let (answer, until) = found.answer(Day::of(self.now()));
        let Found::Settled { binding, person, .. } = found else {
            self.fail()?;
            return Ok(refused(Reason::Nobody));
        };
        if let Some(refusal) = self.seen(institution, person, Some(self.now()))? {
            return Ok(refusal);
        }
        let end = self.now().plus_millis(u64::from(*minutes) * MINUTE_MILLIS);
        let granted = GrantRow {
            person,
            binding,
            institution: self.command.institution,
            purpose: *purpose,
            evidence,
            categories: *categories,
            text: *text,
            basis: *basis,
            actor: self.command.actor,
            scope,
            start: self.now(),
            end,
        };
        put_grant(self.store, grant, &granted);
        enqueue(self.store, self.head, Queue::Grants, grant.as_bytes(), after_grant(end));
        self.row.grant = Some(*grant);
        let successor = if evidence == Evidence::Card { self.successor(person, binding)? } else { None };
        let clouds = self.footprint(person, institution.home, scope)?;
        Ok(Decision::Admitted(Box::new(Admitted {
            leaf: self.head.leaves,
            grant: *grant,
            person,
            binding,
            evidence,
            scope,
            categories: *categories,
            end,
            answer,
            until,
            successor,
            clouds,
        })))
    }

    fn renew(
        &mut self,
        institution: InstitutionRow,
        grant: renkei_ids::GrantId,
    ) -> Result<Decision, StateError<S::Error>> {
        if let Some(refusal) = self.charge(Use::Renewal)? {
            return Ok(refusal);
        }
        let Some(row) = grant_row(self.store, &grant)?.filter(|row| row.institution == self.command.institution) else {
            self.fail()?;
            return Ok(refused(Reason::NoGrant));
        };
        let GrantRow { person, binding, purpose, evidence, categories, text, basis, scope, end, .. } = row;
        self.row.person = Some(person);
        (self.row.binding, self.row.grant) = (Some(binding), Some(grant));
        (self.row.purpose, self.row.evidence) = (Some(purpose), Some(evidence));
        (self.row.categories, self.row.text, self.row.basis) = (categories, text, basis);
        if self.now() >= end {
            return Ok(refused(Reason::GrantEnded));
        }
        let bound = there(binding_row(self.store, &binding)?, "binding")?;
        if bound.standing != Standing::Settled {
            return Ok(refused(Reason::Nobody));
        }
        let (answer, until) = find::period(&bound, Day::of(self.now()));
        let clouds = self.footprint(person, institution.home, scope)?;
        Ok(Decision::Admitted(Box::new(Admitted {
            leaf: self.head.leaves,
            grant,
            person,
            binding,
            evidence,
            scope,
            categories,
            end,
            answer,
            until,
            successor: None,
            clouds,
        })))
    }

    /// Remembers a card's proof; whether it is a new one.
    fn remember_presence(&mut self, card: &super::command::ShownCard) -> Result<bool, StateError<S::Error>> {
        let key = card.presence.as_bytes();
        if self.store.get(Table::Presences, key).map_err(StateError::Store)?.is_some() {
            return Ok(false);
        }
        self.store.put(Table::Presences, key, bytes::Bytes::new());
        enqueue(self.store, self.head, Queue::Presences, key, card.forget);
        Ok(true)
    }

    fn was_here(&self, person: Option<PersonId>) -> Result<bool, StateError<S::Error>> {
        let Some(person) = person else { return Ok(false) };
        let visit = visit_row(self.store, self.command.institution, person)?;
        let last = visit.and_then(|visit| visit.checked_in);
        Ok(last.is_some_and(|last| last.plus_millis(VISIT_DAYS * DAY_MILLIS) > self.now()))
    }

    /// Counts whom the institution asks for. Who was checked in there before is no sign of a breach; of others there
    /// may be so many in a day.
    fn seen(
        &mut self,
        institution: InstitutionRow,
        person: PersonId,
        checked_in: Option<UnixMillis>,
    ) -> Result<Option<Decision>, StateError<S::Error>> {
        let (id, now) = (self.command.institution, self.now());
        let today = u32::try_from(now.0 / DAY_MILLIS).unwrap_or(u32::MAX);
        let visit = visit_row(self.store, id, person)?;
        let is_new = visit.is_none_or(|visit| visit.checked_in.is_none() && visit.asked_day != today);
        if is_new {
            let persons = if institution.day == today { institution.persons } else { 0 };
            if persons >= self.command.limits.breadth {
                put_institution(self.store, &id, &InstitutionRow { locked: Some(now), ..institution });
                return Ok(Some(refused(Reason::Breadth)));
            }
            put_institution(self.store, &id, &InstitutionRow { day: today, persons: persons + 1, ..institution });
        }
        let before = visit.and_then(|visit| visit.checked_in);
        let row = VisitRow { asked_day: today, last: now, checked_in: checked_in.or(before) };
        if visit.is_none_or(|visit| visit.asked_day != today) || checked_in.is_some() {
            put_visit(self.store, id, person, &row);
            enqueue(self.store, self.head, Queue::Visits, &visit_key(id, person), after_visit(now));
        }
        Ok(None)
    }

    /// The newest other binding under which the person is insured today.
    fn successor(&self, person: PersonId, than: BindingId) -> Result<Option<BindingId>, StateError<S::Error>> {
        let current = find::current(self.store, person, Day::of(self.now()))?;
        Ok(current.filter(|binding| *binding != than))
    }

    fn footprint(
        &mut self,
        person: PersonId,
        home: CloudId,
        scope: Scope,
    ) -> Result<Vec<CloudId>, StateError<S::Error>> {
        let mut row: PersonRow = there(person_row(self.store, &person)?, "person")?;
        let before = row.clone();
        if scope.allows(Scope::WRITE)
            && let Err(place) = row.written.binary_search(&home)
        {
            row.written.insert(place, home);
        }
        // Where the institution's own records are is no secret to it.
        let real = [&row.written[..], &[home]].concat();
        row.listed = padded(row.decoys, &real, &row.listed, &self.command.clouds, row.protected);
        if row != before {
            put_person(self.store, &person, &row);
        }
        Ok(row.listed)
    }
}

/// What tickets may allow after this check-in, or why nothing may follow from it.
fn scope_of(asked: &CheckIn, evidence: Evidence) -> Result<Scope, Reason> {
    // The other purposes need no institution, or more than one person; an emergency needs what is not built.
    if asked.purpose != Purpose::Care {
        return Err(Reason::Evidence);
    }
    let allowed = evidence.allows(asked.purpose);
    let mut scope = Scope::NONE;
    if !asked.categories.is_empty() {
        if !allowed.allows(Scope::READ) {
            return Err(Reason::Evidence);
        }
        scope = scope.with(Scope::READ).with(Scope::AUDIT);
    }
    if asked.basis.is_some() {
        scope = scope.with(Scope::WRITE);
        if allowed.allows(Scope::DELETE) {
            scope = scope.with(Scope::DELETE);
        }
    }
    if scope == Scope::NONE { Err(Reason::NothingGranted) } else { Ok(scope) }
}

/// What the directory, or an operator, says of an institution.
pub(crate) fn enrol<S: Store>(
    store: &mut S,
    head: &mut Head,
    command: &super::command::Enrol,
) -> Result<Vec<Verdict>, StateError<S::Error>> {
    let super::command::Enrol { time: _, request, salt, institution, visits_per_day, home, locked } = command;
    let before: Option<InstitutionRow> = institution_row(store, institution)?;
    let was_locked = before.and_then(|row| row.locked);
    let row = InstitutionRow {
        visits_per_day: (*visits_per_day).max(1),
        home: *home,
        locked: match locked {
            None => was_locked,
            Some(locked) => locked.then(|| was_locked.unwrap_or(head.time)),
        },
        day: before.map_or(0, |row| row.day),
        // Who unlocks has looked into it: the day begins anew.
        persons: if *locked == Some(false) { 0 } else { before.map_or(0, |row| row.persons) },
    };
    put_institution(store, institution, &row);
    let row = LogRow::new(head.time, *request, Who::Operator(*institution), Asked::Enrol, Came::Done);
    let leaf = log_row::write(store, head, salt, row)?;
    Ok(vec![Verdict::Done(super::verdict::Done { leaf })])
}

/// Whether an institution is one of those that may ask.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn size_of<V: super::store::View>(
    view: &V,
    institution: InstitutionId,
) -> Result<Option<u32>, StateError<V::Error>> {
    Ok(institution_row(view, &institution)?.map(|row| row.visits_per_day))
}
