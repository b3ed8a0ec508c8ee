//! Sealed forms: each opens in its own place as what was sealed, and neither changed nor elsewhere nor made by a stranger.

use bytes::Bytes;
use renkei_access::{Evidence, Purpose, Scope};
use renkei_envelope::{
    ClassSet, DocumentError, DocumentPlace, EpochKey, HostSecret, KeyEpoch, LogKey, Opening, Patient, PatientSeed,
    Pseudonym, Random, RecordKey, Reference, SealedFileKey, SealedSeed, Stub, TagKey,
};
use renkei_ids::{
    BindingId, CapabilityId, ClassTag, CloudId, InstitutionId, KeyHash, Pid, RecordId, RecordVersion, RequestId,
    UnixMillis,
};

use crate::input::Input;

/// Randomness of the input: nonces repeat, which no property here depends on.
struct Drawn(u8);

impl Random for Drawn {
    fn fill(&self, into: &mut [u8]) {
        into.fill(self.0);
    }
}

/// Opens a form and gives what is in it, encoded so that two can be compared; `None` where it does not open.
type Open<'a> = dyn Fn(&Patient, &[u8]) -> Option<Vec<u8>> + 'a;

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let patient = Patient { cloud: CloudId::from_bytes([1; 16]), pid: Pid::from_bytes(input.few()) };
    let random = Drawn(input.byte());
    match input.byte() % 7 {
        0 => document(&mut input, &patient, &random),
        1 => reference(&mut input, &patient, &random),
        2 => continuation(&mut input, &patient, &random),
        3 => opening(&mut input, &patient, &random),
        4 => stub(&mut input, &patient, &random),
        5 => actor(&mut input, &patient, &random),
        _ => keys(&mut input, &patient, &random),
    }
}

/// What holds for every sealed form.
fn judge(input: &mut Input<'_>, patient: &Patient, sealed: &[u8], content: &[u8], open: &Open<'_>) {
    assert_eq!(open(patient, sealed).as_deref(), Some(content), "something else comes out");
    let others = [
        Patient { cloud: CloudId::from_bytes([9; 16]), ..*patient },
        Patient { pid: Pid::from_bytes([9; 16]), ..*patient },
    ];
    assert!(open(&others[0], sealed).is_none(), "it opens in another cloud");
    // An opening names its patient inside.
    if let Some(elsewhere) = open(&others[1], sealed) {
        assert_eq!(elsewhere, content);
    }
    let mut changed = sealed.to_vec();
    match input.byte() % 3 {
        0 => changed.truncate(input.below(changed.len())),
        1 => changed.push(input.byte()),
        _ => {
            let at = input.below(changed.len());
            changed[at] ^= 1 << (input.byte() % 8);
        }
    }
    assert!(open(patient, &changed).is_none(), "it opens although it was changed");
    assert!(open(patient, input.rest()).is_none(), "bytes of a stranger open");
}

fn document(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let key = RecordKey::from_bytes([5; 32]);
    let place = |patient: &Patient| DocumentPlace {
        patient: *patient,
        record: RecordId::from_bytes([3; 16]),
        version: RecordVersion::FIRST,
        class: ClassTag::from_bytes([4; 16]),
    };
    // A run is what compresses; its length decides whether the compressed form is taken.
    let content = [vec![input.byte(); usize::from(input.u16() % 2_048)], input.short(200).to_vec()].concat();
    let sealed = match key.seal_document(&place(patient), &content, random) {
        Ok(sealed) => sealed,
        Err(error) => panic!("{} bytes do not seal: {error}", content.len()),
    };
    assert!(sealed.len() <= content.len() + renkei_envelope::DOCUMENT_OVERHEAD);
    judge(input, patient, &sealed, &content, &|patient, sealed| {
        key.open_document(&place(patient), sealed, 1 << 16).ok().map(|content| content.to_vec())
    });
    if !content.is_empty() {
        let refused = key.open_document(&place(patient), &sealed, content.len() - 1);
        assert!(matches!(refused, Err(DocumentError::TooLong { .. })), "it is longer than its reader takes");
    }
}

fn reference(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let key = TagKey::from_bytes([4; 32]).reference_key(InstitutionId::from_bytes([1; 16]));
    let record = RecordId::from_bytes(input.few());
    let sealed = key.seal(patient, record, random);
    judge(input, patient, &sealed.as_bytes().clone(), record.as_bytes(), &|patient, sealed| {
        let reference = Reference::try_from(Bytes::copy_from_slice(sealed)).ok()?;
        key.open(patient, &reference).ok().map(|record| record.as_bytes().to_vec())
    });
}

