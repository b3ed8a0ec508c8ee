//! A cloud of real nodes, a vault's key to sign with, and a gateway to ask as.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use renkei_access::SigningKey;
use renkei_ids::{Clock, CloudId, GroupId, KeyHash, NodeId, Slot, UnixMillis};
use renkei_launch::{Cloud, CloudSpec, RaftProfile};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls, TlsFiles};
use renkei_wire::admin::{BootstrapReply, BootstrapRequest, DigestReply, NodeAt, StatusReply};
use renkei_wire::pb::admin::v1 as admin_pb;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{
    ErrorCode, NodeAdminServiceClient, NodeReply, NodeRequest, NodeServiceClient, Refusal, RouteMap, limits,
};
use tonic::transport::Channel;

use crate::load::GatewayClient;
use crate::patient::{self, Patient};

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
/// Of the key that the nodes take capabilities of.
pub(crate) const VAULT_SEED: [u8; 32] = [0x5A; 32];
/// Longest time that a cloud on a busy machine may take to elect, recover or catch up.
const PATIENCE: Duration = Duration::from_secs(60);
const STATUS_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct TestCloud {
    pub(crate) processes: Cloud,
    pub(crate) vault: Arc<SigningKey>,
    pub(crate) gateway: Tls,
    operator: Tls,
    clock: Arc<SystemClock>,
    dir: tempfile::TempDir,
}

impl TestCloud {
    /// Nodes that are up and not founded.
    pub(crate) fn unfounded(nodes: u32, set: &[&str]) -> Self {
        let mut cloud = Self::prepared(nodes, set);
        cloud.processes.start_all().unwrap();
        cloud
    }

