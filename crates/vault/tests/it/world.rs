//! A cloud of which only the vault runs, and gateways and operators to ask it as.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use renkei_access::{Capability, Evidence, Period, Purpose, Scope, SignedCapability, VerifyingKey};
use renkei_envelope::{Class, Pseudonym};
use renkei_ids::{Clock, CloudId, InstitutionId, KeyHash, MonthBucket, RequestId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile, StandIn};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::admin::{DigestReply, VaultStatus};
use renkei_wire::directory::PublishRequest;
use renkei_wire::pb::admin::v1 as admin_pb;
use renkei_wire::pb::directory::v1 as directory_pb;
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{
    Batch, DeleteGrant, DeleteItem, InsecureOpening, OpenStubsReply, OpenStubsRequest, Opened, PutGrant, PutItem,
    Results, TicketOpening,
};
use renkei_wire::{DirectoryServiceClient, ErrorCode, Refusal, VaultAdminServiceClient, VaultServiceClient, limits};
use tonic::transport::Channel;
use tonic::{Response, Status};

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Longest time that a vault on a busy machine may take to elect, recover or catch up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) processes: Cloud,
    pub(crate) national: StandIn,
    pub(crate) gateway: Tls,
    operator: Tls,
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(set: &[&str]) -> Self {
        let mut world = Self::unfounded(1, set);
        world.processes.start_vault().unwrap();
        world
    }

    /// Three vaults that have begun.
    pub(crate) fn of_three(set: &[&str]) -> Self {
        let mut world = Self::unfounded(3, set);
        world.processes.start_vault().unwrap();
        world
    }

    /// Vaults of which none runs.
    pub(crate) fn unfounded(replicas: u32, set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemClock::new().now();
        let spec = CloudSpec {
            cloud: CLOUD,
            nodes: 1,
            dir: dir.path().join("cloud"),
            memory_mib: 256,
            raft: RaftProfile::Demo,
            set: Vec::new(),
            now,
        };
        let mut processes = Cloud::prepare(&spec).unwrap();
        let national = StandIn::start(&dir.path().join("cloud/certs"), CLOUD, now).unwrap();
        let set = set.iter().map(|text| (*text).to_owned()).chain(national.vault_settings());
        processes.add_vaults(replicas, 256, &set.collect::<Vec<_>>()).unwrap();
        let gateway = identity(&processes, Role::Gateway, "one");
        let operator = identity(&processes, Role::Operator, "one");
        Self { processes, national, gateway, operator, dir }
    }

    pub(crate) fn data(&self, vault: u32) -> std::path::PathBuf {
        self.dir.path().join(format!("cloud/vault-{vault}"))
    }

    /// What a vault has logged.
    pub(crate) fn log(&self, vault: u32) -> std::path::PathBuf {
        self.dir.path().join(format!("cloud/logs/vault-{vault}.err"))
    }

    /// Where a vault's key files are.
    pub(crate) fn keys(&self, vault: u32) -> std::path::PathBuf {
        self.dir.path().join(format!("cloud/vault-{vault}-keys"))
    }

    /// Stops the vault, by SIGTERM or by SIGKILL, and starts it again.
    pub(crate) fn restart(&mut self, kill: bool) {
        let vault = self.processes.vault().unwrap();
        if kill {
            vault.kill().unwrap();
        } else {
            assert!(vault.stop(renkei_launch::STOP_TIMEOUT).unwrap().success());
        }
        self.processes.start_vault().unwrap();
    }

    pub(crate) fn identity(&self, role: Role, name: &str) -> Tls {
        identity(&self.processes, role, name)
    }

    pub(crate) fn channel(&self, tls: &Tls, vault: u32) -> Channel {
        let address: Address = self.processes.vault_addresses()[&vault].to_string().parse().unwrap();
        let expected = ExpectedPeer { cloud: CLOUD, role: Role::Vault, name: Some(vault.to_string().into()) };
        tls.channel(&address, expected, Http2::CALLS)
    }

    pub(crate) fn client(&self, tls: &Tls, vault: u32) -> VaultServiceClient<Channel> {
        VaultServiceClient::new(self.channel(tls, vault)).max_decoding_message_size(limits::VAULT_MESSAGE_MAX_BYTES)
    }

    pub(crate) fn admin(&self, vault: u32) -> VaultAdminServiceClient<Channel> {
        VaultAdminServiceClient::new(self.channel(&self.operator, vault))
    }

    pub(crate) async fn status(&self, vault: u32) -> Option<VaultStatus> {
        let reply = self.admin(vault).status(admin_pb::VaultStatusRequest {}).await.ok()?;
        Some(reply.into_inner().try_into().unwrap())
    }

    pub(crate) async fn digest(&self, vault: u32) -> DigestReply {
        self.admin(vault).digest(admin_pb::VaultDigestRequest {}).await.unwrap().into_inner().try_into().unwrap()
    }

    /// The vault that leads, as soon as one does.
    pub(crate) async fn leader(&self) -> u32 {
        until(async || {
            for vault in self.processes.vault_addresses().into_keys() {
                let replica = self.status(vault).await.and_then(|status| status.replica);
                if replica.is_some_and(|replica| replica.leads) {
                    return Some(vault);
                }
            }
            None
        })
        .await
    }

    /// Asks one vault after the other, as long as refusals point elsewhere.
    async fn ask<R, F>(&self, tls: &Tls, mut call: impl FnMut(VaultServiceClient<Channel>) -> F) -> Result<R, Refusal>
    where
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let began = Instant::now();
        loop {
            for vault in self.processes.vault_addresses().into_keys() {
                let refusal = match call(self.client(tls, vault)).await {
                    Ok(reply) => return Ok(reply.into_inner()),
                    // A status without a refusal is a lost connection.
                    Err(status) => Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::Unavailable)),
                };
                if !points_elsewhere(refusal.code) || began.elapsed() > PATIENCE {
                    return Err(refusal);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn gateway_key(&self) -> KeyHash {
        self.gateway.identity().key_hash
    }

    pub(crate) async fn open_as(
        &self,
        tls: &Tls,
        items: Vec<InsecureOpening>,
    ) -> Result<Vec<Result<Opened, Refusal>>, Refusal> {
        let request = pb::OpenInsecureRequest::from(batch(items));
        let reply = self.ask(tls, |mut client| {
            let request = request.clone();
            async move { client.open_insecure(request).await }
        });
        let Results(results) = reply.await?.try_into().unwrap();
        Ok(results)
    }

    /// Asks one vault, once.
    pub(crate) async fn open_at(&self, vault: u32, item: InsecureOpening) -> Result<Opened, Refusal> {
        let request = pb::OpenInsecureRequest::from(batch(vec![item]));
        let reply = self.client(&self.gateway, vault).open_insecure(request).await;
        let reply = reply.map_err(|status| Refusal::from_status(&status).unwrap())?;
        let Results(mut results) = reply.into_inner().try_into().unwrap();
        results.pop().unwrap()
    }

    /// Opens the patients of tickets, as a gateway does.
    pub(crate) async fn open_tickets(
        &self,
        tls: &Tls,
        items: Vec<TicketOpening>,
    ) -> Result<Vec<Result<Opened, Refusal>>, Refusal> {
        let request = pb::OpenTicketsRequest::from(batch(items));
        let reply = self.ask(tls, |mut client| {
            let request = request.clone();
            async move { client.open_tickets(request).await }
        });
        let Results(results) = reply.await?.try_into().unwrap();
        Ok(results)
    }

    /// Publishes the next directory, at whichever vault leads.
    pub(crate) async fn publish(&self) {
        let directory = PublishRequest(self.national.directory());
        until(async || {
            for vault in self.processes.vault_addresses().into_keys() {
                let mut client = DirectoryServiceClient::new(self.channel(&self.operator, vault));
                if client.publish(directory_pb::PublishRequest::from(directory.clone())).await.is_ok() {
                    return Some(());
                }
            }
            None
        })
        .await;
    }

    pub(crate) async fn open(&self, item: InsecureOpening) -> Result<Opened, Refusal> {
        self.open_as(&self.gateway, vec![item]).await?.pop().unwrap()
    }

    pub(crate) async fn puts(&self, tls: &Tls, items: Vec<PutItem>) -> Result<Vec<Result<PutGrant, Refusal>>, Refusal> {
        let request = pb::PutsRequest::from(batch(items));
        let reply = self.ask(tls, |mut client| {
            let request = request.clone();
            async move { client.puts(request).await }
        });
        let Results(results) = reply.await?.try_into().unwrap();
        Ok(results)
    }

    pub(crate) async fn put(&self, item: PutItem) -> Result<PutGrant, Refusal> {
        self.puts(&self.gateway, vec![item]).await?.pop().unwrap()
    }

    pub(crate) async fn delete(&self, item: DeleteItem) -> Result<DeleteGrant, Refusal> {
        let request = pb::DeletesRequest::from(batch(vec![item]));
        let reply = self.ask(&self.gateway, |mut client| {
            let request = request.clone();
            async move { client.deletes(request).await }
        });
        let Results(mut results) = reply.await?.try_into().unwrap();
        results.pop().unwrap()
    }

    pub(crate) async fn stubs(&self, request: OpenStubsRequest) -> Result<OpenStubsReply, Refusal> {
        let request = pb::OpenStubsRequest::from(request);
        let reply = self.ask(&self.gateway, |mut client| {
            let request = request.clone();
            async move { client.open_stubs(request).await }
        });
        Ok(reply.await?.try_into().unwrap())
    }

    /// What a capability says, its signature checked with the key that the nodes are given.
    pub(crate) fn verified(&self, capability: &SignedCapability) -> Capability {
        let public = std::fs::read_to_string(self.keys(1).join("signing.pub")).unwrap();
        capability.verify(&[VerifyingKey::from_hex(public.trim()).unwrap()]).unwrap()
    }
}

