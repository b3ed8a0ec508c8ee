//! What the demo found.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::load::CLIENTS;
use crate::exit::Exit;

/// Longest time that one client may go without a success while a leader is killed, in milliseconds.
pub(super) const UNAVAILABLE_MAX_MS: u64 = 5_000;

/// What the demo found; the fields of `--json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Persons who were registered by their insurers and checked in on their cards.
    pub(super) persons: u64,
    /// Tickets that the registrar minted through the key holders, renewals included.
    pub(super) mints: u64,
    /// Links that are in quarantine because one member id was claimed for a second person: both.
    pub(super) misregistrations_quarantined: u64,
    /// Tickets that were given for one of the two afterwards.
    pub(super) misregistered_tickets: u64,
    /// Check-ins and renewals of the two that were refused, by code.
    pub(super) refusals: BTreeMap<String, u64>,
    /// Documents that were stored, synthetic ones and those of `--documents`.
    pub(super) documents_put: u64,
    /// Of those, how many read back byte for byte.
    pub(super) identical_readbacks: u64,
    /// Documents that were refused, by code.
    pub(super) refused: BTreeMap<String, u64>,
    /// Leaders killed.
    pub(super) leader_killed: u64,
    /// The node that was.
    pub(super) killed_node: u32,
    /// Longest time between two successes of one client, in milliseconds.
    pub(super) unavailable_ms: u64,
    /// Milliseconds from the kill until the node had caught up.
    pub(super) back_after_ms: u64,
    /// Operations acknowledged while the clients ran.
    pub(super) acknowledged: u64,
    /// Of those, between the kill and the restart.
    pub(super) acknowledged_while_dead: u64,
    /// Acknowledged writes, of all acts, that did not read back byte for byte at the end, and reads that gave other
    /// bytes.
    pub(super) acknowledged_lost: u64,
    /// Audit rows of every patient.
    pub(super) audit_rows: u64,
    /// Acknowledged writes without exactly one row that says so, and acknowledged reads without a row.
    pub(super) audit_rows_missing: u64,
    /// Places where a planted text was found.
    pub(super) plaintext_hits: u64,
    /// The same, in unencrypted databases of the same documents.
    pub(super) plaintext_control_hits: u64,
    /// Texts that were looked for.
    pub(super) planted: u64,
    /// Bytes that were looked at, before inflating.
    pub(super) scanned_bytes: u64,
}

impl Report {
    /// How the demo ends: every promise held, or not.
    pub(super) fn exit(&self) -> Exit {
        if self.broken().is_empty() { Exit::Done } else { Exit::Integrity }
    }

    /// Promises that did not hold.
    fn broken(&self) -> Vec<&'static str> {
        let promises = [
            (self.mints >= self.persons, "somebody has no ticket"),
            (self.misregistrations_quarantined == 2, "of two persons on one member id, one is not in quarantine"),
            (self.misregistered_tickets == 0, "a ticket was given for somebody in quarantine"),
            (self.identical_readbacks == self.documents_put, "a document did not read back as it was put"),
            (self.documents_put > 0, "no document was put"),
            (self.unavailable_ms <= UNAVAILABLE_MAX_MS, "a client waited longer than 5 s"),
            (self.acknowledged_lost == 0, "an acknowledged operation was lost"),
            (self.audit_rows_missing == 0, "audit rows are missing, or one too many is there"),
            (self.plaintext_hits == 0, "plaintext was found"),
            (self.plaintext_control_hits > 0, "the control found nothing, so the search proves nothing"),
        ];
        promises.into_iter().filter(|(held, _)| !held).map(|(_, broken)| broken).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { documents_put, identical_readbacks, refused, killed_node, unavailable_ms, .. } = self;
        let Self { acknowledged, acknowledged_while_dead, acknowledged_lost, audit_rows, .. } = self;
        let Self { plaintext_hits, plaintext_control_hits, planted, scanned_bytes, .. } = self;
        let Self { persons, mints, misregistrations_quarantined, misregistered_tickets, refusals, .. } = self;
        let turned_away: u64 = refusals.values().sum();
        writeln!(
            f,
            "check-in     {persons} persons, {mints} tickets; one member id for two: {misregistrations_quarantined} in quarantine, {turned_away} refusals, {misregistered_tickets} tickets"
        )?;
        writeln!(f, "documents    {documents_put} put, {identical_readbacks} read back byte for byte")?;
        if !refused.is_empty() {
            let total: u64 = refused.values().sum();
            writeln!(f, "refused      {total}, by {} codes (docs/REFUSALS.md)", refused.len())?;
        }
        writeln!(
            f,
            "leader       node {killed_node} killed while {CLIENTS} clients wrote and read; longest gap of a client {unavailable_ms} ms"
        )?;
        writeln!(
            f,
            "operations   {acknowledged} acknowledged, {acknowledged_while_dead} of them without that node; {acknowledged_lost} lost"
        )?;
        let missing = self.audit_rows_missing;
        writeln!(f, "audit        {audit_rows} rows; {missing} operations without theirs")?;
        let mib = scanned_bytes >> 20;
        writeln!(f, "plaintext    {plaintext_hits} hits of {planted} planted texts in {mib} MiB of files")?;
        writeln!(f, "             {plaintext_control_hits} by the same search where nothing is encrypted")?;
        self.broken().iter().try_for_each(|broken| writeln!(f, "NOT HELD     {broken}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean() -> Report {
        Report {
            persons: 3,
            mints: 4,
            misregistrations_quarantined: 2,
            misregistered_tickets: 0,
            refusals: BTreeMap::from([("patient_unknown".to_owned(), 4)]),
            documents_put: 2,
            identical_readbacks: 2,
            refused: BTreeMap::from([("document_malformed_json".to_owned(), 1)]),
            leader_killed: 1,
            killed_node: 2,
            unavailable_ms: UNAVAILABLE_MAX_MS,
            back_after_ms: 9_000,
            acknowledged: 2_500,
            acknowledged_while_dead: 2_000,
            acknowledged_lost: 0,
            audit_rows: 9,
            audit_rows_missing: 0,
            plaintext_hits: 0,
            plaintext_control_hits: 7,
            planted: 5,
            scanned_bytes: 1 << 20,
        }
    }

    #[test]
    fn each_promise_that_does_not_hold_is_told_and_decides_the_exit_code() {
        assert_eq!((clean().exit(), clean().to_string().contains("NOT HELD")), (Exit::Done, false));
        let broken: [fn(&mut Report); 10] = [
            |report| report.mints = 2,
            |report| report.misregistrations_quarantined = 1,
            |report| report.misregistered_tickets = 1,
            |report| report.identical_readbacks = 1,
            |report| (report.documents_put, report.identical_readbacks) = (0, 0),
            |report| report.unavailable_ms += 1,
            |report| report.acknowledged_lost = 1,
            |report| report.audit_rows_missing = 1,
            |report| report.plaintext_hits = 1,
            |report| report.plaintext_control_hits = 0,
        ];
        for (n, breaks) in broken.iter().enumerate() {
            let mut report = clean();
            breaks(&mut report);
            assert_eq!(report.exit(), Exit::Integrity, "{n}");
            assert_eq!(report.to_string().matches("NOT HELD").count(), 1, "{n}");
        }
    }
}
