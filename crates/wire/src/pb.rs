//! Generated protobuf messages, clients and servers. Only conversions and transports name them.

use crate::redacted::redacted;

/// The encoded `FileDescriptorSet` of every service, for reflection and for the baseline of compatibility.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

macro_rules! generated {
    ($(#[$doc:meta])* $name:ident, $package:literal) => {
        $(#[$doc])*
        pub mod $name {
            /// Version 1.
            #[allow(
                missing_docs,
                missing_debug_implementations,
                unreachable_pub,
                clippy::all,
                clippy::disallowed_types,
                clippy::too_many_lines,
                clippy::allow_attributes_without_reason,
                reason = "generated code; its documentation is the proto file"
            )]
            pub mod v1 {
                tonic::include_proto!($package);
            }
        }
    };
}

generated!(
    /// What operators ask of nodes and vaults, and each of these on behalf of one another.
    admin, "renkei.admin.v1"
);
generated!(
    /// What operators and followers ask of whoever keeps the directory.
    directory, "renkei.directory.v1"
);
generated!(
    /// What a registrar and vaults ask of a key holder.
    keyholder, "renkei.keyholder.v1"
);
generated!(
    /// What a gateway asks of a node.
    node, "renkei.node.v1"
);
generated!(
    /// What nodes of one cloud say to each other.
    peer, "renkei.peer.v1"
);
generated!(
    /// What an institution asks of its gateway.
    record, "renkei.record.v1"
);
generated!(
    /// What insurers, institutions and vaults ask of a registrar.
    registrar, "renkei.registrar.v1"
);
generated!(
    /// What nodes ask of each other while slots move between groups.
    transfer, "renkei.transfer.v1"
);
generated!(
    /// What a gateway asks of a vault.
    vault, "renkei.vault.v1"
);

// The list is that of `REDACTED` in build.rs: one that is missing here does not compile, one too many neither.
redacted! {
    keyholder::v1::MintRequest
    keyholder::v1::MintItem
    keyholder::v1::Minted
    keyholder::v1::TicketKeyReply
    node::v1::SignedCapability
    node::v1::Request
    node::v1::request::Operation
    node::v1::GetRecord
    node::v1::TimelinePosition
    node::v1::ReadTimeline
    node::v1::PutRecord
    node::v1::DeleteRecord
    node::v1::SetRules
    node::v1::RevokeCapability
    node::v1::AuditRef
    node::v1::RecordEntry
    node::v1::AuditRow
    node::v1::BodyPiece
    peer::v1::PeerFrame
    record::v1::Patient
    record::v1::patient::OpenedBy
    record::v1::Actor
    record::v1::PutHead
    record::v1::PutDocumentRequest
    record::v1::put_document_request::Part
    record::v1::ReplaceHead
    record::v1::ReplaceDocumentRequest
    record::v1::replace_document_request::Part
    record::v1::PutDocumentReply
    record::v1::BulkPutRequest
    record::v1::bulk_put_request::Part
    record::v1::BulkPutReply
    record::v1::bulk_put_reply::Outcome
    record::v1::GetDocumentRequest
    record::v1::GetDocumentReply
    record::v1::get_document_reply::Part
    record::v1::QueryTimelineRequest
    record::v1::TimelineEntry
    record::v1::TimelinePage
    record::v1::DeleteDocumentRequest
    record::v1::ListAuditRequest
    record::v1::AuditEntry
    registrar::v1::RegisterRequest
    registrar::v1::SignedStatement
    registrar::v1::InsurerStatement
    registrar::v1::insurer_statement::Say
    registrar::v1::Registration
    registrar::v1::Entry
    registrar::v1::FiveItems
    registrar::v1::Insured
    registrar::v1::EndOfInsurance
    registrar::v1::IssueToken
    registrar::v1::RevokeToken
    registrar::v1::RegisterReply
    registrar::v1::RegisterResult
    registrar::v1::register_result::Outcome
    registrar::v1::Asking
    registrar::v1::Actor
    registrar::v1::CheckEligibilityRequest
    registrar::v1::Eligibility
    registrar::v1::BulkEligibilityRequest
    registrar::v1::BulkEligibilityReply
    registrar::v1::BulkResult
    registrar::v1::bulk_result::Outcome
    registrar::v1::CheckInRequest
    registrar::v1::check_in_request::Shown
    registrar::v1::PresentedCard
    registrar::v1::RenewRequest
    registrar::v1::CheckedIn
    registrar::v1::CloudTicket
    registrar::v1::cloud_ticket::Outcome
    registrar::v1::TicketKeyReply
    record::v1::OpenTicketsRequest
    transfer::v1::CopySlotsRequest
    transfer::v1::CopyProgress
    transfer::v1::MovedRow
    vault::v1::OpenInsecureRequest
    vault::v1::PutsRequest
    vault::v1::DeletesRequest
    vault::v1::InsecureOpening
    vault::v1::OpenTicketsRequest
    vault::v1::TicketOpening
    vault::v1::Opened
    vault::v1::ClassGrant
    vault::v1::YearKey
    vault::v1::PutItem
    vault::v1::Replaced
    vault::v1::PutGrant
    vault::v1::DeleteItem
    vault::v1::DeleteGrant
    vault::v1::OpenStubsRequest
    vault::v1::SealedStub
    vault::v1::OpenedStub
}
