//! Signed statements of those who are no vault: Ed25519 (RFC 8032) over a domain string and exactly the bytes that
//! travel, so that nothing signed for one use is taken for another.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use bytes::Bytes;

use crate::VerifyingKey;

/// What a statement is. The strings never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// An institution's: who acts for it.
    Actor,
    /// An authority's: this card is this resident's.
    Card,
    /// An officer's: the directory.
    Directory,
    /// A card's: it is here, now.
    Presence,
    /// An insurer's: this person is insured under this member id.
    Registration,
    /// A registrar's: a ticket.
    Ticket,
}

impl Statement {
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Actor => b"renkei actor v1\0",
            Self::Card => b"renkei card v1\0",
            Self::Directory => b"renkei directory v1\0",
            Self::Presence => b"renkei presence v1\0",
            Self::Registration => b"renkei registration v1\0",
            Self::Ticket => b"renkei ticket v1\0",
        }
    }
}

/// Bytes and the signature over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is signed.
    pub body: Bytes,
    /// Ed25519 signature over the domain string and the body.
    pub signature: [u8; 64],
}

/// The key of a card, a card authority, an insurer or a registrar.
pub struct StatementKey(Ed25519KeyPair);

impl core::fmt::Debug for StatementKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StatementKey(..)")
    }
}

impl StatementKey {
    /// The key that grows from a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed).expect("every 32-byte string is an Ed25519 seed"))
    }

    /// What its statements are checked with.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::from_bytes(self.0.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes"))
    }

    /// Signs.
    pub fn sign(&self, statement: Statement, body: Bytes) -> Signed {
        let signature = self.0.sign(&[statement.domain(), &body].concat());
        let signature = signature.as_ref().try_into().expect("an Ed25519 signature has 64 bytes");
        Signed { body, signature }
    }
}

impl Signed {
    /// Whether the key signed these bytes as this statement.
    pub fn is_by(&self, key: &VerifyingKey, statement: Statement) -> bool {
        let signed = [statement.domain(), &self.body].concat();
        UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(&signed, &self.signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_taken_as_what_it_was_signed_as_only() {
        let key = StatementKey::from_seed(&[1; 32]);
        let signed = key.sign(Statement::Card, Bytes::from_static(b"body"));
        assert!(signed.is_by(&key.verifying_key(), Statement::Card));
        assert!(!signed.is_by(&key.verifying_key(), Statement::Registration));
        assert!(!signed.is_by(&StatementKey::from_seed(&[2; 32]).verifying_key(), Statement::Card));
        let other = Signed { body: Bytes::from_static(b"Body"), ..signed };
        assert!(!other.is_by(&key.verifying_key(), Statement::Card));
        assert_eq!(format!("{key:?}"), "StatementKey(..)");
    }
}
