//! The layers of a configuration, merged key by key.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::{Table, Value};

use super::{ConfigError, Origin};

/// Largest configuration file, in bytes.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) table: Table,
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Layers {
    pub(super) fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let failed = |source| ConfigError::Read { path: path.to_owned(), source };
        let mut text = String::new();
        let file = File::open(path).map_err(failed)?;
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(ConfigError::TooLong { path: path.to_owned() });
        }
        let table: Table =
            text.parse().map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        self.merge(&mut Vec::new(), table, &Origin::File(path.to_owned()))
    }

    pub(super) fn environment(
        &mut self,
        role: &str,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<(), ConfigError> {
        let prefix = format!("RENKEI_{}_", role.to_ascii_uppercase());
        let mut ours = BTreeMap::new();
        for (name, value) in variables {
            if !name.as_encoded_bytes().starts_with(prefix.as_bytes()) {
                continue;
            }
            let not_utf8 = |name| ConfigError::NotUtf8 { name };
            let name = name.into_string().map_err(not_utf8)?;
            let value = value.into_string().map_err(|_| not_utf8(name.clone().into()))?;
            ours.insert(name, value);
        }
        for (name, value) in ours {
            let key = name[prefix.len()..].to_ascii_lowercase().replace("__", ".");
            self.set(&key, &value, Origin::Environment(name))?;
        }
        Ok(())
    }

    pub(super) fn flag(&mut self, assignment: &str) -> Result<(), ConfigError> {
        match assignment.split_once('=') {
            Some((key, value)) => self.set(key, value, Origin::Flag),
            None => Err(ConfigError::Assignment { assignment: assignment.to_owned(), origin: Origin::Flag }),
        }
    }

    fn set(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        if key.split('.').any(str::is_empty) {
            return Err(ConfigError::Assignment { assignment: format!("{key}={text}"), origin });
        }
        let value = read_value(text).map_err(|source| ConfigError::Value {
            key: key.to_owned(),
            origin: origin.clone(),
            source: Box::new(source),
        })?;
        let nested = key.rsplit('.').fold(value, |inner, name| {
            let mut table = Table::new();
            table.insert(name.to_owned(), inner);
            Value::Table(table)
        });
        match nested {
            Value::Table(table) => self.merge(&mut Vec::new(), table, &origin),
            _ => unreachable!("a key has at least one part, and each part wraps the value in a table"),
        }
    }

    fn merge(&mut self, path: &mut Vec<String>, from: Table, origin: &Origin) -> Result<(), ConfigError> {
        for (name, value) in from {
            path.push(name);
            match value {
                Value::Table(table) => {
                    self.section(path, origin)?;
                    self.merge(path, table, origin)?;
                }
                value => self.put(path, value, origin)?,
            }
            path.pop();
        }
        Ok(())
    }

    /// Makes sure that there is a section at `path`.
    fn section(&mut self, path: &[String], origin: &Origin) -> Result<&mut Table, ConfigError> {
        let mut table = &mut self.table;
        for name in path {
            let next = table.entry(name.clone()).or_insert_with(|| Value::Table(Table::new()));
            table = next
                .as_table_mut()
                .ok_or_else(|| ConfigError::NotASection { key: path.join("."), origin: origin.clone() })?;
        }
        Ok(table)
    }

    fn put(&mut self, path: &[String], value: Value, origin: &Origin) -> Result<(), ConfigError> {
        let (name, above) = path.split_last().expect("merge pushes a name before it puts");
        self.section(above, origin)?.insert(name.clone(), value);
        self.origins.insert(path.join("."), origin.clone());
        Ok(())
    }
}

/// A TOML value where the text starts like one that cannot be meant as plain text; plain text otherwise.
///
/// Floats are not guessed: an id of hexadecimal digits such as `1e10` is text.
fn read_value(text: &str) -> Result<Value, toml::de::Error> {
    match text {
        "true" => Ok(Value::Boolean(true)),
        "false" => Ok(Value::Boolean(false)),
        _ if text.starts_with(['[', '{', '"', '\'']) && !is_host(text) => {
            let mut table: Table = format!("value = {text}").parse()?;
            Ok(table.remove("value").expect("the document that was parsed sets this key"))
        }
        _ => Ok(integer(text).map_or_else(|| Value::String(text.to_owned()), Value::Integer)),
    }
}

/// An integer in its one form: `007` is an id, not seven.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.to_string() == text)
}

/// `[fd00::1]:7001` is an address, not an array.
fn is_host(text: &str) -> bool {
    text.starts_with('[') && text.contains("]:")
}