fn continuation(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let key = TagKey::from_bytes([4; 32]).reference_key(InstitutionId::from_bytes([1; 16]));
    let (query, place) = ([input.byte(); 32], input.short(60).to_vec());
    let sealed = key.seal_continuation(patient, &query, &place, random);
    assert!(key.open_continuation(patient, &[!query[0]; 32], &sealed).is_err(), "it opens for another query");
    judge(input, patient, &sealed, &place, &|patient, sealed| {
        key.open_continuation(patient, &query, sealed).ok().map(|place| place.to_vec())
    });
}

fn opening(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let key = EpochKey::from_bytes([1; 32]).opening_key();
    let opening = Opening {
        pid: patient.pid,
        seed: PatientSeed::from_bytes([input.byte(); 32]),
        institution: InstitutionId::from_bytes(input.few()),
        binding: BindingId::from_bytes(input.few()),
        gateway: KeyHash::from_bytes([input.byte(); 32]),
        purpose: Purpose::from_raw(1 + u32::from(input.byte() % 5)).expect("there are five"),
        evidence: Evidence::from_raw(1 + u32::from(input.byte() % 6)).expect("there are six"),
        scope: Scope::from_bits(u32::from(input.byte() % 32)).expect("five bits are known"),
        classes: ClassSet::from_bits(input.byte() % 64).expect("six bits are known"),
        expires: UnixMillis(input.u64()),
    };
    let sealed = key.seal(patient.cloud, &opening, random);
    judge(input, patient, &sealed, b"the same", &|patient, sealed| {
        key.open(patient.cloud, sealed).ok().map(|opened| {
            assert!(opened == opening, "another opening comes out");
            b"the same".to_vec()
        })
    });
}

fn stub(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let (key, capability) = (LogKey::from_bytes([2; 32]), CapabilityId::from_bytes(input.few()));
    let stub = Stub {
        institution: InstitutionId::from_bytes(input.few()),
        cell: KeyHash::from_bytes([input.byte(); 32]),
        purpose: Purpose::from_raw(1 + u32::from(input.byte() % 5)).expect("there are five"),
        evidence: Evidence::from_raw(1 + u32::from(input.byte() % 6)).expect("there are six"),
        binding: BindingId::from_bytes(input.few()),
    };
    let sealed = key.seal_stub(patient, capability, &stub, random);
    judge(input, patient, &sealed, b"the same", &|patient, sealed| {
        key.open_stub(patient, capability, sealed).ok().map(|opened| {
            assert!(opened == stub, "another stub comes out");
            b"the same".to_vec()
        })
    });
}

fn actor(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let key = LogKey::from_bytes([2; 32]).stub_key(CapabilityId::from_bytes(input.few()));
    let (request, actor) = (RequestId::from_bytes(input.few()), input.short(100).to_vec());
    let sealed = key.seal_actor(patient, request, &actor, random);
    judge(input, patient, &sealed, &actor, &|patient, sealed| {
        key.open_actor(patient, request, sealed).ok().map(|actor| actor.to_vec())
    });
}

/// A patient's seed, and the key of a vault's file.
fn keys(input: &mut Input<'_>, patient: &Patient, random: &Drawn) {
    let (pseudonym, seed) = (Pseudonym::from_bytes([input.byte(); 32]), PatientSeed::from_bytes([input.byte(); 32]));
    let host = HostSecret::from_bytes([input.byte(); 32]);
    let epoch = KeyEpoch(u32::from(input.byte()));
    let file = host.seal_file_key(("epoch", epoch), seed.expose(), random);
    assert!(host.open_file_key(("signing", epoch), &file).is_err(), "one file is taken for the other");
    let mut changed = file.as_bytes().to_vec();
    let at = input.below(changed.len());
    changed[at] ^= 1;
    if let Ok(changed) = SealedFileKey::try_from(Bytes::from(changed)) {
        assert!(host.open_file_key(("epoch", epoch), &changed).is_err(), "a changed file opens");
    }
    let sealed = pseudonym.seal_seed(patient, &seed, random);
    judge(input, patient, &sealed.as_bytes().clone(), seed.expose(), &|patient, sealed| {
        let sealed = SealedSeed::try_from(Bytes::copy_from_slice(sealed)).ok()?;
        pseudonym.open_seed(patient, &sealed).ok().map(|seed| seed.expose().to_vec())
    });
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern = |seed: u8, len: u8| (0..len).map(move |place| place.wrapping_mul(11).wrapping_add(seed)).collect();
    (0..14).map(|seed| [vec![seed, 1, seed], pattern(seed, 60)].concat()).collect()
}
