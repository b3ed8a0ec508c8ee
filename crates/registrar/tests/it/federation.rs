//! A registrar and two key holders as real processes, and insurers, institutions, vaults and operators to ask them as.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_access::{
    Card, CardId, Cell, Cloud, CollectionBasis, CommitmentKey, ConsentCategory, ConsentSet, ConsentText, DailyVisits,
    Directory, Entries, Institution, InstitutionKind, Party, Presence, PresentedCard, Purpose, ResidentCode, Route,
    SignedDirectory, SignedTicket, Statement, StatementKey, Ticket, VerifyingKey, name_hash,
};
use renkei_envelope::{CellSecret, Claims, Commitments, SealedShareForm, SharePlace, TicketKey, Token};
use renkei_ids::{
    CellId, Clock, CloudId, DenyEpoch, DirectoryVersion, GrantId, InstitutionId, KeyHash, PseudonymEpoch, RequestId,
    UnixDay, UnixMillis, UnixMinute,
};
use renkei_launch::{Authority, Keyholder, Leaf, RaftProfile, Registrars, RegistrarsSpec};
use renkei_pseudonym::{PseudonymPoint, Share, TransitPoint, Unmask};
use renkei_records::{BirthDate, FiveItems, MemberId, Sex};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls, draw};
use renkei_wire::admin::RegistrarStatus;
use renkei_wire::directory::PublishRequest;
use renkei_wire::keyholder::HeldTicketKey;
use renkei_wire::pb::admin::v1 as admin_pb;
use renkei_wire::pb::directory::v1 as directory_pb;
use renkei_wire::pb::keyholder::v1 as keyholder_pb;
use renkei_wire::pb::registrar::v1 as pb;
use renkei_wire::record::Actor;
use renkei_wire::registrar::{
    Asking, BulkEligibilityReply, BulkEligibilityRequest, CheckEligibilityRequest, CheckInRequest, CheckedIn,
    Eligibility, Entry, Insured, InsurerSays, InsurerStatement, RegisterReply, RegisterRequest, RegistrarTicketKey,
    Registration, RenewRequest, Shown, Taken,
};
use renkei_wire::{
    DirectoryServiceClient, ErrorCode, KeyholderServiceClient, Refusal, RegistrarAdminServiceClient,
    RegistrarServiceClient,
};
use tonic::Status;
use tonic::transport::Channel;

pub(crate) const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
pub(crate) const KANTO: CloudId = CloudId::from_bytes([0xC1; 16]);
pub(crate) const KANSAI: CloudId = CloudId::from_bytes([0xC2; 16]);
pub(crate) const HOSPITAL: InstitutionId = InstitutionId::from_bytes([0x11; 16]);
pub(crate) const CLINIC: InstitutionId = InstitutionId::from_bytes([0x12; 16]);
pub(crate) const SUPPLIER: InstitutionId = InstitutionId::from_bytes([0x13; 16]);
pub(crate) const INSURER: &str = "06139877";
const EPOCH: PseudonymEpoch = PseudonymEpoch(1);
const DEADLINE: Duration = Duration::from_secs(20);
/// Longest time that a registrar on a busy machine may take to elect, recover or catch up.
const PATIENCE: Duration = Duration::from_secs(60);
const HOLDERS: u32 = 2;

/// What a call came to.
pub(crate) type Asked<T> = Result<T, Refusal>;

pub(crate) struct Federation {
    pub(crate) registrars: Registrars,
    pub(crate) holders: Vec<Keyholder>,
    pub(crate) hospital: Tls,
    pub(crate) clinic: Tls,
    pub(crate) supplier: Tls,
    pub(crate) insurer: Tls,
    pub(crate) operator: Tls,
    pub(crate) cells: [CellSecret; 2],
    insurer_key: StatementKey,
    card_authority: StatementKey,
    officer: StatementKey,
    entries: Entries,
    authority: Authority,
    dir: tempfile::TempDir,
}

