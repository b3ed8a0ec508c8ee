//! Whether all of a document is about one patient, and what it says of that patient.

use crate::date::BirthDate;
use crate::draft::{Draft, Identifier};
use crate::element::Element;
use crate::fold::fold;
use crate::key::Key;
use crate::member_id::{MEMBER_ID_MAX_BYTES, MemberId};
use crate::path::{FieldPath, Path};
use crate::refusal::{Refusal, RefusalCode};
use crate::subject::{Sex, Subject};
use crate::system::System;

/// Most different references, or identifiers, by which a document may call its patient.
const NAMES_MAX: usize = 32;

/// The patient of a document, as far as it has been read.
#[derive(Default)]
pub(crate) struct People {
    /// The Patient resource that is an entry; a second one is refused.
    entry: Option<Entry>,
    /// Identifiers that Patient resources and Coverages state.
    stated: Vec<Claim>,
    /// Those of Patient resources alone. Two of them without a common id of one system are two persons.
    patients: Vec<Claim>,
    /// Identifiers by which other resources refer to their patient.
    referred: Vec<(Claim, FieldPath)>,
    /// References from other resources to their patient.
    references: Vec<(String, FieldPath)>,
    subject: Subject,
    /// The first contradiction.
    contradiction: Option<Refusal>,
}

struct Entry {
    id: Option<String>,
    full_url: Option<String>,
}

/// An identifier in the form that is compared.
#[derive(PartialEq, Eq)]
struct Claim {
    system: String,
    value: String,
}

impl Claim {
    fn new(system: System, written_system: &str, value: &str) -> Self {
        match (system, MemberId::parse(value)) {
            // Published systems are written in several ways; member ids too.
            (System::MemberId, Ok(id)) => {
                Self { system: "member id".to_owned(), value: id.comparison_form().to_owned() }
            }
            // Folding can make a text eleven times as long: no id of this length is written by hand.
            _ if value.len() > MEMBER_ID_MAX_BYTES => {
                Self { system: written_system.trim().to_owned(), value: value.to_owned() }
            }
            _ => Self { system: written_system.trim().to_owned(), value: fold(value) },
        }
    }
}

/// Kinds of resources that `subject` may point to and that are no patient.
const NO_PATIENTS: [&str; 8] =
    ["Group", "Device", "Location", "Practitioner", "Organization", "Medication", "Substance", "Procedure"];

impl People {
    /// The names of fields, directly in a resource, that point to its patient.
    pub(crate) const fn points_to_patient(key: Key) -> bool {
        matches!(key, Key::Subject | Key::Patient | Key::Beneficiary | Key::For)
    }

    /// Takes a reference from such a field. References into the resource itself (`#…`) are left to what the contained
    /// Patient says.
    pub(crate) fn refer(&mut self, element: &Element<'_>, path: &Path) {
        let Some(target) = element.text(Key::Reference) else { return };
        let target = target.split_once("/_history/").map_or(target, |(resource, _)| resource);
        let known = self.references.iter().any(|(known, _)| known == target);
        if known || target.starts_with('#') || is_no_patient(target, element.text(Key::Type)) {
            return;
        }
        let field = path.member(Key::Reference);
        if self.references.len() < NAMES_MAX {
            self.references.push((target.to_owned(), field));
        } else {
            self.contradict(field);
        }
    }

    /// Takes an identifier from such a field.
    pub(crate) fn refer_by_identifier(&mut self, element: &Element<'_>, path: &Path) {
        let Some(value) = element.text(Key::Value) else { return };
        let written_system = element.text(Key::System).unwrap_or_default();
        let system = System::of(written_system);
        let claim = Claim::new(system, written_system, value);
        if self.referred.iter().any(|(known, _)| *known == claim) {
            return;
        }
        let field = path.member(Key::Value);
        if self.referred.len() >= NAMES_MAX {
            self.contradict(field);
            return;
        }
        self.referred.push((claim, field));
        if system == System::MemberId {
            self.add_member_id(value, path);
        }
    }

