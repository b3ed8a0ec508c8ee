//! Where a node listens.

use std::fmt;
use std::str::FromStr;

use tonic::codegen::http::uri::Authority;

use crate::limits::ADDRESS_MAX_BYTES;

/// `host:port` of a service: a DNS name or an IP address (version 6 in brackets), and a port that is not 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeAddress(Authority);

/// Text that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNodeAddress {
    /// It is longer than [`ADDRESS_MAX_BYTES`].
    #[error("address of {0} bytes is over the limit")]
    TooLong(usize),
    /// It has no readable host.
    #[error("address has no readable host")]
    Host,
    /// It has no port, or port 0.
    #[error("address has no port")]
    Port,
}

impl NodeAddress {
    /// The text, as an HTTP authority.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, an IPv6 address with its brackets.
    pub fn host(&self) -> &str {
        self.0.host()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.0.port_u16().expect("an address is only made with a port")
    }
}

impl FromStr for NodeAddress {
    type Err = InvalidNodeAddress;

    fn from_str(text: &str) -> Result<Self, InvalidNodeAddress> {
        if text.len() > ADDRESS_MAX_BYTES {
            return Err(InvalidNodeAddress::TooLong(text.len()));
        }
        let authority: Authority = text.parse().map_err(|_| InvalidNodeAddress::Host)?;
        if authority.host().is_empty() || text.contains('@') {
            return Err(InvalidNodeAddress::Host);
        }
        match authority.port_u16() {
            None | Some(0) => Err(InvalidNodeAddress::Port),
            Some(_) => Ok(Self(authority)),
        }
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_with_a_port_are_taken() {
        for (text, host, port) in [
            ("node-1.example:7000", "node-1.example", 7000),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("[::1]:65535", "[::1]", 65535),
        ] {
            let address: NodeAddress = text.parse().expect(text);
            assert_eq!((address.host(), address.port(), address.as_str()), (host, port, text));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", ":7000", "host", "host:", "host:0", "host:65536", "user@host:1", "http://host:1", "ho st:1", "::1:1"]
        {
            assert!(text.parse::<NodeAddress>().is_err(), "{text}");
        }
        let longest = format!("{}:65535", "a".repeat(253));
        assert!(longest.parse::<NodeAddress>().is_ok());
        assert_eq!(format!("a{longest}").parse::<NodeAddress>(), Err(InvalidNodeAddress::TooLong(260)));
    }
}
