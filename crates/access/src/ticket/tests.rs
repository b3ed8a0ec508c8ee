use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ConsentCategory;

fn registrar() -> StatementKey {
    StatementKey::from_seed(&[7; 32])
}

fn keys() -> [VerifyingKey; 1] {
    [registrar().verifying_key()]
}

fn header() -> TicketHeader {
    let categories = [ConsentCategory::CareAndDrugs, ConsentCategory::Documents];
    TicketHeader {
        id: TicketId::from_bytes([1; 16]),
        salt: [2; 16],
        audience: CloudId::from_bytes([3; 16]),
        institution: InstitutionId::from_bytes([4; 16]),
        home_cell: CellId::from_bytes([5; 16]),
        serving_cell: CellId::from_bytes([6; 16]),
        epoch: PseudonymEpoch(7),
        rotating: false,
        purpose: Purpose::Care,
        categories: categories.into_iter().try_fold(ConsentSet::NONE, ConsentSet::with).unwrap(),
        evidence: Evidence::Card,
        consent_text: Some(ConsentText(2)),
        issued: UnixMinute(29_900_000),
        expires: UnixMinute(29_900_010),
    }
}

fn sealed(header: &TicketHeader, holders: u32) -> SealedParts {
    let share = |epoch, holder| SealedShare { epoch, holder: KeyholderId(holder), sealed: vec![8; 61].into() };
    SealedParts {
        shares: header.epochs().flat_map(|epoch| (1..=holders).map(move |holder| share(epoch, holder))).collect(),
        claims: vec![9; 120].into(),
        commitments: vec![10; 194].into(),
    }
}

fn signed(header: &TicketHeader) -> SignedTicket {
    TicketDraft::new(header.clone()).unwrap().sign(&sealed(header, 2), &registrar()).unwrap()
}

fn only(category: ConsentCategory) -> ConsentSet {
    ConsentSet::NONE.with(category).unwrap()
}

fn presented() -> Presented {
    let TicketHeader { audience, institution, home_cell, serving_cell, epoch, .. } = header();
    let categories = only(ConsentCategory::Documents);
    let (cloud, cell, scope, denied) = (audience, serving_cell, Scope::READ, false);
    Presented { cloud, epoch, institution, home_cell, cell, denied, scope, categories }
}

/// A moment so many milliseconds after the ticket was issued.
fn after(millis: i64) -> UnixMillis {
    UnixMillis(header().issued.begins().0.saturating_add_signed(millis))
}

fn arb_header() -> impl Strategy<Value = TicketHeader> {
    let ids = (any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 16]>(), any::<[u8; 16]>());
    let numbers = (1..u32::MAX, any::<bool>(), 1_u32..6, 0_u32..32, 1_u32..7, any::<Option<u32>>());
    let times = (any::<[u8; 16]>(), 0_u32..=u32::MAX - TICKET_MAX_MINUTES, 1..=TICKET_MAX_MINUTES);
    (ids, numbers, times).prop_map(|((id, salt, audience, institution, home), numbers, (serving, issued, life))| {
        let (epoch, rotating, purpose, categories, evidence, text) = numbers;
        TicketHeader {
            id: TicketId::from_bytes(id),
            salt,
            audience: CloudId::from_bytes(audience),
            institution: InstitutionId::from_bytes(institution),
            home_cell: CellId::from_bytes(home),
            serving_cell: CellId::from_bytes(serving),
            epoch: PseudonymEpoch(epoch),
            rotating,
            purpose: Purpose::from_raw(purpose).unwrap(),
            categories: ConsentSet::from_bits(categories).unwrap(),
            evidence: Evidence::from_raw(evidence).unwrap(),
            consent_text: text.map(ConsentText),
            issued: UnixMinute(issued),
            expires: UnixMinute(issued + life),
        }
    })
}

proptest! {
    #[test]
    fn what_was_signed_is_what_is_read(header in arb_header(), holders in 1_u32..=8) {
        let draft = TicketDraft::new(header.clone()).unwrap();
        let sealed = sealed(&header, holders);
        let ticket = draft.sign(&sealed, &registrar()).unwrap().verify(&keys()).unwrap();
        prop_assert_eq!(ticket, Ticket { digest: draft.digest(), header, sealed });
    }

    #[test]
    fn one_changed_bit_is_a_forgery(at: prop::sample::Index, bit in 0..8_u8) {
        let mut bytes = signed(&header()).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(SignedTicket::from_bytes(bytes.into()).verify(&keys()), Err(InvalidTicket::Signature));
    }

    #[test]
    fn foreign_bytes_never_panic(body in vec(any::<u8>(), 0..400)) {
        // Signed by the registrar itself, so that the decoder behind the signature is reached.
        let Signed { body, signature } = registrar().sign(Statement::Ticket, body.into());
        let _ = SignedTicket::from_bytes([&body[..], &signature].concat().into()).verify(&keys());
    }

    #[test]
    fn two_headers_never_share_a_digest(one in arb_header(), other in arb_header()) {
        let digest = |header: &TicketHeader| TicketDraft::new(header.clone()).unwrap().digest();
        prop_assert_eq!(one == other, digest(&one) == digest(&other));
        let (own, salt) = (digest(&one), one.salt);
        let resalted = TicketHeader { salt: other.salt, ..one };
        prop_assert_eq!(salt == other.salt, own == digest(&resalted));
    }
}

