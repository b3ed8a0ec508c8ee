//! Consent: what a patient is asked for at check-in, category by category.

/// A category that a patient consents to. The numbers are stored and never change; there is none for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ConsentCategory {
    /// Care and drugs.
    CareAndDrugs = 1,
    /// Surgery.
    Surgery = 2,
    /// Health checkups.
    Checkup = 3,
    /// Vaccinations.
    Vaccination = 4,
    /// Documents, such as discharge summaries and referrals.
    Documents = 5,
}

/// Categories, each of them named by who consents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConsentSet(u8);

/// The version of the text that was shown to who consents; 1 is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentText(pub u32);

/// Why an institution may put something into a patient's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CollectionBasis {
    /// The patient consents.
    Consent = 1,
    /// A law makes it a duty.
    LegalDuty = 2,
}

impl CollectionBasis {
    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        [Self::Consent, Self::LegalDuty].into_iter().find(|basis| u32::from(*basis as u8) == raw)
    }
}

impl ConsentCategory {
    /// Every category, in the order of their numbers.
    pub const EVERY: [Self; 5] = [Self::CareAndDrugs, Self::Surgery, Self::Checkup, Self::Vaccination, Self::Documents];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|category| u32::from(*category as u8) == raw)
    }

    const fn bit(self) -> u8 {
        1 << (self as u8 - 1)
    }
}

impl ConsentSet {
    /// No category.
    pub const NONE: Self = Self(0);

    /// The set as bits, for encoding: bit 0 is the first of [`ConsentCategory::EVERY`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From encoded bits; `None` where one names no category.
    pub fn from_bits(bits: u32) -> Option<Self> {
        u8::try_from(bits).ok().filter(|bits| bits >> ConsentCategory::EVERY.len() == 0).map(Self)
    }

    /// Whether nothing is consented to.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it holds the category.
    pub const fn contains(self, category: ConsentCategory) -> bool {
        self.0 & category.bit() != 0
    }

    /// Whether it holds every category of the other.
    pub const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// With one more category; `None` where it is there already, for nobody consents to one thing twice.
    pub const fn with(self, category: ConsentCategory) -> Option<Self> {
        if self.contains(category) { None } else { Some(Self(self.0 | category.bit())) }
    }

    /// Its categories.
    pub fn iter(self) -> impl Iterator<Item = ConsentCategory> {
        ConsentCategory::EVERY.into_iter().filter(move |category| self.contains(*category))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_reads_back_and_nothing_else_does() {
        for category in ConsentCategory::EVERY {
            assert_eq!(ConsentCategory::from_raw(u32::from(category as u8)), Some(category));
        }
        assert_eq!([0, 6, 257].map(ConsentCategory::from_raw), [None; 3]);
        assert_eq!(ConsentSet::from_bits(32), None);
        assert_eq!([0, 1, 2, 3].map(|raw| CollectionBasis::from_raw(raw).is_some()), [false, true, true, false]);
    }

    #[test]
    fn a_set_holds_what_was_named_and_nothing_twice() {
        let set = ConsentSet::NONE.with(ConsentCategory::Checkup).and_then(|set| set.with(ConsentCategory::Surgery));
        let set = set.expect("two different categories");
        assert_eq!(set.iter().collect::<Vec<_>>(), [ConsentCategory::Surgery, ConsentCategory::Checkup]);
        assert_eq!(set.with(ConsentCategory::Surgery), None);
        assert_eq!(ConsentSet::from_bits(set.bits().into()), Some(set));
        assert!(ConsentSet::NONE.is_empty() && !set.is_empty());
    }
}
