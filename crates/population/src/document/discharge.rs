//! Discharge summaries: a document Bundle with sections, drugs, results and a progress note that fills it to its size.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::{Date, Duration};

use crate::draw::{Domain, Draws};
use crate::fhir::{Coding, DISEASE_KEY, Day, ICD10, Moment, UCUM};
use crate::institution::Institution;
use crate::json::Json;
use crate::person::Person;

use super::laboratory::{self, Analyte};
use super::prescription::{self, Drug, Setting, drug_place};
use super::resources::{self, Heading, narrative};
use super::{Content, Expected};

/// What a discharge summary holds. Diagnoses, drugs and results are drawn without regard to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discharge {
    /// First day of the stay. The last is the document's date.
    pub admitted: Date,
    /// ICD-10 codes, the principal diagnosis first.
    pub diagnoses: Vec<Coding>,
    /// Drugs to take home.
    pub drugs: Vec<Drug>,
    /// The published root of the Bundle's profile.
    pub root: ProfileRoot,
    /// Length of the document in bytes, exactly.
    pub size: usize,
    results: u32,
}

/// The two roots under which the Bundle profile of discharge summaries is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProfileRoot {
    /// `…/eDischargeSummary/StructureDefinition/JP_Bundle_eDischargeSummary`
    EDischargeSummary,
    /// `…/clins/StructureDefinition/JP_Bundle_eDischargeSummary`
    Clins,
}

impl ProfileRoot {
    /// The profile URL.
    pub const fn profile(self) -> &'static str {
        match self {
            Self::EDischargeSummary => {
                "http://jpfhir.jp/fhir/eDischargeSummary/StructureDefinition/JP_Bundle_eDischargeSummary"
            }
            Self::Clins => "http://jpfhir.jp/fhir/clins/StructureDefinition/JP_Bundle_eDischargeSummary",
        }
    }
}

/// Most bytes that the parts of a document take, its references to them included.
const RESULT_BYTES: usize = 1_700;
const DRUG_BYTES: usize = 5_200;
const DIAGNOSIS_BYTES: usize = 2_000;
const FRAME_BYTES: usize = 15_000;
const MOST_RESULTS: usize = 400;
const MOST_DRUGS: usize = 6;
const MOST_DIAGNOSES: usize = 4;

impl Discharge {
    /// A size that every stay fits in.
    pub const ROOMY: usize = FRAME_BYTES + MOST_DRUGS * DRUG_BYTES + MOST_DIAGNOSES * DIAGNOSIS_BYTES;

    /// The same stay in a document of another size, or of the smallest that it fits in. Results take three quarters of
    /// what is free, up to 400 of them; the note is the rest.
    #[must_use]
    pub fn sized(mut self, size: usize) -> Self {
        let taken = FRAME_BYTES + self.drugs.len() * DRUG_BYTES + self.diagnoses.len() * DIAGNOSIS_BYTES;
        let results = (size.saturating_sub(taken) * 3 / 4 / RESULT_BYTES).min(MOST_RESULTS);
        self.results = u32::try_from(results).expect("the most results are few");
        self.size = size.max(taken);
        self
    }
}

struct Disease {
    icd10: &'static str,
    name: &'static str,
    complaint: &'static str,
}

macro_rules! diseases {
    ($($icd10:literal $name:literal $complaint:literal;)+) => {
        [$(Disease { icd10: $icd10, name: $name, complaint: $complaint }),+]
    };
}

