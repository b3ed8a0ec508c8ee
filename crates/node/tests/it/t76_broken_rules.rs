//! Rules that are broken on purpose, and the checks that notice. Others are in the crates that keep them: leadership in
//! `consensus`, ownership of slots in `shard`, syncs in `t72_power`.

use std::time::Duration;

use renkei_faults::{Mutation, Point};
use renkei_ids::{ContentTag, IdemTag, NodeId, RecordId, RecordVersion};
use renkei_wire::{DeleteRecord, EntryBody, NodeRequest, Operation, Outcome};

use crate::cloud::TestCloud;
use crate::patient::{self, Patient, record};
use crate::plans::{Plans, ended};

/// How long an answer may take that should not come.
const SHORT: Duration = Duration::from_secs(2);
/// Between a read's row and its document.
const STALL: Duration = Duration::from_millis(1_500);

struct Desk {
    plans: Plans,
    cloud: TestCloud,
    patient: Patient,
}

impl Desk {
    async fn open() -> Self {
        let plans = Plans::new();
        let cloud = TestCloud::founded_with(&[&plans.setting()]).await;
        Self { plans, cloud, patient: Patient::new(7) }
    }

    async fn leader(&self) -> NodeId {
        self.cloud.leader(self.cloud.group_of(self.patient.slot()).await).await
    }

    async fn arm_all(&self, plan: &str) {
        for node in self.cloud.processes.addresses().into_keys() {
            self.plans.arm(node, plan).await;
        }
    }

    async fn put(&self, id: RecordId, body: &str) {
        let capability = self.patient.writing(&self.cloud, &[(id, 1)]);
        let put = Operation::Put(patient::put(id, 1, 24_000, "summary", patient::whole(body)));
        let request = patient::request(patient::sign(&self.cloud, &capability), put);
        self.cloud.ask(&request, self.patient.slot()).await.unwrap();
    }

    fn request(&self, operation: Operation) -> NodeRequest {
        patient::request(patient::sign(&self.cloud, &self.patient.capability(&self.cloud)), operation)
    }

    /// Whether a leader that reaches no other replica answers a read: its row cannot be committed.
    async fn answers_alone(&mut self) -> bool {
        let leader = self.leader().await;
        let others: Vec<_> = self.cloud.processes.addresses().into_keys().filter(|node| *node != leader).collect();
        for node in &others {
            self.cloud.processes.node(*node).unwrap().pause().unwrap();
        }
        let request = NodeRequest { deadline: SHORT, ..self.request(patient::get(record(3))) };
        let answered = self.cloud.ask_at(leader, request).await.is_ok();
        for node in others {
            self.cloud.processes.node(node).unwrap().resume().unwrap();
        }
        answered
    }

    /// Whether a document that is deleted while it is being read comes whole: all of a read is from one moment.
    async fn comes_whole(&self, id: RecordId) -> bool {
        let body = "x".repeat(100_000);
        self.put(id, &body).await;
        let leader = self.leader().await;
        let mut client = self.cloud.client(leader);
        let get = renkei_wire::pb::node::v1::Request::from(self.request(patient::get(id)));
        let reading = tokio::runtime::Handle::current().spawn(async move { client.execute(get).await });
        tokio::time::sleep(STALL / 3).await;
        let delete = Operation::Delete(DeleteRecord {
            record: id,
            version: RecordVersion::FIRST,
            idem: IdemTag::from_bytes(*id.as_bytes()),
            content: ContentTag::from_bytes([9; 16]),
        });
        let deleted = self.cloud.ask(&self.request(delete), self.patient.slot()).await;
        assert_eq!(deleted.unwrap().outcome, Outcome::Done);
        assert!(!reading.is_finished(), "the read did not wait where it was to be overtaken");
        let Ok(reply) = reading.await.unwrap() else { return false };
        let reply = renkei_wire::NodeReply::try_from(reply.into_inner()).unwrap();
        matches!(reply.outcome, Outcome::Record(entry) if entry.body == EntryBody::Whole(body.into()))
    }
}

#[tokio::test]
async fn rules_of_reading_hold_and_are_noticed_when_they_are_broken() {
    let mut desk = Desk::open().await;
    let stall = format!("stall {} {}", Point::ReadRecorded.name(), STALL.as_millis());
    let leader = desk.leader().await;
    desk.plans.arm(leader, &stall).await;
    assert!(desk.comes_whole(record(1)).await, "a read saw two moments");
    desk.plans.arm(leader, &format!("{stall}\nmutate {}", Mutation::TwoViews.name())).await;
    assert!(!desk.comes_whole(record(2)).await, "the check does not notice a second view");
    // For it does not find what its own row says is there.
    ended(&mut desk.cloud, leader).await;
    desk.cloud.processes.start_all().unwrap();

    desk.put(record(3), "body").await;
    desk.arm_all("").await;
    assert!(!desk.answers_alone().await, "an answer left without a row");
    desk.put(record(4), "the cloud is whole again").await;
    desk.arm_all(&format!("mutate {}", Mutation::AnswerBeforeCommit.name())).await;
    assert!(desk.answers_alone().await, "the check does not notice an answer without a row");
}
