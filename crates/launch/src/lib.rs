//! Starts real clouds on one machine: certificates, configuration, and the processes from the binaries beside its own.
//!
//! Invariant: knows of a service only its binary's name, its flags, its configuration keys and its admin port; the one party
//! that it plays itself is [`StandIn`], for the national side.
//!
//! Everything here blocks the calling thread. A process that is dropped is killed, and one whose starter dies ends too.

mod binary;
mod certs;
mod cloud;
mod gateway;
mod hosts;
mod keyholder;
mod node;
mod ports;
mod private;
mod process;
mod ready;
mod registrar;
mod stand_in;
mod usage;
mod vault;

pub use binary::{BinaryError, beside};
pub use certs::{Authority, CertError, DEFAULT_LIFE, Leaf};
pub use cloud::{Cloud, CloudError, CloudSpec, READY_TIMEOUT, STOP_TIMEOUT, certificate_key};
pub use gateway::{CellKeyError, CellPaths, GatewaySpec, gateway_config};
pub use hosts::{Host, HostError, Hosts};
pub use keyholder::{
    Keyholder, KeyholderLaunchError, KeyholderSpec, keyholder_config, make_keys as make_keyholder_keys,
};
pub use node::{NodeSpec, RaftProfile, node_config};
pub use ports::{PortError, ReservedPort};
pub use process::{LaunchError, Process, ProcessSpec};
pub use registrar::{RegistrarLaunchError, RegistrarSpec, Registrars, RegistrarsSpec, registrar_config};
pub use renkei_runtime::{InvalidIdentity, PeerIdentity, Role, SystemClock, SystemRandom, TlsFiles};
pub use stand_in::{CellEntry, StandIn, StandInError, TicketOrder, every_category};
pub use usage::{Usage, UsageError};
pub use vault::{VaultCommandError, VaultSpec, vault_config};