static DISEASES: [Disease; 16] = diseases![
    "J18.9" "肺炎" "発熱と咳、労作時の息切れ";
    "I50.0" "うっ血性心不全" "下腿浮腫と夜間の呼吸困難";
    "I63.9" "脳梗塞" "右上下肢の脱力と構音障害";
    "S72.00" "大腿骨頸部骨折" "転倒後の股関節痛、歩行不能";
    "N10" "急性腎盂腎炎" "発熱、悪寒、側腹部痛";
    "K80.0" "急性胆のう炎を伴う胆石症" "右季肋部痛と嘔気";
    "C18.9" "結腸癌" "便潜血陽性、体重減少";
    "C34.9" "肺癌" "検診での胸部異常陰影";
    "I20.0" "不安定狭心症" "安静時の胸部圧迫感";
    "E11.9" "２型糖尿病" "口渇、多飲、血糖高値";
    "K56.6" "腸閉塞" "腹部膨満と嘔吐";
    "J44.1" "慢性閉塞性肺疾患の急性増悪" "喀痰増加と息切れ";
    "K25.4" "出血性胃潰瘍" "黒色便とふらつき";
    "A41.9" "敗血症" "高熱と意識の混濁";
    "H25.9" "老人性白内障" "視力低下";
    "I10" "本態性高血圧症" "健診での血圧高値";
];

pub(super) fn drawn(
    draws: &mut Draws,
    person: &Person,
    institution: &Institution,
    moment: Moment,
    version: u32,
) -> (String, Content) {
    let stay = i64::from(draws.within(2, 40)).min((moment.date - person.birth_date).whole_days());
    let first = draws.below(count(DISEASES.len())) as usize;
    let diagnoses = (0..=draws.below(count(MOST_DIAGNOSES)) as usize)
        .map(|n| &DISEASES[(first + n * 5) % DISEASES.len()])
        .map(|one| Coding { system: ICD10, code: one.icd10.to_owned(), display: one.name.to_owned() })
        .collect();
    let size = document_size(draws);
    let most_drugs = if size < 40_000 { 1 } else { MOST_DRUGS };
    let drugs = (1 + draws.below(count(most_drugs))) as usize;
    let drugs = prescription::drugs(draws, drugs);
    let root = if version.is_multiple_of(2) { ProfileRoot::EDischargeSummary } else { ProfileRoot::Clins };
    let identifier = format!("{}^{}^DIS-{:09}-{version}", institution.number(), moment.date.year(), person.index.get());
    let admitted = moment.date - Duration::days(stay);
    let discharge = Discharge { admitted, diagnoses, drugs, root, size: 0, results: 0 }.sized(size);
    (identifier, Content::Discharge(discharge))
}

fn count(len: usize) -> u32 {
    u32::try_from(len).expect("tables are short")
}

/// A quarter holds little but text, two thirds are of the usual 40 to 130 kB, a tenth is the tail to 1.2 MB.
fn document_size(draws: &mut Draws) -> usize {
    let (low, high) = match draws.below(100) {
        0..25 => (22_000, 40_000),
        25..90 => (40_000, 130_000),
        90..99 => (130_000, 400_000),
        _ => (400_000, 1_200_000),
    };
    draws.within(low, high) as usize
}

const COMPOSITION: &str =
    "http://jpfhir.jp/fhir/eDischargeSummary/StructureDefinition/JP_Composition_eDischargeSummary";
const SECTION: &str = "http://jpfhir.jp/fhir/clins/CodeSystem/document-section";

/// Places of the resources, behind those of every document.
fn diagnosis_place(position: usize) -> u32 {
    200 + u32::try_from(position).expect("a stay has few diagnoses")
}

const NOTE: u32 = 300;

fn result_place(position: u32) -> u32 {
    400 + position
}

pub(super) fn write(expected: &Expected, discharge: &Discharge, out: &mut Vec<u8>) {
    let start = out.len();
    let local_id = format!("DIS-{:09}-{}", expected.person.index.get(), expected.version);
    let mut note_at = 0;
    resources::bundle(expected, discharge.root.profile(), &local_id, out, |json| {
        composition(json, expected, discharge);
        resources::patient(json, expected);
        encounter(json, expected, discharge);
        resources::practitioner(json, expected);
        resources::hospital(json, expected);
        resources::department(json, expected, "01", "内科");
        resources::coverage(json, expected);
        for (position, diagnosis) in discharge.diagnoses.iter().enumerate() {
            condition(json, expected, discharge, diagnosis, position);
        }
        for (position, drug) in discharge.drugs.iter().enumerate() {
            prescription::medication_request(json, expected, drug, position, &Setting::DISCHARGE);
        }
        for position in 0..discharge.results {
            result(json, expected, discharge, position);
        }
        note_at = note(json, expected);
    });
    let natural = out.len() - start;
    let missing = discharge.size.checked_sub(natural).expect("no part is larger than its share of the size");
    fill(out, note_at, missing, expected);
}

