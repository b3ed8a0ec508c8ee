//! Commands: what a leader proposes.

mod pb;

use bytes::Bytes;
use renkei_access::{Evidence, Limit, Period, Purpose, Scope};
use renkei_envelope::{
    Class, ClassSet, KeyEpoch, PseudonymHash, SealedSeed, SealedSlotKey, WrappedClassKey, WrappedLogKey,
    WrappedPatientKey,
};
use renkei_ids::{
    CapabilityId, DirectoryVersion, InstitutionId, KeyHash, LogId, Pid, RecordId, RecordVersion, RequestId, TicketId,
    UnixMillis,
};
use renkei_merkle::SALT_BYTES;

use super::budget::Limits;
use super::format::{decode, encode};
use super::verdict::Reason;

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins the vault; without effect on one that has begun.
    Found(Founding),
    /// Decides items of one call.
    Decide(Batch),
    /// Takes a newer directory, whose signatures the leader has judged.
    Direct {
        /// The leader's clock.
        time: UnixMillis,
        /// As it travels.
        signed: Bytes,
    },
}

/// A vault's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The log of openings.
    pub log: LogId,
    /// The epoch of the slot keys.
    pub epoch: KeyEpoch,
    /// The key of each slot, 4,096 of them, sealed under the epoch key.
    pub slots: Vec<SealedSlotKey>,
}

/// Items of one call of one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The leader's clock.
    pub time: UnixMillis,
    /// The gateway that calls.
    pub gateway: KeyHash,
    /// The call.
    pub request: RequestId,
    /// The limits in force.
    pub limits: Limits,
    /// The directory that the leader judged tickets by; where the state has another, nothing is decided.
    pub directory: Option<DirectoryVersion>,
    /// What is to be decided, in order.
    pub items: Vec<Item>,
}

/// One thing to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The capability that is given if it is allowed.
    pub capability: CapabilityId,
    /// Salt of its row in the log of openings.
    pub salt: [u8; SALT_BYTES],
    /// On whose behalf.
    pub institution: InstitutionId,
    /// Why; `None` where no ticket that was read says so.
    pub purpose: Option<Purpose>,
    /// What stood behind the check-in; likewise.
    pub evidence: Option<Evidence>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Open a patient.
    Open {
        /// Under what the patient is found.
        hash: PseudonymHash,
        /// The patient to be created if there is none; `None` where the leader knew one.
        unknown: Option<NewPatient>,
        /// What for.
        wanted: Wanted,
        /// The ticket that it goes by; `None` in builds for development.
        ticket: Option<TicketUse>,
        /// The patient's escrow row, to be stored if there is none: sealed for the patient in `unknown`, or for the one
        /// that the leader knew.
        escrow: Option<Bytes>,
    },
    /// Refuse a ticket: only the leader can judge it, for only the leader reads it.
    Refuse {
        /// Why.
        reason: Reason,
        /// What was asked for.
        wanted: Wanted,
        /// Which ticket, where one was read.
        ticket: Option<TicketId>,
    },
    /// Grant the storing of one version of a record.
    Put {
        /// Whose.
        pid: Pid,
        /// Which record.
        record: RecordId,
        /// Which version.
        version: RecordVersion,
        /// Class keys to be stored where there are none yet.
        class_keys: Vec<NewClassKey>,
    },
    /// Grant the deletion of a record.
    Delete {
        /// Whose.
        pid: Pid,
        /// Which record.
        record: RecordId,
        /// The version believed to be current.
        version: RecordVersion,
    },
    /// Open stubs of audit rows.
    Stubs {
        /// Whose.
        pid: Pid,
        /// How many.
        count: u32,
    },
}

/// What an opening is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Classes of record that are to be read.
    pub classes: ClassSet,
    /// Months.
    pub period: Period,
    /// What for.
    pub scope: Scope,
}

/// A ticket that its leader found good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketUse {
    /// Which.
    pub id: TicketId,
    /// The first moment at which it is no longer taken: judged once more by group time.
    pub expires: UnixMillis,
    /// How many patients the directory lets the institution open for this purpose and on this evidence; `None` where it
    /// says nothing, and the vault's own limit holds.
    pub breadth: Option<Limit>,
}

/// A patient who may be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPatient {
    /// Random.
    pub pid: Pid,
    /// S under the pseudonym.
    pub seed: SealedSeed,
    /// W in its layers.
    pub patient_key: WrappedPatientKey,
    /// LK in its layers.
    pub log_key: WrappedLogKey,
}

/// A class key that may be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClassKey {
    /// Its class.
    pub class: Class,
    /// Its year.
    pub year: u16,
    /// CK in its layers; `None` where the leader knew one.
    pub key: Option<WrappedClassKey>,
}

/// Bytes that are no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCommand {
    /// No message of a known version.
    #[error("command does not read")]
    Unreadable(#[from] super::format::Unreadable),
    /// A field of the wrong form.
    #[error("field {0} of a command")]
    Field(&'static str),
}

impl Ask {
    /// The ticket that is presented, where one was read.
    pub(super) fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Open { ticket, .. } => ticket.map(|ticket| ticket.id),
            Self::Refuse { ticket, .. } => *ticket,
            Self::Put { .. } | Self::Delete { .. } | Self::Stubs { .. } => None,
        }
    }
}

impl Command {
    /// As it is proposed.
    pub fn encode(&self) -> Bytes {
        encode(&pb::Command::from(self))
    }

    /// Reads what [`Command::encode`] wrote.
    ///
    /// # Errors
    /// [`InvalidCommand`].
    pub fn decode(bytes: &Bytes) -> Result<Self, InvalidCommand> {
        Self::try_from(decode::<pb::Command>(bytes)?)
    }
}
