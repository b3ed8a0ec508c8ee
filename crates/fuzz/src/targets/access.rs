//! Capabilities, rules, directories and actors: a signed capability says what it said when it was signed, nothing else verifies, and of the
//! rules that speak, deny beats allow beats the default, in whatever order they stand. A directory and an actor that read
//! are written again as the same, and no stranger's verifies.

use std::sync::OnceLock;

use bytes::Bytes;
use renkei_access::{
    Actor, CAPABILITY_MAX_BYTES, Capability, CapabilityRefusal, Cell, Cloud, CommitmentKey, DailyVisits, Directory,
    Effect, Entries, Institution, InstitutionKind, LicensedRole, Login, Officers, Party, Period, Purpose, RecordGrant,
    Rule, RuleSet, Scope, SignedActor, SignedCapability, SignedDirectory, SigningKey, StatementKey, Subject, Target,
    name_hash,
};
use renkei_ids::{
    CapabilityId, CellId, ClassTag, CloudId, DenyEpoch, DirectoryVersion, InstTag, InstitutionId, KeyHash, MonthBucket,
    Pid, PseudonymEpoch, RecordId, RecordVersion, UnixMillis, UnixMinute,
};

use crate::input::Input;

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::from_seed(&[7; 32]))
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 6 {
        0 => signed(&mut input),
        1 => strangers(input.rest()),
        2 => stored_rules(input.rest()),
        3 => directories(input.rest()),
        4 => actors(input.rest()),
        _ => decided(&mut input),
    }
}

fn capability(input: &mut Input<'_>) -> Capability {
    let record = |input: &mut Input<'_>| RecordGrant {
        record: RecordId::from_bytes(input.few()),
        version: RecordVersion::new(1 + u32::from(input.byte())).expect("it is not 0"),
    };
    Capability {
        id: CapabilityId::from_bytes(input.few()),
        pid: Pid::from_bytes(input.few()),
        institution: InstTag::from_bytes(input.few()),
        classes: (0..input.byte() % 80).map(|_| ClassTag::from_bytes(input.few())).collect(),
        period: Period { from: MonthBucket::from_raw(input.u16()), to: MonthBucket::from_raw(input.u16()) },
        scope: Scope::from_bits(u32::from(input.byte() % 32)).expect("five bits are known"),
        purpose: Purpose::from_raw(1 + u32::from(input.byte() % 5)).expect("there are five"),
        issued: UnixMillis(input.u64()),
        expires: UnixMillis(input.u64()),
        gateway: KeyHash::from_bytes([input.byte() % 2; 32]),
        stub: Bytes::from(vec![1; usize::from(input.u16() % 1_100)]),
        records: (0..input.byte() % 80).map(|_| record(input)).collect(),
    }
}

fn signed(input: &mut Input<'_>) {
    let capability = capability(input);
    let Ok(signed) = capability.sign(key()) else {
        assert!(capability.classes.len() > 64 || capability.records.len() > 64 || capability.stub.len() > 1_024);
        return;
    };
    assert!(signed.body.len() <= CAPABILITY_MAX_BYTES);
    let keys = [SigningKey::from_seed(&[8; 32]).verifying_key(), key().verifying_key()];
    assert_eq!(signed.verify(&keys).as_ref(), Ok(&capability), "another capability comes out");
    assert!(signed.verify(&keys[..1]).is_err(), "a stranger's key verifies");
    admits(&capability, input);
    let mut body = signed.body.to_vec();
    let (at, bit) = (input.below(body.len()), input.byte() % 8);
    body[at] ^= 1 << bit;
    let tampered = SignedCapability { body: Bytes::from(body), signature: signed.signature };
    assert!(tampered.verify(&keys).is_err(), "a changed body verifies");
    let mut signature = signed.signature;
    signature[input.below(64)] ^= 1 << bit;
    assert!(SignedCapability { body: signed.body, signature }.verify(&keys).is_err(), "a changed signature verifies");
}

