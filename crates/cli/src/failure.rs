//! Why a command did not do what was asked.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use renkei_access::{InvalidActor, InvalidDirectory};
use renkei_envelope::InvalidKeyFile;
use renkei_ids::NodeId;
use renkei_launch::{CertError, CloudError, KeyholderLaunchError, RegistrarLaunchError};
use renkei_runtime::{Address, InvalidIdentity, SecretFileError, TlsError};
use renkei_wire::limits::DOCUMENT_MAX_BYTES;
use renkei_wire::{InvalidRefusal, Refusal};
use tonic::Status;

use crate::control::ControlError;
use crate::documents::DocumentError;
use crate::exit::Exit;
use crate::scan::{InvalidTokens, ScanError};

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("starting the async runtime")]
    Runtime {
        #[source]
        source: io::Error,
    },
    #[error("reading {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("reading the configuration {}", path.display())]
    Config {
        path: PathBuf,
        #[source]
        source: toml::de::Error,
    },
    #[error("{what} is needed: give {flag}, or a file that has it with --config")]
    Missing { what: &'static str, flag: &'static str },
    #[error("loading the certificate")]
    Tls {
        #[source]
        source: TlsError,
    },
    #[error("making certificates in {}", dir.display())]
    Certificates {
        dir: PathBuf,
        #[source]
        source: CertError,
    },
    #[error("reading the documents in {}", dir.display())]
    Documents {
        dir: PathBuf,
        #[source]
        source: DocumentError,
    },
    #[error("taking texts to look for")]
    Tokens {
        #[source]
        source: InvalidTokens,
    },
    #[error("looking for plaintext in {}", dir.display())]
    Scan {
        dir: PathBuf,
        #[source]
        source: ScanError,
    },
    #[error("making the control")]
    Control {
        #[source]
        source: ControlError,
    },
    #[error("reading the directory{}", path.as_ref().map(|path| format!(" {}", path.display())).unwrap_or_default())]
    Directory {
        path: Option<PathBuf>,
        #[source]
        source: InvalidDirectory,
    },
    #[error("no directory was published there yet")]
    NoDirectory,
    #[error("the directory names no such {what}")]
    NotInDirectory { what: &'static str },
    #[error("the directory says so already")]
    NothingChanged,
    #[error("reading the layout: {what}")]
    Layout { what: &'static str },
    #[error("reading the certificate {}", path.display())]
    Certificate {
        path: PathBuf,
        #[source]
        source: InvalidIdentity,
    },
    #[error("the certificate {} is not that of a process of role {role}", path.display())]
    OtherRole { path: PathBuf, role: &'static str },
    #[error("signing the actor")]
    Actor {
        #[source]
        source: InvalidActor,
    },
    #[error("reading a secret")]
    Secret {
        #[source]
        source: SecretFileError,
    },
    #[error("{} does not have the 32 bytes of a secret", path.display())]
    SecretLength { path: PathBuf },
    #[error("reading the key file {}", path.display())]
    StatementKey {
        path: PathBuf,
        #[source]
        source: InvalidKeyFile,
    },
    #[error("writing {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is empty, or longer than {most} bytes", path.display())]
    Size { path: PathBuf, most: usize },
    #[error("{} holds no pseudonym, which is written in 64 hexadecimal digits", path.display())]
    Pseudonym { path: PathBuf },
    #[error("{} holds more than {DOCUMENT_MAX_BYTES} bytes, the most that a document has", path.display())]
    DocumentTooLarge { path: PathBuf },
    #[error("{} is not empty, and a demo begins with nothing", dir.display())]
    NotEmpty { dir: PathBuf },
    #[error("running the cloud")]
    Launch {
        #[source]
        source: CloudError,
    },
    #[error("running the registrar")]
    Registrar {
        #[source]
        source: RegistrarLaunchError,
    },
    #[error("running the key holders")]
    Keyholder {
        #[source]
        source: KeyholderLaunchError,
    },
    #[error("{persons} persons were registered, and not settled")]
    Unsettled { persons: usize },
    #[error("{address} checked somebody in without a ticket for the cloud")]
    NoTicket { address: Box<str> },
    #[error("no node leads a group of records")]
    NoLeader,
    #[error("{acknowledged} of {goal} operations were acknowledged in {} s", after.as_secs())]
    Stalled { acknowledged: u64, goal: u64, after: Duration },
    #[error("node {node} was not back after {} s", after.as_secs())]
    NotBack { node: NodeId, after: Duration },
    #[error("interrupted; every process was ended")]
    Interrupted,
    #[error("{address} sent {received} bytes of a document of {announced}")]
    Length { address: Box<str>, announced: usize, received: usize },
    #[error("writing to standard output")]
    Output {
        #[source]
        source: io::Error,
    },
    #[error("asking {address}")]
    Refused {
        address: Box<str>,
        #[source]
        source: Refusal,
    },
    #[error("asking {address}, which did not answer")]
    Unreachable {
        address: Box<str>,
        #[source]
        source: Box<Status>,
    },
    #[error("asking {address}, which did not answer within {seconds} s")]
    TimedOut { address: Box<str>, seconds: u64 },
    #[error("reading the refusal of {address}")]
    UnreadableRefusal {
        address: Box<str>,
        #[source]
        source: InvalidRefusal,
    },
    #[error("reading the answer of {address}")]
    UnreadableAnswer {
        address: Box<str>,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Failure {
    /// What a status other than `ok` means: a refusal of the service, or no answer.
    pub(crate) fn of_status(address: &Address, status: Status) -> Self {
        let address = address.to_string().into();
        match Refusal::from_status(&status) {
            Ok(source) => Self::Refused { address, source },
            Err(InvalidRefusal::Absent(_)) => Self::Unreachable { address, source: Box::new(status) },
            Err(source) => Self::UnreadableRefusal { address, source },
        }
    }

    /// An answer that does not read.
    pub(crate) fn unreadable(address: &Address, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::UnreadableAnswer { address: address.to_string().into(), source: source.into() }
    }

    /// The exit code that says it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } | Self::NoDirectory => Exit::Refused,
            Self::Runtime { .. }
            | Self::Read { .. }
            | Self::Config { .. }
            | Self::Missing { .. }
            | Self::Tls { .. }
            | Self::Certificates { .. }
            | Self::Documents { .. }
            | Self::Tokens { .. }
            | Self::Scan { .. }
            | Self::Control { .. }
            | Self::Directory { .. }
            | Self::NotInDirectory { .. }
            | Self::NothingChanged
            | Self::Layout { .. }
            | Self::Certificate { .. }
            | Self::OtherRole { .. }
            | Self::Actor { .. }
            | Self::Secret { .. }
            | Self::SecretLength { .. }
            | Self::StatementKey { .. }
            | Self::Write { .. }
            | Self::Size { .. }
            | Self::Pseudonym { .. }
            | Self::DocumentTooLarge { .. }
            | Self::NotEmpty { .. }
            | Self::Output { .. } => Exit::Usage,
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Launch { .. }
            | Self::Registrar { .. }
            | Self::Keyholder { .. }
            | Self::NoLeader
            | Self::Stalled { .. }
            | Self::NotBack { .. } => Exit::Unreachable,
            Self::Interrupted => Exit::Interrupted,
            Self::UnreadableRefusal { .. }
            | Self::UnreadableAnswer { .. }
            | Self::Length { .. }
            | Self::Unsettled { .. }
            | Self::NoTicket { .. } => Exit::Integrity,
        }
    }
}
