//! A flood of what is denied before anything is decided is one line of the process's log.

use renkei_envelope::Category;
use renkei_wire::ErrorCode;
use renkei_wire::vault::PutItem;

use crate::world::{World, asking, month};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_openings_that_do_not_read_is_told_as_one_number() {
    let mut world = World::new();
    let opened = world.open(asking(1, 7)).await.unwrap();
    let mut forged = opened.opening.to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let item =
        PutItem { opening: forged.into(), category: Category::Prescription, month: month(2025, 3), replaces: None };
    for _ in 0..10 {
        let results = world.puts(&world.gateway, vec![item.clone(); 64]).await.unwrap();
        assert!(results.iter().all(|result| result.as_ref().is_err_and(|r| r.code == ErrorCode::OpeningInvalid)));
    }
    // Stopped, so that it tells what it has gathered.
    world.restart(false);
    let log = std::fs::read_to_string(world.log(1)).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("requests denied")).collect();
    let [line] = told[..] else { panic!("{told:?}") };
    assert!(line.contains("opening_invalid") && line.contains("640") && line.contains("one"), "{line}");
}