#[test]
fn each_reason_against_has_its_own_refusal() {
    let ticket = signed(&header()).verify(&keys()).unwrap();
    let judge = |by: Presented| ticket.header.admits(&by, after(0));
    let cell = CellId::from_bytes([99; 16]);
    assert_eq!(judge(presented()), Ok(()));
    let cases = [
        (Presented { cloud: CloudId::from_bytes([99; 16]), ..presented() }, TicketRefusal::OtherCloud),
        // Another certificate than the one it was given to: of an institution, of its cell, of the cell that serves.
        (
            Presented { institution: InstitutionId::from_bytes([99; 16]), ..presented() },
            TicketRefusal::OtherInstitution,
        ),
        (Presented { home_cell: cell, ..presented() }, TicketRefusal::OtherHomeCell),
        (Presented { cell, ..presented() }, TicketRefusal::OtherCell),
        (Presented { epoch: PseudonymEpoch(6), ..presented() }, TicketRefusal::OtherEpoch),
        (Presented { epoch: PseudonymEpoch(8), ..presented() }, TicketRefusal::OtherEpoch),
        (Presented { denied: true, ..presented() }, TicketRefusal::Denied),
        (Presented { scope: Scope::RULES, ..presented() }, TicketRefusal::Evidence),
        (Presented { categories: only(ConsentCategory::Surgery), ..presented() }, TicketRefusal::Category),
    ];
    for (by, refusal) in cases {
        assert_eq!(judge(by), Err(refusal));
    }
}

#[test]
fn without_consent_to_a_category_it_reads_nothing() {
    let none = TicketHeader { categories: ConsentSet::NONE, ..header() };
    assert!(header().scope().allows(Scope::READ.with(Scope::WRITE)));
    assert!(!none.scope().allows(Scope::READ) && none.scope().allows(Scope::WRITE));
}

#[test]
fn it_is_taken_until_its_end_and_no_millisecond_longer() {
    let ticket = signed(&header()).verify(&keys()).unwrap();
    let at = |millis| ticket.header.admits(&presented(), after(millis));
    assert_eq!(at(-60_001), Err(TicketRefusal::NotYetValid));
    assert_eq!(at(-60_000), Ok(()));
    assert_eq!(at(599_999), Ok(()));
    assert_eq!(at(600_000), Err(TicketRefusal::Expired));
    assert_eq!(at(601_000), Err(TicketRefusal::Expired), "one second past the end");
}

#[test]
fn while_keys_are_rotated_it_serves_under_both_epochs() {
    let header = TicketHeader { rotating: true, ..header() };
    let ticket = signed(&header).verify(&keys()).unwrap();
    let under = |epoch| {
        let by = Presented { epoch: PseudonymEpoch(epoch), ..presented() };
        ticket.header.admits(&by, after(0))
    };
    assert_eq!([6, 7, 8, 9].map(|epoch| under(epoch).is_ok()), [false, true, true, false]);
    assert_eq!(ticket.sealed.shares.len(), 4);
}

#[test]
fn a_ticket_of_nobodys_registrar_is_refused() {
    let draft = TicketDraft::new(header()).unwrap();
    let forged = draft.sign(&sealed(&header(), 2), &StatementKey::from_seed(&[8; 32])).unwrap();
    assert_eq!(forged.verify(&keys()), Err(InvalidTicket::Signature));
    assert_eq!(signed(&header()).verify(&[]), Err(InvalidTicket::Signature));
    // What the registrar signed as something else is no ticket.
    let body = signed(&header()).as_bytes().clone();
    let body = body.slice(..body.len() - SIGNATURE);
    let Signed { body, signature } = registrar().sign(Statement::Registration, body);
    let other = SignedTicket::from_bytes([&body[..], &signature].concat().into());
    assert_eq!(other.verify(&keys()), Err(InvalidTicket::Signature));
}

