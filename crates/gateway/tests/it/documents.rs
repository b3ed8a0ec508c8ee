//! Documents of synthetic patients, all three kinds, from put to timeline and back.

use renkei_population::{DocumentKind, PersonIndex, Population};
use renkei_runtime::Role;
use renkei_wire::limits::DOCUMENT_MAX_BYTES;

use crate::world::{Client, World, get, put, query, timeline};

const SEED: u64 = 0x2026_1120;
const PERSONS: u32 = 4;

/// The number of a kind on the wire.
const fn number(kind: DocumentKind) -> i32 {
    match kind {
        DocumentKind::Prescription => 1,
        DocumentKind::Vaccination => 2,
        DocumentKind::Discharge => 3,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_kind_of_every_person_is_put_listed_under_its_kind_and_read_back() {
    println!("seed {SEED:#x}");
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let population = Population::new(SEED);
    for n in 0..PERSONS {
        let person = PersonIndex::try_from(n * 31_000_000).unwrap();
        let patient = u8::try_from(n + 1).unwrap();
        for kind in DocumentKind::ALL {
            for version in 1..=2 {
                let document = population.document(person, kind, version);
                let key = format!("{n}-{kind:?}-{version}");
                let stored = put(&mut client, patient, &key, &document).await.unwrap();
                assert_eq!((stored.version, stored.kind), (1, number(kind)));
                assert!(get(&mut client, patient, &stored.reference, 0).await.unwrap() == document);
            }
        }
        check_timeline(&mut client, &population, (person, patient)).await;
    }
}

/// What a timeline of one kind refers to are the documents of that kind, and all kinds together are all of them.
async fn check_timeline(client: &mut Client, population: &Population, (person, patient): (PersonIndex, u8)) {
    for kind in DocumentKind::ALL {
        let (entries, _) = timeline(client, query(patient, vec![number(kind)])).await.unwrap();
        assert!(entries.iter().all(|entry| entry.kind == number(kind)));
        let mut read = Vec::new();
        for entry in &entries {
            read.push(get(client, patient, &entry.reference, entry.version).await.unwrap());
            let summary: serde_json::Value = serde_json::from_str(&entry.summary_json).unwrap();
            assert!(summary.is_object());
        }
        let mut put: Vec<_> = (1..=2).map(|version| population.document(person, kind, version)).collect();
        read.sort_unstable();
        put.sort_unstable();
        assert!(read == put, "{kind:?} of person {}", person.get());
    }
    let (all, _) = timeline(client, query(patient, vec![])).await.unwrap();
    assert_eq!(all.len(), 2 * DocumentKind::ALL.len());
    assert!(all.is_sorted_by(|earlier, later| earlier.month >= later.month), "newest month first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_largest_discharge_summary_is_read_back_and_its_summary_is_small() {
    println!("seed {SEED:#x}");
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let person = PersonIndex::try_from(7).unwrap();
    let document = Population::new(SEED).discharge_of_size(person, 1, DOCUMENT_MAX_BYTES - 4_096);
    assert!(document.len() > 10_000_000 && document.len() <= DOCUMENT_MAX_BYTES, "{}", document.len());
    let stored = put(&mut client, 1, "large", &document).await.unwrap();
    assert!(get(&mut client, 1, &stored.reference, 0).await.unwrap() == document);
    let (entries, _) = timeline(&mut client, query(1, vec![number(DocumentKind::Discharge)])).await.unwrap();
    assert!(entries.len() == 1 && entries[0].summary_json.len() < 65_536);
}
