//! The one frame around everything stored or replicated (a version byte, then a protobuf message), and what connects the
//! messages with the types that cannot be wrong.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message;

/// The version that this build writes.
const FORMAT: u8 = 1;

/// Bytes that are no message of a known version, or one with a field of the wrong form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no message of a known version")]
pub struct Unreadable;

/// A value and the form that it has in a message.
pub(crate) trait Raw<R>: Sized {
    fn to_raw(&self) -> R;
    fn from_raw(raw: R) -> Option<Self>;
}

/// A type that is stored as a message of its own.
pub(crate) trait Stored: Raw<Self::Message> {
    type Message: Message + Default;

    fn encode(&self) -> Bytes {
        let message = self.to_raw();
        let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
        bytes.put_u8(FORMAT);
        message.encode(&mut bytes).expect("a BytesMut grows as needed");
        bytes.freeze()
    }

    fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        match bytes.first() {
            Some(&FORMAT) => {
                let message = Self::Message::decode(bytes.slice(1..)).map_err(|_| Unreadable)?;
                Self::from_raw(message).ok_or(Unreadable)
            }
            _ => Err(Unreadable),
        }
    }
}

/// Connects a struct with its message, field by field: every field is named on both sides, and one that is missing or
/// does not read makes the whole unreadable. Tags never change their meaning.
macro_rules! stored {
    ($name:ident as $message:ident { $($(#[$attribute:meta])* $field:ident: $raw:ty),* $(,)? }) => {
        #[derive(Clone, PartialEq, Eq, prost::Message)]
        pub(crate) struct $message {
            $($(#[$attribute])* $field: $raw),*
        }

        impl $crate::state::stored::Raw<$message> for $name {
            fn to_raw(&self) -> $message {
                let $name { $($field),* } = self;
                $message { $($field: $crate::state::stored::Raw::to_raw($field)),* }
            }

            fn from_raw($message { $($field),* }: $message) -> Option<Self> {
                Some($name { $($field: $crate::state::stored::Raw::from_raw($field)?),* })
            }
        }

        impl $crate::state::stored::Raw<Option<$message>> for $name {
            fn to_raw(&self) -> Option<$message> {
                Some($crate::state::stored::Raw::<$message>::to_raw(self))
            }

            fn from_raw(raw: Option<$message>) -> Option<Self> {
                $crate::state::stored::Raw::<$message>::from_raw(raw?)
            }
        }

        impl $crate::state::stored::Stored for $name {
            type Message = $message;
        }
    };
}

/// Connects an enum of structs with a oneof of their messages.
macro_rules! stored_choice {
    ($name:ident as $choice:ident { $($(#[$attribute:meta])* $variant:ident($message:ty)),* $(,)? }) => {
        #[derive(Clone, PartialEq, Eq, prost::Oneof)]
        #[allow(clippy::large_enum_variant, reason = "lives for as long as one message is read or written")]
        pub(crate) enum $choice {
            $($(#[$attribute])* $variant($message)),*
        }

        impl $crate::state::stored::Raw<Option<$choice>> for $name {
            fn to_raw(&self) -> Option<$choice> {
                Some(match self {
                    $($name::$variant(value) => $choice::$variant($crate::state::stored::Raw::to_raw(value))),*
                })
            }

            fn from_raw(raw: Option<$choice>) -> Option<Self> {
                Some(match raw? {
                    $($choice::$variant(value) => $name::$variant($crate::state::stored::Raw::from_raw(value)?)),*
                })
            }
        }
    };
}

/// Ids and other values of a fixed number of bytes.
macro_rules! raw_bytes {
    ($($name:ty),* $(,)?) => {
        $(impl Raw<Bytes> for $name {
            fn to_raw(&self) -> Bytes {
                Bytes::copy_from_slice(self.as_bytes())
            }

            fn from_raw(raw: Bytes) -> Option<Self> {
                Self::try_from(&raw[..]).ok()
            }
        })*
    };
}

/// Enums whose numbers never change.
macro_rules! raw_number {
    ($($name:ty),* $(,)?) => {
        $(impl $crate::state::stored::Raw<u32> for $name {
            fn to_raw(&self) -> u32 {
                u32::from(*self as u8)
            }

            fn from_raw(raw: u32) -> Option<Self> {
                Self::from_raw(raw)
            }
        })*
    };
}

pub(crate) use {raw_number, stored, stored_choice};

raw_bytes![
    renkei_ids::ActorTag,
    renkei_ids::AttributeTag,
    renkei_ids::BindingId,
    renkei_ids::CloudId,
    renkei_ids::GrantId,
    renkei_ids::InstitutionId,
    renkei_ids::LogId,
    renkei_ids::MemberIndex,
    renkei_ids::PersonId,
    renkei_ids::PresenceTag,
    renkei_ids::RequestId,
    renkei_ids::ResidentIndex,
    renkei_ids::TokenHash,
];
raw_number![renkei_access::CollectionBasis, renkei_access::Evidence, renkei_access::Purpose,];

impl Raw<u32> for renkei_access::ConsentSet {
    fn to_raw(&self) -> u32 {
        self.bits().into()
    }

    fn from_raw(raw: u32) -> Option<Self> {
        Self::from_bits(raw)
    }
}

impl Raw<u32> for renkei_access::ConsentText {
    fn to_raw(&self) -> u32 {
        self.0
    }

    fn from_raw(raw: u32) -> Option<Self> {
        Some(Self(raw))
    }
}

impl Raw<u32> for renkei_access::Scope {
    fn to_raw(&self) -> u32 {
        self.bits().into()
    }

    fn from_raw(raw: u32) -> Option<Self> {
        Self::from_bits(raw)
    }
}

impl Raw<u64> for renkei_ids::UnixMillis {
    fn to_raw(&self) -> u64 {
        self.0
    }

    fn from_raw(raw: u64) -> Option<Self> {
        Some(Self(raw))
    }
}

impl Raw<u64> for renkei_ids::LeafIndex {
    fn to_raw(&self) -> u64 {
        self.0
    }

    fn from_raw(raw: u64) -> Option<Self> {
        Some(Self(raw))
    }
}

impl Raw<u32> for renkei_ids::UnixDay {
    fn to_raw(&self) -> u32 {
        self.0
    }

    fn from_raw(raw: u32) -> Option<Self> {
        Some(Self(raw))
    }
}

impl Raw<Bytes> for renkei_envelope::SealedDaySecret {
    fn to_raw(&self) -> Bytes {
        self.as_bytes().clone()
    }

    fn from_raw(raw: Bytes) -> Option<Self> {
        Self::try_from(raw).ok()
    }
}

impl Raw<Bytes> for renkei_envelope::SealedPersonSeed {
    fn to_raw(&self) -> Bytes {
        self.as_bytes().clone()
    }

    fn from_raw(raw: Bytes) -> Option<Self> {
        Self::try_from(raw).ok()
    }
}

impl<const N: usize> Raw<Bytes> for [u8; N] {
    fn to_raw(&self) -> Bytes {
        Bytes::copy_from_slice(self)
    }

    fn from_raw(raw: Bytes) -> Option<Self> {
        raw[..].try_into().ok()
    }
}

impl<T: Raw<R>, R, const N: usize> Raw<Vec<R>> for [T; N] {
    fn to_raw(&self) -> Vec<R> {
        self.iter().map(Raw::to_raw).collect()
    }

    fn from_raw(raw: Vec<R>) -> Option<Self> {
        let values: Vec<T> = raw.into_iter().map(T::from_raw).collect::<Option<_>>()?;
        values.try_into().ok()
    }
}

macro_rules! raw_itself {
    ($($name:ty),*) => {
        $(impl Raw<$name> for $name {
            fn to_raw(&self) -> Self {
                self.clone()
            }

            fn from_raw(raw: Self) -> Option<Self> {
                Some(raw)
            }
        })*
    };
}

raw_itself![u32, u64, bool, Bytes, String];

impl<T: Raw<R>, R> Raw<Option<R>> for Option<T> {
    fn to_raw(&self) -> Option<R> {
        self.as_ref().map(Raw::to_raw)
    }

    fn from_raw(raw: Option<R>) -> Option<Self> {
        raw.map(T::from_raw).map_or(Some(None), |value| value.map(Some))
    }
}

impl<T: Raw<R>, R> Raw<Vec<R>> for Vec<T> {
    fn to_raw(&self) -> Vec<R> {
        self.iter().map(Raw::to_raw).collect()
    }

    fn from_raw(raw: Vec<R>) -> Option<Self> {
        raw.into_iter().map(T::from_raw).collect()
    }
}
