//! Signals: TERM and INT stop gracefully, a second one ends at once, HUP reloads the certificates.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::Tasks;

/// The process's signals, taken over.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn take() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Acts on signals for as long as the process lives.
    pub(crate) async fn obey(mut self, tasks: Tasks, reload: Arc<Notify>) {
        loop {
            let number = tokio::select! {
                _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
                _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
                _ = self.hangup.recv() => {
                    reload.notify_one();
                    continue;
                }
            };
            if tasks.stopping().is_cancelled() {
                tracing::warn!(signal = number, "second signal, ending at once");
                #[allow(
                    clippy::disallowed_methods,
                    reason = "the operator asked not to wait; this crate owns exit codes"
                )]
                std::process::exit(128 + number);
            }
            tracing::info!(signal = number, "stopping");
            tasks.stop();
        }
    }
}