fn admits(capability: &Capability, input: &mut Input<'_>) {
    let (presenter, now) = (KeyHash::from_bytes([input.byte() % 2; 32]), UnixMillis(input.u64()));
    let needed = *input.pick(&[Scope::READ, Scope::WRITE, Scope::DELETE, Scope::RULES, Scope::AUDIT]);
    let outcome = capability.admits(&presenter, now, needed);
    let good = capability.gateway == presenter
        && now < capability.expires
        && capability.issued.0 <= now.0.saturating_add(Capability::ISSUE_LEEWAY_MILLIS)
        && capability.scope.bits() & needed.bits() == needed.bits();
    assert_eq!(outcome.is_ok(), good, "{outcome:?}");
    if presenter != capability.gateway {
        assert_eq!(outcome, Err(CapabilityRefusal::OtherGateway));
    }
}

/// Bytes of anyone, with a signature of anyone.
fn strangers(bytes: &[u8]) {
    let Some((signature, body)) = bytes.split_first_chunk::<64>() else { return };
    let capability = SignedCapability { body: Bytes::copy_from_slice(body), signature: *signature };
    assert!(capability.verify(&[key().verifying_key()]).is_err(), "a forgery verifies");
}

fn stored_rules(bytes: &[u8]) {
    let Ok(rules) = RuleSet::decode(bytes) else { return };
    assert!(RuleSet::decode(&rules.encode()).is_ok_and(|again| again == rules));
}

fn statement_key() -> StatementKey {
    StatementKey::from_seed(&[9; 32])
}

fn directories(bytes: &[u8]) {
    let directory = SignedDirectory::from_bytes(Bytes::copy_from_slice(bytes));
    let officers = Officers::new(1, vec![SigningKey::from_seed(&[8; 32]).verifying_key()]).expect("one officer");
    assert!(directory.verify(&officers).is_err(), "a stranger makes a directory");
    let Ok(read) = directory.read_unverified() else { return };
    let again = SignedDirectory::unsigned(&read).expect("it was no longer");
    assert!(again.read_unverified().is_ok_and(|again| again == read), "another directory comes out");
}

fn actors(bytes: &[u8]) {
    let actor = SignedActor::from_bytes(Bytes::copy_from_slice(bytes));
    assert!(actor.verify(&[key().verifying_key()]).is_err(), "a stranger makes an actor");
    let Ok(read) = actor.read_unverified() else { return };
    let again = read.sign(&statement_key()).expect("it was signed before");
    assert!(again.verify(&[statement_key().verifying_key()]).is_ok_and(|again| again == read));
}

/// One clinic, which is denied.
fn directory() -> Directory {
    let (cloud, cell, clinic) =
        (CloudId::from_bytes([1; 16]), CellId::from_bytes([2; 16]), InstitutionId::from_bytes([3; 16]));
    let entries = Entries {
        version: DirectoryVersion(1),
        valid_from: UnixMillis(1),
        deny_epoch: DenyEpoch(1),
        registrars: vec![key().verifying_key()],
        clouds: vec![Cloud { id: cloud, epoch: PseudonymEpoch(1), rotating: true }],
        cells: vec![Cell {
            id: cell,
            cloud,
            gateways: vec![KeyHash::from_bytes([4; 32])],
            commitments: CommitmentKey([5; 32]),
        }],
        routes: Vec::new(),
        institutions: vec![Institution {
            id: clinic,
            kind: InstitutionKind::Clinic,
            name: name_hash("clinic"),
            keys: vec![KeyHash::from_bytes([6; 32])],
            signing: vec![key().verifying_key()],
            visits: DailyVisits::new(40).expect("it is a size"),
            home: cell,
        }],
        denied: vec![Party::Institution(clinic)],
        surges: Vec::new(),
    };
    Directory::try_from(entries).expect("its parts hold together")
}

