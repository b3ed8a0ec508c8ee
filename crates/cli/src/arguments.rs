//! The command line, as it is typed.

mod directory;
mod placement;
mod record;

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use renkei_access::{ACTOR_MAX_MINUTES, LicensedRole};
use renkei_envelope::Reference;
use renkei_ids::{CloudId, InstitutionId, NodeId};
use renkei_runtime::{Address, PeerIdentity, Role};
use renkei_wire::NodeAddress;
use renkei_wire::limits::CONTINUATION_MAX_BYTES;

use crate::connection::Connection;
use crate::exit;

pub(crate) use directory::{
    DenySettings, DirectoryCombineSettings, DirectoryCommand, DirectoryLayOutSettings, DirectoryPublishSettings,
    DirectoryShowSettings, DirectorySignSettings, EnrollSettings, Keepers, Next, SurgeSettings,
};
pub(crate) use placement::{
    AddNodeSettings, DrainSettings, Endpoints, GrowSettings, JobsSettings, MoveReplicaSettings, MoveSlotsSettings,
    Planning, ReplaceNodeSettings, TransferSettings,
};
pub(crate) use record::{
    AuditCommand, AuditListSettings, CurrentDocument, DeleteSettings, GetSettings, Kind, PutSettings, ReplaceSettings,
    TimelineSettings, Visit,
};

