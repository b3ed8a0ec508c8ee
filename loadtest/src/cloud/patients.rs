//! Random patients, their records, and the capabilities for them, signed by the vault key of this run.

use std::cell::RefCell;

use bytes::Bytes;
use renkei_access::{
    Capability, InvalidCapability, Period, Purpose, RECORDS_MAX, RecordGrant, Scope, SignedCapability, SigningKey,
};
use renkei_ids::{
    BindingTag, CapabilityId, ClassTag, ContentTag, IdemTag, InstTag, KeyHash, MonthBucket, Pid, RecordId,
    RecordVersion, SizeBucket, UnixMillis,
};
use renkei_wire::{PutBody, PutRecord};

use crate::operation::{TIMELINE_VALUES, VALUE_BYTES};
use crate::payload::{Name, Seed};

/// Puts that one capability grants: the records of a patient that are laid out before the clock starts.
pub(super) const PUTS_PER_CAPABILITY: usize = TIMELINE_VALUES;
/// Longest run, for the capabilities' end.
const LIFE_MILLIS: u64 = 24 * 3_600_000;
/// A sealed stub: institution, cell, purpose, evidence and binding.
const STUB_BYTES: usize = 160;
/// A sealed actor: who, in what role, how logged in.
pub(super) const ACTOR_BYTES: usize = 128;
/// First month of the records that are laid out; each has a month of its own, so that their order is known.
const FIRST_MONTH: MonthBucket = MonthBucket::from_raw(2024 * 12);
/// Month of records put while the clock runs: before all others, so that timelines stay what they were.
const PUT_MONTH: MonthBucket = MonthBucket::from_raw(2023 * 12);

const _: () = assert!(PUTS_PER_CAPABILITY <= RECORDS_MAX, "one capability names all of a patient's first records");

/// A record of a patient: the patient's number and the record's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) patient: u32,
    pub(super) number: u64,
}

/// Everything that a gateway would have learnt from a vault.
#[derive(Debug)]
pub(super) struct Patients {
    seed: Seed,
    key: SigningKey,
    gateway: KeyHash,
    now: UnixMillis,
    reading: Vec<SignedCapability>,
    writing: RefCell<Vec<Writing>>,
}

/// The next records of a patient, and the capability that names them.
#[derive(Debug)]
struct Writing {
    capability: Option<SignedCapability>,
    next: u64,
    end: u64,
}

