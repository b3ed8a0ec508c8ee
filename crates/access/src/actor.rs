//! The actor: who acts inside an institution, as the institution signs it once for each actor, visit and cloud.
//!
//! ```text
//! version 1 | body, protobuf | Ed25519 signature 64, over a domain string and everything in front of it
//! ```
//!
//! A statement is for one cloud, with a session and a response key of its own, so that two clouds which serve one visit see
//! no value that joins them. [`role`] is the table of who may do what.

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use renkei_ids::{CloudId, InstitutionId, UnixMillis, UnixMinute};

use crate::VerifyingKey;
use crate::statement::{Signed, Statement, StatementKey};

mod format;
mod role;

pub use role::{Act, Deed, LicensedRole, needs_step_up};

/// Most bytes of a signed actor.
pub const ACTOR_MAX_BYTES: usize = 256;
/// Most bytes of an institution's name for one of its people.
pub const ACTOR_NAME_MAX_BYTES: usize = 64;
/// Longest life of a statement, in minutes: a shift.
pub const ACTOR_MAX_MINUTES: u32 = 720;
/// Longest life of one that says [`Login::StepUp`].
pub const STEP_UP_MAX_MINUTES: u32 = 60;

const VERSION: u8 = 1;
const SIGNATURE: usize = 64;

/// How surely the institution knows that it is she. The numbers are signed and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Login {
    /// Something that she knows.
    Password = 1,
    /// Two factors, at the beginning of her shift.
    TwoFactor = 2,
    /// Two factors again, for what she is about to do.
    StepUp = 3,
}

/// What an institution says of who acts.
#[derive(Clone, PartialEq, Eq)]
pub struct Actor {
    /// For which cloud; all zeros for a registrar.
    pub audience: CloudId,
    /// Who says it.
    pub institution: InstitutionId,
    /// Its own name for her, which it can resolve: 1 to [`ACTOR_NAME_MAX_BYTES`] bytes, another one for each cloud where it
    /// likes.
    pub name: String,
    /// Her licence.
    pub role: LicensedRole,
    /// How she logged in.
    pub login: Login,
    /// Random; one for each visit and cloud.
    pub session: [u8; 16],
    /// X25519 key that answers of the cloud can be sealed to, a fresh one for each visit and cloud.
    pub response_key: Option<[u8; 32]>,
    /// When it was signed.
    pub issued: UnixMinute,
    /// The first moment at which it is no longer taken.
    pub expires: UnixMinute,
}

/// An actor as it travels.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedActor(Bytes);

/// Bytes that are no actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidActor {
    /// Too few bytes for a version and a signature.
    #[error("actor of {0} bytes is too short")]
    TooShort(usize),
    /// More than [`ACTOR_MAX_BYTES`].
    #[error("actor of {0} bytes is over the limit")]
    TooLong(usize),
    /// No key that the directory names for the institution made the signature.
    #[error("signature of the actor does not hold")]
    Signature,
    /// A format version this build does not read.
    #[error("actor format {0} is unknown")]
    Format(u8),
    /// No protobuf message, or one without a part that must be there.
    #[error("actor has no readable {0}")]
    Malformed(&'static str),
    /// It ends before it begins, or lives longer than its login allows.
    #[error("actor lives for {0} minutes")]
    Life(i64),
}

/// Why an actor that an institution signed does not act here, now, or so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActorRefusal {
    /// Signed for another cloud.
    #[error("actor is for another cloud")]
    OtherCloud,
    /// Signed by another institution than the one whose certificate was presented.
    #[error("actor is of another institution")]
    OtherInstitution,
    /// Issued more than [`Actor::ISSUE_LEEWAY_MILLIS`] ahead of the verifier's clock.
    #[error("actor is not valid yet")]
    NotYetValid,
    /// Its end has come.
    #[error("actor has expired")]
    Expired,
    /// Her licence does not allow it.
    #[error("the role does not allow it")]
    Role,
    /// She has to log in once more for this.
    #[error("a step-up of the login is needed")]
    StepUp,
}

impl Actor {
    /// How far ahead of the verifier's clock an issue time may lie.
    pub const ISSUE_LEEWAY_MILLIS: u64 = 60_000;

