//! The parts that summaries share. They are plain data, encoded as they stand.

use super::{ENTRIES_MAX, TEXT_MAX_BYTES};

/// Most codes of one concept, usages of one drug, ingredients of one drug.
const PARTS_MAX: usize = 32;

/// One code of a concept, exactly as given. Nothing is mapped, completed or corrected: an unknown or dummy code stays
/// one, and a display that disagrees stays beside it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Code {
    /// The code system as written.
    #[prost(string, optional, tag = "1")]
    pub system: Option<String>,
    /// The code as written.
    #[prost(string, optional, tag = "2")]
    pub code: Option<String>,
    /// The name that the document gives the code.
    #[prost(string, optional, tag = "3")]
    pub display: Option<String>,
}

/// A thing by its codes and by its text, side by side.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Concept {
    /// The codes in document order.
    #[prost(message, repeated, tag = "1")]
    pub codes: Vec<Code>,
    /// The text.
    #[prost(string, optional, tag = "2")]
    pub text: Option<String>,
}

/// An amount.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Quantity {
    /// The digits as written: `0.010` is not `0.01`.
    #[prost(string, optional, tag = "1")]
    pub value: Option<String>,
    /// The unit as people read it.
    #[prost(string, optional, tag = "2")]
    pub unit: Option<String>,
    /// The system of the unit's code.
    #[prost(string, optional, tag = "3")]
    pub system: Option<String>,
    /// The code of the unit.
    #[prost(string, optional, tag = "4")]
    pub code: Option<String>,
}

/// How a drug is taken.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Usage {
    /// The instruction in words.
    #[prost(string, optional, tag = "1")]
    pub text: Option<String>,
    /// The coded usage (JAMI, MHLW).
    #[prost(message, optional, tag = "2")]
    pub timing: Option<Concept>,
    /// The route.
    #[prost(message, optional, tag = "3")]
    pub route: Option<Concept>,
    /// The site of the body.
    #[prost(message, optional, tag = "4")]
    pub site: Option<Concept>,
    /// One dose, or the lower end of its range.
    #[prost(message, optional, tag = "5")]
    pub dose: Option<Quantity>,
    /// The upper end of the range of one dose.
    #[prost(message, optional, tag = "10")]
    pub dose_to: Option<Quantity>,
    /// How much in the time of `rate_per`: the daily dose, or the speed of an infusion.
    #[prost(message, optional, tag = "6")]
    pub rate: Option<Quantity>,
    /// The time, or other denominator, of `rate`.
    #[prost(message, optional, tag = "11")]
    pub rate_per: Option<Quantity>,
    /// For how long.
    #[prost(message, optional, tag = "7")]
    pub duration: Option<Quantity>,
    /// Whether only when needed.
    #[prost(bool, optional, tag = "8")]
    pub as_needed: Option<bool>,
    /// From when, as written.
    #[prost(string, optional, tag = "9")]
    pub start: Option<String>,
}

/// A component of a mixture.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Ingredient {
    /// What.
    #[prost(message, optional, tag = "1")]
    pub item: Option<Concept>,
    /// How much in `per`.
    #[prost(message, optional, tag = "2")]
    pub strength: Option<Quantity>,
    /// The denominator of `strength`.
    #[prost(message, optional, tag = "3")]
    pub per: Option<Quantity>,
}

/// One drug of a prescription.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Drug {
    /// The product, or the text beside a reference to it.
    #[prost(message, optional, tag = "1")]
    pub product: Option<Concept>,
    /// Components, when the product is a mixture.
    #[prost(message, repeated, tag = "2")]
    pub ingredients: Vec<Ingredient>,
    /// How it is taken; several for unequal doses.
    #[prost(message, repeated, tag = "3")]
    pub usages: Vec<Usage>,
    /// How much is dispensed.
    #[prost(message, optional, tag = "4")]
    pub supply: Option<Quantity>,
    /// For how many days it is dispensed.
    #[prost(message, optional, tag = "5")]
    pub days: Option<Quantity>,
    /// Status of the order, as given.
    #[prost(string, optional, tag = "6")]
    pub status: Option<String>,
    /// The group of drugs that are taken alike (Rp).
    #[prost(string, optional, tag = "7")]
    pub group: Option<String>,
    /// When it was ordered, as written.
    #[prost(string, optional, tag = "8")]
    pub ordered: Option<String>,
    /// The reference to a product that is not in the document, as written. Nobody follows it.
    #[prost(string, optional, tag = "9")]
    pub elsewhere: Option<String>,
}