/// renkei: the command line of people who try, found and look after a cloud.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "renkei", version, after_long_help = exit::TABLE, after_help = exit::TABLE)]
pub(crate) struct Arguments {
    /// Prints the result as one JSON value. Stands before the command.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Starts a cloud of real processes here, puts documents, kills a leader, and says what held.
    Demo(DemoSettings),
    /// Stores a document, through the institution's gateway.
    Put(PutSettings),
    /// Reads a document, byte for byte as it was put.
    Get(GetSettings),
    /// Stores the next version of a document that this institution put.
    Replace(ReplaceSettings),
    /// Deletes a document, with every version of it.
    Delete(DeleteSettings),
    /// Shows a patient's documents by their summaries, newest month first.
    Timeline(TimelineSettings),
    /// Shows who did what to a patient.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Signs who acts inside an institution, for one cloud and visit, into a file that the commands above take.
    SignActor(SignActorSettings),
    /// Founds clouds and shows how their nodes stand.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Makes certificates.
    #[command(subcommand)]
    Certs(CertsCommand),
    /// Looks for plaintext in the files and databases of stopped processes; exit code 4 where there is some.
    Scan(ScanSettings),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DemoSettings {
    /// Documents to put besides synthetic ones: every file below this directory. `.gz` and `.bz2` are inflated,
    /// `.ndjson` is split by line, every other file goes as it is.
    #[arg(long, value_name = "DIR")]
    pub(crate) documents: Option<PathBuf>,

    /// Keeps the files of the processes here, and tokens.txt, the texts that were planted; a directory that is not
    /// there yet, or empty. Without it they go with the demo.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Writes here what a client of the running demo needs: certificates, connection files, a patient's ticket, which
    /// is renewed while the demo runs, who acts, and a prescription.
    #[arg(long, value_name = "DIR")]
    pub(crate) client: Option<PathBuf>,

    /// Ends after the report, in place of staying until Ctrl-C.
    #[arg(long)]
    pub(crate) once: bool,

    /// Writes the report here, as one JSON object.
    #[arg(long = "json", value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum AdminCommand {
    /// Shows what each node hosts and how it stands.
    Status(StatusSettings),
    /// Founds a cloud on nodes that run and are empty. Repeating it with the same values is harmless.
    Bootstrap(BootstrapSettings),
    /// Adds a node that runs to the registry, or changes its address. It gets replicas by other commands.
    AddNode(AddNodeSettings),
    /// Has another node host all that a dead one hosted, or a node that lost its disk host it again.
    ReplaceNode(ReplaceNodeSettings),
    /// Moves every replica off a node, which gets none any more.
    Drain(DrainSettings),
    /// Moves one replica of a group to another node.
    MoveReplica(MoveReplicaSettings),
    /// Has a group led from another of its nodes.
    Transfer(TransferSettings),
    /// Spreads replicas and leaders evenly over the nodes that are not drained.
    Rebalance(Planning),
    /// Moves slots from one group to another.
    MoveSlots(MoveSlotsSettings),
    /// Adds groups, and gives each group an even share of the slots.
    Grow(GrowSettings),
    /// Shows the jobs of the newest plan.
    Jobs(JobsSettings),
    /// Gives up every job that is not past its point of no return, and takes back what was prepared.
    Abandon(Endpoints),
    /// Shows, signs and publishes the directory of institutions, cells and clouds.
    #[command(subcommand)]
    Directory(DirectoryCommand),
    /// Makes the next directory, with one institution more, or one that is described anew.
    EnrollInstitution(EnrollSettings),
    /// Makes the next directory, in which an institution, a cell or a cloud is denied.
    Deny(DenySettings),
    /// Makes the next directory, in which a denial is taken back.
    AllowAgain(DenySettings),
    /// Makes the next directory, in which an institution has another size for some hours.
    Surge(SurgeSettings),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StatusSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// A node to ask. May be repeated; without it, the endpoints of the configuration are asked.
    #[arg(long = "node", value_name = "HOST:PORT")]
    pub(crate) nodes: Vec<Address>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BootstrapSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,

    /// A node of the cloud, by its number and where the others reach it. Once for each node.
    #[arg(long = "node", value_name = "ID=HOST:PORT", required = true)]
    pub(crate) nodes: Vec<NumberedNode>,

    /// Groups that the 4,096 slots are spread over, 1 to 64; a few for each node.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) groups: u32,

    /// Replicas of each group: 1, 3 or 5. Without it 3, or 1 where there are fewer nodes.
    #[arg(long, value_parser = parse_replicas)]
    pub(crate) replicas: Option<u32>,

    /// Seconds to go on trying while nodes come up.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) wait: u64,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum CertsCommand {
    /// Makes a development authority, or opens the one that is there, and issues certificates. Whoever trusts it is
    /// marked as a development process.
    Dev(CertsDevSettings),
    /// Makes the key that an officer signs directories with, and prints its public half for the processes' configuration.
    Officer(CertsKeySettings),
    /// Makes the key that an institution signs with who acts for it, and prints its public half for the directory.
    Actors(CertsKeySettings),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ScanSettings {
    /// Directory to look at, with everything below it. No process may have a database there open.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// File of texts to look for, one a line, each of 8 to 4,096 bytes. It is left out itself where it lies in DIR.
    #[arg(long, value_name = "FILE", required_unless_present = "documents")]
    pub(crate) tokens: Option<PathBuf>,

    /// Directory of documents: texts of theirs are looked for, and as a control the same search goes over unencrypted
    /// databases made of them in a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) documents: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CertsDevSettings {
    /// Directory of the authority and of what it issues: ca.pem, ca.key, ROLE-NAME.pem and ROLE-NAME.key.
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// The cloud that the certificates are for: 32 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    pub(crate) cloud: CloudId,

    /// A certificate to issue, such as `node/1@node1.example,10.0.0.1`: role, name, and the host names and addresses
    /// besides localhost. A node's name is its number, an institution's its 32 hexadecimal digits. May be repeated;
    /// one that was issued before is replaced.
    #[arg(long, value_name = "ROLE/NAME[@HOST,..]", required = true)]
    pub(crate) issue: Vec<LeafName>,

    /// Days that the certificates live.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=825))]
    pub(crate) days: u16,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CertsKeySettings {
    /// The key file to make, mode 0600; one that is there is not replaced.
    #[arg(value_name = "FILE")]
    pub(crate) key: PathBuf,

    /// File of 32 bytes, mode 0600 or 0400, that the key is sealed to; kept elsewhere. Without it the mode of the key file
    /// alone protects it.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SignActorSettings {
    /// The institution's key for actors, as `renkei certs actors` made it.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,

    /// The 32 bytes that the key file is sealed to, where it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,

    /// The cloud that she acts towards.
    #[arg(long, value_name = "HEX")]
    pub(crate) cloud: CloudId,

    /// The institution, by its id in the directory.
    #[arg(long, value_name = "HEX")]
    pub(crate) institution: InstitutionId,

    /// The institution's name for her: 1 to 64 bytes.
    #[arg(long, value_name = "ID")]
    pub(crate) actor: String,

    /// Her licence: physician, dentist, pharmacist, nurse, clerk or patient.
    #[arg(long, default_value = "physician", value_parser = parse_role)]
    pub(crate) role: LicensedRole,

    /// Says that she has logged in once more for what she is about to do.
    #[arg(long)]
    pub(crate) step_up: bool,

    /// Minutes from now until it ends; 60 at most for a step-up.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=i64::from(ACTOR_MAX_MINUTES)))]
    pub(crate) minutes: u32,

    /// Where it goes; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// `1=10.0.0.1:7001`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NumberedNode {
    pub(crate) node: NodeId,
    /// As the other nodes are told it.
    pub(crate) told: NodeAddress,
    /// The same, as it is connected to.
    pub(crate) address: Address,
}

/// `node/1@node1.example,10.0.0.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeafName {
    pub(crate) role: Role,
    pub(crate) name: String,
    pub(crate) hosts: Vec<String>,
}

/// An argument that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidArgument {
    #[error("a node is written ID=HOST:PORT, with an ID from 1")]
    Node,
    #[error("a certificate is written ROLE/NAME or ROLE/NAME@HOST,HOST")]
    Leaf,
    #[error("roles are node, gateway, vault, institution, insurer, operator, registrar, keyholder, loadtest")]
    Role,
    #[error("a name has 1 to 64 of a-z 0-9 - . _")]
    Name,
    #[error("a host is a DNS name or an IP address")]
    Host,
    #[error("a group has 1, 3 or 5 replicas")]
    Replicas,
    #[error("a reference has {} hexadecimal digits", 2 * Reference::LEN)]
    Reference,
    #[error("a version is a number from 1")]
    Version,
    #[error("a month is written YYYY-MM")]
    Month,
    #[error("a continuation has 2 to {} hexadecimal digits", 2 * CONTINUATION_MAX_BYTES)]
    Continuation,
    #[error("a row's number is from 0")]
    Seq,
    #[error("a node's number is from 1")]
    NodeNumber,
    #[error("slots are written FIRST-LAST, within 0 to 4095")]
    Slots,
    #[error("kinds are hospital, clinic, pharmacy, insurer, portal, municipality, supplier")]
    InstitutionKind,
    #[error("visits are 1 to 1000000")]
    Visits,
    #[error("roles are physician, dentist, pharmacist, nurse, clerk, patient")]
    LicensedRole,
    #[error("a public key has 64 hexadecimal digits")]
    VerifyingKey,
}

impl FromStr for NumberedNode {
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let (node, address) = text.split_once('=').ok_or(InvalidArgument::Node)?;
        let node = node.parse().ok().filter(|node: &NodeId| node.0 > 0).ok_or(InvalidArgument::Node)?;
        let told = address.parse().map_err(|_| InvalidArgument::Node)?;
        let address = address.parse().map_err(|_| InvalidArgument::Node)?;
        Ok(Self { node, told, address })
    }
}

