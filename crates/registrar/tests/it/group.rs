//! Three registrars: the leader killed, all of them killed, and one without a majority.

use std::time::Duration;

use renkei_runtime::Role;
use renkei_wire::ErrorCode;
use renkei_wire::registrar::{Answer, Shown};

use crate::federation::{Federation, KANTO, Somebody, now, tickets, to_write, today, until};

/// Budgets by the minute are to be seen within one.
async fn early_in_a_minute() {
    let second = now().0 / 1_000 % 60;
    if second > 25 {
        tokio::time::sleep(Duration::from_secs(60 - second)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_leader_loses_no_registration_grant_ticket_key_or_budget() {
    let mut federation = Federation::new(3, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let member = || to_write(Shown::MemberId(Somebody(1).insured()));
    let before = federation.check_in(&federation.hospital, member()).await.unwrap();
    let (_, _, pseudonym) = federation.open(&tickets(&before)[0].1).await;
    let vault = federation.identity(KANTO, Role::Vault, "1");
    let key = until(async || federation.ticket_key_at(&vault, 1, today()).await.ok()).await;
    for registrar in [2, 3] {
        // Every replica has the same, once it has applied it.
        until(async || federation.ticket_key_at(&vault, registrar, today()).await.ok().filter(|it| *it == key)).await;
    }

    // A clinic of five visits a day may fail five times in a minute.
    early_in_a_minute().await;
    let guess = async |number: u8| {
        let guess = federation.check_in(&federation.clinic, to_write(Shown::MemberId(Somebody(number).insured())));
        guess.await.err().unwrap().code
    };
    for number in 20..25 {
        assert_eq!(guess(number).await, ErrorCode::PatientUnknown);
    }
    assert_eq!(guess(25).await, ErrorCode::BudgetExhausted);
    let leader = federation.leader().await;
    federation.registrars.replica(leader).unwrap().kill().unwrap();
    let guess = async |number: u8| {
        let guess = federation.check_in(&federation.clinic, to_write(Shown::MemberId(Somebody(number).insured())));
        guess.await.err().unwrap().code
    };
    assert_eq!(guess(26).await, ErrorCode::BudgetExhausted, "a new leader refills nothing");
    assert_ne!(federation.leader().await, leader);
    let renewed = federation.renew(&federation.hospital, before.grant).await.unwrap();
    // The one that gives its ticket keys in tests is number 1.
    federation.registrars.start().unwrap();
    until(async || federation.ticket_key_at(&vault, 1, today()).await.ok().filter(|it| *it == key)).await;
    assert!(federation.open(&tickets(&renewed)[0].1).await.2 == pseudonym);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_majority_the_answer_is_that_nobody_can_know_and_a_restart_brings_everything_back() {
    let mut federation = Federation::new(3, &[]).await;
    federation.register(&[Somebody(1)]).await;
    let eligibility = async |federation: &Federation| {
        federation.eligibility(&federation.hospital, Somebody(1).insured(), None).await.unwrap().answer
    };
    assert_eq!(eligibility(&federation).await, Answer::Valid);
    let leader = federation.leader().await;
    for registrar in (1..=3).filter(|number| *number != leader) {
        federation.registrars.replica(registrar).unwrap().kill().unwrap();
    }
    assert_eq!(eligibility(&federation).await, Answer::SystemUnavailable);
    federation.registrars.replica(leader).unwrap().kill().unwrap();
    federation.registrars.start().unwrap();
    until(async || (eligibility(&federation).await == Answer::Valid).then_some(())).await;
}
