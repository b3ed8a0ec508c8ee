//! `renkei audit list`.

use std::fmt;

use renkei_ids::UnixMillis;
use renkei_wire::limits::DEADLINE_MAX;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{Actor, AuditEntry, ListAuditRequest};
use renkei_wire::{InvalidRecordMessage, evidence_word, purpose_word};
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
    /// Held for the rows, about.
    #[serde(skip)]
    bytes: usize,
}

/// Why a row does not read.
#[derive(Debug, thiserror::Error)]
enum UnreadableRow {
    #[error("reading an audit row")]
    Message(#[from] InvalidRecordMessage),
    #[error("writing the time of an audit row")]
    Time(#[from] time::error::ComponentRange),
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
    while let Some(page) = pages.next().await? {
        told.add(page).map_err(|error| Failure::unreadable(&address, error))?;
        if told.bytes >= LISTED_MAX_BYTES {
            told.stop();
            break;
        }
    }
    output.print(&told)?;
    Ok(Exit::Done)
}

impl Rows {
    fn add(&mut self, pb::AuditPage { entries }: pb::AuditPage) -> Result<(), UnreadableRow> {
        for entry in entries {
            let row = Row::try_from(AuditEntry::try_from(entry)?)?;
            self.bytes += row.size();
            self.rows.push(row);
        }
        Ok(())
    }

    /// Says where to go on.
    fn stop(&mut self) {
        self.continue_after = self.rows.last().map(|row| row.seq);
    }
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
        let Self { rows, continue_after, bytes: _ } = self;
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
    use renkei_envelope::Reference;

    use super::*;

    fn page(seq: u64, references: usize) -> pb::AuditPage {
        let entry = pb::AuditEntry {
            seq,
            time_ms: 1_795_132_800_000,
            operation: "timeline".to_owned(),
            outcome: "done".to_owned(),
            references: vec![vec![1; Reference::LEN].into(); references],
            actor_id: "dr\u{1b}[2J".to_owned(),
            actor_role: "physician".to_owned(),
            purpose: "care".to_owned(),
            evidence: "card".to_owned(),
            log_id: vec![2; 16].into(),
            leaf_index: 7,
            leaf_hash: vec![3; 32].into(),
        };
        pb::AuditPage { entries: vec![entry] }
    }

    #[test]
    fn a_listing_counts_what_it_holds_and_goes_on_behind_its_last_row() {
        let mut told = Rows::default();
        told.add(page(1, 0)).unwrap();
        let few = told.bytes;
        told.add(page(9, 200)).unwrap();
        assert!(told.bytes > few + 200 * 2 * Reference::LEN, "{}", told.bytes);
        told.stop();
        let text = told.to_string();
        assert!(text.ends_with("\nmore: --after 9\n") && !text.contains('\u{1b}'), "{text}");
        assert_eq!(serde_json::to_value(&told).unwrap()["rows"][1]["references"].as_array().unwrap().len(), 200);
    }

    #[test]
    fn a_row_that_does_not_read_is_refused() {
        let mut odd = page(1, 0);
        odd.entries[0].operation = "unheard_of".to_owned();
        assert!(matches!(Rows::default().add(odd), Err(UnreadableRow::Message(_))));
        let mut late = page(1, 0);
        late.entries[0].time_ms = u64::MAX;
        assert!(matches!(Rows::default().add(late), Err(UnreadableRow::Time(_))));
    }

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
