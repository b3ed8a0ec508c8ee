//! The national side of the demo: key holders, a registrar, and the officer who signs the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use renkei_access::{
    Cell, Cloud, CommitmentKey, DailyVisits, Directory, Entries, Institution, InstitutionKind, SignedDirectory,
    StatementKey, VerifyingKey, name_hash,
};
use renkei_ids::{
    Clock as _, CloudId, DenyEpoch, DirectoryVersion, InstitutionId, KeyHash, PseudonymEpoch, UnixMillis,
};
use renkei_launch::{
    Authority, CellEntry, CertError, Keyholder, Leaf, RaftProfile, Registrars, RegistrarsSpec, Role, STOP_TIMEOUT,
    SystemClock, certificate_key,
};
use renkei_runtime::Address;
use renkei_wire::DirectoryServiceClient;
use renkei_wire::directory::{PublishReply, PublishRequest};
use renkei_wire::pb::directory::v1 as pb;

use super::persons::Cast;
use crate::call::answer;
use crate::connection::{Caller, NO_CLOUD};
use crate::demo::institution::patiently;
use crate::failure::Failure;

/// Key holders of two operators.
const HOLDERS: u32 = 2;
/// Budget of the registrar.
const MEMORY_MIB: u32 = 256;
/// The hospital checks in and opens as fast as it can, and budgets follow its size.
const VISITS: u32 = DailyVisits::MAX;

/// The processes, and whoever publishes to them.
pub(in crate::demo) struct National {
    holders: Vec<Keyholder>,
    registrars: Registrars,
    operator: Caller,
    officer: StatementKey,
    /// The register of residents, which is another party's: its file lies outside of the demo's.
    _register: tempfile::TempDir,
}

/// What those who run none of them sign with.
pub(in crate::demo) struct Signers {
    /// Signs cards.
    pub(super) cards: StatementKey,
    /// The hospital's: signs who acts for it.
    pub(super) actors: StatementKey,
    /// By their eight digits.
    pub(super) insurers: BTreeMap<String, Insurer>,
}

/// Who registers persons.
pub(super) struct Insurer {
    pub(super) caller: Caller,
    pub(super) key: StatementKey,
    key_hash: KeyHash,
}

/// A hospital of the directory.
pub(in crate::demo) struct Hospital<'a> {
    pub(in crate::demo) id: InstitutionId,
    pub(in crate::demo) name: &'a str,
    pub(in crate::demo) key_hash: KeyHash,
}

