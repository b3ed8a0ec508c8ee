//! Budgets, locks, the log, and what is kept for how long.

use super::*;

fn failing(memory: &mut Memory, time: u64, times: u32) {
    for _ in 0..times {
        assert_eq!(answer(&ask(memory, time, 1, eligibility(9, 9))), Answer::Unknown);
    }
}

#[test]
fn after_so_many_failures_even_the_right_answer_is_not_given() {
    let mut memory = with_two();
    let Limit { minute, day } = limits().failures;
    failing(&mut memory, NOON, minute);
    let Verdict::Refused(refused) = ask(&mut memory, NOON, 1, eligibility(1, 1)) else { panic!("answered") };
    assert_eq!(refused, Refused { reason: Reason::Budget, retry_after_millis: MINUTE - NOON % MINUTE });
    assert_eq!(reason(&ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)))), Reason::Budget);
    // Another institution goes on, and so does this one in the next minute, until the day's are used up.
    assert_eq!(answer(&ask(&mut memory, NOON, 2, eligibility(1, 1))), Answer::Valid);
    for round in 1..day / minute {
        failing(&mut memory, NOON + u64::from(round) * MINUTE, minute);
    }
    let later = NOON + HOUR;
    failing(&mut memory, later, day % minute);
    let Verdict::Refused(refused) = ask(&mut memory, later, 1, eligibility(1, 1)) else { panic!("answered") };
    assert_eq!(refused, Refused { reason: Reason::Budget, retry_after_millis: DAY - later % DAY });
    assert_eq!(answer(&ask(&mut memory, NOON + DAY, 1, eligibility(1, 1))), Answer::Valid);
}

#[test]
fn group_time_only_grows_so_a_clock_set_back_refills_no_budget() {
    let mut memory = with_two();
    failing(&mut memory, NOON, limits().failures.minute);
    for time in [0, NOON - HOUR, NOON] {
        assert_eq!(reason(&ask(&mut memory, time, 1, eligibility(1, 1))), Reason::Budget, "{time}");
    }
}

#[test]
fn one_actor_uses_up_her_own_budget_and_not_her_institutions() {
    let mut memory = with_two();
    let small = Limits { actor: Limit { minute: 2, day: 9 }, ..limits() };
    let mut asks = |actor: u8| {
        let command = Attend {
            actor: ActorTag::from_bytes([actor; 16]),
            limits: small,
            ..attending(NOON, 1, vec![eligibility(1, 1)])
        };
        matches!(attend(&mut memory, command).remove(0), Verdict::Eligible(_))
    };
    assert_eq!([1, 1, 1, 2].map(&mut asks), [true, true, false, true]);
}

#[test]
fn a_breach_of_breadth_locks_the_institution_at_once_until_an_operator_unlocks_it() {
    let mut memory = founded();
    for number in 1..=5 {
        let item = registration(number, number, number, matches(number, number));
        assert_eq!(register(&mut memory, item), Ok(Standing::Settled));
    }
    let narrow = |time, ask| Attend { limits: Limits { breadth: 2, ..limits() }, ..attending(time, 1, vec![ask]) };
    let asked = |memory: &mut Memory, time, ask| attend(memory, narrow(time, ask)).remove(0);
    // Two people, one of them twice; a third who was here on another day; the day after, anew.
    asked(&mut memory, NOON, Ask::CheckIn(check_in(by_card(3, NOON, 3), 3)));
    for number in [1, 2, 1, 3] {
        assert_eq!(answer(&asked(&mut memory, NOON + DAY, eligibility(number, number))), Answer::Valid);
    }
    assert_eq!(reason(&asked(&mut memory, NOON + DAY, eligibility(4, 4))), Reason::Breadth);
    assert_eq!(memory.log().last().unwrap().came, Came::Refused(Reason::Breadth));
    for ask in
        [eligibility(1, 1), Ask::CheckIn(check_in(by_card(1, NOON, 4), 4)), Ask::Renew(Renew { grant: grant(3) })]
    {
        assert_eq!(reason(&asked(&mut memory, NOON + 9 * DAY, ask)), Reason::Locked);
    }
    assert_eq!(answer(&ask(&mut memory, NOON + 9 * DAY, 2, eligibility(1, 1))), Answer::Valid);
    enrol(&mut memory, NOON + 9 * DAY, 1, false);
    assert_eq!(answer(&asked(&mut memory, NOON + 9 * DAY, eligibility(4, 4))), Answer::Valid);
    enrol(&mut memory, NOON + 9 * DAY, 1, true);
    assert_eq!(reason(&asked(&mut memory, NOON + 9 * DAY, eligibility(4, 4))), Reason::Locked);
}

#[test]
fn who_is_not_enrolled_is_told_so_and_nothing_else() {
    let mut memory = with_two();
    assert_eq!(reason(&ask(&mut memory, NOON, 7, eligibility(1, 1))), Reason::NotEnrolled);
}

#[test]
fn a_flood_of_refusals_is_a_few_rows_that_count_all_of_it() {
    let mut memory = with_two();
    let before = memory.log().len();
    for _ in 0..100 {
        ask(&mut memory, NOON, 7, eligibility(1, 1));
    }
    let rows = memory.log().split_off(before);
    // Sixteen, the 32nd and the 64th; what is left is counted by the next.
    assert_eq!(rows.iter().map(|row| row.unlogged).collect::<Vec<_>>(), [&[0; 16][..], &[15, 31]].concat());
    ask(&mut memory, NOON + MINUTE, 7, eligibility(1, 1));
    assert_eq!(memory.log().last().unwrap().unlogged, 36);
}

