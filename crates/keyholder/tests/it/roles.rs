//! Who is served what.

use renkei_ids::{CloudId, HeaderDigest, PseudonymEpoch};
use renkei_runtime::Role;
use renkei_wire::ErrorCode;
use renkei_wire::keyholder::MintItem;

use crate::world::{CLOUD, NO_CLOUD, OTHER_CLOUD, World, item, request, today};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrars_mint_and_vaults_fetch_ticket_keys_and_nobody_else_is_let_in() {
    let world = World::new(1, &[]);
    let mint = || request(today(), 1, CLOUD);
    let (registrar, vault) = (world.registrar(), world.vault(CLOUD));
    assert!(world.mint(&registrar, 0, mint()).await.unwrap()[0].is_ok());
    assert!(world.ticket_key(&vault, 0, today()).await.is_ok());

    let code = ErrorCode::RoleNotAllowed;
    assert_eq!(world.mint(&vault, 0, mint()).await.err().unwrap().code, code, "a vault mints nothing");
    assert_eq!(world.ticket_key(&registrar, 0, today()).await.err().unwrap().code, code, "a registrar opens nothing");
    let of_a_cloud = world.identity(CLOUD, Role::Registrar, "one");
    assert_eq!(world.mint(&of_a_cloud, 0, mint()).await.err().unwrap().code, ErrorCode::CloudMismatch);
    for role in [Role::Node, Role::Gateway, Role::Institution, Role::Operator, Role::Keyholder, Role::Loadtest] {
        for cloud in [NO_CLOUD, CLOUD] {
            let tls = world.identity(cloud, role, "9");
            assert_eq!(world.mint(&tls, 0, mint()).await.err().unwrap().code, ErrorCode::Unavailable, "{role}");
            assert_eq!(world.ticket_key(&tls, 0, today()).await.err().unwrap().code, ErrorCode::Unavailable, "{role}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_gets_its_own_clouds_key_only_and_only_if_its_public_key_is_named() {
    let world = World::new(1, &[]);
    let stranger = CloudId::from_bytes([0xC9; 16]);
    let refused = world.ticket_key(&world.vault(stranger), 0, today()).await.err().unwrap();
    assert_eq!(refused.code, ErrorCode::CloudMismatch);
    let [own, other] = [CLOUD, OTHER_CLOUD].map(|cloud| world.vault(cloud));
    let one = world.ticket_key(&own, 0, today()).await.unwrap();
    assert!(one == world.ticket_key(&own, 0, today()).await.unwrap());
    assert!(one.key != world.ticket_key(&other, 0, today()).await.unwrap().key);

    let mut world = World::prepared(1, &[]);
    let named = world.vault(CLOUD);
    let hash: String = named.identity().key_hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let (authority, set) = (&world.authority, vec![format!("clouds.{CLOUD}.vault_keys=[\"{hash}\"]")]);
    let now = renkei_ids::Clock::now(&renkei_runtime::SystemClock::new());
    let dir = world.dir.path().join("named");
    let mut holder = renkei_launch::Keyholder::prepare(authority, &dir, (1, &[CLOUD]), &set, now).unwrap();
    holder.start().unwrap();
    world.holders = vec![holder];
    assert!(world.ticket_key(&named, 0, today()).await.is_ok());
    let unnamed = world.identity(CLOUD, renkei_runtime::Role::Vault, "2");
    assert_eq!(world.ticket_key(&unnamed, 0, today()).await.err().unwrap().code, ErrorCode::RoleNotAllowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_factor_is_refused_item_by_item_and_nothing_of_a_call_is_logged() {
    let world = World::new(1, &[]);
    let registrar = world.registrar();
    let digest = HeaderDigest::from_bytes(*b"planted-token-planted-token-3210");
    let point = |cloud, epoch| MintItem { epoch: PseudonymEpoch(epoch), ..item(cloud, digest) };
    let items =
        vec![point(CLOUD, 1), point(CLOUD, 2), point(CloudId::from_bytes([0xC9; 16]), 1), point(OTHER_CLOUD, 1)];
    let sent: Vec<String> =
        items.iter().map(|item| item.point.encode().iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    let request = renkei_wire::keyholder::MintRequest { day: today(), items };
    let results = world.mint(&registrar, 0, request).await.unwrap();
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().err().map(|refusal| refusal.code)).collect();
    let unknown = Some(ErrorCode::KeyEpochUnknown);
    assert_eq!(codes, [None, unknown, unknown, None]);
    let log = world.log(0);
    assert!(!log.contains("planted") && sent.iter().all(|point| !log.contains(&point[..16])), "{log}");
}
