//! What institutions are told, and on what patients are checked in.

use renkei_access::{Evidence, Scope};

use super::*;

fn ends(memory: &mut Memory, number: u8, days: i64) -> u32 {
    let until = i64::from(super::super::Day::of(UnixMillis(NOON)).0) + days;
    let until = super::super::Day(u32::try_from(until).unwrap());
    assert!(matches!(insure(memory, NOON, said(number, number, Say::End(End { until }))), Verdict::Done(_)));
    until.0
}

#[test]
fn every_eligibility_has_its_answer_and_none_says_invalid() {
    let mut memory = with_two();
    let later = {
        let mut item = registration(3, 3, 3, matches(3, 3));
        let Say::Register(register) = &mut item.say else { unreachable!("a registration") };
        register.from = super::super::Day::of(UnixMillis(NOON)).plus(1);
        item
    };
    assert_eq!(register(&mut memory, later), Ok(Standing::Settled));
    assert_eq!(register(&mut memory, registration(4, 4, 4, RegisterAnswer::Nobody(ONLY))), Ok(Standing::Quarantined));
    assert_eq!(register(&mut memory, registration(5, 5, 5, RegisterAnswer::Silent(ONLY))), Ok(Standing::Tentative));
    let until = ends(&mut memory, 2, 0);
    let told = |memory: &mut Memory, time, number, birth| match ask(memory, time, 1, eligibility(number, birth)) {
        Verdict::Eligible(Eligible { answer, until, successor: None }) => (answer, until.map(|day| day.0)),
        other => panic!("{other:?}"),
    };
    let table = [
        (1, 1, NOON, (Answer::Valid, None)),
        // The birth date is somebody else's, and the member id nobody's.
        (1, 2, NOON, (Answer::Unknown, None)),
        (9, 1, NOON, (Answer::Unknown, None)),
        (2, 2, NOON, (Answer::Expired, Some(until))),
        (3, 3, NOON, (Answer::NotYetActive, None)),
        (4, 4, NOON, (Answer::CannotLink, None)),
        (4, 3, NOON, (Answer::Unknown, None)),
        (5, 5, NOON, (Answer::CannotLink, None)),
        // Midnight in Japan is twelve hours after noon.
        (3, 3, NOON + 12 * HOUR, (Answer::Valid, None)),
        // The old member id leads to the person for so many days and no longer.
        (2, 2, NOON + u64::from(OLD_MEMBER_DAYS - 1) * DAY, (Answer::Expired, Some(until))),
        (2, 2, NOON + u64::from(OLD_MEMBER_DAYS) * DAY, (Answer::Unknown, None)),
    ];
    for (number, birth, time, expected) in table {
        assert_eq!(told(&mut memory, time, number, birth), expected, "member id {number}, born {birth}, {time}");
    }
}

#[test]
fn both_people_of_a_quarantine_cannot_be_linked_and_no_count_is_told() {
    let mut memory = with_two();
    assert_eq!(register(&mut memory, registration(1, 9, 3, matches(3, 3))), Ok(Standing::Quarantined));
    let one = ask(&mut memory, NOON, 1, eligibility(1, 1));
    let other = ask(&mut memory, NOON, 1, eligibility(1, 9));
    assert_eq!((answer(&one), &one), (Answer::CannotLink, &other));
    assert_eq!(answer(&ask(&mut memory, NOON, 1, eligibility(1, 5))), Answer::Unknown);
}

#[test]
fn a_successor_is_shown_after_five_items_or_a_card_only() {
    let mut memory = with_two();
    ends(&mut memory, 1, 0);
    assert_eq!(register(&mut memory, registration(3, 1, 3, matches(1, 9))), Ok(Standing::Settled));
    let told = |memory: &mut Memory, five_items_of| {
        let asked = Eligibility { member: member(1), birth: tag(1), bulk: false, five_items_of };
        match ask(memory, NOON, 1, Ask::Eligibility(asked)) {
            Verdict::Eligible(Eligible { answer: Answer::Expired, successor, .. }) => successor,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(&mut memory, None), None);
    assert_eq!(told(&mut memory, Some(binding(2))), None);
    assert_eq!(told(&mut memory, Some(binding(1))), Some(binding(3)));
    // A card checks in under the binding in force, and another asks under the old one.
    let by_card = ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    assert_eq!(admitted(&by_card).binding, binding(3));
    let by_member = ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_member(1, 1), 2)));
    assert_eq!((admitted(&by_member).binding, admitted(&by_member).successor), (binding(1), None));
    assert_eq!(admitted(&by_member).answer, Answer::Expired);
}

