//! The one frame around everything stored or replicated: a version byte, then a protobuf-encoded message.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

/// The version that this build writes.
const FORMAT: u8 = 1;

/// Bytes that are no message of a known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no message of a known version")]
pub struct Unreadable;

pub(crate) fn encode(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(FORMAT);
    message.encode(&mut bytes).expect("a BytesMut grows as needed");
    bytes.freeze()
}

pub(crate) fn decode<M: Message + Default>(bytes: &Bytes) -> Result<M, Unreadable> {
    match bytes.first() {
        Some(&FORMAT) => M::decode(bytes.slice(1..)).map_err(|_| Unreadable),
        _ => Err(Unreadable),
    }
}

pub(crate) fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
