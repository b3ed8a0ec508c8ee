//! What a refusal of a node means for the next try.

use std::time::Duration;

use renkei_ids::{NodeId, SlotEpoch};
use renkei_wire::{ErrorCode, Refusal, Retry};

/// Longest wait before a retry, however often a node is busy.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Tries of one request, for a cloud whose nodes contradict each other for good.
const TRIES_MAX: u32 = 200;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// No retry helps, or only a request made anew, which is for the caller to make.
    GiveUp,
    /// The same node.
    Again(Duration),
    /// Another replica of the group.
    Elsewhere(Duration),
    /// The node that leads.
    AtLeader(NodeId, Duration),
    /// Wherever a fresh slot map says.
    ByNewMap(Duration),
}

/// Tries of one request so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attempts {
    count: u32,
    last_wait: Duration,
    /// Nobody knows what became of one of them.
    unknown: bool,
}

impl Attempts {
    /// Reads a refusal of a request that was sent by the map of this epoch. Waits double from one to the next, from what
    /// the refusal says up to [`WAIT_MAX`].
    pub(super) fn next(&mut self, refusal: &Refusal, sent_by: SlotEpoch) -> Next {
        self.count += 1;
        self.unknown |= refusal.code == ErrorCode::OutcomeUnknown;
        if self.count >= TRIES_MAX {
            return Next::GiveUp;
        }
        let told = match refusal.code.retry() {
            Retry::No | Retry::NewRequest => return Next::GiveUp,
            Retry::After(wait) | Retry::AfterRefresh(wait) => refusal.retry_after.unwrap_or(wait),
        };
        let wait = if told.is_zero() { told } else { told.max(2 * self.last_wait).min(told.max(WAIT_MAX)) };
        self.last_wait = wait.min(WAIT_MAX);
        // Whoever leads by a newer map may lead another group than the one that was asked for.
        let newer = refusal.slot_epoch.is_some_and(|epoch| sent_by < epoch);
        match (refusal.code, refusal.leader_node) {
            (ErrorCode::StaleEpoch | ErrorCode::WrongShard, _) => Next::ByNewMap(wait),
            _ if newer => Next::ByNewMap(wait),
            (_, Some(leader)) => Next::AtLeader(leader, wait),
            (_, None) if matches!(refusal.code.retry(), Retry::AfterRefresh(_)) => Next::Elsewhere(wait),
            (_, None) => Next::Again(wait),
        }
    }

    /// What the caller is told in the end. A refusal that says that nothing took effect speaks for its own try only: where
    /// an earlier one may have, the outcome is unknown.
    pub(super) fn told(&self, refusal: Refusal) -> Refusal {
        let of_one_try = match refusal.code.retry() {
            Retry::After(_) | Retry::AfterRefresh(_) => true,
            Retry::No | Retry::NewRequest => refusal.code == ErrorCode::DeadlineExceeded,
        };
        if self.unknown && of_one_try { Refusal::new(ErrorCode::OutcomeUnknown) } else { refusal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(refusal: Refusal) -> Next {
        Attempts::default().next(&refusal, SlotEpoch(4))
    }

    #[test]
    fn every_code_of_the_table_is_followed_as_the_table_says() {
        for row in ErrorCode::TABLE {
            let next = first(Refusal::new(row.code));
            let followed = match row.retry {
                Retry::No | Retry::NewRequest => next == Next::GiveUp,
                Retry::After(wait) => next == Next::Again(wait),
                Retry::AfterRefresh(wait) => matches!(next, Next::Elsewhere(w) | Next::ByNewMap(w) if w == wait),
            };
            assert!(followed, "{}: {next:?}", row.name);
        }
    }

    #[test]
    fn a_leader_that_is_named_is_asked_at_once() {
        let refusal = Refusal::new(ErrorCode::NotLeader).led_by(NodeId(7));
        assert_eq!(first(refusal), Next::AtLeader(NodeId(7), Duration::ZERO));
    }

    #[test]
    fn whoever_knows_a_newer_map_is_heard() {
        let passing = |epoch| Refusal::new(ErrorCode::Busy).after(Duration::ZERO).at_epoch(SlotEpoch(epoch));
        assert_eq!(first(passing(4)), Next::Again(Duration::ZERO));
        assert_eq!(first(passing(5)), Next::ByNewMap(Duration::ZERO));
        let led = Refusal::new(ErrorCode::NotLeader).at_epoch(SlotEpoch(5)).led_by(NodeId(7));
        assert_eq!(first(led), Next::ByNewMap(Duration::ZERO));
    }

    #[test]
    fn waits_double_up_to_a_second_and_tries_end() {
        let mut attempts = Attempts::default();
        let busy = Refusal::new(ErrorCode::Busy).after(Duration::from_millis(100));
        let waits: Vec<_> = (0..6).map(|_| attempts.next(&busy, SlotEpoch(4))).collect();
        let expected = [100, 200, 400, 800, 1_000, 1_000].map(|millis| Next::Again(Duration::from_millis(millis)));
        assert_eq!(waits, expected);
        assert!((0..TRIES_MAX).any(|_| attempts.next(&busy, SlotEpoch(4)) == Next::GiveUp));
    }

    #[test]
    fn nobody_is_told_that_nothing_took_effect_where_an_earlier_try_may_have() {
        let told = |attempts: &Attempts, code| attempts.told(Refusal::new(code)).code;
        let mut attempts = Attempts::default();
        attempts.next(&Refusal::new(ErrorCode::Busy), SlotEpoch(4));
        assert_eq!(told(&attempts, ErrorCode::DeadlineExceeded), ErrorCode::DeadlineExceeded);
        attempts.next(&Refusal::new(ErrorCode::OutcomeUnknown), SlotEpoch(4));
        attempts.next(&Refusal::new(ErrorCode::NotLeader), SlotEpoch(4));
        for code in [ErrorCode::DeadlineExceeded, ErrorCode::NotLeader, ErrorCode::Busy, ErrorCode::ShuttingDown] {
            assert_eq!(told(&attempts, code), ErrorCode::OutcomeUnknown, "{code}");
        }
        for code in [ErrorCode::VersionConflict, ErrorCode::IdempotencyConflict, ErrorCode::Deleted] {
            assert_eq!(told(&attempts, code), code, "the verdict on the write itself");
        }
    }

    #[test]
    fn a_wait_that_is_told_is_never_cut() {
        let full = Refusal::new(ErrorCode::DiskLow).after(Duration::from_secs(5));
        assert_eq!(first(full), Next::Again(Duration::from_secs(5)));
    }
}