impl FromStr for LeafName {
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let (who, hosts) = match text.split_once('@') {
            Some((who, hosts)) => (who, hosts.split(',').map(str::to_owned).collect()),
            None => (text, Vec::new()),
        };
        let (role, name) = who.split_once('/').ok_or(InvalidArgument::Leaf)?;
        let role = role.parse().map_err(|_| InvalidArgument::Role)?;
        // The identity's own reader judges the name.
        PeerIdentity::uri(CloudId::from_bytes([0; 16]), role, name).map_err(|_| InvalidArgument::Name)?;
        if !hosts.iter().all(|host| is_host(host)) {
            return Err(InvalidArgument::Host);
        }
        Ok(Self { role, name: name.to_owned(), hosts })
    }
}

fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || (!text.contains(':') && format!("{text}:1").parse::<Address>().is_ok())
}

fn parse_replicas(text: &str) -> Result<u32, InvalidArgument> {
    text.parse().ok().filter(|replicas| [1, 3, 5].contains(replicas)).ok_or(InvalidArgument::Replicas)
}

fn parse_role(text: &str) -> Result<LicensedRole, InvalidArgument> {
    LicensedRole::EVERY.into_iter().find(|role| role.as_str() == text).ok_or(InvalidArgument::LicensedRole)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn nodes_read_and_odd_ones_are_refused() {
        let node: NumberedNode = "3=node3.example:7001".parse().unwrap();
        assert_eq!((node.node, node.told.as_str()), (NodeId(3), "node3.example:7001"));
        for odd in ["", "3", "0=a:1", "-1=a:1", "3=a", "3=a:0", "3=http://a:1"] {
            assert_eq!(odd.parse::<NumberedNode>(), Err(InvalidArgument::Node), "{odd}");
        }
    }

    #[test]
    fn certificates_read_and_odd_ones_are_refused() {
        let leaf: LeafName = "node/1@node1.example,10.0.0.1,::1".parse().unwrap();
        assert_eq!((leaf.role, leaf.name.as_str()), (Role::Node, "1"));
        assert_eq!(leaf.hosts, ["node1.example", "10.0.0.1", "::1"]);
        for (odd, why) in [
            ("node", InvalidArgument::Leaf),
            ("doctor/1", InvalidArgument::Role),
            ("node/", InvalidArgument::Name),
            ("node/A", InvalidArgument::Name),
            ("node/1@", InvalidArgument::Host),
            ("node/1@a b", InvalidArgument::Host),
            ("node/1@a:1", InvalidArgument::Host),
        ] {
            assert_eq!(odd.parse::<LeafName>(), Err(why), "{odd}");
        }
    }

    #[test]
    fn a_group_has_an_odd_number_of_replicas() {
        assert_eq!(parse_replicas("5"), Ok(5));
        for odd in ["0", "2", "7", "x"] {
            assert_eq!(parse_replicas(odd), Err(InvalidArgument::Replicas), "{odd}");
        }
    }
}
