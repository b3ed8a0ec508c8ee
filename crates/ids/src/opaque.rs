//! Ids that point at patients or at what was done for them. Their `Debug` is redacted: none of them may reach a log,
//! a span, a label or an error.

/// A value of the wrong length for the id it was to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} takes {expected} bytes, got {actual}")]
pub struct InvalidLength {
    /// Name of the id type.
    pub kind: &'static str,
    /// Bytes that the type holds.
    pub expected: usize,
    /// Bytes that were given.
    pub actual: usize,
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// The id that these bytes are.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes, for encoding and key building.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = InvalidLength;

            fn try_from(bytes: &[u8]) -> Result<Self, InvalidLength> {
                let actual = bytes.len();
                bytes.try_into().map(Self).map_err(|_| InvalidLength {
                    kind: stringify!($name),
                    expected: $len,
                    actual,
                })
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

opaque_id!(
    /// Random id of a patient, local to one cloud. Its first 12 bits are the slot.
    Pid, 16
);
opaque_id!(
    /// Random id of a record, never time-ordered.
    RecordId, 16
);
opaque_id!(
    /// Random id of a capability; the unit of revocation at a node.
    CapabilityId, 16
);
opaque_id!(
    /// Random id of one request; a retried read bears the same one in each of its audit rows.
    RequestId, 16
);
opaque_id!(
    /// SHA-256 of a subject public key info: what names a gateway towards a node.
    KeyHash, 32
);
opaque_id!(
    /// HMAC of an institution's identity under the patient's tag key.
    InstTag, 16
);
opaque_id!(
    /// HMAC of a class of records (category and part) under the patient's tag key.
    ClassTag, 16
);
opaque_id!(
    /// HMAC of the binding (person to member id) under which a record was written, under the patient's tag key.
    BindingTag, 16
);
opaque_id!(
    /// Random id of a binding (person to member id); a node sees its [`BindingTag`].
    BindingId, 16
);
opaque_id!(
    /// HMAC of a client's idempotency key, under a key of (patient, institution).
    IdemTag, 16
);
opaque_id!(
    /// HMAC of a request's content, under the same key as its [`IdemTag`].
    ContentTag, 16
);

opaque_id!(
    /// Random id of a person at the registrar. It stands nowhere else.
    PersonId, 16
);
opaque_id!(
    /// Random id of a ticket.
    TicketId, 16
);
opaque_id!(
    /// SHA-256 of a ticket's header, the salt in it included: all that a key holder sees of one.
    HeaderDigest, 32
);
opaque_id!(
    /// HMAC of a person for one cloud, under a key of the registrar's: finds the patient's escrow row.
    PersonMark, 16
);

impl Pid {
    /// The slot of this patient: the first 12 bits.
    pub const fn slot(&self) -> crate::Slot {
        crate::Slot::of_prefix(self.0[0], self.0[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let pid = Pid::from_bytes(*b"planted-token-16");
        assert_eq!(format!("{pid:?}"), "Pid(..)");
    }

    #[test]
    fn wrong_length_is_refused_by_name() {
        let error = Pid::try_from(&[0_u8; 15][..]).unwrap_err();
        assert_eq!(error.to_string(), "Pid takes 16 bytes, got 15");
    }

    #[test]
    fn slot_is_the_first_twelve_bits() {
        let mut bytes = [0_u8; 16];
        bytes[0] = 0xAB;
        bytes[1] = 0xCD;
        assert_eq!(Pid::from_bytes(bytes).slot().get(), 0xABC);
    }
}
