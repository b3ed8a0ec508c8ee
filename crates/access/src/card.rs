//! A patient's card: who it is of, as an authority signed it, and the proof that it is here.
//!
//! The proof is the card's own signature over the institution that it is shown to, a moment and a number used once. A
//! proof that was overheard serves no other institution, and no later moment.

use bytes::{BufMut as _, Bytes, BytesMut};
use renkei_ids::{InstitutionId, UnixMillis};

use crate::VerifyingKey;
use crate::statement::{Signed, Statement, StatementKey};

const FORMAT: u8 = 1;
/// Longest time that a proof is taken after its moment, and ahead of the verifier's clock.
pub const PRESENCE_MILLIS: u64 = 120_000;

/// The number under which a register of residents knows a person, made for registrars alone. It is no My Number and
/// stands nowhere but at the registrar, in the register's answers and on the card.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResidentCode([u8; 32]);

/// Random number of one card. Nothing blocks a lost one by it yet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardId([u8; 16]);

/// What a card authority signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The card.
    pub id: CardId,
    /// Whose it is.
    pub resident: ResidentCode,
    /// What its proofs are checked with.
    pub key: VerifyingKey,
    /// The first moment at which it is no longer taken.
    pub expires: UnixMillis,
}

/// What a card signs when it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// To whom it is shown.
    pub institution: InstitutionId,
    /// When.
    pub moment: UnixMillis,
    /// Random, of the reader's; a proof serves once.
    pub nonce: [u8; 16],
}

/// A card and its proof, as an institution sends them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedCard {
    /// The card, signed by its authority.
    pub card: Signed,
    /// The proof, signed by the card.
    pub presence: Signed,
}

/// Why a card is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardRefusal {
    /// No authority that is known signed it, or its proof is not signed by it.
    #[error("a signature of the card does not hold")]
    Signature,
    /// It does not read.
    #[error("the card or its proof does not read")]
    Malformed,
    /// It is no longer valid.
    #[error("the card has expired")]
    Expired,
    /// It was shown to another institution.
    #[error("the card was shown to another institution")]
    OtherInstitution,
    /// It was shown too long ago, or its moment has not come.
    #[error("the proof of the card is not of this moment")]
    OtherMoment,
}

