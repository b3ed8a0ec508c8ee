use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::{ConsentCategory, Evidence, Purpose};

const HERE: CloudId = CloudId::from_bytes([1; 16]);
const CLINIC: InstitutionId = InstitutionId::from_bytes([2; 16]);

fn clinic() -> StatementKey {
    StatementKey::from_seed(&[3; 32])
}

fn keys() -> [VerifyingKey; 1] {
    [clinic().verifying_key()]
}

fn actor() -> Actor {
    Actor {
        audience: HERE,
        institution: CLINIC,
        name: "dr-1".to_owned(),
        role: LicensedRole::Physician,
        login: Login::TwoFactor,
        session: [4; 16],
        response_key: Some([5; 32]),
        issued: UnixMinute(29_900_000),
        expires: UnixMinute(29_900_000 + ACTOR_MAX_MINUTES),
    }
}

fn signed(actor: &Actor) -> SignedActor {
    actor.sign(&clinic()).unwrap()
}

fn arb_actor() -> impl Strategy<Value = Actor> {
    let who = (any::<[u8; 16]>(), any::<[u8; 16]>(), "\\PC{1,16}", select(LicensedRole::EVERY.to_vec()));
    let how = (1..=3_u32, any::<[u8; 16]>(), any::<Option<[u8; 32]>>());
    (who, how, 0..=u32::MAX - ACTOR_MAX_MINUTES, 1..=STEP_UP_MAX_MINUTES).prop_map(
        |((audience, institution, name, role), (login, session, response_key), issued, life)| Actor {
            audience: CloudId::from_bytes(audience),
            institution: InstitutionId::from_bytes(institution),
            name,
            role,
            login: Login::from_raw(login).unwrap(),
            session,
            response_key,
            issued: UnixMinute(issued),
            expires: UnixMinute(issued + life),
        },
    )
}

proptest! {
    #[test]
    fn what_was_signed_is_what_is_read(actor in arb_actor()) {
        let signed = signed(&actor);
        prop_assert_eq!(signed.verify(&keys()), Ok(actor.clone()));
        prop_assert_eq!(signed.read_unverified(), Ok(actor));
    }

    #[test]
    fn one_changed_bit_is_a_forgery(at: prop::sample::Index, bit in 0..8_u8) {
        let mut bytes = signed(&actor()).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(SignedActor::from_bytes(bytes.into()).verify(&keys()), Err(InvalidActor::Signature));
    }

    #[test]
    fn foreign_bytes_never_panic(body in vec(any::<u8>(), 0..300), raw in vec(any::<u8>(), 0..600)) {
        // Signed by the institution itself, so that the decoder behind the signature is reached.
        let resigned = resigned([&[1], &body[..]].concat());
        prop_assert!(resigned.verify(&keys()) != Err(InvalidActor::Signature));
        let raw = SignedActor::from_bytes(raw.into());
        let _ = (raw.verify(&keys()), raw.read_unverified());
    }

    #[test]
    fn an_act_is_allowed_as_the_written_table_says(
        role in select(LicensedRole::EVERY.to_vec()),
        deed in select(DEEDS.to_vec()),
        category in select([vec![None], ConsentCategory::EVERY.map(Some).to_vec()].concat()),
        purpose in (1..=5_u32).prop_map(|raw| Purpose::from_raw(raw).unwrap()),
        evidence in (0..=6_u32).prop_map(Evidence::from_raw),
        login in (1..=3_u32).prop_map(|raw| Login::from_raw(raw).unwrap()),
    ) {
        let act = Act { deed, category, purpose, evidence };
        let judged = Actor { role, login, ..actor() }.may(&act);
        let stepped = login == Login::StepUp;
        let steep = purpose == Purpose::Emergency
            || evidence == Some(Evidence::FourItem)
            || evidence == Some(Evidence::Unconscious)
            || [Deed::BulkEligibility, Deed::BulkPut, Deed::Delete].contains(&deed);
        let expected = match (written(role, deed, category), steep && !stepped) {
            (false, _) => Err(ActorRefusal::Role),
            (true, true) => Err(ActorRefusal::StepUp),
            (true, false) => Ok(()),
        };
        prop_assert_eq!(judged, expected);
    }
}

const DEEDS: [Deed; 8] = [
    Deed::Eligibility,
    Deed::BulkEligibility,
    Deed::CheckIn,
    Deed::ListAudit,
    Deed::Read,
    Deed::Put,
    Deed::BulkPut,
    Deed::Delete,
];

/// The table once more, as words: role, then what it does to no record, then to each category in their order.
const WRITTEN: &str = "
    physician   ebca  rpmd rpmd rpmd rpmd rpmd
    dentist     ebca  rpmd r    r    r    rpmd
    pharmacist  ebca  rpmd -    r    r    -
    nurse       ebca  r    r    rpm  rpm  r
    clerk       ec    -    -    -    -    -
    patient     ca    r    r    r    r    r
";

