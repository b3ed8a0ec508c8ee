//! Budgets at their edges, over restarts.

use renkei_wire::{ErrorCode, Refusal};

use crate::world::{CLOUD, NO_CLOUD, OTHER_CLOUD, World, request, today};

/// How many of so many points were translated; the refusal of the others.
async fn minted(world: &World, name: &str, cloud: renkei_ids::CloudId, items: usize) -> (usize, Option<Refusal>) {
    let tls = world.identity(NO_CLOUD, renkei_runtime::Role::Registrar, name);
    let results = world.mint(&tls, 0, request(today(), items, cloud)).await.unwrap();
    let granted = results.iter().filter(|result| result.is_ok()).count();
    assert!(results[..granted].iter().all(Result::is_ok), "the first ones");
    (granted, results.into_iter().find_map(Result::err))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_of_a_budget_is_given_and_the_next_is_refused_over_restarts_too() {
    let tight = format!("clouds.{CLOUD}={{minute=1000,day=7}}");
    let mut world = World::new(1, &[&tight]);
    // Midnight would begin a new day.
    let day = today();
    assert_eq!(minted(&world, "one", CLOUD, 3).await, (3, None));
    for kill in [false, true] {
        let process = world.holders[0].process().unwrap();
        if kill {
            process.kill().unwrap();
        } else {
            assert!(process.stop(renkei_launch::STOP_TIMEOUT).unwrap().success());
        }
        world.holders[0].start().unwrap();
        assert_eq!(minted(&world, "one", CLOUD, 2).await, (2, None));
    }
    let (granted, refusal) = minted(&world, "one", CLOUD, 1).await;
    if today() != day {
        println!("SKIPPED: midnight passed, and began a new day's budget");
        return;
    }
    let refusal = refusal.unwrap();
    assert_eq!((granted, refusal.code), (0, ErrorCode::BudgetExhausted));
    let wait = refusal.retry_after.unwrap();
    assert!(wait.as_secs() > 60 && wait.as_secs() <= 86_400, "until midnight: {wait:?}");
    // Others have their own.
    assert_eq!(minted(&world, "two", CLOUD, 8).await.0, 7, "another registrar");
    assert_eq!(minted(&world, "one", OTHER_CLOUD, 8).await.0, 8, "another cloud");
}
