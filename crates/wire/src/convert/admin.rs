//! Messages of the admin service.

mod bootstrap;
mod change_members;
mod claim_disk;
mod digest;
mod follow;
mod job;
mod jobs;
mod member;
mod node_at;
mod open_replica;
mod placement;
mod registrar_status;
mod status;
mod submit;
mod transfer_leader;
mod vault_status;

pub use bootstrap::{InvalidBootstrapReply, InvalidBootstrapRequest};
pub use change_members::InvalidChangeMembersRequest;
pub use claim_disk::InvalidClaimDiskRequest;
pub use digest::{InvalidDigestReply, InvalidReplicaDigest};
pub use follow::{InvalidFollowReply, InvalidFollowRequest};
pub use job::InvalidJob;
pub use jobs::InvalidJobsReply;
pub use member::InvalidMember;
pub use node_at::{InvalidNodeAt, InvalidNodes};
pub use open_replica::InvalidOpenReplicaRequest;
pub use placement::InvalidPlacementReply;
pub use registrar_status::InvalidRegistrarStatus;
pub use status::{InvalidReplicaStatus, InvalidStatusReply};
pub use submit::{InvalidAddNodeRequest, InvalidSubmitReply, InvalidSubmitRequest};
pub use transfer_leader::InvalidTransferLeaderRequest;
pub use vault_status::InvalidVaultStatus;
