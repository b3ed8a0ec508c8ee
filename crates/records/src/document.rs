//! The resources of a document as far as a summary needs them, and how they refer to each other.

use prost::Message;

use crate::draft::{Draft, Reference};
use crate::element::Element;
use crate::institution::MedicalInstitution;
use crate::key::Key;
use crate::summary::{Concept, Diagnosis, Drug, ENTRIES_MAX, Ingredient, Marks, Section};
use crate::system::System;

/// Most bytes that the entries of a summary may take beside their text.
const ENTRY_ROOM_BYTES: usize = 512 * 1024;

/// Most bytes that what is only looked up may take beside its text.
const LOOKUP_ROOM_BYTES: usize = 192 * 1024;

/// Kinds of resources that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceType {
    Bundle,
    Composition,
    Condition,
    Coverage,
    Encounter,
    Immunization,
    Medication,
    MedicationRequest,
    Organization,
    Patient,
    Other,
}

impl ResourceType {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "Bundle" => Self::Bundle,
            "Composition" => Self::Composition,
            "Condition" => Self::Condition,
            "Coverage" => Self::Coverage,
            "Encounter" => Self::Encounter,
            "Immunization" => Self::Immunization,
            "Medication" => Self::Medication,
            "MedicationRequest" => Self::MedicationRequest,
            "Organization" => Self::Organization,
            "Patient" => Self::Patient,
            _ => Self::Other,
        }
    }
}

/// How others refer to a resource: by the url of its entry, by type and id, or from inside one top-level resource.
pub(crate) struct Alias {
    pub(crate) type_name: &'static str,
    pub(crate) id: Option<String>,
    pub(crate) full_url: Option<String>,
    /// The top-level resource that contains it.
    pub(crate) contained_in: Option<u32>,
}

impl Alias {
    /// Whether `target`, written inside the top-level resource `from`, means this resource.
    fn is_meant_by(&self, target: &str, from: u32) -> bool {
        if let Some(local) = target.strip_prefix('#') {
            return self.contained_in == Some(from) && self.id.as_deref() == Some(local);
        }
        let target = target.split_once("/_history/").map_or(target, |(resource, _)| resource);
        let by_id = || {
            let (kind, id) = target.split_once('/')?;
            Some(kind == self.type_name && self.id.as_deref() == Some(id))
        };
        self.contained_in.is_none() && (self.full_url.as_deref() == Some(target) || by_id() == Some(true))
    }
}

/// A drug ordered; its product may lie in another resource.
pub(crate) struct Order {
    pub(crate) drug: Drug,
    pub(crate) product: Option<Reference>,
    pub(crate) from: u32,
}

pub(crate) struct Medication {
    pub(crate) alias: Option<usize>,
    pub(crate) product: Option<Concept>,
    pub(crate) ingredients: Vec<Ingredient>,
    /// What a copy of product and ingredients takes.
    pub(crate) copy_bytes: usize,
}

pub(crate) struct Organization {
    alias: Option<usize>,
    name: Option<String>,
    institution: Option<MedicalInstitution>,
    has_institution_number: bool,
    insurer: Option<String>,
}

struct Encounter {
    alias: Option<usize>,
    period: (Option<String>, Option<String>),
}

/// Insurance as its card shows it, without a member id of its own.
pub(crate) struct Coverage {
    pub(crate) insured: [Option<String>; 3],
    pub(crate) payor: Option<String>,
    pub(crate) insurer: Option<String>,
    pub(crate) from: u32,
}

/// The Composition of a document.
#[derive(Default)]
pub(crate) struct Composition {
    pub(crate) kind: Option<Concept>,
    pub(crate) date: Option<String>,
    pub(crate) prescription_number: Option<String>,
    pub(crate) period: Option<(Option<String>, Option<String>)>,
    pub(crate) sections: Vec<Section>,
    pub(crate) custodian: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) encounter: Option<String>,
    /// The top-level resource that it is.
    pub(crate) from: u32,
}

/// All that is kept of a document until its end. Every list is bounded.
#[derive(Default)]
pub(crate) struct Document {
    pub(crate) compositions: u32,
    pub(crate) composition: Composition,
    pub(crate) orders: Vec<Order>,
    pub(crate) diagnoses: Vec<Diagnosis>,
    pub(crate) medications: Vec<Medication>,
    pub(crate) coverages: Vec<Coverage>,
    pub(crate) marks: Marks,
    pub(crate) left_out: u32,
    /// The first institution number of an extension that has its check digit.
    pub(crate) institution: Option<MedicalInstitution>,
    organizations: Vec<Organization>,
    encounters: Vec<Encounter>,
    aliases: Vec<Alias>,
    entry_room: Room,
    lookup_room: Room,
}