fn written(role: LicensedRole, deed: Deed, category: Option<ConsentCategory>) -> bool {
    let letter = match deed {
        Deed::Eligibility => 'e',
        Deed::BulkEligibility => 'b',
        Deed::CheckIn => 'c',
        Deed::ListAudit => 'a',
        Deed::Read => 'r',
        Deed::Put => 'p',
        Deed::BulkPut => 'm',
        Deed::Delete => 'd',
    };
    let place = category.map_or(1, |category| category as usize + 1);
    let words = |line: &'static str| line.split_whitespace().collect::<Vec<_>>();
    let row = WRITTEN.lines().map(words).find(|row| row.first() == Some(&role.as_str())).unwrap();
    row[place].contains(letter)
}

fn resigned(body: Vec<u8>) -> SignedActor {
    let Signed { body, signature } = clinic().sign(Statement::Actor, body.into());
    SignedActor::from_bytes([&body[..], &signature].concat().into())
}

#[test]
fn a_clerk_gets_no_record_whatever_the_login() {
    for category in ConsentCategory::EVERY {
        for deed in DEEDS {
            assert!(!LicensedRole::Clerk.may(deed, Some(category)), "{deed:?}");
        }
    }
}

#[test]
fn it_is_taken_by_its_cloud_of_its_institution_from_issue_to_end() {
    let actor = actor();
    let at = |millis: i64| UnixMillis(actor.issued.begins().0.saturating_add_signed(millis));
    let end = i64::from(ACTOR_MAX_MINUTES) * 60_000;
    let judge = |millis| actor.admits(HERE, CLINIC, at(millis));
    assert_eq!([judge(-60_000), judge(end - 1)], [Ok(()), Ok(())]);
    assert_eq!(judge(-60_001), Err(ActorRefusal::NotYetValid));
    assert_eq!(judge(end), Err(ActorRefusal::Expired));
    let elsewhere = CloudId::from_bytes([9; 16]);
    assert_eq!(actor.admits(elsewhere, CLINIC, at(0)), Err(ActorRefusal::OtherCloud));
    let other = InstitutionId::from_bytes([9; 16]);
    assert_eq!(actor.admits(HERE, other, at(0)), Err(ActorRefusal::OtherInstitution));
    assert_eq!(signed(&actor).verify(&[]), Err(InvalidActor::Signature));
}

#[test]
fn forms_that_no_actor_has_are_refused() {
    let sign = |actor: Actor| actor.sign(&clinic()).map(|_| ());
    let until = |minutes: u32, login| {
        let UnixMinute(issued) = actor().issued;
        sign(Actor { login, expires: UnixMinute(issued + minutes), ..actor() })
    };
    for (login, most) in [(Login::Password, ACTOR_MAX_MINUTES), (Login::StepUp, STEP_UP_MAX_MINUTES)] {
        assert_eq!([until(1, login), until(most, login)], [Ok(()), Ok(())]);
        assert_eq!(until(0, login), Err(InvalidActor::Life(0)));
        assert_eq!(until(most + 1, login), Err(InvalidActor::Life(i64::from(most) + 1)));
    }
    let named = |len: usize| sign(Actor { name: "x".repeat(len), ..actor() });
    assert_eq!([named(1), named(ACTOR_NAME_MAX_BYTES)], [Ok(()), Ok(())]);
    assert_eq!([named(0), named(ACTOR_NAME_MAX_BYTES + 1)], [Err(InvalidActor::Malformed("name")); 2]);
    let longest = Actor { name: "x".repeat(ACTOR_NAME_MAX_BYTES), ..actor() };
    assert!(signed(&longest).as_bytes().len() <= ACTOR_MAX_BYTES);

    let verify = |bytes: Vec<u8>| SignedActor::from_bytes(bytes.into()).verify(&keys());
    assert_eq!(verify(vec![0; 63]), Err(InvalidActor::TooShort(63)));
    assert_eq!(verify(vec![0; ACTOR_MAX_BYTES + 1]), Err(InvalidActor::TooLong(ACTOR_MAX_BYTES + 1)));
    assert_eq!(resigned(vec![]).verify(&keys()), Err(InvalidActor::TooShort(64)));
    assert_eq!(resigned(vec![9]).verify(&keys()), Err(InvalidActor::Format(9)));
    let with = |change: fn(&mut format::Actor)| {
        let mut message = format::Actor::from(&actor());
        change(&mut message);
        resigned([vec![1], message.encode_to_vec()].concat()).verify(&keys())
    };
    assert_eq!(with(|message| message.role = 7), Err(InvalidActor::Malformed("role")));
    assert_eq!(with(|message| message.login = 0), Err(InvalidActor::Malformed("login")));
}

#[test]
fn an_actor_does_not_show_itself() {
    assert_eq!(format!("{:?} {:?}", actor(), signed(&actor())), "Actor(..) SignedActor(..)");
}

#[test]
fn format_one_stays_readable() {
    // Made by the first build that wrote this format.
    let bytes = include_bytes!("../../tests/fixtures/actor-v1.bin");
    assert_eq!(signed(&actor()).as_bytes()[..], bytes[..]);
    assert_eq!(SignedActor::from_bytes(Bytes::from_static(bytes)).verify(&keys()), Ok(actor()));
}
