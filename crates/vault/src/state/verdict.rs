//! Verdicts: what apply answers to a batch.

use bytes::Bytes;
use renkei_ids::{LeafIndex, Pid};

use super::format::{Unreadable, copied, decode, encode};

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdicts {
    /// Every item is decided and its row is in the log of openings; in the order of the items.
    Decided(Vec<Verdict>),
    /// Nothing happened: the state has changed under the leader, which must make the command again. A patient or class
    /// key that it knew is gone, or there is another directory.
    Again,
    /// The directory is held now.
    Directed,
    /// Nothing happened: a directory as new is held, or this one goes back behind it.
    NotDirected,
    /// Nothing happened: the vault has not been founded.
    NotFounded,
    /// Nothing happened: the command does not read.
    Malformed,
}

/// What became of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is allowed, and recorded.
    Allowed {
        /// The patient.
        pid: Pid,
        /// Its row.
        leaf: LeafIndex,
    },
    /// It is refused, and recorded.
    Refused {
        /// Why.
        reason: Reason,
        /// Milliseconds until a retry can succeed; 0 where none can.
        retry_after_millis: u64,
    },
}

impl Verdict {
    /// Whether it is the one that locks an institution.
    pub const fn is_breach(&self) -> bool {
        matches!(self, Self::Refused { reason: Reason::Breach, .. })
    }
}

/// Why an item is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// A budget is used up.
    Budget = 1,
    /// Evidence and purpose do not allow it.
    Evidence = 2,
    /// There is no such patient (any more).
    NoPatient = 3,
    /// The ticket does not read, or no registrar signed it.
    Ticket = 4,
    /// The ticket is for another cloud.
    OtherCloud = 5,
    /// The ticket was given to another institution.
    OtherInstitution = 6,
    /// The ticket names another home cell.
    OtherHomeCell = 7,
    /// The ticket names another serving cell.
    OtherCell = 8,
    /// The ticket was minted under another epoch.
    OtherEpoch = 9,
    /// The ticket was issued ahead of the clock.
    NotYetValid = 10,
    /// The ticket has ended.
    Expired = 11,
    /// The institution or a cell is denied.
    Denied = 12,
    /// The ticket's consent does not hold what was to be read.
    Category = 13,
    /// What the ticket holds sealed does not open, or not to a pseudonym.
    Sealed = 14,
    /// This opening was one patient too many: the institution is locked.
    Breach = 15,
    /// The institution is locked.
    Locked = 16,
    /// The directory names no such institution.
    NotEnrolled = 17,
}

impl Reason {
    /// Every reason, in the order of their numbers, which are stored and never change.
    pub const EVERY: [Self; 17] = [
        Self::Budget,
        Self::Evidence,
        Self::NoPatient,
        Self::Ticket,
        Self::OtherCloud,
        Self::OtherInstitution,
        Self::OtherHomeCell,
        Self::OtherCell,
        Self::OtherEpoch,
        Self::NotYetValid,
        Self::Expired,
        Self::Denied,
        Self::Category,
        Self::Sealed,
        Self::Breach,
        Self::Locked,
        Self::NotEnrolled,
    ];

    /// From its stored number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|reason| u32::from(*reason as u8) == raw)
    }
}

/// Bytes that are no verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("verdicts do not read")]
pub struct InvalidVerdicts;

impl From<Unreadable> for InvalidVerdicts {
    fn from(_: Unreadable) -> Self {
        Self
    }
}

impl Verdicts {
    /// As apply replies.
    pub fn encode(&self) -> Bytes {
        let (outcome, verdicts) = match self {
            Self::Decided(verdicts) => (1, verdicts.iter().map(Message::from).collect()),
            Self::Again => (2, Vec::new()),
            Self::NotFounded => (3, Vec::new()),
            Self::Malformed => (4, Vec::new()),
            Self::Directed => (5, Vec::new()),
            Self::NotDirected => (6, Vec::new()),
        };
        encode(&Messages { outcome, verdicts })
    }

    /// Reads what [`Verdicts::encode`] wrote.
    ///
    /// # Errors
    /// [`InvalidVerdicts`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidVerdicts> {
        let Messages { outcome, verdicts } = decode(bytes)?;
        match outcome {
            1 => verdicts.into_iter().map(Verdict::try_from).collect::<Result<_, _>>().map(Self::Decided),
            2 => Ok(Self::Again),
            3 => Ok(Self::NotFounded),
            4 => Ok(Self::Malformed),
            5 => Ok(Self::Directed),
            6 => Ok(Self::NotDirected),
            _ => Err(InvalidVerdicts),
        }
    }
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Messages {
    #[prost(uint32, tag = "1")]
    outcome: u32,
    #[prost(message, repeated, tag = "2")]
    verdicts: Vec<Message>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Message {
    #[prost(bytes = "bytes", tag = "1")]
    pid: Bytes,
    #[prost(uint64, tag = "2")]
    leaf: u64,
    #[prost(uint32, tag = "3")]
    reason: u32,
    #[prost(uint64, tag = "4")]
    retry_after_ms: u64,
}

impl From<&Verdict> for Message {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Allowed { pid, leaf } => {
                Self { pid: copied(pid.as_bytes()), leaf: leaf.0, reason: 0, retry_after_ms: 0 }
            }
            Verdict::Refused { reason, retry_after_millis } => Self {
                pid: Bytes::new(),
                leaf: 0,
                reason: u32::from(*reason as u8),
                retry_after_ms: *retry_after_millis,
            },
        }
    }
}

impl TryFrom<Message> for Verdict {
    type Error = InvalidVerdicts;

    fn try_from(message: Message) -> Result<Self, InvalidVerdicts> {
        let Message { pid, leaf, reason, retry_after_ms: retry_after_millis } = message;
        match reason {
            0 => {
                Ok(Self::Allowed { pid: Pid::try_from(&pid[..]).map_err(|_| InvalidVerdicts)?, leaf: LeafIndex(leaf) })
            }
            raw => {
                let reason = Reason::from_raw(raw).ok_or(InvalidVerdicts)?;
                Ok(Self::Refused { reason, retry_after_millis })
            }
        }
    }
}