/// Puts a note of Base64 text at its place, so that the document grows by `missing` bytes; what is not a multiple of
/// four is white space at the end.
fn fill(out: &mut Vec<u8>, note_at: usize, missing: usize, expected: &Expected) {
    const LINES: [&str; 6] = [
        "体温36.8度。食事は全量摂取。疼痛の訴えなし。",
        "血圧は安定。浮腫は軽減している。離床を進める。",
        "採血で炎症反応は改善傾向。抗菌薬を継続する。",
        "リハビリテーション開始。歩行器で病棟内を移動できる。",
        "家族へ病状を説明した。退院後の生活について相談した。",
        "内服への切り替え後も経過は良好。退院の調整を行う。",
    ];
    let subject = u64::from(expected.person.index.get());
    let draws = &mut expected.seed.draws(Domain::Narrative, subject, expected.version);
    let bytes = missing / 4 * 3;
    let mut text = Vec::with_capacity(bytes + LINES[0].len() * 2);
    while text.len() < bytes {
        text.extend_from_slice(draws.pick(&LINES).as_bytes());
        text.push(b'\n');
    }
    // A character may end in the middle; what is left of it becomes blanks, so that the note stays UTF-8.
    text.truncate(bytes);
    if let Err(cut) = str::from_utf8(&text) {
        let whole = cut.valid_up_to();
        text[whole..].fill(b' ');
    }
    let tail = out.split_off(note_at);
    let mut encoded = vec![0; bytes / 3 * 4];
    STANDARD.encode_slice(&text, &mut encoded).expect("the length of Base64 is four for three");
    out.extend_from_slice(&encoded);
    out.extend_from_slice(&tail);
    out.resize(out.len() + missing % 4, b'\n');
}

fn composition(json: &mut Json<'_>, expected: &Expected, discharge: &Discharge) {
    let heading = Heading {
        profile: COMPOSITION,
        code: "18842-5",
        title: "退院時サマリー",
        identifier_system: crate::fhir::BUNDLE,
    };
    json.entry(expected.urn(resources::COMPOSITION), "Composition", |json| {
        resources::composition_heading(json, expected, &heading);
        json.array_at("category", |json| {
            let system = "http://jpfhir.jp/fhir/Common/CodeSystem/doc-subtypecodes";
            json.codeable(system, "DISCHARGE", "退院時文書");
        });
        json.array_at("event", |json| {
            json.object(|json| json.period_at("period", Day(discharge.admitted), Day(expected.date)));
        });
        json.array_at("section", |json| {
            section(json, "300", "構造情報", |json| {
                json.array_at("section", |json| sections(json, expected, discharge));
            });
        });
    });
}

fn section(json: &mut Json<'_>, code: &str, title: &str, body: impl FnOnce(&mut Json<'_>)) {
    json.object(|json| {
        json.str_at("title", title);
        json.codeable_at("code", SECTION, code, &format!("{title}セクション"));
        body(json);
    });
}

fn references(json: &mut Json<'_>, expected: &Expected, places: impl Iterator<Item = u32>) {
    let mut places = places.peekable();
    // FHIR has no empty arrays.
    if places.peek().is_some() {
        json.array_at("entry", |json| places.for_each(|place| json.reference(expected.urn(place))));
    }
}

