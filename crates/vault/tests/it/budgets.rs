//! Budgets at their edges.

use std::time::Duration;

use renkei_wire::ErrorCode;

use crate::world::{World, asking};

/// Three a day for each asker, and five through a gateway.
const TIGHT: [&str; 2] = ["budgets.open_asker={minute=1000,day=3}", "budgets.open_cell={minute=1000,day=5}"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_of_a_budget_is_given_and_the_next_is_refused_over_restarts_too() {
    let mut world = World::with(&TIGHT);
    let opened = world.open_as(&world.gateway, vec![asking(1, 7), asking(2, 7)]).await.unwrap();
    assert!(opened.iter().all(Result::is_ok));
    world.restart(true);
    let results = world.open_as(&world.gateway, vec![asking(3, 7), asking(4, 7), asking(1, 8)]).await.unwrap();
    let codes: Vec<_> = results.iter().map(|result| result.as_ref().err().map(|refusal| refusal.code)).collect();
    assert_eq!(codes, [None, Some(ErrorCode::BudgetExhausted), None], "another institution has its own");
    let wait = results[1].as_ref().err().unwrap().retry_after.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(86_400), "{wait:?}");

    world.restart(false);
    assert!(world.open(asking(1, 9)).await.is_ok(), "the fifth through this gateway");
    assert_eq!(world.open(asking(1, 10)).await.err().unwrap().code, ErrorCode::BudgetExhausted);
    let other = world.identity(renkei_runtime::Role::Gateway, "two");
    assert!(world.open_as(&other, vec![asking(1, 10)]).await.unwrap()[0].is_ok());
}
