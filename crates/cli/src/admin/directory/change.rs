//! `renkei admin enroll-institution`, `deny`, `allow-again` and `surge`: each makes the next directory, for officers to sign.

use std::path::Path;

use renkei_access::{Directory, Entries, Institution, Surge, name_hash};
use renkei_ids::{Clock as _, DenyEpoch, DirectoryVersion, InstitutionId, KeyHash, UnixMillis};
use renkei_runtime::{PeerIdentity, Role, SystemClock};

use super::{file, next};
use crate::arguments::{DenySettings, EnrollSettings, Next, SurgeSettings};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

const HOUR_MILLIS: u64 = 3_600_000;

/// Adds an institution, or describes one anew.
pub(crate) fn enroll(settings: EnrollSettings, output: Output) -> Result<Exit, Failure> {
    let EnrollSettings { next: on, institution, name, kind, visits, cell, certificates, signing } = settings;
    let keys = certificates.iter().map(|path| key_of(path)).collect::<Result<_, _>>()?;
    let id = institution.unwrap_or_else(|| InstitutionId::from_bytes(rand::random()));
    let enrolled = Institution { id, kind, name: name_hash(&name), keys, signing, visits, home: cell };
    changed(&on, output, |entries, before| {
        if institution.is_some() && before.institution(id).is_none() {
            return Err(Failure::NotInDirectory { what: "institution" });
        }
        entries.institutions.retain(|one| one.id != id);
        entries.institutions.push(enrolled);
        Ok(())
    })
}

/// Denies an institution, a cell or a cloud.
pub(crate) fn deny(settings: DenySettings, output: Output) -> Result<Exit, Failure> {
    let DenySettings { next: on, party } = settings;
    let party = party.party();
    changed(&on, output, |entries, before| {
        if party.is_some_and(|party| before.denies(party)) {
            return Err(Failure::NothingChanged);
        }
        entries.denied.extend(party);
        grow(&mut entries.deny_epoch);
        Ok(())
    })
}

/// Takes a denial back.
pub(crate) fn allow_again(settings: DenySettings, output: Output) -> Result<Exit, Failure> {
    let DenySettings { next: on, party } = settings;
    let party = party.party();
    changed(&on, output, |entries, before| {
        if !party.is_some_and(|party| before.denies(party)) {
            return Err(Failure::NothingChanged);
        }
        entries.denied.retain(|denied| Some(*denied) != party);
        grow(&mut entries.deny_epoch);
        Ok(())
    })
}

/// Gives an institution another size for some hours.
pub(crate) fn surge(settings: SurgeSettings, output: Output) -> Result<Exit, Failure> {
    let SurgeSettings { next: on, institution, visits, hours } = settings;
    changed(&on, output, |entries, _| {
        entries.surges.retain(|surge| surge.institution != institution);
        let until = entries.valid_from.plus_millis(hours * HOUR_MILLIS);
        entries.surges.push(Surge { institution, visits, until });
        Ok(())
    })
}

fn grow(epoch: &mut DenyEpoch) {
    epoch.0 = epoch.0.saturating_add(1);
}

/// The next directory is valid from now, and has no surge that has ended.
fn changed(
    on: &Next,
    output: Output,
    change: impl FnOnce(&mut Entries, &Directory) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let Next { directory, output: into } = on;
    let (_, before) = file::read(directory)?;
    let mut entries = following(&before, SystemClock::new().now());
    change(&mut entries, &before)?;
    next(entries, Some(&before), into, output)
}

/// The entries of a directory, as one version later.
pub(super) fn following(before: &Directory, now: UnixMillis) -> Entries {
    let mut entries = before.entries().clone();
    entries.version = DirectoryVersion(entries.version.0.saturating_add(1));
    entries.valid_from = now;
    entries.surges.retain(|surge| now < surge.until);
    entries
}

/// The key of an institution's certificate.
fn key_of(path: &Path) -> Result<KeyHash, Failure> {
    certificate(path, Role::Institution)
}

/// The key of a certificate of this role.
pub(super) fn certificate(path: &Path, role: Role) -> Result<KeyHash, Failure> {
    let text = std::fs::read(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    let identity =
        PeerIdentity::from_pem(&text).map_err(|source| Failure::Certificate { path: path.to_owned(), source })?;
    if identity.role == role {
        Ok(identity.key_hash)
    } else {
        Err(Failure::OtherRole { path: path.to_owned(), role: role.as_str() })
    }
}
