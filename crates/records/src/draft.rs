//! What one resource says, gathered while it is read. Its type may be written last, so that fields are gathered by their
//! path alone; [`crate::document`] decides by type what they mean.

mod dosage;

use crate::element::Element;
use crate::key::Key;
use crate::summary::{Code, Concept, Ingredient, Marks, Protocol, Quantity, Section, Usage};
use crate::system::System;
use dosage::Dosage;

/// Most items of any list of a resource.
const ITEMS_MAX: usize = 64;

/// Most bytes that the items of one resource's lists may take beside their text. An item can be written in a few bytes
/// and take hundreds here; this keeps the memory of a resource in proportion to its text.
const ROOM_BYTES: usize = 128 * 1024;

/// What is left of a resource's memory, and what was dropped for want of it.
#[derive(Default)]
pub(crate) struct Room {
    /// Bytes taken by items of lists, beside their text.
    pub(crate) used: usize,
    /// Items dropped.
    pub(crate) left_out: u32,
}

impl Room {
    fn keep<T>(&mut self, list: &mut Vec<T>, item: T) {
        let used = self.used + size_of::<T>();
        if list.len() < ITEMS_MAX && used <= ROOM_BYTES {
            self.used = used;
            list.push(item);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}

/// A reference to another resource.
#[derive(Default)]
pub(crate) struct Reference {
    /// Where it points.
    pub(crate) target: Option<String>,
    /// Its text.
    pub(crate) display: Option<String>,
}

/// An identifier of the resource itself.
pub(crate) struct Identifier {
    pub(crate) system: System,
    pub(crate) written_system: String,
    pub(crate) value: String,
}

/// The fields of one resource as far as any kind that is read has them. Lists are bounded.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) marks: Marks,
    pub(crate) profiles: Vec<String>,
    pub(crate) identifiers: Vec<Identifier>,
    /// `medication[x]` as a concept.
    pub(crate) medication: Option<Concept>,
    /// `medication[x]` as a reference.
    pub(crate) medication_reference: Option<Reference>,
    pub(crate) code: Option<Concept>,
    pub(crate) kind: Option<Concept>,
    pub(crate) vaccine: Option<Concept>,
    pub(crate) site: Option<Concept>,
    pub(crate) route: Option<Concept>,
    pub(crate) dose: Option<Quantity>,
    pub(crate) supply: Option<Quantity>,
    pub(crate) supply_days: Option<Quantity>,
    pub(crate) usages: Vec<Usage>,
    pub(crate) ingredients: Vec<Ingredient>,
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) sections: Vec<Section>,
    /// Start and end of `period`, or of the first `event.period`.
    pub(crate) period: Option<(Option<String>, Option<String>)>,
    pub(crate) custodian: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) encounter: Option<String>,
    pub(crate) payor: Option<Reference>,
    pub(crate) payor_insurer: Option<String>,
    /// Symbol, number and branch of a Coverage.
    pub(crate) insured: [Option<String>; 3],
    pub(crate) institution: Option<String>,
    pub(crate) next_due: Option<String>,
    pub(crate) room: Room,
    dosage: Dosage,
    item: Option<Concept>,
    strength: (Option<Quantity>, Option<Quantity>),
    diseases: Vec<Concept>,
    section_codes: Vec<(usize, Concept)>,
    codings: Vec<(usize, Code)>,
    extension_identifier: Option<String>,
}

/// The ends of extension urls that intake reads, whatever their root.
mod extension {
    pub(super) const INSTITUTION: &str = "/JP_eCS_InstitutionNumber";
    pub(super) const SYMBOL: &str = "/JP_Coverage_InsuredPersonSymbol";
    pub(super) const NUMBER: &str = "/JP_Coverage_InsuredPersonNumber";
    pub(super) const BRANCH: &str = "/JP_Coverage_InsuredPersonSubNumber";
    pub(super) const NEXT_DUE: &str = "DueDateOfNextDose";
}

