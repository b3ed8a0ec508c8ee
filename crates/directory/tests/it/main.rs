//! The directory over real connections: who may publish it, and how soon those who follow know.

#![expect(clippy::unwrap_used, reason = "a step of a test that fails ends the test")]

mod world;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use renkei_access::{Held, Officers, StatementKey};
use renkei_directory::{Followed, Keeper as _};
use renkei_ids::DirectoryVersion;
use renkei_runtime::Role;
use renkei_wire::ErrorCode;
use renkei_wire::directory::{CurrentReply, CurrentRequest};
use renkei_wire::pb::directory::v1 as pb;

use world::{CLINIC, Shelf, World, directory, officers, source};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_publish_what_enough_officers_signed_and_nothing_older() {
    let world = World::new();
    let shelf = Arc::<Shelf>::default();
    let keeper = world.keeper("1", &shelf, officers());
    let code = async |role, directory| world.publish(role, &keeper, &directory).await.map_err(|refusal| refusal.code);

    assert_eq!(code(Role::Operator, directory(5, false, &[1])).await, Err(ErrorCode::DirectoryInvalid));
    assert_eq!(code(Role::Operator, directory(5, false, &[1, 9])).await, Err(ErrorCode::DirectoryInvalid));
    assert_eq!(code(Role::Gateway, directory(5, false, &[1, 2])).await, Err(ErrorCode::RoleNotAllowed));
    assert!(shelf.held().is_none());
    for signers in [[1, 2], [2, 3]] {
        // The second time it is known, whoever signed.
        assert_eq!(code(Role::Operator, directory(5, false, &signers)).await, Ok(DirectoryVersion(5)));
    }
    assert_eq!(code(Role::Operator, directory(4, false, &[1, 2])).await, Err(ErrorCode::DirectoryNotNewer));
    assert_eq!(code(Role::Operator, directory(5, true, &[1, 2])).await, Err(ErrorCode::DirectoryNotNewer));
    assert_eq!(code(Role::Operator, directory(6, true, &[1, 2])).await, Ok(DirectoryVersion(6)));

    let current = async |known| {
        let asked = pb::CurrentRequest::from(CurrentRequest(known));
        let reply = world.client(Role::Gateway, &keeper).current(asked).await.unwrap();
        CurrentReply::try_from(reply.into_inner()).unwrap()
    };
    let newer = CurrentReply::Newer { version: DirectoryVersion(6), directory: directory(6, true, &[1, 2]) };
    assert_eq!(current(None).await, newer);
    assert_eq!(current(Some(DirectoryVersion(5))).await, newer);
    assert_eq!(current(Some(DirectoryVersion(6))).await, CurrentReply::NotNewer(DirectoryVersion(6)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_is_known_in_five_seconds_though_one_keeper_is_behind_and_one_silent() {
    let world = World::new();
    let (ahead, behind) = (Arc::<Shelf>::default(), Arc::<Shelf>::default());
    let keepers = [world.keeper("1", &ahead, officers()), world.keeper("2", &behind, officers())];
    // Takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for keeper in &keepers {
        world.publish(Role::Operator, keeper, &directory(1, false, &[1, 2])).await.unwrap();
    }
    let [one, two] = keepers;
    let sources = [one.clone(), two, source(silent.local_addr().unwrap())];
    let followed = Followed::start(&world.shell(Role::Gateway, "cell"), officers(), &sources);
    assert_eq!(followed.held().unwrap_err().code, ErrorCode::DirectoryMissing);
    let mut changes = followed.changes();
    drop(changes.wait_for(Option::is_some).await.unwrap());
    assert!(!followed.held().unwrap().directory().denies_institution(CLINIC));

    let began = Instant::now();
    world.publish(Role::Operator, &one, &directory(2, true, &[2, 3])).await.unwrap();
    let newer = |held: &Option<Arc<Held>>| held.as_ref().is_some_and(|held| held.directory().version().0 == 2);
    drop(changes.wait_for(newer).await.unwrap());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(followed.held().unwrap().directory().denies_institution(CLINIC));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_that_goes_by_other_officers_is_not_believed() {
    let world = World::new();
    let stranger = Officers::new(1, vec![StatementKey::from_seed(&[9; 32]).verifying_key()]).unwrap();
    let shelf = Arc::<Shelf>::default();
    let keeper = world.keeper("1", &shelf, stranger);
    world.publish(Role::Operator, &keeper, &directory(9, true, &[9])).await.unwrap();
    let followed = Followed::start(&world.shell(Role::Gateway, "cell"), officers(), &[keeper]);
    let heard = tokio::time::timeout(Duration::from_millis(2_500), async { followed.changes().changed().await }).await;
    assert!(heard.is_err(), "nothing is taken");
    assert_eq!(followed.held().unwrap_err().code, ErrorCode::DirectoryMissing);
}
