//! A directory as people read it.

use std::fmt;

use renkei_access::{Directory, SignedDirectory};
use serde::Serialize;

use super::differences::{described, differences, named};
use crate::failure::Failure;
use crate::hex::hex;

#[derive(Debug, Serialize)]
pub(super) struct Shown {
    version: u64,
    valid_from_ms: u64,
    deny_epoch: u64,
    /// What officers compare before they sign.
    digest: String,
    /// Public keys that signatures are there of. None of them was checked.
    signed_by: Vec<String>,
    clouds: Vec<String>,
    cells: Vec<String>,
    institutions: Vec<Row>,
    denied: Vec<String>,
    /// Against the directory that it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Row {
    institution: String,
    says: String,
}

impl Shown {
    pub(super) fn of(
        signed: &SignedDirectory,
        directory: &Directory,
        against: Option<&Directory>,
    ) -> Result<Self, Failure> {
        let failed = |source| Failure::Directory { path: None, source };
        let entries = directory.entries();
        let row = |one: &renkei_access::Institution| Row { institution: one.id.to_string(), says: described(one) };
        Ok(Self {
            version: entries.version.0,
            valid_from_ms: entries.valid_from.0,
            deny_epoch: entries.deny_epoch.0,
            digest: hex(&signed.digest().map_err(failed)?),
            signed_by: signed.signers().map_err(failed)?.iter().map(|key| key.to_hex()).collect(),
            clouds: entries.clouds.iter().map(|cloud| cloud.id.to_string()).collect(),
            cells: entries.cells.iter().map(|cell| cell.id.to_string()).collect(),
            institutions: entries.institutions.iter().map(row).collect(),
            denied: entries.denied.iter().map(named).collect(),
            changes: against.map(|before| differences(before, directory)),
        })
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            valid_from_ms: _,
            deny_epoch,
            digest,
            signed_by,
            clouds,
            cells,
            institutions,
            denied,
            changes,
        } = self;
        writeln!(f, "directory {version}, deny epoch {deny_epoch}")?;
        writeln!(f, "digest {digest}")?;
        signed_by.iter().try_for_each(|key| writeln!(f, "signature of {key}, not checked here"))?;
        let counts = (clouds.len(), cells.len(), institutions.len());
        writeln!(f, "{} clouds, {} cells, {} institutions", counts.0, counts.1, counts.2)?;
        match changes {
            Some(changes) if changes.is_empty() => writeln!(f, "changes nothing")?,
            Some(changes) => changes.iter().try_for_each(|line| writeln!(f, "{line}"))?,
            None => {
                institutions.iter().try_for_each(|Row { institution, says }| writeln!(f, "{institution}: {says}"))?;
            }
        }
        denied.iter().try_for_each(|party| writeln!(f, "denied: {party}"))
    }
}
