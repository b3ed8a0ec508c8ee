//! Grants of puts and deletes.

use renkei_access::{RecordGrant, Scope};
use renkei_envelope::{Category, Class, DocumentPlace, Patient};
use renkei_ids::{RecordId, RecordVersion};
use renkei_runtime::Role;
use renkei_wire::ErrorCode;
use renkei_wire::vault::{DeleteItem, Opened, PutItem};

use crate::world::{CLOUD, World, asking, month};

struct Seeded;

impl renkei_envelope::Random for Seeded {
    fn fill(&self, into: &mut [u8]) {
        into.fill(0x2A);
    }
}

fn put(opened: &Opened) -> PutItem {
    PutItem { opening: opened.opening.clone(), category: Category::Prescription, month: month(2025, 3), replaces: None }
}

fn read_key(opened: &Opened, class: Class, year: u16) -> renkei_envelope::ClassKey {
    let grant = opened.classes.iter().find(|grant| grant.class == class).unwrap();
    grant.keys.iter().find(|(of, _)| *of == year).unwrap().1.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_put_seals_a_later_opening_reads() {
    let mut world = World::new();
    let before = world.open(asking(1, 7)).await.unwrap();
    let granted = world.put(put(&before)).await.unwrap();
    let patient = Patient { cloud: CLOUD, pid: granted.pid };
    let place =
        DocumentPlace { patient, record: granted.record, version: granted.version, class: granted.document_class };
    let sealed = granted.document_key.seal_document(&place, b"a document", &Seeded).unwrap();

    world.restart(true);
    let after = world.open(asking(1, 8)).await.unwrap();
    let key = |opened: &Opened, class| read_key(opened, class, 2025).record_key(granted.record, granted.version);
    let document = Class::document(Category::Prescription);
    let opened = key(&after, document).open_document(&place, &sealed, 100).unwrap();
    assert_eq!(&opened[..], b"a document");
    assert!(key(&after, Class::summary(Category::Prescription)) == granted.summary_key);
    // Before the put there was no key of that class and year, and what stood for it opens nothing.
    assert!(key(&before, document).open_document(&place, &sealed, 100).is_err());
    assert!(read_key(&after, document, 2024) == read_key(&before, document, 2024));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_puts_capability_names_its_record_and_version_and_nothing_else() {
    let world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let created = world.put(put(&opened)).await.unwrap();
    let capability = world.verified(&created.capability);
    assert_eq!(capability.records, [RecordGrant { record: created.record, version: RecordVersion::FIRST }]);
    assert_eq!(capability.classes, [created.summary_class, created.document_class]);
    assert_eq!((capability.scope, capability.gateway), (Scope::WRITE, world.gateway_key()));

    let replaces = Some((created.record, created.version));
    let replaced = world.put(PutItem { replaces, ..put(&opened) }).await.unwrap();
    assert_eq!((replaced.record, replaced.version.get()), (created.record, 2));
    assert!(replaced.document_key != created.document_key && replaced.write_tag_key == created.write_tag_key);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_first_puts_of_a_year_share_its_key() {
    let world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let calls: Vec<_> = (0..8).map(|_| world.puts(&world.gateway, vec![put(&opened), put(&opened)])).collect();
    let granted: Vec<_> =
        futures::future::join_all(calls).await.into_iter().flat_map(Result::unwrap).map(Result::unwrap).collect();
    assert_eq!(granted.len(), 16);
    let reading = world.open(asking(1, 7)).await.unwrap();
    let class_key = read_key(&reading, Class::document(Category::Prescription), 2025);
    for grant in granted {
        assert!(class_key.record_key(grant.record, grant.version) == grant.document_key);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_serves_its_gateway_its_classes_and_its_use_only() {
    let world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let other = world.identity(Role::Gateway, "two");
    let refused = world.puts(&other, vec![put(&opened)]).await.unwrap().pop().unwrap();
    assert_eq!(refused.err().unwrap().code, ErrorCode::OpeningOtherGateway);

    let mut forged = opened.opening.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let forged = PutItem { opening: forged.into(), ..put(&opened) };
    let mut read_only = asking(1, 7);
    read_only.scope = Scope::READ;
    let read_only = world.open(read_only).await.unwrap();
    let mut vaccinations = asking(1, 7);
    vaccinations.classes = vec![Class::summary(Category::Vaccination), Class::document(Category::Vaccination)];
    let vaccinations = world.open(vaccinations).await.unwrap();
    // One call: each item has its own answer, in order.
    let items = vec![forged, put(&read_only), put(&opened), put(&vaccinations)];
    let codes: Vec<_> = world.puts(&world.gateway, items).await.unwrap();
    let codes: Vec<_> = codes.into_iter().map(|result| result.err().map(|refusal| refusal.code)).collect();
    assert_eq!(
        codes,
        [Some(ErrorCode::OpeningInvalid), Some(ErrorCode::OpeningScope), None, Some(ErrorCode::OpeningScope)]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletes_capability_names_its_record() {
    let world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let record = RecordId::from_bytes([5; 16]);
    let item = DeleteItem { opening: opened.opening.clone(), record, version: RecordVersion::FIRST };
    let granted = world.delete(item).await.unwrap();
    let capability = world.verified(&granted.capability);
    assert_eq!(capability.scope, Scope::DELETE);
    assert_eq!(capability.records, [RecordGrant { record, version: RecordVersion::FIRST }]);
    assert!(granted.write_tag_key == world.put(put(&opened)).await.unwrap().write_tag_key);
}
