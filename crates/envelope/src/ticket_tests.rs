//! A ticket's sealed parts open for their reader, in their ticket, and nowhere else.

use proptest::prelude::*;
use renkei_ids::{BindingId, CloudId, HeaderDigest, KeyholderId, PersonId, PersonMark, PseudonymEpoch, UnixDay};

use crate::*;

struct Fixed(u8);

impl Random for Fixed {
    fn fill(&self, into: &mut [u8]) {
        into.fill(self.0);
    }
}

const RANDOM: Fixed = Fixed(0x5A);
const DIGEST: HeaderDigest = HeaderDigest::from_bytes([1; 32]);
const OTHER: HeaderDigest = HeaderDigest::from_bytes([9; 32]);
const CLOUD: CloudId = CloudId::from_bytes([2; 16]);

fn ticket_key() -> TicketKey {
    DaySecret::from_bytes([3; 32]).ticket_key(UnixDay(20_000), CLOUD)
}

fn place() -> SharePlace {
    SharePlace { digest: DIGEST, holder: KeyholderId(1), epoch: PseudonymEpoch(1) }
}

fn claims(next: Option<[u8; 32]>) -> Claims {
    Claims {
        mark: MarkKey::from_bytes([4; 32]).mark(PersonId::from_bytes([5; 16]), CLOUD),
        binding: BindingId::from_bytes([6; 16]),
        probe: next.is_none(),
        points: (EncodedPoint::from_bytes([7; 32]), next.map(EncodedPoint::from_bytes)),
        epoch: PseudonymEpoch(8),
    }
}

fn commitments() -> Commitments {
    Commitments {
        birth_date: Some(Commitment::new(Attribute::BirthDate, "1970-01-01", &RANDOM)),
        sex: None,
        member_id: Some(Commitment::new(Attribute::MemberId, "06139877:1:2:", &RANDOM)),
    }
}

#[test]
fn a_share_opens_in_its_ticket_for_its_holder_and_epoch_only() {
    let share = EncodedShare::from_bytes([4; 32]);
    let sealed = ticket_key().seal_share(&place(), &share, &RANDOM);
    assert!(ticket_key().open_share(&place(), &sealed) == Ok(share));
    let elsewhere = [
        SharePlace { digest: OTHER, ..place() },
        SharePlace { holder: KeyholderId(2), ..place() },
        SharePlace { epoch: PseudonymEpoch(2), ..place() },
    ];
    for place in elsewhere {
        assert!(ticket_key().open_share(&place, &sealed).is_err(), "{place:?}");
    }
    let secret = DaySecret::from_bytes([3; 32]);
    let others = [
        secret.ticket_key(UnixDay(20_001), CLOUD),
        secret.ticket_key(UnixDay(20_000), CloudId::from_bytes([9; 16])),
        DaySecret::from_bytes([9; 32]).ticket_key(UnixDay(20_000), CLOUD),
    ];
    assert!(others.iter().all(|key| key.open_share(&place(), &sealed).is_err()), "another day, cloud or holder");
}

#[test]
fn claims_open_in_their_ticket_only() {
    for claims in [claims(None), claims(Some([9; 32]))] {
        let sealed = ticket_key().seal_claims(DIGEST, &claims, &RANDOM);
        assert!(ticket_key().open_claims(DIGEST, &sealed) == Ok(claims));
        assert!(ticket_key().open_claims(OTHER, &sealed).is_err());
        // A share is not taken for claims, nor the other way round.
        let form = ticket_key().seal_share(&place(), &EncodedShare::from_bytes([4; 32]), &RANDOM);
        assert_eq!(ticket_key().open_claims(DIGEST, form.as_bytes()), Err(InvalidSealed::Tag));
    }
}

#[test]
fn marks_tell_nothing_between_clouds_or_persons() {
    let key = MarkKey::from_bytes([4; 32]);
    let person = PersonId::from_bytes([5; 16]);
    let mark = key.mark(person, CLOUD);
    assert_eq!(mark, key.mark(person, CLOUD));
    let others: [PersonMark; 3] = [
        key.mark(person, CloudId::from_bytes([9; 16])),
        key.mark(PersonId::from_bytes([9; 16]), CLOUD),
        MarkKey::from_bytes([9; 32]).mark(person, CLOUD),
    ];
    assert!(!others.contains(&mark));
}

