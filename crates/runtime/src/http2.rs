//! HTTP/2 settings of both ends, with their reasons.

use std::time::Duration;

/// Idle time after which a connection is pinged; a peer that vanished without a FIN is noticed within this plus
/// [`KEEPALIVE_TIMEOUT`], which is well below the TCP time-out of minutes.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Time that a ping may take before the connection is closed.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest header list that is read, in bytes. Ours hold a path, a deadline and a trace id.
pub const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;

/// Flow control and frame size of the connections of one listener or one channel.
///
/// A window bounds what a peer can make us buffer; adaptive windows are off, because they grow by the peer's behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2 {
    /// Bytes in flight on one stream.
    pub stream_window: u32,
    /// Bytes in flight on one connection.
    pub connection_window: u32,
    /// Largest frame that is read, in bytes.
    pub max_frame: u32,
    /// Streams that a client may have open on one connection.
    pub max_streams: u32,
}

impl Http2 {
    /// For calls: a stream may hold four pieces of 256 KiB, a connection four such streams. 64 KiB frames cost one
    /// header for every four of the default size.
    pub const CALLS: Self =
        Self { stream_window: 1 << 20, connection_window: 4 << 20, max_frame: 64 << 10, max_streams: 1024 };

    /// For the lanes between nodes: few long-lived streams, which carry log entries and snapshots in 256 KiB pieces.
    /// 8 MiB cover 1 Gbit/s at 60 ms; a piece fits one frame.
    pub const LANES: Self =
        Self { stream_window: 8 << 20, connection_window: 16 << 20, max_frame: 512 << 10, max_streams: 64 };
}