/// One of the register's residents, by a number.
#[derive(Clone, Copy)]
pub(crate) struct Somebody(pub(crate) u8);

impl Somebody {
    pub(crate) fn member(self) -> MemberId {
        MemberId::parse(&format!("{INSURER}:渡:{}:01", self.0)).unwrap()
    }

    pub(crate) fn birth_date(self) -> BirthDate {
        BirthDate::parse(&format!("1970-01-{:02}", self.0 % 28 + 1)).unwrap().unwrap()
    }

    pub(crate) fn items(self) -> FiveItems {
        let name = format!("渡邊 患者{}", self.0);
        let kana = format!("ワタナベ{}", "ア".repeat(usize::from(self.0) + 1));
        FiveItems::new(name, kana, self.birth_date(), Sex::Female, format!("本町{}丁目", self.0)).unwrap()
    }

    pub(crate) fn insured(self) -> Insured {
        Insured { member: self.member(), birth_date: self.birth_date() }
    }

    fn code(self) -> ResidentCode {
        ResidentCode::from_bytes([self.0; 32])
    }

    fn line(self) -> String {
        let items = self.items();
        let code = format!("{:02x}", self.0).repeat(32);
        format!(
            r#"{{"resident":"{code}","name":"{}","kana":"{}","birthDate":"{}","sex":"female","address":"{}"}}"#,
            items.name(),
            items.kana(),
            items.birth_date(),
            items.address(),
        )
    }
}

impl Federation {
    /// A registrar of one replica or three that has begun, and two key holders. `set` is more configuration of the former.
    pub(crate) async fn new(replicas: u32, set: &[&str]) -> Self {
        let mut federation = Self::prepared(replicas, set);
        federation.holders.iter_mut().for_each(|holder| holder.start().unwrap());
        federation.registrars.start().unwrap();
        federation.publish(|_| ()).await;
        federation
    }

    /// None of which runs.
    pub(crate) fn prepared(replicas: u32, set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = now();
        let authority = Authority::development(&dir.path().join("certs"), now).unwrap();
        let clouds = [KANTO, KANSAI];
        let holders: Vec<_> = (1..=HOLDERS)
            .map(|id| Keyholder::prepare(&authority, dir.path(), (id, &clouds), &[], now).unwrap())
            .collect();
        let [insurer_key, card_authority, officer] = [1, 2, 3].map(|seed| StatementKey::from_seed(&[seed; 32]));
        let register = dir.path().join("register.jsonl");
        std::fs::write(&register, (0..40).map(|number| Somebody(number).line() + "\n").collect::<String>()).unwrap();
        let spec = RegistrarsSpec {
            replicas,
            memory_mib: 256,
            raft: RaftProfile::Demo,
            officers: vec![officer.verifying_key().to_hex()],
            officers_needed: 1,
            card_authorities: vec![card_authority.verifying_key().to_hex()],
            register: Some(register),
            keyholders: (1..).zip(&holders).map(|(id, holder)| (id, holder.address())).collect(),
            clouds: clouds.to_vec(),
            set: set.iter().map(|text| (*text).to_owned()).collect(),
        };
        let registrars = Registrars::prepare(&authority, dir.path(), &spec, now).unwrap();
        let identity = |cloud, role, name| identity(&authority, cloud, role, name);
        let hospital = identity(KANTO, Role::Institution, "hospital");
        let clinic = identity(KANSAI, Role::Institution, "clinic");
        let supplier = identity(KANTO, Role::Institution, "supplier");
        let insurer = identity(NO_CLOUD, Role::Insurer, INSURER);
        let cells = [[6; 32], [7; 32]].map(CellSecret::from_bytes);
        let named = [
            (HOSPITAL, InstitutionKind::Hospital, "hospital", &hospital, 0),
            (CLINIC, InstitutionKind::Clinic, "clinic", &clinic, 1),
            (SUPPLIER, InstitutionKind::Supplier, "supplier", &supplier, 0),
            (InstitutionId::from_bytes([0x14; 16]), InstitutionKind::Insurer, INSURER, &insurer, 0),
        ];
        let registrar_key = verifying_key(&registrars.public_key().unwrap());
        let entries = entries(registrar_key, &cells, &insurer_key, &named);
        Self {
            registrars,
            holders,
            hospital,
            clinic,
            supplier,
            insurer,
            operator: identity(NO_CLOUD, Role::Operator, "one"),
            cells,
            insurer_key,
            card_authority,
            officer,
            entries,
            authority,
            dir,
        }
    }

