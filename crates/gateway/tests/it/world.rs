//! A cloud of one node, a vault and a gateway, and an institution that asks.

use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_ids::{Clock, CloudId, NodeId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::admin::{BootstrapRequest, NodeAt};
use renkei_wire::pb::admin::v1 as admin_pb;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::{NodeAdminServiceClient, RecordServiceClient, Refusal, limits};
use tonic::transport::Channel;

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);

pub(crate) struct World {
    pub(crate) processes: Cloud,
    _dir: tempfile::TempDir,
}

impl World {
    pub(crate) async fn founded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let spec = CloudSpec {
            cloud: CLOUD,
            nodes: 1,
            dir: dir.path().join("cloud"),
            memory_mib: 256,
            raft: RaftProfile::Demo,
            set: Vec::new(),
            now: SystemClock::new().now(),
        };
        let mut processes = Cloud::prepare(&spec).unwrap();
        processes.add_vault(256, &[]).unwrap();
        processes.add_gateway("one", &[]).unwrap();
        processes.start_vault().unwrap();
        processes.start_all().unwrap();
        processes.start_gateway().unwrap();
        let world = Self { processes, _dir: dir };
        let at = world.processes.addresses()[&NodeId(1)].to_string();
        let request = BootstrapRequest {
            nodes: vec![NodeAt { node: NodeId(1), address: at.parse().unwrap() }],
            groups: 2,
            replicas: 1,
        };
        let channel = world.channel(Role::Operator, "test", &at, Role::Node);
        let request = admin_pb::BootstrapRequest::from(request);
        NodeAdminServiceClient::new(channel).bootstrap(request).await.unwrap();
        world
    }

    fn channel(&self, role: Role, name: &str, at: &str, peer: Role) -> Channel {
        let files = self.processes.issue(role, name).unwrap();
        let tls = Tls::load(&files, std::sync::Arc::new(SystemClock::new())).unwrap();
        let address: Address = at.parse().unwrap();
        tls.channel(&address, ExpectedPeer { cloud: CLOUD, role: peer, name: None }, Http2::CALLS)
    }

    pub(crate) fn client(&self, role: Role, name: &str) -> RecordServiceClient<Channel> {
        let at = self.processes.gateway_address().unwrap().to_string();
        RecordServiceClient::new(self.channel(role, name, &at, Role::Gateway))
            .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES)
    }
}

/// A patient by number, and a pseudonym that nobody else has.
pub(crate) fn patient(n: u8) -> Option<pb::Patient> {
    let pseudonym = Bytes::from(vec![n ^ 0x5A; 32]);
    Some(pb::Patient { opened_by: Some(pb::patient::OpenedBy::InsecurePseudonym(pseudonym)) })
}

pub(crate) fn actor() -> Option<pb::Actor> {
    Some(pb::Actor { id: "dr-1".to_owned(), role: "physician".to_owned() })
}

pub(crate) fn head(n: u8, key: &str, document: &str) -> pb::PutHead {
    pb::PutHead {
        patient: patient(n),
        actor: actor(),
        idempotency_key: Bytes::copy_from_slice(key.as_bytes()),
        document_bytes: document.len() as u64,
    }
}

pub(crate) fn chunks(document: &str) -> Vec<Bytes> {
    document.as_bytes().chunks(100_000).map(Bytes::copy_from_slice).collect()
}

/// Puts, again while the cloud is still electing its leaders.
pub(crate) async fn put(
    client: &mut RecordServiceClient<Channel>,
    n: u8,
    key: &str,
    document: &str,
) -> Result<pb::PutDocumentReply, Refusal> {
    use pb::put_document_request::Part;
    let started = Instant::now();
    loop {
        let parts = std::iter::once(Part::Head(head(n, key, document)));
        let parts: Vec<_> = parts
            .chain(chunks(document).into_iter().map(Part::Piece))
            .map(|part| pb::PutDocumentRequest { part: Some(part) })
            .collect();
        let refusal = match client.put_document(futures::stream::iter(parts)).await {
            Ok(reply) => return Ok(reply.into_inner()),
            Err(status) => Refusal::from_status(&status).unwrap(),
        };
        if refusal.retry_after.is_none() || started.elapsed() > Duration::from_secs(60) {
            return Err(refusal);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) async fn get(
    client: &mut RecordServiceClient<Channel>,
    n: u8,
    reference: &Bytes,
    version: u32,
) -> Result<Vec<u8>, Refusal> {
    use pb::get_document_reply::Part;
    let refused = |status: tonic::Status| Refusal::from_status(&status).unwrap();
    let request = pb::GetDocumentRequest { patient: patient(n), actor: actor(), reference: reference.clone(), version };
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

/// Pages of the timeline: the months and kinds of their entries, and the continuation of the last.
pub(crate) async fn timeline(
    client: &mut RecordServiceClient<Channel>,
    request: pb::QueryTimelineRequest,
) -> Result<(Vec<pb::TimelineEntry>, Bytes), Refusal> {
    let refused = |status: tonic::Status| Refusal::from_status(&status).unwrap();
    let mut stream = client.query_timeline(request).await.map_err(refused)?.into_inner();
    let (mut entries, mut continuation) = (Vec::new(), Bytes::new());
    while let Some(page) = stream.message().await.map_err(refused)? {
        entries.extend(page.entries);
        continuation = page.continuation;
    }
    Ok((entries, continuation))
}