const MARKS_SYSTEM: &str = "/JP_ehrshrs_indication";

impl Draft {
    /// Takes an object of the resource; `at` is its path from the resource's root, not empty.
    pub(crate) fn leave(&mut self, at: &[Key], element: &Element<'_>) {
        match at {
            [.., Key::Coding] => {
                let code = Code {
                    system: element.owned(Key::System),
                    code: element.owned(Key::Code),
                    display: element.owned(Key::Display),
                };
                self.room.keep(&mut self.codings, (at.len(), code));
                return;
            }
            [Key::Meta, rest @ ..] => self.leave_meta(rest, element),
            [Key::DosageInstruction, rest @ ..] => self.leave_dosage(rest, at.len(), element),
            [.., Key::Section] | [.., Key::Section, Key::Code] if is_section(at) => self.leave_section(at, element),
            [Key::Extension, Key::ValueIdentifier] => self.extension_identifier = element.owned(Key::Value),
            [.., Key::Extension] => self.leave_extension(element),
            _ => self.leave_plain(at, element),
        }
        self.forget_codings_inside(at.len());
    }

    fn leave_meta(&mut self, at: &[Key], element: &Element<'_>) {
        match at {
            [] => {
                for profile in element.texts(Key::Profile) {
                    self.room.keep(&mut self.profiles, profile.to_owned());
                }
            }
            [Key::Tag] if element.text(Key::System).is_some_and(|system| system.ends_with(MARKS_SYSTEM)) => {
                match element.text(Key::Code) {
                    Some("LTS") => self.marks.keep_long = true,
                    Some("UNINFORMED") => self.marks.uninformed = true,
                    Some("UNDELIVERED") => self.marks.undelivered = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn leave_dosage(&mut self, at: &[Key], depth: usize, element: &Element<'_>) {
        if at.is_empty() {
            let usage = self.dosage.finish(element);
            self.room.keep(&mut self.usages, usage);
        } else if Dosage::is_concept(at) {
            let concept = self.concept(depth, element);
            self.dosage.set_concept(at, concept);
        } else {
            self.dosage.leave(at, element);
        }
    }

    fn leave_section(&mut self, at: &[Key], element: &Element<'_>) {
        if at.last() == Some(&Key::Code) {
            let code = self.concept(at.len(), element);
            self.section_codes.push((at.len(), code));
            return;
        }
        let code = self.section_codes.pop_if(|(depth, _)| *depth == at.len() + 1).map(|(_, code)| code);
        self.room.keep(&mut self.sections, Section { code, title: element.owned(Key::Title) });
    }

    fn leave_extension(&mut self, element: &Element<'_>) {
        let Some(url) = element.text(Key::Url) else { return };
        let identifier = self.extension_identifier.take();
        let value = || element.owned(Key::ValueString);
        if url.ends_with(extension::INSTITUTION) {
            self.institution = identifier;
        } else if url.ends_with(extension::SYMBOL) {
            self.insured[0] = value();
        } else if url.ends_with(extension::NUMBER) {
            self.insured[1] = value();
        } else if url.ends_with(extension::BRANCH) {
            self.insured[2] = value();
        } else if url.ends_with(extension::NEXT_DUE) {
            self.next_due = element.owned(Key::ValueDateTime).or_else(|| element.owned(Key::ValueDate));
        }
    }

    fn leave_plain(&mut self, at: &[Key], element: &Element<'_>) {
        match at {
            [Key::Identifier] => {
                if let Some(value) = element.owned(Key::Value) {
                    let written_system = element.owned(Key::System).unwrap_or_default();
                    let identifier = Identifier { system: System::of(&written_system), written_system, value };
                    self.room.keep(&mut self.identifiers, identifier);
                }
            }
            [Key::MedicationReference] => self.medication_reference = Some(reference(element)),
            [Key::MedicationCodeableConcept] => self.medication = Some(self.concept(1, element)),
            [Key::Code] => self.code = Some(self.concept(1, element)),
            [Key::Type] => self.kind = Some(self.concept(1, element)),
            [Key::VaccineCode] => self.vaccine = Some(self.concept(1, element)),
            [Key::Site] => self.site = Some(self.concept(1, element)),
            [Key::Route] => self.route = Some(self.concept(1, element)),
            [Key::DoseQuantity] => self.dose = Some(quantity(element)),
            [Key::DispenseRequest, Key::Quantity] => self.supply = Some(quantity(element)),
            [Key::DispenseRequest, Key::ExpectedSupplyDuration] => self.supply_days = Some(quantity(element)),
            [Key::Period] | [Key::Event, Key::Period] if self.period.is_none() => {
                self.period = Some((element.owned(Key::Start), element.owned(Key::End)));
            }
            [Key::Custodian] => self.custodian = element.owned(Key::Reference),
            [Key::Author] => {
                let author = element.owned(Key::Reference).unwrap_or_default();
                self.room.keep(&mut self.authors, author);
            }
            [Key::Encounter] => self.encounter = element.owned(Key::Reference),
            [Key::Payor, Key::Identifier] => self.payor_insurer = element.owned(Key::Value),
            [Key::Payor] => self.payor = Some(reference(element)),
            _ => self.leave_nested(at, element),
        }
    }

    /// Ingredients and protocols: their parts, then themselves.
    fn leave_nested(&mut self, at: &[Key], element: &Element<'_>) {
        match at {
            [Key::Ingredient, Key::ItemCodeableConcept] => self.item = Some(self.concept(at.len(), element)),
            [Key::Ingredient, Key::Strength, Key::Numerator] => self.strength.0 = Some(quantity(element)),
            [Key::Ingredient, Key::Strength, Key::Denominator] => self.strength.1 = Some(quantity(element)),
            [Key::Ingredient] => {
                let (strength, per) = core::mem::take(&mut self.strength);
                let ingredient = Ingredient { item: self.item.take(), strength, per };
                self.room.keep(&mut self.ingredients, ingredient);
            }
            [Key::ProtocolApplied, Key::TargetDisease] => {
                let disease = self.concept(at.len(), element);
                self.room.keep(&mut self.diseases, disease);
            }
            [Key::ProtocolApplied] => {
                let number = element.number(Key::DoseNumberPositiveInt).or_else(|| element.text(Key::DoseNumberString));
                let protocol = Protocol {
                    series: element.owned(Key::Series),
                    dose_number: number.map(str::to_owned),
                    diseases: core::mem::take(&mut self.diseases),
                };
                self.room.keep(&mut self.protocols, protocol);
            }
            _ => {}
        }
    }

    /// The concept at `depth` that ends here, with the codings that ended inside it.
    fn concept(&mut self, depth: usize, element: &Element<'_>) -> Concept {
        let first = self.codings.iter().rposition(|(at, _)| *at != depth + 1).map_or(0, |before| before + 1);
        let codes = self.codings.drain(first..).map(|(_, code)| code).collect();
        Concept { codes, text: element.owned(Key::Text) }
    }

    fn forget_codings_inside(&mut self, depth: usize) {
        while self.codings.pop_if(|(at, _)| *at > depth).is_some() {
            self.room.used = self.room.used.saturating_sub(size_of::<(usize, Code)>());
        }
    }
}

/// Whether all names are `section`, but for a `code` at the end.
fn is_section(at: &[Key]) -> bool {
    let sections = at.strip_suffix(&[Key::Code]).unwrap_or(at);
    !sections.is_empty() && sections.iter().all(|key| *key == Key::Section)
}

fn reference(element: &Element<'_>) -> Reference {
    Reference { target: element.owned(Key::Reference), display: element.owned(Key::Display) }
}

fn quantity(element: &Element<'_>) -> Quantity {
    Quantity {
        value: element.number(Key::Value).map(str::to_owned),
        unit: element.owned(Key::Unit),
        system: element.owned(Key::System),
        code: element.owned(Key::Code),
    }
}