    /// Publishes the next directory, with a change.
    pub(crate) async fn publish(&mut self, change: impl FnOnce(&mut Entries)) {
        self.entries.version = DirectoryVersion(self.entries.version.0 + 1);
        change(&mut self.entries);
        let directory = Directory::try_from(self.entries.clone()).unwrap();
        let signed = SignedDirectory::unsigned(&directory).unwrap().sign(&self.officer).unwrap();
        let leader = self.leader().await;
        let mut client = DirectoryServiceClient::new(self.channel(&self.operator, leader));
        let request = directory_pb::PublishRequest::from(PublishRequest(signed));
        client.publish(request).await.unwrap();
    }

    pub(crate) async fn deny(&mut self, institution: InstitutionId) {
        self.publish(|entries| {
            entries.deny_epoch = DenyEpoch(entries.deny_epoch.0 + 1);
            entries.denied = vec![Party::Institution(institution)];
        })
        .await;
    }

    pub(crate) fn identity(&self, cloud: CloudId, role: Role, name: &str) -> Tls {
        identity(&self.authority, cloud, role, name)
    }

    fn channel(&self, tls: &Tls, registrar: u32) -> Channel {
        let address: Address = self.registrars.addresses()[&registrar].to_string().parse().unwrap();
        let name = Some(registrar.to_string().into());
        tls.channel(&address, ExpectedPeer { cloud: NO_CLOUD, role: Role::Registrar, name }, Http2::CALLS)
    }

