//! Many connections that do nothing, many calls on one, and heads without end: bounded, and the next caller is served.

use std::time::Duration;

use futures::future::join_all;
use http::uri::PathAndQuery;
use renkei_runtime::{Http2, MAX_HEADER_LIST_BYTES, Role, Shell, serve_grpc};
use tonic::Request;
use tonic_prost::ProstCodec;

use crate::echo::{Echo, WAIT, call};
use crate::world::{World, admit, expect, listener};

const LIMIT: Duration = Duration::from_secs(30);
/// Connections of one process, both ends of each: below the usual limit of 1,024 descriptors.
const IDLE: usize = 300;
/// Streams of one connection.
const STREAMS: u32 = 8;

/// An echo, and the gauge of its open connections.
fn serve(world: &World, http2: Http2) -> (Shell, Echo, renkei_runtime::Address) {
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let (tls, echo) = (shell.tls().server(admit(&[Role::Gateway])), Echo::new());
    serve_grpc(&shell, "test", listener, tls, http2, echo.clone());
    (shell, echo, address)
}

fn open_connections(shell: &Shell) -> f64 {
    let metrics = shell.registry().gather();
    let family = metrics.iter().find(|family| family.name() == "renkei_connections_open").unwrap();
    family.get_metric()[0].get_gauge().get_value()
}

#[tokio::test]
async fn connections_that_do_nothing_are_held_and_counted_and_delay_nobody() {
    let world = World::new();
    let (shell, _echo, address) = serve(&world, Http2::CALLS);
    let client = world.tls(Role::Gateway, "c");
    let idle: Vec<_> = (0..IDLE).map(|_| client.channel(&address, expect(Role::Node, "1"), Http2::CALLS)).collect();
    for some in idle.chunks(50) {
        let answers = join_all(some.iter().map(|channel| call(channel.clone(), "hello"))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
    assert!(open_connections(&shell) >= IDLE as f64);
    let next = client.channel(&address, expect(Role::Node, "1"), Http2::CALLS);
    tokio::time::timeout(Duration::from_secs(5), call(next, "hello")).await.unwrap().unwrap();
    drop(idle);
    let closed = async {
        while open_connections(&shell) > 1.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, closed).await.expect("a connection that was closed keeps its place");
}

#[tokio::test]
async fn calls_over_the_streams_of_a_connection_wait_their_turn() {
    let world = World::new();
    let http2 = Http2 { max_streams: STREAMS, ..Http2::CALLS };
    let (_shell, echo, address) = serve(&world, http2);
    let client = world.tls(Role::Gateway, "c");
    let channel = client.channel(&address, expect(Role::Node, "1"), http2);
    // The first call brings the settings of the server.
    call(channel.clone(), "hello").await.unwrap();
    let calls = join_all((0..3 * STREAMS).map(|_| call(channel.clone(), WAIT)));
    let gate = async {
        while echo.waiting.available_permits() < STREAMS as usize {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Time for more of them, if more could come.
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(echo.waiting.available_permits(), STREAMS as usize, "one for each stream, and no more");
        echo.gate.add_permits(3 * STREAMS as usize);
    };
    let (answers, ()) = tokio::time::timeout(LIMIT, async { tokio::join!(calls, gate) }).await.unwrap();
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused_and_its_connection_goes_on() {
    let world = World::new();
    let (_shell, _echo, address) = serve(&world, Http2::CALLS);
    let client = world.tls(Role::Gateway, "c");
    let channel = client.channel(&address, expect(Role::Node, "1"), Http2::CALLS);
    let with_head = |bytes: usize| {
        let mut client = tonic::client::Grpc::new(channel.clone());
        async move {
            client.ready().await.unwrap();
            let mut request = Request::new("hello".to_owned());
            request.metadata_mut().insert("x-head", "h".repeat(bytes).parse().unwrap());
            let codec: ProstCodec<String, String> = ProstCodec::default();
            client.unary(request, PathAndQuery::from_static("/echo.Echo/Call"), codec).await
        }
    };
    let most = MAX_HEADER_LIST_BYTES as usize;
    with_head(most / 2).await.unwrap();
    assert!(with_head(2 * most).await.is_err(), "a head of any size is read");
    call(channel, "hello").await.unwrap();
}