/// The place of a dose in a series.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Protocol {
    /// The series.
    #[prost(string, optional, tag = "1")]
    pub series: Option<String>,
    /// The number of the dose, as written.
    #[prost(string, optional, tag = "2")]
    pub dose_number: Option<String>,
    /// The diseases it is against.
    #[prost(message, repeated, tag = "3")]
    pub diseases: Vec<Concept>,
}

/// A diagnosis of a stay.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Diagnosis {
    /// The disease.
    #[prost(message, optional, tag = "1")]
    pub disease: Option<Concept>,
    /// When it was recorded, as written.
    #[prost(string, optional, tag = "2")]
    pub recorded: Option<String>,
    /// The patient has not been told (UNINFORMED).
    #[prost(bool, tag = "3")]
    pub uninformed: bool,
    /// Not to be given to other institutions (UNDELIVERED).
    #[prost(bool, tag = "4")]
    pub undelivered: bool,
}

/// A section of a document; its text stays in the document.
#[derive(Clone, PartialEq, Eq, prost::Message)]
#[prost(skip_debug)]
pub struct Section {
    /// The kind of section.
    #[prost(message, optional, tag = "1")]
    pub code: Option<Concept>,
    /// Its title.
    #[prost(string, optional, tag = "2")]
    pub title: Option<String>,
}

/// What can leave out its long texts and surplus parts, and say how many.
pub(super) trait Bounded {
    fn drop_long(&mut self) -> u32;
}

/// Leaves out a text over [`TEXT_MAX_BYTES`]; how many were left out.
pub(super) fn drop_long_text(text: &mut Option<String>) -> u32 {
    match text.take_if(|text| text.len() > TEXT_MAX_BYTES) {
        Some(_) => 1,
        None => 0,
    }
}

/// Bounds a list of entries and each entry in it.
pub(super) fn drop_long(entries: &mut Vec<impl Bounded>) -> u32 {
    truncated(entries, ENTRIES_MAX) + entries.iter_mut().map(Bounded::drop_long).sum::<u32>()
}

fn truncated<T>(list: &mut Vec<T>, max: usize) -> u32 {
    let surplus = list.len().saturating_sub(max);
    list.truncate(max);
    u32::try_from(surplus).expect("a document has fewer parts than bytes")
}

fn parts(list: &mut Vec<impl Bounded>) -> u32 {
    truncated(list, PARTS_MAX) + list.iter_mut().map(Bounded::drop_long).sum::<u32>()
}

fn texts<const N: usize>(texts: [&mut Option<String>; N]) -> u32 {
    texts.into_iter().map(drop_long_text).sum()
}

fn optional(part: &mut Option<impl Bounded>) -> u32 {
    part.as_mut().map_or(0, Bounded::drop_long)
}

impl Bounded for Code {
    fn drop_long(&mut self) -> u32 {
        let Self { system, code, display } = self;
        texts([system, code, display])
    }
}

impl Bounded for Concept {
    fn drop_long(&mut self) -> u32 {
        let Self { codes, text } = self;
        parts(codes) + drop_long_text(text)
    }
}

impl Bounded for Quantity {
    fn drop_long(&mut self) -> u32 {
        let Self { value, unit, system, code } = self;
        texts([value, unit, system, code])
    }
}

impl Bounded for Usage {
    fn drop_long(&mut self) -> u32 {
        let Self { text, timing, route, site, dose, dose_to, rate, rate_per, duration, as_needed: _, start } = self;
        texts([text, start])
            + [timing, route, site].into_iter().map(optional).sum::<u32>()
            + [dose, dose_to, rate, rate_per, duration].into_iter().map(optional).sum::<u32>()
    }
}

impl Bounded for Ingredient {
    fn drop_long(&mut self) -> u32 {
        let Self { item, strength, per } = self;
        optional(item) + optional(strength) + optional(per)
    }
}

impl Bounded for Drug {
    fn drop_long(&mut self) -> u32 {
        let Self { product, ingredients, usages, supply, days, status, group, ordered, elsewhere } = self;
        optional(product)
            + parts(ingredients)
            + parts(usages)
            + optional(supply)
            + optional(days)
            + texts([status, group, ordered, elsewhere])
    }
}

impl Bounded for Protocol {
    fn drop_long(&mut self) -> u32 {
        let Self { series, dose_number, diseases } = self;
        texts([series, dose_number]) + parts(diseases)
    }
}

impl Bounded for Diagnosis {
    fn drop_long(&mut self) -> u32 {
        let Self { disease, recorded, uninformed: _, undelivered: _ } = self;
        optional(disease) + drop_long_text(recorded)
    }
}

impl Bounded for Section {
    fn drop_long(&mut self) -> u32 {
        let Self { code, title } = self;
        optional(code) + drop_long_text(title)
    }
}
