//! Who a peer is, parsed once from its certificate.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use renkei_ids::{CloudId, KeyHash, UnixMillis};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Longest name in an identity, in bytes.
pub const MAX_NAME_LEN: usize = 64;

const SCHEME: &str = "renkei://";

/// What a process or a person is, as its certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Holds ciphertext.
    Node,
    /// Serves institutions; a cell.
    Gateway,
    /// Holds keys.
    Vault,
    /// A hospital, clinic or pharmacy.
    Institution,
    /// Says who is insured; its name is its eight digits.
    Insurer,
    /// A person who administers.
    Operator,
    /// Knows persons.
    Registrar,
    /// Holds a factor of the pseudonym keys.
    Keyholder,
    /// The load tester.
    Loadtest,
}

/// A word that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct UnknownRole;

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::Node,
        Self::Gateway,
        Self::Vault,
        Self::Institution,
        Self::Insurer,
        Self::Operator,
        Self::Registrar,
        Self::Keyholder,
        Self::Loadtest,
    ];

    /// The word that stands in a certificate.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Gateway => "gateway",
            Self::Vault => "vault",
            Self::Institution => "institution",
            Self::Insurer => "insurer",
            Self::Operator => "operator",
            Self::Registrar => "registrar",
            Self::Keyholder => "keyholder",
            Self::Loadtest => "loadtest",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// Who a certificate is of: its one URI name `renkei://<cloud, 32 hex digits>/<role>/<name>`, its key and its end.
///
/// Handlers find the caller's in `request.extensions()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The cloud that it belongs to; all zeros for those that belong to none.
    pub cloud: CloudId,
    /// What it is.
    pub role: Role,
    /// Which one of its role: 1 to [`MAX_NAME_LEN`] of `a-z 0-9 - . _`. A node's is its number.
    pub name: Arc<str>,
    /// SHA-256 of its subject public key info.
    pub key_hash: KeyHash,
    /// The certificate's last moment.
    pub expires: UnixMillis,
}

/// Why a certificate names no peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum InvalidIdentity {
    #[error("not an X.509 certificate")]
    NotACertificate,
    #[error("the certificate's alternative names cannot be read")]
    UnreadableNames,
    #[error("the certificate has no renkei:// URI name")]
    NoUri,
    #[error("the certificate has several URI names")]
    SeveralUris,
    #[error("a renkei:// URI has the parts cloud, role and name, and no others")]
    Parts,
    #[error("reading the cloud")]
    Cloud {
        #[source]
        source: <CloudId as FromStr>::Err,
    },
    #[error("reading the role")]
    Role {
        #[source]
        source: UnknownRole,
    },
    #[error("a name has 1 to {MAX_NAME_LEN} characters of a-z 0-9 - . _")]
    Name,
    #[error("the certificate ends before 1970")]
    Expiry,
}

impl PeerIdentity {
    /// Reads a DER certificate. It says nothing about who signed it: TLS has checked that before.
    pub fn from_certificate(der: &[u8]) -> Result<Self, InvalidIdentity> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| InvalidIdentity::NotACertificate)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| InvalidIdentity::UnreadableNames)?
            .ok_or(InvalidIdentity::NoUri)?;
        let mut uris = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let uri = uris.next().ok_or(InvalidIdentity::NoUri)?;
        if uris.next().is_some() {
            return Err(InvalidIdentity::SeveralUris);
        }
        let (cloud, role, name) = parse_uri(uri)?;
        let key = digest(&SHA256, certificate.public_key().raw);
        let key: [u8; KeyHash::LEN] = key.as_ref().try_into().expect("SHA-256 gives as many bytes as a KeyHash has");
        let expires = u64::try_from(certificate.validity().not_after.timestamp())
            .map_err(|_| InvalidIdentity::Expiry)?
            .saturating_mul(1000);
        Ok(Self { cloud, role, name, key_hash: KeyHash::from_bytes(key), expires: UnixMillis(expires) })
    }

    /// Reads the first certificate of a PEM text, as a file of one holds it.
    pub fn from_pem(text: &[u8]) -> Result<Self, InvalidIdentity> {
        let first = CertificateDer::pem_slice_iter(text).next();
        let der = first.and_then(Result::ok).ok_or(InvalidIdentity::NotACertificate)?;
        Self::from_certificate(&der)
    }

    /// The URI that a certificate for this cloud, role and name carries; refused when it could not be read back.
    pub fn uri(cloud: CloudId, role: Role, name: &str) -> Result<String, InvalidIdentity> {
        let uri = format!("{SCHEME}{cloud}/{role}/{name}");
        parse_uri(&uri).map(|_| uri)
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}/{}", self.cloud, self.role, self.name)
    }
}

fn parse_uri(uri: &str) -> Result<(CloudId, Role, Arc<str>), InvalidIdentity> {
    let mut parts = uri.strip_prefix(SCHEME).ok_or(InvalidIdentity::NoUri)?.split('/');
    let (Some(cloud), Some(role), Some(name), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(InvalidIdentity::Parts);
    };
    // The hexadecimal digits are lower case, so that one peer has one URI.
    if cloud.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(InvalidIdentity::Parts);
    }
    let cloud = cloud.parse().map_err(|source| InvalidIdentity::Cloud { source })?;
    let role = role.parse().map_err(|source| InvalidIdentity::Role { source })?;
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME_LEN || !name.bytes().all(allowed) {
        return Err(InvalidIdentity::Name);
    }
    Ok((cloud, role, name.into()))
}

#[cfg(test)]
mod tests;
