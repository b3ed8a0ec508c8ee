//! Supervised tasks: the only place of the system that spawns.

use std::error::Error;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics::TaskMetrics;
use crate::{Chain, Exit};

/// First pause before a restarting task is started again; doubles with each failure in a row.
const RESTART_FIRST: Duration = Duration::from_millis(100);
/// Longest pause between two starts.
const RESTART_LONGEST: Duration = Duration::from_secs(10);
/// A run this long makes the next failure count as the first one.
const RESTART_HEALTHY: Duration = Duration::from_secs(60);
/// Time that tasks cancelled last have to drop what they hold.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// What a task is called and what its end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskKind {
    /// Name in logs and metrics. A constant: it must not be made from anything of a patient.
    pub name: &'static str,
    /// What an error, or a panic, of the task means.
    pub on_error: OnError,
    /// What shutdown means for the task.
    pub on_shutdown: OnShutdown,
}

/// What an error or a panic of a task means for the process. Tasks that start again are [`Tasks::spawn_restarting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// The process shuts down and its exit code says so.
    StopProcess,
    /// It is logged and counted.
    Log,
}

/// What shutdown means for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnShutdown {
    /// It is dropped at its next await when shutdown begins.
    Cancel,
    /// It watches [`Tasks::stopping`], finishes what it holds and is waited for until the grace period ends.
    Drain,
    /// It serves the tasks that drain, so it runs on until they and the service are done, and is then dropped.
    CancelLast,
}

/// Spawns a task for a library that may not know tokio: name and future. A panic of it stops the process; it is
/// cancelled last, after its owner has shut it down.
pub type Spawner = Arc<dyn Fn(&'static str, BoxFuture<'static, ()>) + Send + Sync>;

/// The supervisor. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Tasks {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    stopping: CancellationToken,
    last: CancellationToken,
    tracked: TaskTracker,
    tracked_last: TaskTracker,
    first_fatal: OnceLock<(&'static str, Exit)>,
    stopped_at: OnceLock<Instant>,
    metrics: TaskMetrics,
}

type Boxed = Box<dyn Error + Send + Sync>;

enum End {
    Done,
    Cancelled,
    Failed(Boxed),
    Panicked,
}

impl Tasks {
    pub(crate) fn new(metrics: TaskMetrics) -> Self {
        Self {
            inner: Arc::new(Inner {
                stopping: CancellationToken::new(),
                last: CancellationToken::new(),
                tracked: TaskTracker::new(),
                tracked_last: TaskTracker::new(),
                first_fatal: OnceLock::new(),
                stopped_at: OnceLock::new(),
                metrics,
            }),
        }
    }

