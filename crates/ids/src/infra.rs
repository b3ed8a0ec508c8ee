//! Ids of machines, groups and logs. They say nothing about a patient and may be logged.

use core::fmt;
use core::str::FromStr;

/// Number of slots a cloud's patients are spread over.
pub const SLOTS: u16 = 4096;

/// A slot: the unit of placement. One patient lies in one slot, one slot in one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

/// A slot number that no slot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("slot {0} is past the last slot, 4095")]
pub struct InvalidSlot(pub u32);

impl Slot {
    pub(crate) const fn of_prefix(first: u8, second: u8) -> Self {
        Self(((first as u16) << 4) | ((second as u16) >> 4))
    }

    /// The slot number, 0 to 4095.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Big-endian bytes: the first two bytes of every record key.
    pub const fn to_be_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// Every slot, in order.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        (0..SLOTS).map(Self)
    }
}

impl TryFrom<u32> for Slot {
    type Error = InvalidSlot;

    fn try_from(value: u32) -> Result<Self, InvalidSlot> {
        match u16::try_from(value) {
            Ok(slot) if slot < SLOTS => Ok(Self(slot)),
            _ => Err(InvalidSlot(value)),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident, $int:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = core::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

number_id!(
    /// A Raft group of one cloud. Group 0 is the meta group.
    GroupId, u32
);
number_id!(
    /// A replica of a group; allocated by the meta group and never reused, so a wiped replica cannot vote twice.
    ReplicaId, u64
);
number_id!(
    /// A machine that hosts replicas.
    NodeId, u32
);
number_id!(
    /// Version of the slot map; grows by one with each change of ownership.
    SlotEpoch, u64
);

number_id!(
    /// A key holder; its number among those of the federation, from 1.
    KeyholderId, u32
);
number_id!(
    /// Version of a cloud's pseudonym keys, from 1; while they are rotated, two of them are in use.
    PseudonymEpoch, u32
);
number_id!(
    /// Version of the directory; each one that officers sign is newer than those before.
    DirectoryVersion, u64
);
number_id!(
    /// Version of who is denied in the directory; grows with each change of that.
    DenyEpoch, u64
);

impl GroupId {
    /// The meta group: slot map, replica ids, node registry, placement jobs.
    pub const META: Self = Self(0);
}

/// One leadership of one group: what a read is served under and proposed with.
///
/// With one leader for each term at most (openraft `leader_id_std`) the pair names a leadership uniquely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderTerm {
    /// Raft term.
    pub term: u64,
    /// The replica that leads in it.
    pub leader: ReplicaId,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// The id that these bytes are.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes, for encoding.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = crate::InvalidLength;

            fn try_from(bytes: &[u8]) -> Result<Self, crate::InvalidLength> {
                let actual = bytes.len();
                bytes.try_into().map(Self).map_err(|_| crate::InvalidLength {
                    kind: stringify!($name),
                    expected: $len,
                    actual,
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidHex;

            fn from_str(text: &str) -> Result<Self, InvalidHex> {
                let mut bytes = [0_u8; $len];
                decode_hex(text, &mut bytes).map(|()| Self(bytes))
            }
        }
    };
}

/// Text that is not the lower-case hexadecimal form of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hexadecimal digits")]
pub struct InvalidHex {
    digits: usize,
}

fn decode_hex(text: &str, into: &mut [u8]) -> Result<(), InvalidHex> {
    let invalid = InvalidHex { digits: into.len() * 2 };
    if text.len() != into.len() * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid);
    }
    for (index, byte) in into.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| invalid)?;
    }
    Ok(())
}

hex_id!(
    /// A cloud: one cluster with its own keys, operators and backups. Checked on every frame between nodes.
    CloudId, 16
);
hex_id!(
    /// An institution: random, and never changed. Its name and keys are attributes that the directory gives.
    InstitutionId, 16
);
hex_id!(
    /// SHA-256 of an institution's name: tells whoever has the name whose entry it is.
    NameHash, 32
);
hex_id!(
    /// What a node has on its disk, as one thing: drawn at random when the node first starts there, and lost with it.
    DiskId, 16
);
hex_id!(
    /// A cell: one gateway, or several that are one to the directory. Its certificates' keys are attributes.
    CellId, 16
);
hex_id!(
    /// One append-only audit log: drawn at random when its group is created, never moved to another.
    LogId, 16
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_end_at_4095() {
        assert_eq!(Slot::try_from(4095).map(Slot::get), Ok(4095));
        assert_eq!(Slot::try_from(4096), Err(InvalidSlot(4096)));
        assert_eq!(Slot::all().len(), 4096);
    }

    #[test]
    fn cloud_id_reads_back_from_its_text() {
        let id = CloudId::from_bytes([0xA5; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("a5".parse::<CloudId>().is_err());
        assert!("é".repeat(16).parse::<CloudId>().is_err());
    }
}
