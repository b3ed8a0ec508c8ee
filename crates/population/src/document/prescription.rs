//! Prescriptions: a document Bundle with one to five drugs.

use crate::draw::Draws;
use crate::fhir::{Coding, Day, GENERIC_NAME, HOT9, Moment, UCUM, YJ};
use crate::institution::Institution;
use crate::json::Json;

use super::formulary::{PRODUCTS, Product};
use super::resources::{self, Heading};
use super::{Content, Expected};

/// What a prescription holds. Drugs are drawn without regard to age or disease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prescription {
    /// One to five drugs, 2.95 on average as in the country.
    pub drugs: Vec<Drug>,
}

/// One drug of a prescription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drug {
    /// HOT9 and YJ code of a product, or the one code of a generic name.
    pub codings: Vec<Coding>,
    /// The name as the prescriber's system writes it.
    pub text: String,
    /// Doses a day.
    pub times: u32,
    /// Units a dose.
    pub dose: u32,
    /// Days.
    pub days: u32,
    product: &'static Product,
}

const BUNDLE: &str = "http://jpfhir.jp/fhir/ePrescription/StructureDefinition/JP_Bundle_ePrescriptionData";
const COMPOSITION: &str = "http://jpfhir.jp/fhir/ePrescription/StructureDefinition/JP_Composition_ePrescriptionData";
const MEDICATION_REQUEST: &str =
    "http://jpfhir.jp/fhir/ePrescription/StructureDefinition/JP_MedicationRequest_ePrescriptionData";
const MERIT9: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code";
const USAGE: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUsage_ePrescription";
const STRENGTH: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationIngredientStrengthStrengthType";
const MERIT9_CATEGORY: &str = "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS";

/// Weights of one to five drugs.
const COUNTS: [u32; 5] = [16, 22, 28, 20, 14];

pub(super) fn drawn(draws: &mut Draws, institution: &Institution, moment: Moment) -> (String, Content) {
    let count = draws.weighted(COUNTS.into_iter(), COUNTS.iter().sum()) + 1;
    let drugs = drugs(draws, count);
    let identifier = format!("{}-{}-{:08}", institution.number(), moment.date.year(), draws.below(100_000_000));
    (identifier, Content::Prescription(Prescription { drugs }))
}

/// Different drugs: a step through the table from a drawn place.
pub(super) fn drugs(draws: &mut Draws, count: usize) -> Vec<Drug> {
    // Coprime to the length of the table, so that no product comes twice.
    const STEP: usize = 7;
    let first = draws.below(u32::try_from(PRODUCTS.len()).expect("the table is short")) as usize;
    let days = *draws.pick(&[5, 7, 14, 28, 30, 60, 90]);
    (0..count).map(|n| drug(draws, &PRODUCTS[(first + n * STEP) % PRODUCTS.len()], days)).collect()
}

fn drug(draws: &mut Draws, product: &'static Product, days: u32) -> Drug {
    let coding = |system, code, display: &str| Coding { system, code, display: display.to_owned() };
    let (codings, text) = if draws.percent(25) {
        let name = format!("【般】{}", product.name);
        (vec![coding(GENERIC_NAME, format!("{}ZZZ", product.stem), &name)], name)
    } else {
        let name = format!("{}「模擬」", product.name);
        let brand = 10 + draws.below(90) * 10;
        let hot = PRODUCTS.iter().position(|one| one.stem == product.stem).expect("a product is of the table");
        let codings = vec![
            coding(HOT9, format!("98{:04}{brand:03}", hot + 1), &name),
            coding(YJ, format!("{}{brand:03}", product.stem), &name),
        ];
        (codings, name)
    };
    Drug { codings, text, times: product.usage.times, dose: product.dose, days, product }
}

pub(super) fn write(expected: &Expected, prescription: &Prescription, out: &mut Vec<u8>) {
    let local_id = format!("RX-{:09}-{}", expected.person.index.get(), expected.version);
    resources::bundle(expected, BUNDLE, &local_id, out, |json| {
        composition(json, expected, prescription.drugs.len());
        resources::patient(json, expected);
        encounter(json, expected);
        resources::practitioner(json, expected);
        resources::hospital(json, expected);
        resources::department(json, expected, "01", "内科");
        resources::coverage(json, expected);
        for (position, drug) in prescription.drugs.iter().enumerate() {
            medication_request(json, expected, drug, position, &Setting::COMMUNITY);
        }
    });
}

