//! Requests that change something.

use renkei_shard::{ItemKind, PutRecord, SetRules};
use renkei_wire::{self as wire, ErrorCode, PutBody, Refusal};

use super::{Answer, Case, Held, Server, verdicts};

impl Server {
    pub(super) async fn put(&self, case: Case, put: wire::PutRecord) -> Result<Answer, Refusal> {
        let wire::PutRecord {
            record,
            version,
            month,
            summary_class,
            body_class,
            binding,
            size,
            summary,
            body,
            idem,
            content,
        } = put;
        let PutBody::Whole(body) = body else { return Err(Refusal::invalid("put.body")) };
        self.disk.admit_writes().map_err(verdicts::disk_low)?;
        let held = self.admission.admit(summary.len() + body.len())?;
        if !case.capability.grants_write(record, version)
            || ![summary_class, body_class].iter().all(|class| case.capability.classes.contains(class))
        {
            return Err(Refusal::new(ErrorCode::CapabilityScope));
        }
        let put = PutRecord {
            record,
            version,
            month,
            summary_class,
            body_class,
            binding,
            size,
            summary,
            body,
            idem,
            content,
        };
        self.change(case, ItemKind::Put(put), ErrorCode::VersionConflict, held).await
    }

    pub(super) async fn delete(&self, case: Case, delete: wire::DeleteRecord) -> Result<Answer, Refusal> {
        let wire::DeleteRecord { record, version, idem, content } = delete;
        self.disk.admit_reads().map_err(verdicts::disk_low)?;
        let held = self.admission.admit(0)?;
        let delete = renkei_shard::DeleteRecord { record, version, idem, content };
        self.change(case, ItemKind::Delete(delete), ErrorCode::VersionConflict, held).await
    }

    pub(super) async fn set_rules(&self, case: Case, set: wire::SetRules) -> Result<Answer, Refusal> {
        let wire::SetRules { rules, expected_version } = set;
        self.disk.admit_reads().map_err(verdicts::disk_low)?;
        let held = self.admission.admit(0)?;
        let set = ItemKind::SetRules(SetRules { rules, expected_version });
        self.change(case, set, ErrorCode::RulesConflict, held).await
    }

    pub(super) async fn revoke(&self, case: Case, revoke: wire::RevokeCapability) -> Result<Answer, Refusal> {
        let wire::RevokeCapability { capability, expires } = revoke;
        self.disk.admit_reads().map_err(verdicts::disk_low)?;
        let held = self.admission.admit(0)?;
        self.change(case, ItemKind::Revoke { capability, expires }, ErrorCode::VersionConflict, held).await
    }

    async fn change(&self, case: Case, kind: ItemKind, conflict: ErrorCode, held: Held) -> Result<Answer, Refusal> {
        let reply = self.written(case.record(kind).await?, conflict)?;
        Ok(Answer { reply, body: None, held: vec![held] })
    }
}
