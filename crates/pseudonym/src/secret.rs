//! What every 32-byte secret here has in common.

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
            pub fn random(source: &dyn renkei_ids::Random) -> Self {
                let mut secret = Self([0; 32]);
                source.fill(&mut secret.0);
                secret
            }
        }

        crate::secret::hidden!($name);
    };
}

/// `Debug` that shows the name of the type and nothing else.
macro_rules! hidden {
    ($($name:ident)*) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

pub(crate) use hidden;
pub(crate) use secret;