fn composition(json: &mut Json<'_>, expected: &Expected, drugs: usize) {
    let heading = Heading {
        profile: COMPOSITION,
        code: "57833-6",
        title: "処方箋",
        identifier_system: "urn:oid:1.2.392.100495.20.3.11",
    };
    json.entry(expected.urn(resources::COMPOSITION), "Composition", |json| {
        resources::composition_heading(json, expected, &heading);
        json.array_at("category", |json| {
            json.codeable("http://jpfhir.jp/fhir/ePrescription/CodeSystem/prescription-category", "01", "一般処方箋");
        });
        json.array_at("event", |json| {
            json.object(|json| {
                json.period_at("period", Day(expected.date), Day(expected.date + time::Duration::days(3)));
            });
        });
        json.array_at("section", |json| {
            json.object(|json| {
                json.str_at("title", "処方情報");
                json.codeable_at(
                    "code",
                    "http://jpfhir.jp/fhir/ePrescription/CodeSystem/prescription-section",
                    "01",
                    "処方情報セクション",
                );
                json.array_at("entry", |json| {
                    (0..drugs).for_each(|position| json.reference(expected.urn(drug_place(position))));
                    json.reference(expected.urn(resources::COVERAGE));
                });
            });
        });
    });
}

/// Place of a drug among the resources of a document.
pub(super) fn drug_place(position: usize) -> u32 {
    resources::OWN + u32::try_from(position).expect("a document has few drugs")
}

fn encounter(json: &mut Json<'_>, expected: &Expected) {
    json.entry(expected.urn(resources::ENCOUNTER), "Encounter", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter"]);
        json.str_at("status", "finished");
        json.object_at("class", |json| {
            json.str_at("system", "http://terminology.hl7.org/CodeSystem/v3-ActCode");
            json.str_at("code", "AMB");
        });
        json.reference_at("subject", expected.urn(resources::PATIENT));
        json.array_at("participant", |json| {
            json.object(|json| json.reference_at("individual", expected.urn(resources::PRACTITIONER)));
        });
        json.period_at("period", expected.moment, expected.moment);
        json.reference_at("serviceProvider", expected.urn(resources::DEPARTMENT));
    });
}

/// Where a drug is ordered: at a clinic for the pharmacy outside, or on a ward.
pub(super) struct Setting {
    category: &'static str,
    label: &'static str,
    profiles: &'static [&'static str],
}

impl Setting {
    pub(super) const COMMUNITY: Self = Self {
        category: "OHO",
        label: "院外処方",
        profiles: &["http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest", MEDICATION_REQUEST],
    };
    pub(super) const DISCHARGE: Self = Self {
        category: "IHP",
        label: "入院処方",
        profiles: &[
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest",
            "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_MedicationRequest_eCS",
        ],
    };
}

pub(super) fn medication_request(
    json: &mut Json<'_>,
    expected: &Expected,
    drug: &Drug,
    position: usize,
    setting: &Setting,
) {
    let urn = expected.urn(drug_place(position));
    json.entry(urn, "MedicationRequest", |json| {
        json.profiles(setting.profiles);
        resources::institution_extension(json, &expected.institution);
        json.array_at("identifier", |json| {
            json.identifier("http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber", position + 1);
            json.identifier("http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex", 1);
            resources::instance(json, expected, urn);
        });
        json.str_at("status", "completed");
        json.str_at("intent", "order");
        json.array_at("category", |json| {
            json.object(|json| {
                json.array_at("coding", |json| json.coding(MERIT9_CATEGORY, setting.category, setting.label));
                json.str_at("text", setting.label);
            });
        });
        json.object_at("medicationCodeableConcept", |json| {
            json.array_at("coding", |json| {
                drug.codings.iter().for_each(|one| json.coding(one.system, &one.code, &one.display));
            });
            json.str_at("text", &drug.text);
        });
        resources::belongs(json, expected);
        json.text_at("authoredOn", expected.moment);
        json.reference_at("requester", expected.urn(resources::PRACTITIONER));
        json.reference_at("recorder", expected.urn(resources::PRACTITIONER));
        json.array_at("insurance", |json| json.reference(expected.urn(resources::COVERAGE)));
        json.array_at("note", |json| {
            json.object(|json| {
                json.text_at("text", format_args!("{}。飲み忘れたときは２回分を一度に服用しない。", drug.text))
            });
        });
        json.array_at("dosageInstruction", |json| json.object(|json| dosage(json, expected, drug)));
        dispense_request(json, expected, drug);
        json.object_at("substitution", |json| {
            json.codeable_at(
                "allowedCodeableConcept",
                "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationSubstitutionProhibittedCategory",
                "0",
                "変更可",
            );
        });
    });
}

