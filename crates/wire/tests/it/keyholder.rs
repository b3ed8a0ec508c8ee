//! Messages of the key holder's service: there and back, and refused at their edges.

use bytes::Bytes;
use prost::Message as _;
use renkei_access::{InvalidTicket, TicketRefusal};
use renkei_wire::keyholder::{HeldTicketKey, MintReply, MintRequest};
use renkei_wire::limits::KEYHOLDER_MESSAGE_MAX_BYTES;
use renkei_wire::pb::keyholder::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};

/// The generator of ristretto255 (RFC 9496, appendix A.1).
const POINT: [u8; 32] = [
    0xE2, 0xF2, 0xAE, 0x0A, 0x6A, 0xBC, 0x4E, 0x71, 0xA8, 0x84, 0xA9, 0x61, 0xC5, 0x00, 0x51, 0x5F, 0x58, 0xE3, 0x0B,
    0x6A, 0xA5, 0x82, 0xDD, 0x8D, 0xB6, 0xA6, 0x59, 0x45, 0xE0, 0x8D, 0x2D, 0x76,
];

fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn point() -> Bytes {
    Bytes::from_static(&POINT)
}

fn item() -> pb::MintItem {
    pb::MintItem { cloud: bytes(16), epoch: 1, point: point(), header_digest: bytes(32) }
}

fn mint(items: usize) -> pb::MintRequest {
    pb::MintRequest { key_day: 20_000, items: vec![item(); items] }
}

fn minted(point: Bytes, share: usize) -> pb::MintResult {
    let minted = pb::Minted { point, sealed_share: bytes(share) };
    pb::MintResult { outcome: Some(pb::mint_result::Outcome::Minted(minted)) }
}

#[test]
fn messages_read_back_and_the_largest_fits_its_codec() {
    let message = mint(64);
    assert!(message.encoded_len() <= KEYHOLDER_MESSAGE_MAX_BYTES, "{}", message.encoded_len());
    assert_eq!(pb::MintRequest::from(MintRequest::try_from(message.clone()).unwrap()), message);

    let refusal = Refusal::new(ErrorCode::BudgetExhausted).into();
    let refused = pb::MintResult { outcome: Some(pb::mint_result::Outcome::Refusal(refusal)) };
    let message = pb::MintReply { results: [vec![minted(point(), 61); 63], vec![refused]].concat() };
    assert!(message.encoded_len() <= KEYHOLDER_MESSAGE_MAX_BYTES, "{}", message.encoded_len());
    assert_eq!(pb::MintReply::from(MintReply::try_from(message.clone()).unwrap()), message);

    let message = pb::TicketKeyReply { holder: 2, key: bytes(32) };
    assert_eq!(pb::TicketKeyReply::from(HeldTicketKey::try_from(message.clone()).unwrap()), message);
}

#[test]
fn a_call_outside_its_limits_is_refused_by_field() {
    type Spoil = fn(&mut pb::MintRequest);
    let cases: [(Spoil, ErrorCode, &str); 9] = [
        (|it| it.items.clear(), ErrorCode::InvalidArgument, "items"),
        (|it| *it = mint(65), ErrorCode::TooLarge, "items"),
        (|it| it.items[0].cloud = bytes(15), ErrorCode::InvalidArgument, "items.cloud"),
        (|it| it.items[0].epoch = 0, ErrorCode::InvalidArgument, "items.epoch"),
        (|it| it.items[0].point = bytes(31), ErrorCode::InvalidArgument, "items.point"),
        (|it| it.items[0].point = bytes(32), ErrorCode::InvalidArgument, "items.point"),
        (|it| it.items[0].point = Bytes::from_static(&[0; 32]), ErrorCode::InvalidArgument, "items.point"),
        (|it| it.items[0].point = Bytes::from_static(&[0xFF; 32]), ErrorCode::InvalidArgument, "items.point"),
        (|it| it.items[0].header_digest = bytes(33), ErrorCode::InvalidArgument, "items.header_digest"),
    ];
    assert!(MintRequest::try_from(mint(1)).is_ok());
    for (spoil, code, field) in cases {
        let mut message = mint(1);
        spoil(&mut message);
        let refusal = Refusal::from(MintRequest::try_from(message).err().unwrap());
        assert_eq!((refusal.code, refusal.field.unwrap().as_str()), (code, field));
    }
}

#[test]
fn answers_that_no_key_holder_gives_are_refused() {
    let refused = |results| MintReply::try_from(pb::MintReply { results }).is_err();
    assert!(!refused(vec![minted(point(), 61)]));
    assert!(refused(vec![]));
    assert!(refused(vec![minted(point(), 61); 65]));
    assert!(refused(vec![minted(Bytes::from_static(&[0; 32]), 61)]));
    assert!(refused(vec![minted(point(), 60)]));
    assert!(refused(vec![pb::MintResult { outcome: None }]));
    assert!(HeldTicketKey::try_from(pb::TicketKeyReply { holder: 0, key: bytes(32) }).is_err());
    assert!(HeldTicketKey::try_from(pb::TicketKeyReply { holder: 1, key: bytes(31) }).is_err());
}

#[test]
fn each_reason_against_a_ticket_has_its_own_code() {
    let reasons = [
        (TicketRefusal::OtherCloud, "ticket_other_cloud"),
        (TicketRefusal::OtherInstitution, "ticket_other_institution"),
        (TicketRefusal::OtherHomeCell, "ticket_other_home_cell"),
        (TicketRefusal::OtherCell, "ticket_other_cell"),
        (TicketRefusal::OtherEpoch, "ticket_other_epoch"),
        (TicketRefusal::NotYetValid, "ticket_not_yet_valid"),
        (TicketRefusal::Expired, "ticket_expired"),
        (TicketRefusal::Evidence, "evidence_insufficient"),
        (TicketRefusal::Category, "ticket_category"),
    ];
    for (reason, code) in reasons {
        assert_eq!(Refusal::from(reason).code.name(), code);
    }
    assert_eq!(Refusal::from(InvalidTicket::Signature).code, ErrorCode::TicketInvalid);
    assert_eq!(Refusal::from(InvalidTicket::TooLong(5_000)).code, ErrorCode::TooLarge);
}

#[test]
fn nothing_shows_itself() {
    let reply = MintReply::try_from(pb::MintReply { results: vec![minted(point(), 61)] }).unwrap();
    let key = HeldTicketKey::try_from(pb::TicketKeyReply { holder: 1, key: bytes(32) }).unwrap();
    let shown = format!("{:?} {:?} {reply:?} {key:?}", mint(1), MintRequest::try_from(mint(1)).unwrap());
    assert_eq!(shown, "keyholder::v1::MintRequest(..) MintRequest(..) MintReply(..) HeldTicketKey(..)");
}
