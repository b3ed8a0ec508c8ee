//! Certificates change while the process lives.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::Tls;
use crate::metrics::TlsMetrics;
use crate::{Chain, TlsFiles};

/// How often the files are looked at. SIGHUP does it at once.
pub const RELOAD_POLL: Duration = Duration::from_secs(10);

/// What tells one state of the files from another, without reading them.
type Stamp = [Option<(u64, u64, i64, i64)>; 3];

/// Reloads when the files change, or `now` is notified, until dropped. A failed reload keeps what is in force, is
/// counted, is logged once for each state of the files, and is tried again: certificate and key are rarely replaced in
/// one step.
pub(crate) async fn watch(tls: Tls, poll: Duration, now: Arc<Notify>, metrics: TlsMetrics) {
    let files = &tls.inner.files;
    let mut in_force = stamp(files);
    let mut logged = None;
    metrics.in_force(&tls.identity());
    loop {
        let asked = tokio::select! {
            () = tokio::time::sleep(poll) => false,
            () = now.notified() => true,
        };
        let seen = stamp(files);
        if seen == in_force && !asked {
            continue;
        }
        match tls.reload() {
            Ok(()) => {
                in_force = seen;
                logged = None;
                metrics.reloaded(true);
                metrics.in_force(&tls.identity());
                tracing::info!(identity = %tls.identity(), "certificates reloaded");
            }
            Err(error) => {
                metrics.reloaded(false);
                if asked || logged != Some(seen) {
                    tracing::error!(error = %Chain(&error), "certificates not reloaded, the old ones stay in force");
                }
                logged = Some(seen);
            }
        }
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let TlsFiles { certificate, key, ca } = files;
    let one = |path: &Path| {
        let meta = fs::metadata(path).ok()?;
        Some((meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
    };
    [one(certificate), one(key), one(ca)]
}