    /// Nodes that have not been started.
    pub(crate) fn prepared(nodes: u32, set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SystemClock::new());
        let vault = Arc::new(SigningKey::from_seed(&VAULT_SEED));
        let mut settings = vec![format!("vault.keys=[\"{}\"]", vault.verifying_key().to_hex())];
        settings.extend(set.iter().map(|text| (*text).to_owned()));
        let spec = CloudSpec {
            cloud: CLOUD,
            nodes,
            dir: dir.path().join("cloud"),
            memory_mib: 256,
            raft: RaftProfile::Demo,
            set: settings,
            now: clock.now(),
        };
        let processes = Cloud::prepare(&spec).unwrap();
        let tls = |files: TlsFiles| Tls::load(&files, clock.clone()).unwrap();
        let gateway = tls(processes.issue(Role::Gateway, "test").unwrap());
        let operator = tls(processes.issue(Role::Operator, "test").unwrap());
        Self { processes, vault, gateway, operator, clock, dir }
    }

    /// So many nodes, of which the first three are founded with two groups of three replicas, every group led.
    pub(crate) async fn founded_on_three_of(nodes: u32, set: &[&str]) -> Self {
        let cloud = Self::unfounded(nodes, set);
        let mut founding = cloud.founding(2, 3);
        founding.nodes.truncate(3);
        let reply = cloud.admin(NodeId(1)).bootstrap(admin_pb::BootstrapRequest::from(founding)).await;
        let _founded: BootstrapReply = reply.unwrap().into_inner().try_into().unwrap();
        cloud.wait_led().await;
        cloud
    }

    /// Three nodes, two groups, three replicas, every group led.
    pub(crate) async fn founded() -> Self {
        Self::founded_with(&[]).await
    }

    pub(crate) async fn founded_with(set: &[&str]) -> Self {
        let cloud = Self::unfounded(3, set);
        cloud.found().await;
        cloud
    }

    /// Two groups of three replicas on nodes that are up, every group led.
    pub(crate) async fn found(&self) {
        self.bootstrap(NodeId(1), 2, 3).await.unwrap();
        self.wait_led().await;
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    pub(crate) fn gateway_key(&self) -> KeyHash {
        self.gateway.identity().key_hash
    }

    /// Another identity under the same authority.
    pub(crate) fn identity(&self, role: Role, name: &str) -> Tls {
        Tls::load(&self.processes.issue(role, name).unwrap(), self.clock.clone()).unwrap()
    }

    pub(crate) fn channel(&self, tls: &Tls, node: NodeId) -> Channel {
        let address: Address = self.processes.addresses()[&node].to_string().parse().unwrap();
        let expected = ExpectedPeer { cloud: CLOUD, role: Role::Node, name: Some(node.to_string().into()) };
        tls.channel(&address, expected, Http2::CALLS)
    }

    pub(crate) fn client(&self, node: NodeId) -> NodeServiceClient<Channel> {
        NodeServiceClient::new(self.channel(&self.gateway, node))
            .max_decoding_message_size(limits::NODE_MESSAGE_MAX_BYTES)
    }

    /// What a client of its own needs to ask these nodes.
    pub(crate) fn gateway_client(&self) -> GatewayClient {
        GatewayClient::new(self.gateway.clone(), self.vault.clone(), self.clock.clone(), self.processes.addresses())
    }

    pub(crate) fn admin(&self, node: NodeId) -> NodeAdminServiceClient<Channel> {
        NodeAdminServiceClient::new(self.channel(&self.operator, node))
    }

    pub(crate) fn founding(&self, groups: u32, replicas: u32) -> BootstrapRequest {
        let nodes = self.processes.addresses().into_iter();
        let at = |(node, address): (NodeId, std::net::SocketAddr)| NodeAt {
            node,
            address: address.to_string().parse().unwrap(),
        };
        BootstrapRequest { nodes: nodes.map(at).collect(), groups, replicas }
    }

    pub(crate) async fn bootstrap(&self, at: NodeId, groups: u32, replicas: u32) -> Result<BootstrapReply, Refusal> {
        let request = admin_pb::BootstrapRequest::from(self.founding(groups, replicas));
        match self.admin(at).bootstrap(request).await {
            Ok(reply) => Ok(reply.into_inner().try_into().unwrap()),
            Err(status) => Err(Refusal::from_status(&status).unwrap()),
        }
    }

    pub(crate) async fn status(&self, node: NodeId) -> Option<StatusReply> {
        // A node that stands still answers nothing.
        let mut admin = self.admin(node);
        let asked = tokio::time::timeout(STATUS_PATIENCE, admin.status(admin_pb::StatusRequest {}));
        let reply = asked.await.ok()?.ok()?;
        Some(reply.into_inner().try_into().unwrap())
    }

    pub(crate) async fn digest(&self, node: NodeId, group: GroupId) -> DigestReply {
        self.try_digest(node, group).await.unwrap()
    }

    pub(crate) async fn try_digest(&self, node: NodeId, group: GroupId) -> Option<DigestReply> {
        self.ask_digest(node, group).await
    }

    /// The same, apart from the cloud.
    pub(crate) fn ask_digest(
        &self,
        node: NodeId,
        group: GroupId,
    ) -> impl Future<Output = Option<DigestReply>> + Send + use<> {
        let mut admin = self.admin(node);
        let request = admin_pb::DigestRequest { group: group.0 };
        async move { Some(admin.digest(request).await.ok()?.into_inner().try_into().unwrap()) }
    }

    /// The newest map that any node gives.
    pub(crate) async fn map(&self) -> Option<RouteMap> {
        for node in self.processes.addresses().into_keys() {
            let request = pb::GetSlotMapRequest { known_epoch: 0 };
            if let Ok(reply) = self.client(node).get_slot_map(request).await {
                return Option::try_from(reply.into_inner()).unwrap();
            }
        }
        None
    }

    pub(crate) async fn group_of(&self, slot: Slot) -> GroupId {
        self.map().await.unwrap().slots.group_of(slot)
    }

    /// The leader of a group, as soon as some node has one.
    pub(crate) async fn leader(&self, group: GroupId) -> NodeId {
        let leads = async |node: NodeId| {
            let status = self.status(node).await?;
            status.replicas.iter().any(|replica| replica.group == group && replica.leads).then_some(node)
        };
        let nodes: Vec<_> = self.processes.addresses().into_keys().collect();
        until(async || {
            for node in &nodes {
                if let Some(node) = leads(*node).await {
                    return Some(node);
                }
            }
            None
        })
        .await
    }

    /// Waits until every group is led and has taken its slots.
    async fn wait_led(&self) {
        let map = self.map().await.unwrap();
        for place in &map.groups {
            let led = |patient: &Patient| map.slots.group_of(patient.slot()) == place.group;
            let patient = (0..=u8::MAX).map(Patient::new).find(led).unwrap();
            let capability = patient.capability(self).sign(&self.vault).unwrap();
            self.ask(&patient::request(capability, patient::timeline()), patient.slot()).await.unwrap();
            self.leader(place.group).await;
        }
    }

    /// Asks one node.
    pub(crate) async fn ask_at(&self, node: NodeId, request: NodeRequest) -> Result<NodeReply, Refusal> {
        match self.client(node).execute(pb::Request::from(request)).await {
            Ok(reply) => Ok(reply.into_inner().try_into().unwrap()),
            // A status without a refusal is a lost connection: nobody knows what became of the request.
            Err(status) => Err(Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::OutcomeUnknown))),
        }
    }

    /// Asks as a gateway does: the node that leads, and again as long as the refusal says so.
    pub(crate) async fn ask(&self, request: &NodeRequest, slot: Slot) -> Result<NodeReply, Refusal> {
        let map = until(async || self.map().await).await;
        let mut node = map.node_for(map.slots.group_of(slot)).unwrap();
        let started = Instant::now();
        loop {
            let refusal = match self.ask_at(node, request.clone()).await {
                Ok(reply) => return Ok(reply),
                Err(refusal) => refusal,
            };
            let retried = refusal.retry_after.is_some() || refusal.code == ErrorCode::OutcomeUnknown;
            if !retried || started.elapsed() > PATIENCE {
                return Err(refusal);
            }
            tokio::time::sleep(refusal.retry_after.unwrap_or(Duration::ZERO).max(Duration::from_millis(20))).await;
            node = refusal.leader_node.unwrap_or_else(|| next(&self.processes.addresses(), node));
        }
    }

    /// Everything that the nodes have logged.
    pub(crate) fn logs(&self) -> String {
        let logs = std::fs::read_dir(self.dir().join("cloud/logs")).unwrap();
        logs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

fn next<T>(nodes: &BTreeMap<NodeId, T>, node: NodeId) -> NodeId {
    let behind = nodes.range((std::ops::Bound::Excluded(node), std::ops::Bound::Unbounded)).next();
    *behind.or_else(|| nodes.first_key_value()).unwrap().0
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
