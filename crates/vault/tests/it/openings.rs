//! Opening patients.

use renkei_access::{Evidence, Purpose, Scope};
use renkei_ids::RequestId;
use renkei_runtime::Role;
use renkei_wire::ErrorCode;
use renkei_wire::vault::{OpenStubsReply, OpenStubsRequest, Opened, SealedStub};

use crate::world::{DEADLINE, World, asking};

/// What of an opening is the same each time.
pub(crate) fn constant(opened: &Opened) -> impl PartialEq + use<> {
    let Opened { pid, classes, institution, binding, reference_key, .. } = opened.clone();
    (pid, classes, institution, binding, reference_key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_stays_the_same_over_restarts_and_kills() {
    let mut world = World::new();
    let first = world.open(asking(1, 7)).await.unwrap();
    let other = world.open(asking(2, 7)).await.unwrap();
    assert!(first.pid != other.pid && first.classes != other.classes);
    for kill in [false, true] {
        world.restart(kill);
        let again = world.open(asking(1, 7)).await.unwrap();
        assert!(constant(&again) == constant(&first), "killed: {kill}");
        assert!(again.capability != first.capability);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_first_openings_end_in_one_patient() {
    let world = World::new();
    let racing: Vec<_> = (0..8).map(|_| world.open_as(&world.gateway, vec![asking(1, 7), asking(1, 7)])).collect();
    let mut pids = Vec::new();
    for opened in futures::future::join_all(racing).await {
        pids.extend(opened.unwrap().into_iter().map(|opened| opened.unwrap().pid));
    }
    assert_eq!(pids.len(), 16);
    assert!(pids.iter().all(|pid| *pid == pids[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capability_names_the_gateway_that_asked_and_what_it_asked_for() {
    let world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let capability = world.verified(&opened.capability);
    assert_eq!(capability.gateway, world.gateway_key());
    assert_eq!((capability.pid, capability.institution), (opened.pid, opened.institution));
    assert_eq!(capability.classes, opened.classes.iter().map(|grant| grant.tag).collect::<Vec<_>>());
    assert_eq!(capability.scope, Scope::READ.with(Scope::AUDIT), "writes and deletes get capabilities of their own");
    assert_eq!(capability.expires, opened.expires);
    assert!(opened.classes.iter().all(|grant| grant.keys.iter().map(|(year, _)| *year).eq(2022..=2026)));

    let mut elsewhere = asking(1, 8);
    elsewhere.scope = Scope::WRITE;
    let elsewhere = world.open(elsewhere).await.unwrap();
    assert_eq!(elsewhere.pid, opened.pid);
    assert!(elsewhere.institution != opened.institution && elsewhere.reference_key != opened.reference_key);
    assert!(elsewhere.classes.iter().all(|grant| grant.keys.is_empty()), "who does not read gets no keys to read");
    assert_eq!(world.verified(&elsewhere.capability).scope, Scope::NONE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_bounds_what_is_opened() {
    let world = World::new();
    let asked = |evidence, purpose, scope| {
        let mut item = asking(1, 7);
        (item.evidence, item.purpose, item.scope) = (evidence, purpose, scope);
        world.open(item)
    };
    let insufficient = |refused: Result<Opened, renkei_wire::Refusal>| {
        assert_eq!(refused.unwrap_err().code, ErrorCode::EvidenceInsufficient);
    };
    insufficient(asked(Evidence::MemberId, Purpose::Care, Scope::READ).await);
    insufficient(asked(Evidence::Unconscious, Purpose::Care, Scope::READ).await);
    insufficient(asked(Evidence::Card, Purpose::Repair, Scope::READ).await);
    assert!(asked(Evidence::MemberId, Purpose::Care, Scope::WRITE).await.is_ok());
    assert!(asked(Evidence::Unconscious, Purpose::Emergency, Scope::READ).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_has_64_items_at_most() {
    let world = World::new();
    let items = |count: u8| (0..count).map(|patient| asking(patient, 7)).collect::<Vec<_>>();
    let opened = world.open_as(&world.gateway, items(64)).await.unwrap();
    assert_eq!(opened.iter().filter(|result| result.is_ok()).count(), 64);
    let refusal = world.open_as(&world.gateway, items(65)).await.unwrap_err();
    assert_eq!((refusal.code, refusal.field.unwrap().as_str()), (ErrorCode::TooLarge, "items"));
    assert_eq!(world.open_as(&world.gateway, items(0)).await.unwrap_err().code, ErrorCode::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_role_but_a_gateway_is_served() {
    let world = World::new();
    for role in [Role::Node, Role::Institution, Role::Operator, Role::Registrar, Role::Vault, Role::Loadtest] {
        let tls = world.identity(role, "1");
        let request = renkei_wire::pb::vault::v1::OpenInsecureRequest::default();
        assert!(world.client(&tls, 1).open_insecure(request).await.is_err(), "{role}");
        let request = renkei_wire::pb::vault::v1::PutsRequest::default();
        assert!(world.client(&tls, 1).puts(request).await.is_err(), "{role}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_institution_opens_the_stubs_that_it_caused_and_no_others() {
    let world = World::new();
    let (own, others) = (world.open(asking(1, 7)).await.unwrap(), world.open(asking(1, 8)).await.unwrap());
    let another = world.open(asking(2, 7)).await.unwrap();
    let stub = |opened: &Opened| {
        let capability = world.verified(&opened.capability);
        SealedStub { capability: capability.id, stub: capability.stub }
    };
    let stubs = vec![stub(&own), stub(&others), stub(&another), SealedStub { stub: vec![7; 95].into(), ..stub(&own) }];
    let request = OpenStubsRequest {
        request: RequestId::from_bytes([1; 16]),
        deadline: DEADLINE,
        opening: own.opening.clone(),
        stubs,
    };
    let OpenStubsReply(opened) = world.stubs(request.clone()).await.unwrap();
    assert!(opened[1..].iter().all(Option::is_none));
    let opened = opened[0].as_ref().unwrap();
    assert_eq!((opened.purpose, opened.evidence, opened.cell), (Purpose::Care, Evidence::Card, world.gateway_key()));
    assert!(opened.stub_key == own.stub_key);

    let mut read_only = asking(1, 7);
    read_only.scope = Scope::READ;
    let opening = world.open(read_only).await.unwrap().opening;
    let refused = world.stubs(OpenStubsRequest { opening, ..request }).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::OpeningScope);
}