#[test]
fn evidence_decides_what_tickets_may_allow() {
    let mut memory = with_two();
    let print = Say::Print(Print { token: token(1), expires: UnixMillis(NOON + DAY) });
    insure(&mut memory, NOON, said(1, 1, print));
    let read = Scope::READ.with(Scope::AUDIT);
    let all = read.with(Scope::WRITE).with(Scope::DELETE);
    let cases = [
        (by_card(1, NOON, 1), drugs(), true, Ok(all)),
        (by_card(1, NOON, 2), drugs(), false, Ok(read)),
        (by_card(1, NOON, 3), ConsentSet::NONE, true, Ok(Scope::WRITE.with(Scope::DELETE))),
        (by_card(1, NOON, 4), ConsentSet::NONE, false, Err(Reason::NothingGranted)),
        (by_token(1), drugs(), true, Ok(all)),
        (by_member(1, 1), ConsentSet::NONE, true, Ok(Scope::WRITE)),
        (by_member(1, 1), drugs(), true, Err(Reason::Evidence)),
        (by_member(1, 1), ConsentSet::NONE, false, Err(Reason::NothingGranted)),
    ];
    for (at, (shown, categories, writes, expected)) in cases.into_iter().enumerate() {
        let basis = writes.then_some(CollectionBasis::LegalDuty);
        let asked = CheckIn { categories, basis, ..check_in(shown, 1 + u8::try_from(at).unwrap()) };
        let scope = match ask(&mut memory, NOON, 1, Ask::CheckIn(asked)) {
            Verdict::Admitted(admitted) => Ok(admitted.scope),
            other => Err(reason(&other)),
        };
        assert_eq!(scope, expected, "{shown:?}");
    }
}

#[test]
fn institutions_have_the_purpose_of_care_alone() {
    let mut memory = with_two();
    for purpose in [Purpose::Emergency, Purpose::Own, Purpose::Repair, Purpose::Report] {
        let asked = CheckIn { purpose, ..check_in(by_card(1, NOON, 1), 1) };
        assert_eq!(reason(&ask(&mut memory, NOON, 1, Ask::CheckIn(asked))), Reason::Evidence, "{purpose:?}");
    }
    assert!(memory.rows(Table::Grants).is_empty());
}

#[test]
fn a_refused_check_in_does_not_tell_the_unknown_from_the_unlinked() {
    let mut memory = with_two();
    assert_eq!(register(&mut memory, registration(1, 9, 3, matches(3, 3))), Ok(Standing::Quarantined));
    // Each in a minute of its own, for so many failures are no guesses.
    let mut time = NOON;
    let mut bytes = |memory: &mut Memory, shown| {
        time += MINUTE;
        let command = attending(time, 1, vec![Ask::CheckIn(check_in(shown, 1))]);
        apply(memory, &Command::Attend(command).encode()).unwrap()
    };
    let unknown = bytes(&mut memory, by_member(7, 7));
    for shown in [by_member(1, 1), by_member(1, 9), by_card(1, NOON, 1), by_card(3, NOON, 2), by_card(8, NOON, 3)] {
        assert_eq!(bytes(&mut memory, shown), unknown, "{shown:?}");
    }
    assert!(memory.rows(Table::Grants).is_empty());
}

#[test]
fn a_grant_ends_to_the_second_and_is_nobody_elses() {
    let mut memory = with_two();
    let verdict = ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    assert_eq!(admitted(&verdict).end, UnixMillis(NOON + HOUR));
    let renew =
        |memory: &mut Memory, time, number, of| ask(memory, time, number, Ask::Renew(Renew { grant: grant(of) }));
    let renewed = renew(&mut memory, NOON + HOUR - 1, 1, 1);
    assert_eq!(admitted(&renewed).end, UnixMillis(NOON + HOUR));
    assert_eq!(admitted(&renewed).scope, admitted(&verdict).scope);
    assert_eq!(admitted(&renewed).evidence, Evidence::Card);
    assert_eq!(reason(&renew(&mut memory, NOON + HOUR - 1, 2, 1)), Reason::NoGrant);
    assert_eq!(reason(&renew(&mut memory, NOON + HOUR - 1, 1, 9)), Reason::NoGrant);
    assert_eq!(reason(&renew(&mut memory, NOON + HOUR, 1, 1)), Reason::GrantEnded);
    // Group time only grows: a clock set back revives nothing.
    assert_eq!(reason(&renew(&mut memory, NOON, 1, 1)), Reason::GrantEnded);
}

