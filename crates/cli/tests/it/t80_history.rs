//! `renkei timeline` and `renkei audit list` against a real cloud.

use std::collections::BTreeSet;

use renkei_population::{DocumentKind, Expected};
use serde_json::Value;

use crate::world::{World, expected};

/// Documents of each kind.
const VERSIONS: u32 = 4;

fn array<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap()
}

fn month(expected: &Expected) -> String {
    format!("{:04}-{:02}", expected.date.year(), expected.date.month() as u8)
}

fn kind_of(expected: &Expected) -> &'static str {
    match expected.content.kind() {
        DocumentKind::Prescription => "prescription",
        DocumentKind::Vaccination => "vaccination",
        DocumentKind::Discharge => "discharge_summary",
    }
}

/// Kind and month of each entry, which name a document of this test well enough.
fn shown(timeline: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    array(timeline, "entries").iter().map(|entry| (text(&entry["month"]), text(&entry["kind"]))).collect()
}

fn timeline(world: &World, flags: &[&str]) -> Value {
    let ran = world.run(&[&["--json", "timeline"], flags].concat());
    assert_eq!(ran.code, 0, "{flags:?}: {}", ran.err);
    ran.json()
}

#[test]
fn a_timeline_shows_what_was_put_whole_filtered_and_in_pages() {
    let world = World::founded();
    let mut put = Vec::new();
    for kind in DocumentKind::ALL {
        for version in 1..=VERSIONS {
            let document = expected(kind, version);
            let mut bytes = Vec::new();
            document.write(&mut bytes);
            world.put(&format!("{kind:?}-{version}"), &bytes);
            put.push(document);
        }
    }
    let all = timeline(&world, &[]);
    let mut wanted: Vec<_> = put.iter().map(|document| (month(document), kind_of(document).to_owned())).collect();
    let order = |shown: &[(String, String)]| shown.iter().map(|(month, _)| month.clone()).collect::<Vec<_>>();
    wanted.sort();
    wanted.reverse();
    assert_eq!(order(&shown(&all)), order(&wanted), "newest month first");
    let mut sorted = shown(&all);
    sorted.sort();
    sorted.reverse();
    assert_eq!(sorted, wanted);
    assert_eq!(all["continuation"], Value::Null);

    check_entries(&world, &all);
    check_filters(&world, &put, &shown(&all));
    check_pages(&world, &shown(&all));
    check_text(&world, &put);

    let elsewhere = world.as_institution("institution", "nobody", &["timeline"]);
    assert_eq!((elsewhere.code, elsewhere.out.as_str()), (0, "no documents\n"));
}

/// Each reference opens its document, and the summary is an object of the kind that the entry says.
fn check_entries(world: &World, all: &Value) {
    let mut references = BTreeSet::new();
    for (entry, n) in array(all, "entries").iter().zip(0..) {
        assert_eq!((&entry["summary"]["kind"], &entry["version"]), (&entry["kind"], &1.into()), "{entry}");
        let reference = entry["reference"].as_str().unwrap();
        assert!(references.insert(reference.to_owned()));
        let output = world.path(&format!("opened-{n}"));
        let read = world.run(&["get", reference, "--output", output.to_str().unwrap()]);
        assert_eq!(read.code, 0, "{}", read.err);
        let document: Value = serde_json::from_slice(&std::fs::read(output).unwrap()).unwrap();
        let vaccination = document["resourceType"] == "Immunization";
        assert_eq!(vaccination, entry["kind"] == "vaccination", "{reference}");
    }
}

fn check_filters(world: &World, put: &[Expected], all: &[(String, String)]) {
    let two = timeline(world, &["--kind", "vaccination", "--kind", "discharge_summary"]);
    let others: Vec<_> = all.iter().filter(|(_, kind)| kind != "prescription").cloned().collect();
    assert_eq!(shown(&two), others);
    let months: BTreeSet<String> = put.iter().map(month).collect();
    let middle = months.iter().nth(months.len() / 2).unwrap();
    let (early, late) = (timeline(world, &["--to", middle]), timeline(world, &["--from", middle]));
    let (early, late) = (shown(&early), shown(&late));
    assert!(early.iter().all(|(month, _)| month <= middle) && late.iter().all(|(month, _)| month >= middle));
    let within = all.iter().filter(|(month, _)| month == middle).count();
    assert_eq!(early.len() + late.len(), all.len() + within);
    assert_eq!(shown(&timeline(world, &["--from", middle, "--to", middle])).len(), within);
}

