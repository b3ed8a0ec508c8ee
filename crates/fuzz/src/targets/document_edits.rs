//! Valid documents of the population with a few edits to their tree: what spelling means nothing for decides nothing.

use renkei_population::Population;
use renkei_records::intake;
use serde_json::{Map, Value};

use super::documents::{KINDS, judge, person, same};
use crate::input::Input;

/// Names and values that intake knows, so that edits go deep.
const NAMES: [&str; 24] = [
    "resourceType",
    "entry",
    "resource",
    "contained",
    "identifier",
    "system",
    "value",
    "coding",
    "code",
    "text",
    "subject",
    "reference",
    "medicationCodeableConcept",
    "medicationReference",
    "dosageInstruction",
    "section",
    "meta",
    "profile",
    "extension",
    "url",
    "birthDate",
    "gender",
    "photo",
    "fullUrl",
];
const VALUES: [&str; 20] = [
    "Bundle",
    "document",
    "Composition",
    "Patient",
    "MedicationRequest",
    "Medication",
    "Immunization",
    "Coverage",
    "Organization",
    "#a",
    "Patient/a",
    "57833-6",
    "123456789018",
    "2026-01-01",
    "2026-02-30",
    "male",
    "",
    "06139877:あいう:187:05",
    "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no",
    "\u{FDFA}",
];
const EDITS_MAX: usize = 12;
/// Copies of copies would only take memory here.
const NODES_MAX: usize = 20_000;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let population = Population::new(u64::from(input.byte()));
    let (kind, number) = (*input.pick(&KINDS), u32::from(input.u16()));
    let document = population.document(person(number), kind, 1 + u32::from(input.byte() % 8));
    let mut tree: Value = serde_json::from_slice(&document).expect("the population writes JSON");
    for _ in 0..EDITS_MAX {
        let nodes = count(&tree);
        if input.is_empty() || nodes > NODES_MAX {
            break;
        }
        let mut place = input.below(nodes);
        edit(&mut tree, &mut place, &mut input);
    }
    // Two writings of one tree: numbers, strings and the order of members are the same, white space is not.
    let compact = serde_json::to_vec(&tree).expect("a tree is JSON");
    let wide = serde_json::to_vec_pretty(&tree).expect("a tree is JSON");
    match (judge(&compact), intake(&wide)) {
        (Ok(one), Ok(other)) => assert!(same(&one, &other), "white space is read"),
        (Err(one), Err(other)) => assert_eq!(one, other, "white space is refused"),
        (one, other) => panic!("white space decides: {:?} and {:?}", one.err(), other.err()),
    }
}

fn count(tree: &Value) -> usize {
    1 + match tree {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Edits the node at `place`, counted from the root on.
fn edit(tree: &mut Value, place: &mut usize, input: &mut Input<'_>) -> bool {
    if *place == 0 {
        change(tree, input);
        return true;
    }
    *place -= 1;
    match tree {
        Value::Array(items) => items.iter_mut().any(|item| edit(item, place, input)),
        Value::Object(members) => members.values_mut().any(|member| edit(member, place, input)),
        _ => false,
    }
}

fn change(node: &mut Value, input: &mut Input<'_>) {
    match input.byte() % 8 {
        0 => *node = Value::Null,
        1 => *node = Value::from(*input.pick(&VALUES)),
        2 => *node = Value::from(String::from_utf8_lossy(input.short(24)).into_owned()),
        3 => *node = Value::Array(vec![node.take()]),
        4 => *node = Value::Object(Map::from_iter([((*input.pick(&NAMES)).to_owned(), node.take())])),
        5 => *node = Value::from(input.u64()),
        _ => match node {
            Value::Array(items) if !items.is_empty() => {
                let (from, to) = (input.below(items.len()), input.below(items.len()));
                if input.flag() { items.push(items[from].clone()) } else { drop(items.remove(to)) }
            }
            Value::Object(members) => {
                let name = *input.pick(&NAMES);
                let other = members.values().nth(input.below(members.len().max(1))).cloned();
                if members.remove(name).is_none() {
                    members.insert(name.to_owned(), other.unwrap_or(Value::from(*input.pick(&VALUES))));
                }
            }
            scalar => *scalar = Value::from(*input.pick(&VALUES)),
        },
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    (0..12_u8).map(|seed| (0..4 + 6 * seed).map(|place| place.wrapping_mul(37) ^ seed).collect()).collect()
}
