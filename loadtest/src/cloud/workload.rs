//! The requests to the cloud, and the check of every answer.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rand::Rng as _;
use rand::rngs::SmallRng;
use renkei_access::SignedCapability;
use renkei_ids::{RecordVersion, RequestId, SlotEpoch};
use renkei_wire::{
    EntryBody, GetRecord, NodeRequest, Operation as Asked, Outcome, ReadTimeline, RecordEntry, Stored, TimelinePage,
};

use super::Cloud;
use super::patients::{ACTOR_BYTES, Record};
use crate::failure::Violation;
use crate::load::{OperationError, Workload};
use crate::operation::{Operation, TIMELINE_VALUES};

/// What a node may take for one request.
const DEADLINE: Duration = Duration::from_secs(10);
/// Acknowledged puts that are read back at the end.
const SAMPLE: usize = 2000;
/// Reads in flight while they are.
const READ_BACK_IN_FLIGHT: usize = 64;

/// One kind of request, for patients chosen uniformly.
#[derive(Debug)]
pub(crate) struct CloudWorkload<'a> {
    cloud: &'a Cloud,
    operation: Operation,
    touched: RefCell<Vec<bool>>,
    acknowledged: RefCell<Acknowledged>,
    counting: Cell<bool>,
}

/// A uniform sample of the acknowledged puts (Vitter's algorithm R).
#[derive(Debug, Default)]
struct Acknowledged {
    seen: usize,
    sample: Vec<Record>,
}

impl Acknowledged {
    fn note(&mut self, record: Record, random: &mut SmallRng) {
        self.seen += 1;
        if self.sample.len() < SAMPLE {
            self.sample.push(record);
            return;
        }
        let place = random.random_range(0..self.seen);
        if let Some(kept) = self.sample.get_mut(place) {
            *kept = record;
        }
    }
}

impl Cloud {
    pub(crate) fn workload(&self, operation: Operation) -> CloudWorkload<'_> {
        CloudWorkload {
            cloud: self,
            operation,
            touched: RefCell::new(vec![false; self.patients.count() as usize]),
            acknowledged: RefCell::default(),
            counting: Cell::new(false),
        }
    }

    /// Puts the next record of a patient.
    pub(super) async fn put_next(&self, patient: u32) -> Result<Record, OperationError> {
        let (record, capability) = self.patients.next_put(patient).expect("what it signs is far below every limit");
        let answered = self.ask(patient, capability, Asked::Put(self.patients.put(record))).await?;
        match answered.reply.outcome {
            Outcome::Stored(Stored { record: id, version: RecordVersion::FIRST, replayed })
                if id == self.patients.record_id(record) && (!replayed || answered.retried) =>
            {
                Ok(record)
            }
            Outcome::Stored(_) => Err(Violation::NotDistinct.into()),
            _ => Err(Violation::WrongKind.into()),
        }
    }

    async fn get(&self, record: Record) -> Result<(), OperationError> {
        let get = GetRecord { record: self.patients.record_id(record), version: None, with_body: false };
        let capability = self.patients.reading(record.patient);
        match self.ask(record.patient, capability, Asked::Get(get)).await?.reply.outcome {
            Outcome::Record(entry) => self.check(record, &entry),
            Outcome::Nothing => Err(Violation::Lost.into()),
            _ => Err(Violation::WrongKind.into()),
        }
    }

    async fn timeline(&self, patient: u32) -> Result<(), OperationError> {
        let timeline = ReadTimeline {
            period: self.patients.timeline(),
            max_entries: u16::try_from(TIMELINE_VALUES).expect("a timeline is short"),
            inline_body_bytes: 0,
            after: None,
        };
        let capability = self.patients.reading(patient);
        match self.ask(patient, capability, Asked::Timeline(timeline)).await?.reply.outcome {
            Outcome::Page(page) => self.check_page(patient, &page),
            _ => Err(Violation::WrongKind.into()),
        }
    }

    fn check_page(&self, patient: u32, page: &TimelinePage) -> Result<(), OperationError> {
        if page.entries.len() != TIMELINE_VALUES {
            return Err(Violation::WrongEntries { expected: TIMELINE_VALUES, actual: page.entries.len() }.into());
        }
        // Newest first, and each later record lies in a later month.
        for (number, entry) in (0..TIMELINE_VALUES as u64).rev().zip(&page.entries) {
            self.check(Record { patient, number }, entry)?;
        }
        Ok(())
    }

    fn check(&self, record: Record, entry: &RecordEntry) -> Result<(), OperationError> {
        let right = entry.record == self.patients.record_id(record)
            && entry.version == RecordVersion::FIRST
            && entry.body == EntryBody::Absent
            && self.patients.is_summary(record, &entry.summary);
        if right { Ok(()) } else { Err(Violation::WrongContent.into()) }
    }

    async fn ask(
        &self,
        patient: u32,
        capability: SignedCapability,
        operation: Asked,
    ) -> Result<super::client::Answered, OperationError> {
        let request = NodeRequest {
            request: RequestId::from_bytes(rand::random()),
            deadline: DEADLINE,
            slot_epoch: SlotEpoch(0),
            capability,
            actor: Bytes::from_static(&[0x5c; ACTOR_BYTES]),
            operation,
        };
        self.client.call(self.patients.pid(patient), request).await
    }
}

impl CloudWorkload<'_> {
    /// Patients that the measured window asked about.
    pub(crate) fn patients_touched(&self) -> usize {
        self.touched.borrow().iter().filter(|touched| **touched).count()
    }

    /// Reads a sample of this row's acknowledged puts, and gives how many were read.
    ///
    /// # Errors
    /// [`Violation::Lost`] or [`Violation::WrongContent`] where one is not as it was put.
    pub(crate) async fn read_back(&self) -> Result<usize, OperationError> {
        let sample = std::mem::take(&mut self.acknowledged.borrow_mut().sample);
        stream::iter(&sample)
            .map(|record| self.cloud.get(*record))
            .buffer_unordered(READ_BACK_IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        Ok(sample.len())
    }
}

impl Workload for CloudWorkload<'_> {
    const SYSTEM: &'static str = "renkei";

    async fn once(&self, _client: usize, random: &mut SmallRng) -> Result<(), OperationError> {
        let patient = random.random_range(0..self.cloud.patients.count());
        if self.counting.get() {
            self.touched.borrow_mut()[patient as usize] = true;
        }
        match self.operation {
            Operation::Write => {
                let record = self.cloud.put_next(patient).await?;
                self.acknowledged.borrow_mut().note(record, random);
                Ok(())
            }
            Operation::Read => {
                let number = random.random_range(0..TIMELINE_VALUES as u64);
                self.cloud.get(Record { patient, number }).await
            }
            Operation::Timeline => self.cloud.timeline(patient).await,
        }
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        self.cloud.cpu()
    }

    fn begin(&self) {
        self.counting.set(true);
    }
}
