//! Who is let in, and whose capability counts.

use std::time::Duration;

use renkei_access::{Evidence, Period, Purpose, Scope, SignedCapability};
use renkei_envelope::{Class, Pseudonym};
use renkei_ids::{Clock as _, MonthBucket};
use renkei_ids::{CloudId, InstitutionId, NodeId, RequestId, SlotEpoch};
use renkei_launch::{Authority, Leaf};
use renkei_runtime::{Role, SystemClock, Tls};
use renkei_wire::pb::node::v1 as node_pb;
use renkei_wire::pb::vault::v1 as vault_pb;
use renkei_wire::vault::{Batch, InsecureOpening, Opened, PutGrant, PutItem, Results};
use renkei_wire::{
    ErrorCode, ListAudit, NodeReply, NodeRequest, NodeServiceClient, Operation, Refusal, VaultServiceClient,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::world::{Client, World, channel, put, query, timeline, tls, tls_of_process, until, vaccination};

const DEADLINE: Duration = Duration::from_secs(10);

async fn open(world: &World, gateway: &Tls) -> Opened {
    let at = world.processes.vault_address().unwrap().to_string();
    let opening = InsecureOpening {
        pseudonym: Pseudonym::from_bytes([0x77; 32]),
        institution: InstitutionId::from_bytes([0x1A; 16]),
        purpose: Purpose::Care,
        evidence: Evidence::Card,
        classes: Class::every().collect(),
        period: Period { from: MonthBucket::new(2026, 1).unwrap(), to: MonthBucket::new(2026, 12).unwrap() },
        scope: Scope::READ.with(Scope::WRITE).with(Scope::AUDIT),
    };
    let request = RequestId::from_bytes([1; 16]);
    let batch = Batch { request, deadline: DEADLINE, items: vec![opening] };
    let mut client = VaultServiceClient::new(channel(gateway, &at, Role::Vault));
    let reply = client.open_insecure(vault_pb::OpenInsecureRequest::from(batch)).await.unwrap().into_inner();
    let Results(mut opened) = reply.try_into().unwrap();
    opened.pop().unwrap().unwrap()
}

async fn grant(world: &World, gateway: &Tls, opened: &Opened) -> Result<PutGrant, Refusal> {
    let at = world.processes.vault_address().unwrap().to_string();
    let item = PutItem {
        opening: opened.opening.clone(),
        category: renkei_envelope::Category::Vaccination,
        month: MonthBucket::new(2026, 3).unwrap(),
        replaces: None,
    };
    let batch = Batch { request: RequestId::from_bytes([2; 16]), deadline: DEADLINE, items: vec![item] };
    let mut client = VaultServiceClient::new(channel(gateway, &at, Role::Vault));
    let reply = client.puts(vault_pb::PutsRequest::from(batch)).await.unwrap().into_inner();
    let Results(mut granted) = reply.try_into().unwrap();
    granted.pop().unwrap()
}

/// Presents a capability to the node.
async fn present(world: &World, gateway: &Tls, capability: &SignedCapability) -> Result<NodeReply, Refusal> {
    let at = world.processes.addresses()[&NodeId(1)].to_string();
    let request = NodeRequest {
        request: RequestId::from_bytes([3; 16]),
        deadline: DEADLINE,
        slot_epoch: SlotEpoch(1),
        capability: capability.clone(),
        actor: bytes::Bytes::from_static(b"sealed actor"),
        operation: Operation::ListAudit(ListAudit { after: renkei_ids::AuditSeq(0), max_rows: 10 }),
    };
    let mut client = NodeServiceClient::new(channel(gateway, &at, Role::Node));
    let reply = client.execute(node_pb::Request::from(request)).await;
    reply.map(|reply| reply.into_inner().try_into().unwrap()).map_err(|status| Refusal::from_status(&status).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_opened_for_one_gateway_is_refused_to_the_other_both_ways() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    put(&mut client, 1, "led", vaccination("2026-03-05", "x")).await.unwrap();
    // The very certificate that the running gateway uses, and another one of the cloud.
    let one = tls_of_process(&world.dir().join("certs"), "gateway-one");
    let two = tls(&world.processes.issue(Role::Gateway, "two").unwrap());
    for (holder, thief) in [(&one, &two), (&two, &one)] {
        let opened = open(&world, holder).await;
        until(async || match present(&world, holder, &opened.capability).await {
            Ok(_) => Some(()),
            // The slot's group may still be electing its leader.
            Err(refusal) => refusal.retry_after.is_none().then(|| panic!("its own gateway: {refusal:?}")),
        })
        .await;
        let refused = present(&world, thief, &opened.capability).await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (ErrorCode::CapabilityOtherGateway, None));
        assert!(grant(&world, holder, &opened).await.is_ok());
        let refused = grant(&world, thief, &opened).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::OpeningOtherGateway);
    }
}

/// Asks for a timeline, which every institution may: what the gateway makes of the caller shows.
async fn ask(client: &mut Client) -> Result<(), tonic::Status> {
    client.query_timeline(query(1, vec![])).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn certificates_of_other_clouds_authorities_and_roles_and_expired_ones_are_refused() {
    let world = World::founded().await;
    let mut client = world.client(Role::Institution, "hospital-a");
    put(&mut client, 1, "first", vaccination("2026-03-05", "x")).await.unwrap();
    let clock = SystemClock::new();
    let certs = world.dir().join("certs");
    let leaf = |cloud, role| Leaf::local(cloud, role, "hospital-b", clock.now());
    let authority = Authority::open(&certs, clock.now()).unwrap();

    // Another cloud's authority; our own is trusted by the caller, so that it is the gateway that refuses.
    let foreign_dir = tempfile::tempdir().unwrap();
    let foreign = Authority::development(foreign_dir.path(), clock.now()).unwrap();
    let mut files = foreign.issue(&leaf(crate::world::CLOUD, Role::Institution)).unwrap();
    files.ca = certs.join("ca.pem");
    let refused = ask(&mut world.client_of(&tls(&files))).await.unwrap_err();
    assert!(Refusal::from_status(&refused).is_err(), "it does not get past the handshake: {refused:?}");

    // Another cloud under our authority, and other roles.
    let elsewhere = CloudId::from_bytes([0xC2; 16]);
    for other in [leaf(elsewhere, Role::Institution), leaf(crate::world::CLOUD, Role::Node)] {
        let files = authority.issue(&other).unwrap();
        assert!(ask(&mut world.client_of(&tls(&files))).await.is_err(), "{other:?}");
    }

    // One that has ended: it was taken as long as it lived.
    let mut short = leaf(crate::world::CLOUD, Role::Institution);
    short.ends = clock.now().plus_millis(4_000);
    let files = tls(&authority.issue(&short).unwrap());
    ask(&mut world.client_of(&files)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(ask(&mut world.client_of(&files)).await.is_err());

    let (entries, _) = timeline(&mut client, query(1, vec![])).await.unwrap();
    assert_eq!(entries.len(), 1, "meanwhile others are served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_caller_without_a_certificate_is_refused() {
    let world = World::founded().await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.dir().join("certs/ca.pem")).unwrap()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = tokio::net::TcpStream::connect(world.processes.gateway_address().unwrap()).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    // With TLS 1.3 the client is through before the server has seen that the certificate is missing.
    let mut stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
    let _sent = stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let error = stream.read(&mut [0; 1]).await.unwrap_err();
    let alert = error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>());
    let required = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
    assert_eq!(alert, Some(&required), "{error:?}");
}
