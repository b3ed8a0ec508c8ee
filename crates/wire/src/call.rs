//! What names a request on a stream.

/// A request under way on one stream: chosen by the side that asks, unique among those not yet answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);
