use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::metrics::Metrics;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

#[derive(Debug, thiserror::Error)]
#[error("planned")]
struct Planned;

fn tasks() -> Tasks {
    Tasks::new(Metrics::register(&prometheus::Registry::new()).tasks)
}

fn kind(name: &'static str, on_error: OnError, on_shutdown: OnShutdown) -> TaskKind {
    TaskKind { name, on_error, on_shutdown }
}

/// Counts drops: tells whether a future was dropped, and when.
struct Dropped(Arc<AtomicU32>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn the_first_fatal_task_decides_the_exit() {
    let tasks = tasks();
    tasks.spawn(kind("first", OnError::StopProcess, OnShutdown::Drain), async { Err::<(), _>(Planned) });
    tasks.stopping().cancelled().await;
    tasks.spawn(kind("second", OnError::StopProcess, OnShutdown::Drain), async {
        if true {
            panic!("planned");
        }
        Ok::<(), Planned>(())
    });
    assert_eq!(tasks.drain(LONG).await, Exit::Failed);
    assert_eq!(tasks.first_fatal(), Some(("first", Exit::Failed)));
}

#[tokio::test]
async fn a_panic_follows_the_policy_of_its_task() {
    for (policy, exit) in [(OnError::Log, Exit::Clean), (OnError::StopProcess, Exit::Panicked)] {
        let tasks = tasks();
        tasks.spawn(kind("panics", policy, OnShutdown::Drain), async {
            if true {
                panic!("planned");
            }
            Ok::<(), Planned>(())
        });
        assert_eq!(tasks.drain(LONG).await, exit, "{policy:?}");
    }
}

#[tokio::test]
async fn a_logged_failure_is_counted_and_stops_nothing() {
    let registry = prometheus::Registry::new();
    let tasks = Tasks::new(Metrics::register(&registry).tasks);
    tasks.spawn(kind("flaky", OnError::Log, OnShutdown::Drain), async { Err::<(), _>(Planned) });
    tasks.inner.tracked.close();
    tasks.inner.tracked.wait().await;
    assert!(!tasks.stopping().is_cancelled());
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(text.contains(r#"renkei_task_failures_total{task="flaky"} 1"#), "{text}");
}

#[tokio::test]
async fn a_restarting_task_starts_again_until_it_succeeds() {
    let tasks = tasks();
    let starts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&starts);
    let (done, finished) = tokio::sync::oneshot::channel::<()>();
    let mut done = Some(done);
    tasks.spawn_restarting("restarts", OnShutdown::Cancel, move || {
        let start = counted.fetch_add(1, Ordering::SeqCst);
        let done = if start == 2 { done.take() } else { None };
        async move {
            match (start, done) {
                (0, _) => Err(Planned),
                (1, _) => panic!("planned"),
                (_, done) => {
                    drop(done);
                    Ok(())
                }
            }
        }
    });
    assert!(finished.await.is_err(), "the sender is dropped by the third start");
    assert_eq!(tasks.drain(LONG).await, Exit::Clean);
    assert_eq!(starts.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn shutdown_ends_the_pause_of_a_restarting_task() {
    let tasks = tasks();
    tasks.spawn_restarting("fails", OnShutdown::Drain, || async { Err::<(), _>(Planned) });
    tokio::time::sleep(SHORT / 2).await;
    let began = Instant::now();
    assert_eq!(tasks.drain(LONG).await, Exit::Clean);
    assert!(began.elapsed() < LONG / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn draining_tasks_finish_and_cancelled_ones_are_dropped_at_once() {
    let tasks = tasks();
    let (cancelled, finished) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let guard = Dropped(Arc::clone(&cancelled));
    tasks.spawn(kind("cancel", OnError::StopProcess, OnShutdown::Cancel), async move {
        let _guard = guard;
        std::future::pending::<Result<(), Planned>>().await
    });
    let (stopping, seen, done) = (tasks.stopping(), Arc::clone(&cancelled), Arc::clone(&finished));
    tasks.spawn(kind("drain", OnError::StopProcess, OnShutdown::Drain), async move {
        stopping.cancelled().await;
        tokio::time::sleep(SHORT).await;
        assert_eq!(seen.load(Ordering::SeqCst), 1, "the cancelled task is gone before the draining one");
        done.fetch_add(1, Ordering::SeqCst);
        Ok::<(), Planned>(())
    });
    assert_eq!(tasks.drain(LONG).await, Exit::Clean);
    assert_eq!(finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn spawned_for_a_library_outlives_the_drain_and_is_then_dropped() {
    let tasks = tasks();
    let dropped = Arc::new(AtomicU32::new(0));
    let guard = Dropped(Arc::clone(&dropped));
    let future: BoxFuture<'static, ()> = Box::pin(async move {
        let _guard = guard;
        std::future::pending::<()>().await;
    });
    tasks.spawner()("library", future);
    let (stopping, seen) = (tasks.stopping(), Arc::clone(&dropped));
    tasks.spawn(kind("drain", OnError::StopProcess, OnShutdown::Drain), async move {
        stopping.cancelled().await;
        tokio::time::sleep(SHORT).await;
        assert_eq!(seen.load(Ordering::SeqCst), 0, "what serves the draining task is still there");
        Ok::<(), Planned>(())
    });
    assert_eq!(tasks.drain(LONG).await, Exit::Clean);
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_grace_period_is_a_deadline() {
    let tasks = tasks();
    tasks.spawn(kind("deaf", OnError::StopProcess, OnShutdown::Drain), std::future::pending::<Result<(), Planned>>());
    let began = Instant::now();
    assert_eq!(tasks.drain(SHORT).await, Exit::GraceExpired);
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn the_grace_period_counts_from_the_first_request() {
    let tasks = tasks();
    tasks.stop();
    tokio::time::sleep(SHORT).await;
    tasks.stop();
    let began = Instant::now();
    tasks.grace_over(SHORT).await;
    assert!(began.elapsed() < SHORT, "{:?}", began.elapsed());
}

#[tokio::test]
async fn nobody_else_can_cancel_the_shutdown_token() {
    let tasks = tasks();
    tasks.stopping().cancel();
    assert!(!tasks.stopping().is_cancelled());
}
