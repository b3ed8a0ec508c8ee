//! Everything that a run found out, for people and for programs.

use serde::Serialize;

use crate::failure::Exit;
use crate::fsync::Fsync;
use crate::hardware::Hardware;
use crate::ratios::{Floor, Ratio, floors, ratios};
use crate::row::Row;

/// Version of the JSON's shape.
const FORMAT: u32 = 1;
/// Cores that others may use before a row is called disturbed.
const DISTURBED_CORES: f64 = 0.2;

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) format: u32,
    /// Where the figures come from: nothing here is simulated or extrapolated.
    pub(crate) label: &'static str,
    pub(crate) hardware: Hardware,
    pub(crate) fsync: Fsync,
    pub(crate) method: Method,
    pub(crate) rows: Vec<Row>,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) floors: Vec<Floor>,
    /// What was not measured and why, and what else a reader must know.
    pub(crate) notes: Vec<String>,
    /// Why the figures are not to be used; empty where they are.
    pub(crate) invalid: Vec<String>,
}

/// How it was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Method {
    pub(crate) load: &'static str,
    pub(crate) choice: &'static str,
    pub(crate) seconds: u64,
    pub(crate) repeats: u32,
    pub(crate) patients: u32,
    pub(crate) records_per_patient: usize,
    pub(crate) groups: u32,
    pub(crate) seed: String,
}

impl Report {
    pub(crate) fn new(
        hardware: Hardware,
        fsync: Fsync,
        method: Method,
        rows: Vec<Row>,
        mut notes: Vec<String>,
    ) -> Self {
        let mut invalid: Vec<_> = rows.iter().filter_map(Row::invalid).collect();
        if hardware.is_memory() {
            invalid.push(format!("the data directory lies on {}, where fsync does nothing", hardware.file_system));
        }
        let disturbed = rows.iter().filter(|row| row.cores_beside().1 > DISTURBED_CORES).count();
        if disturbed > 0 {
            notes.push(format!(
                "DISTURBED: in {disturbed} of {} rows other processes kept more than {DISTURBED_CORES} cores busy (column others)",
                rows.len()
            ));
        }
        let (ratios, floors) = (ratios(&rows), floors(&rows));
        Self { format: FORMAT, label: "measured", hardware, fsync, method, rows, ratios, floors, notes, invalid }
    }

    /// What the run comes to.
    pub(crate) fn exit(&self) -> Exit {
        if !self.invalid.is_empty() {
            return Exit::NotValid;
        }
        if self.floors.iter().all(|floor| floor.held) { Exit::Pass } else { Exit::ObjectiveFailed }
    }
}
