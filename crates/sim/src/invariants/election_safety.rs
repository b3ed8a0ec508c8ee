//! At most one replica leads in a term (Ongaro, 3.4).

use std::collections::BTreeMap;

use renkei_ids::ReplicaId;

use super::Invariant;
use crate::book::Book;
use crate::event::{Change, Event};
use crate::report::leads;

#[derive(Default)]
pub(crate) struct ElectionSafety {
    leaders: BTreeMap<u64, ReplicaId>,
}

impl Invariant for ElectionSafety {
    fn name(&self) -> &'static str {
        "election safety"
    }

    fn after(&mut self, event: &Event, _: &Book) -> Result<(), String> {
        let (term, leader) = match event {
            Event::Accepted { change: Change::Voted(vote), .. } if vote.leads => (vote.term, vote.voted_for),
            Event::Status { replica, status } if leads(status.role) => (status.term, *replica),
            _ => return Ok(()),
        };
        let first = *self.leaders.entry(term).or_insert(leader);
        if first == leader { Ok(()) } else { Err(format!("{first} and {leader} lead in term {term}")) }
    }
}
