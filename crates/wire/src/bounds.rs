//! Ranges that fields must lie in, and the two ways out of one.

use bytes::Bytes;
use renkei_ids::MonthBucket;

use crate::Refusal;

/// A number outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not within {min} to {max}")]
pub struct OutOfRange {
    /// What was given.
    pub value: u64,
    /// Smallest value taken.
    pub min: u64,
    /// Largest value taken.
    pub max: u64,
}

/// A byte string or list of a size that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSize {
    /// It is missing: protobuf does not tell an absent one from an empty one.
    #[error("is missing or empty")]
    Empty,
    /// It is over its limit.
    #[error("holds {actual}, over the limit of {limit}")]
    TooLong {
        /// Most that is taken.
        limit: usize,
        /// What was given.
        actual: usize,
    },
}

impl InvalidSize {
    pub(crate) fn refusal(&self, field: &'static str) -> Refusal {
        match self {
            Self::Empty => Refusal::invalid(field),
            Self::TooLong { .. } => Refusal::too_large(field),
        }
    }
}

pub(crate) fn u32_within(value: u32, min: u32, max: u32) -> Result<u32, OutOfRange> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(out_of_range(value, min, max)) }
}

pub(crate) fn u16_within(value: u32, min: u16, max: u16) -> Result<u16, OutOfRange> {
    u16::try_from(value)
        .ok()
        .filter(|value| (min..=max).contains(value))
        .ok_or_else(|| out_of_range(value, u32::from(min), u32::from(max)))
}

fn out_of_range(value: u32, min: u32, max: u32) -> OutOfRange {
    OutOfRange { value: u64::from(value), min: u64::from(min), max: u64::from(max) }
}

pub(crate) fn at_most(actual: usize, limit: usize) -> Result<(), InvalidSize> {
    if actual > limit { Err(InvalidSize::TooLong { limit, actual }) } else { Ok(()) }
}

pub(crate) fn filled(bytes: Bytes, limit: usize) -> Result<Bytes, InvalidSize> {
    if bytes.is_empty() {
        return Err(InvalidSize::Empty);
    }
    at_most(bytes.len(), limit).map(|()| bytes)
}

// The raw number is a fact about a patient's record, so no error repeats it.
pub(crate) fn month(raw: u32) -> Option<MonthBucket> {
    u16::try_from(raw).ok().map(MonthBucket::from_raw)
}
