//! A cloud of real nodes, a vault and a gateway, and an institution that asks.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_ids::{Clock, CloudId, GroupId, NodeId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls, TlsFiles};
use renkei_wire::admin::{BootstrapRequest, NodeAt, ReplicaStatus, StatusReply, VaultStatus};
use renkei_wire::pb::admin::v1 as admin_pb;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::{NodeAdminServiceClient, RecordServiceClient, Refusal, VaultAdminServiceClient, limits};
use tonic::transport::Channel;

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
/// The one group of clouds of three nodes.
pub(crate) const GROUP: GroupId = GroupId(1);
/// Longest time that a cloud on a busy machine may take to elect, recover or catch up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Client = RecordServiceClient<Channel>;

pub(crate) struct World {
    pub(crate) processes: Cloud,
    pub(crate) operator: Tls,
    dir: tempfile::TempDir,
}

impl World {
    /// One node.
    pub(crate) async fn founded() -> Self {
        Self::of(1, &[]).await
    }

    /// So many nodes, each with a replica of every group; `set` configures the gateway.
    pub(crate) async fn of(nodes: u32, set: &[&str]) -> Self {
        Self::with_vaults(1, nodes, set).await
    }

    /// The same, before a vault of so many replicas.
    pub(crate) async fn with_vaults(vaults: u32, nodes: u32, set: &[&str]) -> Self {
        Self::configured(vaults, nodes, set, &[]).await
    }

    /// The same; `vault_set` configures the vault.
    pub(crate) async fn configured(vaults: u32, nodes: u32, set: &[&str], vault_set: &[&str]) -> Self {
        let text = |set: &[&str]| set.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (set, vault_set) = (text(set), text(vault_set));
        Self::prepared(vaults, nodes, |_| (set, vault_set)).await
    }

    /// The same; `set` gives what the gateway and the vault are configured with, once there is an authority.
    pub(crate) async fn prepared(
        vaults: u32,
        nodes: u32,
        set: impl FnOnce(&Path) -> (Vec<String>, Vec<String>),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spec = CloudSpec {
            cloud: CLOUD,
            nodes,
            dir: dir.path().join("cloud"),
            memory_mib: 256,
            raft: RaftProfile::Demo,
            set: Vec::new(),
            now: SystemClock::new().now(),
        };
        let mut processes = Cloud::prepare(&spec).unwrap();
        let (set, vault_set) = set(&dir.path().join("cloud/certs"));
        processes.add_vaults(vaults, 256, &vault_set).unwrap();
        processes.add_gateway("one", &set).unwrap();
        processes.start_vault().unwrap();
        processes.start_all().unwrap();
        processes.start_gateway().unwrap();
        let operator = tls(&processes.issue(Role::Operator, "test").unwrap());
        let world = Self { processes, operator, dir };
        let at = |(node, address): (NodeId, std::net::SocketAddr)| NodeAt {
            node,
            address: address.to_string().parse().unwrap(),
        };
        let request = BootstrapRequest {
            nodes: world.processes.addresses().into_iter().map(at).collect(),
            groups: if nodes == 1 { 2 } else { 1 },
            replicas: nodes,
        };
        let request = admin_pb::BootstrapRequest::from(request);
        world.admin(NodeId(1)).bootstrap(request).await.unwrap();
        world
    }

    /// Directory of certificates, logs and data.
    pub(crate) fn dir(&self) -> std::path::PathBuf {
        self.dir.path().join("cloud")
    }

    /// The vault that leads, as soon as one does.
    pub(crate) async fn leading_vault(&self) -> u32 {
        until(async || {
            for (vault, address) in self.processes.vault_addresses() {
                let channel = channel(&self.operator, &address.to_string(), Role::Vault);
                let asked = VaultAdminServiceClient::new(channel).status(admin_pb::VaultStatusRequest {}).await;
                let Ok(status) = asked else { continue };
                let status = VaultStatus::try_from(status.into_inner()).unwrap();
                if status.replica.is_some_and(|replica| replica.leads) {
                    return Some(vault);
                }
            }
            None
        })
        .await
    }

