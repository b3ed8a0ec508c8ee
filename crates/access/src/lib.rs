//! What a node may do for whom: capabilities that a vault signs, and the rules that a patient sets. And what stands behind
//! a check-in, and follows from it: evidence, consent, tickets.
//!
//! Invariant: pure. No clock, no randomness, no disk: the moment and the keys are arguments. Nothing here knows a name;
//! institutions and classes are tags.

mod capability;
mod consent;
mod evidence;
mod rules;
mod statement;
mod ticket;

pub use capability::{
    CAPABILITY_MAX_BYTES, CLASSES_MAX, Capability, CapabilityRefusal, InvalidCapability, Period, Purpose, RECORDS_MAX,
    RecordGrant, STUB_MAX_BYTES, Scope, SignedCapability, SigningKey, VerifyingKey,
};
pub use consent::{CollectionBasis, ConsentCategory, ConsentSet, ConsentText};
pub use evidence::Evidence;
pub use rules::{Effect, InvalidRules, RULES_MAX, Rule, RuleSet, Subject, Target};
pub use statement::{Signed, Statement, StatementKey};
pub use ticket::{
    HOLDERS_MAX, InvalidTicket, Presented, SEALED_PART_MAX_BYTES, SealedParts, SealedShare, SignedTicket,
    TICKET_MAX_BYTES, TICKET_MAX_MINUTES, Ticket, TicketDraft, TicketHeader, TicketRefusal,
};
