//! What only a build with the feature `dev-insecure` does, and where it may run.

use std::net::SocketAddr;

use renkei_runtime::Tls;

/// Stands in every binary with the feature and in no other; a test searches the built binary for it.
pub(crate) const MARKER: &str = "renkei-vault dev-insecure: patients open by pseudonym, without a ticket";

/// Whether a build that opens without tickets may serve here: under a development authority, on loopback.
pub(crate) fn may_serve(tls: &Tls, listen: SocketAddr) -> bool {
    tls.is_development() && listen.ip().is_loopback()
}
