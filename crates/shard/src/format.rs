//! The one frame around everything stored or replicated: a version byte, then a protobuf-encoded message.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

/// The version that this build writes, of everything that has no version of its own.
pub(crate) const FORMAT: u8 = 1;

/// Bytes that are no message of a known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

pub(crate) fn encode(message: &impl Message) -> Bytes {
    encode_as(FORMAT, message)
}

/// Writes a message in a version of its own.
pub(crate) fn encode_as(version: u8, message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(version);
    message.encode(&mut bytes).expect("a BytesMut grows as needed");
    bytes.freeze()
}

pub(crate) fn decode<M: Message + Default>(bytes: &Bytes) -> Result<M, Unreadable> {
    match decode_any(bytes)? {
        (FORMAT, message) => Ok(message),
        _ => Err(Unreadable),
    }
}

/// Reads a message whose versions its owner tells apart.
pub(crate) fn decode_any<M: Message + Default>(bytes: &Bytes) -> Result<(u8, M), Unreadable> {
    let version = *bytes.first().ok_or(Unreadable)?;
    Ok((version, M::decode(bytes.slice(1..)).map_err(|_| Unreadable)?))
}

pub(crate) fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
