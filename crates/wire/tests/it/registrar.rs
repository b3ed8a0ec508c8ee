//! Messages of the registrar's service: there and back, and refused at their edges.

use bytes::Bytes;
use prost::Message as _;
use renkei_access::CardRefusal;
use renkei_ids::UnixMillis;
use renkei_wire::limits::{REGISTRAR_MESSAGE_MAX_BYTES, STATEMENT_MAX_BYTES, TICKET_MAX_BYTES};
use renkei_wire::pb::registrar::v1 as pb;
use renkei_wire::registrar::{
    BulkEligibilityReply, BulkEligibilityRequest, CheckEligibilityRequest, CheckInRequest, CheckedIn, InsurerStatement,
    RegisterReply, RegisterRequest, RegistrarTicketKey, RenewRequest,
};
use renkei_wire::{ErrorCode, InvalidRegistrarMessage, Refusal};

fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn asking() -> Option<pb::Asking> {
    let actor = Some(pb::Actor { id: "n1".to_owned(), role: "nurse".to_owned() });
    Some(pb::Asking { request_id: bytes(16), deadline_ms: 1_000, actor })
}

fn insured() -> pb::Insured {
    pb::Insured { member_id: "06139877:あ:1:".to_owned(), birth_date: "1970-01-01".to_owned() }
}

fn items(length: usize) -> pb::FiveItems {
    pb::FiveItems {
        name: "髙﨑".to_owned(),
        kana: "ア".repeat(length),
        birth_date: "1970-01-01".to_owned(),
        sex: "female".to_owned(),
        address: "本町".to_owned(),
    }
}

fn entry() -> pb::Entry {
    pb::Entry { member_id: insured().member_id, items: Some(items(1)) }
}

fn statements() -> [pb::InsurerStatement; 4] {
    use pb::insurer_statement::Say;
    let registration =
        pb::Registration { entry: Some(entry()), again: Some(entry()), from_day: 1, until_day: Some(20_000) };
    [
        Say::Register(registration),
        Say::End(pb::EndOfInsurance { insured: Some(insured()), until_day: 20_000 }),
        Say::IssueToken(pb::IssueToken { insured: Some(insured()), expires_ms: 9 }),
        Say::RevokeToken(pb::RevokeToken { insured: Some(insured()) }),
    ]
    .map(|say| pb::InsurerStatement { signed_at_ms: 5, say: Some(say) })
}

fn signed(len: usize) -> pb::SignedStatement {
    pb::SignedStatement { body: bytes(len), signature: bytes(64) }
}

fn check_in() -> pb::CheckInRequest {
    pb::CheckInRequest {
        asking: asking(),
        shown: Some(pb::check_in_request::Shown::MemberId(insured())),
        purpose: 1,
        categories: vec![1, 5],
        consent_text: 3,
        basis: 1,
        minutes: 60,
        admission: true,
    }
}

fn eligibility() -> pb::Eligibility {
    pb::Eligibility { answer: 2, until_day: Some(3), successor: Some(insured().member_id) }
}

fn checked_in(tickets: usize) -> pb::CheckedIn {
    let ticket =
        pb::CloudTicket { cloud: bytes(16), outcome: Some(pb::cloud_ticket::Outcome::Ticket(bytes(TICKET_MAX_BYTES))) };
    pb::CheckedIn {
        eligibility: Some(eligibility()),
        grant: bytes(16),
        grant_ends_ms: 9,
        tickets: vec![ticket; tickets],
    }
}