    /// Runs a future as a task of this kind. Call it inside the runtime (anywhere below [`crate::run`]).
    pub fn spawn<F, E>(&self, kind: TaskKind, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Boxed> + 'static,
    {
        let this = self.clone();
        let token = self.cancelled_by(kind.on_shutdown);
        self.track(kind.on_shutdown, async move {
            let end = run_to_end(token, future).await;
            this.settle(kind, end);
        });
    }

    /// Runs `make()` and starts it again, after a growing pause, when it fails or panics. Its `Ok` ends it.
    pub fn spawn_restarting<M, F, E>(&self, name: &'static str, on_shutdown: OnShutdown, mut make: M)
    where
        M: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Boxed> + 'static,
    {
        let this = self.clone();
        let kind = TaskKind { name, on_error: OnError::Log, on_shutdown };
        self.track(on_shutdown, async move {
            let mut pause = RESTART_FIRST;
            loop {
                let began = Instant::now();
                let end = run_to_end(this.cancelled_by(on_shutdown), make()).await;
                let again = matches!(end, End::Failed(_) | End::Panicked);
                this.settle(kind, end);
                if !again || this.inner.stopping.is_cancelled() {
                    return;
                }
                if began.elapsed() >= RESTART_HEALTHY {
                    pause = RESTART_FIRST;
                }
                tokio::select! {
                    () = this.inner.stopping.cancelled() => return,
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(RESTART_LONGEST),
                }
            }
        });
    }

    /// The spawner for libraries that take one as an argument.
    pub fn spawner(&self) -> Spawner {
        let this = self.clone();
        Arc::new(move |name, future| {
            let kind = TaskKind { name, on_error: OnError::StopProcess, on_shutdown: OnShutdown::CancelLast };
            this.spawn(kind, future.map(Ok::<(), Boxed>));
        })
    }

    /// Cancelled when shutdown begins. Cancelling the returned token stops nothing else.
    pub fn stopping(&self) -> CancellationToken {
        self.inner.stopping.child_token()
    }

    /// Begins a graceful shutdown: signals do it, and the service may.
    pub fn stop(&self) {
        let _first = self.inner.stopped_at.set(Instant::now());
        self.inner.stopping.cancel();
    }

    /// How the process ends because of the first fatal task, and that task's name.
    pub fn first_fatal(&self) -> Option<(&'static str, Exit)> {
        self.inner.first_fatal.get().copied()
    }

    /// Waits until shutdown has begun and then until the grace period, counted from its beginning, is over.
    pub(crate) async fn grace_over(&self, grace: Duration) {
        self.inner.stopping.cancelled().await;
        let began = *self.inner.stopped_at.get_or_init(Instant::now);
        tokio::time::sleep_until(began + grace).await;
    }

    /// Stops, and waits for what drains; then drops what is cancelled last.
    pub(crate) async fn drain(&self, grace: Duration) -> Exit {
        self.stop();
        self.inner.tracked.close();
        let drained = tokio::select! {
            biased;
            () = self.inner.tracked.wait() => true,
            () = self.grace_over(grace) => false,
        };
        self.inner.last.cancel();
        self.inner.tracked_last.close();
        let dropped = tokio::time::timeout(LAST_GRACE, self.inner.tracked_last.wait()).await.is_ok();
        let left = self.inner.tracked.len() + self.inner.tracked_last.len();
        match self.first_fatal() {
            Some((_, exit)) => exit,
            None if drained && dropped => Exit::Clean,
            None => {
                tracing::warn!(left, "grace period over, tasks dropped");
                Exit::GraceExpired
            }
        }
    }

    /// Applies a kind's policy to the end of the service's own future.
    pub(crate) fn settle_main<E: Into<Boxed>>(&self, outcome: std::thread::Result<Result<(), E>>) {
        let kind = TaskKind { name: "main", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Drain };
        self.settle(kind, end_of(outcome));
    }

    fn settle(&self, kind: TaskKind, end: End) {
        let TaskKind { name, on_error, .. } = kind;
        let exit = match end {
            End::Done | End::Cancelled => return,
            End::Failed(error) => {
                tracing::error!(task = name, error = %Chain(&*error), policy = ?on_error, "task failed");
                Exit::Failed
            }
            End::Panicked => {
                tracing::error!(task = name, policy = ?on_error, "task panicked");
                Exit::Panicked
            }
        };
        self.inner.metrics.failed(name);
        if on_error == OnError::StopProcess {
            let _first = self.inner.first_fatal.set((name, exit));
            self.stop();
        }
    }

    fn cancelled_by(&self, on_shutdown: OnShutdown) -> Option<CancellationToken> {
        match on_shutdown {
            OnShutdown::Cancel => Some(self.inner.stopping.clone()),
            OnShutdown::Drain => None,
            OnShutdown::CancelLast => Some(self.inner.last.clone()),
        }
    }

    fn track(&self, on_shutdown: OnShutdown, future: impl Future<Output = ()> + Send + 'static) {
        let tracker = match on_shutdown {
            OnShutdown::Cancel | OnShutdown::Drain => &self.inner.tracked,
            OnShutdown::CancelLast => &self.inner.tracked_last,
        };
        tracker.spawn(future);
    }
}

/// Ends the process at once, without unwinding or a core file: state on disk can no longer be trusted to follow.
///
/// `attempt` names what failed; it is a constant so that nothing of a patient can be in it.
pub fn abort(attempt: &'static str) -> ! {
    tracing::error!(attempt, "aborting");
    std::process::abort()
}

async fn run_to_end<F, E>(token: Option<CancellationToken>, future: F) -> End
where
    F: Future<Output = Result<(), E>>,
    E: Into<Boxed>,
{
    let guarded = AssertUnwindSafe(future).catch_unwind();
    match token {
        None => end_of(guarded.await),
        Some(token) => tokio::select! {
            biased;
            () = token.cancelled() => End::Cancelled,
            outcome = guarded => end_of(outcome),
        },
    }
}

fn end_of<E: Into<Boxed>>(outcome: std::thread::Result<Result<(), E>>) -> End {
    match outcome {
        Ok(Ok(())) => End::Done,
        Ok(Err(error)) => End::Failed(error.into()),
        Err(_) => End::Panicked,
    }
}

#[cfg(test)]
mod tests;
