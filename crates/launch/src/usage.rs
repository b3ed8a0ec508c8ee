//! What a process has used: for figures per operation.

use std::time::Duration;

use procfs::ProcError;
use procfs::process::Process;
use rustix::process::Pid;

/// CPU time and memory of one process, all its threads, up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time in its own code, in the kernel's ticks of 10 ms.
    pub user: Duration,
    /// Time in the kernel.
    pub system: Duration,
    /// Largest resident set so far, in bytes.
    pub rss_peak: u64,
}

/// Reading `/proc` of a process.
#[derive(Debug, thiserror::Error)]
#[error("reading what process {pid} has used")]
pub struct UsageError {
    pid: i32,
    #[source]
    source: ProcError,
}

impl Usage {
    /// What a process that runs has used so far, whoever started it.
    ///
    /// Source: `utime` and `stime` of proc_pid_stat(5), `VmHWM` of proc_pid_status(5).
    pub fn of(pid: Pid) -> Result<Self, UsageError> {
        let pid = pid.as_raw_nonzero().get();
        read(pid).map_err(|source| UsageError { pid, source })
    }

    /// User and system time together.
    pub fn cpu(&self) -> Duration {
        self.user + self.system
    }

    /// CPU time since an earlier reading of the same process; the peak stays a peak.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            rss_peak: self.rss_peak,
        }
    }
}

fn read(pid: i32) -> Result<Usage, ProcError> {
    let process = Process::new(pid)?;
    let stat = process.stat()?;
    let status = process.status()?;
    let per_second = procfs::ticks_per_second();
    let time = |ticks: u64| {
        Duration::from_secs(ticks / per_second) + Duration::from_nanos(ticks % per_second * 1_000_000_000 / per_second)
    };
    Ok(Usage { user: time(stat.utime), system: time(stat.stime), rss_peak: status.vmhwm.unwrap_or(0) * 1024 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_shows_as_cpu_time() {
        let pid = rustix::process::getpid();
        let before = Usage::of(pid).unwrap();
        let mut used = Usage::default();
        let mut sum = 0_u64;
        // Bounded by rounds, not by a clock: 2^32 additions take seconds of CPU time on any machine.
        for round in 0..(1_u64 << 32) {
            sum = std::hint::black_box(sum.wrapping_add(round));
            if round % (1 << 22) == 0 {
                used = Usage::of(pid).unwrap().since(&before);
                if used.cpu() >= Duration::from_millis(100) {
                    break;
                }
            }
        }
        assert!(used.cpu() >= Duration::from_millis(100), "{used:?}");
        assert!(used.rss_peak > 1 << 20, "{used:?}");
    }
}