#[test]
fn messages_read_back_and_the_largest_fits_its_codec() {
    for statement in statements() {
        let body: Bytes = statement.encode_to_vec().into();
        let read = InsurerStatement::decode(&body).unwrap();
        assert_eq!(read.signed_at, UnixMillis(5));
        assert_eq!(read.encode(), body);
    }
    let message = pb::RegisterRequest {
        request_id: bytes(16),
        deadline_ms: 1_000,
        statements: vec![signed(STATEMENT_MAX_BYTES); 64],
    };
    assert!(message.encoded_len() <= REGISTRAR_MESSAGE_MAX_BYTES);
    assert_eq!(pb::RegisterRequest::from(RegisterRequest::try_from(message.clone()).unwrap()), message);

    use pb::register_result::Outcome;
    let refusal: renkei_wire::pb::node::v1::Refusal = Refusal::new(ErrorCode::EntryUnconfirmed).into();
    let outcomes = [
        Outcome::Registered(1),
        Outcome::Token(bytes(16)),
        Outcome::Done(pb::Done {}),
        Outcome::Refusal(refusal.clone()),
    ];
    let results = outcomes.map(|outcome| pb::RegisterResult { outcome: Some(outcome) }).to_vec();
    let message = pb::RegisterReply { results };
    assert_eq!(pb::RegisterReply::from(RegisterReply::try_from(message.clone()).unwrap()), message);

    let message = pb::CheckEligibilityRequest { asking: asking(), insured: Some(insured()), items: Some(items(1)) };
    let read = CheckEligibilityRequest::try_from(message.clone()).unwrap();
    assert_eq!(pb::CheckEligibilityRequest::from(read), message);
    let message = pb::BulkEligibilityRequest { asking: asking(), insured: vec![insured(); 64] };
    let read = BulkEligibilityRequest::try_from(message.clone()).unwrap();
    assert_eq!(pb::BulkEligibilityRequest::from(read), message);
    let outcomes = [pb::bulk_result::Outcome::Eligibility(eligibility()), pb::bulk_result::Outcome::Refusal(refusal)];
    let results = outcomes.map(|outcome| pb::BulkResult { outcome: Some(outcome) }).to_vec();
    let message = pb::BulkEligibilityReply { results };
    assert_eq!(pb::BulkEligibilityReply::from(BulkEligibilityReply::try_from(message.clone()).unwrap()), message);

    assert_eq!(pb::CheckInRequest::from(CheckInRequest::try_from(check_in()).unwrap()), check_in());
    let message = pb::RenewRequest { asking: asking(), grant: bytes(16) };
    assert_eq!(pb::RenewRequest::from(RenewRequest::try_from(message.clone()).unwrap()), message);
    let message = checked_in(64);
    assert!(message.encoded_len() <= REGISTRAR_MESSAGE_MAX_BYTES);
    assert_eq!(pb::CheckedIn::from(CheckedIn::try_from(message.clone()).unwrap()), message);
}

#[test]
fn a_check_in_outside_its_limits_is_refused_by_field() {
    type Spoil = fn(&mut pb::CheckInRequest);
    let cases: [(Spoil, &str); 13] = [
        (|it| it.asking = None, "asking"),
        (|it| it.asking.as_mut().unwrap().request_id = bytes(15), "request_id"),
        (|it| it.asking.as_mut().unwrap().deadline_ms = 0, "deadline_ms"),
        (|it| it.asking.as_mut().unwrap().deadline_ms = 60_001, "deadline_ms"),
        (|it| it.asking.as_mut().unwrap().actor = None, "actor"),
        (|it| it.shown = None, "shown"),
        (|it| it.shown = Some(pb::check_in_request::Shown::InsurerToken(bytes(17))), "insurer_token"),
        (|it| it.purpose = 0, "purpose"),
        (|it| it.categories = vec![1, 1], "categories"),
        (|it| it.categories = vec![6], "categories"),
        (|it| it.consent_text = 0, "consent_text"),
        (|it| it.categories.clear(), "consent_text"),
        (|it| it.basis = 3, "basis"),
    ];
    for (spoil, field) in cases {
        let mut message = check_in();
        spoil(&mut message);
        let refusal = Refusal::from(CheckInRequest::try_from(message).err().unwrap());
        assert_eq!((refusal.code, refusal.field.unwrap().as_str()), (ErrorCode::InvalidArgument, field));
    }
}

