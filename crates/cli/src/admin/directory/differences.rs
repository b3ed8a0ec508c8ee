//! What one directory changes against another, in words that an officer can judge.

use std::fmt;

use renkei_access::{Directory, Institution, Party, VerifyingKey};

use crate::hex::hex;

/// The changes, one a line.
pub(super) fn differences(before: &Directory, after: &Directory) -> Vec<String> {
    let (old, new) = (before.entries(), after.entries());
    let mut lines = Vec::new();
    compare(
        &mut lines,
        "cloud",
        &old.clouds,
        &new.clouds,
        |cloud| cloud.id,
        |cloud| format!("pseudonym epoch {}{}", cloud.epoch, if cloud.rotating { ", rotating" } else { "" }),
    );
    compare(
        &mut lines,
        "cell",
        &old.cells,
        &new.cells,
        |cell| cell.id,
        |cell| {
            let gateways = listed(cell.gateways.iter().map(|key| hex(key.as_bytes())));
            format!("of cloud {}, gateways {gateways}, commitment key {}", cell.cloud, hex(&cell.commitments.0))
        },
    );
    let from_to = |route: &renkei_access::Route| format!("{} in cloud {}", route.home, route.cloud);
    compare(&mut lines, "route of cell", &old.routes, &new.routes, from_to, |route| {
        format!("to cell {}", route.serving)
    });
    compare(&mut lines, "institution", &old.institutions, &new.institutions, |one| one.id, described);
    compare(
        &mut lines,
        "surge at institution",
        &old.surges,
        &new.surges,
        |surge| surge.institution,
        |surge| format!("{} visits a day", surge.visits.get()),
    );
    compare(&mut lines, "registrar's key", &old.registrars, &new.registrars, |key| key.to_hex(), |_| String::new());
    compare(&mut lines, "denial of", &old.denied, &new.denied, named, |_| String::new());
    lines
}

/// What is added, changed and removed of one list.
fn compare<T: PartialEq, K: PartialEq + fmt::Display>(
    lines: &mut Vec<String>,
    what: &str,
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> K,
    says: impl Fn(&T) -> String,
) {
    let told = |entry: &T| match says(entry) {
        says if says.is_empty() => says,
        says => format!(": {says}"),
    };
    for entry in new {
        match old.iter().find(|before| key(before) == key(entry)) {
            None => lines.push(format!("+ {what} {}{}", key(entry), told(entry))),
            Some(before) if before != entry => {
                lines.push(format!("~ {what} {}{}", key(entry), told(entry)));
                lines.push(format!("  before{}", told(before)));
            }
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|before| !new.iter().any(|entry| key(entry) == key(before)));
    lines.extend(gone.map(|before| format!("- {what} {}", key(before))));
}

/// Everything of it, each key too: a key that changes is what an officer has to see.
pub(super) fn described(institution: &Institution) -> String {
    let Institution { id: _, kind, name, keys, signing, visits, home } = institution;
    let (visits, kind, name) = (visits.get(), kind.as_str(), hex(name.as_bytes()));
    let certificates = listed(keys.iter().map(|key| hex(key.as_bytes())));
    let signing = listed(signing.iter().map(VerifyingKey::to_hex));
    format!(
        "{kind}, {visits} visits a day, cell {home}, name {name}, certificates {certificates}, signing keys {signing}"
    )
}

fn listed(keys: impl Iterator<Item = String>) -> String {
    let keys: Vec<String> = keys.collect();
    if keys.is_empty() { "none".to_owned() } else { keys.join(" ") }
}

pub(super) fn named(party: &Party) -> String {
    match party {
        Party::Institution(id) => format!("institution {id}"),
        Party::Cell(id) => format!("cell {id}"),
        Party::Cloud(id) => format!("cloud {id}"),
    }
}
