//! Keepers that serve here, and whoever asks them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use renkei_access::{
    Cell, Cloud, CommitmentKey, DailyVisits, Directory, Entries, Held, Institution, InstitutionKind, Officers, Party,
    SignedDirectory, StatementKey, name_hash,
};
use renkei_directory::{DirectoryRpc, Keeper, Source};
use renkei_ids::{
    CellId, Clock, CloudId, DenyEpoch, DirectoryVersion, InstitutionId, KeyHash, PseudonymEpoch, UnixMillis,
};
use renkei_launch::{Authority, Leaf};
use renkei_runtime::{Admit, ExpectedPeer, Http2, Role, Shell, SystemClock, Tls, bind, serve_grpc};
use renkei_wire::directory::{PublishReply, PublishRequest};
use renkei_wire::pb::directory::v1 as pb;
use renkei_wire::{DirectoryServiceClient, Refusal};
use tempfile::TempDir;
use tonic::transport::Channel;

pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
pub(crate) const CLINIC: InstitutionId = InstitutionId::from_bytes([0x11; 16]);

/// Keeps a directory in memory, as a state machine of one replica would.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<Option<Arc<Held>>>);

#[tonic::async_trait]
impl Keeper for Shelf {
    fn held(&self) -> Option<Arc<Held>> {
        self.0.lock().unwrap().clone()
    }

    async fn take(&self, directory: SignedDirectory) -> Result<(), Refusal> {
        let mut held = self.0.lock().unwrap();
        *held = Some(Arc::new(Held::succeed(directory, held.as_deref(), now())?));
        Ok(())
    }
}

pub(crate) struct World {
    _dir: TempDir,
    authority: Authority,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::development(dir.path(), now()).unwrap();
        Self { _dir: dir, authority }
    }

    fn tls(&self, role: Role, name: &str) -> Tls {
        let files = self.authority.issue(&Leaf::local(CLOUD, role, name, now())).unwrap();
        Tls::load(&files, Arc::new(SystemClock::new())).unwrap()
    }

    pub(crate) fn shell(&self, role: Role, name: &str) -> Shell {
        Shell::new(role.as_str(), Arc::new(SystemClock::new()), self.tls(role, name))
    }

    /// A vault that serves a shelf for these officers, until the process ends.
    pub(crate) fn keeper(&self, name: &str, shelf: &Arc<Shelf>, officers: Officers) -> Source {
        let shell = self.shell(Role::Vault, name);
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let source = source(listener.local_addr().unwrap());
        let admit = Admit { cloud: Some(CLOUD), roles: &[Role::Gateway, Role::Operator] };
        let keeper = Arc::clone(shelf) as Arc<dyn Keeper>;
        let service = DirectoryRpc::server(keeper, officers, shell.clock());
        serve_grpc(&shell, "vault", listener, shell.tls().server(admit), Http2::CALLS, service);
        source
    }

    pub(crate) fn client(&self, role: Role, source: &Source) -> DirectoryServiceClient<Channel> {
        let channel = self.tls(role, "one").channel(&source.address, source.expected.clone(), Http2::CALLS);
        DirectoryServiceClient::new(channel)
    }

    pub(crate) async fn publish(
        &self,
        role: Role,
        source: &Source,
        directory: &SignedDirectory,
    ) -> Result<DirectoryVersion, Refusal> {
        let request = pb::PublishRequest::from(PublishRequest(directory.clone()));
        match self.client(role, source).publish(request).await {
            Ok(reply) => Ok(PublishReply::try_from(reply.into_inner()).unwrap().0),
            Err(status) => Err(Refusal::from_status(&status).unwrap()),
        }
    }
}

pub(crate) fn source(address: SocketAddr) -> Source {
    Source {
        address: address.to_string().parse().unwrap(),
        expected: ExpectedPeer { cloud: CLOUD, role: Role::Vault, name: None },
    }
}

pub(crate) fn now() -> UnixMillis {
    SystemClock::new().now()
}

fn officer(number: u8) -> StatementKey {
    StatementKey::from_seed(&[number; 32])
}

/// Two of three.
pub(crate) fn officers() -> Officers {
    Officers::new(2, [1, 2, 3].map(|number| officer(number).verifying_key()).to_vec()).unwrap()
}

/// A directory with one clinic, which it may deny.
pub(crate) fn directory(version: u64, denied: bool, signers: &[u8]) -> SignedDirectory {
    let cell = CellId::from_bytes([0xCE; 16]);
    let entries = Entries {
        version: DirectoryVersion(version),
        valid_from: UnixMillis(0),
        deny_epoch: DenyEpoch(if denied { version } else { 0 }),
        registrars: Vec::new(),
        clouds: vec![Cloud { id: CLOUD, epoch: PseudonymEpoch(1), rotating: false }],
        cells: vec![Cell {
            id: cell,
            cloud: CLOUD,
            gateways: vec![KeyHash::from_bytes([1; 32])],
            commitments: CommitmentKey([2; 32]),
        }],
        routes: Vec::new(),
        institutions: vec![Institution {
            id: CLINIC,
            kind: InstitutionKind::Clinic,
            name: name_hash("clinic"),
            keys: vec![KeyHash::from_bytes([3; 32])],
            signing: Vec::new(),
            visits: DailyVisits::new(40).unwrap(),
            home: cell,
        }],
        denied: denied.then_some(Party::Institution(CLINIC)).into_iter().collect(),
        surges: Vec::new(),
    };
    let unsigned = SignedDirectory::unsigned(&Directory::try_from(entries).unwrap()).unwrap();
    signers.iter().fold(unsigned, |signed, number| signed.sign(&officer(*number)).unwrap())
}
