//! Histories whose verdict a reader can see.

use renkei_testkit::{
    Operation, PatientAnswer as Answer, PatientModel, PatientOperation as Asked, Stored, Verdict, Violation, check,
};

type Seen = Operation<Asked, Answer>;

const STEPS: u64 = 1_000_000;

fn answered(asked: Asked, called: u64, answer: Answer, at: u64) -> Seen {
    Operation { asked, called, answered: Some((answer, at)) }
}

fn write(content: u64) -> Asked {
    Asked::Write { record: 1, expected: 0, content }
}

fn found(content: u64) -> Answer {
    Answer::Found(Some(Stored { version: 1, content }))
}

const READ: Asked = Asked::Read { record: 1 };

#[test]
fn a_read_behind_an_acknowledged_write_must_see_it() {
    let lost = [answered(write(7), 0, Answer::Done, 10), answered(READ, 20, Answer::Found(None), 30)];
    let violation = Violation { explained: vec![0], stuck: vec![1] };
    assert_eq!(check(&PatientModel, &lost, STEPS), Verdict::Violated(violation));
    let meanwhile = [answered(write(7), 0, Answer::Done, 25), answered(READ, 20, Answer::Found(None), 30)];
    assert_eq!(check(&PatientModel, &meanwhile, STEPS), Verdict::Linearizable);
}

#[test]
fn what_a_read_saw_the_next_read_sees_too() {
    let pending = Operation { asked: write(7), called: 0, answered: None };
    let forth = [pending.clone(), answered(READ, 10, Answer::Found(None), 20), answered(READ, 30, found(7), 40)];
    assert_eq!(check(&PatientModel, &forth, STEPS), Verdict::Linearizable);
    let back = [pending, answered(READ, 10, found(7), 20), answered(READ, 30, Answer::Found(None), 40)];
    assert!(matches!(check(&PatientModel, &back, STEPS), Verdict::Violated(_)));
}

#[test]
fn of_two_first_writes_one_wins() {
    let both = [answered(write(1), 0, Answer::Done, 10), answered(write(2), 0, Answer::Done, 10)];
    assert!(matches!(check(&PatientModel, &both, STEPS), Verdict::Violated(_)));
    let conflict = Answer::Conflict { current: 1 };
    let one = [answered(write(1), 0, Answer::Done, 10), answered(write(2), 0, conflict, 10)];
    assert_eq!(check(&PatientModel, &one, STEPS), Verdict::Linearizable);
}

#[test]
fn a_deleted_record_does_not_come_back() {
    let delete = Asked::Delete { record: 1, expected: 1 };
    let history = |read: Answer| {
        vec![
            answered(write(7), 0, Answer::Done, 10),
            answered(delete.clone(), 20, Answer::Done, 30),
            answered(READ, 40, read, 50),
            answered(write(8), 60, Answer::Deleted, 70),
        ]
    };
    assert_eq!(check(&PatientModel, &history(Answer::Found(None)), STEPS), Verdict::Linearizable);
    assert!(matches!(check(&PatientModel, &history(found(7)), STEPS), Verdict::Violated(_)));
}

#[test]
fn a_timeline_is_one_moment() {
    let write = |record, content| Asked::Write { record, expected: 0, content };
    let shown = |records: &[u32]| {
        let stored = |record: &u32| (*record, Stored { version: 1, content: u64::from(*record) });
        Answer::Listed(records.iter().map(stored).collect())
    };
    let history = |listed: Answer| {
        vec![
            answered(write(1, 1), 0, Answer::Done, 10),
            answered(write(2, 2), 20, Answer::Done, 30),
            answered(Asked::List, 5, listed, 40),
        ]
    };
    for (records, holds) in [(&[1, 2][..], true), (&[1], true), (&[], true), (&[2], false)] {
        let verdict = check(&PatientModel, &history(shown(records)), STEPS);
        assert_eq!(verdict == Verdict::Linearizable, holds, "{records:?}: {verdict:?}");
    }
}

#[test]
fn a_long_history_without_much_overlap_takes_few_steps_and_a_limit_is_kept() {
    let mut history = Vec::new();
    for n in 0..5_000_u32 {
        let asked = Asked::Write { record: 1, expected: n, content: u64::from(n) + 1 };
        history.push(answered(asked, u64::from(n) * 10, Answer::Done, u64::from(n) * 10 + 15));
    }
    assert_eq!(check(&PatientModel, &history, 50_000), Verdict::Linearizable);
    assert_eq!(check(&PatientModel, &history, 100), Verdict::Undecided { steps: 100 });
}
