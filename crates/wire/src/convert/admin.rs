//! Messages of the admin service.

mod bootstrap;
mod digest;
mod member;
mod node_at;
mod open_replica;
mod status;
mod vault_status;

pub use bootstrap::{InvalidBootstrapReply, InvalidBootstrapRequest};
pub use digest::{InvalidDigestReply, InvalidReplicaDigest};
pub use member::InvalidMember;
pub use node_at::{InvalidNodeAt, InvalidNodes};
pub use open_replica::InvalidOpenReplicaRequest;
pub use status::{InvalidReplicaStatus, InvalidStatusReply};
pub use vault_status::InvalidVaultStatus;