fn sections(json: &mut Json<'_>, expected: &Expected, discharge: &Discharge) {
    let principal = &discharge.diagnoses[0];
    let disease =
        DISEASES.iter().find(|one| one.icd10 == principal.code).expect("a diagnosis is of the table of diseases");
    let days = (expected.date - discharge.admitted).whole_days();
    section(json, "312", "入院理由", |json| narrative(json, format_args!("{}のため入院した。", disease.name)));
    section(json, "322", "入院時詳細", |json| {
        narrative(json, format_args!("{}に入院した。", Day(discharge.admitted)));
        references(json, expected, core::iter::once(resources::ENCOUNTER));
    });
    section(json, "342", "入院時診断", |json| {
        narrative(json, format_args!("{}（{}）", disease.name, disease.icd10))
    });
    section(json, "352", "主訴", |json| narrative(json, disease.complaint));
    section(json, "333", "入院中経過", |json| {
        narrative(
            json,
            format_args!(
                "{}を主訴に受診し、{}と診断した。治療により症状は改善し、{days}日間の入院で退院となった。",
                disease.complaint, disease.name
            ),
        );
        references(json, expected, core::iter::once(NOTE));
    });
    section(json, "324", "退院時詳細", |json| {
        narrative(json, format_args!("{}に自宅へ退院した。", Day(expected.date)));
        references(json, expected, core::iter::once(resources::ENCOUNTER));
    });
    section(json, "344", "退院時診断", |json| {
        narrative(json, format_args!("{}（{}）", disease.name, disease.icd10));
        references(json, expected, (0..discharge.diagnoses.len()).map(diagnosis_place));
    });
    section(json, "444", "退院時投薬指示", |json| {
        narrative(json, "退院時処方のとおり。");
        references(json, expected, (0..discharge.drugs.len()).map(drug_place));
    });
    section(json, "424", "退院時方針指示", |json| {
        narrative(json, "二週間後に外来を受診する。症状が悪くなったときは早めに連絡する。");
    });
    if discharge.results > 0 {
        section(json, "623", "検査結果", |json| {
            narrative(json, "主な検体検査の結果を添える。");
            references(json, expected, (0..discharge.results).map(result_place));
        });
    }
}

fn encounter(json: &mut Json<'_>, expected: &Expected, discharge: &Discharge) {
    let days = (expected.date - discharge.admitted).whole_days();
    json.entry(expected.urn(resources::ENCOUNTER), "Encounter", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter"]);
        json.str_at("status", "finished");
        json.object_at("class", |json| {
            json.str_at("system", "http://terminology.hl7.org/CodeSystem/v3-ActCode");
            json.str_at("code", "IMP");
        });
        json.reference_at("subject", expected.urn(resources::PATIENT));
        json.array_at("participant", |json| {
            json.object(|json| json.reference_at("individual", expected.urn(resources::PRACTITIONER)));
        });
        json.period_at("period", Day(discharge.admitted), Day(expected.date));
        json.quantity_at("length", days, "d", UCUM, "d");
        json.array_at("diagnosis", |json| {
            for position in 0..discharge.diagnoses.len() {
                json.object(|json| {
                    json.reference_at("condition", expected.urn(diagnosis_place(position)));
                    let role = if position == 0 { "DD" } else { "CM" };
                    json.codeable_at("use", "http://terminology.hl7.org/CodeSystem/diagnosis-role", role, "");
                    json.literal_at("rank", position + 1);
                });
            }
        });
        json.object_at("hospitalization", |json| {
            let system = "http://terminology.hl7.org/CodeSystem/discharge-disposition";
            json.codeable_at("dischargeDisposition", system, "home", "Home");
        });
        json.reference_at("serviceProvider", expected.urn(resources::DEPARTMENT));
    });
}

fn condition(json: &mut Json<'_>, expected: &Expected, discharge: &Discharge, diagnosis: &Coding, position: usize) {
    let urn = expected.urn(diagnosis_place(position));
    json.entry(urn, "Condition", |json| {
        json.profiles(&[
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition",
            "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Condition_eCS",
        ]);
        resources::institution_extension(json, &expected.institution);
        json.array_at("identifier", |json| resources::instance(json, expected, urn));
        let status = "http://terminology.hl7.org/CodeSystem/condition-clinical";
        json.codeable_at("clinicalStatus", status, "active", "Active");
        let verification = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
        json.codeable_at("verificationStatus", verification, "confirmed", "Confirmed");
        json.array_at("category", |json| {
            let system = "http://terminology.hl7.org/CodeSystem/condition-category";
            json.codeable(system, "encounter-diagnosis", "Encounter Diagnosis");
        });
        json.object_at("code", |json| {
            json.array_at("coding", |json| {
                json.coding(diagnosis.system, &diagnosis.code, &diagnosis.display);
                // The master's own code for a disease that it does not number; no number is invented.
                json.coding(DISEASE_KEY, "99999999", "未コード化傷病名");
            });
            json.str_at("text", &diagnosis.display);
        });
        resources::belongs(json, expected);
        json.text_at("onsetDateTime", Day(discharge.admitted));
        json.text_at("recordedDate", Day(discharge.admitted));
        json.reference_at("recorder", expected.urn(resources::PRACTITIONER));
        json.reference_at("asserter", expected.urn(resources::PRACTITIONER));
    });
}

