//! One patient's records, as a cloud promises them.

use std::collections::BTreeMap;

use crate::Model;

/// Records of one patient: all of them are one object, for a patient's records lie in one group.
#[derive(Clone, Copy, Debug, Default)]
pub struct PatientModel;

/// A record's newest version, and its content by a number that the test chose; content 0 stands for a deleted record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    /// From 1.
    pub version: u32,
    /// What was written.
    pub content: u64,
}

/// Records by the number that the test gave them.
pub type PatientState = BTreeMap<u32, Stored>;
/// Records as a timeline shows them: none that is deleted.
pub type Listed = BTreeMap<u32, Stored>;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatientOperation {
    /// Store content as the version after `expected`, 0 for a new record.
    Write {
        /// Which record.
        record: u32,
        /// The version believed to be current.
        expected: u32,
        /// What to store; never 0.
        content: u64,
    },
    /// End a record whose current version is `expected`.
    Delete {
        /// Which record.
        record: u32,
        /// The version believed to be current.
        expected: u32,
    },
    /// Read a record's newest version.
    Read {
        /// Which record.
        record: u32,
    },
    /// Read every record's newest version.
    List,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatientAnswer {
    /// It is stored as this version, or deleted.
    Done,
    /// Another version is current.
    Conflict {
        /// It; 0 where there is none.
        current: u32,
    },
    /// The record is deleted, so nothing is written.
    Deleted,
    /// What a read found; `None` for an unknown or deleted record.
    Found(Option<Stored>),
    /// What a timeline showed.
    Listed(Listed),
}

const GONE: u64 = 0;

impl Model for PatientModel {
    type State = PatientState;
    type Asked = PatientOperation;
    type Answer = PatientAnswer;

    fn initial(&self) -> PatientState {
        PatientState::new()
    }

    fn answered(&self, state: &PatientState, asked: &PatientOperation, answer: &PatientAnswer) -> Option<PatientState> {
        let (right, after) = act(state, asked);
        (right == *answer).then(|| after.unwrap_or_else(|| state.clone()))
    }

    fn done(&self, state: &PatientState, asked: &PatientOperation) -> Option<PatientState> {
        act(state, asked).1
    }

    /// Versions only grow, and what is deleted stays so.
    fn spent(&self, state: &PatientState, asked: &PatientOperation) -> bool {
        match *asked {
            PatientOperation::Write { record, expected, .. } | PatientOperation::Delete { record, expected } => {
                state.get(&record).is_some_and(|stored| stored.content == GONE || stored.version > expected)
            }
            PatientOperation::Read { .. } | PatientOperation::List => true,
        }
    }
}

/// The one right answer, and the state behind it where that is another.
fn act(state: &PatientState, asked: &PatientOperation) -> (PatientAnswer, Option<PatientState>) {
    let changed = |record: u32, stored: Stored| {
        let mut after = state.clone();
        after.insert(record, stored);
        (PatientAnswer::Done, Some(after))
    };
    match *asked {
        PatientOperation::Write { record, expected, content } => match refused(state, record, expected) {
            Some(refusal) => (refusal, None),
            None => changed(record, Stored { version: expected + 1, content }),
        },
        PatientOperation::Delete { record, expected } => match refused(state, record, expected) {
            Some(refusal) => (refusal, None),
            None => changed(record, Stored { version: expected, content: GONE }),
        },
        PatientOperation::Read { record } => {
            let found = state.get(&record).copied().filter(|stored| stored.content != GONE);
            (PatientAnswer::Found(found), None)
        }
        PatientOperation::List => {
            let there = state.iter().filter(|(_, stored)| stored.content != GONE);
            (PatientAnswer::Listed(there.map(|(record, stored)| (*record, *stored)).collect()), None)
        }
    }
}

fn refused(state: &PatientState, record: u32, expected: u32) -> Option<PatientAnswer> {
    match state.get(&record) {
        Some(Stored { content: GONE, .. }) => Some(PatientAnswer::Deleted),
        Some(stored) if stored.version != expected => Some(PatientAnswer::Conflict { current: stored.version }),
        None if expected != 0 => Some(PatientAnswer::Conflict { current: 0 }),
        _ => None,
    }
}
