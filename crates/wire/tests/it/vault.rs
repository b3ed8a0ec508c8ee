//! Messages of the vault's service: there and back, and refused at their edges.

use bytes::Bytes;
use prost::Message as _;
use renkei_wire::limits::{OPENING_MAX_BYTES, VAULT_MAX_ITEMS, VAULT_MAX_STUBS, VAULT_MESSAGE_MAX_BYTES};
use renkei_wire::pb::node::v1::SignedCapability;
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{
    Batch, DeleteGrant, DeleteItem, InsecureOpening, OpenStubsReply, OpenStubsRequest, Opened, PutGrant, PutItem,
    Results, TicketOpening,
};
use renkei_wire::{ErrorCode, Refusal};

fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn class(category: i32, part: i32) -> pb::Class {
    pb::Class { category, part }
}

fn every_class() -> Vec<pb::Class> {
    (1..=3).flat_map(|category| [class(category, 1), class(category, 2)]).collect()
}

fn opening() -> pb::InsecureOpening {
    pb::InsecureOpening {
        pseudonym: bytes(32),
        institution: bytes(16),
        purpose: 1,
        evidence: 1,
        classes: every_class(),
        from_month: 2000 * 12,
        to_month: 2031 * 12 + 11,
        read: true,
        write: false,
        delete: false,
        audit: true,
    }
}

fn open(items: Vec<pb::InsecureOpening>) -> pb::OpenInsecureRequest {
    pb::OpenInsecureRequest { request_id: bytes(16), deadline_ms: 1_000, items }
}

fn capability() -> Option<SignedCapability> {
    Some(SignedCapability { body: bytes(600), signature: bytes(64) })
}

fn opened() -> pb::Opened {
    let keys = (2000..2032).map(|year| pb::YearKey { year, key: bytes(32) });
    let grant = |class| pb::ClassGrant { class: Some(class), tag: bytes(16), keys: keys.clone().collect() };
    pb::Opened {
        pid: bytes(16),
        capability: capability(),
        classes: every_class().into_iter().map(grant).collect(),
        institution_tag: bytes(16),
        binding_tag: bytes(16),
        stub_key: bytes(32),
        reference_key: bytes(32),
        opening: bytes(OPENING_MAX_BYTES),
        expires_ms: 9,
    }
}

fn open_reply(opened: pb::Opened, count: usize) -> pb::OpenReply {
    let result = pb::OpenResult { outcome: Some(pb::open_result::Outcome::Opened(opened)) };
    pb::OpenReply { results: vec![result; count] }
}

fn put(replaces: Option<pb::Replaced>) -> pb::PutItem {
    pb::PutItem { opening: bytes(153), category: 2, month: 24_000, replaces }
}

/// The code and the field of a refused call; `None` for one that is taken.
fn judge(message: pb::OpenInsecureRequest) -> Option<(ErrorCode, String)> {
    let refusal = Refusal::from(Batch::<InsecureOpening>::try_from(message).err()?);
    Some((refusal.code, refusal.field.expect("these refusals name one").as_str().to_owned()))
}

fn by_ticket() -> pb::TicketOpening {
    pb::TicketOpening {
        ticket: bytes(4_096),
        institution: bytes(16),
        home_cell: bytes(16),
        reads: every_class(),
        from_month: 2000 * 12,
        to_month: 2031 * 12 + 11,
        write: true,
        delete: false,
        audit: true,
    }
}

fn tickets(items: Vec<pb::TicketOpening>) -> pb::OpenTicketsRequest {
    pb::OpenTicketsRequest { request_id: bytes(16), deadline_ms: 1_000, items }
}