    /// Takes a Patient resource. The fault returned is of a field that does not read.
    pub(crate) fn add_patient(
        &mut self,
        draft: &Draft,
        element: &Element<'_>,
        path: &Path,
        contained: bool,
    ) -> Result<(), Refusal> {
        if !contained {
            if self.entry.is_some() {
                self.contradict(path.field());
            } else {
                self.entry = Some(Entry { id: element.owned(Key::Id), full_url: None });
            }
        }
        self.compare_patients(&draft.identifiers, path);
        for identifier in &draft.identifiers {
            self.state(identifier, path);
        }
        if let Some(code) = element.text(Key::Gender) {
            let sex = Sex::parse(code).map_err(|_| Refusal::at(RefusalCode::InvalidSex, path.member(Key::Gender)))?;
            if differs(&mut self.subject.sex, sex) {
                self.contradict(path.member(Key::Gender));
            }
        }
        if let Some(text) = element.text(Key::BirthDate) {
            let date = BirthDate::parse(text)
                .map_err(|_| Refusal::at(RefusalCode::InvalidBirthDate, path.member(Key::BirthDate)))?;
            if differs(&mut self.subject.birth_date, date) {
                self.contradict(path.member(Key::BirthDate));
            }
        }
        Ok(())
    }

    /// Finds a system in which this Patient and those before it have ids, and none in common.
    fn compare_patients(&mut self, identifiers: &[Identifier], path: &Path) {
        let claims: Vec<Claim> = identifiers
            .iter()
            .filter(|identifier| !identifier.written_system.is_empty())
            .map(|identifier| Claim::new(identifier.system, &identifier.written_system, &identifier.value))
            .collect();
        let stranger = claims.iter().any(|claim| {
            let mut known = self.patients.iter().filter(|known| known.system == claim.system).peekable();
            known.peek().is_some()
                && !known
                    .any(|known| claims.iter().any(|claim| claim.system == known.system && claim.value == known.value))
        });
        if stranger {
            self.contradict(path.member(Key::Identifier));
        }
        let room = NAMES_MAX.saturating_sub(self.patients.len());
        self.patients.extend(claims.into_iter().take(room));
    }

    /// Takes an identifier that the Patient, or a Coverage of the patient, states.
    pub(crate) fn state(&mut self, identifier: &Identifier, path: &Path) {
        let Identifier { system, written_system, value } = identifier;
        let claim = Claim::new(*system, written_system, value);
        if *system == System::MemberId {
            self.add_member_id(value, path);
        }
        if !self.stated.contains(&claim) && self.stated.len() < NAMES_MAX {
            self.stated.push(claim);
        }
    }

    /// Takes a member id that a Coverage shows in parts.
    pub(crate) fn state_member_id(&mut self, id: MemberId) {
        let claim = Claim::new(System::MemberId, "", id.original());
        if !self.stated.contains(&claim) && self.stated.len() < NAMES_MAX {
            self.stated.push(claim);
        }
        if !self.subject.add_member_id(id) {
            self.contradict(FieldPath::of(&[Key::Entry, Key::Resource, Key::Beneficiary]));
        }
    }

    /// Takes the `fullUrl` of the entry whose resource was a Patient.
    pub(crate) fn name_entry(&mut self, full_url: &str) {
        if let Some(entry) = &mut self.entry {
            entry.full_url = Some(full_url.to_owned());
        }
    }

    /// Ids that do not parse are refused where they stand, and are no claim here.
    fn add_member_id(&mut self, value: &str, path: &Path) {
        if let Ok(id) = MemberId::parse(value)
            && !self.subject.add_member_id(id)
        {
            self.contradict(path.field());
        }
    }

    fn contradict(&mut self, field: FieldPath) {
        self.contradiction.get_or_insert(Refusal::at(RefusalCode::OtherPatient, field));
    }

    /// The patient, or where the document is about another.
    pub(crate) fn settle(mut self) -> (Subject, Option<Refusal>) {
        let stranger = self.stranger();
        (self.subject, self.contradiction.take().or(stranger))
    }