fn actor() -> Actor {
    Actor {
        audience: CloudId::from_bytes([1; 16]),
        institution: InstitutionId::from_bytes([3; 16]),
        name: "dr-1".to_owned(),
        role: LicensedRole::Physician,
        login: Login::TwoFactor,
        session: [4; 16],
        response_key: Some([5; 32]),
        issued: UnixMinute(1),
        expires: UnixMinute(2),
    }
}

fn effect(deny: bool) -> Effect {
    if deny { Effect::Deny } else { Effect::Allow }
}

fn decided(input: &mut Input<'_>) {
    let default = effect(input.flag());
    let count = input.byte() % 8;
    let mut rules: Vec<_> = (0..count)
        .map(|_| Rule {
            effect: effect(input.flag()),
            target: match input.byte() % 3 {
                0 => Target::Every,
                1 => Target::Class(ClassTag::from_bytes([input.byte() % 2; 16])),
                _ => Target::Record(RecordId::from_bytes([input.byte() % 2; 16])),
            },
            subject: match input.byte() % 3 {
                0 => Subject::Every,
                institution => Subject::Institution(InstTag::from_bytes([institution; 16])),
            },
            until: input.flag().then(|| UnixMillis(u64::from(input.byte() % 4))),
        })
        .collect();
    let (record, class) = (RecordId::from_bytes([input.byte() % 2; 16]), ClassTag::from_bytes([input.byte() % 2; 16]));
    let (institution, now) = (InstTag::from_bytes([1 + input.byte() % 2; 16]), UnixMillis(u64::from(input.byte() % 4)));
    let speaks = |rule: &&Rule| {
        let target = match rule.target {
            Target::Every => true,
            Target::Class(tag) => tag == class,
            Target::Record(id) => id == record,
        };
        let subject = matches!(rule.subject, Subject::Every) || rule.subject == Subject::Institution(institution);
        target && subject && rule.until.is_none_or(|until| now < until)
    };
    let spoken: Vec<Effect> = rules.iter().filter(speaks).map(|rule| rule.effect).collect();
    let expected = match &spoken[..] {
        [] => default,
        all if all.contains(&Effect::Deny) => Effect::Deny,
        _ => Effect::Allow,
    };
    let decide = |rules: &[Rule]| {
        let set = RuleSet::new(default, rules.to_vec()).expect("a few rules");
        let stored = RuleSet::decode(&set.encode()).expect("what was written reads");
        assert!(stored == set);
        set.decide(record, class, institution, now)
    };
    assert_eq!(decide(&rules), expected);
    rules.reverse();
    assert_eq!(decide(&rules), expected, "the order of rules decides");
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let pattern =
        |seed: u8, len: u8| -> Vec<u8> { (0..len).map(|place| place.wrapping_mul(13).wrapping_add(seed)).collect() };
    let mut seeds: Vec<_> =
        (0..8).flat_map(|seed| [0, 5].map(|kind| [vec![kind], pattern(seed, 40 + 9 * seed)].concat())).collect();
    let signed = capability(&mut Input::new(&pattern(1, 90))).sign(key()).expect("within the limits");
    seeds.push([&[1][..], &signed.signature[..], &signed.body[1..]].concat());
    let rule = Rule {
        effect: Effect::Deny,
        target: Target::Class(ClassTag::from_bytes([1; 16])),
        subject: Subject::Every,
        until: Some(UnixMillis(9)),
    };
    let rules = RuleSet::new(Effect::Allow, vec![rule; 3]).expect("three rules");
    seeds.push([&[2][..], &rules.encode()[..]].concat());
    let directory = SignedDirectory::unsigned(&directory()).and_then(|unsigned| unsigned.sign(&statement_key()));
    seeds.push([&[3][..], directory.expect("within the limits").as_bytes()].concat());
    let actor = actor().sign(&statement_key()).expect("within the limits");
    seeds.push([&[4][..], actor.as_bytes()].concat());
    seeds
}
