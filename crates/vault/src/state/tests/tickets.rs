//! Openings by ticket: counted once, locked on breaches, and every refusal of a ticket has its row.

use renkei_access::{Limit, Party};
use renkei_ids::TicketId;

use super::*;

fn ticket(number: u8, expires: u64, breadth: u32) -> TicketUse {
    let breadth = Some(Limit { minute: breadth, day: u32::MAX });
    TicketUse { id: TicketId::from_bytes([number; 16]), expires: UnixMillis(expires), breadth }
}

fn by_ticket(person: u8, ticket: TicketUse, escrow: Option<&'static [u8]>) -> Item {
    let mut item = open(person, 1, Some(person));
    let Ask::Open { ticket: by, escrow: row, .. } = &mut item.ask else { unreachable!("an opening") };
    (*by, *row) = (Some(ticket), escrow.map(Bytes::from_static));
    item
}

/// What became of each: allowed, or why not.
fn decide(memory: &mut Memory, time: u64, items: Vec<Item>) -> Vec<Result<(), Reason>> {
    let verdicts = match run(memory, &batch(time, limits(1_000, 9), items)) {
        Verdicts::Decided(verdicts) => verdicts,
        other => panic!("{other:?}"),
    };
    let outcome = |verdict| match verdict {
        Verdict::Allowed { .. } => Ok(()),
        Verdict::Refused { reason, .. } => Err(reason),
    };
    verdicts.into_iter().map(outcome).collect()
}

#[test]
fn every_reason_against_a_ticket_has_a_row_that_says_so_and_changes_nothing_else() {
    for reason in Reason::EVERY {
        let mut memory = founded();
        let mut item = open(1, 1, Some(1));
        let wanted = Wanted { classes: ClassSet::default(), period: Period::ALL, scope: Scope::WRITE };
        let ticket = Some(TicketId::from_bytes([7; 16]));
        (item.purpose, item.evidence, item.ask) = (None, None, Ask::Refuse { reason, wanted, ticket });
        assert_eq!(decide(&mut memory, 0, vec![item]), [Err(reason)]);
        let row = rows(&memory).pop().unwrap();
        assert_eq!((row.outcome, row.ticket, row.pid), (Outcome::Refused(reason), ticket, None));
        assert_eq!((row.purpose, row.evidence), (None, None), "nobody knows what a ticket that was not read says");
        assert!(!memory.0.keys().any(|(table, _)| matches!(table, Table::Patients | Table::Budgets | Table::Tickets)));
    }
}

#[test]
fn a_ticket_is_one_patient_however_often_it_is_opened_and_one_too_many_locks() {
    let mut memory = founded();
    let one = by_ticket(1, ticket(1, 600_000, 2), None);
    assert_eq!(decide(&mut memory, 0, vec![one.clone(), one.clone()]), [Ok(()); 2]);
    let [two, three] = [2, 3].map(|number| by_ticket(number, ticket(number, 600_000, 2), None));
    let outcomes = decide(&mut memory, 1_000, vec![two, three.clone(), one.clone(), three.clone()]);
    assert_eq!(outcomes, [Ok(()), Err(Reason::Breach), Err(Reason::Locked), Err(Reason::Locked)]);
    // Another purpose or institution is not locked with it, and the lock ends by itself.
    let elsewhere = Item { institution: InstitutionId::from_bytes([2; 16]), ..one.clone() };
    let emergency = Item { purpose: Some(Purpose::Emergency), ..one };
    assert_eq!(decide(&mut memory, 1_000, vec![elsewhere, emergency]), [Ok(()); 2]);
    let later = by_ticket(3, ticket(4, 9_000_000, 2), None);
    assert_eq!(decide(&mut memory, 1_000 + LOCK_MILLIS - 1, vec![later.clone()]), [Err(Reason::Locked)]);
    assert_eq!(decide(&mut memory, 1_000 + LOCK_MILLIS, vec![later]), [Ok(())]);
}

#[test]
fn group_time_ends_a_ticket_that_its_leader_took() {
    let mut memory = founded();
    let at = |memory: &mut Memory, time| decide(memory, time, vec![by_ticket(1, ticket(1, 60_000, 9), None)]);
    assert_eq!(at(&mut memory, 59_999), [Ok(())]);
    assert_eq!(at(&mut memory, 60_000), [Err(Reason::Expired)]);
    assert_eq!(at(&mut memory, 0), [Err(Reason::Expired)], "a clock that is set back revives nothing");
}

