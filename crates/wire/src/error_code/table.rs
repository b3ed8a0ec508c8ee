//! The rows. A name never changes its meaning; a code that goes out of use keeps its row.

use std::time::Duration;

use tonic::Code;

use super::documents::DOCUMENTS;
use super::{ErrorCode, ErrorRow, Retry};

const COUNT: usize = SERVICES.len() + DOCUMENTS.len();

/// Those of the services, then those of documents.
pub(super) const ROWS: [ErrorRow; COUNT] = {
    let mut rows = [SERVICES[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        rows[at] = if at < SERVICES.len() { SERVICES[at] } else { DOCUMENTS[at - SERVICES.len()] };
        at += 1;
    }
    rows
};

const fn after(millis: u64) -> Retry {
    Retry::After(Duration::from_millis(millis))
}

const fn after_refresh(millis: u64) -> Retry {
    Retry::AfterRefresh(Duration::from_millis(millis))
}

const SERVICES: [ErrorRow; 42] = [
    ErrorRow {
        code: ErrorCode::NotLeader,
        name: "not_leader",
        grpc: Code::Unavailable,
        meaning: "The replica asked does not lead its group.",
        next: "Go to the leader that the refusal names, or wait and ask another replica.",
        retry: after_refresh(50),
    },
    ErrorRow {
        code: ErrorCode::StaleEpoch,
        name: "stale_epoch",
        grpc: Code::FailedPrecondition,
        meaning: "The request was routed by a slot map older than this node's.",
        next: "Read the slot map and route anew.",
        retry: after_refresh(0),
    },
    ErrorRow {
        code: ErrorCode::WrongShard,
        name: "wrong_shard",
        grpc: Code::FailedPrecondition,
        meaning: "The patient's slot is not owned by the group that was asked.",
        next: "Read the slot map and route anew.",
        retry: after_refresh(20),
    },
    ErrorRow {
        code: ErrorCode::Busy,
        name: "busy",
        grpc: Code::ResourceExhausted,
        meaning: "The node holds as many bytes of work as it admits, and took nothing of this request.",
        next: "Wait as long as the refusal says, doubling on each further refusal.",
        retry: after(50),
    },
    ErrorRow {
        code: ErrorCode::DeadlineExceeded,
        name: "deadline_exceeded",
        grpc: Code::DeadlineExceeded,
        meaning: "The deadline passed before anything was proposed, so nothing took effect.",
        next: "Send a new request with a deadline of its own, if the answer is still wanted.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::OutcomeUnknown,
        name: "outcome_unknown",
        grpc: Code::Unknown,
        meaning: "The request was proposed, and whether it took effect is not known.",
        next: "Send it again with the same request id and idempotency key: a write then answers what happened, a read gets a row of its own.",
        retry: after_refresh(50),
    },
    ErrorRow {
        code: ErrorCode::Unavailable,
        name: "unavailable",
        grpc: Code::Unavailable,
        meaning: "The group has no leader, or its leader reaches no majority.",
        next: "Wait, then ask any replica of the group.",
        retry: after_refresh(200),
    },
    ErrorRow {
        code: ErrorCode::DiskLow,
        name: "disk_low",
        grpc: Code::ResourceExhausted,
        meaning: "The data disk is too full: writes stop at 15 % free, reads at 5 % since they write audit rows.",
        next: "Have an operator add space, and retry slowly meanwhile.",
        retry: after(5_000),
    },
    ErrorRow {
        code: ErrorCode::CapabilityInvalid,
        name: "capability_invalid",
        grpc: Code::Unauthenticated,
        meaning: "The capability cannot be read, or no key of this cloud's vault signed it.",
        next: "Ask the vault for a capability; if that one is refused too, the node's vault keys are wrong.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::CapabilityExpired,
        name: "capability_expired",
        grpc: Code::Unauthenticated,
        meaning: "The capability has expired by this node's clock.",
        next: "Ask the vault for a fresh capability.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::CapabilityOtherGateway,
        name: "capability_other_gateway",
        grpc: Code::PermissionDenied,
        meaning: "The capability names another gateway than the one whose certificate was presented.",
        next: "Present a capability that the vault gave to this gateway.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::CapabilityNotYetValid,
        name: "capability_not_yet_valid",
        grpc: Code::Unauthenticated,
        meaning: "The capability was issued further ahead of this node's clock than the leeway.",
        next: "Wait, and compare the clocks of vault and node.",
        retry: after(1_000),
    },
    ErrorRow {
        code: ErrorCode::CapabilityScope,
        name: "capability_scope",
        grpc: Code::PermissionDenied,
        meaning: "The capability does not allow this operation, or does not name this record for it.",
        next: "Ask the vault for a capability that does, if the ticket gives one.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::CapabilityRevoked,
        name: "capability_revoked",
        grpc: Code::PermissionDenied,
        meaning: "The capability was revoked.",
        next: "Ask the vault for a fresh capability, which it may refuse.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::RoleNotAllowed,
        name: "role_not_allowed",
        grpc: Code::PermissionDenied,
        meaning: "The role in the caller's certificate may not call this service.",
        next: "Use a certificate of the role that the service is for.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::CloudMismatch,
        name: "cloud_mismatch",
        grpc: Code::FailedPrecondition,
        meaning: "Caller and node belong to different clouds.",
        next: "Correct the addresses or the cloud id in the configuration.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::InvalidArgument,
        name: "invalid_argument",
        grpc: Code::InvalidArgument,
        meaning: "A field is missing, malformed or out of its range.",
        next: "Correct the field that the refusal names.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::TooLarge,
        name: "too_large",
        grpc: Code::InvalidArgument,
        meaning: "A field or a body is over its limit.",
        next: "Shorten the field that the refusal names, or send a body in pieces.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::VersionConflict,
        name: "version_conflict",
        grpc: Code::Aborted,
        meaning: "Another version of the record is stored than the request expects.",
        next: "Read the record, then write on top of the version that the refusal names.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::IdempotencyConflict,
        name: "idempotency_conflict",
        grpc: Code::AlreadyExists,
        meaning: "The idempotency key was used within its window for a request with other content.",
        next: "Use a new idempotency key for new content.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::Deleted,
        name: "deleted",
        grpc: Code::FailedPrecondition,
        meaning: "The record was deleted, and its id is never used again.",
        next: "Store the document as a new record.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::RulesConflict,
        name: "rules_conflict",
        grpc: Code::Aborted,
        meaning: "Another version of the rules is set than the request expects.",
        next: "Read the rules, then set them on top of the version that the refusal names.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::LimitReached,
        name: "limit_reached",
        grpc: Code::FailedPrecondition,
        meaning: "The record has as many versions, or the patient as many live revocations, as there can be.",
        next: "Store the document as a new record, or let revocations end.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::AlreadyBootstrapped,
        name: "already_bootstrapped",
        grpc: Code::AlreadyExists,
        meaning: "The cloud was founded before, by a request with other content; or the vault was, and the disk of the one that was asked is lost.",
        next: "Compare the status with what was asked for.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::NotBootstrapped,
        name: "not_bootstrapped",
        grpc: Code::FailedPrecondition,
        meaning: "The cloud, or the vault, has not been founded, or the process asked has not heard of it, for instance since its disk was lost.",
        next: "Found it, or wait until its founding has arrived; if others were founded, ask them.",
        retry: after(1_000),
    },
    ErrorRow {
        code: ErrorCode::JobUnderWay,
        name: "job_under_way",
        grpc: Code::FailedPrecondition,
        meaning: "A plan of placement jobs is under way, or the placement changed while this one was made.",
        next: "Wait until it is done, or have an operator abandon it.",
        retry: after(5_000),
    },
    ErrorRow {
        code: ErrorCode::NowhereToGo,
        name: "nowhere_to_go",
        grpc: Code::FailedPrecondition,
        meaning: "No node may take the replica: each one is drained or hosts the group already.",
        next: "Add a node first.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::OtherDisk,
        name: "other_disk",
        grpc: Code::FailedPrecondition,
        meaning: "The node works on another disk than the placement names for it.",
        next: "Bring the disk back, or have an operator replace the node.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::StaleOrder,
        name: "stale_order",
        grpc: Code::FailedPrecondition,
        meaning: "An order to move something was given before what the node or the group knows by now.",
        next: "Read the placement and the members of the group, and decide anew.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::Unimplemented,
        name: "unimplemented",
        grpc: Code::Unimplemented,
        meaning: "This build does not offer the operation.",
        next: "Use a build that does.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::InternalIo,
        name: "internal_io",
        grpc: Code::Internal,
        meaning: "The node could not read or write its own storage, and stops.",
        next: "Go to another replica, and have an operator look at the node's log.",
        retry: after_refresh(1_000),
    },
    ErrorRow {
        code: ErrorCode::ShuttingDown,
        name: "shutting_down",
        grpc: Code::Unavailable,
        meaning: "The node is stopping and took nothing of this request.",
        next: "Go to another replica.",
        retry: after_refresh(100),
    },
    ErrorRow {
        code: ErrorCode::BudgetExhausted,
        name: "budget_exhausted",
        grpc: Code::ResourceExhausted,
        meaning: "A budget of the vault, of the institution, the gateway or the slot, is used up for this minute or day.",
        next: "Wait as long as the refusal says; where the use is rightful and lasting, have an operator raise the budget.",
        retry: after(60_000),
    },
    ErrorRow {
        code: ErrorCode::EvidenceInsufficient,
        name: "evidence_insufficient",
        grpc: Code::PermissionDenied,
        meaning: "What stood behind the check-in does not allow this use for this purpose.",
        next: "Check the patient in with stronger evidence, or ask for less.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::OpeningInvalid,
        name: "opening_invalid",
        grpc: Code::Unauthenticated,
        meaning: "The opening cannot be read, or this cloud's vault did not seal it.",
        next: "Open the patient again.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::OpeningExpired,
        name: "opening_expired",
        grpc: Code::Unauthenticated,
        meaning: "The opening has expired by the vault's clock.",
        next: "Open the patient again.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::OpeningOtherGateway,
        name: "opening_other_gateway",
        grpc: Code::PermissionDenied,
        meaning: "The opening was given to another gateway than the one whose certificate was presented.",
        next: "Open the patient through this gateway.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::OpeningScope,
        name: "opening_scope",
        grpc: Code::PermissionDenied,
        meaning: "The opening was not asked for this use, or not for this class of record.",
        next: "Open the patient again for what is needed, if the evidence allows it.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::NotFound,
        name: "not_found",
        grpc: Code::NotFound,
        meaning: "There is no such record, or it is hidden or of a class that is not allowed: one answer for all three.",
        next: "Compare the reference with what was stored.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::ReferenceInvalid,
        name: "reference_invalid",
        grpc: Code::InvalidArgument,
        meaning: "The reference does not open for this institution and patient.",
        next: "Present a reference that this institution was given for this patient.",
        retry: Retry::No,
    },
    ErrorRow {
        code: ErrorCode::ContinuationInvalid,
        name: "continuation_invalid",
        grpc: Code::InvalidArgument,
        meaning: "The continuation does not open for this institution, patient and query.",
        next: "Begin the query anew, or repeat it unchanged.",
        retry: Retry::NewRequest,
    },
    ErrorRow {
        code: ErrorCode::IntegrityFailed,
        name: "integrity_failed",
        grpc: Code::DataLoss,
        meaning: "What is stored does not open under the record's key, so no byte of it is given.",
        next: "Have the cloud's operator look into it, for a stored record was changed.",
        retry: Retry::No,
    },
];