    /// Signed by the institution.
    ///
    /// # Errors
    /// [`InvalidActor`], for a name or a life that no actor has.
    pub fn sign(&self, institution: &StatementKey) -> Result<SignedActor, InvalidActor> {
        self.check()?;
        let message = format::Actor::from(self);
        let mut bytes = BytesMut::with_capacity(1 + message.encoded_len() + SIGNATURE);
        bytes.put_u8(VERSION);
        message.encode(&mut bytes).expect("a BytesMut grows as needed");
        let Signed { body, signature } = institution.sign(Statement::Actor, bytes.freeze());
        Ok(SignedActor([&body[..], &signature].concat().into()))
    }

    /// Whether it is taken here and now. Expiry is by the verifier's clock, without leeway.
    ///
    /// # Errors
    /// The first reason against.
    pub fn admits(&self, cloud: CloudId, institution: InstitutionId, now: UnixMillis) -> Result<(), ActorRefusal> {
        let reasons = [
            (self.audience != cloud, ActorRefusal::OtherCloud),
            (self.institution != institution, ActorRefusal::OtherInstitution),
            (self.issued.begins() > now.plus_millis(Self::ISSUE_LEEWAY_MILLIS), ActorRefusal::NotYetValid),
            (now >= self.expires.begins(), ActorRefusal::Expired),
        ];
        reasons.into_iter().find(|(against, _)| *against).map_or(Ok(()), |(_, reason)| Err(reason))
    }

    /// Whether she may do it.
    ///
    /// # Errors
    /// [`ActorRefusal::Role`], [`ActorRefusal::StepUp`].
    pub fn may(&self, act: &Act) -> Result<(), ActorRefusal> {
        if !self.role.may(act.deed, act.category) {
            return Err(ActorRefusal::Role);
        }
        if needs_step_up(act) && self.login != Login::StepUp { Err(ActorRefusal::StepUp) } else { Ok(()) }
    }

    fn check(&self) -> Result<(), InvalidActor> {
        if !(1..=ACTOR_NAME_MAX_BYTES).contains(&self.name.len()) {
            return Err(InvalidActor::Malformed("name"));
        }
        let most = if self.login == Login::StepUp { STEP_UP_MAX_MINUTES } else { ACTOR_MAX_MINUTES };
        let life = i64::from(self.expires.0) - i64::from(self.issued.0);
        if (1..=i64::from(most)).contains(&life) { Ok(()) } else { Err(InvalidActor::Life(life)) }
    }
}

impl SignedActor {
    /// What travelled. Nothing is judged until [`SignedActor::verify`].
    pub const fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// As it travels.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// Checks the signature, then reads.
    ///
    /// # Errors
    /// [`InvalidActor`]; the signature is judged before a byte of the body is.
    pub fn verify(&self, keys: &[VerifyingKey]) -> Result<Actor, InvalidActor> {
        let signed = self.parts()?;
        if keys.iter().any(|key| signed.is_by(key, Statement::Actor)) {
            read(&signed.body)
        } else {
            Err(InvalidActor::Signature)
        }
    }

    /// Reads one out of a row into which it was sealed after its signature was judged: its key may be gone since.
    ///
    /// # Errors
    /// [`InvalidActor`].
    pub fn read_unverified(&self) -> Result<Actor, InvalidActor> {
        read(&self.parts()?.body)
    }

    fn parts(&self) -> Result<Signed, InvalidActor> {
        let len = self.0.len();
        if len > ACTOR_MAX_BYTES {
            return Err(InvalidActor::TooLong(len));
        }
        let (_, signature) = self.0.split_last_chunk::<SIGNATURE>().ok_or(InvalidActor::TooShort(len))?;
        Ok(Signed { body: self.0.slice(..len - SIGNATURE), signature: *signature })
    }
}

fn read(body: &Bytes) -> Result<Actor, InvalidActor> {
    let (&version, rest) = body.split_first().ok_or(InvalidActor::TooShort(SIGNATURE))?;
    if version != VERSION {
        return Err(InvalidActor::Format(version));
    }
    let message = format::Actor::decode(body.slice_ref(rest)).map_err(|_| InvalidActor::Malformed("body"))?;
    let actor = Actor::try_from(message)?;
    actor.check()?;
    Ok(actor)
}

impl Login {
    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        [Self::Password, Self::TwoFactor, Self::StepUp].into_iter().find(|login| u32::from(*login as u8) == raw)
    }
}

impl core::fmt::Debug for Actor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Actor(..)")
    }
}

impl core::fmt::Debug for SignedActor {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SignedActor(..)")
    }
}

#[cfg(test)]
mod tests;
