//! What the nodes say of their caches, on their admin ports.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::Serialize;

const TIMEOUT: Duration = Duration::from_secs(2);
/// Longest answer that is read.
const ANSWER_MAX_BYTES: u64 = 4 << 20;
/// Capabilities whose signature had been checked before, signatures checked, and reads that memory could not answer.
const CAPABILITY_HITS: &str = "renkei_node_capability_hits_total";
const CAPABILITY_MISSES: &str = "renkei_node_capability_misses_total";
const DISK_READS: &str = "renkei_node_reads_from_disk_total";

/// What the nodes' caches saved them, and what they did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CacheUse {
    pub(crate) capability_hits: u64,
    pub(crate) capability_misses: u64,
    pub(crate) disk_reads: u64,
}

impl CacheUse {
    /// The sum over all nodes; `None` where one of them does not report it.
    pub(super) fn of(admins: &[SocketAddr]) -> io::Result<Option<Self>> {
        let mut sum = Self { capability_hits: 0, capability_misses: 0, disk_reads: 0 };
        for admin in admins {
            let Some(one) = Self::read(&get(*admin)?) else { return Ok(None) };
            sum.capability_hits += one.capability_hits;
            sum.capability_misses += one.capability_misses;
            sum.disk_reads += one.disk_reads;
        }
        Ok(Some(sum))
    }

    fn read(text: &str) -> Option<Self> {
        Some(Self {
            capability_hits: counter(text, CAPABILITY_HITS)?,
            capability_misses: counter(text, CAPABILITY_MISSES)?,
            disk_reads: counter(text, DISK_READS)?,
        })
    }

    /// What was counted since an earlier reading.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            capability_hits: self.capability_hits.saturating_sub(earlier.capability_hits),
            capability_misses: self.capability_misses.saturating_sub(earlier.capability_misses),
            disk_reads: self.disk_reads.saturating_sub(earlier.disk_reads),
        }
    }
}

/// Blocks for some milliseconds; it is called between rows only.
fn get(admin: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.take(ANSWER_MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// The sum of a counter over its labels, in the Prometheus text format.
fn counter(text: &str, name: &str) -> Option<u64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        // A longer name goes on here.
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.trim().parse::<u64>().ok()
    });
    values.reduce(|sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_summed_over_its_labels() {
        let text =
            "HTTP/1.1 200 OK\r\n\r\n# TYPE hits counter\nhits{group=\"1\"} 3\nhits{group=\"2\"} 4\nhits_more 9\n";
        assert_eq!(counter(text, "hits"), Some(7));
        assert_eq!(counter(text, "hits_more"), Some(9));
        assert_eq!(counter(text, "misses"), None);
    }
}
