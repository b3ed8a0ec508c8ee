//! Where a peer listens: host and port, from configuration.

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;
use rustls::pki_types::ServerName;

/// `host:port` of a peer: a DNS name, an IPv4 address or a bracketed IPv6 address, with a port.
///
/// The host must be one that a certificate can name, for the connector checks it against the peer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    authority: Authority,
    port: u16,
    server_name: ServerName<'static>,
}

/// Text that is not `host:port`.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum InvalidAddress {
    #[error("reading host:port")]
    Syntax {
        #[source]
        source: http::uri::InvalidUri,
    },
    #[error("an address needs a port")]
    NoPort,
    #[error("an address holds no user name")]
    UserInfo,
    #[error("no certificate can name the host")]
    Host {
        #[source]
        source: rustls::pki_types::InvalidDnsNameError,
    },
}

impl Address {
    /// The host as a certificate names it.
    pub fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// Host, without brackets, and port, as `tokio::net::TcpStream::connect` takes them.
    pub fn host_and_port(&self) -> (&str, u16) {
        (unbracketed(self.authority.host()), self.port)
    }

    /// The text, as a URI's authority.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text.contains('@') {
            return Err(InvalidAddress::UserInfo);
        }
        let authority: Authority = text.parse().map_err(|source| InvalidAddress::Syntax { source })?;
        let port = authority.port_u16().ok_or(InvalidAddress::NoPort)?;
        let host = unbracketed(authority.host()).to_owned();
        let server_name = ServerName::try_from(host).map_err(|source| InvalidAddress::Host { source })?;
        Ok(Self { authority, port, server_name })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.authority.fmt(f)
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|error: InvalidAddress| serde::de::Error::custom(crate::Chain(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        for (text, host) in [("n1.example:7001", "n1.example"), ("127.0.0.1:7001", "127.0.0.1"), ("[::1]:7001", "::1")]
        {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.host_and_port(), (host, 7001), "{text}");
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "n1.example", "n1.example:", "n1:70000", "u@n1:1", "a b:1", "http://n1:1", "n_1..x:1", ":1"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
