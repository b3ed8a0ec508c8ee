//! Messages of the wire: what converts is sent again as the same, and no message costs more memory than its length says.

pub(super) mod admin;
pub(super) mod node;
pub(super) mod record;
pub(super) mod vault;

use prost::Message;

/// Reads a message and its type, and holds what is sent again against it.
fn read<M, T>(bytes: &[u8])
where
    M: Message + Default + From<T>,
    T: TryFrom<M> + Clone + PartialEq,
{
    let Ok(message) = M::decode(bytes) else { return };
    let Ok(value) = T::try_from(message) else { return };
    let sent = M::from(value.clone()).encode_to_vec();
    let message = M::decode(&sent[..]).expect("a message that was encoded decodes");
    assert!(T::try_from(message).is_ok_and(|again| again == value), "it is read as another one");
}

/// A seed: which message it is, and the message.
fn seed(place: usize, message: &impl Message) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(place).expect("there are few messages")];
    message.encode(&mut bytes).expect("a Vec grows as needed");
    bytes
}

/// Runs the reader that the first byte chooses on the rest, unless the codec would not even begin.
fn choose(bytes: &[u8], readers: &[fn(&[u8])]) {
    if let Some((&place, rest)) = bytes.split_first()
        && renkei_wire::is_countable(rest)
    {
        readers[usize::from(place) % readers.len()](rest);
    }
}
