//! Stored rows and their keys.

use bytes::Bytes;
use renkei_envelope::{
    Class, KeyEpoch, PseudonymHash, SealedSeed, SealedSlotKey, WrappedClassKey, WrappedLogKey, WrappedPatientKey,
};
use renkei_ids::{DirectoryVersion, LogId, Pid, Slot, UnixMillis};

use super::apply::StateError;
use super::format::{copied, decode, encode};
use super::store::{Table, View};

pub(crate) const HEAD_KEY: &[u8] = b"head";

/// The one row of [`Table::Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Group time: the latest that any command bore.
    pub time: UnixMillis,
    /// The log of openings.
    pub log: LogId,
    /// Rows in it.
    pub leaves: u64,
    /// Epoch of the slot keys.
    pub epoch: KeyEpoch,
    /// Numbers in [`Table::Forget`]: the first that is there, and the one behind the last.
    pub forget: (u64, u64),
    /// The newest directory's version; `None` before the first.
    pub directory: Option<DirectoryVersion>,
}

/// A row of [`Table::Index`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// The patient.
    pub pid: Pid,
    /// S under the pseudonym.
    pub seed: SealedSeed,
}

/// A row of [`Table::Patients`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientRow {
    /// W in its layers.
    pub patient_key: WrappedPatientKey,
    /// LK in its layers.
    pub log_key: WrappedLogKey,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct HeadMessage {
    #[prost(uint64, tag = "1")]
    time_ms: u64,
    #[prost(bytes = "bytes", tag = "2")]
    log: Bytes,
    #[prost(uint64, tag = "3")]
    leaves: u64,
    #[prost(uint32, tag = "4")]
    epoch: u32,
    #[prost(uint64, tag = "5")]
    forget_first: u64,
    #[prost(uint64, tag = "6")]
    forget_next: u64,
    /// 0 for none.
    #[prost(uint64, tag = "7")]
    directory: u64,
}

/// Two byte strings; what they are is said by the table.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct PairMessage {
    #[prost(bytes = "bytes", tag = "1")]
    first: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    second: Bytes,
}

/// One byte string; what it is is said by the table.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct OneMessage {
    #[prost(bytes = "bytes", tag = "1")]
    only: Bytes,
}

impl Head {
    pub(crate) fn encode(&self) -> Bytes {
        let Self { time, log, leaves, epoch, forget: (forget_first, forget_next), directory } = *self;
        let (log, directory) = (copied(log.as_bytes()), directory.map_or(0, |version| version.0));
        encode(&HeadMessage { time_ms: time.0, log, leaves, epoch: epoch.0, forget_first, forget_next, directory })
    }
}

impl IndexRow {
    pub(crate) fn encode(&self) -> Bytes {
        let Self { pid, seed } = self;
        encode(&PairMessage { first: copied(pid.as_bytes()), second: seed.as_bytes().clone() })
    }
}

impl PatientRow {
    pub(crate) fn encode(&self) -> Bytes {
        let Self { patient_key, log_key } = self;
        encode(&PairMessage { first: patient_key.as_bytes().clone(), second: log_key.as_bytes().clone() })
    }
}

pub(crate) fn encode_one(bytes: &Bytes) -> Bytes {
    encode(&OneMessage { only: bytes.clone() })
}

/// Key of a class key: pid, class, year.
pub fn class_key_name(pid: &Pid, class: Class, year: u16) -> Vec<u8> {
    [&pid.as_bytes()[..], &class.to_bytes(), &year.to_be_bytes()].concat()
}

pub(super) fn read<V: View, M: prost::Message + Default>(
    view: &V,
    (table, row): (Table, &'static str),
    key: &[u8],
) -> Result<Option<M>, StateError<V::Error>> {
    match view.get(table, key).map_err(StateError::Store)? {
        None => Ok(None),
        Some(bytes) => decode(&bytes).map(Some).map_err(|_| StateError::Corrupt { row }),
    }
}

/// The head; `None` before the vault is founded.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn head<V: View>(view: &V) -> Result<Option<Head>, StateError<V::Error>> {
    let head: Option<HeadMessage> = read(view, (Table::Head, "head"), HEAD_KEY)?;
    let Some(head) = head else { return Ok(None) };
    let HeadMessage { time_ms, log, leaves, epoch, forget_first, forget_next, directory } = head;
    Ok(Some(Head {
        time: UnixMillis(time_ms),
        log: LogId::try_from(&log[..]).map_err(|_| StateError::Corrupt { row: "head" })?,
        leaves,
        epoch: KeyEpoch(epoch),
        forget: (forget_first, forget_next),
        directory: (directory > 0).then_some(DirectoryVersion(directory)),
    }))
}

/// The patient that a pseudonym leads to.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn index_row<V: View>(view: &V, hash: &PseudonymHash) -> Result<Option<IndexRow>, StateError<V::Error>> {
    let Some(PairMessage { first, second }) = read(view, (Table::Index, "index"), hash.expose())? else {
        return Ok(None);
    };
    let corrupt = |_| StateError::Corrupt { row: "index" };
    Ok(Some(IndexRow { pid: first[..].try_into().map_err(corrupt)?, seed: second.try_into().map_err(corrupt)? }))
}

/// A patient's keys.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn patient_row<V: View>(view: &V, pid: &Pid) -> Result<Option<PatientRow>, StateError<V::Error>> {
    let Some(PairMessage { first, second }) = read(view, (Table::Patients, "patient"), pid.as_bytes())? else {
        return Ok(None);
    };
    let corrupt = |_| StateError::Corrupt { row: "patient" };
    Ok(Some(PatientRow {
        patient_key: first.try_into().map_err(corrupt)?,
        log_key: second.try_into().map_err(corrupt)?,
    }))
}

/// The key of one class and year of a patient; `None` where nothing was ever put.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn wrapped_class_key<V: View>(
    view: &V,
    pid: &Pid,
    class: Class,
    year: u16,
) -> Result<Option<WrappedClassKey>, StateError<V::Error>> {
    let row = "class key";
    let found: Option<OneMessage> = read(view, (Table::ClassKeys, row), &class_key_name(pid, class, year))?;
    found.map(|OneMessage { only }| only.try_into().map_err(|_| StateError::Corrupt { row })).transpose()
}

/// A patient's escrow row, as it was sealed; `None` where none was made yet.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn escrow_row<V: View>(view: &V, pid: &Pid) -> Result<Option<Bytes>, StateError<V::Error>> {
    let row: Option<OneMessage> = read(view, (Table::Escrow, "escrow"), pid.as_bytes())?;
    Ok(row.map(|OneMessage { only }| only))
}

/// A slot's key; `None` before the vault is founded.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn slot_key<V: View>(view: &V, slot: Slot) -> Result<Option<SealedSlotKey>, StateError<V::Error>> {
    let row = "slot";
    let found: Option<OneMessage> = read(view, (Table::Slots, row), &slot.to_be_bytes())?;
    found.map(|OneMessage { only }| only.try_into().map_err(|_| StateError::Corrupt { row })).transpose()
}
