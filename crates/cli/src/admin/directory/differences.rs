//! What one directory changes against another, in words that an officer can judge.

use std::fmt;

use renkei_access::{Directory, Institution, Party};

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
        |cell| format!("of cloud {}, {} gateways", cell.cloud, cell.gateways.len()),
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
    for entry in new {
        let says = says(entry);
        let says = if says.is_empty() { says } else { format!(": {says}") };
        match old.iter().find(|before| key(before) == key(entry)) {
            None => lines.push(format!("+ {what} {}{says}", key(entry))),
            Some(before) if before != entry => lines.push(format!("~ {what} {}{says}", key(entry))),
            Some(_) => {}
        }
    }
    let gone = old.iter().filter(|before| !new.iter().any(|entry| key(entry) == key(before)));
    lines.extend(gone.map(|before| format!("- {what} {}", key(before))));
}

pub(super) fn described(institution: &Institution) -> String {
    let Institution { id: _, kind, name: _, keys, signing, visits, home } = institution;
    let (visits, kind) = (visits.get(), kind.as_str());
    format!("{kind}, {visits} visits a day, cell {home}, {} certificates, {} signing keys", keys.len(), signing.len())
}

pub(super) fn named(party: &Party) -> String {
    match party {
        Party::Institution(id) => format!("institution {id}"),
        Party::Cell(id) => format!("cell {id}"),
        Party::Cloud(id) => format!("cloud {id}"),
    }
}
