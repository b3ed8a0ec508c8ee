//! How long the disk takes to make an append durable.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use crate::load::{Latencies, Quantiles};

/// Bytes of one append.
const APPEND_BYTES: usize = 4096;
/// Appends measured: enough for a p99.
const APPENDS: u32 = 2000;

/// Latency of an append of 4 KiB and fdatasync.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fsync {
    pub(crate) append_bytes: usize,
    pub(crate) appends: u32,
    #[serde(flatten)]
    pub(crate) quantiles: Quantiles,
}

/// Measures on the file system of `dir`, on the calling thread, and leaves nothing behind.
pub(crate) fn measure(dir: &Path) -> io::Result<Fsync> {
    let mut file: File = tempfile::tempfile_in(dir)?;
    let mut latencies = Latencies::default();
    for round in 0..APPENDS {
        let page = [u8::try_from(round % 251).expect("a remainder of 251 is below 256"); APPEND_BYTES];
        let began = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        latencies.record(began.elapsed());
    }
    Ok(Fsync { append_bytes: APPEND_BYTES, appends: APPENDS, quantiles: latencies.quantiles() })
}
