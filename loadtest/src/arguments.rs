//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Load tests of renkei.
///
/// Exit codes: 0 pass, 1 an objective failed, 2 usage, 3 the result is not valid, 4 a server was unreachable,
/// 5 integrity violated.
#[derive(Debug, Parser)]
#[command(name = "renkei-loadtest", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A cloud of three nodes beside a bare echo and etcd: real processes on this machine, one system at a time.
    Peers(PeersArguments),
    /// The bare echo that `peers` compares with.
    #[command(hide = true)]
    EchoServer(EchoServerArguments),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct PeersArguments {
    /// Measured seconds of each row, behind one second of warm-up.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600), value_name = "N")]
    pub(crate) seconds: u64,

    /// How often the whole table is measured, with fresh processes and empty disks. Each figure is then the median.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50), value_name = "N")]
    pub(crate) repeats: u32,

    /// Numbers of clients in the closed loop.
    #[arg(long, value_delimiter = ',', default_value = "1,64,256",
          value_parser = clap::value_parser!(u32).range(1..=4096), value_name = "LIST")]
    pub(crate) clients: Vec<u32>,

    /// Patients, with 20 records each, that are there before the clock starts.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000), value_name = "N")]
    pub(crate) patients: u32,

    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "echo,cloud,etcd", value_name = "LIST")]
    pub(crate) systems: Vec<System>,

    /// Memory budget of each node of the cloud, in MiB.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(256..=65_536), value_name = "MIB")]
    pub(crate) memory: u32,

    /// Directory on the disk to measure; a new one inside it holds all data and logs, and stays when the run fails.
    /// The system's temporary directory without it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// Writes the table, with every repeat, to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    /// A tonic server that answers bytes.
    Echo,
    /// Three nodes of ours.
    Cloud,
    /// Three members of etcd, where it is installed.
    Etcd,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct EchoServerArguments {
    /// Where to listen.
    #[arg(long)]
    pub(crate) listen: SocketAddr,

    /// Certificate, for mutual TLS.
    #[arg(long, requires_all = ["key", "ca"])]
    pub(crate) certificate: Option<PathBuf>,

    /// Its key.
    #[arg(long)]
    pub(crate) key: Option<PathBuf>,

    /// The authority of the clients.
    #[arg(long)]
    pub(crate) ca: Option<PathBuf>,

    /// Ends when standard input closes.
    #[arg(long)]
    pub(crate) exit_with_parent: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn lists_and_limits_are_read() {
        let parsed = Arguments::try_parse_from(["renkei-loadtest", "peers", "--clients", "1,8", "--systems", "etcd"]);
        let Command::Peers(peers) = parsed.unwrap().command else { panic!("another command") };
        assert_eq!((peers.clients, peers.systems), (vec![1, 8], vec![System::Etcd]));
        for refused in [["--clients", "0"], ["--seconds", "0"], ["--patients", "0"], ["--repeats", "51"]] {
            let line = ["renkei-loadtest", "peers", refused[0], refused[1]];
            assert!(Arguments::try_parse_from(line).is_err(), "{refused:?}");
        }
    }
}