fn identity(processes: &Cloud, role: Role, name: &str) -> Tls {
    Tls::load(&processes.issue(role, name).unwrap(), Arc::new(SystemClock::new())).unwrap()
}

fn batch<T>(items: Vec<T>) -> Batch<T> {
    Batch { request: RequestId::from_bytes([0x4E; 16]), deadline: DEADLINE, items }
}

fn points_elsewhere(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotLeader
            | ErrorCode::ClockOff
            | ErrorCode::Unavailable
            | ErrorCode::OutcomeUnknown
            | ErrorCode::NotBootstrapped
            | ErrorCode::ShuttingDown
    )
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

/// Every class, five years, everything that a card allows.
pub(crate) fn asking(patient: u8, institution: u8) -> InsecureOpening {
    InsecureOpening {
        pseudonym: pseudonym(patient),
        institution: InstitutionId::from_bytes([institution; 16]),
        purpose: Purpose::Care,
        evidence: Evidence::Card,
        classes: Class::every().collect(),
        period: Period { from: month(2022, 1), to: month(2026, 12) },
        scope: Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::AUDIT),
    }
}

pub(crate) fn pseudonym(patient: u8) -> Pseudonym {
    Pseudonym::from_bytes(core::array::from_fn(|at| patient ^ u8::try_from(at * 37 % 251).unwrap()))
}

pub(crate) fn month(year: u16, month: u8) -> MonthBucket {
    MonthBucket::new(year, month).unwrap()
}

/// Every file below a directory.
pub(crate) fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
