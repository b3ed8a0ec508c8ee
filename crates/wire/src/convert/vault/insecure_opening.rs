use std::collections::BTreeSet;

use renkei_access::{Period, Scope};
use renkei_envelope::{Class, InvalidSecret, Pseudonym};
use renkei_ids::{InstitutionId, InvalidLength};

use super::super::copied;
use super::batch::count;
use super::enumerations::{evidence, evidence_message, purpose, purpose_message};
use super::ticket_opening::period;
use super::{InvalidClass, UnknownValue};
use crate::Refusal;
use crate::bounds::InvalidSize;
use crate::pb::vault::v1 as pb;
use crate::vault::InsecureOpening;

/// An opening that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInsecureOpening {
    /// The pseudonym.
    #[error("pseudonym of an opening")]
    Pseudonym(#[source] InvalidSecret),
    /// The institution.
    #[error("institution of an opening")]
    Institution(#[source] InvalidLength),
    /// The purpose.
    #[error("purpose of an opening")]
    Purpose(#[source] UnknownValue),
    /// The evidence.
    #[error("evidence of an opening")]
    Evidence(#[source] UnknownValue),
    /// No classes, or more than there are.
    #[error("classes of an opening")]
    Classes(#[source] InvalidSize),
    /// One of the classes.
    #[error("class of an opening")]
    Class(#[source] InvalidClass),
    /// A class comes twice.
    #[error("class of an opening comes twice")]
    ClassTwice,
    /// The period is no range of months, or a longer one than is taken.
    #[error("period of an opening")]
    Period,
    /// Nothing is asked for.
    #[error("scope of an opening is empty")]
    Scope,
}

impl TryFrom<pb::InsecureOpening> for InsecureOpening {
    type Error = InvalidInsecureOpening;

    fn try_from(message: pb::InsecureOpening) -> Result<Self, InvalidInsecureOpening> {
        let pb::InsecureOpening {
            pseudonym,
            institution,
            purpose: raw_purpose,
            evidence: raw_evidence,
            classes: named,
            from_month,
            to_month,
            read,
            write,
            delete,
            audit,
        } = message;
        let asked = [(read, Scope::READ), (write, Scope::WRITE), (delete, Scope::DELETE), (audit, Scope::AUDIT)];
        let scope = asked.iter().filter(|(asked, _)| *asked).fold(Scope::NONE, |all, (_, scope)| all.with(*scope));
        if scope == Scope::NONE {
            return Err(InvalidInsecureOpening::Scope);
        }
        Ok(Self {
            pseudonym: Pseudonym::try_from(&pseudonym[..]).map_err(InvalidInsecureOpening::Pseudonym)?,
            institution: InstitutionId::try_from(&institution[..]).map_err(InvalidInsecureOpening::Institution)?,
            purpose: purpose(raw_purpose).map_err(InvalidInsecureOpening::Purpose)?,
            evidence: evidence(raw_evidence).map_err(InvalidInsecureOpening::Evidence)?,
            classes: classes(named)?,
            period: period(from_month, to_month).ok_or(InvalidInsecureOpening::Period)?,
            scope,
        })
    }
}

fn classes(named: Vec<pb::Class>) -> Result<Vec<Class>, InvalidInsecureOpening> {
    count(named.len(), Class::COUNT).map_err(InvalidInsecureOpening::Classes)?;
    let classes = named.into_iter().map(Class::try_from).collect::<Result<Vec<_>, _>>();
    let classes = classes.map_err(InvalidInsecureOpening::Class)?;
    let different: BTreeSet<_> = classes.iter().collect();
    if different.len() == classes.len() { Ok(classes) } else { Err(InvalidInsecureOpening::ClassTwice) }
}

impl From<InsecureOpening> for pb::InsecureOpening {
    fn from(opening: InsecureOpening) -> Self {
        let InsecureOpening { pseudonym, institution, purpose, evidence, classes, period, scope } = opening;
        let Period { from, to } = period;
        Self {
            pseudonym: copied(pseudonym.expose()),
            institution: copied(institution.as_bytes()),
            purpose: purpose_message(purpose),
            evidence: evidence_message(evidence),
            classes: classes.into_iter().map(Into::into).collect(),
            from_month: u32::from(from.raw()),
            to_month: u32::from(to.raw()),
            read: scope.allows(Scope::READ),
            write: scope.allows(Scope::WRITE),
            delete: scope.allows(Scope::DELETE),
            audit: scope.allows(Scope::AUDIT),
        }
    }
}

impl From<InvalidInsecureOpening> for Refusal {
    fn from(invalid: InvalidInsecureOpening) -> Self {
        match invalid {
            InvalidInsecureOpening::Pseudonym(_) => Self::invalid("items.pseudonym"),
            InvalidInsecureOpening::Institution(_) => Self::invalid("items.institution"),
            InvalidInsecureOpening::Purpose(_) => Self::invalid("items.purpose"),
            InvalidInsecureOpening::Evidence(_) => Self::invalid("items.evidence"),
            InvalidInsecureOpening::Classes(size) => size.refusal("items.classes"),
            InvalidInsecureOpening::Class(_) | InvalidInsecureOpening::ClassTwice => Self::invalid("items.classes"),
            InvalidInsecureOpening::Period => Self::invalid("items.to_month"),
            InvalidInsecureOpening::Scope => Self::invalid("items.read"),
        }
    }
}
