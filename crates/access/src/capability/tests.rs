use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn arb_capability() -> impl Strategy<Value = Capability> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 32]>());
    let lists = (
        vec(any::<[u8; 16]>(), 0..=CLASSES_MAX),
        vec((any::<[u8; 16]>(), 1_u32..), 0..=RECORDS_MAX),
        vec(any::<u8>(), 0..=STUB_MAX_BYTES),
    );
    let numbers = (any::<u16>(), any::<u16>(), 0_u8..32, 0_usize..5, any::<u64>(), any::<u64>());
    (ids, lists, numbers).prop_map(
        |((id, pid, inst, gateway), (classes, records, stub), (from, to, scope, why, issued, expires))| Capability {
            id: CapabilityId::from_bytes(id),
            pid: Pid::from_bytes(pid),
            institution: InstTag::from_bytes(inst),
            classes: classes.into_iter().map(ClassTag::from_bytes).collect(),
            period: Period { from: MonthBucket::from_raw(from), to: MonthBucket::from_raw(to) },
            scope: Scope(scope),
            purpose: [Purpose::Care, Purpose::Emergency, Purpose::Own, Purpose::Repair, Purpose::Report][why],
            issued: UnixMillis(issued),
            expires: UnixMillis(expires),
            gateway: KeyHash::from_bytes(gateway),
            stub: stub.into(),
            records: records
                .into_iter()
                .map(|(id, version)| RecordGrant {
                    record: RecordId::from_bytes(id),
                    version: RecordVersion::new(version).expect("the strategy starts at 1"),
                })
                .collect(),
        },
    )
}

fn vault() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn sample() -> Capability {
    Capability {
        id: CapabilityId::from_bytes([1; 16]),
        pid: Pid::from_bytes([2; 16]),
        institution: InstTag::from_bytes([3; 16]),
        classes: vec![ClassTag::from_bytes([4; 16])],
        period: Period { from: MonthBucket::from_raw(24_000), to: MonthBucket::from_raw(24_400) },
        scope: Scope::READ.with(Scope::WRITE),
        purpose: Purpose::Care,
        issued: UnixMillis(1_000_000),
        expires: UnixMillis(1_600_000),
        gateway: KeyHash::from_bytes([5; 32]),
        stub: Bytes::from_static(b"sealed"),
        records: vec![RecordGrant { record: RecordId::from_bytes([6; 16]), version: RecordVersion::FIRST }],
    }
}

proptest! {
    #[test]
    fn what_was_signed_is_what_is_read(capability in arb_capability()) {
        let signed = match capability.sign(&vault()) {
            Ok(signed) => signed,
            Err(InvalidCapability::TooLong(len)) => { prop_assert!(len > CAPABILITY_MAX_BYTES); return Ok(()); }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };
        prop_assert_eq!(signed.verify(&[vault().verifying_key()]), Ok(capability));
    }

    #[test]
    fn one_changed_bit_is_refused(bit in 0_usize..800) {
        let mut signed = sample().sign(&vault()).unwrap();
        let mut body = signed.body.to_vec();
        let at = bit / 8 % body.len();
        body[at] ^= 1 << (bit % 8);
        signed.body = body.into();
        prop_assert_eq!(signed.verify(&[vault().verifying_key()]), Err(InvalidCapability::Signature));
    }

    #[test]
    fn foreign_bytes_never_panic(body in vec(any::<u8>(), 0..300)) {
        // Signed by the vault itself, so that the decoder behind the signature is reached.
        let signature = vault().sign(&body);
        let signed = SignedCapability { body: body.into(), signature };
        let _ = signed.verify(&[vault().verifying_key()]);
    }
}

#[test]
fn another_vaults_signature_is_refused() {
    let signed = sample().sign(&SigningKey::from_seed(&[8; 32])).unwrap();
    assert_eq!(signed.verify(&[vault().verifying_key()]), Err(InvalidCapability::Signature));
    assert_eq!(signed.verify(&[]), Err(InvalidCapability::Signature));
}

#[test]
fn format_one_stays_readable() {
    // Made by the first build that wrote this format.
    let body = include_bytes!("../../tests/fixtures/capability-v1.bin");
    let signed = SignedCapability { body: Bytes::from_static(body), signature: vault().sign(body) };
    assert_eq!(signed.verify(&[vault().verifying_key()]), Ok(sample()));
}

#[test]
fn an_unknown_format_purpose_or_scope_is_refused() {
    let sealed = |body: Vec<u8>| SignedCapability { signature: vault().sign(&body), body: body.into() };
    let keys = [vault().verifying_key()];
    assert_eq!(sealed(vec![9]).verify(&keys), Err(InvalidCapability::Format(9)));
    assert_eq!(sealed(vec![]).verify(&keys), Err(InvalidCapability::Malformed("format version")));
    for (scope, purpose, refusal) in [(32, 1, "scope"), (1, 6, "purpose"), (1, 0, "purpose")] {
        let body = format::Body { scope, purpose, ..format::Body::from(&sample()) };
        let mut bytes = vec![FORMAT];
        body.encode(&mut bytes).unwrap();
        assert_eq!(sealed(bytes).verify(&keys), Err(InvalidCapability::Malformed(refusal)));
    }
}

#[test]
fn limits_hold_at_their_edges() {
    let class = ClassTag::from_bytes([0; 16]);
    let full = Capability { classes: vec![class; CLASSES_MAX], ..sample() };
    assert!(full.sign(&vault()).is_ok());
    let over = Capability { classes: vec![class; CLASSES_MAX + 1], ..sample() };
    assert!(over.sign(&vault()).is_err());
    assert!(Capability { stub: vec![0; STUB_MAX_BYTES].into(), ..sample() }.sign(&vault()).is_ok());
    assert!(Capability { stub: vec![0; STUB_MAX_BYTES + 1].into(), ..sample() }.sign(&vault()).is_err());
}

#[test]
fn it_serves_its_gateway_until_its_end_and_no_longer() {
    let capability = sample();
    let gateway = capability.gateway;
    let at = |millis| capability.admits(&gateway, UnixMillis(millis), Scope::READ);
    assert_eq!(at(939_999), Err(CapabilityRefusal::NotYetValid));
    assert_eq!(at(940_000), Ok(()));
    assert_eq!(at(1_599_999), Ok(()));
    assert_eq!(at(1_600_000), Err(CapabilityRefusal::Expired));
    let now = UnixMillis(1_000_000);
    assert_eq!(
        capability.admits(&KeyHash::from_bytes([9; 32]), now, Scope::READ),
        Err(CapabilityRefusal::OtherGateway)
    );
    assert_eq!(capability.admits(&gateway, now, Scope::DELETE), Err(CapabilityRefusal::Scope));
}

#[test]
fn a_write_is_granted_for_the_named_version_only() {
    let capability = sample();
    let record = RecordId::from_bytes([6; 16]);
    assert!(capability.grants_write(record, RecordVersion::FIRST));
    assert!(!capability.grants_write(record, RecordVersion::new(2).unwrap()));
    assert!(!capability.grants_write(RecordId::from_bytes([7; 16]), RecordVersion::FIRST));
}

#[test]
fn a_public_key_reads_back_from_its_text() {
    let key = vault().verifying_key();
    assert_eq!(VerifyingKey::from_hex(&key.to_hex()), Some(key));
    for text in ["", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64), &"+1".repeat(32), &"\u{e9}".repeat(32)] {
        assert_eq!(VerifyingKey::from_hex(text), None, "{text}");
    }
}
