//! Vaccinations: one Immunization, in the JP Core or the CLINS profile, with the codes of one of three worlds.

use time::{Date, Duration};

use crate::draw::Draws;
use crate::fhir::{CVX, Coding, Day, HOT13, MEMBER_ID, Moment, UCUM, YJ};
use crate::institution::Institution;
use crate::json::Json;
use crate::person::Person;

use super::resources;
use super::{Content, Expected};

/// What a vaccination record holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vaccination {
    /// HOT13 and YJ, YJ alone, or CVX alone, by who wrote it.
    pub codings: Vec<Coding>,
    /// The vaccine's name as written.
    pub text: String,
    /// Lot number.
    pub lot: String,
    /// Number of the dose in its series, from 1.
    pub dose: u32,
    /// When the next dose is due, if one is.
    pub next_due: Option<Date>,
    product: &'static Vaccine,
}

#[derive(Debug, PartialEq, Eq)]
struct Vaccine {
    name: &'static str,
    cvx: &'static str,
    /// Nine characters in the form of a YJ code.
    stem: &'static str,
    disease: &'static str,
    series: u32,
    interval_days: u32,
    /// Millilitres, with the digits that the label has.
    millilitres: &'static str,
    /// Whole years of age at which it is given.
    ages: core::ops::RangeInclusive<u32>,
}

macro_rules! vaccines {
    ($($name:literal $cvx:literal $stem:literal $disease:literal $series:literal $days:literal $ml:literal $ages:expr;)+) => {
        [$(Vaccine {
            name: $name, cvx: $cvx, stem: $stem, disease: $disease, series: $series, interval_days: $days,
            millilitres: $ml, ages: $ages,
        }),+]
    };
}

/// Stems have the form of YJ codes; the three digits after them, and HOT codes beginning with 98, are invented.
static VACCINES: [Vaccine; 11] = vaccines![
    "インフルエンザＨＡワクチン" "150" "631340FA1" "インフルエンザ" 1 365 "0.50" 0..=110;
    "沈降２０価肺炎球菌結合型ワクチン" "216" "631341BG1" "肺炎球菌感染症" 4 56 "0.50" 0..=2;
    "五種混合ワクチン" "146" "636140AG1" "百日せき・ジフテリア・破傷風・ポリオ・Ｈｉｂ" 4 28 "0.50" 0..=3;
    "乾燥弱毒生麻しん風しん混合ワクチン" "04" "631351AE1" "麻しん・風しん" 2 1460 "0.5" 1..=6;
    "乾燥弱毒生水痘ワクチン" "21" "631340QD1" "水痘" 2 180 "0.5" 1..=12;
    "乾燥細胞培養日本脳炎ワクチン" "134" "631340TD1" "日本脳炎" 4 28 "0.50" 3..=19;
    "組換え沈降Ｂ型肝炎ワクチン" "08" "631340JA1" "Ｂ型肝炎" 3 28 "0.25" 0..=9;
    "組換え沈降９価ＨＰＶワクチン" "165" "631341AG1" "ヒトパピローマウイルス感染症" 3 60 "0.5" 9..=27;
    "コロナウイルス修飾ウリジンＲＮＡワクチン" "309" "631341DA1" "新型コロナウイルス感染症" 1 365 "0.3" 12..=110;
    "乾燥組換え帯状疱疹ワクチン" "187" "631341CE1" "帯状疱疹" 2 60 "0.50" 50..=110;
    "２３価肺炎球菌莢膜ポリサッカライドワクチン" "33" "631340NA1" "肺炎球菌感染症" 1 1826 "0.5" 65..=110;
];

