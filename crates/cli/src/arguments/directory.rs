//! What officers and operators do with the directory, as it is typed.

use std::path::PathBuf;

use renkei_access::{DailyVisits, InstitutionKind, Party, VerifyingKey};
use renkei_ids::{CellId, CloudId, InstitutionId};
use renkei_runtime::{Address, Role};

use super::InvalidArgument;
use crate::connection::Connection;

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum DirectoryCommand {
    /// Shows a directory, from a file or as a vault or a registrar has it.
    Show(DirectoryShowSettings),
    /// Makes the next directory with the clouds, cells, routes and registrars of a layout. Institutions stay as they are.
    LayOut(DirectoryLayOutSettings),
    /// Adds an officer's signature. What it changes is shown first; compare the digest with the other officers.
    Sign(DirectorySignSettings),
    /// Puts the signatures of several officers on one directory together.
    Combine(DirectoryCombineSettings),
    /// Has a vault or a registrar take a directory that enough officers signed. To be done for each of them.
    Publish(DirectoryPublishSettings),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DirectoryShowSettings {
    /// A directory's file. Without it a vault or a registrar is asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,

    /// Shows what it changes against the directory in this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// Writes here what was asked for; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE", conflicts_with = "directory")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) keepers: Keepers,
}

/// Those who keep the directory: one that leads is found among them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Keepers {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// A replica to ask. May be repeated; without it, the endpoints of the configuration are asked.
    #[arg(long = "endpoint", value_name = "HOST:PORT")]
    pub(crate) endpoints: Vec<Address>,

    /// What the endpoints are.
    #[arg(long, value_enum, default_value_t = KeeperKind::Vault)]
    pub(crate) of: KeeperKind,

    /// Seconds to go on trying while replicas are down or elect a leader.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) wait: u64,
}

/// Which service keeps a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum KeeperKind {
    /// A cloud's vault.
    Vault,
    /// The registrar.
    Registrar,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DirectoryLayOutSettings {
    /// The directory to start from; without it, one of version 1 with nothing else in it is made.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,

    /// TOML with the lists `registrars`, `clouds`, `cells` and `routes`; see deploy/directory-layout.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) layout: PathBuf,

    /// Where the next directory goes, signed by nobody; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DirectorySignSettings {
    /// The directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: PathBuf,

    /// The one that is in force, to be shown what changes.
    #[arg(long, value_name = "FILE")]
    pub(crate) against: Option<PathBuf>,

    /// The officer's key, as `renkei certs officer` made it.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,

    /// The 32 bytes that the key file is sealed to, where it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,

    /// Where it goes with this signature more; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DirectoryCombineSettings {
    /// Files of one directory with different signatures.
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    pub(crate) signed: Vec<PathBuf>,

    /// Where it goes with all of them; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DirectoryPublishSettings {
    /// The directory, signed by enough officers.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: PathBuf,

    #[command(flatten)]
    pub(crate) keepers: Keepers,
}

/// The directory to start from, and where the next one goes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Next {
    /// The directory that is in force.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: PathBuf,

    /// Where the next one goes, signed by nobody; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EnrollSettings {
    #[command(flatten)]
    pub(crate) next: Next,

    /// An institution that is enrolled, to be described anew: its id stays, all else is as given now. Without it, it is a
    /// new one and its id is drawn.
    #[arg(long, value_name = "HEX")]
    pub(crate) institution: Option<InstitutionId>,

    /// Its name, of which the directory has the hash.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,

    /// What it is.
    #[arg(long, value_parser = parse_kind)]
    pub(crate) kind: InstitutionKind,

    /// Visits of a usual day, from which its budgets follow: 1 to 1,000,000.
    #[arg(long, value_name = "N", value_parser = parse_visits)]
    pub(crate) visits: DailyVisits,

    /// The cell through which it asks.
    #[arg(long, value_name = "HEX")]
    pub(crate) cell: CellId,

    /// A certificate of it, PEM. May be repeated: the old one and the new one while it is renewed.
    #[arg(long = "certificate", value_name = "FILE", required = true)]
    pub(crate) certificates: Vec<PathBuf>,

    /// Public key that it signs with, 64 hexadecimal digits. May be repeated.
    #[arg(long = "signing-key", value_name = "HEX", value_parser = parse_verifying_key)]
    pub(crate) signing: Vec<VerifyingKey>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DenySettings {
    #[command(flatten)]
    pub(crate) next: Next,
    #[command(flatten)]
    pub(crate) party: PartySettings,
}

/// Whom a denial is about.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PartySettings {
    /// An institution.
    #[arg(long, value_name = "HEX")]
    institution: Option<InstitutionId>,

    /// A cell, and so all who ask through it.
    #[arg(long, value_name = "HEX")]
    cell: Option<CellId>,

    /// A cloud, and so all of its cells.
    #[arg(long, value_name = "HEX")]
    cloud: Option<CloudId>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SurgeSettings {
    #[command(flatten)]
    pub(crate) next: Next,

    /// Where.
    #[arg(long, value_name = "HEX")]
    pub(crate) institution: InstitutionId,

    /// Visits of a day meanwhile.
    #[arg(long, value_name = "N", value_parser = parse_visits)]
    pub(crate) visits: DailyVisits,

    /// For how long, from now.
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..=168))]
    pub(crate) hours: u64,
}

impl KeeperKind {
    pub(crate) const fn role(self) -> Role {
        match self {
            Self::Vault => Role::Vault,
            Self::Registrar => Role::Registrar,
        }
    }
}

impl PartySettings {
    pub(crate) fn party(&self) -> Option<Party> {
        let Self { institution, cell, cloud } = self;
        institution.map(Party::Institution).or(cell.map(Party::Cell)).or(cloud.map(Party::Cloud))
    }
}

fn parse_kind(text: &str) -> Result<InstitutionKind, InvalidArgument> {
    InstitutionKind::EVERY.into_iter().find(|kind| kind.as_str() == text).ok_or(InvalidArgument::InstitutionKind)
}

fn parse_visits(text: &str) -> Result<DailyVisits, InvalidArgument> {
    text.parse().ok().and_then(DailyVisits::new).ok_or(InvalidArgument::Visits)
}

fn parse_verifying_key(text: &str) -> Result<VerifyingKey, InvalidArgument> {
    VerifyingKey::from_hex(text).ok_or(InvalidArgument::VerifyingKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_sizes_and_keys_read_and_odd_ones_are_refused() {
        for kind in InstitutionKind::EVERY {
            assert_eq!(parse_kind(kind.as_str()), Ok(kind));
        }
        assert_eq!(parse_kind("school"), Err(InvalidArgument::InstitutionKind));
        assert_eq!(parse_visits("1000000").map(DailyVisits::get), Ok(1_000_000));
        for odd in ["", "0", "1000001", "-1", "x"] {
            assert_eq!(parse_visits(odd), Err(InvalidArgument::Visits), "{odd}");
        }
        assert!(parse_verifying_key(&"5a".repeat(32)).is_ok());
        assert_eq!(parse_verifying_key("5a"), Err(InvalidArgument::VerifyingKey));
    }
}