#[test]
fn tickets_are_remembered_until_they_have_ended() {
    let mut memory = founded();
    let kept = |memory: &Memory| memory.0.keys().filter(|(table, _)| *table == Table::Tickets).count();
    for minute in 0_u8..40 {
        let items = (0..3).map(|number| {
            let id = TicketUse {
                id: TicketId::from_bytes([minute, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                ..ticket(0, (u64::from(minute) + 10) * 60_000, 99)
            };
            by_ticket(number, id, None)
        });
        assert_eq!(decide(&mut memory, u64::from(minute) * 60_000, items.collect()), [Ok(()); 3]);
        assert!(kept(&memory) <= 30, "{}", kept(&memory));
    }
    assert_eq!(kept(&memory), 30);
}

#[test]
fn the_first_escrow_row_stays_and_a_lost_race_leaves_none() {
    let mut memory = founded();
    decide(&mut memory, 0, vec![by_ticket(1, ticket(1, 60_000, 9), Some(b"first"))]);
    assert_eq!(escrow_row(&memory, &pid(1)).unwrap().as_deref(), Some(&b"first"[..]));
    // Another leader drew another patient for the same pseudonym: its row is sealed for nobody.
    let mut racing = by_ticket(1, ticket(2, 60_000, 9), Some(b"second"));
    let Ask::Open { unknown, .. } = &mut racing.ask else { unreachable!("an opening") };
    *unknown = Some(new_patient(1, 2));
    assert_eq!(decide(&mut memory, 0, vec![racing]), [Ok(())]);
    assert_eq!(escrow_row(&memory, &pid(1)).unwrap().as_deref(), Some(&b"first"[..]));
    assert_eq!(escrow_row(&memory, &pid(2)).unwrap(), None);
    // A patient without one gets it with her next opening.
    decide(&mut memory, 0, vec![by_ticket(3, ticket(3, 60_000, 9), None)]);
    let mut known = by_ticket(3, ticket(4, 60_000, 9), Some(b"late"));
    let Ask::Open { unknown, .. } = &mut known.ask else { unreachable!("an opening") };
    *unknown = None;
    assert_eq!(decide(&mut memory, 0, vec![known]), [Ok(())]);
    assert_eq!(escrow_row(&memory, &pid(3)).unwrap().as_deref(), Some(&b"late"[..]));
}

/// A directory that names the cloud and denies this institution.
fn signed(version: u64, denied: u8) -> Bytes {
    use renkei_access::{Cell, Cloud, CommitmentKey, DailyVisits, Directory, Entries, Institution, InstitutionKind};
    let cell = renkei_ids::CellId::from_bytes([1; 16]);
    let institution = |number: u8| Institution {
        id: InstitutionId::from_bytes([number; 16]),
        kind: InstitutionKind::Clinic,
        name: renkei_access::name_hash(&number.to_string()),
        keys: vec![KeyHash::from_bytes([number; 32])],
        signing: Vec::new(),
        visits: DailyVisits::new(10).unwrap(),
        home: cell,
    };
    let entries = Entries {
        version: renkei_ids::DirectoryVersion(version),
        valid_from: UnixMillis(0),
        deny_epoch: renkei_ids::DenyEpoch(version),
        registrars: Vec::new(),
        clouds: vec![Cloud { id: CLOUD, epoch: renkei_ids::PseudonymEpoch(1), rotating: false }],
        cells: vec![Cell {
            id: cell,
            cloud: CLOUD,
            gateways: vec![KeyHash::from_bytes([9; 32])],
            commitments: CommitmentKey([9; 32]),
        }],
        routes: Vec::new(),
        institutions: vec![institution(1), institution(2)],
        denied: vec![Party::Institution(InstitutionId::from_bytes([denied; 16]))],
        surges: Vec::new(),
    };
    let directory = Directory::try_from(entries).unwrap();
    renkei_access::SignedDirectory::unsigned(&directory).unwrap().as_bytes().clone()
}

#[test]
fn what_was_judged_by_another_directory_is_judged_again() {
    let mut memory = founded();
    let direct = |memory: &mut Memory, version, denied| {
        run(memory, &Command::Direct { time: UnixMillis(5), signed: signed(version, denied) })
    };
    assert_eq!(direct(&mut memory, 2, 1), Verdicts::Directed);
    for (version, denied) in [(2, 1), (1, 2)] {
        assert_eq!(direct(&mut memory, version, denied), Verdicts::NotDirected, "it only ever gets newer");
    }
    let held = directory(&memory).unwrap().unwrap();
    assert_eq!(held.directory().version().0, 2);
    let Command::Decide(old) = batch(6, limits(9, 9), vec![open(1, 1, Some(1))]) else { unreachable!("a decision") };
    let before = memory.clone();
    assert_eq!(run(&mut memory, &Command::Decide(old.clone())), Verdicts::Again);
    assert!(memory == before);
    let new = Batch { directory: Some(renkei_ids::DirectoryVersion(2)), ..old };
    assert!(matches!(run(&mut memory, &Command::Decide(new)), Verdicts::Decided(_)));
}
