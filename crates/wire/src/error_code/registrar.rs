//! The rows of the registrar.

use std::time::Duration;

use tonic::Code;

use super::{ErrorCode, ErrorRow, Retry};

const fn after(millis: u64) -> Retry {
    Retry::After(Duration::from_millis(millis))
}

pub(super) const REGISTRAR: [ErrorRow; 18] = [
    ErrorRow {
        code: ErrorCode::StatementInvalid,
        name: "statement_invalid",
        grpc: Code::PermissionDenied,
        meaning: "The statement cannot be read, or no key that is known of this insurer signed it, or the member id is another insurer's.",
        next: "Sign it with the insurer's registered key, for a member id of its own.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::StatementStale,
        name: "statement_stale",
        grpc: Code::FailedPrecondition,
        meaning: "The statement was signed more than ten minutes from the registrar's clock.",
        next: "Sign it anew, and have the clocks compared.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::EntriesDiffer,
        name: "entries_differ",
        grpc: Code::InvalidArgument,
        meaning: "The two entries of the registration differ, so one of them is mistyped.",
        next: "Enter the person again.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::EntryUnconfirmed,
        name: "entry_unconfirmed",
        grpc: Code::FailedPrecondition,
        meaning: "What was entered once only is not known of this member id already.",
        next: "Have it entered once more by somebody who did not see the first entry, and send both.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::RegisterMismatch,
        name: "register_mismatch",
        grpc: Code::FailedPrecondition,
        meaning: "The register of residents does not know such a person, and the member id is somebody else's.",
        next: "Compare the entry with the person's papers.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::RegisterSilent,
        name: "register_silent",
        grpc: Code::Unavailable,
        meaning: "The register of residents did not answer, and only it could tell whose the member id is.",
        next: "Send the same again later.",
        retry: after(60_000),
    },
    ErrorRow {
        code: ErrorCode::BindingUnknown,
        name: "binding_unknown",
        grpc: Code::NotFound,
        meaning: "The insurer has registered nobody with this member id and birth date.",
        next: "Register the person first.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::BindingNotSettled,
        name: "binding_not_settled",
        grpc: Code::FailedPrecondition,
        meaning: "It is not settled whose the member id is.",
        next: "Send the registration again once the register of residents has the person.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::PatientUnknown,
        name: "patient_unknown",
        grpc: Code::NotFound,
        meaning: "Nobody can be checked in on what was shown.",
        next: "Compare it with the card, ask for the eligibility, and care for the patient now.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::CardInvalid,
        name: "card_invalid",
        grpc: Code::PermissionDenied,
        meaning: "The card or its proof cannot be read, or no known authority signed the card, or the card did not sign the proof.",
        next: "Have the card read again.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::CardExpired,
        name: "card_expired",
        grpc: Code::PermissionDenied,
        meaning: "The card is no longer valid.",
        next: "Check the patient in by an insurer's token, or by member id and birth date.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::CardOtherInstitution,
        name: "card_other_institution",
        grpc: Code::PermissionDenied,
        meaning: "The proof of the card names another institution.",
        next: "Have the card read here.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::CardStale,
        name: "card_stale",
        grpc: Code::PermissionDenied,
        meaning: "The proof of the card is more than two minutes from the registrar's clock.",
        next: "Have the card read again, and the clocks compared.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::CardUsed,
        name: "card_used",
        grpc: Code::PermissionDenied,
        meaning: "The proof of the card was used before.",
        next: "Have the card read again.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::NothingGranted,
        name: "nothing_granted",
        grpc: Code::InvalidArgument,
        meaning: "The patient consented to nothing, and nothing says why anything may be put.",
        next: "Ask for what is needed, or ask for the eligibility only.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::GrantUnknown,
        name: "grant_unknown",
        grpc: Code::PermissionDenied,
        meaning: "The institution has no such grant.",
        next: "Check the patient in.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::GrantEnded,
        name: "grant_ended",
        grpc: Code::PermissionDenied,
        meaning: "The grant has ended by the registrar's clock.",
        next: "Check the patient in again.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::KeyholderUnavailable,
        name: "keyholder_unavailable",
        grpc: Code::Unavailable,
        meaning: "A key holder did not do its part of the ticket in time, or its budget is used up.",
        next: "Ask for new tickets under the grant.",
        retry: after(1_000),
    },
];
