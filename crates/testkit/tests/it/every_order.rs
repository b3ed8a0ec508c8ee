//! The definition itself: every order of every set of operations that may have happened.

use renkei_testkit::{Model, Operation};

/// Whether some order explains every answer. Grows with the factorial of the length: for a handful of operations.
pub(crate) fn explains<M: Model>(model: &M, history: &[Operation<M::Asked, M::Answer>]) -> bool {
    place_next(model, history, &model.initial(), &mut vec![false; history.len()])
}

fn place_next<M: Model>(
    model: &M,
    history: &[Operation<M::Asked, M::Answer>],
    state: &M::State,
    placed: &mut Vec<bool>,
) -> bool {
    if history.iter().zip(&*placed).all(|(operation, placed)| *placed || operation.answered.is_none()) {
        return true;
    }
    for index in 0..history.len() {
        let operation = &history[index];
        // Nothing may come before what was answered before its call.
        let waits = |(other, placed): (&Operation<_, _>, &bool)| {
            !placed && other.answered.as_ref().is_some_and(|(_, at)| *at < operation.called)
        };
        if placed[index] || history.iter().zip(&*placed).any(waits) {
            continue;
        }
        let after = match &operation.answered {
            Some((answer, _)) => model.answered(state, &operation.asked, answer),
            None => model.done(state, &operation.asked),
        };
        let Some(after) = after else { continue };
        placed[index] = true;
        if place_next(model, history, &after, placed) {
            return true;
        }
        placed[index] = false;
    }
    false
}
