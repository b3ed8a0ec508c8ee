//! Random sequences of registrations, check-ins, renewals, locks and clocks that go back, against the rules said once
//! more, plainly.

use std::collections::BTreeMap;

use proptest::prelude::*;
use renkei_access::{Evidence, Scope};

use super::*;

/// Persons 2n and 2n + 1 have one birth date and one sex.
const PERSONS: u8 = 6;
const MEMBERS: u8 = 3;

#[derive(Clone, Copy, Debug)]
enum Says {
    Match,
    Nobody,
    Silent,
}

#[derive(Clone, Debug)]
enum Step {
    Register { member: u8, person: u8, says: Says, twice: bool },
    Print { member: u8, birth: u8 },
    Look { institution: u8, member: u8, birth: u8 },
    Card { institution: u8, person: u8, minutes: u32 },
    Token { institution: u8, token: u8 },
    Member { institution: u8, member: u8, birth: u8, reads: bool },
    Renew { institution: u8, grant: u8 },
    Lock { institution: u8, locked: bool },
    Wait { millis: u64 },
    ClockBack { millis: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let says = prop_oneof![4 => Just(Says::Match), 1 => Just(Says::Nobody), 1 => Just(Says::Silent)];
    let (member, person, birth, institution) = (0..MEMBERS, 0..PERSONS, 0..PERSONS / 2, 1_u8..3);
    let step = prop_oneof![
        4 => (member.clone(), person.clone(), says, prop::bool::weighted(0.8))
            .prop_map(|(member, person, says, twice)| Step::Register { member, person, says, twice }),
        1 => (member.clone(), birth.clone()).prop_map(|(member, birth)| Step::Print { member, birth }),
        2 => (institution.clone(), member.clone(), birth.clone())
            .prop_map(|(institution, member, birth)| Step::Look { institution, member, birth }),
        4 => (institution.clone(), person, 1_u32..1_500)
            .prop_map(|(institution, person, minutes)| Step::Card { institution, person, minutes }),
        2 => (institution.clone(), 0_u8..6).prop_map(|(institution, token)| Step::Token { institution, token }),
        3 => (institution.clone(), member, birth, any::<bool>())
            .prop_map(|(institution, member, birth, reads)| Step::Member { institution, member, birth, reads }),
        4 => (institution.clone(), 0_u8..12).prop_map(|(institution, grant)| Step::Renew { institution, grant }),
        1 => (institution, prop::bool::weighted(0.3))
            .prop_map(|(institution, locked)| Step::Lock { institution, locked }),
        2 => (0_u64..3 * HOUR).prop_map(|millis| Step::Wait { millis }),
        1 => (0_u64..HOUR).prop_map(|millis| Step::ClockBack { millis }),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Clone, Debug)]
struct Claim {
    birth: u8,
    resident: Option<u8>,
    standing: Standing,
    binding: u8,
}

#[derive(Debug)]
struct Granted {
    institution: u8,
    binding: u8,
    scope: Scope,
    end: u64,
}

/// The rules.
#[derive(Default)]
struct Model {
    /// By member id.
    claims: BTreeMap<u8, Vec<Claim>>,
    /// Token to binding.
    tokens: BTreeMap<u8, u8>,
    grants: BTreeMap<u8, Granted>,
    locked: BTreeMap<u8, bool>,
    /// Group time.
    now: u64,
    /// Failures of an institution in a minute.
    failures: BTreeMap<(u8, u64), u32>,
    drawn: u8,
    items: u64,
}

const FAILURES: u32 = 3;

impl Model {
    fn register(&mut self, member: u8, person: u8, says: Says, twice: bool) -> Result<Standing, Reason> {
        let claims = self.claims.entry(member).or_default();
        let birth = person / 2;
        if let Says::Match = says
            && let Some(own) = claims.iter().find(|claim| claim.resident == Some(person))
        {
            return Ok(own.standing);
        }
        if !twice {
            return Err(Reason::EntryUnconfirmed);
        }
        let binding = self.drawn;
        let (standing, against) = match says {
            Says::Nobody => (Standing::Quarantined, Reason::RegisterMismatch),
            Says::Silent => (Standing::Tentative, Reason::RegisterSilent),
            Says::Match => {
                claims.retain(|claim| claim.resident.is_some() || claim.standing == Standing::Tentative);
                if let [only] = &mut claims[..]
                    && only.resident.is_none()
                    && only.birth == birth
                {
                    (only.resident, only.standing) = (Some(person), Standing::Settled);
                    return Ok(Standing::Settled);
                }
                let standing = if claims.is_empty() { Standing::Settled } else { Standing::Quarantined };
                claims.iter_mut().for_each(|claim| claim.standing = Standing::Quarantined);
                claims.push(Claim { birth, resident: Some(person), standing, binding });
                return Ok(standing);
            }
        };
        if claims.is_empty() {
            claims.push(Claim { birth, resident: None, standing, binding });
            return Ok(standing);
        }
        let same = claims.iter_mut().find(|claim| claim.birth == birth).ok_or(against)?;
        match (same.resident, standing) {
            (Some(_), Standing::Quarantined) => Err(against),
            (None, Standing::Quarantined) => {
                same.standing = standing;
                Ok(standing)
            }
            _ => Ok(same.standing),
        }
    }