#[test]
fn openings_by_ticket_read_back_and_are_refused_by_field() {
    let message = tickets(vec![by_ticket(); VAULT_MAX_ITEMS]);
    assert!(message.encoded_len() <= VAULT_MESSAGE_MAX_BYTES);
    assert_eq!(pb::OpenTicketsRequest::from(Batch::<TicketOpening>::try_from(message.clone()).unwrap()), message);
    let write_only = pb::TicketOpening { reads: Vec::new(), audit: false, ..by_ticket() };
    assert!(Batch::<TicketOpening>::try_from(tickets(vec![write_only])).is_ok());
    type Spoil = fn(&mut pb::TicketOpening);
    let cases: [(Spoil, ErrorCode, &str); 9] = [
        (|it| it.ticket.clear(), ErrorCode::InvalidArgument, "items.ticket"),
        (|it| it.ticket = bytes(4_097), ErrorCode::TooLarge, "items.ticket"),
        (|it| it.institution = bytes(15), ErrorCode::InvalidArgument, "items.institution"),
        (|it| it.home_cell = bytes(17), ErrorCode::InvalidArgument, "items.home_cell"),
        (|it| it.reads[1] = class(1, 1), ErrorCode::InvalidArgument, "items.reads"),
        (|it| it.reads.push(class(1, 1)), ErrorCode::TooLarge, "items.reads"),
        (|it| it.reads[0] = class(4, 1), ErrorCode::InvalidArgument, "items.reads"),
        (|it| it.to_month += 1, ErrorCode::InvalidArgument, "items.to_month"),
        (|it| (it.reads, it.write, it.audit) = (Vec::new(), false, false), ErrorCode::InvalidArgument, "items.write"),
    ];
    for (spoil, code, field) in cases {
        let mut item = by_ticket();
        spoil(&mut item);
        let refusal = Refusal::from(Batch::<TicketOpening>::try_from(tickets(vec![item])).err().unwrap());
        assert_eq!((refusal.code, refusal.field.unwrap().as_str()), (code, field));
    }
}

#[test]
fn requests_read_back() {
    let message = open(vec![opening(); VAULT_MAX_ITEMS]);
    assert_eq!(pb::OpenInsecureRequest::from(Batch::<InsecureOpening>::try_from(message.clone()).unwrap()), message);
    let replaces = Some(pb::Replaced { record_id: bytes(16), version: 3 });
    let items = vec![put(None), put(replaces)];
    let message = pb::PutsRequest { request_id: bytes(16), deadline_ms: 60_000, items };
    assert_eq!(pb::PutsRequest::from(Batch::<PutItem>::try_from(message.clone()).unwrap()), message);
    let item = pb::DeleteItem { opening: bytes(153), record_id: bytes(16), version: 1 };
    let message = pb::DeletesRequest { request_id: bytes(16), deadline_ms: 1, items: vec![item] };
    assert_eq!(pb::DeletesRequest::from(Batch::<DeleteItem>::try_from(message.clone()).unwrap()), message);
    let stub = pb::SealedStub { capability_id: bytes(16), stub: bytes(1_024) };
    let stubs = vec![stub; VAULT_MAX_STUBS];
    let message = pb::OpenStubsRequest { request_id: bytes(16), deadline_ms: 1, opening: bytes(153), stubs };
    assert_eq!(pb::OpenStubsRequest::from(OpenStubsRequest::try_from(message.clone()).unwrap()), message);
}

#[test]
fn replies_read_back_and_the_largest_fits_its_codec() {
    let message = open_reply(opened(), VAULT_MAX_ITEMS);
    assert!(message.encoded_len() <= VAULT_MESSAGE_MAX_BYTES, "{}", message.encoded_len());
    assert_eq!(pb::OpenReply::from(Results::<Opened>::try_from(message.clone()).unwrap()), message);
    let grant = pb::PutGrant {
        pid: bytes(16),
        record_id: bytes(16),
        version: 1,
        capability: capability(),
        summary_class: bytes(16),
        document_class: bytes(16),
        binding_tag: bytes(16),
        summary_key: bytes(32),
        document_key: bytes(32),
        write_tag_key: bytes(32),
        stub_key: bytes(32),
        reference_key: bytes(32),
        expires_ms: 9,
    };
    let refused = pb::put_result::Outcome::Refusal(Refusal::new(ErrorCode::BudgetExhausted).into());
    let outcomes = [pb::put_result::Outcome::Granted(grant), refused];
    let results = outcomes.map(|outcome| pb::PutResult { outcome: Some(outcome) }).into();
    let message = pb::PutsReply { results };
    assert_eq!(pb::PutsReply::from(Results::<PutGrant>::try_from(message.clone()).unwrap()), message);
    let grant = pb::DeleteGrant {
        pid: bytes(16),
        capability: capability(),
        write_tag_key: bytes(32),
        stub_key: bytes(32),
        expires_ms: 9,
    };
    let result = pb::DeleteResult { outcome: Some(pb::delete_result::Outcome::Granted(grant)) };
    let message = pb::DeletesReply { results: vec![result] };
    assert_eq!(pb::DeletesReply::from(Results::<DeleteGrant>::try_from(message.clone()).unwrap()), message);
    let stub = pb::OpenedStub { purpose: 5, evidence: 6, cell: bytes(32), stub_key: bytes(32) };
    let outcomes = [pb::stub_result::Outcome::Opened(stub), pb::stub_result::Outcome::Hidden(pb::Hidden {})];
    let results = outcomes.map(|outcome| pb::StubResult { outcome: Some(outcome) }).into();
    let message = pb::OpenStubsReply { results };
    assert_eq!(pb::OpenStubsReply::from(OpenStubsReply::try_from(message.clone()).unwrap()), message);
}

