//! The transport of a vault with one replica: there is nobody to reach.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use renkei_consensus::{Address, Lane, PeerTransport, TransportError};

/// Reaches nobody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alone;

impl PeerTransport for Alone {
    fn request(&self, _: Address, _: Lane, _: Bytes, _: Duration) -> BoxFuture<'static, Result<Bytes, TransportError>> {
        ready(Err(TransportError::Unreachable)).boxed()
    }
}
