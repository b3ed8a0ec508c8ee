use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use renkei_access::SignedCapability;
use renkei_envelope::{ReferenceKey, StubKey};
use renkei_ids::{BindingTag, CloudId, InstTag, Pid};
use renkei_wire::ErrorCode;

use super::*;

fn patient(expires: u64) -> OpenedPatient {
    let pid = Pid::from_bytes([1; 16]);
    OpenedPatient {
        patient: Patient { cloud: CloudId::from_bytes([2; 16]), pid },
        opened: Opened {
            pid,
            capability: SignedCapability { body: Bytes::from_static(b"c"), signature: [0; 64] },
            classes: Vec::new(),
            institution: InstTag::from_bytes([0; 16]),
            binding: BindingTag::from_bytes([0; 16]),
            stub_key: StubKey::from_bytes([0; 32]),
            reference_key: ReferenceKey::from_bytes([0; 32]),
            opening: Bytes::from_static(b"o"),
            expires: UnixMillis(expires),
        },
        ticket: None,
    }
}

fn key(n: u16) -> Key {
    let mut hash = [0; 32];
    hash[..2].copy_from_slice(&n.to_be_bytes());
    (InstitutionId::from_bytes([1; 16]), hash)
}

fn openings() -> Openings {
    Openings::new(IntGauge::new("openings", "test").unwrap())
}

#[tokio::test]
async fn callers_for_one_patient_share_one_opening_and_others_have_their_own() {
    let (openings, opened) = (openings(), AtomicU32::new(0));
    let open = async || {
        opened.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        Ok(patient(100_000))
    };
    let ask = |n| openings.get(key(n), UnixMillis(0), None, open());
    let (one, same, other) = tokio::join!(ask(1), ask(1), ask(2));
    assert!(Arc::ptr_eq(&one.unwrap(), &same.unwrap()));
    other.unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_failed_opening_is_not_kept() {
    let openings = openings();
    let refused = async { Err(Refusal::new(ErrorCode::BudgetExhausted)) };
    assert!(openings.get(key(1), UnixMillis(0), None, refused).await.is_err());
    assert!(openings.get(key(1), UnixMillis(0), None, async { Ok(patient(100_000)) }).await.is_ok());
}

#[tokio::test]
async fn an_opening_ends_before_its_time_and_a_stale_one_is_not_given_again() {
    let openings = openings();
    let first = openings.get(key(1), UnixMillis(0), None, async { Ok(patient(100_000)) }).await.unwrap();
    let get = async |now, stale| openings.get(key(1), UnixMillis(now), stale, async { Ok(patient(200_000)) }).await;
    let still = get(100_000 - RESERVE_MILLIS - 1, None).await.unwrap();
    assert!(Arc::ptr_eq(&first, &still));
    let second = get(0, Some(&first)).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&second, &get(100_000, Some(&first)).await.unwrap()), "the first one is stale, not this");
}

#[tokio::test]
async fn the_openings_are_bounded_and_swept() {
    let openings = openings();
    for n in 0..=u16::try_from(OPENINGS_MAX).unwrap() {
        openings.get(key(n), UnixMillis(0), None, async { Ok(patient(100_000 + u64::from(n))) }).await.unwrap();
    }
    assert_eq!(openings.lock().len(), OPENINGS_MAX);
    assert!(!openings.lock().contains_key(&key(0)), "the one that ends first made room");
    openings.sweep(UnixMillis(1_000_000));
    assert!(openings.lock().is_empty());
}

#[tokio::test]
async fn what_was_opened_for_who_is_denied_goes_and_the_rest_stays() {
    let openings = openings();
    let ask = async |institution: u8| {
        let key = (InstitutionId::from_bytes([institution; 16]), [0; 32]);
        openings.get(key, UnixMillis(0), None, async { Ok(patient(100_000)) }).await.unwrap()
    };
    let (denied, other) = (ask(1).await, ask(2).await);
    openings.forget(|institution| institution == InstitutionId::from_bytes([1; 16]));
    assert!(!Arc::ptr_eq(&denied, &ask(1).await) && Arc::ptr_eq(&other, &ask(2).await));
}