#[test]
fn a_quarantine_ends_what_was_granted() {
    let mut memory = with_two();
    ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    assert_eq!(register(&mut memory, registration(1, 9, 3, matches(3, 3))), Ok(Standing::Quarantined));
    let renewed = ask(&mut memory, NOON, 1, Ask::Renew(Renew { grant: grant(1) }));
    assert_eq!(reason(&renewed), Reason::Nobody);
}

#[test]
fn a_grant_lasts_a_day_or_thirty_of_an_admission() {
    let mut memory = with_two();
    let cases = [
        (GRANT_MINUTES_MAX, false, true),
        (GRANT_MINUTES_MAX + 1, false, false),
        (ADMISSION_MINUTES_MAX, true, true),
        (ADMISSION_MINUTES_MAX + 1, true, false),
        (0, false, false),
    ];
    for (at, (minutes, admission, taken)) in cases.into_iter().enumerate() {
        let nonce = u8::try_from(at).unwrap();
        let asked = CheckIn { minutes, admission, ..check_in(by_card(1, NOON, nonce), nonce) };
        match ask(&mut memory, NOON, 1, Ask::CheckIn(asked)) {
            Verdict::Admitted(_) => assert!(taken, "{minutes}"),
            other => assert_eq!((reason(&other), taken), (Reason::TooLong, false), "{minutes}"),
        }
    }
}

#[test]
fn a_cards_proof_serves_once() {
    let mut memory = with_two();
    let shown = by_card(1, NOON, 1);
    admitted(&ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(shown, 1))));
    assert_eq!(reason(&ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(shown, 2)))), Reason::ProofUsed);
    // It is forgotten when it would be refused for its age.
    ask(&mut memory, NOON + 2 * MINUTE, 1, eligibility(1, 1));
    assert!(memory.rows(Table::Presences).is_empty());
}

#[test]
fn bulk_answers_of_those_alone_who_were_checked_in_here_before() {
    let mut memory = with_two();
    ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    // Asked for, and not checked in.
    ask(&mut memory, NOON, 1, eligibility(2, 2));
    let bulk = |number, birth| {
        Ask::Eligibility(Eligibility { member: member(number), birth: tag(birth), bulk: true, five_items_of: None })
    };
    let asks = vec![bulk(1, 1), bulk(2, 2), bulk(9, 9)];
    let verdicts = attend(&mut memory, attending(NOON + HOUR, 1, asks));
    assert_eq!(verdicts.iter().map(answer).collect::<Vec<_>>(), [Answer::Valid, Answer::Unknown, Answer::Unknown]);
    assert_eq!(verdicts[1], verdicts[2]);
    assert_eq!(answer(&ask(&mut memory, NOON + HOUR, 2, bulk(1, 1))), Answer::Unknown);
}

#[test]
fn tickets_name_the_clouds_that_a_person_was_written_in_among_decoys() {
    let mut memory = with_two();
    let verdict = ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    let first = admitted(&verdict).clouds.clone();
    assert!(first.len() == 2 && first.contains(&cloud(1)), "{first:?}");
    let verdict = ask(&mut memory, NOON, 2, Ask::CheckIn(check_in(by_card(1, NOON, 2), 2)));
    let second = &admitted(&verdict).clouds;
    assert!([2, 4].contains(&second.len()) && first.iter().all(|cloud| second.contains(cloud)), "{second:?}");
    let person = person_row(&memory, &admitted(&verdict).person).unwrap().unwrap();
    assert_eq!((person.written, &person.listed), (vec![cloud(1), cloud(2)], second));
    // Who is protected has tickets for all.
    let mut item = registration(2, 2, 9, matches(2, 9));
    let Say::Register(Register { register: RegisterAnswer::Match(found), .. }) = &mut item.say else {
        unreachable!("a match")
    };
    found.protected = true;
    assert_eq!(register(&mut memory, item), Ok(Standing::Settled));
    let verdict = ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(2, NOON, 3), 3)));
    assert_eq!(admitted(&verdict).clouds.len(), 6);
}
