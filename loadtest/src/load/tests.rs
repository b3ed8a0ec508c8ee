use super::*;

/// A server that takes one request at a time, each for the same time.
struct OneAtATime {
    takes: Duration,
    free: tokio::sync::Mutex<()>,
}

impl Workload for OneAtATime {
    const SYSTEM: &'static str = "one at a time";

    async fn once(&self, _client: usize, _random: &mut SmallRng) -> Result<(), OperationError> {
        let _held = self.free.lock().await;
        tokio::time::sleep(self.takes).await;
        Ok(())
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(Duration::ZERO)
    }
}

struct Failing(fn() -> OperationError);

impl Workload for Failing {
    const SYSTEM: &'static str = "failing";

    async fn once(&self, _client: usize, _random: &mut SmallRng) -> Result<(), OperationError> {
        Err((self.0)())
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(Duration::ZERO)
    }
}

const WINDOW: Window = Window { warm_up: Duration::from_millis(100), measured: Duration::from_millis(500) };

fn run<W: Workload>(workload: &W, clients: u32) -> Result<Tally, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(closed_loop(workload, clients, WINDOW, Seed::from_bytes([1; 16]), 0))
}

#[test]
fn a_closed_loop_obeys_littles_law() {
    let workload = OneAtATime { takes: Duration::from_millis(5), free: tokio::sync::Mutex::default() };
    let tally = run(&workload, 10).unwrap();
    // At most one request in 5 ms; a slow machine only makes fewer.
    assert!((1..=101).contains(&tally.completed), "{}", tally.completed);
    // In flight = rate x latency: ten clients are in flight all the time.
    let rate = tally.completed as f64 / tally.elapsed.as_secs_f64();
    let median = tally.latencies.quantiles().p50_us.expect("20 samples in half a second") as f64 / 1e6;
    let in_flight = rate * median;
    assert!((7.0..13.0).contains(&in_flight), "{in_flight} in flight");
}

#[test]
fn failures_are_counted_apart_from_latencies() {
    let tally = run(&Failing(|| OperationError::TimedOut(Duration::from_secs(1))), 2).unwrap();
    assert_eq!(tally.completed, 0);
    assert!(tally.failed > 0);
    assert!(tally.first_failure.is_some());
}

#[test]
fn a_wrong_answer_ends_the_run_at_once() {
    let failure = run(&Failing(|| OperationError::Violation(Violation::Lost)), 2).unwrap_err();
    assert!(matches!(failure, Failure::Integrity { system: "failing", source: Violation::Lost }));
    assert_eq!(failure.exit().code(), 5);
}

#[test]
fn a_tail_is_given_only_where_the_samples_carry_it() {
    let mut latencies = Latencies::default();
    for micros in 1..P99_MIN_SAMPLES {
        latencies.record(Duration::from_micros(micros));
    }
    assert_eq!(latencies.quantiles().p99_us, None);
    assert!(latencies.quantiles().p50_us.is_some());
    latencies.record(Duration::from_micros(1));
    assert!(latencies.quantiles().p99_us.is_some());
    assert_eq!(Latencies::default().quantiles(), Quantiles { p50_us: None, p99_us: None });
}

#[test]
fn merged_quantiles_are_those_of_all_samples() {
    let (mut fast, mut slow) = (Latencies::default(), Latencies::default());
    for _ in 0..1000 {
        fast.record(Duration::from_micros(10));
    }
    for _ in 0..500 {
        slow.record(Duration::from_micros(900));
    }
    fast.merge(&slow);
    // Averaging the two medians would give 455.
    assert_eq!(fast.quantiles(), Quantiles { p50_us: Some(10), p99_us: Some(900) });
}