fn units(json: &mut Json<'_>, key: &str, count: u32, drug: &Drug) {
    json.quantity_at(key, count, drug.product.unit.name, MERIT9, drug.product.unit.code);
}

fn dosage(json: &mut Json<'_>, expected: &Expected, drug: &Drug) {
    let usage = &drug.product.usage;
    let daily = drug.dose * drug.times;
    json.array_at("extension", |json| {
        json.object(|json| {
            json.str_at(
                "url",
                "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse",
            );
            json.object_at("valuePeriod", |json| json.text_at("start", Day(expected.date)));
        });
        json.object(|json| {
            json.str_at(
                "url",
                "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_UsageDuration",
            );
            json.quantity_at("valueDuration", drug.days, "日", UCUM, "d");
        });
    });
    let unit = drug.product.unit.name;
    json.literal_at("sequence", 1);
    json.text_at(
        "text",
        format_args!("{} １回{}{unit} （１日{daily}{unit}） {}日分", usage.words, drug.dose, drug.days),
    );
    json.array_at("additionalInstruction", |json| {
        json.object(|json| {
            json.str_at("text", "十分な量の水またはぬるま湯で服用する。体調に変化があれば服用をやめて相談する。")
        });
    });
    json.str_at(
        "patientInstruction",
        "保管は直射日光と湿気を避ける。他の医療機関を受診するときはこの薬を使っていることを伝える。",
    );
    json.object_at("timing", |json| {
        json.array_at("event", |json| {
            usage.hours.iter().for_each(|hour| json.text(format_args!("{}T{hour:02}:00:00+09:00", Day(expected.date))));
        });
        json.object_at("repeat", |json| {
            json.quantity_at("boundsDuration", drug.days, "日", UCUM, "d");
            json.literal_at("count", drug.days * drug.times);
            json.literal_at("frequency", drug.times);
            json.literal_at("period", 1);
            json.str_at("periodUnit", "d");
        });
        json.object_at("code", |json| {
            json.array_at("coding", |json| {
                json.coding("http://jami.jp/CodeSystem/MedicationUsage", usage.code, usage.words);
                json.coding(USAGE, usage.code, usage.words);
            });
            json.str_at("text", usage.words);
        });
    });
    json.object_at("route", |json| {
        json.array_at("coding", |json| json.coding("http://jpfhir.jp/fhir/core/CodeSystem/route-codes", "PO", "口"));
        json.str_at("text", "経口");
    });
    json.codeable_at("method", "http://jami.jp/CodeSystem/MedicationMethodBasicUsage", "1", "内服");
    json.array_at("doseAndRate", |json| {
        json.object(|json| {
            json.codeable_at("type", STRENGTH, "1", "製剤量");
            units(json, "doseQuantity", drug.dose, drug);
            json.object_at("rateRatio", |json| {
                units(json, "numerator", daily, drug);
                json.quantity_at("denominator", 1, "日", UCUM, "d");
            });
        });
    });
}

fn dispense_request(json: &mut Json<'_>, expected: &Expected, drug: &Drug) {
    json.object_at("dispenseRequest", |json| {
        json.array_at("extension", |json| {
            json.object(|json| {
                json.str_at(
                    "url",
                    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationRequest_DispenseRequest_InstructionForDispense",
                );
                json.object_at("valueCodeableConcept", |json| json.str_at("text", "一包化"));
            });
        });
        json.period_at("validityPeriod", Day(expected.date), Day(expected.date + time::Duration::days(3)));
        json.literal_at("numberOfRepeatsAllowed", 0);
        units(json, "quantity", drug.dose * drug.times * drug.days, drug);
        json.quantity_at("expectedSupplyDuration", drug.days, "日", UCUM, "d");
    });
}
