//! One row of the table: one system, one kind of request, one number of clients, measured once or more.

use serde::Serialize;

use crate::cloud::CacheUse;
use crate::load::{Latencies, Quantiles, Tally};
use crate::operation::Operation;

/// Share of failed requests above which a row's figures are not to be used.
const FAILED_SHARE_MAX: f64 = 0.001;

/// A system, and what one must know to compare it with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct System {
    pub(crate) name: &'static str,
    pub(crate) replication: &'static str,
    pub(crate) fsync: &'static str,
    pub(crate) consistency: &'static str,
    pub(crate) tls: &'static str,
    pub(crate) connections: usize,
}

impl System {
    pub(crate) const ECHO_PLAIN: Self = Self {
        name: "echo",
        replication: "none",
        fsync: "no",
        consistency: "none",
        tls: "no",
        connections: crate::echo::CONNECTIONS,
    };
    pub(crate) const ECHO_MTLS: Self = Self { tls: "mTLS", ..Self::ECHO_PLAIN };
    pub(crate) const CLOUD: Self = Self {
        name: "renkei",
        replication: "3 replicas",
        fsync: "majority",
        consistency: "linearizable, audited",
        tls: "mTLS",
        connections: crate::cloud::NODES as usize,
    };
    pub(crate) const ETCD_PLAIN: Self = Self {
        name: "etcd",
        replication: "3 replicas",
        fsync: "majority",
        consistency: "linearizable",
        tls: "no",
        connections: crate::etcd::CONNECTIONS,
    };
    pub(crate) const ETCD_MTLS: Self = Self { tls: "mTLS", ..Self::ETCD_PLAIN };

    /// Connections that this many clients keep busy.
    pub(crate) fn connections_of(&self, clients: u32) -> usize {
        // The cloud's client has a connection to each node, however few requests there are.
        if *self == Self::CLOUD { self.connections } else { self.connections.min(clients as usize) }
    }
}

/// One row.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) system: System,
    pub(crate) operation: Operation,
    pub(crate) clients: u32,
    pub(crate) runs: Vec<Run>,
    #[serde(skip)]
    latencies: Latencies,
}

/// One measured window.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Run {
    pub(crate) seconds: f64,
    pub(crate) completed: u64,
    pub(crate) per_second: f64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    #[serde(flatten)]
    pub(crate) quantiles: Quantiles,
    /// CPU time of all server processes for each completed request, in microseconds.
    pub(crate) server_cpu_us: Option<f64>,
    /// Cores that the servers kept busy, and the load tester.
    pub(crate) server_cores: f64,
    pub(crate) generator_cores: f64,
    /// Cores that other processes of the machine kept busy meanwhile.
    pub(crate) other_cores: f64,
    /// Of the cloud's rows.
    pub(crate) cloud: Option<CloudRun>,
}

/// What is known of a window of the cloud besides.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CloudRun {
    pub(crate) patients_touched: usize,
    /// Requests that were sent again on a refusal's advice, warm-up included.
    pub(crate) retries: u64,
    /// Acknowledged puts that were read back, all of them as they were put.
    pub(crate) read_back: usize,
    /// `None` where the nodes do not report it.
    pub(crate) cache: Option<CacheUse>,
}

impl Row {
    pub(crate) fn new(system: System, operation: Operation, clients: u32) -> Self {
        Self { system, operation, clients, runs: Vec::new(), latencies: Latencies::default() }
    }

    /// Puts one window to the row.
    pub(crate) fn add(&mut self, tally: Tally, cloud: Option<CloudRun>) {
        let Tally { elapsed, completed, failed, first_failure, cpu, own_cpu, other_cpu, latencies } = tally;
        let seconds = elapsed.as_secs_f64();
        self.latencies.merge(&latencies);
        self.runs.push(Run {
            seconds,
            completed,
            per_second: completed as f64 / seconds,
            failed,
            first_failure,
            quantiles: latencies.quantiles(),
            server_cpu_us: (completed > 0).then(|| cpu.as_secs_f64() * 1e6 / completed as f64),
            server_cores: cpu.as_secs_f64() / seconds,
            generator_cores: own_cpu.as_secs_f64() / seconds,
            other_cores: other_cpu.as_secs_f64() / seconds,
            cloud,
        });
    }

    /// Median of the runs.
    pub(crate) fn per_second(&self) -> f64 {
        median(self.runs.iter().map(|run| run.per_second)).unwrap_or(0.0)
    }

    /// Median of the runs, in microseconds.
    pub(crate) fn server_cpu_us(&self) -> Option<f64> {
        median(self.runs.iter().filter_map(|run| run.server_cpu_us))
    }

    /// Of the samples of all runs together.
    pub(crate) fn quantiles(&self) -> Quantiles {
        self.latencies.quantiles()
    }

    /// Cores that the load tester, and that others, kept busy: medians of the runs.
    pub(crate) fn cores_beside(&self) -> (f64, f64) {
        let of = |cores: fn(&Run) -> f64| median(self.runs.iter().map(cores)).unwrap_or(0.0);
        (of(|run| run.generator_cores), of(|run| run.other_cores))
    }

    /// Why the row's figures are not to be used, if they are not.
    pub(crate) fn invalid(&self) -> Option<String> {
        let Self { system, operation, clients, runs, .. } = self;
        let row = format!("{} (TLS {}), {}, {clients} clients", system.name, system.tls, operation.label());
        runs.iter().find_map(|run| {
            let failed = run.failed as f64 > FAILED_SHARE_MAX * run.completed as f64;
            let first = run.first_failure.as_deref().unwrap_or("none was recorded");
            match (run.completed, failed) {
                (0, _) => Some(format!("{row}: nothing was completed; first failure: {first}")),
                (_, true) => Some(format!("{row}: {} of {} failed; first: {first}", run.failed, run.completed)),
                (_, false) => None,
            }
        })
    }
}

/// The middle value, or the mean of the two in the middle; `None` of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        len if len % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn tally(completed: u64, failed: u64) -> Tally {
        let mut latencies = Latencies::default();
        (0..completed).for_each(|_| latencies.record(Duration::from_micros(100)));
        Tally {
            elapsed: Duration::from_secs(2),
            completed,
            failed,
            first_failure: (failed > 0).then(|| "busy".to_owned()),
            cpu: Duration::from_millis(10),
            own_cpu: Duration::ZERO,
            other_cpu: Duration::ZERO,
            latencies,
        }
    }

    #[test]
    fn a_row_is_the_median_of_its_runs() {
        let mut row = Row::new(System::CLOUD, Operation::Read, 64);
        for completed in [10, 1000, 20] {
            row.add(tally(completed, 0), None);
        }
        assert!((row.per_second() - 10.0).abs() < 1e-9);
        assert!((row.server_cpu_us().unwrap() - 500.0).abs() < 1e-9);
        assert!(row.quantiles().p99_us.is_some(), "1,030 samples in all carry it, though no single run does");
        assert_eq!(row.invalid(), None);
    }

    #[test]
    fn a_row_with_failures_or_without_answers_is_not_used() {
        for (completed, failed, valid) in [(10_000, 10, true), (10_000, 11, false), (0, 0, false)] {
            let mut row = Row::new(System::ETCD_PLAIN, Operation::Write, 1);
            row.add(tally(completed, failed), None);
            assert_eq!(row.invalid().is_none(), valid, "{completed} {failed}");
        }
    }

    #[test]
    fn median_of_few() {
        assert_eq!(median([].into_iter()), None);
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
    }
}
