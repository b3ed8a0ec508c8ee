//! Key holders, and a registrar and vaults to ask them as.

use std::sync::Arc;

use renkei_access::{
    ConsentSet, Evidence, Purpose, SealedParts, SealedShare, SignedTicket, StatementKey, TicketDraft, TicketHeader,
};
use renkei_envelope::{
    CellSecret, Claims, Commitments, DaySecret, EncodedPoint, MarkKey, Random, SealedShareForm, SharePlace, TicketKey,
};
use renkei_ids::{
    BindingId, CellId, Clock, CloudId, HeaderDigest, InstitutionId, KeyholderId, PersonId, PseudonymEpoch, TicketId,
    UnixDay, UnixMinute,
};
use renkei_launch::{Authority, Keyholder, Leaf};
use renkei_pseudonym::{BlindedPoint, MaskedPoint, Person, PseudonymPoint, Share, TransitPoint, Unmask, blind};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::keyholder::{HeldTicketKey, MintItem, MintReply, MintRequest, Minted};
use renkei_wire::pb::keyholder::v1 as pb;
use renkei_wire::{ErrorCode, KeyholderServiceClient, Refusal};
use tonic::transport::Channel;

pub(crate) const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
pub(crate) const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
pub(crate) const OTHER_CLOUD: CloudId = CloudId::from_bytes([0xC2; 16]);
pub(crate) const EPOCH: PseudonymEpoch = PseudonymEpoch(1);

/// The randomness of a registrar.
pub(crate) struct System;

impl Random for System {
    fn fill(&self, into: &mut [u8]) {
        aws_lc_rs::rand::fill(into).unwrap();
    }
}

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) authority: Authority,
    pub(crate) holders: Vec<Keyholder>,
}

impl World {
    /// Running key holders.
    pub(crate) fn new(holders: u32, set: &[&str]) -> Self {
        let mut world = Self::prepared(holders, set);
        world.holders.iter_mut().for_each(|holder| holder.start().unwrap());
        world
    }

    /// Key holders of which none runs.
    pub(crate) fn prepared(holders: u32, set: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemClock::new().now();
        let authority = Authority::development(&dir.path().join("certs"), now).unwrap();
        let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
        let clouds = [CLOUD, OTHER_CLOUD];
        let holders = (1..=holders)
            .map(|id| Keyholder::prepare(&authority, dir.path(), (id, &clouds), &set, now).unwrap())
            .collect();
        Self { dir, authority, holders }
    }

    pub(crate) fn identity(&self, cloud: CloudId, role: Role, name: &str) -> Tls {
        let clock = Arc::new(SystemClock::new());
        let files = self.authority.issue(&Leaf::local(cloud, role, name, clock.now())).unwrap();
        Tls::load(&files, clock).unwrap()
    }

    pub(crate) fn registrar(&self) -> Tls {
        self.identity(NO_CLOUD, Role::Registrar, "one")
    }

    pub(crate) fn vault(&self, cloud: CloudId) -> Tls {
        self.identity(cloud, Role::Vault, "1")
    }

    /// A client of one key holder, by its place.
    pub(crate) fn client(&self, tls: &Tls, at: usize) -> KeyholderServiceClient<Channel> {
        let address: Address = self.holders[at].address().to_string().parse().unwrap();
        let name = (at + 1).to_string().into();
        let expected = ExpectedPeer { cloud: NO_CLOUD, role: Role::Keyholder, name: Some(name) };
        KeyholderServiceClient::new(tls.channel(&address, expected, Http2::CALLS))
    }

    pub(crate) async fn mint(
        &self,
        tls: &Tls,
        at: usize,
        request: MintRequest,
    ) -> Result<Vec<Result<Minted, Refusal>>, Refusal> {
        let reply = self.client(tls, at).mint(pb::MintRequest::from(request)).await;
        let MintReply(results) = reply.map_err(|status| refusal(&status))?.into_inner().try_into().unwrap();
        Ok(results)
    }

    pub(crate) async fn ticket_key(&self, tls: &Tls, at: usize, day: UnixDay) -> Result<HeldTicketKey, Refusal> {
        let reply = self.client(tls, at).ticket_key(pb::TicketKeyRequest { key_day: day.0 }).await;
        Ok(reply.map_err(|status| refusal(&status))?.into_inner().try_into().unwrap())
    }

    /// What was logged so far.
    pub(crate) fn log(&self, at: usize) -> String {
        std::fs::read_to_string(self.holders[at].log()).unwrap()
    }
}

fn refusal(status: &tonic::Status) -> Refusal {
    // A status without a refusal is a connection that was not let in.
    Refusal::from_status(status).unwrap_or(Refusal::new(ErrorCode::Unavailable))
}

pub(crate) fn now() -> UnixMinute {
    UnixMinute::of(SystemClock::new().now())
}

pub(crate) fn today() -> UnixDay {
    now().day()
}

pub(crate) fn person(seed: u8) -> Person {
    Person::new(&[seed; 32], 0)
}

/// A point of one person, as a registrar sends it.
pub(crate) fn item(cloud: CloudId, digest: HeaderDigest) -> MintItem {
    let (_, point) = blind(&[&person(1)], &System).unwrap().remove(0);
    MintItem { cloud, epoch: EPOCH, point, digest }
}

pub(crate) fn request(day: UnixDay, items: usize, cloud: CloudId) -> MintRequest {
    MintRequest { day, items: (0..items).map(|_| item(cloud, HeaderDigest::from_bytes([9; 32]))).collect() }
}

