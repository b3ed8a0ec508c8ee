//! What lies in a vault's files.

use renkei_envelope::Category;
use renkei_wire::vault::PutItem;

use crate::world::{World, asking, files, month, pseudonym};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_holds_a_pseudonym_or_a_key_in_the_clear() {
    let mut world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let item = PutItem {
        opening: opened.opening.clone(),
        category: Category::Prescription,
        month: month(2025, 3),
        replaces: None,
    };
    let granted = world.put(item).await.unwrap();
    let reading = world.open(asking(1, 7)).await.unwrap();
    let mut secrets = vec![
        ("pseudonym", *pseudonym(1).expose()),
        ("stub key", *opened.stub_key.expose()),
        ("reference key", *opened.reference_key.expose()),
        ("summary key", *granted.summary_key.expose()),
        ("document key", *granted.document_key.expose()),
        ("write tag key", *granted.write_tag_key.expose()),
    ];
    let class_keys = reading.classes.iter().flat_map(|grant| &grant.keys);
    secrets.extend(class_keys.map(|(_, key)| ("class key", *key.expose())));
    // Stopped, so that everything is in the files; started again, so that the log was replayed and flushed.
    world.restart(false);
    world.processes.stop_all().unwrap();

    let mut pid_seen = false;
    for path in files(&world.data(1)) {
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        for (name, secret) in &secrets {
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!holds(secret) && !holds(hex.as_bytes()), "{name} in {}", path.display());
        }
        pid_seen |= holds(opened.pid.as_bytes());
    }
    assert!(pid_seen, "the search finds what is there");
}
