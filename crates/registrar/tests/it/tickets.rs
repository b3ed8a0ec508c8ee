//! What tickets say, how their points are mixed, and what becomes of them without a key holder.

use renkei_access::{ConsentCategory, Evidence, Purpose};
use renkei_wire::ErrorCode;
use renkei_wire::registrar::{Answer, Shown};

use crate::federation::{Federation, HOSPITAL, KANTO, Somebody, now, tickets, to_read, to_write, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_says_what_was_decided_and_two_of_one_patient_have_nothing_in_common() {
    let federation = Federation::new(1, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let check_in = async || {
        let shown = federation.card(Somebody(1), HOSPITAL);
        federation.check_in(&federation.hospital, to_read(shown)).await.unwrap()
    };
    let (one, two) = (check_in().await, check_in().await);
    assert_ne!(one.grant, two.grant);
    assert!(one.grant_ends > now());
    let (first, second) = (tickets(&one), tickets(&two));
    let (ticket, ..) = federation.open(&first[0].1).await;
    let header = &ticket.header;
    assert_eq!((header.institution, header.audience), (HOSPITAL, KANTO));
    assert_eq!((header.purpose, header.evidence), (Purpose::Care, Evidence::Card));
    assert_eq!(header.categories.iter().collect::<Vec<_>>(), [ConsentCategory::CareAndDrugs]);
    assert_eq!(header.consent_text.map(|text| text.0), Some(3));
    assert_eq!(header.expires.0 - header.issued.0, 10);
    // Beyond the header, which names institution and clouds, no 8 bytes stand in both.
    let (one, two) = (&first[0].1.as_bytes()[..], &second[0].1.as_bytes()[..]);
    let sealed = |bytes: &[u8]| bytes[bytes.len() - 400..].to_vec();
    let (one, two) = (sealed(one), sealed(two));
    assert!(!one.windows(8).any(|window| two.windows(8).any(|other| other == window)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn points_of_check_ins_of_one_window_share_a_call_to_a_key_holder() {
    let federation = Federation::new(1, &["tickets.mix_millis=100"]).await;
    federation.register(&[Somebody(1), Somebody(2), Somebody(3)]).await;
    // The day's secret is there, so that all come at once.
    federation.check_in(&federation.hospital, to_write(Shown::MemberId(Somebody(3).insured()))).await.unwrap();
    let figures = || {
        let of = |what: &str| federation.metric(1, &format!("renkei_registrar_mint_points_{what}"));
        (of("count"), of("sum"))
    };
    assert_eq!(figures(), (1.0, 2.0), "one call of two points");
    let check_in =
        |somebody: Somebody| federation.check_in(&federation.hospital, to_write(Shown::MemberId(somebody.insured())));
    let (one, two) = tokio::join!(check_in(Somebody(1)), check_in(Somebody(2)));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(figures(), (2.0, 6.0), "and one of four, for two check-ins");
    let (_, _, of_one) = federation.open(&tickets(&one)[0].1).await;
    let (_, _, of_two) = federation.open(&tickets(&two)[0].1).await;
    let again = check_in(Somebody(1)).await.unwrap();
    assert!(of_one != of_two && of_one == federation.open(&tickets(&again)[0].1).await.2, "each got her own back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_holder_a_patient_is_checked_in_and_her_tickets_are_had_by_renewal() {
    let mut federation = Federation::new(1, &["tickets.keyholder_millis=500"]).await;
    federation.register(&[Somebody(1)]).await;
    federation.holders[1].process().unwrap().kill().unwrap();
    let shown = Shown::MemberId(Somebody(1).insured());
    let checked_in = federation.check_in(&federation.hospital, to_write(shown)).await.unwrap();
    assert_eq!(checked_in.eligibility.answer, Answer::Valid, "that does not take a key holder");
    assert_eq!(checked_in.tickets.len(), 2);
    for ticket in &checked_in.tickets {
        let refused = ticket.ticket.as_ref().err().unwrap();
        assert_eq!(refused.code, ErrorCode::KeyholderUnavailable);
        assert!(refused.retry_after.is_some());
    }
    federation.holders[1].start().unwrap();
    let renewed = until(async || {
        let renewed = federation.renew(&federation.hospital, checked_in.grant).await.unwrap();
        renewed.tickets.iter().all(|ticket| ticket.ticket.is_ok()).then_some(renewed)
    })
    .await;
    federation.open(&tickets(&renewed)[1].1).await;
}