impl Document {
    /// Takes a resource that ended; `from` numbers the top-level resource it is, or is contained in.
    pub(crate) fn add(
        &mut self,
        kind: ResourceType,
        mut draft: Draft,
        element: &Element<'_>,
        from: u32,
        contained: bool,
    ) {
        if let Some(number) = draft.institution.take() {
            self.institution = self.institution.or_else(|| number.parse().ok());
        }
        match kind {
            ResourceType::Composition if !contained => self.add_composition(draft, element, from),
            ResourceType::MedicationRequest if !contained => self.add_order(draft, element, from),
            ResourceType::Condition if !contained => self.add_diagnosis(draft, element),
            ResourceType::Medication => {
                let alias = self.alias("Medication", element, from, contained);
                let Draft { code, ingredients, room, .. } = draft;
                let text: usize = code.iter().map(Message::encoded_len).sum::<usize>()
                    + ingredients.iter().map(Message::encoded_len).sum::<usize>();
                let medication = Medication { alias, product: code, ingredients, copy_bytes: room.used + text };
                self.left_out += room.left_out;
                if self.lookup_room.takes(
                    LOOKUP_ROOM_BYTES,
                    room.used + size_of::<Medication>(),
                    self.medications.len(),
                ) {
                    self.medications.push(medication);
                }
            }
            ResourceType::Organization => self.add_organization(draft, element, from, contained),
            ResourceType::Encounter => {
                let alias = self.alias("Encounter", element, from, contained);
                if let Some(period) = draft.period
                    && self.lookup_room.takes(LOOKUP_ROOM_BYTES, size_of::<Encounter>(), self.encounters.len())
                {
                    self.encounters.push(Encounter { alias, period });
                }
            }
            ResourceType::Coverage => {
                let Draft { insured, payor, payor_insurer, .. } = draft;
                if self.lookup_room.takes(LOOKUP_ROOM_BYTES, size_of::<Coverage>(), self.coverages.len()) {
                    let payor = payor.and_then(|payor| payor.target);
                    self.coverages.push(Coverage { insured, payor, insurer: payor_insurer, from });
                }
            }
            _ => {}
        }
    }

    fn add_composition(&mut self, draft: Draft, element: &Element<'_>, from: u32) {
        self.compositions = self.compositions.saturating_add(1);
        self.marks = self.marks.and(draft.marks);
        self.left_out += draft.room.left_out;
        let Draft { kind, identifiers, period, sections, custodian, authors, encounter, .. } = draft;
        let number = identifiers.into_iter().find(|identifier| identifier.system == System::Prescription);
        self.composition = Composition {
            kind,
            date: element.owned(Key::Date),
            prescription_number: number.map(|identifier| identifier.value),
            period,
            sections,
            custodian,
            authors,
            encounter,
            from,
        };
    }

    fn add_order(&mut self, draft: Draft, element: &Element<'_>, from: u32) {
        self.marks = self.marks.and(draft.marks);
        self.left_out += draft.room.left_out;
        let Draft { medication, medication_reference, usages, supply, supply_days, identifiers, room, .. } = draft;
        let group = identifiers.into_iter().find(|identifier| identifier.system == System::DrugGroup);
        let drug = Drug {
            product: medication,
            ingredients: Vec::new(),
            usages,
            supply,
            days: supply_days,
            status: element.owned(Key::Status),
            group: group.map(|identifier| identifier.value),
            ordered: element.owned(Key::AuthoredOn),
            elsewhere: None,
        };
        if self.entry_room.takes(ENTRY_ROOM_BYTES, room.used + size_of::<Order>(), self.orders.len()) {
            self.orders.push(Order { drug, product: medication_reference, from });
        } else {
            self.left_out += 1;
        }
    }

    fn add_diagnosis(&mut self, draft: Draft, element: &Element<'_>) {
        self.left_out += draft.room.left_out;
        let Draft { code, marks, room, .. } = draft;
        if self.entry_room.takes(ENTRY_ROOM_BYTES, room.used + size_of::<Diagnosis>(), self.diagnoses.len()) {
            self.diagnoses.push(Diagnosis {
                disease: code,
                recorded: element.owned(Key::RecordedDate),
                uninformed: marks.uninformed,
                undelivered: marks.undelivered,
            });
        } else {
            self.left_out += 1;
        }
    }

    fn add_organization(&mut self, draft: Draft, element: &Element<'_>, from: u32, contained: bool) {
        let alias = self.alias("Organization", element, from, contained);
        let value_of = |system: System| {
            draft.identifiers.iter().find(|identifier| identifier.system == system).map(|found| found.value.as_str())
        };
        let parts = [System::InstitutionPrefecture, System::InstitutionTable, System::InstitutionLocal].map(value_of);
        let number = match (value_of(System::Institution), parts) {
            (Some(number), _) => Some(number.to_owned()),
            (None, [Some(prefecture), Some(table), Some(local)]) => Some(format!("{prefecture}{table}{local}")),
            _ => None,
        };
        let organization = Organization {
            alias,
            name: element.owned(Key::Name),
            institution: number.as_deref().and_then(|number| number.parse().ok()),
            has_institution_number: number.is_some(),
            insurer: value_of(System::Insurer).map(str::to_owned),
        };
        if self.lookup_room.takes(LOOKUP_ROOM_BYTES, size_of::<Organization>(), self.organizations.len()) {
            self.organizations.push(organization);
        }
    }