#[test]
fn who_is_named_has_a_member_id_with_check_digits_and_a_whole_birth_date() {
    let refused = |spoil: fn(&mut pb::Insured)| {
        let mut message = insured();
        spoil(&mut message);
        let message = pb::CheckEligibilityRequest { asking: asking(), insured: Some(message), items: None };
        CheckEligibilityRequest::try_from(message).err()
    };
    assert_eq!(refused(|_| ()), None);
    let member = Some(InvalidRegistrarMessage::Malformed("member_id"));
    let birth = Some(InvalidRegistrarMessage::Malformed("birth_date"));
    assert_eq!(refused(|it| it.member_id = "06139878:1:1:".to_owned()), member, "the check digit is wrong");
    assert_eq!(refused(|it| it.birth_date = "1970".to_owned()), birth);
    assert_eq!(refused(|it| it.birth_date = "1970-02-30".to_owned()), birth);
}

#[test]
fn statements_and_tickets_have_limits() {
    let request = |statements| {
        RegisterRequest::try_from(pb::RegisterRequest { request_id: bytes(16), deadline_ms: 1, statements })
    };
    assert!(request(vec![signed(STATEMENT_MAX_BYTES)]).is_ok());
    assert!(request(vec![]).is_err());
    assert!(request(vec![signed(1); 65]).is_err());
    let over = Refusal::from(request(vec![signed(STATEMENT_MAX_BYTES + 1)]).err().unwrap());
    assert_eq!(over.code, ErrorCode::TooLarge);
    assert!(request(vec![pb::SignedStatement { body: bytes(1), signature: bytes(63) }]).is_err());
    assert!(CheckedIn::try_from(checked_in(65)).is_err());
    assert!(CheckedIn::try_from(pb::CheckedIn { eligibility: None, ..checked_in(1) }).is_err());
    let mut unanswered = checked_in(1);
    unanswered.tickets[0].outcome = None;
    assert!(CheckedIn::try_from(unanswered).is_err());
    let items = pb::CheckEligibilityRequest { asking: asking(), insured: Some(insured()), items: Some(items(200)) };
    let refusal = Refusal::from(CheckEligibilityRequest::try_from(items).err().unwrap());
    assert_eq!((refusal.code, refusal.field.unwrap().as_str()), (ErrorCode::TooLarge, "items.kana"));
    assert!(InsurerStatement::decode(&bytes(5)).is_err());
}

#[test]
fn each_reason_against_a_card_has_its_own_code() {
    let reasons = [
        (CardRefusal::Signature, "card_invalid"),
        (CardRefusal::Malformed, "card_invalid"),
        (CardRefusal::Expired, "card_expired"),
        (CardRefusal::OtherInstitution, "card_other_institution"),
        (CardRefusal::OtherMoment, "card_stale"),
    ];
    for (reason, code) in reasons {
        assert_eq!(Refusal::from(reason).code.name(), code);
    }
}

#[test]
fn a_ticket_key_reads_back_and_has_32_bytes() {
    let reply = |len| pb::TicketKeyReply { key: bytes(len) };
    let key = RegistrarTicketKey::try_from(reply(32)).unwrap();
    assert_eq!(pb::TicketKeyReply::from(key), reply(32));
    for len in [0, 31, 33] {
        assert!(RegistrarTicketKey::try_from(reply(len)).is_err(), "{len}");
    }
}

#[test]
fn nothing_shows_itself() {
    let key = RegistrarTicketKey::try_from(pb::TicketKeyReply { key: bytes(32) }).unwrap();
    let read = CheckInRequest::try_from(check_in()).unwrap();
    let shown = format!("{:?} {read:?} {:?} {key:?}", check_in(), insured());
    let expected =
        "registrar::v1::CheckInRequest(..) CheckInRequest(..) registrar::v1::Insured(..) RegistrarTicketKey(..)";
    assert_eq!(shown, expected);
}
