//! Why an item is refused, as the error table has it.

use std::time::Duration;

use renkei_wire::{ErrorCode, Refusal};

use crate::state::{Reason, Refused};

pub(super) fn refusal(refused: Refused) -> Refusal {
    let Refused { reason, retry_after_millis } = refused;
    let refusal = Refusal::new(match reason {
        Reason::EntryUnconfirmed => ErrorCode::EntryUnconfirmed,
        Reason::RegisterMismatch => ErrorCode::RegisterMismatch,
        Reason::RegisterSilent => ErrorCode::RegisterSilent,
        Reason::NoBinding => ErrorCode::BindingUnknown,
        Reason::NotSettled => ErrorCode::BindingNotSettled,
        Reason::Nobody => ErrorCode::PatientUnknown,
        Reason::ProofUsed => ErrorCode::CardUsed,
        Reason::Evidence => ErrorCode::EvidenceInsufficient,
        Reason::NothingGranted => ErrorCode::NothingGranted,
        Reason::TooLong => return Refusal::invalid("minutes"),
        Reason::NoGrant => ErrorCode::GrantUnknown,
        Reason::GrantEnded => ErrorCode::GrantEnded,
        Reason::Budget => ErrorCode::BudgetExhausted,
        Reason::Locked | Reason::Breadth => ErrorCode::InstitutionLocked,
        Reason::NotEnrolled => ErrorCode::InstitutionNotEnrolled,
        Reason::Clash => ErrorCode::InternalIo,
        Reason::NotNewer => ErrorCode::DirectoryNotNewer,
    });
    match retry_after_millis {
        0 => refusal,
        millis => refusal.after(Duration::from_millis(millis)),
    }
}
