//! How bytes become messages: as protobuf does it, once it is known how many fields there are.
//!
//! A field of two bytes can become a message of some hundred, and a message of the largest size holds a million such
//! fields. So they are counted before memory is taken for them.

use prost::Message;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::{ProstCodec, ProstDecoder, ProstEncoder};

use crate::Refusal;
use crate::limits::FIELDS_MAX;

/// The codec of every call. Generated code names it.
#[derive(Clone, Debug)]
pub(crate) struct CountingCodec<T, U>(ProstCodec<T, U>);

/// Reads a message that has no more than [`FIELDS_MAX`] fields.
#[derive(Clone, Debug)]
pub(crate) struct CountingDecoder<U>(ProstDecoder<U>);

impl<T, U> Default for CountingCodec<T, U> {
    fn default() -> Self {
        Self(ProstCodec::default())
    }
}

impl<T, U> Codec for CountingCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = CountingDecoder<U>;

    fn encoder(&mut self) -> ProstEncoder<T> {
        self.0.encoder()
    }

    fn decoder(&mut self) -> CountingDecoder<U> {
        CountingDecoder(self.0.decoder())
    }
}

impl<U: Message + Default> Decoder for CountingDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        if !is_countable(bytes::Buf::chunk(message)) {
            return Err(Refusal::too_large("message").into());
        }
        self.0.decode(message)
    }

    fn buffer_settings(&self) -> BufferSettings {
        self.0.buffer_settings()
    }
}

/// Whether a message has at most [`FIELDS_MAX`] fields. One that is malformed is counted up to its fault, which decoding
/// finds as well.
pub fn is_countable(mut message: &[u8]) -> bool {
    for _ in 0..FIELDS_MAX {
        match skip_field(message) {
            Some(rest) => message = rest,
            None => return true,
        }
    }
    message.is_empty()
}

/// What follows the first field; `None` at the end, or where there is no field.
fn skip_field(message: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = varint(message)?;
    match tag & 7 {
        0 => varint(rest).map(|(_, rest)| rest),
        1 => rest.get(8..),
        2 => {
            let (len, rest) = varint(rest)?;
            rest.get(usize::try_from(len).ok()?..)
        }
        // What a group holds is counted beside it.
        3 | 4 => Some(rest),
        5 => rest.get(4..),
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * place).min(63);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pb::node::v1 as pb;

    fn frames(count: usize) -> Vec<u8> {
        pb::RequestFrames { frames: vec![pb::RequestFrame::default(); count] }.encode_to_vec()
    }

    #[test]
    fn fields_are_counted_to_their_edge() {
        assert!(is_countable(&frames(FIELDS_MAX)));
        assert!(!is_countable(&frames(FIELDS_MAX + 1)));
        assert!(is_countable(b""));
    }

    #[test]
    fn a_group_of_nothing_hides_no_fields() {
        let hidden = [&[0x3B, 0x3C][..], &frames(FIELDS_MAX)].concat();
        assert!(!is_countable(&hidden));
    }

    #[test]
    fn a_malformed_message_is_for_the_decoder_to_refuse() {
        let faults: [&[u8]; 5] = [&[0x80; 11], &[0x0A, 0x05, 1], &[0x09, 1], &[0x0D, 1], &[0x0E]];
        for fault in faults {
            assert!(is_countable(fault));
            assert!(pb::RequestFrames::decode(fault).is_err(), "{fault:?}");
        }
    }

    #[test]
    fn the_largest_messages_that_are_sent_are_countable() {
        let range = |slot: u32| pb::SlotRange { first: slot, last: slot, group: slot % 2 + 1 };
        let map = pb::SlotMap { epoch: 1, slots: (0..4_096).map(range).collect(), ..Default::default() };
        assert!(is_countable(&map.encode_to_vec()), "every slot a range of its own");
    }
}
