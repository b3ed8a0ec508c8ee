//! Starts `renkei` and keeps what it said.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Standard output, which must be one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

pub(crate) fn renkei<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    let ran = Command::new(env!("CARGO_BIN_EXE_renkei")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    // A signal would leave no code, and none is expected.
    Ran { code: ran.status.code().unwrap(), out: text(ran.stdout), err: text(ran.stderr) }
}

/// A connection file of a certificate that `certs dev` made.
pub(crate) fn profile(certs: &Path, name: &str, endpoints: &[String]) -> std::path::PathBuf {
    let path = certs.join(format!("{name}.toml"));
    let text =
        format!("endpoints = {endpoints:?}\ncertificate = \"{name}.pem\"\nkey = \"{name}.key\"\nca = \"ca.pem\"\n");
    std::fs::write(&path, text).unwrap();
    path
}