    fn settled(&self, binding: u8) -> bool {
        self.claims.values().flatten().any(|claim| claim.binding == binding && claim.standing == Standing::Settled)
    }

    fn of_member(&self, member: u8, birth: u8) -> Option<&Claim> {
        self.claims.get(&member)?.iter().find(|claim| claim.birth == birth)
    }

    /// What is refused whoever is meant.
    fn hindrance(&self, institution: u8) -> Option<Reason> {
        if self.locked.get(&institution) == Some(&true) {
            return Some(Reason::Locked);
        }
        let failures = self.failures.get(&(institution, self.now / MINUTE));
        failures.is_some_and(|failures| *failures >= FAILURES).then_some(Reason::Budget)
    }

    fn fail(&mut self, institution: u8) {
        *self.failures.entry((institution, self.now / MINUTE)).or_default() += 1;
    }

    /// A check-in under the binding, if there is a settled one.
    fn check_in(&mut self, institution: u8, binding: Option<u8>, scope: Scope, minutes: u32) -> Result<u8, Reason> {
        if let Some(reason) = self.hindrance(institution) {
            return Err(reason);
        }
        let Some(binding) = binding.filter(|binding| self.settled(*binding)) else {
            self.fail(institution);
            return Err(Reason::Nobody);
        };
        let end = self.now + u64::from(minutes) * MINUTE;
        self.grants.insert(self.drawn, Granted { institution, binding, scope, end });
        Ok(binding)
    }
}

fn everything() -> Scope {
    Scope::READ.with(Scope::AUDIT).with(Scope::WRITE).with(Scope::DELETE)
}

/// The state machine and the model, side by side.
struct Both {
    memory: Memory,
    model: Model,
    clock: u64,
}

impl Both {
    fn ask(&mut self, institution: u8, asked: Ask) -> Verdict {
        self.model.now = self.model.now.max(self.clock);
        self.model.items += 1;
        let wide = Limit { minute: u32::MAX, day: u32::MAX };
        let limits = Limits {
            check_ins: wide,
            eligibility: wide,
            bulk: wide,
            failures: Limit { minute: FAILURES, day: u32::MAX },
            renewals: wide,
            actor: wide,
            breadth: u32::MAX,
        };
        let command = Attend { limits, ..attending(self.clock, institution, vec![asked]) };
        attend(&mut self.memory, command).remove(0)
    }

    fn checked_in(&mut self, institution: u8, asked: CheckIn, expected: Result<u8, Reason>) {
        let scope = self.model.grants.get(&self.model.drawn).map(|granted| granted.scope);
        match self.ask(institution, Ask::CheckIn(asked)) {
            Verdict::Admitted(admitted) => {
                assert_eq!(Ok(admitted.binding), expected.map(binding));
                assert_eq!(Some(admitted.scope), scope);
                let row = binding_row(&self.memory, &admitted.binding).unwrap().unwrap();
                assert_eq!((row.standing, row.person), (Standing::Settled, Some(admitted.person)));
                assert!(admitted.evidence != Evidence::MemberId || !admitted.scope.allows(Scope::READ));
            }
            other => assert_eq!(Err(reason(&other)), expected),
        }
    }

