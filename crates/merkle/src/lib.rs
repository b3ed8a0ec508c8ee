//! Hashes of the append-only audit logs, as RFC 6962 section 2.1 lays them out.
//!
//! Invariant: pure, and the only place that says what a leaf is. A leaf is salted, so that a published leaf hash tells
//! nothing about a row whose few possible contents could be tried out.

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes of a leaf's salt.
pub const SALT_BYTES: usize = 16;

const LEAF_PREFIX: u8 = 0;

/// Hash of one leaf: SHA-256 over 0x00, the salt and the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeafHash([u8; 32]);

impl LeafHash {
    /// Hashes a row's content (the row without its log id, leaf index and hash).
    pub fn of(salt: &[u8; SALT_BYTES], content: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&[LEAF_PREFIX]);
        context.update(salt);
        context.update(content);
        Self(context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes"))
    }

    /// A hash read from a stored row.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for storing.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaf_of_a_known_row() {
        // printf '\0' | cat - <(printf '0123456789abcdef') <(printf 'row') | sha256sum
        let hash = LeafHash::of(b"0123456789abcdef", b"row");
        let hex: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "8b39939c75ffd59b657cff6e46b10ee60640d3ce0581765301c3be5b0730fa00");
    }

    #[test]
    fn the_salt_changes_the_leaf() {
        assert_ne!(LeafHash::of(&[0; 16], b"row"), LeafHash::of(&[1; 16], b"row"));
    }
}
