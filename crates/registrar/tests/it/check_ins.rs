//! Who is checked in on what, and what an institution is told.

use renkei_access::{CollectionBasis, Purpose};
use renkei_envelope::Token;
use renkei_ids::GrantId;
use renkei_runtime::Tls;
use renkei_wire::ErrorCode;
use renkei_wire::registrar::{Answer, CheckInRequest, Insured, InsurerSays, Shown, Standing, Taken};

use crate::federation::{CLINIC, Federation, HOSPITAL, Somebody, tickets, to_read, to_write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_is_one_in_each_cloud_whatever_she_shows_and_another_in_each() {
    let federation = Federation::new(1, &[]).await;
    let settled = federation.register(&[Somebody(1), Somebody(2)]).await;
    assert!(settled.iter().all(|it| matches!(it, Ok(Taken::Registered(Standing::Settled)))), "{settled:?}");
    let hospital = &federation.hospital;
    let token = federation.issue_token(Somebody(1)).await;

    let by_card = federation.check_in(hospital, to_read(federation.card(Somebody(1), HOSPITAL))).await.unwrap();
    let by_token = federation.check_in(hospital, to_read(Shown::InsurerToken(token))).await.unwrap();
    let by_member = to_write(Shown::MemberId(Somebody(1).insured()));
    let by_member = federation.check_in(hospital, by_member).await.unwrap();
    let renewed = federation.renew(hospital, by_card.grant).await.unwrap();
    let other = federation.check_in(hospital, to_read(federation.card(Somebody(2), HOSPITAL))).await.unwrap();
    let elsewhere =
        federation.check_in(&federation.clinic, to_read(federation.card(Somebody(1), CLINIC))).await.unwrap();

    let mut pseudonyms = Vec::new();
    let all = [&by_card, &by_token, &by_member, &renewed, &elsewhere].map(|it| (it, Somebody(1)));
    for (checked_in, whose) in all.into_iter().chain([(&other, Somebody(2))]) {
        assert_eq!(checked_in.eligibility.answer, Answer::Valid);
        let mut of_clouds = Vec::new();
        for (cloud, ticket) in tickets(checked_in) {
            let (ticket, claims, pseudonym) = federation.open(&ticket).await;
            assert_eq!(ticket.header.audience, cloud);
            let commitments = federation.commitments(&ticket);
            let birth = commitments.birth_date.unwrap();
            assert!(birth.holds(renkei_envelope::Attribute::BirthDate, &whose.birth_date().to_string()));
            let member = commitments.member_id.unwrap();
            assert!(member.holds(renkei_envelope::Attribute::MemberId, whose.member().comparison_form()));
            assert!(!claims.probe);
            of_clouds.push((cloud, claims.mark, pseudonym));
        }
        assert_eq!(of_clouds.len(), 2, "the footprint is padded to both clouds");
        assert!(of_clouds[0].2 != of_clouds[1].2, "two clouds, two pseudonyms");
        pseudonyms.push(of_clouds);
    }
    let [card, token, member, renewed, elsewhere, other] = &pseudonyms[..] else { unreachable!() };
    assert!(card == token && card == member && card == renewed && card == elsewhere, "one person");
    assert!(card.iter().zip(other).all(|(one, other)| one.1 != other.1 && one.2 != other.2), "and another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_and_quarantined_are_refused_alike_and_only_the_eligibility_tells_them_apart() {
    let federation = Federation::new(1, &[]).await;
    // Nobody of these items is in the register.
    let quarantined = federation.register(&[Somebody(50)]).await;
    assert!(matches!(quarantined[..], [Ok(Taken::Registered(Standing::Quarantined))]), "{quarantined:?}");
    let hospital = &federation.hospital;
    let refused = async |shown: Shown| federation.check_in(hospital, to_write(shown)).await.err().unwrap();
    let cannot_link = refused(Shown::MemberId(Somebody(50).insured())).await;
    let unknown = refused(Shown::MemberId(Somebody(3).insured())).await;
    assert_eq!(cannot_link, unknown);
    assert_eq!(unknown.code, ErrorCode::PatientUnknown);
    assert_eq!(refused(Shown::InsurerToken(Token::from_bytes([9; 16]))).await, unknown);
    let answer = async |insured: Insured| federation.eligibility(hospital, insured, None).await.unwrap().answer;
    assert_eq!(answer(Somebody(50).insured()).await, Answer::CannotLink);
    assert_eq!(answer(Somebody(3).insured()).await, Answer::Unknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eligibility_follows_what_the_insurer_says_and_what_is_not_offered_says_so() {
    let federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1), Somebody(2)]).await;
    let hospital = &federation.hospital;
    let answer = async |insured: Insured| federation.eligibility(hospital, insured, None).await.unwrap();
    assert_eq!(answer(Somebody(1).insured()).await.answer, Answer::Valid);
    let mistaken = Insured { birth_date: Somebody(2).birth_date(), ..Somebody(1).insured() };
    assert_eq!(answer(mistaken).await.answer, Answer::Unknown, "a mismatch is unknown");
    let token = federation.issue_token(Somebody(1)).await;
    let said = vec![
        federation.sign(InsurerSays::End(Somebody(2).insured(), 20_000)),
        federation.sign(InsurerSays::RevokeToken(Somebody(1).insured())),
        federation.sign(InsurerSays::RevokeToken(Somebody(3).insured())),
    ];
    let results = federation.say(&federation.insurer, said).await.unwrap();
    assert!(matches!(results[..2], [Ok(Taken::Done), Ok(Taken::Done)]), "{results:?}");
    assert_eq!(results[2].as_ref().err().unwrap().code, ErrorCode::BindingUnknown);
    let refused = federation.check_in(hospital, to_read(Shown::InsurerToken(token))).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::PatientUnknown, "a revoked token is nobody's");

    // Those who were checked in here, and nobody else.
    federation.check_in(hospital, to_write(Shown::MemberId(Somebody(1).insured()))).await.unwrap();
    let bulk = federation.bulk(hospital, vec![Somebody(1).insured(), Somebody(2).insured()]).await.unwrap();
    let answers: Vec<Answer> = bulk.into_iter().map(|it| it.unwrap().answer).collect();
    assert_eq!(answers, [Answer::Valid, Answer::Unknown]);

    for shown in [Shown::FourItem, Shown::Unconscious, Shown::Delegate] {
        let refused = federation.check_in(hospital, to_read(shown)).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::Unimplemented);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_shown_bounds_what_may_follow() {
    let federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let (hospital, supplier) = (&federation.hospital, &federation.supplier);
    let code = async |tls: &Tls, request: CheckInRequest| {
        federation.check_in(tls, request).await.err().map(|refused| refused.code)
    };
    let member = || Shown::MemberId(Somebody(1).insured());
    assert_eq!(code(hospital, to_read(member())).await, Some(ErrorCode::EvidenceInsufficient), "no card, no reading");
    assert_eq!(code(supplier, to_read(member())).await, Some(ErrorCode::EvidenceInsufficient), "suppliers deliver");
    assert_eq!(code(supplier, to_write(member())).await, None);
    let nothing = CheckInRequest { basis: None, ..to_write(member()) };
    assert_eq!(code(hospital, nothing).await, Some(ErrorCode::NothingGranted));
    let report = CheckInRequest { purpose: Purpose::Report, ..to_write(member()) };
    assert_eq!(code(hospital, report).await, Some(ErrorCode::EvidenceInsufficient));
    let long = CheckInRequest { minutes: 1_441, basis: Some(CollectionBasis::LegalDuty), ..to_write(member()) };
    assert_eq!(code(hospital, long).await, Some(ErrorCode::InvalidArgument));
    let strange = federation.renew(hospital, GrantId::from_bytes([7; 16])).await.err().unwrap();
    assert_eq!(strange.code, ErrorCode::GrantUnknown);
    let granted = federation.check_in(hospital, to_write(member())).await.unwrap();
    let stolen = federation.renew(&federation.clinic, granted.grant).await.err().unwrap();
    assert_eq!(stolen, strange, "another institution's grant is none");
}
