//! Verdicts: what apply answers to a command.

use bytes::Bytes;
use renkei_access::{ConsentSet, Evidence, Scope};
use renkei_ids::{BindingId, CloudId, GrantId, LeafIndex, PersonId, UnixMillis};

use super::day::Day;
use super::rows::Standing;
use super::stored::{Raw, Unreadable, raw_number, stored, stored_choice};

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// Whether it was decided at all.
    pub outcome: Outcome,
    /// For each item, in order, where it was.
    pub verdicts: Vec<Verdict>,
}

/// Whether a command was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Every item is decided, and its row is in the log.
    Decided = 1,
    /// Nothing happened: the registrar has not been founded.
    NotFounded = 2,
    /// Nothing happened: the command does not read.
    Malformed = 3,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is registered, settled or not.
    Registered(Registered),
    /// It is done.
    Done(Done),
    /// Whether somebody is insured.
    Eligible(Eligible),
    /// Somebody is checked in, or goes on.
    Admitted(Admitted),
    /// It is refused.
    Refused(Refused),
}

/// It is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its row.
    pub leaf: LeafIndex,
}

/// A registration that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its row.
    pub leaf: LeafIndex,
    /// The binding.
    pub binding: BindingId,
    /// How far it is settled.
    pub standing: Standing,
}

/// Whether somebody is insured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eligible {
    /// The answer.
    pub answer: Answer,
    /// Its end, where it has one.
    pub until: Option<Day>,
    /// The binding under which the person is insured now, for an asker who may know.
    pub successor: Option<BindingId>,
}

/// What is answered of an eligibility. There is no other, and none says "invalid".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Answer {
    /// Insured today.
    Valid = 1,
    /// No longer.
    Expired = 2,
    /// Not yet.
    NotYetActive = 3,
    /// Registered, and not known for whom.
    CannotLink = 4,
    /// Nobody is known with this member id and birth date.
    Unknown = 5,
}

/// Somebody is checked in, or goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Its row.
    pub leaf: LeafIndex,
    /// The grant.
    pub grant: GrantId,
    /// Who.
    pub person: PersonId,
    /// Under which binding.
    pub binding: BindingId,
    /// What stood behind it.
    pub evidence: Evidence,
    /// What tickets may allow.
    pub scope: Scope,
    /// What may be read, by category.
    pub categories: ConsentSet,
    /// The first moment after the grant.
    pub end: UnixMillis,
    /// The eligibility under the binding.
    pub answer: Answer,
    /// Its end, where it has one.
    pub until: Option<Day>,
    /// The binding under which the person is insured now, where a card was shown.
    pub successor: Option<BindingId>,
    /// The clouds to mint for: where the person was written, and decoys. Ascending.
    pub clouds: Vec<CloudId>,
}

/// It is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// Milliseconds until a retry can succeed; 0 where none can.
    pub retry_after_millis: u64,
}

/// Why an item is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// A new member id, or anything that the register does not confirm, was entered once only.
    EntryUnconfirmed = 1,
    /// The register does not know the person as registered, and another is bound to the member id.
    RegisterMismatch = 2,
    /// The register did not answer, and only it could tell.
    RegisterSilent = 3,
    /// The insurer has nobody with this member id and birth date.
    NoBinding = 4,
    /// The binding is not settled.
    NotSettled = 5,
    /// Nobody can be checked in on what was shown: unknown and not linked are one.
    Nobody = 6,
    /// The card's proof was used before.
    ProofUsed = 7,
    /// Evidence and purpose do not allow what is asked.
    Evidence = 8,
    /// Neither consent to read nor a basis to write was given.
    NothingGranted = 9,
    /// The grant would last longer than it may.
    TooLong = 10,
    /// The grant is none of the institution's.
    NoGrant = 11,
    /// The grant has ended.
    GrantEnded = 12,
    /// A budget is used up.
    Budget = 13,
    /// The institution is locked.
    Locked = 14,
    /// The institution asked for more people than its size explains, and is locked from now on.
    Breadth = 15,
    /// The institution is not enrolled.
    NotEnrolled = 16,
    /// An id that was drawn is somebody's already: with 128 random bits that is a forged command.
    Clash = 17,
    /// The directory does not follow the one that is held.
    NotNewer = 18,
}

