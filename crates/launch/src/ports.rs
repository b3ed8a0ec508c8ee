//! Loopback ports that stay ours: for a process that is killed and started again, they must not be taken in between.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

/// Why no port was reserved.
#[derive(Debug, thiserror::Error)]
#[error("reserving a loopback port")]
pub struct PortError {
    #[source]
    source: io::Error,
}

/// A loopback port that only a listener with SO_REUSEADDR can take (as `renkei_runtime::bind` sets), until dropped.
///
/// How (Linux): a socket that is bound and does not listen keeps the port from `bind(0)` and from outgoing connections.
/// It was bound without SO_REUSEADDR, so it collides with any earlier holder; having it set afterwards, it lets a
/// listener with SO_REUSEADDR in.
#[derive(Debug)]
pub struct ReservedPort {
    address: SocketAddr,
    _socket: Socket,
}

impl ReservedPort {
    /// Reserves a free port of 127.0.0.1.
    pub fn take() -> Result<Self, PortError> {
        reserve().map_err(|source| PortError { source })
    }

    /// The address to listen on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn reserve() -> io::Result<ReservedPort> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.set_reuse_address(true)?;
    let address = socket
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::new(io::ErrorKind::AddrNotAvailable, "the socket has no IP address"))?;
    Ok(ReservedPort { address, _socket: socket })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_reserved_port_takes_listener_after_listener() {
        let port = ReservedPort::take().unwrap();
        for _ in 0..3 {
            // std sets SO_REUSEADDR, as runtime does.
            let listener = TcpListener::bind(port.address()).unwrap();
            let client = TcpStream::connect(port.address()).unwrap();
            let (server, _) = listener.accept().unwrap();
            // The accepting side closes first, which leaves its port in time-wait.
            drop((server, client, listener));
        }
    }

    #[test]
    fn no_two_reservations_share_a_port() {
        let held: Vec<_> = (0..64).map(|_| ReservedPort::take().unwrap()).collect();
        let distinct: BTreeSet<_> = held.iter().map(ReservedPort::address).collect();
        assert_eq!(distinct.len(), held.len());
    }
}