pub(super) fn drawn(
    draws: &mut Draws,
    person: &Person,
    institution: &Institution,
    moment: Moment,
    version: u32,
) -> (String, Content) {
    let age = u32::try_from((moment.date - person.birth_date).whole_days() / 366).unwrap_or(0);
    let fitting: Vec<&'static Vaccine> = VACCINES.iter().filter(|one| one.ages.contains(&age)).collect();
    let product = *draws.pick(&fitting);
    let brand = 10 + draws.below(90) * 10;
    let yj = Coding { system: YJ, code: format!("{}{brand:03}", product.stem), display: product.name.to_owned() };
    let codings = match draws.below(10) {
        0..=4 => {
            let code = format!("98{:0>5}{brand:03}01{}", product.cvx, draws.below(10));
            vec![Coding { system: HOT13, code, display: product.name.to_owned() }, yj]
        }
        5..=7 => vec![yj],
        _ => vec![Coding { system: CVX, code: product.cvx.to_owned(), display: product.name.to_owned() }],
    };
    let dose = draws.within(1, product.series);
    let next_due = (dose < product.series).then(|| moment.date + Duration::days(product.interval_days.into()));
    let letter = char::from(b'A' + u8::try_from(draws.below(26)).expect("there are 26 letters"));
    let lot = format!("{letter}{:03}{letter}", draws.below(1000));
    let identifier = format!("{}-{}-IM-{:09}-{version}", institution.number(), moment.date.year(), person.index.get());
    let text = product.name.to_owned();
    (identifier, Content::Vaccination(Vaccination { codings, text, lot, dose, next_due, product }))
}

pub(super) fn write(expected: &Expected, vaccination: &Vaccination, out: &mut Vec<u8>) {
    let clins = expected.version.is_multiple_of(2);
    // Systems that write CVX write little else.
    let terse = vaccination.codings[0].system == CVX;
    let product = vaccination.product;
    Json::new(out).root(|json| {
        json.str_at("resourceType", "Immunization");
        json.text_at("id", expected.urn(resources::COMPOSITION).id());
        json.profiles(if clins {
            &["http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Immunization_eCS"]
        } else {
            &["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Immunization"]
        });
        extensions(json, expected, vaccination);
        json.array_at("identifier", |json| json.identifier(crate::fhir::INSTANCE, &expected.identifier));
        json.str_at("status", "completed");
        json.object_at("vaccineCode", |json| {
            json.array_at("coding", |json| {
                vaccination.codings.iter().for_each(|one| json.coding(one.system, &one.code, &one.display));
            });
            json.str_at("text", &vaccination.text);
        });
        json.object_at("patient", |json| {
            json.str_at("type", "Patient");
            json.object_at("identifier", |json| {
                json.str_at("system", MEMBER_ID);
                json.text_at("value", &expected.person.member);
            });
        });
        json.text_at("occurrenceDateTime", Day(expected.date));
        json.text_at("recorded", Day(expected.date));
        json.literal_at("primarySource", true);
        json.str_at("lotNumber", &vaccination.lot);
        if !terse {
            json.codeable_at("site", "http://snomed.info/sct", "368208006", "左上腕");
            json.codeable_at("route", "http://snomed.info/sct", "34206005", "皮下");
            json.quantity_at("doseQuantity", product.millilitres, "mL", UCUM, "mL");
        }
        json.array_at("performer", |json| json.object(|json| performer(json, expected)));
        json.array_at("protocolApplied", |json| {
            json.object(|json| {
                json.array_at("targetDisease", |json| json.object(|json| json.str_at("text", product.disease)));
                json.literal_at("doseNumberPositiveInt", vaccination.dose);
                if !terse {
                    json.literal_at("seriesDosesPositiveInt", product.series);
                }
            });
        });
    });
}

fn performer(json: &mut Json<'_>, expected: &Expected) {
    json.object_at("actor", |json| {
        json.str_at("type", "Organization");
        json.object_at("identifier", |json| {
            json.str_at("system", crate::fhir::INSTITUTION_NUMBER);
            json.str_at("value", expected.institution.number());
        });
    });
}

fn extensions(json: &mut Json<'_>, expected: &Expected, vaccination: &Vaccination) {
    json.array_at("extension", |json| {
        json.object(|json| resources::institution_number(json, &expected.institution));
        if let Some(due) = vaccination.next_due {
            json.object(|json| {
                json.str_at(
                    "url",
                    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Immunization_DueDateOfNextDose",
                );
                json.text_at("valueDate", Day(due));
            });
        }
    });
}