#[test]
fn a_persons_rows_are_a_chain_that_leads_through_all_of_them_and_nobody_elses() {
    let mut memory = with_two();
    for number in [1, 2, 1] {
        ask(&mut memory, NOON, 1, eligibility(number, number));
    }
    ask(&mut memory, NOON, 2, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    let person = resident_row(&memory, &resident(1)).unwrap().unwrap().person;
    let mut chain = Vec::new();
    let mut next = history_row(&memory, &person).unwrap().map(|history| history.last);
    while let Some(leaf) = next {
        let row = log_row(&memory, leaf).unwrap().unwrap();
        assert_eq!(row.person, Some(person));
        chain.push(row.asked);
        next = row.previous;
    }
    assert_eq!(chain, [Asked::CheckIn, Asked::Eligibility, Asked::Eligibility, Asked::Register]);
}

#[test]
fn rows_grants_and_visits_are_dropped_when_their_time_has_come_and_not_before() {
    let mut memory = with_two();
    ask(&mut memory, NOON, 1, Ask::CheckIn(check_in(by_card(1, NOON, 1), 1)));
    let all = memory.log().len();
    let tick = |memory: &mut Memory, time| {
        // Enough for all that is due: each command drops a few.
        (0..4).for_each(|_| {
            ask(memory, time, 7, eligibility(9, 9));
        });
    };
    tick(&mut memory, NOON + LOG_DAYS * DAY - 1);
    assert_eq!(memory.log().iter().filter(|row| row.time.0 <= NOON).count(), all - 2, "enrolments are a day older");
    assert_eq!(memory.rows(Table::Grants).len(), 1);
    tick(&mut memory, NOON + LOG_DAYS * DAY + HOUR);
    assert_eq!(memory.log().iter().filter(|row| row.time.0 <= NOON).count(), 0);
    assert!(memory.rows(Table::Grants).is_empty() && memory.rows(Table::Histories).is_empty());
    assert_eq!(memory.rows(Table::Visits).len(), 1);
    tick(&mut memory, NOON + VISIT_DAYS * DAY);
    assert!(memory.rows(Table::Visits).is_empty() && memory.rows(Table::Forget).is_empty());
}

#[test]
fn a_second_founding_changes_nothing_and_bytes_that_do_not_read_neither() {
    let mut memory = Memory::default();
    let command = Command::Attend(attending(NOON, 1, vec![eligibility(1, 1)]));
    assert_eq!(run(&mut memory, &command).outcome, Outcome::NotFounded);
    assert!(memory == Memory::default());
    let mut memory = with_two();
    let before = memory.clone();
    assert_eq!(run(&mut memory, &founding()).outcome, Outcome::Decided);
    for bytes in [&b""[..], b"\x02", b"\x01\xff", b"\x01"] {
        let reply = apply(&mut memory, &Bytes::from_static(bytes)).unwrap();
        assert_eq!(Verdicts::decode(&reply).unwrap().outcome, Outcome::Malformed, "{bytes:?}");
    }
    let many = Command::Attend(attending(NOON, 1, vec![eligibility(1, 1); ITEMS_MAX + 1]));
    assert_eq!(run(&mut memory, &many).outcome, Outcome::Malformed);
    assert!(memory == before);
}

#[test]
fn the_first_secret_of_a_day_stays_and_goes_with_the_days_last_ticket() {
    let mut memory = founded();
    let key = DayKey::from_bytes([3; 32]);
    let day = UnixDay(u32::try_from(NOON / DAY).unwrap());
    let next = UnixDay(day.0 + 1);
    let keep = |memory: &mut Memory, time: UnixMillis, day: UnixDay, number: u8| {
        let secret = key.seal(day, &DaySecret::from_bytes([number; 32]), &Fixed(number));
        assert_eq!(run(memory, &Command::KeepDay(KeepDay { time, day, secret })).outcome, Outcome::Decided);
    };
    let kept = |memory: &Memory, day| day_secret(memory, day).unwrap().map(|sealed| key.open(day, &sealed).unwrap());
    keep(&mut memory, UnixMillis(NOON), day, 1);
    keep(&mut memory, UnixMillis(NOON), day, 2);
    assert!(kept(&memory, day) == Some(DaySecret::from_bytes([1; 32])), "two leaders use one secret");
    let over = DayUse::last_use(day);
    keep(&mut memory, UnixMillis(over.0 - 1), next, 3);
    assert!(kept(&memory, day).is_some() && kept(&memory, next).is_some());
    keep(&mut memory, over, next, 4);
    assert!(kept(&memory, day).is_none() && kept(&memory, next) == Some(DaySecret::from_bytes([3; 32])));
    keep(&mut memory, over, day, 5);
    assert!(kept(&memory, day).is_none(), "a day that is over gets none");
}

#[test]
fn a_directory_is_taken_where_it_follows_the_one_that_is_held_and_nowhere_else() {
    let mut memory = founded();
    let version = |memory: &Memory| {
        let held = signed_directory(memory).unwrap().map(|signed| renkei_access::Held::read_back(signed).unwrap());
        held.map(|held| held.directory().version().0)
    };
    assert_eq!(version(&memory), None);
    let refused = |verdicts: &Verdicts| {
        matches!(verdicts.verdicts[..], [Verdict::Refused(Refused { reason: Reason::NotNewer, .. })])
    };
    assert!(run(&mut memory, &direct(2)).verdicts.is_empty());
    assert_eq!(version(&memory), Some(2));
    for not_newer in [direct(1), direct(2)] {
        assert!(refused(&run(&mut memory, &not_newer)));
    }
    let odd = Command::Direct(Direct { time: UnixMillis(NOON), signed: Bytes::from_static(b"odd") });
    assert!(refused(&run(&mut memory, &odd)));
    assert_eq!(version(&memory), Some(2));
    assert!(run(&mut memory, &direct(3)).verdicts.is_empty());
    assert_eq!(version(&memory), Some(3));
}
