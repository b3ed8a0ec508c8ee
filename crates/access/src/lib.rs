//! What a node may do for whom: capabilities that a vault signs, and the rules that a patient sets. And what stands behind
//! a check-in, and follows from it: evidence, a card, consent, tickets, actors. And the directory of who there is.
//!
//! Invariant: pure. No clock, no randomness, no disk: the moment and the keys are arguments. Nothing here knows a name;
//! towards nodes institutions and classes are tags.

mod actor;
mod budget;
mod capability;
mod card;
mod consent;
mod directory;
mod evidence;
mod rules;
mod statement;
mod ticket;

pub use actor::{
    ACTOR_MAX_BYTES, ACTOR_MAX_MINUTES, ACTOR_NAME_MAX_BYTES, Act, Actor, ActorRefusal, Deed, InvalidActor,
    LicensedRole, Login, STEP_UP_MAX_MINUTES, SignedActor, needs_step_up,
};
pub use budget::{DailyVisits, Limit, OpeningLimits};
pub use capability::{
    CAPABILITY_MAX_BYTES, CLASSES_MAX, Capability, CapabilityRefusal, InvalidCapability, Period, Purpose, RECORDS_MAX,
    RecordGrant, STUB_MAX_BYTES, Scope, SignedCapability, SigningKey, VerifyingKey,
};
pub use card::{Card, CardId, CardRefusal, PRESENCE_MILLIS, Presence, PresentedCard, ResidentCode};
pub use consent::{CollectionBasis, ConsentCategory, ConsentSet, ConsentText};
pub use directory::{
    CELLS_MAX, CLOUDS_MAX, Cell, Cloud, CommitmentKey, DENIED_MAX, DIRECTORY_MAX_BYTES, Directory, Entries, Held,
    INSTITUTIONS_MAX, Institution, InstitutionKind, InvalidDirectory, InvalidOfficers, KEYS_MAX, NotServed, NotTaken,
    OFFICERS_MAX, Officers, Party, ROUTES_MAX, Route, SURGE_MAX_MILLIS, SURGES_MAX, SignedDirectory, Surge, name_hash,
};
pub use evidence::Evidence;
pub use rules::{Effect, InvalidRules, RULES_MAX, Rule, RuleSet, Subject, Target};
pub use statement::{Signed, Statement, StatementKey};
pub use ticket::{
    HOLDERS_MAX, InvalidTicket, Presented, SEALED_PART_MAX_BYTES, SealedParts, SealedShare, SignedTicket,
    TICKET_MAX_BYTES, TICKET_MAX_MINUTES, Ticket, TicketDraft, TicketHeader, TicketRefusal,
};
