//! A summary in one line for people.

use renkei_records::{Concept, Content, Diagnosis, Drug, Marks, Summary, Vaccination};

use crate::output::printable;

/// Names are added until the line has this many characters. A name is never cut.
const LINE_CHARS: usize = 80;
/// A vaccination of this status needs no word: it was given.
const GIVEN: &str = "completed";
const NAMELESS: &str = "(no name)";

/// The drugs, the vaccine or the diagnoses, and what a reader must not miss: how many are left out, and the flags of the
/// source.
pub(super) fn of(summary: &Summary) -> String {
    let Summary { marks: Marks { keep_long: _, uninformed, undelivered }, left_out, content } = summary;
    let mut line = match content {
        Content::Prescription(prescription) => names(prescription.drugs.iter().map(drug)),
        Content::Vaccination(vaccination) => vaccine(vaccination),
        Content::DischargeSummary(discharge) => names(discharge.diagnoses.iter().map(diagnosis)),
    };
    let flags = [(uninformed, " [uninformed]"), (undelivered, " [undelivered]")];
    line.extend(flags.iter().filter(|(set, _)| **set).map(|(_, flag)| *flag));
    if *left_out > 0 {
        line.push_str(" [not all: open the document]");
    }
    printable(&line)
}

fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let mut left = names.len();
    let mut line = String::new();
    for name in names {
        if !line.is_empty() {
            if line.chars().count() + name.chars().count() > LINE_CHARS {
                return format!("{line}, and {left} more");
            }
            line.push_str(", ");
        }
        line.push_str(name);
        left -= 1;
    }
    if line.is_empty() { NAMELESS.to_owned() } else { line }
}

fn drug(drug: &Drug) -> &str {
    let ingredients = drug.ingredients.iter().filter_map(|ingredient| ingredient.item.as_ref());
    drug.product.iter().chain(ingredients).find_map(name).unwrap_or(NAMELESS)
}

fn vaccine(vaccination: &Vaccination) -> String {
    let vaccine = name(&vaccination.vaccine).unwrap_or(NAMELESS);
    match &vaccination.status {
        Some(status) if status != GIVEN => format!("{status}: {vaccine}"),
        _ => vaccine.to_owned(),
    }
}

fn diagnosis(diagnosis: &Diagnosis) -> &str {
    diagnosis.disease.as_ref().and_then(name).unwrap_or(NAMELESS)
}

/// Its text, or the name or else the code of the first code that has one.
fn name(concept: &Concept) -> Option<&str> {
    let Concept { codes, text } = concept;
    let displays = codes.iter().filter_map(|code| code.display.as_deref());
    let bare = codes.iter().filter_map(|code| code.code.as_deref());
    text.as_deref().into_iter().chain(displays).chain(bare).find(|name| !name.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use renkei_records::{Code, Discharge, Ingredient, Prescription};

    use super::*;

    fn text(text: &str) -> Concept {
        Concept { codes: Vec::new(), text: Some(text.to_owned()) }
    }

    fn line(content: Content) -> String {
        of(&Summary { marks: Marks::default(), left_out: 0, content })
    }

    fn prescription(drugs: Vec<Drug>) -> Content {
        Content::Prescription(Prescription { drugs, ..Default::default() })
    }

    #[test]
    fn a_thing_is_named_by_its_text_then_by_a_name_then_by_a_code() {
        let code = |code: &str, display: Option<&str>| Code {
            system: Some("urn:x".to_owned()),
            code: Some(code.to_owned()),
            display: display.map(str::to_owned),
        };
        let coded = Concept { codes: vec![code("1", None), code("2", Some("two"))], text: None };
        let bare = Concept { codes: vec![code("1", None)], text: Some(" ".to_owned()) };
        let mixed = Ingredient { item: Some(text("part")), ..Default::default() };
        let drugs = vec![
            Drug { product: Some(text("plain")), ..Default::default() },
            Drug { product: Some(coded), ..Default::default() },
            Drug { product: Some(bare), ..Default::default() },
            Drug { ingredients: vec![mixed], ..Default::default() },
            Drug::default(),
        ];
        assert_eq!(line(prescription(drugs)), "plain, two, 1, part, (no name)");
        assert_eq!(line(prescription(Vec::new())), "(no name)");
    }

    #[test]
    fn a_name_is_never_cut_and_those_without_room_are_counted() {
        let long = "薬".repeat(200);
        let drugs = |names: &[&str]| {
            let named = |name: &&str| Drug { product: Some(text(name)), ..Default::default() };
            prescription(names.iter().map(named).collect())
        };
        assert_eq!(line(drugs(&[&long])), long);
        assert_eq!(line(drugs(&["a", &long, "b"])), "a, and 2 more");
    }

    #[test]
    fn what_a_reader_must_not_miss_is_said() {
        let dose = |status: &str| Vaccination {
            vaccine: text("vaccine"),
            status: Some(status.to_owned()),
            ..Default::default()
        };
        assert_eq!(line(Content::Vaccination(dose("completed"))), "vaccine");
        assert_eq!(line(Content::Vaccination(dose("not-done"))), "not-done: vaccine");
        let disease = Diagnosis { disease: Some(text("disease")), ..Default::default() };
        let content = Content::DischargeSummary(Discharge { diagnoses: vec![disease], ..Default::default() });
        let marks = Marks { keep_long: true, uninformed: true, undelivered: true };
        let told = of(&Summary { marks, left_out: 2, content });
        assert_eq!(told, "disease [uninformed] [undelivered] [not all: open the document]");
    }

    #[test]
    fn a_document_does_not_drive_the_terminal() {
        let told = line(Content::Vaccination(Vaccination { vaccine: text("a\u{1b}[2Jb\nc"), ..Default::default() }));
        assert_eq!(told, "a\u{fffd}[2Jb\u{fffd}c");
    }
}
