//! Whose a member id is.

use super::*;

fn nobody() -> RegisterAnswer {
    RegisterAnswer::Nobody(ONLY)
}

fn silent() -> RegisterAnswer {
    RegisterAnswer::Silent(ONLY)
}

fn once(mut item: InsurerItem) -> InsurerItem {
    if let Say::Register(register) = &mut item.say {
        register.entered_twice = false;
    }
    item
}

fn standing(memory: &Memory, number: u8) -> Option<Standing> {
    binding_row(memory, &binding(number)).unwrap().map(|row| row.standing)
}

#[test]
fn a_binding_is_settled_by_a_match_alone() {
    let mut memory = founded();
    assert_eq!(register(&mut memory, registration(1, 1, 1, matches(1, 1))), Ok(Standing::Settled));
    assert_eq!(register(&mut memory, registration(2, 2, 2, nobody())), Ok(Standing::Quarantined));
    assert_eq!(register(&mut memory, registration(3, 3, 3, silent())), Ok(Standing::Tentative));
    assert_eq!(memory.rows(Table::Persons).len(), 1);
}

#[test]
fn a_second_person_puts_both_into_quarantine_if_the_register_knows_her() {
    let mut memory = with_two();
    let second = registration(1, 9, 3, matches(3, 3));
    assert_eq!(register(&mut memory, second), Ok(Standing::Quarantined));
    assert_eq!(
        (standing(&memory, 1), standing(&memory, 3)),
        (Some(Standing::Quarantined), Some(Standing::Quarantined))
    );
    assert_eq!(standing(&memory, 2), Some(Standing::Settled));
    // And saying the same again settles neither.
    assert_eq!(register(&mut memory, registration(1, 1, 4, matches(1, 4))), Ok(Standing::Quarantined));
    assert_eq!(member_row(&memory, &member(1)).unwrap().unwrap().bindings, [binding(1), binding(3)]);
}

#[test]
fn a_second_person_whom_the_register_does_not_know_is_refused_and_harms_nobody() {
    let mut memory = with_two();
    assert_eq!(register(&mut memory, registration(1, 9, 3, nobody())), Err(Reason::RegisterMismatch));
    assert_eq!(register(&mut memory, registration(1, 9, 3, silent())), Err(Reason::RegisterSilent));
    // Nor does a registration with a wrong name or address: birth date and sex are the first person's.
    assert_eq!(register(&mut memory, registration(1, 1, 3, nobody())), Err(Reason::RegisterMismatch));
    // Nor one that was entered once.
    assert_eq!(register(&mut memory, once(registration(1, 9, 3, matches(3, 3)))), Err(Reason::EntryUnconfirmed));
    assert_eq!(standing(&memory, 1), Some(Standing::Settled));
}

#[test]
fn twins_of_one_sex_on_one_member_id_are_two_people() {
    let mut memory = with_two();
    assert_eq!(register(&mut memory, registration(1, 1, 3, matches(3, 3))), Ok(Standing::Quarantined));
    assert_eq!(standing(&memory, 1), Some(Standing::Quarantined));
}

#[test]
fn what_is_entered_once_is_taken_only_of_a_person_known_under_this_id() {
    let mut memory = founded();
    for register_says in [matches(1, 1), nobody(), silent()] {
        let item = once(registration(1, 1, 1, register_says));
        assert_eq!(register(&mut memory, item), Err(Reason::EntryUnconfirmed));
    }
    assert!(memory.rows(Table::Bindings).is_empty() && memory.rows(Table::Persons).is_empty());
    let mut memory = with_two();
    assert_eq!(register(&mut memory, once(registration(1, 1, 3, matches(1, 3)))), Ok(Standing::Settled));
    assert_eq!(standing(&memory, 3), None);
}

#[test]
fn a_tentative_binding_is_settled_by_a_later_match_and_ended_by_none() {
    let mut memory = founded();
    assert_eq!(register(&mut memory, registration(1, 1, 1, silent())), Ok(Standing::Tentative));
    assert_eq!(register(&mut memory, registration(1, 1, 2, silent())), Ok(Standing::Tentative));
    assert_eq!(register(&mut memory, registration(1, 1, 3, matches(1, 1))), Ok(Standing::Settled));
    assert_eq!((standing(&memory, 1), standing(&memory, 3)), (Some(Standing::Settled), None));

    let mut memory = founded();
    assert_eq!(register(&mut memory, registration(1, 1, 1, silent())), Ok(Standing::Tentative));
    assert_eq!(register(&mut memory, registration(1, 1, 2, nobody())), Ok(Standing::Quarantined));
    assert_eq!(standing(&memory, 1), Some(Standing::Quarantined));

    // Two people, of whom the register knows the second: as always both.
    let mut memory = founded();
    assert_eq!(register(&mut memory, registration(1, 1, 1, silent())), Ok(Standing::Tentative));
    assert_eq!(register(&mut memory, registration(1, 2, 2, matches(2, 2))), Ok(Standing::Quarantined));
    assert_eq!(standing(&memory, 1), Some(Standing::Quarantined));
}

#[test]
fn a_mistake_that_led_to_nobody_is_corrected_by_the_next_entry() {
    let mut memory = founded();
    assert_eq!(register(&mut memory, registration(1, 9, 1, nobody())), Ok(Standing::Quarantined));
    assert_eq!(register(&mut memory, registration(1, 1, 2, matches(1, 1))), Ok(Standing::Settled));
    assert_eq!((standing(&memory, 1), standing(&memory, 2)), (None, Some(Standing::Settled)));
    assert_eq!(member_row(&memory, &member(1)).unwrap().unwrap().bindings, [binding(2)]);
}