#[test]
fn a_commitment_holds_for_its_value_and_attribute_only_and_two_say_nothing_of_one_value() {
    let commitment = Commitment::new(Attribute::BirthDate, "1970-01-01", &RANDOM);
    assert!(commitment.holds(Attribute::BirthDate, "1970-01-01"));
    assert!(!commitment.holds(Attribute::BirthDate, "1970-01-02"));
    assert!(!commitment.holds(Attribute::MemberId, "1970-01-01"));
    assert!(commitment != Commitment::new(Attribute::BirthDate, "1970-01-01", &Fixed(1)));
}

#[test]
fn commitments_open_for_their_cell_in_their_ticket_only_and_have_one_length() {
    let cell = CellSecret::from_bytes([6; 32]);
    let sealed = cell.public().seal_commitments(DIGEST, &commitments(), &RANDOM).unwrap();
    assert!(cell.open_commitments(DIGEST, &sealed) == Ok(commitments()));
    assert!(cell.open_commitments(OTHER, &sealed).is_err());
    assert!(CellSecret::from_bytes([7; 32]).open_commitments(DIGEST, &sealed).is_err());
    assert_eq!(cell.open_commitments(DIGEST, &[]), Err(InvalidSealed::TooShort(0)));
    assert_eq!(cell.open_commitments(DIGEST, &[&[2], &sealed[1..]].concat()), Err(InvalidSealed::Format(2)));
    let none = cell.public().seal_commitments(DIGEST, &Commitments::default(), &RANDOM).unwrap();
    assert_eq!([sealed.len(), none.len()], [SEALED_COMMITMENTS_BYTES; 2]);
    assert!(cell.open_commitments(DIGEST, &none) == Ok(Commitments::default()));
    assert_eq!(CellKey::from_bytes([0; 32]).seal_commitments(DIGEST, &commitments(), &RANDOM), Err(InvalidCellKey));
}

#[test]
fn secrets_do_not_show_themselves() {
    let day = DaySecret::from_bytes(*b"planted-token-planted-token-3210");
    let shown = format!("{day:?} {:?} {:?}", claims(None), commitments());
    assert!(!shown.contains("112, 108") && shown.starts_with("DaySecret(..) Claims { mark: PersonMark(..)"), "{shown}");
}

/// Ticket key and mark were computed a second time with Python (hmac, hashlib) and agreed.
#[test]
fn the_forms_of_version_1_stay() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let cell = CellSecret::from_bytes([6; 32]);
    let share = EncodedShare::from_bytes([4; 32]);
    let forms: Vec<(&str, Vec<u8>)> = vec![
        ("ticket key", ticket_key().expose().to_vec()),
        ("share", ticket_key().seal_share(&place(), &share, &RANDOM).as_bytes().to_vec()),
        ("claims", ticket_key().seal_claims(DIGEST, &claims(None), &RANDOM).to_vec()),
        ("claims, two epochs", ticket_key().seal_claims(DIGEST, &claims(Some([9; 32])), &RANDOM).to_vec()),
        ("mark", claims(None).mark.as_bytes().to_vec()),
        ("cell key", cell.public().as_bytes().to_vec()),
        ("commitments", cell.public().seal_commitments(DIGEST, &commitments(), &RANDOM).unwrap().to_vec()),
    ];
    let text: String = forms.iter().map(|(name, bytes)| format!("{name}: {}\n", hex(bytes))).collect();
    assert!(text == include_str!("../tests/fixtures/ticket-v1.txt"), "a form has changed:\n{text}");
}

proptest! {
    #[test]
    fn no_bytes_open_or_panic(bytes in prop::collection::vec(any::<u8>(), 0..250)) {
        prop_assert!(ticket_key().open_claims(DIGEST, &bytes).is_err());
        prop_assert!(CellSecret::from_bytes([6; 32]).open_commitments(DIGEST, &bytes).is_err());
    }

    #[test]
    fn one_changed_bit_closes_commitments(at: prop::sample::Index, bit in 0..8_u8) {
        let cell = CellSecret::from_bytes([6; 32]);
        let mut sealed = cell.public().seal_commitments(DIGEST, &commitments(), &RANDOM).unwrap().to_vec();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(cell.open_commitments(DIGEST, &sealed).is_err());
    }
}
