//! The report as aligned text.

use std::fmt::{self, Write as _};

use crate::cloud::CacheUse;
use crate::ratios::Ratio;
use crate::report::{Method, Report};
use crate::row::{CloudRun, Row};

/// Columns.
const COLUMNS: usize = 14;
const HEAD: [&str; COLUMNS] = [
    "system",
    "request",
    "clients",
    "conns",
    "TLS",
    "replication",
    "fsync",
    "consistency",
    "per s",
    "p50 ms",
    "p99 ms",
    "CPU us",
    "gen",
    "others",
];
/// Columns that are numbers, and so end at the right.
const RIGHT: [bool; COLUMNS] =
    [false, false, true, true, false, false, false, false, true, true, true, true, true, true];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, hardware, fsync, method, rows, ratios, floors, notes, invalid, format: _ } = self;
        writeln!(f, "{label} on this machine, servers and load tester together: {hardware}")?;
        let (p50, p99) = (fsync.quantiles.p50_us, fsync.quantiles.p99_us);
        writeln!(f, "fsync of a 4 KiB append: p50 {} us, p99 {} us", count(p50), count(p99))?;
        writeln!(f, "{method}")?;
        writeln!(f)?;
        f.write_str(&aligned(rows))?;
        writeln!(f)?;
        rows.iter()
            .filter(|row| row.runs.iter().any(|run| run.cloud.is_some()))
            .try_for_each(|row| cloud_line(f, row))?;
        ratio_lines(f, ratios)?;
        notes.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        for floor in floors {
            let verdict = if floor.held { "pass" } else { "FAIL" };
            let (request, measured) = (floor.operation.label(), floor.measured);
            writeln!(
                f,
                "{verdict}: renkei, {request}: {measured:.0} per s at {} clients; floor {:.0}",
                floor.clients, floor.least
            )?;
        }
        invalid.iter().try_for_each(|line| writeln!(f, "NOT VALID: {line}"))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, choice, seconds, repeats, patients, records_per_patient, groups, seed } = self;
        write!(
            f,
            "{load}; {seconds} s a row, repeats: {repeats}; {patients} patients with {records_per_patient} records of \
             1 KiB, chosen {choice}; {groups} groups; seed {seed}"
        )
    }
}

/// One line for each request and peer, with the ratio at every number of clients.
fn ratio_lines(f: &mut fmt::Formatter<'_>, ratios: &[Ratio]) -> fmt::Result {
    let pair = |ratio: &Ratio| (ratio.operation, ratio.peer, ratio.peer_tls);
    let mut told = Vec::new();
    for first in ratios {
        if told.contains(&pair(first)) {
            continue;
        }
        told.push(pair(first));
        let (request, peer, tls) = (first.operation.label(), first.peer, first.peer_tls);
        let at = ratios.iter().filter(|ratio| pair(ratio) == pair(first));
        let at: Vec<_> = at.map(|ratio| format!("{:.2} at {}", ratio.ratio, ratio.clients)).collect();
        writeln!(f, "renkei / {peer} (TLS {tls}), {request}: {} clients", at.join(", "))?;
    }
    Ok(())
}

fn cloud_line(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    for CloudRun { patients_touched, retries, read_back, cache } in row.runs.iter().filter_map(|run| run.cloud.as_ref())
    {
        write!(f, "renkei, {}, {} clients: {patients_touched} patients", row.operation.label(), row.clients)?;
        match cache {
            Some(CacheUse { capability_hits, capability_misses, disk_reads }) => write!(
                f,
                ", capability cache {capability_hits} hits {capability_misses} misses, {disk_reads} reads from disk"
            )?,
            None => f.write_str(", cache hits not reported")?,
        }
        write!(f, ", {retries} retries")?;
        if *read_back > 0 {
            write!(f, ", {read_back} acknowledged puts read back, 0 lost")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn cells(row: &Row) -> [String; COLUMNS] {
    let Row { system, operation, clients, .. } = row;
    let quantiles = row.quantiles();
    let (generator, others) = row.cores_beside();
    [
        system.name.to_owned(),
        operation.label().to_owned(),
        clients.to_string(),
        system.connections_of(*clients).to_string(),
        system.tls.to_owned(),
        system.replication.to_owned(),
        system.fsync.to_owned(),
        system.consistency.to_owned(),
        format!("{:.0}", row.per_second()),
        millis(quantiles.p50_us),
        millis(quantiles.p99_us),
        row.server_cpu_us().map_or_else(|| "-".to_owned(), |micros| format!("{micros:.0}")),
        format!("{generator:.2}"),
        format!("{others:.2}"),
    ]
}

fn aligned(rows: &[Row]) -> String {
    let lines: Vec<[String; COLUMNS]> =
        std::iter::once(HEAD.map(str::to_owned)).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].len()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        let padded: Vec<_> = line
            .iter()
            .zip(widths)
            .zip(RIGHT)
            .map(|((cell, width), right)| if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") })
            .collect();
        writeln!(text, "{}", padded.join("  ").trim_end()).expect("a String takes all text");
    }
    text
}

fn count(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn millis(micros: Option<u64>) -> String {
    micros.map_or_else(|| "-".to_owned(), |micros| format!("{:.2}", micros as f64 / 1e3))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::{Latencies, Tally};
    use crate::operation::Operation;
    use crate::row::System;

    #[test]
    fn columns_line_up_and_thin_tails_are_left_out() {
        let mut row = Row::new(System::CLOUD, Operation::Timeline, 256);
        let mut latencies = Latencies::default();
        (0..999).for_each(|_| latencies.record(Duration::from_micros(1500)));
        let tally = Tally {
            elapsed: Duration::from_secs(1),
            completed: 999,
            failed: 0,
            first_failure: None,
            cpu: Duration::from_millis(999),
            own_cpu: Duration::from_millis(250),
            other_cpu: Duration::from_millis(500),
            latencies,
        };
        row.add(tally, None);
        let text = aligned(&[row, Row::new(System::ECHO_PLAIN, Operation::Read, 1)]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        let end_of_rate = lines[0].find("per s").unwrap() + "per s".len();
        assert!(lines[1][..end_of_rate].ends_with(" 999"), "{text}");
        let cells: Vec<_> = lines[1][end_of_rate..].split_whitespace().collect();
        assert_eq!(cells, ["1.50", "-", "1000", "0.25", "0.50"]);
    }
}
