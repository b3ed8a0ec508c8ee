//! What a registrar replicates, and how it changes: deterministic, total, and pure.
//!
//! Invariant: everything that could differ between replicas is inside the command: time, random values, limits, what the
//! register of residents answered. Persons are in commands and rows as tags and sealed values, so that neither log nor
//! state nor snapshot holds one in the clear.

mod apply;
mod attend;
mod budget;
mod command;
mod day;
mod days;
mod directing;
mod find;
mod footprint;
mod forget;
mod insure;
mod log_row;
mod refusals;
mod rows;
mod store;
pub(crate) mod stored;
mod verdict;

pub use apply::{ITEMS_MAX, apply};
pub use attend::{ADMISSION_MINUTES_MAX, CLOUDS_MAX, GRANT_MINUTES_MAX, evidence_of, size_of};
pub use budget::Limits;
pub use command::{
    Ask, Attend, CheckIn, Command, Direct, Eligibility, End, Enrol, Founding, InstitutionItem, Insure, InsurerItem,
    KeepDay, Match, Nothing, Print, Register, RegisterAnswer, Renew, Revoke, SALT_BYTES, Say, Shown, ShownCard,
    ShownMember, ShownToken,
};
pub use day::Day;
pub use days::day_secret;
pub use directing::signed_directory;
pub use find::{Found, by_member, current};
pub use forget::{LOG_DAYS, VISIT_DAYS};
pub use log_row::{Asked, Came, LogRow, Who, log_row};
pub use rows::{
    BindingRow, GrantRow, Head, HistoryRow, InstitutionRow, MemberRow, PersonRow, QUEUES, ResidentRow, Span, Standing,
    TokenRow, VisitRow, binding_row, grant_row, head, history_row, institution_row, member_row, person_row,
    resident_row, token_row, visit_row,
};
pub use store::{StateError, Store, TABLES, Table, View};
pub use stored::Unreadable;
pub use verdict::{Admitted, Answer, Done, Eligible, Outcome, Reason, Refused, Registered, Verdict, Verdicts};

#[cfg(test)]
mod tests;
