//! A gateway before a vault of three: it follows the vault that leads.

use std::time::{Duration, Instant};

use renkei_runtime::Role;
use renkei_wire::pb::record::v1::GetDocumentRequest;
use renkei_wire::{ErrorCode, Refusal};

use crate::world::{World, actor, get, patient, put, vaccination};

/// Longest time that an institution may go without an answer when the leading vault is killed.
const GAP_MAX: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_and_reads_go_on_when_the_leading_vault_is_killed() {
    let mut world = World::with_vaults(3, 1, &[]).await;
    let mut client = world.client(Role::Institution, "hospital-a");
    let document = |n: u8| vaccination("2026-03-05", &format!("dose {n}"));
    let (mut stored, mut gap, mut last) = (Vec::new(), Duration::ZERO, Instant::now());
    for n in 0..30 {
        if n == 10 {
            let leader = world.leading_vault().await;
            world.processes.vault_replica(leader).unwrap().kill().unwrap();
            last = Instant::now();
        }
        // A patient whom the gateway has no opening of, so that each put asks the vault twice.
        let reply = put(&mut client, n, &format!("key-{n}"), document(n)).await.unwrap();
        stored.push(reply.reference);
        gap = gap.max(last.elapsed());
        last = Instant::now();
    }
    assert!(gap < GAP_MAX, "no answer for {gap:?}");
    for (n, reference) in (0..).zip(&stored) {
        assert_eq!(get(&mut client, n, reference, 1).await.unwrap(), document(n).as_bytes());
    }
    // With one of three left nobody is opened, and the refusal says so.
    let leader = world.leading_vault().await;
    world.processes.vault_replica(leader).unwrap().kill().unwrap();
    let mut request = tonic::Request::new(GetDocumentRequest {
        patient: patient(200),
        actor: actor(),
        reference: stored[0].clone(),
        version: 1,
    });
    // Told to the gateway only: a client that gave up first would see no refusal.
    request.metadata_mut().insert("grpc-timeout", "3S".parse().unwrap());
    let status = match client.get_document(request).await {
        Ok(reply) => reply.into_inner().message().await.unwrap_err(),
        Err(status) => status,
    };
    let code = Refusal::from_status(&status).unwrap().code;
    assert!(matches!(code, ErrorCode::Unavailable | ErrorCode::OutcomeUnknown | ErrorCode::DeadlineExceeded), "{code}");
}
