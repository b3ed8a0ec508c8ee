//! Classes of records: what consent, rules and keys are about.

use renkei_access::ConsentCategory;

/// Kind of a document. The numbers are part of derivations and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Category {
    /// A prescription.
    Prescription = 1,
    /// A vaccination.
    Vaccination = 2,
    /// A discharge summary.
    DischargeSummary = 3,
}

/// Which part of a record. The numbers are part of derivations and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Part {
    /// The extract that a timeline shows; it names nobody.
    Summary = 1,
    /// The document as it came.
    Document = 2,
}

/// A set of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClassSet(u8);

/// A class: one part of the records of one category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// The category.
    pub category: Category,
    /// The part.
    pub part: Part,
}

impl Category {
    /// Every category, in the order of their numbers.
    pub const EVERY: [Self; 3] = [Self::Prescription, Self::Vaccination, Self::DischargeSummary];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|category| u32::from(*category as u8) == raw)
    }

    /// What a patient consents to, where such a document is to be read.
    pub const fn consent(self) -> ConsentCategory {
        match self {
            Self::Prescription => ConsentCategory::CareAndDrugs,
            Self::Vaccination => ConsentCategory::Vaccination,
            Self::DischargeSummary => ConsentCategory::Documents,
        }
    }
}

impl Part {
    /// Both parts, in the order of their numbers.
    pub const EVERY: [Self; 2] = [Self::Summary, Self::Document];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|part| u32::from(*part as u8) == raw)
    }
}

impl Class {
    /// How many classes there are.
    pub const COUNT: usize = Category::EVERY.len() * Part::EVERY.len();

    /// The class of the summaries of a category.
    pub const fn summary(category: Category) -> Self {
        Self { category, part: Part::Summary }
    }

    /// The class of the documents of a category.
    pub const fn document(category: Category) -> Self {
        Self { category, part: Part::Document }
    }

    /// Every class.
    pub fn every() -> impl Iterator<Item = Self> {
        Category::EVERY.into_iter().flat_map(|category| Part::EVERY.map(|part| Self { category, part }))
    }

    /// Category and part, as derivations and stored keys hold them.
    pub const fn to_bytes(self) -> [u8; 2] {
        [self.category as u8, self.part as u8]
    }

    /// Reads what [`Class::to_bytes`] wrote.
    pub fn from_bytes([category, part]: [u8; 2]) -> Option<Self> {
        Some(Self { category: Category::from_raw(category.into())?, part: Part::from_raw(part.into())? })
    }
}

impl ClassSet {
    /// The set as bits, for encoding: bit 0 is the first of [`Class::every`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// From encoded bits; `None` where one names no class.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits >> Class::COUNT == 0 { Some(Self(bits)) } else { None }
    }

    /// Whether it holds the class.
    pub fn contains(self, class: Class) -> bool {
        Class::every().zip(0_u8..).any(|(known, bit)| known == class && self.0 & (1 << bit) != 0)
    }
}

impl FromIterator<Class> for ClassSet {
    fn from_iter<I: IntoIterator<Item = Class>>(classes: I) -> Self {
        let classes: Vec<Class> = classes.into_iter().collect();
        let bits = Class::every().zip(0_u8..).filter(|(known, _)| classes.contains(known));
        Self(bits.fold(0, |set, (_, bit)| set | 1 << bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_reads_back_and_no_two_share_their_bytes() {
        let mut seen = std::collections::BTreeSet::new();
        for class in Class::every() {
            assert_eq!(Class::from_bytes(class.to_bytes()), Some(class));
            assert!(seen.insert(class.to_bytes()), "{class:?}");
        }
        assert_eq!(seen.len(), Class::COUNT);
        assert_eq!([[0, 1], [4, 1], [1, 0], [1, 3]].map(Class::from_bytes), [None; 4]);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        for bits in 0..1 << Class::COUNT {
            let set = ClassSet::from_bits(bits).unwrap();
            let inside: Vec<_> = Class::every().filter(|class| set.contains(*class)).collect();
            assert_eq!(inside.len(), bits.count_ones() as usize);
            assert_eq!(inside.into_iter().collect::<ClassSet>(), set);
        }
        assert_eq!(ClassSet::from_bits(1 << Class::COUNT), None);
    }
}
