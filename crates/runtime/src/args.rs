//! The flags that every service has.

use std::path::PathBuf;

/// The flags that every service has; a binary flattens them into its own.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Configuration file (TOML). May be repeated; a later file overrides an earlier one key by key.
    #[arg(long = "config", value_name = "FILE")]
    pub config: Vec<PathBuf>,

    /// Sets one key, over files and environment. May be repeated.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,

    /// Prints the configuration in force, with defaults, and ends.
    #[arg(long)]
    pub print_config: bool,

    /// Ends, gracefully, when standard input closes: a process started with a pipe there cannot outlive its starter.
    #[arg(long)]
    pub exit_with_parent: bool,
}