impl National {
    /// Makes keys, certificates and configurations below `dir`, where the cloud's are; starts nothing.
    pub(in crate::demo) fn prepare(dir: &Path, cloud: CloudId, cast: &Cast) -> Result<(Self, Signers), Failure> {
        let now = SystemClock::new().now();
        let (certs, home) = (dir.join("certs"), dir.join("national"));
        let authority = Authority::open(&certs, now).map_err(|source| certificates(&certs, source))?;
        let holders = (1..=HOLDERS)
            .map(|id| Keyholder::prepare(&authority, &home, (id, &[cloud]), &[], now))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| Failure::Keyholder { source })?;
        let register = tempfile::Builder::new().prefix("renkei-residents-").tempdir();
        let register = register.map_err(|source| Failure::Write { path: std::env::temp_dir(), source })?;
        let residents = register.path().join("residents.jsonl");
        let written = fs::write(&residents, cast.register());
        written.map_err(|source| Failure::Write { path: residents.clone(), source })?;
        let [officer, cards, actors] = std::array::from_fn(|_| StatementKey::from_seed(&rand::random()));
        let spec = RegistrarsSpec {
            replicas: 1,
            memory_mib: MEMORY_MIB,
            raft: RaftProfile::Demo,
            officers: vec![officer.verifying_key().to_hex()],
            officers_needed: 1,
            card_authorities: vec![cards.verifying_key().to_hex()],
            register: Some(residents),
            keyholders: (1..).zip(&holders).map(|(id, holder)| (id, holder.address())).collect(),
            clouds: vec![cloud],
            set: Vec::new(),
        };
        let registrars = Registrars::prepare(&authority, &home, &spec, now);
        let registrars = registrars.map_err(|source| Failure::Registrar { source })?;
        let issue = |role, name: &str| {
            let files = authority.issue(&Leaf::local(NO_CLOUD, role, name, now));
            files.map_err(|source| certificates(&certs, source))
        };
        let operator = Caller::load(&issue(Role::Operator, "national")?)?;
        let digits: BTreeSet<String> = cast.persons.iter().map(|person| person.member.insurer().to_string()).collect();
        let mut insurers = BTreeMap::new();
        for digits in digits {
            let files = issue(Role::Insurer, &digits)?;
            let key_hash = certificate_key(&files.certificate).map_err(|source| Failure::Launch { source })?;
            let key = StatementKey::from_seed(&rand::random());
            insurers.insert(digits, Insurer { caller: Caller::load(&files)?, key, key_hash });
        }
        let national = Self { holders, registrars, operator, officer, _register: register };
        Ok((national, Signers { cards, actors, insurers }))
    }

    /// What a vault is told of it: `--set` assignments.
    pub(in crate::demo) fn vault_settings(&self) -> Vec<String> {
        let holders = (1..).zip(&self.holders).map(|(id, holder): (u32, _)| format!("{id}=\"{}\"", holder.address()));
        let holders = holders.collect::<Vec<_>>().join(",");
        let registrar = self.address();
        vec![format!("tickets={{registrar=\"{registrar}\",keyholders={{{holders}}}}}"), self.directory_setting()]
    }

    /// What whoever goes by the directory is told: a `--set` assignment.
    pub(in crate::demo) fn directory_setting(&self) -> String {
        format!("directory={{officers=[\"{}\"],needed=1}}", self.officer.verifying_key().to_hex())
    }

    /// Starts every process, of which none runs.
    pub(in crate::demo) fn start(&mut self) -> Result<(), Failure> {
        let holders = self.holders.iter_mut().try_for_each(Keyholder::start);
        holders.map_err(|source| Failure::Keyholder { source })?;
        self.registrars.start().map_err(|source| Failure::Registrar { source })
    }

    /// Ends every process in order.
    pub(in crate::demo) fn stop(&mut self) -> Result<(), Failure> {
        self.registrars.stop().map_err(|source| Failure::Registrar { source })?;
        let mut processes = self.holders.iter_mut().filter_map(Keyholder::process);
        let stopped = processes.try_for_each(|process| process.stop(STOP_TIMEOUT).map(|_| ()));
        stopped.map_err(|source| Failure::Keyholder { source: source.into() })
    }

    /// Where the registrar serves.
    pub(in crate::demo) fn address(&self) -> Address {
        let (_, address) = self.registrars.addresses().pop_first().expect("a registrar has a replica");
        address.to_string().parse().expect("a socket's address is an address")
    }

    /// Signs the first directory, and publishes it to the registrar and to the cloud's vault.
    pub(in crate::demo) async fn publish(
        &self,
        (cloud, cell): (CloudId, CellEntry),
        (hospital, signers): (&Hospital<'_>, &Signers),
        (operator, vault): (&Caller, &Address),
    ) -> Result<(), Failure> {
        let key = self.registrars.public_key().map_err(|source| Failure::Registrar { source })?;
        // One that is no key makes a directory without a registrar, and that is refused.
        let entries = Self::entries(VerifyingKey::from_hex(&key), (cloud, &cell), hospital, signers);
        let invalid = |source| Failure::Directory { path: None, source };
        let directory = Directory::try_from(entries).map_err(invalid)?;
        let signed = SignedDirectory::unsigned(&directory).and_then(|it| it.sign(&self.officer)).map_err(invalid)?;
        let registrar = self.address();
        let keepers = [
            (self.operator.channel(&registrar, Role::Registrar), &registrar),
            (operator.channel(vault, Role::Vault), vault),
        ];
        for (channel, address) in keepers {
            let client = DirectoryServiceClient::new(channel);
            let published = patiently(address, async || {
                let request = pb::PublishRequest::from(PublishRequest(signed.clone()));
                answer::<_, PublishReply>(address, client.clone().publish(request)).await
            });
            published.await?;
        }
        Ok(())
    }

    fn entries(
        registrar: Option<VerifyingKey>,
        (cloud, cell): (CloudId, &CellEntry),
        hospital: &Hospital<'_>,
        signers: &Signers,
    ) -> Entries {
        let CellEntry { id, gateways, key } = cell;
        let enrol = |id, kind, name: &str, key, signing: VerifyingKey| Institution {
            id,
            kind,
            name: name_hash(name),
            keys: vec![key],
            signing: vec![signing],
            visits: DailyVisits::new(VISITS).expect("the most is within the limit"),
            home: cell.id,
        };
        let insurers = signers.insurers.iter().map(|(digits, Insurer { caller: _, key, key_hash })| {
            let id = InstitutionId::from_bytes(rand::random());
            enrol(id, InstitutionKind::Insurer, digits, *key_hash, key.verifying_key())
        });
        let mut institutions: Vec<_> = insurers.collect();
        let Hospital { id: hospital, name, key_hash } = *hospital;
        let actors = signers.actors.verifying_key();
        institutions.push(enrol(hospital, InstitutionKind::Hospital, name, key_hash, actors));
        let mut entries = Entries {
            version: DirectoryVersion(1),
            valid_from: UnixMillis(0),
            deny_epoch: DenyEpoch(0),
            registrars: registrar.into_iter().collect(),
            clouds: vec![Cloud { id: cloud, epoch: PseudonymEpoch(1), rotating: false }],
            cells: vec![Cell {
                id: *id,
                cloud,
                gateways: gateways.clone(),
                commitments: CommitmentKey(*key.as_bytes()),
            }],
            routes: Vec::new(),
            institutions,
            denied: Vec::new(),
            surges: Vec::new(),
        };
        entries.sort();
        entries
    }
}

fn certificates(dir: &Path, source: CertError) -> Failure {
    Failure::Certificates { dir: dir.to_owned(), source }
}
