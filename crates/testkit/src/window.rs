//! What to show of a history that is not linearizable.

use crate::{Operation, Violation};

/// How much of the order that was found is shown.
const LAST_EXPLAINED: usize = 5;

/// The operations to look at, by their calls: those that cannot come next, the last that could be explained, and what was
/// under way at the time of the stuck ones.
pub fn window<O, A>(history: &[Operation<O, A>], violation: &Violation) -> Vec<usize> {
    let Violation { explained, stuck } = violation;
    // The earliest answer among the stuck ones is what no order reaches.
    let answered = |index: &usize| history[*index].answered.as_ref().map(|(_, at)| *at);
    let end = stuck.iter().filter_map(answered).min().unwrap_or(u64::MAX);
    let in_time = |index: &&usize| history[**index].called <= end;
    let last = explained.iter().rev().take(LAST_EXPLAINED);
    let mut shown: Vec<usize> = stuck.iter().filter(in_time).chain(last).copied().collect();
    shown.sort_unstable_by_key(|index| (history[*index].called, *index));
    shown.dedup();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_what_is_stuck_and_what_came_last_before() {
        let operation = |called, answered| Operation { asked: (), called, answered: Some(((), answered)) };
        let history: Vec<_> = (0..20).map(|n| operation(n * 10, n * 10 + 5)).collect();
        let violation = Violation { explained: (0..10).collect(), stuck: vec![10, 11] };
        assert_eq!(window(&history, &violation), [5, 6, 7, 8, 9, 10], "11 was called after the answer to 10");
    }
}
