//! `renkei audit list`.

use std::fmt;

use renkei_ids::UnixMillis;
use renkei_wire::limits::DEADLINE_MAX;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{Actor, AuditEntry, ListAuditRequest};
use renkei_wire::{evidence_word, purpose_word};
use serde::Serialize;
use time::OffsetDateTime;

use super::{LISTED_MAX_BYTES, Session};
use crate::arguments::AuditListSettings;
use crate::call::{Answers, timed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hex::hex;
use crate::output::{Output, printable};

#[derive(Debug, Default, Serialize)]
struct Rows {
    rows: Vec<Row>,
    /// Where more may follow: the number of the last row shown.
    continue_after: Option<u64>,
}

#[derive(Serialize)]
struct Row {
    seq: u64,
    /// RFC 3339, in UTC.
    time: String,
    operation: &'static str,
    outcome: &'static str,
    actor: String,
    role: String,
    purpose: &'static str,
    evidence: &'static str,
    references: Vec<String>,
    log: String,
    leaf: u64,
    leaf_hash: String,
}

/// Shows the audit rows that the institution caused.
pub(crate) async fn list(settings: AuditListSettings, output: Output) -> Result<Exit, Failure> {
    let AuditListSettings { connection, visit, after } = settings;
    let Session { address, mut client, patient, actor } = Session::open(connection, visit)?;
    let request = pb::ListAuditRequest::from(ListAuditRequest { patient, actor, after });
    let mut pages = Answers::begin(&address, client.list_audit(timed(request, DEADLINE_MAX))).await?;
    let mut told = Rows::default();
    let mut bytes = 0;
    while let Some(pb::AuditPage { entries }) = pages.next().await? {
        for entry in entries {
            let unreadable = |error| Failure::unreadable(&address, error);
            let entry = AuditEntry::try_from(entry).map_err(unreadable)?;
            let row = Row::try_from(entry).map_err(|error| Failure::unreadable(&address, error))?;
            bytes += row.size();
            told.rows.push(row);
        }
        if bytes >= LISTED_MAX_BYTES {
            told.continue_after = told.rows.last().map(|row| row.seq);
            break;
        }
    }
    output.print(&told)?;
    Ok(Exit::Done)
}

impl TryFrom<AuditEntry> for Row {
    type Error = time::error::ComponentRange;

    fn try_from(entry: AuditEntry) -> Result<Self, Self::Error> {
        let AuditEntry {
            seq,
            time,
            operation,
            outcome,
            references,
            actor: Actor { id, role },
            purpose,
            evidence,
            log,
            leaf,
            leaf_hash,
        } = entry;
        Ok(Self {
            seq: seq.0,
            time: rfc3339(time)?,
            operation: operation.as_str(),
            outcome: outcome.as_str(),
            actor: id,
            role,
            purpose: purpose_word(purpose),
            evidence: evidence_word(evidence),
            references: references.iter().map(|reference| hex(reference.as_bytes())).collect(),
            log: log.to_string(),
            leaf: leaf.0,
            leaf_hash: hex(&leaf_hash),
        })
    }
}

impl Row {
    /// Bytes held for it, about.
    fn size(&self) -> usize {
        let texts = [&self.time, &self.actor, &self.role, &self.log, &self.leaf_hash];
        size_of::<Self>()
            + texts.into_iter().chain(&self.references).map(|text| size_of_val(text) + text.len()).sum::<usize>()
    }
}

/// A moment such as `2026-11-20T14:20:00.000Z`; years above 9999 have no such form.
fn rfc3339(at: UnixMillis) -> Result<String, time::error::ComponentRange> {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000_000)?;
    let (hour, minute, second, milli) = moment.to_hms_milli();
    Ok(format!("{}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z", moment.date()))
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, continue_after } = self;
        if rows.is_empty() {
            writeln!(f, "no rows")?;
        } else {
            writeln!(
                f,
                "{:>6}  {:<24}  {:<10}  {:<20}  {:>7}  {:<9}  {:<13}  actor (role)",
                "seq", "time", "operation", "outcome", "records", "purpose", "evidence"
            )?;
        }
        for row in rows {
            let Row { seq, time, operation, outcome, actor, role, purpose, evidence, references, .. } = row;
            let (records, actor, role) = (references.len(), printable(actor), printable(role));
            writeln!(
                f,
                "{seq:>6}  {time:<24}  {operation:<10}  {outcome:<20}  {records:>7}  {purpose:<9}  {evidence:<13}  \
                 {actor} ({role})"
            )?;
        }
        match continue_after {
            Some(seq) => writeln!(f, "more: --after {seq}"),
            None => Ok(()),
        }
    }
}

/// Of who acted on whom, nothing.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_by_rfc_3339() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_007, "2000-02-29T00:00:00.007Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(UnixMillis(millis)).as_deref(), Ok(text));
        }
        assert!(rfc3339(UnixMillis(253_402_300_800_000)).is_err());
        assert!(rfc3339(UnixMillis(u64::MAX)).is_err());
    }
}
