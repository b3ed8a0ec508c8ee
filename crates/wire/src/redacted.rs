//! `Debug` for what points at a patient: the name of the type and nothing else.

macro_rules! redacted {
    ($($type:ty)*) => {$(
        impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($type), "(..)"))
            }
        }
    )*};
}

pub(crate) use redacted;