    /// Asks one registrar after the other, as long as refusals point elsewhere or nobody is there.
    async fn anywhere<T, A>(&self, tls: &Tls, ask: impl Fn(RegistrarServiceClient<Channel>) -> A) -> Asked<T>
    where
        A: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let end = Instant::now() + PATIENCE;
        let mut hosts: Vec<u32> = self.registrars.addresses().into_keys().collect();
        loop {
            let refused = match ask(RegistrarServiceClient::new(self.channel(tls, hosts[0]))).await {
                Ok(reply) => return Ok(reply.into_inner()),
                // A status without a refusal is a connection that was not let in, or a process that is not there.
                Err(status) => Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::Unavailable)),
            };
            let elsewhere =
                matches!(refused.code, ErrorCode::NotLeader | ErrorCode::Unavailable | ErrorCode::DirectoryMissing);
            if !elsewhere || Instant::now() > end || hosts.len() == 1 && refused.code == ErrorCode::Unavailable {
                return Err(refused);
            }
            hosts.rotate_left(1);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn sign(&self, say: InsurerSays) -> renkei_access::Signed {
        let statement = InsurerStatement { signed_at: now(), say };
        self.insurer_key.sign(Statement::Registration, statement.encode())
    }

    pub(crate) async fn say(&self, tls: &Tls, statements: Vec<renkei_access::Signed>) -> Asked<Vec<Asked<Taken>>> {
        let request = RegisterRequest { request: RequestId::from_bytes(draw()), deadline: DEADLINE, statements };
        let request = pb::RegisterRequest::from(request);
        let ask = |mut client: RegistrarServiceClient<Channel>| {
            let request = request.clone();
            async move { client.register(request).await }
        };
        let RegisterReply(results) = self.anywhere(tls, ask).await?.try_into().unwrap();
        Ok(results)
    }

    /// Registers people, each entered twice.
    pub(crate) async fn register(&self, people: &[Somebody]) -> Vec<Asked<Taken>> {
        let statement = |somebody: &Somebody| {
            let entry = || Entry { member: somebody.member(), items: somebody.items() };
            let registration = Registration { entry: entry(), again: Some(entry()), from_day: 0, until_day: None };
            self.sign(InsurerSays::Register(Box::new(registration)))
        };
        self.say(&self.insurer, people.iter().map(statement).collect()).await.unwrap()
    }

    pub(crate) async fn issue_token(&self, somebody: Somebody) -> Token {
        let expires = now().plus_millis(86_400_000);
        let statement = self.sign(InsurerSays::IssueToken(somebody.insured(), expires));
        match self.say(&self.insurer, vec![statement]).await.unwrap().remove(0).unwrap() {
            Taken::Token(token) => token,
            other => panic!("{other:?}"),
        }
    }

    /// A card of somebody that is shown to an institution, now.
    pub(crate) fn card(&self, somebody: Somebody, institution: InstitutionId) -> Shown {
        let own = StatementKey::from_seed(&[somebody.0 + 100; 32]);
        let card = Card {
            id: CardId::from_bytes([somebody.0; 16]),
            resident: somebody.code(),
            key: own.verifying_key(),
            expires: now().plus_millis(86_400_000),
        };
        let presence = Presence { institution, moment: now(), nonce: draw() };
        Shown::Card(PresentedCard { card: card.sign(&self.card_authority), presence: presence.sign(&own) })
    }

    pub(crate) async fn eligibility(
        &self,
        tls: &Tls,
        insured: Insured,
        items: Option<FiveItems>,
    ) -> Asked<Eligibility> {
        let request = pb::CheckEligibilityRequest::from(CheckEligibilityRequest { asking: asking(), insured, items });
        let ask = |mut client: RegistrarServiceClient<Channel>| {
            let request = request.clone();
            async move { client.check_eligibility(request).await }
        };
        Ok(self.anywhere(tls, ask).await?.try_into().unwrap())
    }

    pub(crate) async fn bulk(&self, tls: &Tls, insured: Vec<Insured>) -> Asked<Vec<Asked<Eligibility>>> {
        let request = pb::BulkEligibilityRequest::from(BulkEligibilityRequest { asking: asking(), insured });
        let ask = |mut client: RegistrarServiceClient<Channel>| {
            let request = request.clone();
            async move { client.bulk_eligibility(request).await }
        };
        let BulkEligibilityReply(results) = self.anywhere(tls, ask).await?.try_into().unwrap();
        Ok(results)
    }

    pub(crate) async fn check_in(&self, tls: &Tls, request: CheckInRequest) -> Asked<CheckedIn> {
        let request = pb::CheckInRequest::from(request);
        let ask = |mut client: RegistrarServiceClient<Channel>| {
            let request = request.clone();
            async move { client.check_in(request).await }
        };
        Ok(self.anywhere(tls, ask).await?.try_into().unwrap())
    }

    pub(crate) async fn renew(&self, tls: &Tls, grant: GrantId) -> Asked<CheckedIn> {
        let request = pb::RenewRequest::from(RenewRequest { asking: asking(), grant });
        let ask = |mut client: RegistrarServiceClient<Channel>| {
            let request = request.clone();
            async move { client.renew(request).await }
        };
        Ok(self.anywhere(tls, ask).await?.try_into().unwrap())
    }

    pub(crate) async fn ticket_key_at(&self, tls: &Tls, registrar: u32, day: UnixDay) -> Asked<TicketKey> {
        let mut client = RegistrarServiceClient::new(self.channel(tls, registrar));
        let reply = client.ticket_key(pb::TicketKeyRequest { key_day: day.0 }).await;
        let reply =
            reply.map_err(|status| Refusal::from_status(&status).unwrap_or(Refusal::new(ErrorCode::Unavailable)))?;
        let RegistrarTicketKey(key) = reply.into_inner().try_into().unwrap();
        Ok(key)
    }

    /// What a vault does with a ticket: the pseudonym and what else the ticket says to it, if every seal opens.
    pub(crate) async fn open(&self, signed: &SignedTicket) -> (Ticket, Claims, PseudonymPoint) {
        let ticket = signed.verify(&self.entries.registrars).unwrap();
        let (cloud, day) = (ticket.header.audience, ticket.header.key_day());
        let vault = self.identity(cloud, Role::Vault, "1");
        let mut keys = Vec::new();
        for (id, holder) in (1..).zip(&self.holders) {
            let address: Address = holder.address().to_string().parse().unwrap();
            let name = Some(u32::to_string(&id).into());
            let expected = ExpectedPeer { cloud: NO_CLOUD, role: Role::Keyholder, name };
            let mut client = KeyholderServiceClient::new(vault.channel(&address, expected, Http2::CALLS));
            let reply = client.ticket_key(keyholder_pb::TicketKeyRequest { key_day: day.0 }).await.unwrap();
            keys.push(HeldTicketKey::try_from(reply.into_inner()).unwrap());
        }
        let own = self.ticket_key_at(&vault, 1, day).await.unwrap();
        let claims = own.open_claims(ticket.digest, &ticket.sealed.claims).unwrap();
        let shares: Vec<Share> = ticket
            .sealed
            .shares
            .iter()
            .map(|share| {
                let key = &keys.iter().find(|held| held.holder == share.holder).unwrap().key;
                let place = SharePlace { digest: ticket.digest, holder: share.holder, epoch: share.epoch };
                let sealed = SealedShareForm::try_from(share.sealed.clone()).unwrap();
                Share::try_from(&key.open_share(&place, &sealed).unwrap().expose()[..]).unwrap()
            })
            .collect();
        assert_eq!(shares.len(), self.holders.len());
        let point = TransitPoint::try_from(&claims.points.0.expose()[..]).unwrap();
        let pseudonym = Unmask::new(&shares).unwrap().open(&point);
        (ticket, claims, pseudonym)
    }

    /// What the serving cell of a ticket opens.
    pub(crate) fn commitments(&self, ticket: &Ticket) -> Commitments {
        let cell = if ticket.header.audience == KANTO { &self.cells[0] } else { &self.cells[1] };
        cell.open_commitments(ticket.digest, &ticket.sealed.commitments).unwrap()
    }

    pub(crate) fn admin(&self, tls: &Tls, registrar: u32) -> RegistrarAdminServiceClient<Channel> {
        RegistrarAdminServiceClient::new(self.channel(tls, registrar))
    }

    async fn status(&self, registrar: u32) -> Option<RegistrarStatus> {
        let reply = self.admin(&self.operator, registrar).status(admin_pb::RegistrarStatusRequest {}).await.ok()?;
        Some(reply.into_inner().try_into().unwrap())
    }

    /// The registrar that leads, as soon as one does.
    pub(crate) async fn leader(&self) -> u32 {
        until(async || {
            for registrar in self.registrars.addresses().into_keys() {
                let replica = self.status(registrar).await.and_then(|status| status.replica);
                if replica.is_some_and(|replica| replica.leads) {
                    return Some(registrar);
                }
            }
            None
        })
        .await
    }

    /// A number of a registrar's metrics.
    pub(crate) fn metric(&self, registrar: u32, line: &str) -> f64 {
        let mut tcp = std::net::TcpStream::connect(self.registrars.admin(registrar).unwrap()).unwrap();
        tcp.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        tcp.read_to_string(&mut text).unwrap();
        let found = text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0.0, |number| number.trim().parse().unwrap())
    }

    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }
}