    fn stranger(&self) -> Option<Refusal> {
        let other = |field: &FieldPath| Refusal::at(RefusalCode::OtherPatient, field.clone());
        for (at, (target, field)) in self.references.iter().enumerate() {
            let meant = match self.entry.as_ref().filter(|entry| entry.has_name()) {
                Some(entry) => entry.is_meant_by(target),
                None => self.references[..at].iter().all(|(known, _)| is_one(known, target)),
            };
            if !meant {
                return Some(other(field));
            }
        }
        for (at, (claim, field)) in self.referred.iter().enumerate() {
            let of_system = |known: &&Claim| known.system == claim.system;
            let mut stated = self.stated.iter().filter(of_system).peekable();
            let meant = if stated.peek().is_some() {
                stated.any(|known| known == claim)
            } else {
                self.referred[..at].iter().map(|(known, _)| known).filter(of_system).all(|known| known == claim)
            };
            if !meant {
                return Some(other(field));
            }
        }
        None
    }
}

impl Entry {
    /// One without url and id can be meant by anything.
    fn has_name(&self) -> bool {
        self.full_url.is_some() || self.id.is_some()
    }

    /// By the entry's url, or relatively by its id. An absolute url of another server is somebody else.
    fn is_meant_by(&self, target: &str) -> bool {
        self.full_url.as_deref() == Some(target)
            || self.id.as_deref().is_some_and(|id| target.strip_prefix("Patient/") == Some(id))
            || self.full_url.as_deref().is_some_and(|url| is_one(url, target))
    }
}

/// Whether a reference is to no patient: by the type in its target, or by the type beside it where the target has none.
fn is_no_patient(target: &str, kind: Option<&str>) -> bool {
    let in_target = target.rsplit('/').nth(1);
    in_target.or(kind).is_some_and(|kind| NO_PATIENTS.contains(&kind))
}

/// Whether two references mean one patient when no Patient resource settles it: equal, or one the relative end of the
/// other.
fn is_one(one: &str, other: &str) -> bool {
    let ends = |long: &str, short: &str| {
        short.starts_with("Patient/") && long.strip_suffix(short).is_some_and(|base| base.ends_with('/'))
    };
    one == other || ends(one, other) || ends(other, one)
}

/// Fills an empty `known` and says whether a known value is contradicted.
fn differs<T: PartialEq>(known: &mut Option<T>, said: Option<T>) -> bool {
    match (known.as_ref(), said) {
        (_, None) => false,
        (None, said) => {
            *known = said;
            false
        }
        (Some(known), Some(said)) => *known != said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_one_by_url_or_relative_end() {
        assert!(is_one("Patient/1", "Patient/1"));
        assert!(is_one("https://example.org/fhir/Patient/1", "Patient/1"));
        assert!(is_one("Patient/1", "https://example.org/fhir/Patient/1"));
        assert!(!is_one("https://example.org/fhir/Patient/1", "https://example.com/fhir/Patient/1"));
        assert!(!is_one("Patient/11", "Patient/1"));
        assert!(!is_one("https://example.org/fhir/OtherPatient/1", "Patient/1"));
        assert!(!is_one("urn:uuid:1", "Patient/1"));
    }

    #[test]
    fn a_type_beside_the_target_does_not_outweigh_the_targets_own() {
        assert!(is_no_patient("Group/1", None));
        assert!(is_no_patient("https://example.org/fhir/Device/1", None));
        assert!(is_no_patient("urn:uuid:1", Some("Group")));
        assert!(!is_no_patient("Patient/1", Some("Group")));
        assert!(!is_no_patient("urn:uuid:1", None));
        assert!(!is_no_patient("urn:uuid:1", Some("Patient")));
    }

    #[test]
    fn a_contradiction_is_a_second_value() {
        let mut known = None;
        assert!(!differs(&mut known, None::<u8>));
        assert!(!differs(&mut known, Some(1)));
        assert!(!differs(&mut known, Some(1)));
        assert!(differs(&mut known, Some(2)));
        assert!(!differs(&mut known, None));
    }
}
