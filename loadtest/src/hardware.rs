//! What the figures were measured on.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use procfs::{Current as _, CurrentSI as _};
use serde::Serialize;

/// The machine, as far as it bears on the figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Hardware {
    pub(crate) cores: usize,
    pub(crate) model: String,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    /// Type of the data directory's file system.
    pub(crate) file_system: String,
    /// Runnable tasks of the last minute before the run: what else the machine had to do.
    pub(crate) load_before: f32,
}

impl Hardware {
    /// Reads `/proc`.
    pub(crate) fn of(data: &Path) -> anyhow::Result<Self> {
        let cpu = procfs::CpuInfo::current().context("reading /proc/cpuinfo")?;
        let memory = procfs::Meminfo::current().context("reading /proc/meminfo")?;
        let load = procfs::LoadAverage::current().context("reading /proc/loadavg")?;
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").context("reading the kernel's release")?;
        Ok(Self {
            cores: cpu.num_cores(),
            model: cpu.model_name(0).unwrap_or("unknown model").to_owned(),
            memory_mib: memory.mem_total >> 20,
            kernel: kernel.trim().to_owned(),
            file_system: file_system(data)?,
            load_before: load.one,
        })
    }

    /// Whether the data directory lies in memory, where fsync means nothing.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.file_system.as_str(), "tmpfs" | "ramfs")
    }
}

/// CPU time of every process of the machine since it started: user, nice and system of proc_stat(5). Interrupts, which
/// serve everyone, are not in it.
pub(crate) fn cpu_of_all() -> anyhow::Result<Duration> {
    let total = procfs::KernelStats::current().context("reading /proc/stat")?.total;
    Ok(Duration::from_millis(total.user_ms() + total.nice_ms() + total.system_ms()))
}

fn file_system(data: &Path) -> anyhow::Result<String> {
    let data = data.canonicalize().context("finding the data directory")?;
    let mounts = procfs::process::Process::myself()
        .and_then(|process| process.mountinfo())
        .context("reading the table of mounts")?;
    // Of two mounts on one place the later one is seen.
    let mount = mounts
        .0
        .into_iter()
        .filter(|mount| data.starts_with(&mount.mount_point))
        .max_by_key(|mount| mount.mount_point.components().count());
    Ok(mount.map_or_else(|| "unknown".to_owned(), |mount| mount.fs_type))
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, model, memory_mib, kernel, file_system, load_before } = self;
        write!(
            f,
            "{cores} cores, {model}, {memory_mib} MiB, Linux {kernel}, data on {file_system}, load before the run {load_before:.2}"
        )
    }
}