fn identity(authority: &Authority, cloud: CloudId, role: Role, name: &str) -> Tls {
    let clock = Arc::new(SystemClock::new());
    let files = authority.issue(&Leaf::local(cloud, role, name, clock.now())).unwrap();
    Tls::load(&files, clock).unwrap()
}

fn entries(
    registrar: VerifyingKey,
    cells: &[CellSecret; 2],
    insurer: &StatementKey,
    named: &[(InstitutionId, InstitutionKind, &str, &Tls, usize)],
) -> Entries {
    let ids = [CellId::from_bytes([0xE1; 16]), CellId::from_bytes([0xE2; 16])];
    let clouds = [KANTO, KANSAI];
    let cell = |at: usize| Cell {
        id: ids[at],
        cloud: clouds[at],
        gateways: vec![KeyHash::from_bytes([u8::try_from(at).unwrap() + 0xA0; 32])],
        commitments: CommitmentKey(*cells[at].public().as_bytes()),
    };
    let institution = |(id, kind, name, tls, at): &(InstitutionId, InstitutionKind, &str, &Tls, usize)| Institution {
        id: *id,
        kind: *kind,
        name: name_hash(name),
        keys: vec![tls.identity().key_hash],
        signing: match kind {
            InstitutionKind::Insurer => vec![insurer.verifying_key()],
            _ => Vec::new(),
        },
        visits: DailyVisits::new(if *id == CLINIC { 5 } else { 3_000 }).unwrap(),
        home: ids[*at],
    };
    Entries {
        version: DirectoryVersion(0),
        valid_from: UnixMillis(0),
        deny_epoch: DenyEpoch(0),
        registrars: vec![registrar],
        clouds: clouds.map(|id| Cloud { id, epoch: EPOCH, rotating: false }).to_vec(),
        cells: vec![cell(0), cell(1)],
        routes: vec![
            Route { home: ids[0], cloud: KANSAI, serving: ids[1] },
            Route { home: ids[1], cloud: KANTO, serving: ids[0] },
        ],
        institutions: named.iter().map(institution).collect(),
        denied: Vec::new(),
        surges: Vec::new(),
    }
}

