//! Who gets through a handshake, and who does not.

use std::sync::Arc;
use std::time::Duration;

use renkei_ids::CloudId;
use renkei_launch::Leaf;
use renkei_runtime::{
    Admit, ClientStream, ConnectError, Development, HANDSHAKE_TIMEOUT, HandshakeError, Http2, PeerIdentity, Role,
    ServerTls, SystemClock, Tls, TlsError, bind,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use crate::world::{HOUR, World, admit, cloud, expect, listener, now};

/// What the accepting side made of the next connection.
async fn accept(listener: &TcpListener, server: &ServerTls) -> Result<PeerIdentity, HandshakeError> {
    let (tcp, _) = listener.accept().await.unwrap();
    server.accept(tcp).await.map(|stream| stream.peer().clone())
}

/// Both sides of one connection from `client` to a server that admits `admit`.
async fn meet(
    client: &Tls,
    server: &Tls,
    admit: Admit,
) -> (Result<ClientStream, ConnectError>, Result<PeerIdentity, HandshakeError>) {
    let (listener, address) = listener();
    let server = server.server(admit);
    let expected = expect(Role::Node, "1");
    tokio::join!(client.connect(&address, &expected), accept(&listener, &server))
}

#[tokio::test]
async fn both_sides_learn_who_the_other_is() {
    let world = World::new();
    let (client, server) = (world.tls(Role::Gateway, "cell-1"), world.tls(Role::Node, "1"));
    let (connected, accepted) = meet(&client, &server, admit(&[Role::Gateway])).await;
    let stream = connected.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::X25519MLKEM768);
    let peer = accepted.unwrap();
    assert_eq!(peer, client.identity());
    assert_eq!((peer.cloud, peer.role, &*peer.name), (cloud(), Role::Gateway, "cell-1"));
    assert!(peer.expires > now());
    assert_ne!(peer.key_hash, server.identity().key_hash);
}

#[tokio::test]
async fn roles_and_clouds_that_are_not_admitted_are_refused() {
    let world = World::new();
    let (client, server) = (world.tls(Role::Gateway, "cell-1"), world.tls(Role::Node, "1"));
    let (_, refused) = meet(&client, &server, admit(&[Role::Node, Role::Vault])).await;
    assert!(matches!(refused, Err(HandshakeError::OtherRole { peer }) if peer.role == Role::Gateway));
    let other = Admit { cloud: Some(CloudId::from_bytes([9; 16])), roles: &[Role::Gateway] };
    let (_, refused) = meet(&client, &server, other).await;
    assert!(matches!(refused, Err(HandshakeError::OtherCloud { .. })));
    let (_, taken) = meet(&client, &server, Admit { cloud: None, roles: &[Role::Gateway] }).await;
    assert!(taken.is_ok());
}

#[tokio::test]
async fn a_client_refuses_a_server_that_is_someone_else() {
    let world = World::new();
    let client = world.tls(Role::Gateway, "cell-1");
    for (role, name) in [(Role::Node, "2"), (Role::Vault, "1")] {
        let (refused, _) = meet(&client, &world.tls(role, name), admit(&[Role::Gateway])).await;
        assert!(matches!(&refused, Err(ConnectError::OtherPeer { actual, .. }) if actual.role == role), "{refused:?}");
    }
}

#[tokio::test]
async fn a_certificate_must_name_the_host_that_was_asked_for() {
    let world = World::new();
    let (client, server) = (world.tls(Role::Gateway, "c"), world.tls(Role::Node, "1"));
    // Also loopback, and not in the certificate.
    let listener = bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap().to_string().parse().unwrap();
    let server = server.server(admit(&[Role::Gateway]));
    let expected = expect(Role::Node, "1");
    let (refused, accepted) = tokio::join!(client.connect(&address, &expected), accept(&listener, &server));
    assert!(matches!(refused, Err(ConnectError::Tls { .. })), "{refused:?}");
    assert!(accepted.is_err());
}