    fn step(&mut self, step: &Step) {
        self.model.drawn += 1;
        let new = self.model.drawn;
        if !matches!(step, Step::Wait { .. } | Step::ClockBack { .. }) {
            self.model.now = self.model.now.max(self.clock);
        }
        match *step {
            Step::Wait { millis } => self.clock += millis,
            Step::ClockBack { millis } => self.clock -= millis,
            Step::Lock { institution, locked } => {
                self.model.locked.insert(institution, locked);
                self.model.items += 1;
                enrol(&mut self.memory, self.clock, institution, locked);
            }
            Step::Register { member, person, says, twice } => {
                let expected = self.model.register(member, person, says, twice);
                let answer = match says {
                    Says::Match => matches(person, 100 + new),
                    Says::Nobody => RegisterAnswer::Nobody(ONLY),
                    Says::Silent => RegisterAnswer::Silent(ONLY),
                };
                let mut item = registration(member, person / 2, new, answer);
                let Say::Register(entry) = &mut item.say else { unreachable!("a registration") };
                entry.entered_twice = twice;
                let told = match insure(&mut self.memory, self.clock, item) {
                    Verdict::Registered(registered) => Ok(registered.standing),
                    other => Err(reason(&other)),
                };
                self.model.items += 1;
                assert_eq!(told, expected);
            }
            Step::Print { member, birth } => self.print(new, member, birth),
            Step::Look { institution, member, birth } => self.look(institution, member, birth),
            Step::Card { institution, person, minutes } => {
                // The newest settled one: none has an end here.
                let of_person = self.model.claims.values().flatten().filter(|claim| claim.resident == Some(person));
                let settled = of_person.filter(|claim| claim.standing == Standing::Settled);
                let asked = CheckIn { minutes, ..check_in(by_card(person, self.model.now, new), new) };
                let newest = self.newest(settled.map(|claim| claim.binding).collect());
                let expected = match minutes > GRANT_MINUTES_MAX {
                    true if self.model.locked.get(&institution) == Some(&true) => Err(Reason::Locked),
                    true => Err(Reason::TooLong),
                    false => self.model.check_in(institution, newest, everything(), minutes),
                };
                self.checked_in(institution, asked, expected);
            }
            Step::Token { institution, token: shown } => {
                let shown = self.model.tokens.keys().nth(shown.into()).copied().unwrap_or(0);
                let printed_for = self.model.tokens.get(&shown).copied();
                let expected = self.model.check_in(institution, printed_for, everything(), 60);
                self.checked_in(institution, check_in(by_token(shown), new), expected);
            }
            Step::Member { institution, member, birth, reads } => {
                let asked = check_in(by_member(member, birth), new);
                let asked = CheckIn { categories: if reads { drugs() } else { ConsentSet::NONE }, ..asked };
                let claimed = self.model.of_member(member, birth).map(|claim| claim.binding);
                let expected = match reads {
                    true if self.model.locked.get(&institution) == Some(&true) => Err(Reason::Locked),
                    true => Err(Reason::Evidence),
                    false => self.model.check_in(institution, claimed, Scope::WRITE, 60),
                };
                self.checked_in(institution, asked, expected);
            }
            Step::Renew { institution, grant: of } => self.renew(institution, of),
        }
    }

    fn print(&mut self, new: u8, member: u8, birth: u8) {
        let claim = self.model.of_member(member, birth).cloned();
        let print = Say::Print(Print { token: token(new), expires: UnixMillis(u64::MAX) });
        let done = matches!(insure(&mut self.memory, self.clock, said(member, birth, print)), Verdict::Done(_));
        self.model.items += 1;
        assert_eq!(done, claim.as_ref().is_some_and(|claim| claim.standing == Standing::Settled));
        if let Some(claim) = claim.filter(|_| done) {
            self.model.tokens.retain(|_, binding| *binding != claim.binding);
            self.model.tokens.insert(new, claim.binding);
        }
    }

