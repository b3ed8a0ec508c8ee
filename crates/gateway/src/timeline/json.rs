//! A summary as JSON text, for readers without crate `records`. Absent fields are left out; digits stay text.

use renkei_records::{
    Code, Concept, Content, Diagnosis, Discharge, Drug, FhirDate, Ingredient, Marks, MedicalInstitution, Prescription,
    Protocol, Quantity, Section, Summary, Usage, Vaccination,
};
use serde_json::{Map, Value, json};

/// An object of what is there.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    fn list<T>(self, name: &str, items: &[T], one: impl Fn(&T) -> Value) -> Self {
        let list = (!items.is_empty()).then(|| items.iter().map(one).collect::<Vec<_>>());
        self.with(name, list)
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// The text.
pub(crate) fn summary_json(summary: &Summary) -> String {
    let Summary { marks, left_out, content } = summary;
    let Marks { keep_long, uninformed, undelivered } = marks;
    let flag = |set: &bool| set.then_some(true);
    let (kind, content) = match content {
        Content::Prescription(content) => ("prescription", prescription(content)),
        Content::Vaccination(content) => ("vaccination", vaccination(content)),
        Content::DischargeSummary(content) => ("discharge_summary", discharge(content)),
    };
    Object::default()
        .with("kind", Some(kind))
        .with("keep_long", flag(keep_long))
        .with("uninformed", flag(uninformed))
        .with("undelivered", flag(undelivered))
        .with("left_out", (*left_out > 0).then_some(*left_out))
        .with(kind, Some(content))
        .done()
        .to_string()
}

fn date(date: Option<&FhirDate>) -> Option<String> {
    date.map(|date| date.as_str().to_owned())
}

fn issuer(issuer: Option<&MedicalInstitution>) -> Option<String> {
    issuer.map(ToString::to_string)
}

fn prescription(content: &Prescription) -> Value {
    let Prescription { number, written, issuer: by, facility, drugs } = content;
    Object::default()
        .with("number", number.as_ref().map(ToString::to_string))
        .with("written", date(written.as_ref()))
        .with("issuer", issuer(by.as_ref()))
        .with("facility", facility.clone())
        .list("drugs", drugs, drug)
        .done()
}

fn vaccination(content: &Vaccination) -> Value {
    let Vaccination {
        status,
        vaccine,
        given,
        given_text,
        lot,
        expires,
        dose,
        site,
        route,
        protocols,
        next_due,
        issuer: by,
    } = content;
    Object::default()
        .with("status", status.clone())
        .with("vaccine", Some(concept(vaccine)))
        .with("given", date(given.as_ref()))
        .with("given_text", given_text.clone())
        .with("lot", lot.clone())
        .with("expires", date(expires.as_ref()))
        .with("dose", dose.as_ref().map(quantity))
        .with("site", site.as_ref().map(concept))
        .with("route", route.as_ref().map(concept))
        .list("protocols", protocols, protocol)
        .with("next_due", date(next_due.as_ref()))
        .with("issuer", issuer(by.as_ref()))
        .done()
}

fn discharge(content: &Discharge) -> Value {
    let Discharge { admitted, discharged, written, issuer: by, facility, diagnoses, sections } = content;
    Object::default()
        .with("admitted", date(admitted.as_ref()))
        .with("discharged", date(discharged.as_ref()))
        .with("written", date(written.as_ref()))
        .with("issuer", issuer(by.as_ref()))
        .with("facility", facility.clone())
        .list("diagnoses", diagnoses, diagnosis)
        .list("sections", sections, section)
        .done()
}

fn code(Code { system, code, display }: &Code) -> Value {
    Object::default().with("system", system.clone()).with("code", code.clone()).with("display", display.clone()).done()
}

fn concept(Concept { codes, text }: &Concept) -> Value {
    Object::default().list("codes", codes, code).with("text", text.clone()).done()
}

fn quantity(Quantity { value, unit, system, code }: &Quantity) -> Value {
    Object::default()
        .with("value", value.clone())
        .with("unit", unit.clone())
        .with("system", system.clone())
        .with("code", code.clone())
        .done()
}

fn drug(drug: &Drug) -> Value {
    let Drug { product, ingredients, usages, supply, days, status, group, ordered, elsewhere } = drug;
    Object::default()
        .with("product", product.as_ref().map(concept))
        .list("ingredients", ingredients, |Ingredient { item, strength, per }| {
            Object::default()
                .with("item", item.as_ref().map(concept))
                .with("strength", strength.as_ref().map(quantity))
                .with("per", per.as_ref().map(quantity))
                .done()
        })
        .list("usages", usages, usage)
        .with("supply", supply.as_ref().map(quantity))
        .with("days", days.as_ref().map(quantity))
        .with("status", status.clone())
        .with("group", group.clone())
        .with("ordered", ordered.clone())
        .with("elsewhere", elsewhere.clone())
        .done()
}

fn usage(usage: &Usage) -> Value {
    let Usage { text, timing, route, site, dose, dose_to, rate, rate_per, duration, as_needed, start } = usage;
    Object::default()
        .with("text", text.clone())
        .with("timing", timing.as_ref().map(concept))
        .with("route", route.as_ref().map(concept))
        .with("site", site.as_ref().map(concept))
        .with("dose", dose.as_ref().map(quantity))
        .with("dose_to", dose_to.as_ref().map(quantity))
        .with("rate", rate.as_ref().map(quantity))
        .with("rate_per", rate_per.as_ref().map(quantity))
        .with("duration", duration.as_ref().map(quantity))
        .with("as_needed", *as_needed)
        .with("start", start.clone())
        .done()
}

fn protocol(Protocol { series, dose_number, diseases }: &Protocol) -> Value {
    Object::default()
        .with("series", series.clone())
        .with("dose_number", dose_number.clone())
        .list("diseases", diseases, concept)
        .done()
}

fn diagnosis(Diagnosis { disease, recorded, uninformed, undelivered }: &Diagnosis) -> Value {
    let concept = disease.as_ref().map_or_else(|| json!({}), concept);
    Object::default()
        .with("disease", Some(concept))
        .with("recorded", recorded.clone())
        .with("uninformed", uninformed.then_some(true))
        .with("undelivered", undelivered.then_some(true))
        .done()
}

fn section(Section { code, title }: &Section) -> Value {
    Object::default().with("code", code.as_ref().map(concept)).with("title", title.clone()).done()
}