/// A registrar that knows persons by their seeds and keeps nothing.
pub(crate) struct Registrar {
    tls: Tls,
    pub(crate) signing: StatementKey,
    /// What its own ticket keys of today grow from; a vault is handed them as those of key holders.
    day_secret: DaySecret,
    marks: MarkKey,
    pub(crate) cell: CellSecret,
}

impl Registrar {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            tls: world.registrar(),
            signing: StatementKey::from_seed(&[1; 32]),
            day_secret: DaySecret::random(&System),
            marks: MarkKey::random(&System),
            cell: CellSecret::random(&System),
        }
    }

    pub(crate) fn ticket_key(&self, cloud: CloudId) -> TicketKey {
        self.day_secret.ticket_key(today(), cloud)
    }

    /// Mints tickets of one cloud for up to 64 persons through every key holder, one after the other.
    pub(crate) async fn mint(&self, world: &World, cloud: CloudId, seeds: &[u8]) -> Vec<SignedTicket> {
        let drafts: Vec<TicketDraft> = seeds.iter().map(|_| TicketDraft::new(header(cloud)).unwrap()).collect();
        let persons: Vec<Person> = seeds.iter().map(|seed| person(*seed)).collect();
        let blinded = blind(&persons.iter().collect::<Vec<_>>(), &System).unwrap();
        let (unblinds, mut points): (Vec<_>, Vec<BlindedPoint>) = blinded.into_iter().unzip();
        let mut shares: Vec<Vec<SealedShare>> = seeds.iter().map(|_| Vec::new()).collect();
        let mut masked: Vec<MaskedPoint> = Vec::new();
        for (at, holder) in (0..world.holders.len()).zip(1..) {
            let items = drafts.iter().zip(&points).map(|(draft, point)| MintItem {
                cloud,
                epoch: EPOCH,
                point: point.clone(),
                digest: draft.digest(),
            });
            let request = MintRequest { day: today(), items: items.collect() };
            let minted = world.mint(&self.tls, at, request).await.unwrap();
            let minted: Vec<Minted> = minted.into_iter().map(Result::unwrap).collect();
            for (shares, minted) in shares.iter_mut().zip(&minted) {
                let sealed = minted.share.as_bytes().clone();
                shares.push(SealedShare { epoch: EPOCH, holder: KeyholderId(holder), sealed });
            }
            masked = minted.into_iter().map(|minted| minted.point).collect();
            points = masked.iter().map(MaskedPoint::onward).collect();
        }
        let minted = unblinds.into_iter().zip(masked).map(|(unblind, masked)| unblind.finish(&masked));
        let parts = minted.zip(shares).zip(drafts).zip(seeds);
        parts.map(|(((point, shares), draft), seed)| self.sign(&draft, *seed, &point, shares)).collect()
    }

    fn sign(&self, draft: &TicketDraft, seed: u8, point: &TransitPoint, shares: Vec<SealedShare>) -> SignedTicket {
        let cloud = draft.header().audience;
        let claims = Claims {
            mark: self.marks.mark(PersonId::from_bytes([seed; 16]), cloud),
            binding: BindingId::from_bytes([seed; 16]),
            probe: false,
            points: (EncodedPoint::from_bytes(point.encode()), None),
            epoch: EPOCH,
        };
        let claims = self.ticket_key(cloud).seal_claims(draft.digest(), &claims, &System);
        let commitments =
            self.cell.public().seal_commitments(draft.digest(), &Commitments::default(), &System).unwrap();
        draft.sign(&SealedParts { shares, claims, commitments }, &self.signing).unwrap()
    }
}

fn header(cloud: CloudId) -> TicketHeader {
    let mut random = [0; 32];
    System.fill(&mut random);
    TicketHeader {
        id: TicketId::try_from(&random[..16]).unwrap(),
        salt: random[16..].try_into().unwrap(),
        audience: cloud,
        institution: InstitutionId::from_bytes([4; 16]),
        home_cell: CellId::from_bytes([5; 16]),
        serving_cell: CellId::from_bytes([6; 16]),
        epoch: EPOCH,
        rotating: false,
        purpose: Purpose::Care,
        categories: ConsentSet::NONE,
        evidence: Evidence::Card,
        consent_text: None,
        issued: now(),
        expires: now().plus(10),
    }
}

/// What a vault does with a ticket: the pseudonym, if every seal opens.
pub(crate) fn open(
    ticket: &SignedTicket,
    registrar: (&StatementKey, &TicketKey),
    holders: &[HeldTicketKey],
) -> Option<PseudonymPoint> {
    let (signing, ticket_key) = registrar;
    let ticket = ticket.verify(&[signing.verifying_key()]).unwrap();
    let claims = ticket_key.open_claims(ticket.digest, &ticket.sealed.claims).ok()?;
    let mut shares = Vec::new();
    for SealedShare { epoch, holder, sealed } in &ticket.sealed.shares {
        let key = &holders.iter().find(|held| held.holder == *holder)?.key;
        let place = SharePlace { digest: ticket.digest, holder: *holder, epoch: *epoch };
        let share = key.open_share(&place, &SealedShareForm::try_from(sealed.clone()).unwrap()).ok()?;
        shares.push(Share::try_from(&share.expose()[..]).unwrap());
    }
    let point = TransitPoint::try_from(&claims.points.0.expose()[..]).unwrap();
    Some(Unmask::new(&shares).unwrap().open(&point))
}
