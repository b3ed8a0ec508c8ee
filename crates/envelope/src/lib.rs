//! Keys, sealing and tags: who may open what, as types.
//!
//! Invariant: pure. Randomness is an argument; no clock, no disk, no network. Every key is its own type, zeroised when
//! dropped and never shown; a sealed form opens only under the key that made it and in the place it was made for.
//!
//! # The tree
//!
//! `──►` derives (HKDF-SHA256, labelled and dated; tags by HMAC-SHA256 cut to 16 bytes), `══►` seals (AES-256-GCM with a
//! random nonce, behind a version byte). A key that both seals and derives does the former through a derived key.
//!
//! ```text
//! HostSecret ──► "key files" ══► EpochKey, and the vault's signing seed, in their files
//!
//! EpochKey ─┬─► "slot keys" ══► SlotKey (KEK of one slot and epoch) ══► outer layers of (1), (2) and (3)
//!           └─► OpeningKey ══► Opening {pid, S, for whom, what for, until when}
//!
//! Pseudonym ─┬─► PseudonymHash, under which a patient is found
//!            └─► "seed" ══► PatientSeed (S)
//!
//! PatientSeed ─┬─► "patient key" ══► (1) PatientKey (W)
//!              └─► "log key" ══► (2) LogKey (LK)
//!
//! PatientKey ─┬─► "class keys" ══► (3) ClassKey (CK of one class and year) ──► RecordKey ══► document or summary
//!             ├─► what is given in place of a ClassKey that does not exist
//!             └─► TagKey ─┬─► InstTag, ClassTag, BindingTag
//!                         ├─► ReferenceKey (of one institution) ══► Reference
//!                         └─► WriteTagKey (of one institution) ──► IdemTag, ContentTag
//!
//! LogKey ─┬─► "stubs" ══► Stub {institution, cell, purpose, evidence, binding}
//!         └─► StubKey (of one capability) ══► actor
//!
//! RegistrarKey ─┬─► index of member ids, residents, tokens, and of what is compared without being read
//!               └─► "person values" ══► what the registrar knows of a person, and who asked
//! SeedKey ──► "person seeds" ══► PersonSeed             DayKey ──► "day secrets" ══► DaySecret of the registrar
//! DaySecret (of a key holder or a registrar) ──► TicketKey (of one cloud and day) ══► share, or Claims
//! CellSecret ──► CellKey, public ══► Commitments                                      MarkKey ──► PersonMark
//! EscrowSecret, offline ──► EscrowKey, public ══► escrow row {person mark, PatientSeed}
//! ```
//!
//! An own-record handle, which is not built, takes the form of [`Opening`] under a key of its own.

mod class;
mod class_key;
mod commitment;
mod continuation;
mod day;
mod document;
mod escrow;
mod hpke;
mod kdf;
mod key_file;
mod opening;
mod patient;
mod random;
mod reference;
mod registrar_keys;
mod seal;
mod sealed;
mod secret;
mod stub;
mod tags;
mod ticket;
mod vault_keys;

pub use class::{Category, Class, ClassSet, Part};
pub use class_key::{ClassKey, RecordKey};
pub use commitment::{
    Attribute, CellKey, CellSecret, Commitment, CommitmentSalt, Commitments, InvalidCellKey, SEALED_COMMITMENTS_BYTES,
};
pub use day::DayUse;
pub use document::{DOCUMENT_OVERHEAD, DocumentError, DocumentPlace};
pub use escrow::{ESCROW_ROW_BYTES, EscrowKey, EscrowSecret, InvalidEscrowKey};
pub use key_file::{FileKey, InvalidKeyFile, KeyFile};
pub use opening::{Opening, OpeningKey};
pub use patient::{
    LogKey, Patient, PatientKey, PatientSeed, Pseudonym, PseudonymHash, SealedSeed, WrappedClassKey, WrappedLogKey,
    WrappedPatientKey,
};
pub use reference::{Reference, ReferenceKey};
pub use registrar_keys::{
    DayKey, PersonSeed, PersonValue, RegistrarKey, SealedDaySecret, SealedPersonSeed, SeedKey, Token,
};
pub use renkei_ids::Random;
pub use seal::{InvalidSealed, SEAL_OVERHEAD};
pub use secret::InvalidSecret;
pub use stub::{Stub, StubKey};
pub use tags::{TagKey, WriteTagKey};
pub use ticket::{Claims, DaySecret, EncodedPoint, EncodedShare, MarkKey, SealedShareForm, SharePlace, TicketKey};
pub use vault_keys::{EpochKey, HostSecret, KeyEpoch, SealedFileKey, SealedSlotKey, SlotKey};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod ticket_tests;