    /// The place of a new alias; none when there is no room, so that nothing refers to the resource.
    fn alias(&mut self, type_name: &'static str, element: &Element<'_>, from: u32, contained: bool) -> Option<usize> {
        self.lookup_room.takes(LOOKUP_ROOM_BYTES, size_of::<Alias>(), 0).then(|| {
            let contained_in = contained.then_some(from);
            self.aliases.push(Alias { type_name, id: element.owned(Key::Id), full_url: None, contained_in });
            self.aliases.len() - 1
        })
    }

    /// Takes the `fullUrl` of the entry whose resource was added last, if resources of its type are referred to.
    pub(crate) fn name_last_entry(&mut self, kind: ResourceType, full_url: &str) {
        if matches!(kind, ResourceType::Medication | ResourceType::Organization | ResourceType::Encounter)
            && let Some(alias) = self.aliases.iter_mut().rfind(|alias| alias.contained_in.is_none())
        {
            alias.full_url.get_or_insert_with(|| full_url.to_owned());
        }
    }

    /// Drugs with the products that are found in the document. A reference that leads nowhere in it leaves itself and its
    /// text; so does one to a product for whose copy there is no room.
    pub(crate) fn take_drugs(&mut self) -> Vec<Drug> {
        let orders = core::mem::take(&mut self.orders);
        let mut room = core::mem::take(&mut self.entry_room);
        let mut left_out = 0;
        let drugs = orders.into_iter().map(|order| self.drug_of(order, &mut room, &mut left_out)).collect();
        self.left_out += left_out;
        drugs
    }

    fn drug_of(&self, order: Order, room: &mut Room, left_out: &mut u32) -> Drug {
        let Order { mut drug, product, from } = order;
        let Some(Reference { target, display }) = product else { return drug };
        let found = target
            .as_deref()
            .and_then(|target| self.medications.iter().find(|medication| self.means(medication.alias, target, from)));
        match found {
            Some(Medication { product, ingredients, copy_bytes, .. })
                if room.takes(ENTRY_ROOM_BYTES, *copy_bytes, 0) =>
            {
                drug.product = drug.product.or_else(|| product.clone());
                drug.ingredients.clone_from(ingredients);
            }
            found => {
                *left_out += u32::from(found.is_some());
                drug.elsewhere = target;
            }
        }
        if drug.product.is_none() && display.is_some() {
            drug.product = Some(Concept { codes: Vec::new(), text: display });
        }
        drug
    }

    fn means(&self, alias: Option<usize>, target: &str, from: u32) -> bool {
        alias.and_then(|alias| self.aliases.get(alias)).is_some_and(|alias| alias.is_meant_by(target, from))
    }

    fn organization(&self, target: &str, from: u32) -> Option<&Organization> {
        self.organizations.iter().find(|organization| self.means(organization.alias, target, from))
    }

    /// The insurer number of the organization that pays a coverage.
    pub(crate) fn payor_of<'a>(&'a self, coverage: &'a Coverage) -> Option<&'a str> {
        coverage
            .insurer
            .as_deref()
            .or_else(|| self.organization(coverage.payor.as_deref()?, coverage.from)?.insurer.as_deref())
    }

    /// The stay: the event of the Composition, else the encounter it names, else the only encounter with a period.
    pub(crate) fn stay(&self) -> (Option<String>, Option<String>) {
        if let Some(period) = &self.composition.period {
            return period.clone();
        }
        let named = self.composition.encounter.as_deref().and_then(|target| {
            self.encounters.iter().find(|encounter| self.means(encounter.alias, target, self.composition.from))
        });
        match (named, self.encounters.as_slice()) {
            (Some(encounter), _) | (None, [encounter]) => encounter.period.clone(),
            _ => (None, None),
        }
    }

    /// The organization that keeps the document, signed it, or else the first that has an institution number.
    pub(crate) fn facility(&self) -> Option<(Option<String>, Option<MedicalInstitution>)> {
        let Composition { custodian, authors, from, .. } = &self.composition;
        let named = custodian.iter().chain(authors).find_map(|target| self.organization(target, *from));
        let organization =
            named.or_else(|| self.organizations.iter().find(|organization| organization.has_institution_number))?;
        Some((organization.name.clone(), organization.institution))
    }
}

/// How much of a bound is taken.
#[derive(Default)]
struct Room {
    used: usize,
}

impl Room {
    /// Whether there is room within `max` for `bytes` more, in a list of `entries`; they are then taken.
    fn takes(&mut self, max: usize, bytes: usize, entries: usize) -> bool {
        let used = self.used.saturating_add(bytes);
        let takes = used <= max && entries < ENTRIES_MAX;
        if takes {
            self.used = used;
        }
        takes
    }
}
