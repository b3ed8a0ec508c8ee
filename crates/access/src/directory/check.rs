//! What entries must be to be a directory.

use std::collections::BTreeMap;

use renkei_ids::KeyHash;

use super::{
    CELLS_MAX, CLOUDS_MAX, DENIED_MAX, Directory, Entries, INSTITUTIONS_MAX, KEYS_MAX, Party, ROUTES_MAX,
    SURGE_MAX_MILLIS, SURGES_MAX,
};

/// What is no directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDirectory {
    /// Too few bytes for a version and the signatures that it counts.
    #[error("directory of {0} bytes is too short")]
    TooShort(usize),
    /// More than [`super::DIRECTORY_MAX_BYTES`].
    #[error("directory of {0} bytes is over the limit")]
    TooLong(usize),
    /// Signatures that are not ascending by key, or more than there are officers.
    #[error("signatures of the directory are out of order")]
    Signatures,
    /// The signature of an officer does not hold.
    #[error("signature of an officer does not hold")]
    Forged,
    /// Fewer officers signed than must.
    #[error("{signed} of the {needed} officers who must have signed the directory")]
    TooFew {
        /// Officers who signed.
        signed: usize,
        /// Officers who must.
        needed: usize,
    },
    /// Signatures of two directories were to be put together.
    #[error("the signatures are of different directories")]
    Different,
    /// A format version this build does not read.
    #[error("directory format {0} is unknown")]
    Format(u8),
    /// No protobuf message, or one without a part that must be there.
    #[error("directory has no readable {0}")]
    Malformed(&'static str),
    /// A list over its limit, or empty where it may not be.
    #[error("the directory's {0} are over their limit, or none")]
    Limit(&'static str),
    /// An entry that is there twice, or not in its place.
    #[error("the directory's {0} are not ascending, each once")]
    Order(&'static str),
    /// A key that two are named by.
    #[error("two entries of the directory have one key")]
    SharedKey,
    /// An entry that names another, which is not there or does not fit.
    #[error("the directory's {0} name what is not there")]
    Dangling(&'static str),
}

type Checked = Result<(), InvalidDirectory>;

impl Entries {
    /// Each list ascending: as they are signed, so that officers sign the same bytes.
    pub fn sort(&mut self) {
        let Self {
            version: _,
            valid_from: _,
            deny_epoch: _,
            registrars,
            clouds,
            cells,
            routes,
            institutions,
            denied,
            surges,
        } = self;
        registrars.sort_unstable();
        clouds.sort_unstable_by_key(|cloud| cloud.id);
        cells.sort_unstable_by_key(|cell| cell.id);
        cells.iter_mut().for_each(|cell| cell.gateways.sort_unstable());
        routes.sort_unstable_by_key(|route| (route.home, route.cloud));
        institutions.sort_unstable_by_key(|institution| institution.id);
        for institution in institutions {
            institution.keys.sort_unstable();
            institution.signing.sort_unstable();
        }
        denied.sort_unstable();
        surges.sort_unstable_by_key(|surge| surge.institution);
    }
}

impl TryFrom<Entries> for Directory {
    type Error = InvalidDirectory;

    /// Entries whose lists ascend and whose parts name what is there.
    fn try_from(entries: Entries) -> Result<Self, InvalidDirectory> {
        check_lists(&entries)?;
        let institutions = keyed(&entries.institutions, |institution| &institution.keys)?;
        let gateways = keyed(&entries.cells, |cell| &cell.gateways)?;
        if gateways.keys().any(|key| institutions.contains_key(key)) {
            return Err(InvalidDirectory::SharedKey);
        }
        let directory = Self { entries, institutions, gateways };
        directory.check_names()?;
        Ok(directory)
    }
}

fn check_lists(entries: &Entries) -> Checked {
    let Entries {
        version,
        valid_from: _,
        deny_epoch: _,
        registrars,
        clouds,
        cells,
        routes,
        institutions,
        denied,
        surges,
    } = entries;
    if version.0 == 0 {
        return Err(InvalidDirectory::Malformed("version"));
    }
    list("registrars", registrars, 0..=KEYS_MAX, |key| *key)?;
    list("clouds", clouds, 0..=CLOUDS_MAX, |cloud| cloud.id)?;
    list("cells", cells, 0..=CELLS_MAX, |cell| cell.id)?;
    list("routes", routes, 0..=ROUTES_MAX, |route| (route.home, route.cloud))?;
    list("institutions", institutions, 0..=INSTITUTIONS_MAX, |institution| institution.id)?;
    list("denied", denied, 0..=DENIED_MAX, |party| *party)?;
    list("surges", surges, 0..=SURGES_MAX, |surge| surge.institution)?;
    for cell in cells {
        list("gateways", &cell.gateways, 1..=KEYS_MAX, |key| *key)?;
    }
    for institution in institutions {
        list("keys", &institution.keys, 1..=KEYS_MAX, |key| *key)?;
        list("signing keys", &institution.signing, 0..=KEYS_MAX, |key| *key)?;
    }
    Ok(())
}

fn list<T, K: Ord>(
    name: &'static str,
    entries: &[T],
    len: core::ops::RangeInclusive<usize>,
    key: impl Fn(&T) -> K,
) -> Checked {
    if !len.contains(&entries.len()) {
        return Err(InvalidDirectory::Limit(name));
    }
    if entries.is_sorted_by(|one, next| key(one) < key(next)) { Ok(()) } else { Err(InvalidDirectory::Order(name)) }
}

/// Where each key leads. One key names one entry.
fn keyed<T>(entries: &[T], keys: impl Fn(&T) -> &Vec<KeyHash>) -> Result<BTreeMap<KeyHash, usize>, InvalidDirectory> {
    let mut places = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        for key in keys(entry) {
            if places.insert(*key, at).is_some() {
                return Err(InvalidDirectory::SharedKey);
            }
        }
    }
    Ok(places)
}

impl Directory {
    /// Whether every entry names what is there.
    fn check_names(&self) -> Checked {
        let Entries { valid_from, clouds, cells, routes, institutions, denied, surges, .. } = &self.entries;
        let rule = |holds: bool, name| if holds { Ok(()) } else { Err(InvalidDirectory::Dangling(name)) };
        let epochs = clouds.iter().all(|cloud| cloud.epoch.0 >= 1 && (!cloud.rotating || cloud.epoch.0 < u32::MAX));
        rule(epochs, "epochs")?;
        rule(cells.iter().all(|cell| self.cloud(cell.cloud).is_some()), "cells")?;
        let leads = |route: &super::Route| {
            let from = self.cell(route.home).is_some_and(|home| home.cloud != route.cloud);
            from && self.cell(route.serving).is_some_and(|serving| serving.cloud == route.cloud)
        };
        rule(routes.iter().all(leads), "routes")?;
        rule(institutions.iter().all(|institution| self.cell(institution.home).is_some()), "institutions")?;
        let there = |party: &Party| match *party {
            Party::Institution(id) => self.institution(id).is_some(),
            Party::Cell(id) => self.cell(id).is_some(),
            Party::Cloud(id) => self.cloud(id).is_some(),
        };
        rule(denied.iter().all(there), "denied")?;
        let last = valid_from.plus_millis(SURGE_MAX_MILLIS);
        let bounded = |surge: &super::Surge| self.institution(surge.institution).is_some() && surge.until <= last;
        rule(surges.iter().all(bounded), "surges")
    }
}
