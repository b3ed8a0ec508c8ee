//! The cloud beside its peers, in the same run and at the same number of clients; and the floor it must hold.

use serde::Serialize;

use crate::operation::Operation;
use crate::row::{Row, System, median};

/// Least throughput of the node API at its best number of clients, per second.
const FLOORS: [(Operation, f64); 2] = [(Operation::Read, 5_000.0), (Operation::Write, 2_500.0)];

/// Throughput of the cloud divided by that of a peer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) operation: Operation,
    pub(crate) clients: u32,
    pub(crate) peer: &'static str,
    pub(crate) peer_tls: &'static str,
    /// Median over the repeats of the ratios within each.
    pub(crate) ratio: f64,
}

/// One floor and whether it was held.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Floor {
    pub(crate) operation: Operation,
    pub(crate) least: f64,
    /// Best median over the numbers of clients.
    pub(crate) measured: f64,
    pub(crate) clients: u32,
    pub(crate) held: bool,
}

/// Every ratio for which both sides were measured.
pub(crate) fn ratios(rows: &[Row]) -> Vec<Ratio> {
    let mut ratios = Vec::new();
    for ours in rows.iter().filter(|row| row.system == System::CLOUD) {
        for peer in [System::ECHO_MTLS, System::ETCD_MTLS, System::ETCD_PLAIN] {
            let same =
                |row: &&Row| row.system == peer && row.operation == ours.operation && row.clients == ours.clients;
            let Some(theirs) = rows.iter().find(same) else { continue };
            let pairs = ours.runs.iter().zip(&theirs.runs).filter(|(_, theirs)| theirs.per_second > 0.0);
            if let Some(ratio) = median(pairs.map(|(ours, theirs)| ours.per_second / theirs.per_second)) {
                let (operation, clients) = (ours.operation, ours.clients);
                ratios.push(Ratio { operation, clients, peer: peer.name, peer_tls: peer.tls, ratio });
            }
        }
    }
    ratios
}

/// The floors, where the cloud was measured.
pub(crate) fn floors(rows: &[Row]) -> Vec<Floor> {
    let judge = |(operation, least)| {
        let best = rows
            .iter()
            .filter(|row| row.system == System::CLOUD && row.operation == operation)
            .max_by(|a, b| a.per_second().total_cmp(&b.per_second()))?;
        let measured = best.per_second();
        Some(Floor { operation, least, measured, clients: best.clients, held: measured >= least })
    };
    FLOORS.into_iter().filter_map(judge).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::{Latencies, Tally};

    fn row(system: System, operation: Operation, clients: u32, runs: &[u64]) -> Row {
        let mut row = Row::new(system, operation, clients);
        for &completed in runs {
            let tally = Tally {
                elapsed: Duration::from_secs(1),
                completed,
                failed: 0,
                first_failure: None,
                cpu: Duration::ZERO,
                own_cpu: Duration::ZERO,
                other_cpu: Duration::ZERO,
                latencies: Latencies::default(),
            };
            row.add(tally, None);
        }
        row
    }

    #[test]
    fn ratios_are_taken_within_each_repeat() {
        let rows = [
            // The machine was twice as fast in the second repeat; the ratio is 0.5 in both.
            row(System::CLOUD, Operation::Read, 64, &[100, 200]),
            row(System::ECHO_MTLS, Operation::Read, 64, &[200, 400]),
            row(System::ECHO_MTLS, Operation::Read, 1, &[7, 7]),
            row(System::ECHO_PLAIN, Operation::Read, 64, &[1, 1]),
        ];
        let ratios = ratios(&rows);
        assert_eq!(ratios.len(), 1);
        assert!((ratios[0].ratio - 0.5).abs() < 1e-9);
    }

    #[test]
    fn the_floor_is_judged_at_the_best_number_of_clients() {
        let rows = [
            row(System::CLOUD, Operation::Read, 1, &[1_000]),
            row(System::CLOUD, Operation::Read, 64, &[5_000]),
            row(System::CLOUD, Operation::Write, 64, &[2_499]),
            row(System::ETCD_PLAIN, Operation::Write, 64, &[9_999]),
        ];
        let floors = floors(&rows);
        assert_eq!(
            floors.iter().map(|floor| (floor.clients, floor.held)).collect::<Vec<_>>(),
            [(64, true), (64, false)]
        );
        assert!(super::floors(&rows[3..]).is_empty());
    }
}
