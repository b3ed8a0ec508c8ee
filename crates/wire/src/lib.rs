//! The boundary: generated protobuf, one conversion for each message, one error table.
//!
//! Invariant: bytes from outside become a validated type or a named refusal here, and nowhere else does a gRPC status
//! grow.
//!
//! A server turns a [`pb`] message into its type with `try_from`, and what that refuses into a [`Refusal`] with `into`;
//! a client builds the same types and sends them with `into`. Limits are in [`limits`].

mod actor;
pub mod admin;
mod body;
mod bounds;
mod call;
mod card;
mod codec;
mod convert;
pub mod directory;
mod error_code;
mod frame;
pub mod keyholder;
pub mod limits;
mod node_address;
pub mod pb;
pub mod peer;
pub mod record;
mod redacted;
mod refusal;
pub mod registrar;
mod reply;
mod request;
mod route_map;
mod ticket;
pub mod transfer;
pub mod vault;

pub use body::{BodyAssembly, BodyPiece, InvalidBody, pieces};
pub use bounds::{InvalidSize, OutOfRange};
pub use call::CallId;
pub use codec::is_countable;
pub use convert::*;
pub use error_code::{ErrorCode, ErrorRow, Retry, UnknownErrorCode, error_table_markdown};
pub use frame::{ReplyFrame, ReplyItem, RequestFrame, RequestItem};
pub use node_address::{InvalidNodeAddress, NodeAddress};
pub use pb::DESCRIPTORS;
pub use pb::admin::v1::node_admin_service_client::NodeAdminServiceClient;
pub use pb::admin::v1::node_admin_service_server::{NodeAdminService, NodeAdminServiceServer};
pub use pb::admin::v1::registrar_admin_service_client::RegistrarAdminServiceClient;
pub use pb::admin::v1::registrar_admin_service_server::{RegistrarAdminService, RegistrarAdminServiceServer};
pub use pb::admin::v1::vault_admin_service_client::VaultAdminServiceClient;
pub use pb::admin::v1::vault_admin_service_server::{VaultAdminService, VaultAdminServiceServer};
pub use pb::directory::v1::directory_service_client::DirectoryServiceClient;
pub use pb::directory::v1::directory_service_server::{DirectoryService, DirectoryServiceServer};
pub use pb::keyholder::v1::keyholder_service_client::KeyholderServiceClient;
pub use pb::keyholder::v1::keyholder_service_server::{KeyholderService, KeyholderServiceServer};
pub use pb::node::v1::node_service_client::NodeServiceClient;
pub use pb::node::v1::node_service_server::{NodeService, NodeServiceServer};
pub use pb::peer::v1::peer_service_client::PeerServiceClient;
pub use pb::peer::v1::peer_service_server::{PeerService, PeerServiceServer};
pub use pb::record::v1::record_service_client::RecordServiceClient;
pub use pb::record::v1::record_service_server::{RecordService, RecordServiceServer};
pub use pb::registrar::v1::registrar_service_client::RegistrarServiceClient;
pub use pb::registrar::v1::registrar_service_server::{RegistrarService, RegistrarServiceServer};
pub use pb::transfer::v1::transfer_service_client::TransferServiceClient;
pub use pb::transfer::v1::transfer_service_server::{TransferService, TransferServiceServer};
pub use pb::vault::v1::vault_service_client::VaultServiceClient;
pub use pb::vault::v1::vault_service_server::{VaultService, VaultServiceServer};
pub use refusal::{FieldName, InvalidFieldName, InvalidRefusal, Refusal};
pub use reply::{AuditPage, AuditRef, AuditRow, EntryBody, NodeReply, Outcome, RecordEntry, Stored, TimelinePage};
pub use request::{
    DeleteRecord, GetRecord, ListAudit, NodeRequest, Operation, PutBody, PutRecord, ReadTimeline, RevokeCapability,
    SetRules, TimelinePosition,
};
pub use route_map::{GroupPlace, RouteMap};