fn result(json: &mut Json<'_>, expected: &Expected, discharge: &Discharge, position: u32) {
    let urn = expected.urn(result_place(position));
    let subject = u64::from(expected.person.index.get());
    let draws = &mut expected.seed.draws(Domain::Laboratory, subject << 20 | u64::from(position), expected.version);
    let (analyte, round) = laboratory::at(position);
    let stay = (expected.date - discharge.admitted).whole_days().max(1);
    let taken = Moment { date: discharge.admitted + Duration::days(i64::from(round) % stay), minute: draws.below(60) };
    json.entry(urn, "Observation", |json| {
        json.profiles(&[
            "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_LabResult",
            "http://jpfhir.jp/fhir/eCS/StructureDefinition/JP_Observation_LabResult_eCS",
        ]);
        json.array_at("identifier", |json| resources::instance(json, expected, urn));
        json.str_at("status", "final");
        json.array_at("category", |json| {
            let system = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS";
            json.codeable(system, "laboratory", "Laboratory");
        });
        json.object_at("code", |json| {
            json.array_at("coding", |json| {
                json.coding("urn:oid:1.2.392.200119.4.1005", analyte.jlac10, analyte.name);
                json.coding("http://loinc.org", analyte.loinc, "");
            });
            json.str_at("text", analyte.name);
        });
        resources::belongs(json, expected);
        json.text_at("effectiveDateTime", taken);
        json.text_at("issued", taken);
        json.array_at("performer", |json| json.reference(expected.urn(resources::HOSPITAL)));
        let value = analyte.drawn(draws);
        json.quantity_at("valueQuantity", analyte.decimal(value), analyte.unit, UCUM, analyte.unit);
        let interpretation = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
        json.array_at("interpretation", |json| json.codeable(interpretation, analyte.flag(value), ""));
        json.array_at("referenceRange", |json| json.object(|json| reference_range(json, analyte)));
    });
}

fn reference_range(json: &mut Json<'_>, analyte: &Analyte) {
    json.quantity_at("low", analyte.decimal(analyte.low), analyte.unit, UCUM, analyte.unit);
    json.quantity_at("high", analyte.decimal(analyte.high), analyte.unit, UCUM, analyte.unit);
}

/// The progress note, still empty. Returns where its Base64 goes.
fn note(json: &mut Json<'_>, expected: &Expected) -> usize {
    let urn = expected.urn(NOTE);
    let mut at = 0;
    json.entry(urn, "DocumentReference", |json| {
        json.profiles(&["http://jpfhir.jp/fhir/core/StructureDefinition/JP_DocumentReference"]);
        json.array_at("identifier", |json| resources::instance(json, expected, urn));
        json.str_at("status", "current");
        json.codeable_at("type", "http://loinc.org", "11506-3", "経過記録");
        json.reference_at("subject", expected.urn(resources::PATIENT));
        json.text_at("date", expected.moment);
        json.array_at("author", |json| json.reference(expected.urn(resources::PRACTITIONER)));
        json.array_at("content", |json| {
            json.object(|json| {
                json.object_at("attachment", |json| {
                    json.str_at("contentType", "text/plain; charset=utf-8");
                    json.str_at("language", "ja");
                    json.str_at("title", "経過記録");
                    json.str_at("data", "");
                    at = json.position() - 1;
                });
            });
        });
    });
    at
}
