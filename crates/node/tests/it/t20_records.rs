//! What a patient's records do: written, read, replaced, hidden, deleted, and each time a row.

use renkei_access::{Capability, Effect, Rule, RuleSet, Subject, Target};
use renkei_ids::{AuditSeq, RecordVersion};
use renkei_shard::audit::AuditContent;
use renkei_shard::{Operation as Does, Outcome as Came};
use renkei_wire::{EntryBody, ErrorCode, GetRecord, NodeReply, Operation, Outcome, RevokeCapability, SetRules, Stored};

use crate::cloud::TestCloud;
use crate::patient::{self, Patient, record};

struct Desk {
    cloud: TestCloud,
    patient: Patient,
    capability: Capability,
}

impl Desk {
    async fn open(grants: &[(u32, u32)]) -> Self {
        let cloud = TestCloud::founded().await;
        let patient = Patient::new(3);
        let grants: Vec<_> = grants.iter().map(|(n, version)| (record(*n), *version)).collect();
        let capability = patient.writing(&cloud, &grants);
        Self { cloud, patient, capability }
    }

    async fn ask(&self, operation: Operation) -> Result<NodeReply, ErrorCode> {
        let signed = patient::sign(&self.cloud, &self.capability);
        let request = patient::request(signed, operation);
        self.cloud.ask(&request, self.patient.slot()).await.map_err(|refusal| refusal.code)
    }

    async fn put(&self, n: u32, version: u32, month: u16) -> Result<Outcome, ErrorCode> {
        let summary = format!("summary {n}.{version}");
        let body = patient::whole(&format!("body {n}.{version}"));
        let put = patient::put(record(n), version, month, &summary, body);
        self.ask(Operation::Put(put)).await.map(|reply| reply.outcome)
    }

    async fn body(&self, operation: Operation) -> Option<Vec<u8>> {
        match self.ask(operation).await.unwrap().outcome {
            Outcome::Record(entry) => match entry.body {
                EntryBody::Whole(body) => Some(body.to_vec()),
                other => panic!("{other:?}"),
            },
            Outcome::Nothing => None,
            other => panic!("{other:?}"),
        }
    }
}

fn stored(n: u32, version: u32, replayed: bool) -> Outcome {
    Outcome::Stored(Stored { record: record(n), version: RecordVersion::new(version).unwrap(), replayed })
}

#[tokio::test]
async fn records_are_written_read_replaced_hidden_and_deleted() {
    let desk = Desk::open(&[(1, 1), (1, 2), (2, 1)]).await;
    assert_eq!(desk.put(1, 1, 24_000).await, Ok(stored(1, 1, false)));
    assert_eq!(desk.put(1, 1, 24_000).await, Ok(stored(1, 1, true)), "a retry gets the stored reply");
    assert_eq!(desk.put(2, 1, 24_001).await, Ok(stored(2, 1, false)));
    assert_eq!(desk.put(1, 2, 24_002).await, Ok(stored(1, 2, false)));
    assert_eq!(desk.put(7, 1, 24_002).await, Err(ErrorCode::CapabilityScope), "the capability does not name it");
    assert_eq!(desk.body(patient::get(record(1))).await.as_deref(), Some(&b"body 1.2"[..]));
    let old = Operation::Get(GetRecord { record: record(1), version: RecordVersion::new(1), with_body: true });
    assert_eq!(desk.body(old).await.as_deref(), Some(&b"body 1.1"[..]));

    let Outcome::Page(page) = desk.ask(patient::timeline()).await.unwrap().outcome else { panic!() };
    let seen: Vec<_> = page.entries.iter().map(|entry| (entry.month.raw(), entry.record)).collect();
    assert_eq!(seen, [(24_002, record(1)), (24_001, record(2))], "newest month first");

    let hide = Rule { effect: Effect::Deny, target: Target::Record(record(2)), subject: Subject::Every, until: None };
    let rules = SetRules { rules: RuleSet::new(Effect::Allow, vec![hide]).unwrap(), expected_version: 0 };
    assert_eq!(desk.ask(Operation::SetRules(rules.clone())).await.unwrap().outcome, Outcome::Done);
    assert_eq!(desk.ask(Operation::SetRules(rules)).await.unwrap_err(), ErrorCode::RulesConflict);
    assert_eq!(desk.body(patient::get(record(2))).await, None);

    assert_eq!(desk.ask(patient::delete(record(1), 1)).await.unwrap_err(), ErrorCode::VersionConflict);
    assert_eq!(desk.ask(patient::delete(record(1), 2)).await.unwrap().outcome, Outcome::Done);
    assert_eq!(desk.body(patient::get(record(1))).await, None);

    check_rows(&desk).await;
}

async fn check_rows(desk: &Desk) {
    let reply = desk.ask(patient::list_audit()).await.unwrap();
    let Outcome::Audit(page) = reply.outcome else { panic!() };
    let rows: Vec<_> = page.rows.iter().map(|row| AuditContent::decode(&row.content).unwrap()).collect();
    let told: Vec<_> = rows.iter().map(|row| (row.operation, row.outcome)).collect();
    let expected = [
        (Does::Put, Came::Done),
        (Does::Put, Came::Replayed),
        (Does::Put, Came::Done),
        (Does::Put, Came::Done),
        (Does::Get, Came::Done),
        (Does::Get, Came::Done),
        (Does::Timeline, Came::Done),
        (Does::SetRules, Came::Done),
        (Does::SetRules, Came::VersionConflict),
        (Does::Get, Came::Nothing),
        (Does::Delete, Came::VersionConflict),
        (Does::Delete, Came::Done),
        (Does::Get, Came::Nothing),
    ];
    assert_eq!(told, expected, "each request left one row, and the put outside the capability reached no shard");
    assert!(rows.iter().map(|row| row.seq).eq((1..).map(AuditSeq).take(rows.len())));
    assert_eq!(reply.row.seq, AuditSeq(rows.len() as u64 + 1), "listing the rows left one too");
    assert!(page.rows.iter().all(|row| row.log == reply.row.log));
}

#[tokio::test]
async fn a_revoked_capability_is_refused_at_once_and_nothing_of_the_patient_is_logged() {
    let desk = Desk::open(&[(1, 1)]).await;
    desk.put(1, 1, 24_000).await.unwrap();
    let expires = desk.capability.expires;
    let revoke = Operation::Revoke(RevokeCapability { capability: desk.capability.id, expires });
    assert_eq!(desk.ask(revoke).await.unwrap().outcome, Outcome::Done);
    assert_eq!(desk.ask(patient::get(record(1))).await.unwrap_err(), ErrorCode::CapabilityRevoked);
    assert_eq!(desk.put(1, 1, 24_000).await, Err(ErrorCode::CapabilityRevoked));

    let logs = desk.cloud.logs();
    assert!(logs.contains("replica opened"), "the logs are where the test looks");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for planted in ["summary 1.1".to_owned(), hex(desk.patient.0.as_bytes()), hex(record(1).as_bytes())] {
        assert!(!logs.contains(&planted), "{planted} is in a log");
    }
}