macro_rules! opaque {
    ($name:ident, $len:literal) => {
        impl $name {
            /// The value that these bytes are.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes, for encoding.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

opaque!(ResidentCode, 32);
opaque!(CardId, 16);

impl Card {
    /// Signed by an authority.
    pub fn sign(&self, authority: &StatementKey) -> Signed {
        let Self { id, resident, key, expires } = self;
        let body = format::Card {
            id: copied(&id.0),
            resident: copied(&resident.0),
            key: copied(key.as_bytes()),
            expires_ms: expires.0,
        };
        authority.sign(Statement::Card, encode(&body))
    }
}

impl Presence {
    /// Signed by the card.
    pub fn sign(&self, card: &StatementKey) -> Signed {
        let Self { institution, moment, nonce } = self;
        let body =
            format::Presence { institution: copied(institution.as_bytes()), moment_ms: moment.0, nonce: copied(nonce) };
        card.sign(Statement::Presence, encode(&body))
    }
}

impl PresentedCard {
    /// The card and its proof, where an authority signed the one, the card the other, for this institution and now.
    /// Whether the proof was used before is for who remembers it to say.
    ///
    /// # Errors
    /// The first reason against; the signatures are judged before what they sign is read.
    pub fn verify(
        &self,
        authorities: &[VerifyingKey],
        institution: InstitutionId,
        now: UnixMillis,
    ) -> Result<(Card, Presence), CardRefusal> {
        if !authorities.iter().any(|authority| self.card.is_by(authority, Statement::Card)) {
            return Err(CardRefusal::Signature);
        }
        let card = Card::try_from(decode::<format::Card>(&self.card.body)?)?;
        if !self.presence.is_by(&card.key, Statement::Presence) {
            return Err(CardRefusal::Signature);
        }
        let presence = Presence::try_from(decode::<format::Presence>(&self.presence.body)?)?;
        if now >= card.expires {
            return Err(CardRefusal::Expired);
        }
        if presence.institution != institution {
            return Err(CardRefusal::OtherInstitution);
        }
        if presence.moment.0.abs_diff(now.0) > PRESENCE_MILLIS {
            return Err(CardRefusal::OtherMoment);
        }
        Ok((card, presence))
    }
}

fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn encode(message: &impl prost::Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(FORMAT);
    message.encode(&mut bytes).expect("a BytesMut grows as needed");
    bytes.freeze()
}

fn decode<M: prost::Message + Default>(body: &Bytes) -> Result<M, CardRefusal> {
    match body.split_first() {
        Some((&FORMAT, rest)) => M::decode(rest).map_err(|_| CardRefusal::Malformed),
        _ => Err(CardRefusal::Malformed),
    }
}

fn array<const N: usize>(bytes: &Bytes) -> Result<[u8; N], CardRefusal> {
    bytes[..].try_into().map_err(|_| CardRefusal::Malformed)
}

impl TryFrom<format::Card> for Card {
    type Error = CardRefusal;

    fn try_from(card: format::Card) -> Result<Self, CardRefusal> {
        let format::Card { id, resident, key, expires_ms } = card;
        Ok(Self {
            id: CardId(array(&id)?),
            resident: ResidentCode(array(&resident)?),
            key: VerifyingKey::from_bytes(array(&key)?),
            expires: UnixMillis(expires_ms),
        })
    }
}

impl TryFrom<format::Presence> for Presence {
    type Error = CardRefusal;

    fn try_from(presence: format::Presence) -> Result<Self, CardRefusal> {
        let format::Presence { institution, moment_ms, nonce } = presence;
        Ok(Self {
            institution: InstitutionId::from_bytes(array(&institution)?),
            moment: UnixMillis(moment_ms),
            nonce: array(&nonce)?,
        })
    }
}

/// The signed forms. Tags never change their meaning.
mod format {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Card {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) id: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        pub(super) resident: Bytes,
        #[prost(bytes = "bytes", tag = "3")]
        pub(super) key: Bytes,
        #[prost(uint64, tag = "4")]
        pub(super) expires_ms: u64,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Presence {
        #[prost(bytes = "bytes", tag = "1")]
        pub(super) institution: Bytes,
        #[prost(uint64, tag = "2")]
        pub(super) moment_ms: u64,
        #[prost(bytes = "bytes", tag = "3")]
        pub(super) nonce: Bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: InstitutionId = InstitutionId::from_bytes([1; 16]);
    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn keys() -> (StatementKey, StatementKey) {
        (StatementKey::from_seed(&[1; 32]), StatementKey::from_seed(&[2; 32]))
    }

    fn shown(expires: u64, institution: InstitutionId, moment: u64) -> PresentedCard {
        let (authority, own) = keys();
        let card = Card {
            id: CardId::from_bytes([3; 16]),
            resident: ResidentCode::from_bytes([4; 32]),
            key: own.verifying_key(),
            expires: UnixMillis(expires),
        };
        let presence = Presence { institution, moment: UnixMillis(moment), nonce: [5; 16] };
        PresentedCard { card: card.sign(&authority), presence: presence.sign(&own) }
    }

    fn refusal(shown: &PresentedCard) -> Option<CardRefusal> {
        shown.verify(&[keys().0.verifying_key()], HERE, NOW).err()
    }

    #[test]
    fn a_card_is_taken_here_and_now_only() {
        let end = NOW.0 + 1;
        assert_eq!(refusal(&shown(end, HERE, NOW.0)), None);
        assert_eq!(refusal(&shown(end, HERE, NOW.0 - PRESENCE_MILLIS)), None);
        assert_eq!(refusal(&shown(end, HERE, NOW.0 - PRESENCE_MILLIS - 1)), Some(CardRefusal::OtherMoment));
        assert_eq!(refusal(&shown(end, HERE, NOW.0 + PRESENCE_MILLIS + 1)), Some(CardRefusal::OtherMoment));
        assert_eq!(refusal(&shown(NOW.0, HERE, NOW.0)), Some(CardRefusal::Expired));
        let elsewhere = InstitutionId::from_bytes([9; 16]);
        assert_eq!(refusal(&shown(end, elsewhere, NOW.0)), Some(CardRefusal::OtherInstitution));
    }

    #[test]
    fn who_signs_for_another_is_refused() {
        let (authority, own) = keys();
        let good = shown(NOW.0 + 1, HERE, NOW.0);
        // A card that nobody issued, a proof by another card, and the two statements in each other's place.
        let unissued = Signed { signature: [0; 64], ..good.card.clone() };
        assert_eq!(refusal(&PresentedCard { card: unissued, ..good.clone() }), Some(CardRefusal::Signature));
        let presence = Presence { institution: HERE, moment: NOW, nonce: [5; 16] };
        let by_other = PresentedCard { presence: presence.sign(&authority), ..good.clone() };
        assert_eq!(refusal(&by_other), Some(CardRefusal::Signature));
        let swapped = PresentedCard { card: good.presence.clone(), presence: good.card.clone() };
        assert_eq!(refusal(&swapped), Some(CardRefusal::Signature));
        let unread = PresentedCard { card: authority.sign(Statement::Card, Bytes::from_static(b"\x02")), ..good };
        assert_eq!(refusal(&unread), Some(CardRefusal::Malformed));
        assert_eq!(own.verifying_key(), keys().1.verifying_key());
    }

    #[test]
    fn the_signed_forms_are_those_of_version_1() {
        let shown = shown(2, HERE, 3);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let own = hex(keys().1.verifying_key().as_bytes());
        let card = format!("010a10{}1220{}1a20{own}2002", "03".repeat(16), "04".repeat(32));
        assert_eq!(hex(&shown.card.body), card);
        assert_eq!(hex(&shown.presence.body), format!("010a10{}10031a10{}", "01".repeat(16), "05".repeat(16)));
    }
}
