//! Faults that a build for tests can be told to have: deaths and delays at named points, and named wrong behaviours.
//!
//! Invariant: without the feature `armed` every call here is empty and no name is in the binary.
//!
//! - [`reached`] stands where a process may die: add a line to [`Point`] and a call where the point is.
//! - [`mutated`] stands where a rule is kept that a test must be seen to defend: see [`Mutation`].
//! - `arm`, in a build with the feature, takes a plan of lines:
//!
//! ```text
//! crash log-synced 40        die when the point is reached for the 40th time from now on (1 when left out)
//! panic committed-saved      panic there, once; the number counts as for a crash
//! stall apply-commit 200     wait so many milliseconds each time
//! mutate sync-skipped        behave wrongly in this way
//! ```

#[cfg(feature = "armed")]
mod armed;
mod names;

use std::time::Duration;

#[cfg(feature = "armed")]
pub use armed::{InvalidPlan, MARKER, arm};
pub use names::{Mutation, Point};

/// A point was reached: the process dies here, or waits, when the plan says so. Blocks the thread while it waits.
#[inline(always)]
pub fn reached(point: Point) {
    #[cfg(feature = "armed")]
    armed::reached(point);
    #[cfg(not(feature = "armed"))]
    let _ = point;
}

/// How long an asynchronous task is to wait at a point; it does so itself. The process dies here when the plan says so.
#[inline(always)]
#[must_use]
pub fn delay(point: Point) -> Duration {
    #[cfg(feature = "armed")]
    return armed::delay(point);
    #[cfg(not(feature = "armed"))]
    {
        let _ = point;
        Duration::ZERO
    }
}

/// Whether a rule is to be broken.
#[inline(always)]
#[must_use]
pub fn mutated(mutation: Mutation) -> bool {
    #[cfg(feature = "armed")]
    return armed::mutated(mutation);
    #[cfg(not(feature = "armed"))]
    {
        let _ = mutation;
        false
    }
}