    fn admin(&self, node: NodeId) -> NodeAdminServiceClient<Channel> {
        let at = self.processes.addresses()[&node].to_string();
        NodeAdminServiceClient::new(channel(&self.operator, &at, Role::Node))
    }

    /// How a node stands, if it answers.
    pub(crate) async fn status(&self, node: NodeId) -> Option<StatusReply> {
        let reply = self.admin(node).status(admin_pb::StatusRequest {}).await.ok()?;
        Some(reply.into_inner().try_into().unwrap())
    }

    /// A node's replica of [`GROUP`], if it answers and has one.
    pub(crate) async fn replica(&self, node: NodeId) -> Option<ReplicaStatus> {
        self.status(node).await?.replicas.into_iter().find(|replica| replica.group == GROUP)
    }

    /// The node that leads [`GROUP`], as soon as one does.
    pub(crate) async fn leader(&self) -> NodeId {
        until(async || {
            for node in self.processes.addresses().into_keys() {
                if self.replica(node).await.is_some_and(|replica| replica.leads) {
                    return Some(node);
                }
            }
            None
        })
        .await
    }

    /// A channel to the gateway with a certificate of this role and name.
    pub(crate) fn client(&self, role: Role, name: &str) -> Client {
        self.client_of(&tls(&self.processes.issue(role, name).unwrap()))
    }

    /// A channel to the gateway with any certificate.
    pub(crate) fn client_of(&self, tls: &Tls) -> Client {
        let at = self.processes.gateway_address().unwrap().to_string();
        RecordServiceClient::new(channel(tls, &at, Role::Gateway))
            .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES)
    }
}

pub(crate) fn tls(files: &TlsFiles) -> Tls {
    Tls::load(files, Arc::new(SystemClock::new())).unwrap()
}

/// The certificate that a process of the cloud runs with.
pub(crate) fn tls_of_process(certs: &Path, name: &str) -> Tls {
    let file = |end: &str| certs.join(format!("{name}.{end}"));
    tls(&TlsFiles { certificate: file("pem"), key: file("key"), ca: certs.join("ca.pem") })
}

pub(crate) fn channel(tls: &Tls, at: &str, peer: Role) -> Channel {
    let address: Address = at.parse().unwrap();
    tls.channel(&address, ExpectedPeer { cloud: CLOUD, role: peer, name: None }, Http2::CALLS)
}

/// Tries until there is an answer, [`PATIENCE`] at most.
pub(crate) async fn until<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = attempt().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A patient by number, and a pseudonym that nobody else has.
pub(crate) fn patient(n: u8) -> Option<pb::Patient> {
    let pseudonym = Bytes::from(vec![n ^ 0x5A; 32]);
    Some(pb::Patient { opened_by: Some(pb::patient::OpenedBy::InsecurePseudonym(pseudonym)) })
}

pub(crate) fn actor() -> Option<pb::Actor> {
    Some(pb::Actor { id: "dr-1".to_owned(), role: "physician".to_owned(), ..pb::Actor::default() })
}

pub(crate) fn vaccination(day: &str, note: &str) -> String {
    format!(
        r#"{{"resourceType":"Immunization","status":"completed","vaccineCode":{{"text":"vaccine"}},"patient":{{"reference":"Patient/1"}},"occurrenceDateTime":"{day}","note":[{{"text":"{note}"}}]}}"#
    )
}

pub(crate) fn prescription(day: &str) -> String {
    format!(
        r#"{{"resourceType":"MedicationRequest","status":"active","intent":"order","medicationCodeableConcept":{{"text":"drug"}},"subject":{{"reference":"Patient/1"}},"authoredOn":"{day}"}}"#
    )
}

pub(crate) fn head(n: u8, key: &str, document: impl AsRef<[u8]>) -> pb::PutHead {
    pb::PutHead {
        patient: patient(n),
        actor: actor(),
        idempotency_key: Bytes::copy_from_slice(key.as_bytes()),
        document_bytes: document.as_ref().len() as u64,
    }
}

