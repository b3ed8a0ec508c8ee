//! Random histories: the verdict is that of a search of every order, and a history of one object is never accused.

use proptest::prelude::*;
use renkei_testkit::{
    Model, Operation, PatientAnswer as Answer, PatientModel, PatientOperation as Asked, Stored, Verdict, check,
};

use crate::every_order::explains;

const STEPS: u64 = 10_000_000;

fn asked() -> impl Strategy<Value = Asked> {
    let record = 1..=2_u32;
    prop_oneof![
        (record.clone(), 0..=2_u32, 1..=3_u64).prop_map(|(record, expected, content)| Asked::Write {
            record,
            expected,
            content
        }),
        (record.clone(), 1..=2_u32).prop_map(|(record, expected)| Asked::Delete { record, expected }),
        record.prop_map(|record| Asked::Read { record }),
        Just(Asked::List),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let stored = (1..=2_u32, 1..=3_u64).prop_map(|(version, content)| Stored { version, content });
    prop_oneof![
        3 => Just(Answer::Done),
        1 => (0..=2_u32).prop_map(|current| Answer::Conflict { current }),
        1 => Just(Answer::Deleted),
        2 => proptest::option::of(stored.clone()).prop_map(Answer::Found),
        1 => proptest::collection::btree_map(1..=2_u32, stored, 0..=2).prop_map(Answer::Listed),
    ]
}

/// Anybody's calls and answers, right or wrong.
fn any_history() -> impl Strategy<Value = Vec<Operation<Asked, Answer>>> {
    let operation = (asked(), 0..20_u64, proptest::option::weighted(0.8, (answer(), 0..10_u64)));
    let operation = operation.prop_map(|(asked, called, answered)| Operation {
        asked,
        called,
        answered: answered.map(|(answer, took)| (answer, called + took)),
    });
    proptest::collection::vec(operation, 0..=6)
}

/// What one object answered, each operation somewhere between its call and its answer. Some answers were never seen, and
/// some of those operations never happened.
fn history_of_one_object() -> impl Strategy<Value = Vec<Operation<Asked, Answer>>> {
    let operation = (asked(), 0..40_u64, 0..40_u64, prop_oneof![8 => Just(None), 2 => any::<bool>().prop_map(Some)]);
    proptest::collection::vec(operation, 0..=60).prop_map(|planned| {
        let (model, mut state) = (PatientModel, PatientModel.initial());
        let moments = (0..).map(|moment: u64| 100 + moment * 10);
        let operations = planned.into_iter().zip(moments).map(|((asked, before, behind, unseen), moment)| {
            let happens = unseen != Some(false);
            let right = right_answer(&model, &state, &asked);
            if happens {
                state = model.answered(&state, &asked, &right).unwrap();
            }
            let answered = unseen.is_none().then_some((right, moment + behind));
            Operation { asked, called: moment - before, answered }
        });
        operations.collect()
    })
}

/// The one answer that the model takes, among those that it can give.
fn right_answer(model: &PatientModel, state: &<PatientModel as Model>::State, asked: &Asked) -> Answer {
    let there: std::collections::BTreeMap<_, _> =
        state.iter().filter(|(_, stored)| stored.content != 0).map(|(record, stored)| (*record, *stored)).collect();
    let conflicts = (0..=100).map(|current| Answer::Conflict { current });
    let found = there.values().map(|stored| Answer::Found(Some(*stored)));
    let all = [Answer::Done, Answer::Deleted, Answer::Found(None), Answer::Listed(there.clone())];
    let mut all = all.into_iter().chain(conflicts).chain(found);
    all.find(|answer| model.answered(state, asked, answer).is_some()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_verdict_is_that_of_the_definition(history in any_history()) {
        let verdict = check(&PatientModel, &history, STEPS);
        prop_assert_eq!(verdict == Verdict::Linearizable, explains(&PatientModel, &history), "{:?}", verdict);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn one_object_is_never_accused(history in history_of_one_object()) {
        prop_assert_eq!(check(&PatientModel, &history, STEPS), Verdict::Linearizable);
    }

    #[test]
    fn a_write_that_nobody_made_is_always_caught(history in history_of_one_object(), at in 0..60_usize) {
        let mut history = history;
        let Some(operation) = history.get_mut(at) else { return Ok(()) };
        let phantom = Stored { version: 9, content: 999 };
        operation.asked = Asked::Read { record: 1 };
        operation.answered = Some((Answer::Found(Some(phantom)), operation.called + 1));
        let accused = matches!(check(&PatientModel, &history, STEPS), Verdict::Violated(_));
        prop_assert!(accused);
    }
}
