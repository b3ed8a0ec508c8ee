//! Sealed things open with their own key in their own place, and nowhere else.

use proptest::prelude::*;
use renkei_access::{Evidence, Purpose, Scope};
use renkei_ids::{
    BindingId, CapabilityId, ClassTag, CloudId, InstitutionId, KeyHash, Pid, RecordId, RecordVersion, RequestId, Slot,
    UnixMillis,
};

use crate::*;

struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, into: &mut [u8]) {
        into.fill(self.0);
    }
}

const RANDOM: Fixed = Fixed(0x5A);

fn patient() -> Patient {
    Patient { cloud: CloudId::from_bytes([1; 16]), pid: Pid::from_bytes([2; 16]) }
}

fn place() -> DocumentPlace {
    DocumentPlace {
        patient: patient(),
        record: RecordId::from_bytes([3; 16]),
        version: RecordVersion::FIRST,
        class: ClassTag::from_bytes([4; 16]),
    }
}

fn elsewhere() -> [Patient; 2] {
    [
        Patient { cloud: CloudId::from_bytes([9; 16]), ..patient() },
        Patient { pid: Pid::from_bytes([9; 16]), ..patient() },
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn classes() -> (Class, Class) {
    (Class::summary(Category::Prescription), Class::document(Category::Prescription))
}

#[test]
fn a_document_opens_in_its_place_only() {
    let key = RecordKey::from_bytes([5; 32]);
    let sealed = key.seal_document(&place(), b"content", &RANDOM).unwrap();
    assert_eq!(&key.open_document(&place(), &sealed, 7).unwrap()[..], b"content");
    let mut places: Vec<_> = elsewhere().map(|patient| DocumentPlace { patient, ..place() }).into();
    places.push(DocumentPlace { record: RecordId::from_bytes([9; 16]), ..place() });
    places.push(DocumentPlace { version: RecordVersion::new(2).unwrap(), ..place() });
    places.push(DocumentPlace { class: ClassTag::from_bytes([9; 16]), ..place() });
    for place in places {
        let refused = key.open_document(&place, &sealed, 7);
        assert!(matches!(refused, Err(DocumentError::Sealed(InvalidSealed::Tag))), "{place:?}");
    }
    assert!(RecordKey::from_bytes([6; 32]).open_document(&place(), &sealed, 7).is_err());
    assert!(matches!(key.open_document(&place(), &sealed, 6), Err(DocumentError::TooLong { actual: 7, limit: 6 })));
}

#[test]
fn a_patients_keys_open_with_pseudonym_and_slot_key_of_this_patient_only() {
    let (pseudonym, other) = (Pseudonym::from_bytes([1; 32]), Pseudonym::from_bytes([9; 32]));
    let (seed, slot) = (PatientSeed::from_bytes([2; 32]), SlotKey::from_bytes([3; 32]));
    let (key, log) = (PatientKey::from_bytes([4; 32]), LogKey::from_bytes([5; 32]));
    let sealed = pseudonym.seal_seed(&patient(), &seed, &RANDOM);
    let wrapped = seed.wrap_patient_key(&patient(), &slot, &key, &RANDOM);
    let wrapped_log = seed.wrap_log_key(&patient(), &slot, &log, &RANDOM);
    assert!(pseudonym.open_seed(&patient(), &sealed) == Ok(seed.clone()));
    assert!(seed.open_patient_key(&patient(), &slot, &wrapped) == Ok(key));
    assert!(seed.open_log_key(&patient(), &slot, &wrapped_log) == Ok(log));
    assert!(other.open_seed(&patient(), &sealed).is_err());
    let (other_seed, other_slot) = (PatientSeed::from_bytes([9; 32]), SlotKey::from_bytes([9; 32]));
    assert!(other_seed.open_patient_key(&patient(), &slot, &wrapped).is_err());
    assert!(seed.open_patient_key(&patient(), &other_slot, &wrapped).is_err());
    for patient in elsewhere() {
        assert!(pseudonym.open_seed(&patient, &sealed).is_err());
        assert!(seed.open_patient_key(&patient, &slot, &wrapped).is_err());
        assert!(seed.open_log_key(&patient, &slot, &wrapped_log).is_err());
    }
    // One is not taken for the other.
    let swapped = WrappedLogKey::try_from(wrapped.as_bytes().clone()).unwrap();
    assert!(seed.open_log_key(&patient(), &slot, &swapped).is_err());
}

#[test]
fn a_class_key_opens_for_its_class_and_year_only() {
    let (key, slot, class_key) =
        (PatientKey::from_bytes([1; 32]), SlotKey::from_bytes([2; 32]), ClassKey::from_bytes([3; 32]));
    let (summary, document) = classes();
    let wrapped = key.wrap_class_key(&patient(), &slot, (summary, 2025), &class_key, &RANDOM);
    assert!(key.open_class_key(&patient(), &slot, (summary, 2025), &wrapped) == Ok(class_key));
    assert!(key.open_class_key(&patient(), &slot, (document, 2025), &wrapped).is_err());
    assert!(key.open_class_key(&patient(), &slot, (summary, 2024), &wrapped).is_err());
    let other = PatientKey::from_bytes([9; 32]);
    assert!(other.open_class_key(&patient(), &slot, (summary, 2025), &wrapped).is_err());
    for patient in elsewhere() {
        assert!(key.open_class_key(&patient, &slot, (summary, 2025), &wrapped).is_err());
    }
}

#[test]
fn a_slot_key_opens_for_its_slot_and_epoch_only() {
    let (key, slot_key) = (EpochKey::from_bytes([1; 32]), SlotKey::from_bytes([2; 32]));
    let (cloud, slot) = (patient().cloud, Slot::try_from(7).unwrap());
    let sealed = key.seal_slot_key((cloud, slot, KeyEpoch(1)), &slot_key, &RANDOM);
    assert!(key.open_slot_key((cloud, slot, KeyEpoch(1)), &sealed) == Ok(slot_key));
    assert!(key.open_slot_key((cloud, Slot::try_from(8).unwrap(), KeyEpoch(1)), &sealed).is_err());
    assert!(key.open_slot_key((cloud, slot, KeyEpoch(2)), &sealed).is_err());
    assert!(key.open_slot_key((CloudId::from_bytes([9; 16]), slot, KeyEpoch(1)), &sealed).is_err());
    assert!(EpochKey::from_bytes([9; 32]).open_slot_key((cloud, slot, KeyEpoch(1)), &sealed).is_err());
}

fn stub() -> Stub {
    Stub {
        institution: InstitutionId::from_bytes([1; 16]),
        cell: KeyHash::from_bytes([2; 32]),
        purpose: Purpose::Emergency,
        evidence: Evidence::Unconscious,
        binding: BindingId::from_bytes([3; 16]),
    }
}

#[test]
fn stubs_actors_and_references_open_where_they_belong_only() {
    let (log, id, other) =
        (LogKey::from_bytes([1; 32]), CapabilityId::from_bytes([2; 16]), CapabilityId::from_bytes([9; 16]));
    let sealed = log.seal_stub(&patient(), id, &stub(), &RANDOM);
    assert_eq!(log.open_stub(&patient(), id, &sealed), Ok(stub()));
    assert!(log.open_stub(&patient(), other, &sealed).is_err());
    assert!(log.stub_key(id) != log.stub_key(other));

    let (actor, request) = (log.stub_key(id), RequestId::from_bytes([3; 16]));
    let sealed_actor = actor.seal_actor(&patient(), request, b"a nurse", &RANDOM);
    assert_eq!(&actor.open_actor(&patient(), request, &sealed_actor).unwrap()[..], b"a nurse");
    assert!(actor.open_actor(&patient(), RequestId::from_bytes([9; 16]), &sealed_actor).is_err());
    assert!(log.stub_key(other).open_actor(&patient(), request, &sealed_actor).is_err());

    let tags = TagKey::from_bytes([4; 32]);
    let mine = tags.reference_key(InstitutionId::from_bytes([1; 16]));
    let theirs = tags.reference_key(InstitutionId::from_bytes([2; 16]));
    let reference = mine.seal(&patient(), RecordId::from_bytes([5; 16]), &RANDOM);
    assert_eq!(mine.open(&patient(), &reference), Ok(RecordId::from_bytes([5; 16])));
    assert!(theirs.open(&patient(), &reference).is_err());
    assert!(mine.seal(&patient(), RecordId::from_bytes([5; 16]), &Fixed(1)) != reference, "another one each time");
    for patient in elsewhere() {
        assert!(log.open_stub(&patient, id, &sealed).is_err());
        assert!(actor.open_actor(&patient, request, &sealed_actor).is_err());
        assert!(mine.open(&patient, &reference).is_err());
    }
}

fn opening() -> Opening {
    Opening {
        pid: patient().pid,
        seed: PatientSeed::from_bytes([1; 32]),
        institution: InstitutionId::from_bytes([2; 16]),
        binding: BindingId::from_bytes([3; 16]),
        gateway: KeyHash::from_bytes([4; 32]),
        purpose: Purpose::Own,
        evidence: Evidence::Delegate,
        scope: Scope::READ.with(Scope::AUDIT),
        classes: Class::every().collect(),
        expires: UnixMillis(0x0102_0304_0506_0708),
    }
}

#[test]
fn an_opening_reads_back_in_its_cloud_and_epoch_only() {
    let key = EpochKey::from_bytes([1; 32]).opening_key();
    let sealed = key.seal(patient().cloud, &opening(), &RANDOM);
    assert!(key.open(patient().cloud, &sealed) == Ok(opening()));
    assert!(key.open(CloudId::from_bytes([9; 16]), &sealed).is_err());
    assert!(EpochKey::from_bytes([2; 32]).opening_key().open(patient().cloud, &sealed).is_err());
}

#[test]
fn secrets_do_not_show_themselves() {
    let shown = format!("{:?} {:?}", RecordKey::from_bytes(*b"planted-token-planted-token-3210"), opening());
    assert!(!shown.contains("planted") && shown.starts_with("RecordKey(..)"), "{shown}");
}

/// Every sealed form and derivation with fixed keys and a fixed nonce. The derivations of the fixture were computed a
/// second time with Python (hmac, hashlib) and agreed.
#[test]
fn the_forms_of_version_1_stay() {
    let (summary, document) = classes();
    let epoch = EpochKey::from_bytes([1; 32]);
    let (slot, seed) = (SlotKey::from_bytes([2; 32]), PatientSeed::from_bytes([3; 32]));
    let (key, log, ck) = (PatientKey::from_bytes([4; 32]), LogKey::from_bytes([5; 32]), ClassKey::from_bytes([6; 32]));
    let (tags, institution) = (key.tag_key(), InstitutionId::from_bytes([7; 16]));
    let pseudonym = Pseudonym::from_bytes([8; 32]);
    let capability = CapabilityId::from_bytes([9; 16]);
    let record_key = ck.record_key(place().record, place().version);
    let writes = tags.write_tag_key(institution);
    let first = (patient().cloud, Slot::try_from(0).unwrap(), KeyEpoch(1));
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("slot key", epoch.seal_slot_key(first, &slot, &RANDOM).as_bytes().to_vec()),
        ("pseudonym hash", pseudonym.hash(patient().cloud).expose().to_vec()),
        ("seed", pseudonym.seal_seed(&patient(), &seed, &RANDOM).as_bytes().to_vec()),
        ("patient key", seed.wrap_patient_key(&patient(), &slot, &key, &RANDOM).as_bytes().to_vec()),
        ("log key", seed.wrap_log_key(&patient(), &slot, &log, &RANDOM).as_bytes().to_vec()),
        ("class key", key.wrap_class_key(&patient(), &slot, (summary, 2025), &ck, &RANDOM).as_bytes().to_vec()),
        ("no class key", key.no_class_key(document, 2025).expose().to_vec()),
        ("record key", record_key.expose().to_vec()),
        ("institution tag", tags.institution(institution).as_bytes().to_vec()),
        ("class tag", tags.class(document).as_bytes().to_vec()),
        ("binding tag", tags.binding(BindingId::from_bytes([1; 16])).as_bytes().to_vec()),
        ("idempotency tag", writes.idempotency(b"key").as_bytes().to_vec()),
        ("content tag", writes.content(&[1; 32]).as_bytes().to_vec()),
        ("reference", tags.reference_key(institution).seal(&patient(), place().record, &RANDOM).as_bytes().to_vec()),
        ("stub", log.seal_stub(&patient(), capability, &stub(), &RANDOM).to_vec()),
        ("stub key", log.stub_key(capability).expose().to_vec()),
        (
            "actor",
            log.stub_key(capability).seal_actor(&patient(), RequestId::from_bytes([1; 16]), b"x", &RANDOM).to_vec(),
        ),
        ("opening", epoch.opening_key().seal(patient().cloud, &opening(), &RANDOM).to_vec()),
        ("document", record_key.seal_document(&place(), b"short", &RANDOM).unwrap().to_vec()),
        (
            "file key",
            HostSecret::from_bytes([1; 32])
                .seal_file_key(("epoch", KeyEpoch(1)), &[2; 32], &RANDOM)
                .as_bytes()
                .to_vec(),
        ),
    ];
    let text: String = forms.iter().map(|(name, bytes)| format!("{name}: {}\n", hex(bytes))).collect();
    assert!(text == include_str!("../tests/fixtures/forms-v1.txt"), "a form has changed:\n{text}");
}

proptest! {
    #[test]
    fn documents_come_back_whatever_they_hold(content in prop::collection::vec(any::<u8>(), 0..3000), run in 0..5000_usize) {
        let key = RecordKey::from_bytes([5; 32]);
        let content = [content, vec![b'a'; run]].concat();
        let sealed = key.seal_document(&place(), &content, &RANDOM).unwrap();
        prop_assert!(sealed.len() <= content.len() + DOCUMENT_OVERHEAD);
        prop_assert_eq!(&key.open_document(&place(), &sealed, content.len()).unwrap()[..], &content[..]);
    }

    #[test]
    fn one_changed_bit_closes_a_document(at: prop::sample::Index, bit in 0..8_u8) {
        let key = RecordKey::from_bytes([5; 32]);
        let mut sealed = key.seal_document(&place(), b"content of some length", &RANDOM).unwrap().to_vec();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(key.open_document(&place(), &sealed, 100).is_err());
    }

    #[test]
    fn no_bytes_open_or_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(RecordKey::from_bytes([5; 32]).open_document(&place(), &bytes, 100).is_err());
        prop_assert!(EpochKey::from_bytes([1; 32]).opening_key().open(patient().cloud, &bytes).is_err());
    }
}
