//! Configuration: files, then environment, then flags, into one validated type. The environment is read here only.

mod layers;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::settings::SECTIONS;
use crate::{Args, Settings};
use layers::Layers;

/// Configuration of one component.
///
/// Values are never secrets: a secret is named by the path of its file. Give every field its unit in its name or type,
/// and do not use `#[serde(flatten)]`, which hides unknown keys. A table with free keys is a `BTreeMap<String, _>`.
pub trait Config: Serialize + DeserializeOwned {
    /// Checks what the types cannot: the first broken rule, with its key.
    fn validate(&self) -> Result<(), InvalidConfig>;
}

/// A value that a component's rule refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {rule}")]
pub struct InvalidConfig {
    /// Dotted key of the value.
    pub key: &'static str,
    /// The rule that it breaks, as the end of a sentence: `must be at least 1`.
    pub rule: &'static str,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// An environment variable, by name.
    Environment(String),
    /// A `--set` flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("flag --set"),
        }
    }
}

/// A key that no component has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// Dotted key.
    pub key: String,
    /// Where it was set.
    pub origin: Option<Origin>,
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "`{}` ({origin})", self.key),
            None => write!(f, "`{}`", self.key),
        }
    }
}

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum ConfigError {
    #[error("reading configuration file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("configuration file {} is longer than {} bytes", path.display(), layers::MAX_FILE_BYTES)]
    TooLong { path: PathBuf },
    #[error("parsing configuration file {}", path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: Box<toml::de::Error>,
    },
    #[error("environment variable {} is not UTF-8", name.display())]
    NotUtf8 { name: OsString },
    #[error("`{assignment}` is not section.key=value")]
    Assignment { assignment: String, origin: Origin },
    #[error("`{key}` ({origin}) goes below a value that is no section")]
    NotASection { key: String, origin: Origin },
    #[error("value of `{key}` ({origin}) cannot be read")]
    Value {
        key: String,
        origin: Origin,
        #[source]
        source: Box<toml::de::Error>,
    },
    #[error("unknown key {0}")]
    Unknown(Box<UnknownKey>),
    #[error("reading the configuration of the {part}")]
    Shape {
        part: &'static str,
        #[source]
        source: Box<toml::de::Error>,
    },
    #[error("checking the configuration")]
    Invalid {
        #[source]
        source: InvalidConfig,
    },
    #[error("printing the configuration")]
    Print {
        #[source]
        source: toml::ser::Error,
    },
}

/// A configuration as taken: the service's part, the shell's, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded<C> {
    /// The service's part: every section that is not the shell's.
    pub service: C,
    /// The shell's part.
    pub settings: Settings,
    /// Origin of each value that was set, by dotted key.
    pub origins: BTreeMap<String, Origin>,
}

impl<C: Config> Loaded<C> {
    /// The configuration in force, defaults included, as TOML, each value that was set with its origin in a comment
    /// at the end.
    pub fn print(&self) -> Result<String, ConfigError> {
        let table = |part: Result<toml::Table, _>| part.map_err(|source| ConfigError::Print { source });
        let mut all = table(toml::Table::try_from(&self.settings))?;
        all.extend(table(toml::Table::try_from(&self.service))?);
        let mut text = toml::to_string(&all).map_err(|source| ConfigError::Print { source })?;
        for (key, origin) in &self.origins {
            text.push_str(&format!("# {key}: {origin}\n"));
        }
        Ok(text)
    }
}

/// Loads the configuration of a role: the files of the flags in their order, then the variables
/// `RENKEI_<ROLE>_SECTION__KEY` of `environment`, then `--set`. Later values override earlier ones key by key.
///
/// A value outside a file is a TOML boolean, integer, array, inline table or quoted string if it reads as one, and
/// plain text otherwise; a text of digits alone must be quoted.
pub fn load<C: Config>(
    role: &str,
    args: &Args,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded<C>, ConfigError> {
    let mut layers = Layers::default();
    for path in &args.config {
        layers.file(path)?;
    }
    layers.environment(role, environment)?;
    for assignment in &args.set {
        layers.flag(assignment)?;
    }
    let Layers { table, origins } = layers;
    let (shell, service): (toml::Table, toml::Table) =
        table.into_iter().partition(|(section, _)| SECTIONS.contains(&section.as_str()));
    let settings: Settings = read("process", shell, &origins)?;
    let service: C = read("service", service, &origins)?;
    settings.validate().map_err(|source| ConfigError::Invalid { source })?;
    service.validate().map_err(|source| ConfigError::Invalid { source })?;
    Ok(Loaded { service, settings, origins })
}

/// The process's environment, for [`load`].
pub(crate) fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    std::env::vars_os()
}

fn read<C: Config>(
    part: &'static str,
    table: toml::Table,
    origins: &BTreeMap<String, Origin>,
) -> Result<C, ConfigError> {
    let mut unknown = None;
    let value = serde_ignored::deserialize(toml::Value::Table(table), |path| {
        let key = path.to_string();
        // An ignored section has no origin of its own; the first of its values has.
        let origin = origins.iter().find(|(set, _)| set.starts_with(&key)).map(|(_, origin)| origin.clone());
        unknown.get_or_insert(UnknownKey { key, origin });
    });
    match (value, unknown) {
        (_, Some(key)) => Err(ConfigError::Unknown(Box::new(key))),
        (value, None) => value.map_err(|source| ConfigError::Shape { part, source: Box::new(source) }),
    }
}

#[cfg(test)]
mod tests;
