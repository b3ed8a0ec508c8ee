//! What a client saw of one operation.

/// One operation, from its call to its answer. Times are nanoseconds of one monotonic clock that all clients share.
///
/// An operation that was tried again under one idempotency key is one operation, from its first call to its last answer.
/// One that certainly took no effect, because it was refused before anything was proposed, belongs into no history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation<O, A> {
    /// What was asked.
    pub asked: O,
    /// When.
    pub called: u64,
    /// What was answered, and when; `None` where nobody knows: it may have taken effect at any time since, or never.
    pub answered: Option<(A, u64)>,
}