#[test]
fn forms_that_no_ticket_has_are_refused() {
    let drafted = |header: TicketHeader| TicketDraft::new(header).map(|_| ()).unwrap_err();
    let UnixMinute(issued) = header().issued;
    let until = |minute| TicketHeader { expires: UnixMinute(minute), ..header() };
    assert_eq!(drafted(until(issued)), InvalidTicket::Life(0));
    assert_eq!(drafted(until(issued - 1)), InvalidTicket::Life(-1));
    assert_eq!(drafted(until(issued + TICKET_MAX_MINUTES + 1)), InvalidTicket::Life(61));
    assert_eq!(drafted(TicketHeader { epoch: PseudonymEpoch(0), ..header() }), InvalidTicket::Malformed("epoch"));

    let resigned = |bytes: Vec<u8>| {
        let Signed { body, signature } = registrar().sign(Statement::Ticket, bytes.into());
        SignedTicket::from_bytes([&body[..], &signature].concat().into()).verify(&keys()).unwrap_err()
    };
    assert_eq!(resigned(vec![9]), InvalidTicket::Format(9));
    assert_eq!(resigned(vec![]), InvalidTicket::TooShort(64));
    assert_eq!(SignedTicket::from_bytes(vec![0; 63].into()).verify(&keys()), Err(InvalidTicket::TooShort(63)));
    assert_eq!(SignedTicket::from_bytes(vec![0; 4_097].into()).verify(&keys()), Err(InvalidTicket::TooLong(4_097)));
    let with = |change: fn(&mut format::Header)| {
        let mut message = format::Header::from(&header());
        change(&mut message);
        let body = format::body(message.encode_to_vec().into(), &sealed(&header(), 2));
        resigned([vec![VERSION], body.encode_to_vec()].concat())
    };
    assert_eq!(with(|header| header.purpose = 6), InvalidTicket::Malformed("purpose"));
    assert_eq!(with(|header| header.evidence = 0), InvalidTicket::Malformed("evidence"));
    assert_eq!(with(|header| header.categories = 32), InvalidTicket::Malformed("categories"));
    assert_eq!(with(|header| header.id = Bytes::new()), InvalidTicket::Malformed("id"));
}

#[test]
fn shares_are_there_for_each_epoch_from_the_same_holders_and_each_once() {
    let rotating = TicketHeader { rotating: true, ..header() };
    let sign = |header: &TicketHeader, sealed: &SealedParts| {
        TicketDraft::new(header.clone()).unwrap().sign(sealed, &registrar()).map(|_| ())
    };
    let shares = Err(InvalidTicket::Limit("list of shares"));
    for holders in [1, 8] {
        assert_eq!(sign(&rotating, &sealed(&rotating, holders)), Ok(()));
    }
    for holders in [0, 9] {
        assert_eq!(sign(&header(), &sealed(&header(), holders)), shares);
    }
    assert_eq!(sign(&rotating, &sealed(&header(), 2)), shares, "none of the second epoch");
    assert_eq!(sign(&header(), &sealed(&rotating, 2)), shares, "some of an epoch that it does not name");
    let mut twice = sealed(&header(), 2);
    twice.shares[1].holder = KeyholderId(1);
    assert_eq!(sign(&header(), &twice), shares);

    let limit = Err(InvalidTicket::Limit("sealed part"));
    let claims = |len: usize| SealedParts { claims: vec![1; len].into(), ..sealed(&header(), 2) };
    assert_eq!(sign(&header(), &claims(SEALED_PART_MAX_BYTES)), Ok(()));
    assert_eq!([0, SEALED_PART_MAX_BYTES + 1].map(|len| sign(&header(), &claims(len))), [limit, limit]);
}

#[test]
fn format_one_stays_readable() {
    // Made by the first build that wrote this format.
    let plain = TicketHeader { consent_text: None, categories: ConsentSet::NONE, ..header() };
    let rotating = TicketHeader { rotating: true, ..header() };
    let fixtures: [(_, &[u8]); 2] = [
        (plain, include_bytes!("../../tests/fixtures/ticket-v1-plain.bin")),
        (rotating, include_bytes!("../../tests/fixtures/ticket-v1.bin")),
    ];
    for (header, bytes) in fixtures {
        assert_eq!(signed(&header).as_bytes()[..], bytes[..]);
        let ticket = SignedTicket::from_bytes(Bytes::from_static(bytes)).verify(&keys()).unwrap();
        assert_eq!((&ticket.header, &ticket.sealed), (&header, &sealed(&header, 2)));
    }
}

#[test]
fn a_ticket_does_not_show_itself() {
    assert_eq!(format!("{:?}", signed(&header())), "SignedTicket(..)");
}