pub(crate) fn chunks(document: impl AsRef<[u8]>) -> Vec<Bytes> {
    document.as_ref().chunks(100_000).map(Bytes::copy_from_slice).collect()
}

/// Puts once.
pub(crate) async fn put_once(
    client: &mut Client,
    head: pb::PutHead,
    pieces: Vec<Bytes>,
) -> Result<pb::PutDocumentReply, Refusal> {
    use pb::put_document_request::Part;
    let parts = std::iter::once(Part::Head(head)).chain(pieces.into_iter().map(Part::Piece));
    put_parts(client, parts.collect()).await
}

/// Puts whatever these parts are.
pub(crate) async fn put_parts(
    client: &mut Client,
    parts: Vec<pb::put_document_request::Part>,
) -> Result<pb::PutDocumentReply, Refusal> {
    let parts = parts.into_iter().map(|part| pb::PutDocumentRequest { part: Some(part) });
    let reply = client.put_document(futures::stream::iter(parts.collect::<Vec<_>>())).await;
    reply.map(tonic::Response::into_inner).map_err(|status| refusal(&status))
}

/// Puts, again while the cloud is still electing its leaders.
pub(crate) async fn put(
    client: &mut Client,
    n: u8,
    key: &str,
    document: impl AsRef<[u8]>,
) -> Result<pb::PutDocumentReply, Refusal> {
    let started = Instant::now();
    loop {
        let refusal = match put_once(client, head(n, key, &document), chunks(&document)).await {
            Ok(reply) => return Ok(reply),
            Err(refusal) => refusal,
        };
        if refusal.retry_after.is_none() || started.elapsed() > PATIENCE {
            return Err(refusal);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn get(client: &mut Client, n: u8, reference: &Bytes, version: u32) -> Result<Vec<u8>, Refusal> {
    get_as(client, patient(n), actor(), reference, version).await
}

pub(crate) async fn get_as(
    client: &mut Client,
    patient: Option<pb::Patient>,
    actor: Option<pb::Actor>,
    reference: &Bytes,
    version: u32,
) -> Result<Vec<u8>, Refusal> {
    use pb::get_document_reply::Part;
    let refused = |status: tonic::Status| refusal(&status);
    let request = pb::GetDocumentRequest { patient, actor, reference: reference.clone(), version };
    let mut stream = client.get_document(request).await.map_err(refused)?.into_inner();
    let (mut announced, mut document) = (None, Vec::new());
    while let Some(message) = stream.message().await.map_err(refused)? {
        match message.part.unwrap() {
            Part::Head(head) => announced = Some(usize::try_from(head.document_bytes).unwrap()),
            Part::Piece(piece) => document.extend_from_slice(&piece),
        }
    }
    assert_eq!(announced, Some(document.len()));
    Ok(document)
}

/// Everything in a patient's timeline of these kinds, in pages of two; of all kinds where none is named.
pub(crate) fn query(n: u8, kinds: Vec<i32>) -> pb::QueryTimelineRequest {
    pb::QueryTimelineRequest { patient: patient(n), actor: actor(), kinds, page_entries: 2, ..Default::default() }
}

/// Entries of the pages that come, and the continuation of the last.
pub(crate) async fn timeline(
    client: &mut Client,
    request: pb::QueryTimelineRequest,
) -> Result<(Vec<pb::TimelineEntry>, Bytes), Refusal> {
    let refused = |status: tonic::Status| refusal(&status);
    let mut stream = client.query_timeline(request).await.map_err(refused)?.into_inner();
    let (mut entries, mut continuation) = (Vec::new(), Bytes::new());
    while let Some(page) = stream.message().await.map_err(refused)? {
        entries.extend(page.entries);
        continuation = page.continuation;
    }
    Ok((entries, continuation))
}

/// The refusal in a status, which every answer of a gateway's has.
pub(crate) fn refusal(status: &tonic::Status) -> Refusal {
    Refusal::from_status(status).unwrap_or_else(|_| panic!("no refusal of ours: {status:?}"))
}
