//! One conversion for each message, both ways. Every field is destructured, so that a new one does not go unseen, and
//! one that is missing is a named refusal.

mod admin;
mod audit_page;
mod audit_ref;
mod audit_row;
mod body_piece;
mod delete_record;
mod directory;
mod frames;
mod get_record;
mod keyholder;
mod list_audit;
mod peer_frame;
mod peer_frames;
mod put_record;
mod read_timeline;
mod record;
mod record_entry;
mod registrar;
mod reply;
mod reply_frame;
mod request;
mod request_frame;
mod revoke_capability;
mod route_map;
mod set_rules;
mod signed_capability;
mod stored;
mod timeline_page;
mod timeline_position;
mod transfer;
mod vault;

pub use admin::{
    InvalidAddNodeRequest, InvalidBootstrapReply, InvalidBootstrapRequest, InvalidChangeMembersRequest,
    InvalidClaimDiskRequest, InvalidDigestReply, InvalidFollowReply, InvalidFollowRequest, InvalidJob,
    InvalidJobsReply, InvalidMember, InvalidNodeAt, InvalidNodes, InvalidOpenReplicaRequest, InvalidPlacementReply,
    InvalidRegistrarStatus, InvalidReplicaDigest, InvalidReplicaStatus, InvalidStatusReply, InvalidSubmitReply,
    InvalidSubmitRequest, InvalidTransferLeaderRequest, InvalidVaultStatus,
};
pub use audit_page::InvalidAuditPage;
pub use audit_ref::InvalidAuditRef;
pub use audit_row::InvalidAuditRow;
pub use body_piece::InvalidBodyPiece;
pub use delete_record::InvalidDeleteRecord;
pub use directory::InvalidDirectoryMessage;
pub use frames::TooManyFrames;
pub use get_record::InvalidGetRecord;
pub use keyholder::{InvalidHeldTicketKey, InvalidMintItem, InvalidMintReply, InvalidMintRequest, InvalidMinted};
pub use list_audit::InvalidListAudit;
pub use peer_frame::InvalidPeerFrame;
pub use peer_frames::InvalidPeerFrames;
pub use put_record::InvalidPutRecord;
pub use read_timeline::InvalidReadTimeline;
pub use record::{InvalidRecordMessage, evidence_word, month_text, purpose_word, read_month};
pub use record_entry::InvalidRecordEntry;
pub use registrar::{InvalidRegistrarMessage, InvalidRegistrarTicketKey};
pub use reply::InvalidReply;
pub use reply_frame::{InvalidReplyFrame, InvalidReplyItem};
pub use request::InvalidRequest;
pub use request_frame::{InvalidRequestFrame, InvalidRequestItem};
pub use revoke_capability::InvalidRevokeCapability;
pub use route_map::InvalidRouteMap;
pub use set_rules::InvalidSetRules;
pub use signed_capability::InvalidSignedCapability;
pub use stored::InvalidStored;
pub use timeline_page::InvalidTimelinePage;
pub use timeline_position::InvalidTimelinePosition;
pub use transfer::InvalidTransfer;
pub use vault::{
    InvalidBatch, InvalidClass, InvalidClassGrant, InvalidDeleteGrant, InvalidDeleteItem, InvalidInsecureOpening,
    InvalidOpenStubsReply, InvalidOpenStubsRequest, InvalidOpened, InvalidOpenedStub, InvalidPutGrant, InvalidPutItem,
    InvalidResults, InvalidSealedStub, InvalidTicketOpening, UnknownValue,
};

use bytes::Bytes;

fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
