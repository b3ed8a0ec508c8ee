//! Who is served what: roles, institutions that the directory does not name, and what was stolen.

use renkei_access::{Card, CardId, InstitutionKind, Presence, PresentedCard, ResidentCode, StatementKey};
use renkei_ids::UnixMillis;
use renkei_runtime::{Role, Tls};
use renkei_wire::registrar::{Entry, InsurerSays, Registration, Shown};
use renkei_wire::{ErrorCode, Refusal};

use crate::federation::{
    CLINIC, Federation, HOSPITAL, KANTO, NO_CLOUD, Somebody, now, to_read, to_write, today, until,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_has_its_calls_and_no_others() {
    let federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let member = || Shown::MemberId(Somebody(1).insured());
    let (hospital, insurer) = (&federation.hospital, &federation.insurer);
    let denied = ErrorCode::RoleNotAllowed;
    let registering = federation.say(hospital, vec![federation.sign(InsurerSays::RevokeToken(Somebody(1).insured()))]);
    assert_eq!(registering.await.err().unwrap().code, denied, "an institution registers nobody");
    assert_eq!(federation.check_in(insurer, to_write(member())).await.err().unwrap().code, denied);
    assert_eq!(federation.ticket_key_at(hospital, 1, today()).await.err().unwrap().code, denied);
    let vault = federation.identity(KANTO, Role::Vault, "1");
    assert_eq!(federation.check_in(&vault, to_write(member())).await.err().unwrap().code, denied);
    assert!(federation.ticket_key_at(&vault, 1, today()).await.is_ok());
    let of_another_cloud = federation.identity(renkei_ids::CloudId::from_bytes([9; 16]), Role::Vault, "1");
    assert_eq!(
        federation.ticket_key_at(&of_another_cloud, 1, today()).await.err().unwrap().code,
        ErrorCode::CloudMismatch
    );
    let other_day = renkei_ids::UnixDay(today().0 + 3);
    assert_eq!(federation.ticket_key_at(&vault, 1, other_day).await.err().unwrap().code, ErrorCode::KeyDayRefused);
    let gateway = federation.identity(KANTO, Role::Gateway, "one");
    let refused = federation.check_in(&gateway, to_write(member())).await.err().unwrap();
    assert_eq!(refused.code, denied, "a gateway follows the directory here, and no more");
    for role in [Role::Node, Role::Keyholder, Role::Loadtest] {
        let stranger = federation.identity(NO_CLOUD, role, "9");
        let refused = federation.check_in(&stranger, to_write(member())).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::Unavailable, "{role} is not let in");
    }
    let strange = federation.identity(KANTO, Role::Institution, "hospital");
    let refused = federation.check_in(&strange, to_write(member())).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::InstitutionNotEnrolled, "the name alone is nobody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_serves_the_institution_that_it_is_shown_to_now_and_once() {
    let federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let hospital = &federation.hospital;
    let code = async |tls: &Tls, shown: Shown| {
        federation.check_in(tls, to_read(shown)).await.err().map(|refused| refused.code)
    };
    let shown = federation.card(Somebody(1), HOSPITAL);
    assert_eq!(code(&federation.clinic, shown.clone()).await, Some(ErrorCode::CardOtherInstitution));
    assert_eq!(code(hospital, shown.clone()).await, None);
    assert_eq!(code(hospital, shown).await, Some(ErrorCode::CardUsed), "a replay");

    // A card that a stranger issued, and a proof of yesterday.
    let (stranger, own) = (StatementKey::from_seed(&[77; 32]), StatementKey::from_seed(&[101; 32]));
    let card = |id: u8, key: &StatementKey| Card {
        id: CardId::from_bytes([id; 16]),
        resident: ResidentCode::from_bytes([1; 32]),
        key: key.verifying_key(),
        expires: UnixMillis(u64::MAX),
    };
    let presence = |moment| Presence { institution: HOSPITAL, moment, nonce: [5; 16] };
    let forged = PresentedCard { card: card(1, &own).sign(&stranger), presence: presence(now()).sign(&own) };
    assert_eq!(code(hospital, Shown::Card(forged)).await, Some(ErrorCode::CardInvalid));
    let Shown::Card(good) = federation.card(Somebody(1), HOSPITAL) else { unreachable!() };
    let yesterday = UnixMillis(now().0 - 86_400_000);
    let stale = PresentedCard { presence: presence(yesterday).sign(&own), ..good };
    assert_eq!(code(hospital, Shown::Card(stale)).await, Some(ErrorCode::CardStale));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_their_insurers_alone_and_of_now() {
    let federation = Federation::new(1, &[]).await;
    let entry = |somebody: Somebody| Entry { member: somebody.member(), items: somebody.items() };
    let registration = |again: Option<Entry>| {
        InsurerSays::Register(Box::new(Registration { entry: entry(Somebody(1)), again, from_day: 0, until_day: None }))
    };
    let good = federation.sign(registration(Some(entry(Somebody(1)))));
    let forged = StatementKey::from_seed(&[88; 32]).sign(renkei_access::Statement::Registration, good.body.clone());
    let once = federation.sign(registration(None));
    let differing = federation.sign(registration(Some(entry(Somebody(2)))));
    let unreadable = federation.sign(registration(None));
    let unreadable = renkei_access::Signed { body: b"odd".as_slice().into(), ..unreadable };
    let results = federation.say(&federation.insurer, vec![forged, once, differing, unreadable, good.clone()]).await;
    let codes: Vec<_> = results.unwrap().into_iter().map(|it| it.err().map(|refused| refused.code)).collect();
    let expected = [
        Some(ErrorCode::StatementInvalid),
        Some(ErrorCode::EntryUnconfirmed),
        Some(ErrorCode::EntriesDiffer),
        Some(ErrorCode::StatementInvalid),
        None,
    ];
    assert_eq!(codes, expected);
    // What is said twice stands once.
    assert!(federation.say(&federation.insurer, vec![good]).await.unwrap()[0].is_ok());

    let other = federation.identity(NO_CLOUD, Role::Insurer, "06139877");
    let statement = federation.sign(InsurerSays::RevokeToken(Somebody(1).insured()));
    let refused = federation.say(&other, vec![statement]).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::InstitutionNotEnrolled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_denied_is_refused_within_five_seconds_and_who_is_locked_at_once() {
    let mut federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let member = || to_write(Shown::MemberId(Somebody(1).insured()));
    assert!(federation.check_in(&federation.hospital, member()).await.is_ok());
    let began = std::time::Instant::now();
    federation.deny(HOSPITAL).await;
    until(async || federation.check_in(&federation.hospital, member()).await.err()).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    let refused = federation.check_in(&federation.hospital, member()).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::InstitutionDenied);
    federation
        .publish(|entries| {
            entries.deny_epoch = renkei_ids::DenyEpoch(entries.deny_epoch.0 + 1);
            entries.denied.clear();
            assert!(entries.institutions.iter().any(|it| it.kind == InstitutionKind::Insurer));
        })
        .await;
    until(async || federation.check_in(&federation.hospital, member()).await.ok()).await;

    let lock = async |tls: &Tls, locked: bool| {
        let institution = bytes::Bytes::copy_from_slice(HOSPITAL.as_bytes());
        let request = renkei_wire::pb::admin::v1::LockInstitutionRequest { institution, locked };
        federation.admin(tls, 1).lock_institution(request).await
    };
    assert!(lock(&federation.hospital, false).await.is_err(), "an institution locks nobody");
    let of_a_cloud = federation.identity(KANTO, Role::Operator, "one");
    let refused = lock(&of_a_cloud, true).await.err().map(|status| Refusal::from_status(&status).unwrap().code);
    assert_eq!(refused, Some(ErrorCode::RoleNotAllowed), "a cloud's operator locks nobody");
    lock(&federation.operator, true).await.unwrap();
    let refused = federation.check_in(&federation.hospital, member()).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::InstitutionLocked);
    assert!(federation.check_in(&federation.clinic, to_read(federation.card(Somebody(1), CLINIC))).await.is_ok());
    lock(&federation.operator, false).await.unwrap();
    assert!(federation.check_in(&federation.hospital, member()).await.is_ok());
}
