//! What a document says of its patient: what the gateway compares with the ticket.

use core::fmt;

use crate::date::BirthDate;
use crate::member_id::MemberId;

/// Administrative sex, as FHIR codes it; `unknown` is nothing said.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// `male`
    Male,
    /// `female`
    Female,
    /// `other`
    Other,
}

/// A code that is none of male, female, other, unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sex is male, female, other or unknown")]
pub struct InvalidSex;

impl Sex {
    /// The sex of a FHIR code; `Ok(None)` for `unknown`.
    pub fn parse(code: &str) -> Result<Option<Self>, InvalidSex> {
        match code {
            "male" => Ok(Some(Self::Male)),
            "female" => Ok(Some(Self::Female)),
            "other" => Ok(Some(Self::Other)),
            "unknown" => Ok(None),
            _ => Err(InvalidSex),
        }
    }

    /// The FHIR code: the form that is compared.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
            Self::Other => "other",
        }
    }
}

impl fmt::Debug for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sex(..)")
    }
}

/// What a document says of its patient. Each part that is there must match the ticket's commitment to it.
#[derive(Clone, Default)]
pub struct Subject {
    /// A whole birth date.
    pub birth_date: Option<BirthDate>,
    /// A sex that is not unknown.
    pub sex: Option<Sex>,
    /// Member ids, each once by its comparison form, at most [`MEMBER_IDS_MAX`].
    pub member_ids: Vec<MemberId>,
}

/// Most member ids of one patient in one document. More are not one patient's.
pub const MEMBER_IDS_MAX: usize = 16;

impl Subject {
    /// Whether the document says anything that can be compared.
    pub fn is_empty(&self) -> bool {
        let Self { birth_date, sex, member_ids } = self;
        birth_date.is_none() && sex.is_none() && member_ids.is_empty()
    }

    /// Adds an id unless its comparison form is there; whether there was room.
    pub(crate) fn add_member_id(&mut self, id: MemberId) -> bool {
        if self.member_ids.iter().any(|known| known.comparison_form() == id.comparison_form()) {
            return true;
        }
        if self.member_ids.len() >= MEMBER_IDS_MAX {
            return false;
        }
        self.member_ids.push(id);
        true
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_sex_read_and_print_the_same() {
        for code in ["male", "female", "other"] {
            assert_eq!(Sex::parse(code).map(|sex| sex.map(Sex::code)), Ok(Some(code)));
        }
        assert_eq!(Sex::parse("unknown"), Ok(None));
        assert_eq!(Sex::parse("Male"), Err(InvalidSex));
    }

    #[test]
    fn one_id_in_two_notations_is_kept_once() {
        let mut subject = Subject::default();
        assert!(subject.is_empty());
        for text in ["06139877:1:187:05", "06139877:1:１８７:5"] {
            assert!(subject.add_member_id(MemberId::parse(text).expect("a valid id")));
        }
        assert_eq!(subject.member_ids.len(), 1);
        assert!(!subject.is_empty());
    }

    #[test]
    fn too_many_ids_are_not_taken() {
        let mut subject = Subject::default();
        let id = |number: usize| MemberId::parse(&format!("06139877:1:{number}:")).expect("a valid id");
        for number in 0..MEMBER_IDS_MAX {
            assert!(subject.add_member_id(id(number)));
        }
        assert!(!subject.add_member_id(id(MEMBER_IDS_MAX)));
        assert!(subject.add_member_id(id(0)));
    }
}
