//! Sealed keys as they are stored. What they hold opens only under the key that made them, in the place it was made for.

macro_rules! sealed_form {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(bytes::Bytes);

        impl $name {
            /// bytes::Bytes of the sealed form.
            pub const LEN: usize = $len;

            pub(crate) fn new(sealed: Vec<u8>) -> Self {
                debug_assert_eq!(sealed.len(), Self::LEN);
                Self(sealed.into())
            }

            /// The sealed bytes, for storing.
            pub const fn as_bytes(&self) -> &bytes::Bytes {
                &self.0
            }
        }

        impl TryFrom<bytes::Bytes> for $name {
            type Error = renkei_ids::InvalidLength;

            fn try_from(sealed: bytes::Bytes) -> Result<Self, renkei_ids::InvalidLength> {
                if sealed.len() == Self::LEN {
                    return Ok(Self(sealed));
                }
                Err(renkei_ids::InvalidLength { kind: stringify!($name), expected: Self::LEN, actual: sealed.len() })
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

pub(crate) use sealed_form;