fn check_pages(world: &World, all: &[(String, String)]) {
    let page = ["--page-entries", "5", "--pages", "1"];
    let mut seen = Vec::new();
    let mut next = timeline(world, &page);
    loop {
        assert!(array(&next, "entries").len() <= 5);
        seen.extend(shown(&next));
        let Some(token) = next["continuation"].as_str() else { break };
        next = timeline(world, &[&page[..], &["--continuation", token]].concat());
    }
    assert_eq!(seen, all, "pages give every entry once, in order");
    assert_eq!(shown(&timeline(world, &["--page-entries", "5"])), all, "all pages of one call");

    let token = timeline(world, &page)["continuation"].as_str().unwrap().to_owned();
    let other = world.run(&["timeline", "--kind", "vaccination", "--continuation", &token]);
    assert_eq!((other.code, other.out.as_str()), (1, ""));
    assert!(other.err.contains("continuation_invalid"), "{}", other.err);
}

/// One line an entry, and each names what its document is about first.
fn check_text(world: &World, put: &[Expected]) {
    let ran = world.run(&["timeline", "--page-entries", "3"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, put.len()), "{}", ran.err);
    for document in put {
        let first = document.content.codings().first().map(|coding| coding.display.to_string()).unwrap();
        let named = ran.out.lines().filter(|line| {
            line.starts_with(&month(document)) && line.contains(kind_of(document)) && line.contains(&first)
        });
        assert!(named.count() >= 1, "{} {first} is not in {}", kind_of(document), ran.out);
    }
}

#[test]
fn an_institution_sees_the_audit_rows_that_it_caused_and_no_others() {
    let world = World::founded();
    let reference = world.put("one", &crate::world::document(DocumentKind::Vaccination, 1));
    let output = world.path("read");
    assert_eq!(world.run(&["get", &reference, "--output", output.to_str().unwrap()]).code, 0);
    let list = |flags: &[&str]| world.run(&[&["--json", "audit", "list", "--role", "auditor"], flags].concat());
    assert_eq!(array(&list(&[]).json(), "rows").len(), 2, "a listing shows what came before it");
    let told = list(&[]).json();
    let rows = array(&told, "rows");
    let said: Vec<_> =
        rows.iter().map(|row| (row["operation"].as_str().unwrap(), row["outcome"].as_str().unwrap())).collect();
    assert_eq!(said, [("put", "done"), ("get", "done"), ("list_audit", "nothing")]);
    for (row, seq) in rows.iter().zip(1..) {
        assert_eq!((&row["seq"], &row["actor"]), (&seq.into(), &"dr-1".into()), "{row}");
        assert_eq!((&row["purpose"], &row["evidence"]), (&"care".into(), &"card".into()), "{row}");
        let digits = |key: &str| row[key].as_str().unwrap().len();
        assert_eq!((digits("log"), digits("leaf_hash")), (32, 64), "{row}");
        let time = row["time"].as_str().unwrap();
        assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z') && &time[10..11] == "T", "{time}");
    }
    let role = |n: usize| rows[n]["role"].as_str().unwrap();
    assert_eq!((role(0), role(2)), ("physician", "auditor"));
    assert_eq!((array(&rows[0], "references").len(), array(&rows[1], "references").len()), (1, 1));
    assert_eq!(told["continue_after"], Value::Null);

    let later = list(&["--after", "2"]).json();
    let seqs: Vec<_> = array(&later, "rows").iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [3, 4], "the second row is not above itself");
    let text = world.run(&["audit", "list"]);
    assert!(text.code == 0 && text.out.lines().nth(1).unwrap().contains("dr-1 (physician)"), "{}", text.out);

    world.admit("other", "b2");
    let other = world.as_institution("other", "patient", &["--json", "audit", "list"]);
    assert_eq!(other.code, 0, "{}", other.err);
    assert!(array(&other.json(), "rows").is_empty(), "{}", other.out);
}
