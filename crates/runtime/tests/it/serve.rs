//! Calls over mutual TLS, and what happens to them when the process stops.

use std::time::Duration;

use renkei_runtime::{Http2, Role, serve_grpc, serve_routes};
use tokio::net::TcpStream;
use tonic::service::Routes;

use crate::echo::{Echo, WAIT, call};
use crate::world::{World, admit, expect, listener};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_handler_knows_its_caller() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let tls = shell.tls().server(admit(&[Role::Gateway]));
    serve_grpc(&shell, "test", listener, tls, Http2::CALLS, Echo::new());
    let client = world.tls(Role::Gateway, "cell-1");
    let answer = call(client.channel(&address, expect(Role::Node, "1"), Http2::CALLS), "hello").await.unwrap();
    assert_eq!(answer, format!("{} says hello", client.identity()));
}

#[tokio::test]
async fn shutdown_answers_the_call_in_flight_and_takes_no_other() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let tls = shell.tls().server(admit(&[Role::Gateway]));
    let echo = Echo::new();
    let serving = serve_grpc(&shell, "test", listener, tls, Http2::CALLS, echo.clone());
    let client = world.tls(Role::Gateway, "c");
    let connect = || client.channel(&address, expect(Role::Node, "1"), Http2::CALLS);

    let in_flight = call(connect(), WAIT);
    let rest = async {
        echo.waiting.acquire().await.unwrap().forget();
        shell.tasks().stop();
        // The listener closes as soon as its task is dropped; until then a connection is accepted by the kernel.
        while TcpStream::connect(address.host_and_port()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let early = tokio::time::timeout(Duration::from_millis(200), serving.drained()).await;
        assert!(early.is_err(), "not drained while a call is in flight");
        assert!(call(connect(), "late").await.is_err());
        echo.gate.add_permits(1);
    };
    let (answer, ()) = tokio::time::timeout(LIMIT, async { tokio::join!(in_flight, rest) }).await.unwrap();
    assert!(answer.unwrap().ends_with("says wait"));
    tokio::time::timeout(LIMIT, serving.drained()).await.unwrap();
}

#[tokio::test]
async fn peers_that_never_shake_hands_delay_nobody() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let tls = shell.tls().server(admit(&[Role::Gateway]));
    serve_grpc(&shell, "test", listener, tls, Http2::CALLS, Echo::new());
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(address.host_and_port()).await.unwrap());
    }
    let client = world.tls(Role::Gateway, "c");
    let channel = client.channel(&address, expect(Role::Node, "1"), Http2::CALLS);
    tokio::time::timeout(Duration::from_secs(2), call(channel, "hello")).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refused_peer_is_counted_and_the_next_one_is_served() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let tls = shell.tls().server(admit(&[Role::Gateway]));
    serve_grpc(&shell, "test", listener, tls, Http2::CALLS, Echo::new());
    let connect = |role| world.tls(role, "x").channel(&address, expect(Role::Node, "1"), Http2::CALLS);
    assert!(call(connect(Role::Institution), "hello").await.is_err());
    call(connect(Role::Gateway), "hello").await.unwrap();
    let metrics = shell.registry().gather();
    let failures = metrics.iter().find(|family| family.name() == "renkei_handshake_failures_total").unwrap();
    assert!(failures.get_metric()[0].get_label().iter().any(|label| label.value() == "other_role"));
}

#[tokio::test]
async fn a_routed_service_answers_unknown_paths_with_unimplemented() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let tls = shell.tls().server(admit(&[Role::Gateway]));
    serve_routes(&shell, "test", listener, tls, Http2::LANES, Routes::default());
    let channel = world.tls(Role::Gateway, "c").channel(&address, expect(Role::Node, "1"), Http2::LANES);
    assert_eq!(call(channel, "hello").await.unwrap_err().code(), tonic::Code::Unimplemented);
}
