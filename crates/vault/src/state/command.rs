//! Commands: what a leader proposes.

mod pb;

use bytes::Bytes;
use renkei_access::{Evidence, Period, Purpose, Scope};
use renkei_envelope::{
    Class, ClassSet, KeyEpoch, PseudonymHash, SealedSeed, SealedSlotKey, WrappedClassKey, WrappedLogKey,
    WrappedPatientKey,
};
use renkei_ids::{CapabilityId, InstitutionId, KeyHash, LogId, Pid, RecordId, RecordVersion, RequestId, UnixMillis};
use renkei_merkle::SALT_BYTES;

use super::budget::Limits;
use super::format::{decode, encode};

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins the vault; without effect on one that has begun.
    Found(Founding),
    /// Decides items of one call.
    Decide(Batch),
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
    /// Why.
    pub purpose: Purpose,
    /// What stood behind the check-in.
    pub evidence: Evidence,
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
        /// Classes of record.
        classes: ClassSet,
        /// Months.
        period: Period,
        /// What for.
        scope: Scope,
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
