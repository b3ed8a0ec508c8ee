//! A cloud of which only the vault runs, and gateways to ask it as.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use renkei_access::{Capability, Evidence, Period, Purpose, Scope, SignedCapability, VerifyingKey};
use renkei_envelope::{Class, Pseudonym};
use renkei_ids::{Clock, CloudId, InstitutionId, KeyHash, MonthBucket, RequestId};
use renkei_launch::{Cloud, CloudSpec, RaftProfile};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{
    Batch, DeleteGrant, DeleteItem, InsecureOpening, OpenStubsReply, OpenStubsRequest, Opened, PutGrant, PutItem,
    Results,
};
use renkei_wire::{Refusal, VaultServiceClient, limits};
use tonic::transport::Channel;

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) processes: Cloud,
    pub(crate) gateway: Tls,
    dir: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(set: &[&str]) -> Self {
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
        processes.add_vault(256, &set.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap();
        processes.start_vault().unwrap();
        let gateway = identity(&processes, Role::Gateway, "one");
        Self { processes, gateway, dir }
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.dir.path().join("cloud/vault-1")
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

    pub(crate) fn client(&self, tls: &Tls) -> VaultServiceClient<Channel> {
        let address: Address = self.processes.vault_address().unwrap().to_string().parse().unwrap();
        let expected = ExpectedPeer { cloud: CLOUD, role: Role::Vault, name: None };
        VaultServiceClient::new(tls.channel(&address, expected, Http2::CALLS))
            .max_decoding_message_size(limits::VAULT_MESSAGE_MAX_BYTES)
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
        let reply = self.client(tls).open_insecure(request).await.map_err(|status| refusal(&status))?;
        let Results(results) = reply.into_inner().try_into().unwrap();
        Ok(results)
    }

    pub(crate) async fn open(&self, item: InsecureOpening) -> Result<Opened, Refusal> {
        self.open_as(&self.gateway, vec![item]).await?.pop().unwrap()
    }

    pub(crate) async fn puts(&self, tls: &Tls, items: Vec<PutItem>) -> Result<Vec<Result<PutGrant, Refusal>>, Refusal> {
        let request = pb::PutsRequest::from(batch(items));
        let reply = self.client(tls).puts(request).await.map_err(|status| refusal(&status))?;
        let Results(results) = reply.into_inner().try_into().unwrap();
        Ok(results)
    }

    pub(crate) async fn put(&self, item: PutItem) -> Result<PutGrant, Refusal> {
        self.puts(&self.gateway, vec![item]).await?.pop().unwrap()
    }

    pub(crate) async fn delete(&self, item: DeleteItem) -> Result<DeleteGrant, Refusal> {
        let request = pb::DeletesRequest::from(batch(vec![item]));
        let reply = self.client(&self.gateway).deletes(request).await.map_err(|status| refusal(&status))?;
        let Results(mut results) = reply.into_inner().try_into().unwrap();
        results.pop().unwrap()
    }

    pub(crate) async fn stubs(&self, request: OpenStubsRequest) -> Result<OpenStubsReply, Refusal> {
        let request = pb::OpenStubsRequest::from(request);
        let reply = self.client(&self.gateway).open_stubs(request).await.map_err(|status| refusal(&status))?;
        Ok(reply.into_inner().try_into().unwrap())
    }

    /// What a capability says, its signature checked with the key that the nodes are given.
    pub(crate) fn verified(&self, capability: &SignedCapability) -> Capability {
        let public = std::fs::read_to_string(self.dir.path().join("cloud/vault-1-keys/signing.pub")).unwrap();
        capability.verify(&[VerifyingKey::from_hex(public.trim()).unwrap()]).unwrap()
    }
}

fn identity(processes: &Cloud, role: Role, name: &str) -> Tls {
    Tls::load(&processes.issue(role, name).unwrap(), Arc::new(SystemClock::new())).unwrap()
}

fn batch<T>(items: Vec<T>) -> Batch<T> {
    Batch { request: RequestId::from_bytes([0x4E; 16]), deadline: DEADLINE, items }
}

pub(crate) fn refusal(status: &tonic::Status) -> Refusal {
    Refusal::from_status(status).unwrap()
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
