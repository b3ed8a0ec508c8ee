//! The shell of every process: supervised tasks, configuration, clock, mutual TLS, telemetry, admin port, signals.
//!
//! Invariant: knows nothing of the domain, and is the only crate that spawns tasks, reads the environment, reads the
//! wall clock or sets an exit code.
//!
//! A service's `main` is [`run`] and a closure. The closure gets its validated configuration and a [`Shell`]; it opens
//! the service, calls [`Shell::started`], waits for [`Shell::stopping`], and returns. What it returns ends the process.
//!
//! **Rule for logs, spans, labels and metrics:** nothing of a patient, ever: no pid, record id, tag, key or payload.
//! Label by role, group, slot range or outcome. A panic message that was formatted is withheld from the log for the
//! same reason; only literal ones are shown (see `panics`).

mod address;
mod admin;
mod args;
mod byte_budget;
mod clock;
mod config;
mod denials;
mod exit;
mod harden;
mod health;
mod http2;
mod identity;
mod metrics;
mod panics;
mod random;
mod report;
mod run;
mod secret_file;
mod serve;
mod settings;
mod shell;
mod signals;
mod stdin;
mod stream;
mod tasks;
mod telemetry;
mod tls;

pub use address::{Address, InvalidAddress};
pub use admin::{AdminError, AdminServer, MAX_ADMIN_CONNECTIONS};
pub use args::Args;
pub use byte_budget::{BudgetFull, ByteBudget, HeldBytes};
pub use clock::{Development, InvalidOffset, MAX_OFFSET_MILLIS, SystemClock};
pub use config::{Config, ConfigError, InvalidConfig, Loaded, Origin, UnknownKey, load};
pub use denials::Denials;
pub use exit::Exit;
pub use health::{Check, Health};
pub use http2::{Http2, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_HEADER_LIST_BYTES};
pub use identity::{InvalidIdentity, MAX_NAME_LEN, PeerIdentity, Role, UnknownRole};
pub use prometheus::Registry;
pub use random::{SystemRandom, draw};
pub use report::Chain;
pub use run::{StartError, run};
pub use secret_file::{MAX_SECRET_BYTES, SecretFileError, read_secret};
pub use serve::{BindError, MAX_CONNECTIONS, MAX_HANDSHAKES, Serving, bind, serve_grpc, serve_routes};
pub use settings::{AdminSettings, LogSettings, ProcessSettings, Settings, TlsFiles, TraceSettings};
pub use shell::Shell;
pub use stream::TlsStream;
pub use tasks::{OnError, OnShutdown, Spawner, TaskKind, Tasks, abort};
pub use telemetry::TelemetryError;
pub use tls::{
    Admit, CONNECT_TIMEOUT, ClientStream, ConnectError, DEVELOPMENT_ORGANISATION, ExpectedPeer, HANDSHAKE_TIMEOUT,
    HandshakeError, RELOAD_POLL, ServerTls, Tls, TlsError,
};