#[test]
fn a_person_keeps_her_seed_from_one_insurer_to_the_next() {
    let mut memory = with_two();
    assert_eq!(register(&mut memory, registration(3, 1, 3, matches(1, 9))), Ok(Standing::Settled));
    let person = resident_row(&memory, &resident(1)).unwrap().unwrap().person;
    assert_eq!(person, PersonId::from_bytes([1; 16]));
    assert_eq!(person_row(&memory, &person).unwrap().unwrap().bindings, [binding(1), binding(3)]);
    assert_eq!(memory.rows(Table::Persons).len(), 2);
}

#[test]
fn claims_of_one_member_id_come_to_an_end() {
    let mut memory = founded();
    for number in 1..=16 {
        let item = registration(1, number, number, matches(number, number));
        let expected = if number == 1 { Standing::Settled } else { Standing::Quarantined };
        assert_eq!(register(&mut memory, item), Ok(expected));
    }
    assert_eq!(register(&mut memory, registration(1, 17, 17, matches(17, 17))), Err(Reason::RegisterMismatch));
}

#[test]
fn an_insurer_speaks_of_a_birth_date_under_its_member_id_only() {
    let mut memory = with_two();
    let end = |memory: &mut Memory, birth| {
        insure(memory, NOON, said(1, birth, Say::End(End { until: super::super::Day(5) })))
    };
    assert_eq!(reason(&end(&mut memory, 9)), Reason::NoBinding);
    assert!(matches!(end(&mut memory, 1), Verdict::Done(_)));
    assert_eq!(binding_row(&memory, &binding(1)).unwrap().unwrap().until, Some(super::super::Day(5)));
}

#[test]
fn a_token_stands_for_a_settled_binding_until_it_is_revoked_printed_anew_or_over() {
    let print = |number: u8, expires: u64| Say::Print(Print { token: token(number), expires: UnixMillis(expires) });
    let mut grants = 0;
    let mut shows = |memory: &mut Memory, number: u8, time: u64| {
        grants += 1;
        let verdict = ask(memory, time, 1, Ask::CheckIn(check_in(by_token(number), grants)));
        match verdict {
            Verdict::Admitted(admitted) => Ok(admitted.evidence),
            other => Err(reason(&other)),
        }
    };
    let mut memory = with_two();
    assert_eq!(register(&mut memory, registration(3, 3, 3, nobody())), Ok(Standing::Quarantined));
    assert_eq!(reason(&insure(&mut memory, NOON, said(3, 3, print(1, NOON + DAY)))), Reason::NotSettled);
    assert_eq!(shows(&mut memory, 1, NOON), Err(Reason::Nobody));

    assert!(matches!(insure(&mut memory, NOON, said(1, 1, print(1, NOON + DAY))), Verdict::Done(_)));
    assert_eq!(shows(&mut memory, 1, NOON), Ok(renkei_access::Evidence::InsurerToken));
    assert!(matches!(insure(&mut memory, NOON, said(1, 1, print(2, NOON + DAY))), Verdict::Done(_)));
    assert_eq!(shows(&mut memory, 1, NOON), Err(Reason::Nobody));
    assert!(shows(&mut memory, 2, NOON + DAY - 1).is_ok());
    assert_eq!(shows(&mut memory, 2, NOON + DAY), Err(Reason::Nobody));
    assert!(matches!(insure(&mut memory, NOON, said(1, 1, print(3, NOON + 9 * DAY))), Verdict::Done(_)));
    assert!(shows(&mut memory, 3, NOON + DAY).is_ok());
    assert!(matches!(insure(&mut memory, NOON, said(1, 1, Say::Revoke(Revoke {}))), Verdict::Done(_)));
    assert_eq!(shows(&mut memory, 3, NOON + DAY), Err(Reason::Nobody));
    assert!(memory.rows(Table::Tokens).is_empty());
}

#[test]
fn a_new_id_never_takes_the_place_of_another() {
    let mut memory = with_two();
    let before = [Table::Members, Table::Bindings, Table::Persons].map(|table| memory.rows(table).len());
    assert_eq!(register(&mut memory, registration(3, 3, 1, matches(3, 3))), Err(Reason::Clash));
    assert_eq!(register(&mut memory, registration(3, 3, 3, matches(3, 1))), Err(Reason::Clash));
    assert_eq!([Table::Members, Table::Bindings, Table::Persons].map(|table| memory.rows(table).len()), before);
    ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    let again = ask(&mut memory, NOON, 2, Ask::CheckIn(check_in(by_card(2, NOON, 2), 1)));
    assert_eq!(reason(&again), Reason::Clash);
}

#[test]
fn what_the_register_says_is_kept_as_it_says_it_now() {
    let mut memory = with_two();
    let mut item = registration(1, 1, 3, matches(1, 1));
    let Say::Register(Register { register: RegisterAnswer::Match(found), .. }) = &mut item.say else {
        unreachable!("a match")
    };
    (found.values, found.protected) = (Bytes::from_static(b"sealed new address"), true);
    assert_eq!(register(&mut memory, item), Ok(Standing::Settled));
    let row = person_row(&memory, &PersonId::from_bytes([1; 16])).unwrap().unwrap();
    assert_eq!((&row.register[..], row.protected), (&b"sealed new address"[..], true));
}