    /// The newest of some bindings, in the order in which they became the person's.
    fn newest(&self, of: Vec<u8>) -> Option<u8> {
        let rows = self.memory.rows(Table::Persons).into_iter();
        let persons = rows.map(|(key, _)| person_row(&self.memory, &key.try_into().unwrap()).unwrap().unwrap());
        let order: Vec<BindingId> = persons.flat_map(|person| person.bindings).collect();
        of.into_iter().max_by_key(|number| order.iter().position(|known| *known == binding(*number)))
    }

    fn look(&mut self, institution: u8, member: u8, birth: u8) {
        let expected = match self.model.hindrance(institution) {
            Some(reason) => Err(reason),
            None => Ok(match self.model.of_member(member, birth).map(|claim| claim.standing) {
                None => Answer::Unknown,
                Some(Standing::Settled) => Answer::Valid,
                Some(_) => Answer::CannotLink,
            }),
        };
        if matches!(expected, Ok(Answer::Unknown | Answer::CannotLink)) {
            self.model.fail(institution);
        }
        let told = match self.ask(institution, eligibility(member, birth)) {
            Verdict::Eligible(eligible) => Ok(eligible.answer),
            other => Err(reason(&other)),
        };
        assert_eq!(told, expected);
    }

    fn renew(&mut self, institution: u8, of: u8) {
        let number = self.model.grants.keys().nth(of.into()).copied().unwrap_or(0);
        let granted = self.model.grants.get(&number).filter(|granted| granted.institution == institution);
        let expected = match (self.model.hindrance(institution), granted) {
            (Some(reason), _) => Err(reason),
            (None, None) => Err(Reason::NoGrant),
            (None, Some(granted)) if self.model.now >= granted.end => Err(Reason::GrantEnded),
            (None, Some(granted)) if !self.model.settled(granted.binding) => Err(Reason::Nobody),
            (None, Some(granted)) => Ok((granted.scope, granted.end)),
        };
        if expected == Err(Reason::NoGrant) {
            self.model.fail(institution);
        }
        let told = match self.ask(institution, Ask::Renew(Renew { grant: grant(number) })) {
            Verdict::Admitted(admitted) => Ok((admitted.scope, admitted.end.0)),
            other => Err(reason(&other)),
        };
        assert_eq!(told, expected);
    }

    /// What holds whatever has happened.
    fn check(&self) {
        for (_, row) in self.memory.rows(Table::Members) {
            let MemberRow { bindings } = super::super::stored::Stored::decode(row).unwrap();
            let rows: Vec<BindingRow> =
                bindings.iter().map(|binding| binding_row(&self.memory, binding).unwrap().unwrap()).collect();
            let settled = rows.iter().filter(|row| row.standing == Standing::Settled).count();
            assert!(settled == 0 || rows.len() == 1, "a member id that is settled is one person's");
            assert!(rows.iter().all(|row| row.standing != Standing::Settled || row.person.is_some()));
        }
        let waiting: u64 = self
            .memory
            .rows(Table::Refusals)
            .into_iter()
            .map(|(_, row)| {
                let counter: super::super::refusals::Counter = super::super::stored::Stored::decode(row).unwrap();
                counter.unlogged
            })
            .sum();
        let counted: u64 = self.memory.log().iter().map(|row| 1 + row.unlogged).sum();
        assert_eq!(counted + waiting, self.model.items, "every item is in the log, or counted by it");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nobody_is_read_without_a_settled_link_a_live_grant_and_evidence(steps in steps()) {
        // Two enrolments of the day before are in the log already.
        let model = Model { items: 2, now: NOON - DAY, ..Model::default() };
        let mut both = Both { memory: founded(), model, clock: NOON };
        for step in &steps {
            both.step(step);
            both.check();
        }
    }
}