impl Outcome {
    fn from_raw(raw: u32) -> Option<Self> {
        [Self::Decided, Self::NotFounded, Self::Malformed].into_iter().find(|outcome| u32::from(*outcome as u8) == raw)
    }
}

impl Answer {
    /// Every answer, in the order of their numbers.
    pub const EVERY: [Self; 5] = [Self::Valid, Self::Expired, Self::NotYetActive, Self::CannotLink, Self::Unknown];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|answer| u32::from(*answer as u8) == raw)
    }
}

impl Reason {
    /// Every reason, in the order of their numbers.
    pub const EVERY: [Self; 18] = [
        Self::EntryUnconfirmed,
        Self::RegisterMismatch,
        Self::RegisterSilent,
        Self::NoBinding,
        Self::NotSettled,
        Self::Nobody,
        Self::ProofUsed,
        Self::Evidence,
        Self::NothingGranted,
        Self::TooLong,
        Self::NoGrant,
        Self::GrantEnded,
        Self::Budget,
        Self::Locked,
        Self::Breadth,
        Self::NotEnrolled,
        Self::Clash,
        Self::NotNewer,
    ];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|reason| u32::from(*reason as u8) == raw)
    }
}

impl Verdicts {
    pub(crate) const fn undecided(outcome: Outcome) -> Self {
        Self { outcome, verdicts: Vec::new() }
    }

    /// As apply replies.
    pub fn encode(&self) -> Bytes {
        super::stored::Stored::encode(self)
    }

    /// Reads what [`Verdicts::encode`] wrote.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        super::stored::Stored::decode(bytes)
    }
}

raw_number![Outcome, Answer, Reason];

/// A verdict among others.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct VerdictMessage {
    #[prost(oneof = "VerdictChoice", tags = "1, 2, 3, 4, 5")]
    kind: Option<VerdictChoice>,
}

impl Raw<VerdictMessage> for Verdict {
    fn to_raw(&self) -> VerdictMessage {
        VerdictMessage { kind: self.to_raw() }
    }

    fn from_raw(VerdictMessage { kind }: VerdictMessage) -> Option<Self> {
        Self::from_raw(kind)
    }
}

stored!(Verdicts as VerdictsMessage {
    #[prost(uint32, tag = "1")] outcome: u32,
    #[prost(message, repeated, tag = "2")] verdicts: Vec<VerdictMessage>,
});
stored_choice!(Verdict as VerdictChoice {
    #[prost(message, tag = "1")] Registered(RegisteredMessage),
    #[prost(message, tag = "2")] Done(DoneMessage),
    #[prost(message, tag = "3")] Eligible(EligibleMessage),
    #[prost(message, tag = "4")] Admitted(AdmittedMessage),
    #[prost(message, tag = "5")] Refused(RefusedMessage),
});
stored!(Done as DoneMessage {
    #[prost(uint64, tag = "1")] leaf: u64,
});
stored!(Registered as RegisteredMessage {
    #[prost(uint64, tag = "1")] leaf: u64,
    #[prost(bytes = "bytes", tag = "2")] binding: Bytes,
    #[prost(uint32, tag = "3")] standing: u32,
});
stored!(Eligible as EligibleMessage {
    #[prost(uint32, tag = "1")] answer: u32,
    #[prost(uint32, optional, tag = "2")] until: Option<u32>,
    #[prost(bytes = "bytes", optional, tag = "3")] successor: Option<Bytes>,
});
stored!(Admitted as AdmittedMessage {
    #[prost(uint64, tag = "1")] leaf: u64,
    #[prost(bytes = "bytes", tag = "2")] grant: Bytes,
    #[prost(bytes = "bytes", tag = "3")] person: Bytes,
    #[prost(bytes = "bytes", tag = "4")] binding: Bytes,
    #[prost(uint32, tag = "5")] evidence: u32,
    #[prost(uint32, tag = "6")] scope: u32,
    #[prost(uint32, tag = "7")] categories: u32,
    #[prost(uint64, tag = "8")] end: u64,
    #[prost(uint32, tag = "9")] answer: u32,
    #[prost(uint32, optional, tag = "10")] until: Option<u32>,
    #[prost(bytes = "bytes", optional, tag = "11")] successor: Option<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "12")] clouds: Vec<Bytes>,
});
stored!(Refused as RefusedMessage {
    #[prost(uint32, tag = "1")] reason: u32,
    #[prost(uint64, tag = "2")] retry_after_millis: u64,
});