fn verifying_key(hex: &str) -> VerifyingKey {
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    VerifyingKey::from_bytes(bytes.try_into().unwrap())
}

pub(crate) fn asking() -> Asking {
    let actor = Actor { id: "planted-nurse".to_owned(), role: "nurse".to_owned() };
    Asking { request: RequestId::from_bytes(draw()), deadline: DEADLINE, actor }
}

/// To read and to write, for an hour.
pub(crate) fn to_read(shown: Shown) -> CheckInRequest {
    let categories = ConsentSet::NONE.with(ConsentCategory::CareAndDrugs).unwrap();
    CheckInRequest {
        asking: asking(),
        shown,
        purpose: Purpose::Care,
        categories,
        text: ConsentText(3),
        basis: Some(CollectionBasis::Consent),
        minutes: 60,
        admission: false,
    }
}

/// To write only.
pub(crate) fn to_write(shown: Shown) -> CheckInRequest {
    CheckInRequest { categories: ConsentSet::NONE, text: ConsentText(0), ..to_read(shown) }
}

pub(crate) fn now() -> UnixMillis {
    SystemClock::new().now()
}

pub(crate) fn today() -> UnixDay {
    UnixMinute::of(now()).day()
}

/// Asks until there is something.
pub(crate) async fn until<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether bytes hold others, as they are or in hexadecimal.
pub(crate) fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    let hex: String = needle.iter().map(|byte| format!("{byte:02x}")).collect();
    let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    found(needle) || found(hex.as_bytes())
}

/// The tickets of a check-in, each with its cloud.
pub(crate) fn tickets(checked_in: &CheckedIn) -> Vec<(CloudId, SignedTicket)> {
    checked_in.tickets.iter().map(|it| (it.cloud, it.ticket.clone().unwrap())).collect()
}

/// Bytes of every file below a directory.
pub(crate) fn files(dir: &std::path::Path) -> Vec<(std::path::PathBuf, Bytes)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), std::fs::read(&path).unwrap().into()));
        }
    }
    found
}
