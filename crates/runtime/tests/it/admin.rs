//! The admin port, by plain HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use renkei_ids::UnixMillis;
use renkei_runtime::{AdminError, AdminServer, MAX_ADMIN_CONNECTIONS, Role, Shell};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::World;

fn serve(shell: &Shell) -> SocketAddr {
    let admin = AdminServer::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = admin.address();
    admin.serve(shell);
    address
}

/// One request on a connection of its own: status and body.
async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    let answer = raw(address, request.as_bytes()).await;
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    // A server that refuses early resets the connection under the writer.
    let _refused = tcp.write_all(request).await;
    let mut answer = Vec::new();
    let _reset = tcp.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn readiness_follows_the_checks_and_liveness_does_not() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let address = serve(&shell);
    let storage = shell.health().register("storage");
    assert_eq!(ask(address, "GET", "/health/live").await.0, 200);
    assert_eq!(ask(address, "GET", "/health/ready").await.0, 503);
    shell.started();
    let (status, body) = ask(address, "GET", "/health/ready").await;
    assert_eq!((status, body.contains(r#""storage":"starting""#)), (503, true), "{body}");
    storage.pass();
    assert_eq!(ask(address, "GET", "/health/ready").await.0, 200);
    storage.fail("disk full");
    let (status, body) = ask(address, "GET", "/health/ready").await;
    assert_eq!((status, body.contains(r#""storage":"disk full""#)), (503, true), "{body}");
    storage.pass();
    shell.tasks().stop();
    assert_eq!(ask(address, "GET", "/health/ready").await.0, 503, "not ready while stopping");
    assert_eq!(ask(address, "GET", "/health/live").await.0, 200, "but alive");
}

#[tokio::test]
async fn metrics_of_every_crate_are_shown() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let address = serve(&shell);
    let counter = prometheus::IntCounter::new("renkei_test_total", "A test's own.").unwrap();
    shell.registry().register(Box::new(counter.clone())).unwrap();
    counter.inc_by(3);
    let (status, body) = ask(address, "GET", "/metrics").await;
    assert_eq!(status, 200);
    assert!(body.contains("renkei_test_total 3"), "{body}");
    assert!(body.contains("renkei_tls_certificate_expiry_seconds"), "{body}");
}

#[tokio::test]
async fn the_clock_is_set_under_a_development_ca() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let address = serve(&shell);
    let before = shell.clock().now();
    assert_eq!(ask(address, "POST", "/clock?offset_ms=-86400000").await.0, 200);
    let UnixMillis(shifted) = shell.clock().now();
    assert!(shifted.abs_diff(before.0 - 86_400_000) < 60_000);
    for bad in ["", "?offset_ms=", "?offset_ms=x", "?offset_ms=9223372036854775807", "?offset_ms=1&x=2", "?ms=1"] {
        assert_eq!(ask(address, "POST", &format!("/clock{bad}")).await.0, 400, "{bad}");
    }
    assert_eq!(ask(address, "GET", "/clock?offset_ms=0").await.0, 405);
    assert!(shell.clock().now().0.abs_diff(shifted) < 60_000, "refusals change nothing");
}

#[tokio::test]
async fn the_clock_is_not_set_under_another_ca() {
    let world = World::production();
    let shell = world.shell(Role::Node, "1");
    let address = serve(&shell);
    let before = shell.clock().now();
    assert_eq!(ask(address, "POST", "/clock?offset_ms=86400000").await.0, 403);
    assert!(shell.clock().now().0.abs_diff(before.0) < 60_000);
}

#[tokio::test]
async fn only_loopback_is_bound() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = AdminServer::bind(address.parse().unwrap());
        assert!(matches!(refused, Err(AdminError::NotLoopback { .. })), "{address}");
    }
}

#[tokio::test]
async fn other_paths_methods_and_long_heads_are_refused() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let address = serve(&shell);
    assert_eq!(ask(address, "GET", "/").await.0, 404);
    assert_eq!(ask(address, "POST", "/metrics").await.0, 405);
    assert_eq!(ask(address, "GET", "/metrics/../clock").await.0, 404);
    let long = format!("GET /health/live HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(64 * 1024));
    let answer = raw(address, long.as_bytes()).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(ask(address, "GET", "/health/live").await.0, 200);
}

#[tokio::test]
async fn silent_connections_are_closed_and_make_room() {
    let world = World::new();
    let shell = world.shell(Role::Node, "1");
    let address = serve(&shell);
    let mut silent = Vec::new();
    for _ in 0..MAX_ADMIN_CONNECTIONS {
        let mut tcp = TcpStream::connect(address).await.unwrap();
        tcp.write_all(b"GET /health/live HT").await.unwrap();
        silent.push(tcp);
    }
    let answer = tokio::time::timeout(Duration::from_secs(15), ask(address, "GET", "/health/live")).await;
    assert_eq!(answer.unwrap().0, 200);
}
