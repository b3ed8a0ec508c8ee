use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;

/// Where work is done that may wait for the disk.
#[derive(Clone, Default)]
pub enum Blocking {
    /// On the runtime's threads for it.
    #[default]
    Threads,
    /// Where it is awaited, after the time that this gives: for simulations, where one thread does everything and the
    /// order must not depend on the machine.
    InPlace(Arc<dyn Fn() -> Duration + Send + Sync>),
}

impl Blocking {
    /// Does the work and gives what it returns. On threads it goes on when the future is dropped.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, JoinError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        match self {
            Self::Threads => spawn_blocking(work).await,
            Self::InPlace(takes) => {
                sleep(takes()).await;
                Ok(work())
            }
        }
    }

    /// Does work that nobody waits for.
    pub(crate) fn detach<F>(&self, work: F)
    where
        F: FnOnce() + Send + 'static,
    {
        match self {
            Self::Threads => drop(spawn_blocking(work)),
            Self::InPlace(_) => work(),
        }
    }
}

impl fmt::Debug for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Threads => "Threads",
            Self::InPlace(_) => "InPlace",
        })
    }
}
