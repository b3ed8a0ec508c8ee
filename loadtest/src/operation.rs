//! What every system is asked to do, and the sizes that all of them share.

use serde::Serialize;

/// Bytes of one value: a record's summary, an etcd value, an echoed answer.
pub(crate) const VALUE_BYTES: usize = 1024;
/// Values of one timeline.
pub(crate) const TIMELINE_VALUES: usize = 20;
/// Bytes of a write's acknowledgement by the echo: about what a node answers, a version and a row's place.
pub(crate) const ACK_BYTES: usize = 40;
/// Bytes that name what is read, in a request to the echo.
pub(crate) const NAME_BYTES: usize = 16;

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    Write,
    Read,
    Timeline,
}

impl Operation {
    pub(crate) const ALL: [Self; 3] = [Self::Write, Self::Read, Self::Timeline];

    /// What it is called in the table, with its payload.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Write => "write 1 KiB",
            Self::Read => "read 1 KiB",
            Self::Timeline => "read 20 x 1 KiB",
        }
    }
}
