//! What every key and seed has in common: 32 bytes, zeroised when dropped, compared in constant time, never shown.

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The secret that these bytes are. The caller's copy stays the caller's to erase.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// A new random secret.
            pub fn random(source: &dyn $crate::Random) -> Self {
                Self($crate::random::random(source))
            }

            /// The bytes, for sealing and for the one border that the secret may cross.
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = $crate::InvalidSecret;

            fn try_from(bytes: &[u8]) -> Result<Self, $crate::InvalidSecret> {
                let actual = bytes.len();
                bytes.try_into().map(Self).map_err(|_| $crate::InvalidSecret { kind: stringify!($name), actual })
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                aws_lc_rs::constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
            }
        }

        impl Eq for $name {}

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

pub(crate) use secret;

/// Bytes of the wrong length for the secret they were to become. They are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} takes 32 bytes, got {actual}")]
pub struct InvalidSecret {
    /// Name of the secret's type.
    pub kind: &'static str,
    /// Bytes that were given.
    pub actual: usize,
}
