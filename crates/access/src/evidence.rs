//! Evidence: what stood behind a check-in, and so what may follow from it.

use crate::{Purpose, Scope};

/// What stood behind the check-in. There is no other: an unknown one is refused, not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Evidence {
    /// The patient's card.
    Card = 1,
    /// The insurer's printed token.
    InsurerToken = 2,
    /// Member id and birth date: enough to write, not to read.
    MemberId = 3,
    /// Four items of identity, in an emergency.
    FourItem = 4,
    /// An unconscious patient, in an emergency.
    Unconscious = 5,
    /// A carer who acts for the patient.
    Delegate = 6,
}

impl Evidence {
    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        [Self::Card, Self::InsurerToken, Self::MemberId, Self::FourItem, Self::Unconscious, Self::Delegate]
            .into_iter()
            .find(|evidence| u32::from(*evidence as u8) == raw)
    }

    /// Whether it serves emergencies only, under budgets of their own.
    pub const fn is_emergency(self) -> bool {
        matches!(self, Self::FourItem | Self::Unconscious)
    }

    /// Everything that an institution may be given on this evidence for this purpose. Repair and report need two
    /// people and no check-in, so no evidence carries them; nor does any carry the patient's rules.
    pub const fn allows(self, purpose: Purpose) -> Scope {
        let all = Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::AUDIT);
        match (self, purpose) {
            (Self::Card | Self::InsurerToken | Self::Delegate, Purpose::Care | Purpose::Emergency) => all,
            (Self::FourItem | Self::Unconscious, Purpose::Emergency) => Scope::READ.with(Scope::WRITE),
            (Self::MemberId, Purpose::Care | Purpose::Emergency) => Scope::WRITE,
            (Self::Card | Self::InsurerToken | Self::Delegate, Purpose::Own) => Scope::READ.with(Scope::AUDIT),
            _ => Scope::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Evidence; 6] = [
        Evidence::Card,
        Evidence::InsurerToken,
        Evidence::MemberId,
        Evidence::FourItem,
        Evidence::Unconscious,
        Evidence::Delegate,
    ];

    #[test]
    fn every_evidence_reads_back_and_nothing_else_does() {
        for evidence in EVERY {
            assert_eq!(Evidence::from_raw(u32::from(evidence as u8)), Some(evidence));
        }
        assert_eq!([0, 7, 257].map(Evidence::from_raw), [None; 3]);
    }

    #[test]
    fn a_member_id_never_reads() {
        for purpose in [Purpose::Care, Purpose::Emergency, Purpose::Own, Purpose::Repair, Purpose::Report] {
            assert!(!Evidence::MemberId.allows(purpose).allows(Scope::READ), "{purpose:?}");
        }
    }

    #[test]
    fn no_evidence_carries_rules_or_what_needs_two_people() {
        for evidence in EVERY {
            assert_eq!(evidence.allows(Purpose::Repair), Scope::NONE, "{evidence:?}");
            assert_eq!(evidence.allows(Purpose::Report), Scope::NONE, "{evidence:?}");
            for purpose in [Purpose::Care, Purpose::Emergency, Purpose::Own] {
                assert!(!evidence.allows(purpose).allows(Scope::RULES), "{evidence:?} {purpose:?}");
            }
        }
    }

    #[test]
    fn emergency_evidence_serves_emergencies_only() {
        for evidence in EVERY.into_iter().filter(|evidence| evidence.is_emergency()) {
            assert_eq!(evidence.allows(Purpose::Care), Scope::NONE, "{evidence:?}");
            assert!(evidence.allows(Purpose::Emergency).allows(Scope::READ), "{evidence:?}");
        }
    }
}
