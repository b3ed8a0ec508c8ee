//! Certificates change under a running process.

use std::fs;
use std::sync::Arc;

use renkei_runtime::{Http2, Role, SystemClock, Tls, TlsError, serve_grpc};
use tonic::transport::Channel;

use crate::echo::{Echo, call};
use crate::world::{World, admit, expect, listener};

/// A server `node 1` with the echo, and a way to make channels to it.
fn serve(world: &World) -> (Tls, impl Fn() -> Channel) {
    let shell = world.shell(Role::Node, "1");
    let (listener, address) = listener();
    let tls = shell.tls().clone();
    serve_grpc(&shell, "test", listener, tls.server(admit(&[Role::Gateway])), Http2::CALLS, Echo::new());
    let client = world.tls(Role::Gateway, "c");
    (tls, move || client.channel(&address, expect(Role::Node, "1"), Http2::CALLS))
}

#[tokio::test]
async fn new_connections_get_the_new_certificate_while_old_ones_live() {
    let world = World::new();
    let (tls, connect) = serve(&world);
    let old = connect();
    call(old.clone(), "before").await.unwrap();
    let before = tls.identity();

    world.files(Role::Node, "1");
    assert_eq!(tls.identity(), before, "files alone change nothing");
    tls.reload().unwrap();
    let after = tls.identity();
    assert_ne!(after.key_hash, before.key_hash);

    call(old, "on the old connection").await.unwrap();
    call(connect(), "on a new one").await.unwrap();
}

#[tokio::test]
async fn a_new_connection_sees_the_reloaded_key() {
    let world = World::new();
    let (listener, address) = listener();
    let node = world.tls(Role::Node, "1");
    let server = node.server(admit(&[Role::Gateway]));
    let client = world.tls(Role::Gateway, "c");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let expected = expect(Role::Node, "1");
        let (stream, accepted) = tokio::join!(client.connect(&address, &expected), async {
            server.accept(listener.accept().await.unwrap().0).await
        });
        accepted.unwrap();
        seen.push(stream.unwrap().get_ref().1.peer_certificates().unwrap()[0].clone());
        world.files(Role::Node, "1");
        node.reload().unwrap();
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn bad_files_leave_the_old_certificate_in_force() {
    let world = World::new();
    let (tls, connect) = serve(&world);
    let before = tls.identity();
    let files = world.files(Role::Node, "1");
    let good = fs::read(&files.key).unwrap();
    for bad in [&b""[..], b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", b"\xFF\xFE"] {
        fs::write(&files.key, bad).unwrap();
        assert!(tls.reload().is_err());
        assert_eq!(tls.identity(), before);
        call(connect(), "still served").await.unwrap();
    }
    fs::write(&files.key, good).unwrap();
    tls.reload().unwrap();
    assert_ne!(tls.identity(), before);
}

#[test]
fn a_reload_does_not_make_another_of_a_process() {
    let world = World::new();
    let files = world.files(Role::Node, "1");
    let tls = Tls::load(&files, Arc::new(SystemClock::new())).unwrap();
    let two = world.files(Role::Node, "2");
    fs::copy(&two.certificate, &files.certificate).unwrap();
    fs::copy(&two.key, &files.key).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::OtherIdentity { .. })));

    let production = World::production();
    let theirs = production.files(Role::Node, "1");
    for (from, to) in [(&theirs.certificate, &files.certificate), (&theirs.key, &files.key), (&theirs.ca, &files.ca)] {
        fs::copy(from, to).unwrap();
    }
    assert!(matches!(tls.reload(), Err(TlsError::OtherKindOfAuthority)));
    assert!(tls.is_development());
}