impl Patients {
    /// Draws them from the seed and signs a capability to read for each.
    ///
    /// # Errors
    /// None that the sizes here can cause; they come from [`Capability::sign`].
    pub(super) fn new(
        seed: Seed,
        count: u32,
        key: SigningKey,
        gateway: KeyHash,
        now: UnixMillis,
    ) -> Result<Self, InvalidCapability> {
        let writing = (0..count).map(|_| Writing { capability: None, next: 0, end: 0 }).collect();
        let mut patients = Self { seed, key, gateway, now, reading: Vec::new(), writing: RefCell::new(writing) };
        patients.reading =
            (0..count).map(|patient| patients.sign(patient, Scope::READ, Vec::new())).collect::<Result<_, _>>()?;
        Ok(patients)
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.reading.len()).expect("they were counted by a u32")
    }

    pub(super) fn pid(&self, patient: u32) -> Pid {
        Pid::from_bytes(self.seed.name(u64::MAX, patient.into()))
    }

    /// The capability to read everything of a patient.
    pub(super) fn reading(&self, patient: u32) -> SignedCapability {
        self.reading[patient as usize].clone()
    }

    pub(super) fn record_id(&self, record: Record) -> RecordId {
        RecordId::from_bytes(self.name(record))
    }

    /// Whether these bytes were put under this record.
    pub(super) fn is_summary(&self, record: Record, bytes: &[u8]) -> bool {
        self.seed.is_value(&self.name(record), bytes)
    }

    /// Months of the records that were laid out.
    pub(super) fn timeline(&self) -> Period {
        Period { from: FIRST_MONTH, to: month_of(TIMELINE_VALUES as u64 - 1) }
    }

    /// The next record of a patient, which nobody else gets, and what allows to put it.
    ///
    /// # Errors
    /// As [`Patients::new`].
    pub(super) fn next_put(&self, patient: u32) -> Result<(Record, SignedCapability), InvalidCapability> {
        let mut writing = self.writing.borrow_mut();
        let writing = &mut writing[patient as usize];
        if writing.next == writing.end {
            let end = writing.end + PUTS_PER_CAPABILITY as u64;
            let grants = (writing.next..end).map(|number| RecordGrant {
                record: self.record_id(Record { patient, number }),
                version: RecordVersion::FIRST,
            });
            writing.capability = Some(self.sign(patient, Scope::WRITE, grants.collect())?);
            writing.end = end;
        }
        let record = Record { patient, number: writing.next };
        writing.next += 1;
        let capability = writing.capability.clone().expect("it was signed with the first of its records");
        Ok((record, capability))
    }

    /// What is put under a record: a summary of 1 KiB and the shortest body that the protocol takes.
    pub(super) fn put(&self, record: Record) -> PutRecord {
        let name = self.name(record);
        let month = if record.number < TIMELINE_VALUES as u64 { month_of(record.number) } else { PUT_MONTH };
        PutRecord {
            record: RecordId::from_bytes(name),
            version: RecordVersion::FIRST,
            month,
            summary_class: self.class(0),
            body_class: self.class(1),
            binding: BindingTag::from_bytes(self.tag(2)),
            size: SizeBucket::of_len(VALUE_BYTES),
            summary: self.seed.value(&name),
            body: PutBody::Whole(Bytes::from_static(&[0x5a])),
            // One write of one content under each name, so the name serves for both.
            idem: IdemTag::from_bytes(name),
            content: ContentTag::from_bytes(name),
        }
    }

    fn name(&self, record: Record) -> Name {
        self.seed.name(record.patient.into(), record.number)
    }

    fn class(&self, number: u64) -> ClassTag {
        ClassTag::from_bytes(self.tag(number))
    }

    fn tag(&self, number: u64) -> Name {
        self.seed.name(u64::MAX - 1, number)
    }

    fn sign(
        &self,
        patient: u32,
        scope: Scope,
        records: Vec<RecordGrant>,
    ) -> Result<SignedCapability, InvalidCapability> {
        let capability = Capability {
            id: CapabilityId::from_bytes(rand::random()),
            pid: self.pid(patient),
            institution: InstTag::from_bytes(self.tag(3)),
            classes: vec![self.class(0), self.class(1)],
            period: Period::ALL,
            scope,
            purpose: Purpose::Care,
            issued: self.now,
            expires: self.now.plus_millis(LIFE_MILLIS),
            gateway: self.gateway,
            stub: Bytes::from_static(&[0x5b; STUB_BYTES]),
            records,
        };
        capability.sign(&self.key)
    }
}

fn month_of(number: u64) -> MonthBucket {
    let number = u16::try_from(number).expect("only the first records, which are few, have a month of their own");
    MonthBucket::from_raw(FIRST_MONTH.raw() + number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn patients() -> Patients {
        let key = SigningKey::from_seed(&[3; 32]);
        Patients::new(Seed::from_bytes([4; 16]), 5, key, KeyHash::from_bytes([5; 32]), UnixMillis(1_000)).unwrap()
    }

    #[test]
    fn every_put_is_distinct_and_granted_by_its_capability() {
        let patients = patients();
        let keys = [patients.key.verifying_key()];
        let mut seen = HashSet::new();
        for _ in 0..=2 * PUTS_PER_CAPABILITY {
            for patient in 0..patients.count() {
                let (record, signed) = patients.next_put(patient).unwrap();
                let put = patients.put(record);
                let capability = signed.verify(&keys).unwrap();
                assert_eq!(capability.pid, patients.pid(patient));
                assert!(capability.grants_write(put.record, put.version));
                assert!(capability.classes.contains(&put.summary_class));
                assert!(patients.is_summary(record, &put.summary));
                assert!(seen.insert(put.record));
            }
        }
    }

    #[test]
    fn timelines_hold_the_first_records_alone_in_a_known_order() {
        let patients = patients();
        let months: Vec<_> =
            (0..TIMELINE_VALUES as u64 + 3).map(|number| patients.put(Record { patient: 0, number }).month).collect();
        let (first, later) = months.split_at(TIMELINE_VALUES);
        assert!(first.is_sorted_by(|a, b| a < b));
        assert!(first.iter().all(|month| patients.timeline().contains(*month)));
        assert!(later.iter().all(|month| !patients.timeline().contains(*month)));
    }
}
