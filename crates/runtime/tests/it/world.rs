//! A certificate authority in a temporary folder, and peers with certificates of it.

use std::sync::Arc;

use renkei_ids::{Clock, CloudId, UnixMillis};
use renkei_launch::{Authority, Leaf};
use renkei_runtime::{Address, Admit, ExpectedPeer, Role, Shell, SystemClock, Tls, TlsFiles, bind};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) const HOUR: u64 = 3_600_000;

pub(crate) fn cloud() -> CloudId {
    CloudId::from_bytes([0xC1; 16])
}

pub(crate) fn now() -> UnixMillis {
    SystemClock::new().now()
}

/// One authority; each role and name has its own directory-wide unique files.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) authority: Authority,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::development(dir.path(), now()).unwrap();
        Self { dir, authority }
    }

    /// Under an authority that is not for development.
    pub(crate) fn production() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::create(dir.path(), "Some Ministry", now()).unwrap();
        Self { dir, authority }
    }

    pub(crate) fn files(&self, role: Role, name: &str) -> TlsFiles {
        self.authority.issue(&Leaf::local(cloud(), role, name, now())).unwrap()
    }

    pub(crate) fn tls(&self, role: Role, name: &str) -> Tls {
        Tls::load(&self.files(role, name), Arc::new(SystemClock::new())).unwrap()
    }

    pub(crate) fn shell(&self, role: Role, name: &str) -> Shell {
        Shell::new(role.as_str(), Arc::new(SystemClock::new()), self.tls(role, name))
    }
}

pub(crate) fn admit(roles: &'static [Role]) -> Admit {
    Admit { cloud: Some(cloud()), roles }
}

pub(crate) fn expect(role: Role, name: &str) -> ExpectedPeer {
    ExpectedPeer { cloud: cloud(), role, name: Some(name.into()) }
}

/// A listener on a free loopback port.
pub(crate) fn listener() -> (TcpListener, Address) {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    (listener, address)
}