#[test]
fn a_call_outside_its_limits_is_refused_by_field() {
    type Spoil = fn(&mut pb::OpenInsecureRequest);
    let cases: [(Spoil, ErrorCode, &str); 15] = [
        (|it| it.request_id = bytes(15), ErrorCode::InvalidArgument, "request_id"),
        (|it| it.deadline_ms = 0, ErrorCode::InvalidArgument, "deadline_ms"),
        (|it| it.deadline_ms = 60_001, ErrorCode::InvalidArgument, "deadline_ms"),
        (|it| it.items.clear(), ErrorCode::InvalidArgument, "items"),
        (|it| it.items = vec![opening(); VAULT_MAX_ITEMS + 1], ErrorCode::TooLarge, "items"),
        (|it| it.items[0].pseudonym = bytes(31), ErrorCode::InvalidArgument, "items.pseudonym"),
        (|it| it.items[0].institution = bytes(17), ErrorCode::InvalidArgument, "items.institution"),
        (|it| it.items[0].purpose = 0, ErrorCode::InvalidArgument, "items.purpose"),
        (|it| it.items[0].evidence = 7, ErrorCode::InvalidArgument, "items.evidence"),
        (|it| it.items[0].classes.clear(), ErrorCode::InvalidArgument, "items.classes"),
        (|it| it.items[0].classes[1] = class(1, 1), ErrorCode::InvalidArgument, "items.classes"),
        (|it| it.items[0].classes[0] = class(4, 1), ErrorCode::InvalidArgument, "items.classes"),
        (|it| it.items[0].to_month += 1, ErrorCode::InvalidArgument, "items.to_month"),
        (|it| it.items[0].from_month = it.items[0].to_month + 1, ErrorCode::InvalidArgument, "items.to_month"),
        (|it| (it.items[0].read, it.items[0].audit) = (false, false), ErrorCode::InvalidArgument, "items.read"),
    ];
    assert_eq!(judge(open(vec![opening()])), None);
    for (spoil, code, field) in cases {
        let mut message = open(vec![opening()]);
        spoil(&mut message);
        assert_eq!(judge(message), Some((code, field.to_owned())));
    }
}

#[test]
fn the_last_version_cannot_be_replaced() {
    let replaces = |version| Some(pb::Replaced { record_id: bytes(16), version });
    assert!(PutItem::try_from(put(replaces(u32::MAX - 1))).is_ok());
    for version in [0, u32::MAX] {
        assert!(PutItem::try_from(put(replaces(version))).is_err(), "{version}");
    }
    assert!(PutItem::try_from(pb::PutItem { opening: bytes(OPENING_MAX_BYTES + 1), ..put(None) }).is_err());
}

#[test]
fn answers_that_no_vault_gives_are_refused() {
    let refused = |spoil: fn(&mut pb::Opened)| {
        let mut message = opened();
        spoil(&mut message);
        Results::<Opened>::try_from(open_reply(message, 1)).is_err()
    };
    assert!(!refused(|_| ()));
    assert!(refused(|it| it.pid = bytes(15)));
    assert!(refused(|it| it.capability = None));
    assert!(refused(|it| it.stub_key = bytes(31)));
    assert!(refused(|it| it.opening = bytes(0)));
    assert!(refused(|it| it.classes[0].class = None));
    assert!(refused(|it| it.classes[0].keys[1].year = 2002), "a gap");
    assert!(refused(|it| it.classes[0].keys[0].key = bytes(33)));
    assert!(Results::<Opened>::try_from(open_reply(opened(), 65)).is_err());
    assert!(Results::<Opened>::try_from(pb::OpenReply { results: vec![pb::OpenResult { outcome: None }] }).is_err());
}

#[test]
fn nothing_shows_itself() {
    let shown =
        format!("{:?} {:?}", open(vec![opening()]), Results::<Opened>::try_from(open_reply(opened(), 1)).unwrap());
    assert!(!shown.contains("\\x07") && !shown.contains("\\u{7}") && !shown.contains("[7"), "{shown}");
}
