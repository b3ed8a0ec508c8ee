//! The caller's deadline, carried to everything that is done for the call.

use std::time::Duration;

use renkei_wire::limits::{DEADLINE_MAX, DEADLINE_MIN};
use renkei_wire::{ErrorCode, Refusal};
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// For a call that names none.
const DEFAULT: Duration = Duration::from_secs(20);
const HEADER: &str = "grpc-timeout";

/// The moment after which nobody waits for the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// That of a call: its `grpc-timeout`, at most [`DEADLINE_MAX`], else 20 s.
    pub(crate) fn of(metadata: &MetadataMap) -> Self {
        let asked = metadata.get(HEADER).and_then(|value| value.to_str().ok()).and_then(parse);
        Self::after(asked.unwrap_or(DEFAULT).min(DEADLINE_MAX))
    }

    pub(crate) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// What is left.
    ///
    /// # Errors
    /// `deadline_exceeded` with less than [`DEADLINE_MIN`] left.
    pub(crate) fn left(self) -> Result<Duration, Refusal> {
        let left = self.0.saturating_duration_since(Instant::now());
        if left < DEADLINE_MIN { Err(Refusal::new(ErrorCode::DeadlineExceeded)) } else { Ok(left.min(DEADLINE_MAX)) }
    }

    /// The later of two.
    pub(crate) fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }

    /// Waits for `work`, and refuses with `late` when the deadline passes first.
    pub(crate) async fn bound<T>(
        self,
        late: ErrorCode,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        tokio::time::timeout_at(self.0, work).await.unwrap_or_else(|_| Err(Refusal::new(late)))
    }

    /// Sleeps, unless that would pass the deadline: then `refusal` is what is left to say.
    pub(crate) async fn wait(self, time: Duration, refusal: Refusal) -> Result<(), Refusal> {
        if self.left().map_or(true, |left| left <= time) {
            return Err(refusal);
        }
        tokio::time::sleep(time).await;
        Ok(())
    }
}

/// `grpc-timeout`: up to eight digits and a unit.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 3_600)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_nothing_else() {
        let cases = [
            ("1H", Some(3_600_000)),
            ("2M", Some(120_000)),
            ("3S", Some(3_000)),
            ("4m", Some(4)),
            ("5000u", Some(5)),
            ("99999999m", Some(99_999_999)),
            ("999999999m", None),
            ("", None),
            ("m", None),
            ("5", None),
            ("-1S", None),
            ("1秒", None),
        ];
        for (text, millis) in cases {
            assert_eq!(parse(text), millis.map(Duration::from_millis), "{text}");
        }
    }

    #[tokio::test]
    async fn a_wait_past_the_deadline_is_refused_at_once() {
        let deadline = Deadline::after(Duration::from_millis(50));
        let busy = Refusal::new(ErrorCode::Busy);
        assert_eq!(deadline.wait(Duration::from_secs(5), busy.clone()).await, Err(busy));
        assert_eq!(deadline.wait(Duration::from_millis(1), Refusal::new(ErrorCode::Busy)).await, Ok(()));
    }
}
