//! What must hold, one file each. Those of a run are asked after every event; `lost`, `rows` and `history`
//! judge its end.
//!
//! Sources: D. Ongaro, "Consensus: Bridging Theory and Practice", 2014, figure 3.2 and chapter 6; our own rules are marked so.

mod committed_on_majority;
mod election_safety;
mod leader_completeness;
mod leadership_of_answers;
mod log_matching;
mod members;
mod monotone;
mod one_vote;
mod order_of_indexes;
mod snapshot_content;
mod state_machine_safety;
mod survival;

pub(crate) mod history;
pub(crate) mod lost;
pub(crate) mod rows;

use crate::book::Book;
use crate::event::Event;

/// Something that must hold after every event. The book holds the event already.
pub(crate) trait Invariant: Send {
    fn name(&self) -> &'static str;

    /// What does not hold.
    fn after(&mut self, event: &Event, book: &Book) -> Result<(), String>;
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: &'static str,
    /// What was seen.
    pub detail: String,
    /// Behind which event, from 1.
    pub at: u64,
}

pub(crate) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(election_safety::ElectionSafety::default()),
        Box::new(one_vote::OneVote::default()),
        Box::new(monotone::Monotone::default()),
        Box::new(log_matching::LogMatching::default()),
        Box::new(leader_completeness::LeaderCompleteness),
        Box::new(state_machine_safety::StateMachineSafety::default()),
        Box::new(committed_on_majority::CommittedOnMajority::default()),
        Box::new(survival::Survival),
        Box::new(order_of_indexes::OrderOfIndexes),
        Box::new(members::MembersChange),
        Box::new(leadership_of_answers::LeadershipOfAnswers),
        Box::new(snapshot_content::SnapshotContent::default()),
    ]
}

#[cfg(test)]
mod tests;