#[tokio::test]
async fn certificates_of_another_authority_are_refused_by_both_sides() {
    let (ours, theirs) = (World::new(), World::new());
    let (client, server) = (theirs.tls(Role::Gateway, "c"), ours.tls(Role::Node, "1"));
    let (refused, also) = meet(&client, &server, admit(&[Role::Gateway])).await;
    assert!(matches!(refused, Err(ConnectError::Tls { .. })), "{refused:?}");
    assert!(matches!(also, Err(HandshakeError::Tls { .. })), "{also:?}");
    // A client that trusts the server, with a certificate that the server does not trust.
    let mut files = theirs.files(Role::Gateway, "c");
    files.ca = ours.authority.authority_file();
    let client = Tls::load(&files, Arc::new(SystemClock::new())).unwrap();
    let (_, refused) = meet(&client, &server, admit(&[Role::Gateway])).await;
    assert!(matches!(refused, Err(HandshakeError::Tls { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_authority_that_is_opened_again_is_the_same_to_its_peers() {
    let world = World::new();
    let server = world.tls(Role::Node, "1");
    let opened = renkei_launch::Authority::open(world.dir.path(), now()).unwrap();
    let files = opened.issue(&Leaf::local(cloud(), Role::Gateway, "later", now())).unwrap();
    let client = Tls::load(&files, Arc::new(SystemClock::new())).unwrap();
    let (connected, accepted) = meet(&client, &server, admit(&[Role::Gateway])).await;
    assert!(connected.is_ok(), "{connected:?}");
    assert_eq!(&*accepted.unwrap().name, "later");
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_the_verifiers_clock() {
    let world = World::new();
    let mut leaf = Leaf::local(cloud(), Role::Gateway, "c", now());
    leaf.ends = now().plus_millis(HOUR);
    let client = Tls::load(&world.authority.issue(&leaf).unwrap(), Arc::new(SystemClock::new())).unwrap();
    let clock = Arc::new(SystemClock::new());
    let server = Tls::load(&world.files(Role::Node, "1"), clock.clone()).unwrap();
    let (_, taken) = meet(&client, &server, admit(&[Role::Gateway])).await;
    assert!(taken.is_ok(), "{taken:?}");
    let proof: Development = server.development().unwrap();
    clock.set_offset(proof, i64::try_from(2 * HOUR).unwrap()).unwrap();
    let (_, refused) = meet(&client, &server, admit(&[Role::Gateway])).await;
    assert!(matches!(refused, Err(HandshakeError::Tls { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let world = World::new();
    let server = world.tls(Role::Node, "1").server(admit(&Role::ALL));
    let refused = stranger(&world, &server, &[b"h2"]).await;
    assert!(matches!(refused, Err(HandshakeError::Tls { .. })), "{refused:?}");
}

#[tokio::test]
async fn another_application_protocol_is_refused() {
    let world = World::new();
    let server = world.tls(Role::Node, "1").server(admit(&Role::ALL));
    let refused = stranger(&world, &server, &[b"http/1.1"]).await;
    assert!(matches!(refused, Err(HandshakeError::Tls { .. })), "{refused:?}");
    let client = world.tls(Role::Gateway, "c");
    let (_, taken) = meet(&client, &world.tls(Role::Node, "1"), admit(&[Role::Gateway])).await;
    assert!(taken.is_ok(), "the same with h2 is taken: {taken:?}");
}

/// A handshake by a client that trusts the authority and shows no certificate.
async fn stranger(world: &World, server: &ServerTls, alpn: &[&[u8]]) -> Result<PeerIdentity, HandshakeError> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.authority.authority_file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let (listener, address) = listener();
    let connector = TlsConnector::from(Arc::new(config));
    let tcp = TcpStream::connect(address.host_and_port()).await.unwrap();
    let name = address.server_name().clone();
    let client = async {
        // With TLS 1.3 the client is through before the server has seen that the certificate is missing.
        if let Ok(mut stream) = connector.connect(name, tcp).await {
            let _refused = stream.read(&mut [0; 1]).await;
        }
    };
    tokio::join!(client, accept(&listener, server)).1
}

/// A TLS 1.2 ClientHello, by hand: our own build of rustls cannot speak it.
fn tls12_client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    // TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 and _128_
    body.extend([0, 4, 0xC0, 0x2C, 0xC0, 0x2B]);
    body.extend([1, 0]);
    // supported_groups: secp256r1; signature_algorithms: ecdsa_secp256r1_sha256; ec_point_formats: uncompressed
    let extensions: &[u8] = &[0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3, 0, 11, 0, 2, 1, 0];
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(body.len() + 4).unwrap().to_be_bytes());
    record.extend([1, 0]);
    record.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    record.extend(body);
    record
}

#[tokio::test]
async fn tls_1_2_is_refused() {
    let world = World::new();
    let server = world.tls(Role::Node, "1").server(admit(&Role::ALL));
    let (listener, address) = listener();
    let mut tcp = TcpStream::connect(address.host_and_port()).await.unwrap();
    tcp.write_all(&tls12_client_hello()).await.unwrap();
    let refused = accept(&listener, &server).await;
    assert!(matches!(refused, Err(HandshakeError::Tls { .. })), "{refused:?}");
    let mut alert = Vec::new();
    tcp.read_to_end(&mut alert).await.unwrap();
    // Fatal alert 70, protocol_version (RFC 8446, 6).
    assert_eq!(alert, [21, 3, 3, 0, 2, 2, 70]);
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_given_up() {
    let world = World::new();
    let server = world.tls(Role::Node, "1").server(admit(&Role::ALL));
    let (listener, address) = listener();
    let _silent = TcpStream::connect(address.host_and_port()).await.unwrap();
    let within = HANDSHAKE_TIMEOUT + Duration::from_secs(5);
    let refused = tokio::time::timeout(within, accept(&listener, &server)).await.unwrap();
    assert!(matches!(refused, Err(HandshakeError::TimedOut)), "{refused:?}");
}

#[tokio::test]
async fn nobody_listening_is_told_from_a_refusal() {
    let world = World::new();
    let (listener, address) = listener();
    drop(listener);
    let refused = world.tls(Role::Gateway, "c").connect(&address, &expect(Role::Node, "1")).await;
    assert!(matches!(refused, Err(ConnectError::Tcp { .. })), "{refused:?}");
    let channel = world.tls(Role::Gateway, "c").channel(&address, expect(Role::Node, "1"), Http2::CALLS);
    assert!(crate::echo::call(channel, "hello").await.is_err());
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let world = World::new();
    let clock = || Arc::new(SystemClock::new());
    let one = world.files(Role::Node, "1");
    let two = world.files(Role::Node, "2");
    let mut mixed = one.clone();
    mixed.key = two.key;
    assert!(matches!(Tls::load(&mixed, clock()), Err(TlsError::KeyPair { .. })));
    let mut no_ca = one.clone();
    no_ca.ca = world.dir.path().join("none.pem");
    assert!(matches!(Tls::load(&no_ca, clock()), Err(TlsError::Read { .. })));
    let mut not_pem = one.clone();
    not_pem.certificate = one.key.clone();
    assert!(matches!(Tls::load(&not_pem, clock()), Err(TlsError::Empty { .. })));
    let mut nameless = one;
    nameless.certificate = world.authority.authority_file();
    assert!(matches!(Tls::load(&nameless, clock()), Err(TlsError::Identity { .. })));
    let mut past = Leaf::local(cloud(), Role::Node, "3", now());
    past.ends = renkei_ids::UnixMillis(now().0 - HOUR);
    assert!(matches!(Tls::load(&world.authority.issue(&past).unwrap(), clock()), Err(TlsError::Expired { .. })));
}

#[test]
fn an_exposed_key_file_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let files = world.files(Role::Node, "1");
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Tls::load(&files, Arc::new(SystemClock::new())), Err(TlsError::Key { .. })));
}

#[test]
fn a_development_ca_is_known_by_its_mark_and_not_mixed() {
    let (development, production) = (World::new(), World::production());
    assert!(development.tls(Role::Node, "1").is_development());
    assert!(!production.tls(Role::Node, "1").is_development());
    let mut files = production.files(Role::Node, "1");
    let both = [&production, &development]
        .map(|world| std::fs::read_to_string(world.authority.authority_file()).unwrap())
        .concat();
    files.ca = production.dir.path().join("both.pem");
    std::fs::write(&files.ca, both).unwrap();
    assert!(matches!(Tls::load(&files, Arc::new(SystemClock::new())), Err(TlsError::MixedAuthorities { .. })));
}
