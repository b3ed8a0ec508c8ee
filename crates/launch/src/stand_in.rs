//! A stand-in for the national side, for tests, bench and demo that need no registrar process: officers, a registrar and two
//! key holders in this process. The algebra, the seals and the signatures are the real ones, and ticket keys are given over
//! mutual TLS as the real parties give them; what it lacks is persons, eligibility, budgets, and anything kept on a disk.

mod givers;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use renkei_access::{
    Cell, Cloud, CommitmentKey, ConsentCategory, ConsentSet, ConsentText, DailyVisits, Directory, Entries, Evidence,
    Institution, InstitutionKind, Party, Purpose, SealedParts, SealedShare, SignedDirectory, SignedTicket,
    StatementKey, TicketDraft, TicketHeader, VerifyingKey, name_hash,
};
use renkei_envelope::{
    CellKey, Claims, Commitments, DaySecret, EncodedPoint, EncodedShare, MarkKey, SharePlace, TicketKey,
};
use renkei_ids::{
    BindingId, CellId, CloudId, DenyEpoch, DirectoryVersion, InstitutionId, KeyHash, KeyholderId, PersonId,
    PseudonymEpoch, TicketId, UnixDay, UnixMillis, UnixMinute,
};
use renkei_pseudonym::{Factor, FactorSecret, Person, TransitPoint, blind, translate};
use renkei_runtime::{SystemRandom, draw};

use crate::{CertError, PortError};
use givers::Givers;

/// Key holders of the stand-in.
const STAND_IN_HOLDERS: u32 = 2;
const EPOCH: PseudonymEpoch = PseudonymEpoch(1);

/// Why there is no stand-in.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum StandInError {
    #[error("making a certificate")]
    Certificate(#[from] CertError),
    #[error("reading a certificate")]
    Tls(#[from] Box<renkei_runtime::TlsError>),
    #[error("reserving ports")]
    Ports(#[from] PortError),
    #[error("starting its runtime")]
    Runtime(#[from] std::io::Error),
    #[error("opening its ports")]
    Bind(#[from] renkei_runtime::BindError),
}

/// What a ticket is to say.
#[derive(Clone, Debug)]
pub struct TicketOrder {
    /// Whose: any number is a person.
    pub person: u64,
    /// The institution where the patient is.
    pub institution: InstitutionId,
    /// Its home cell.
    pub home_cell: CellId,
    /// The cell that serves it in the cloud, and whose commitments are sealed to it.
    pub serving_cell: CellId,
    /// What its commitments are sealed to.
    pub cell_key: CellKey,
    /// The audience.
    pub cloud: CloudId,
    /// Why.
    pub purpose: Purpose,
    /// What the patient consented to.
    pub categories: ConsentSet,
    /// What stood behind the check-in.
    pub evidence: Evidence,
    /// When it is issued.
    pub issued: UnixMinute,
    /// When it ends.
    pub expires: UnixMinute,
    /// What is committed to.
    pub commitments: Commitments,
}

/// One cell, as the stand-in's directory is to name it.
#[derive(Clone, Debug)]
pub struct CellEntry {
    /// Its id.
    pub id: CellId,
    /// Its gateways' certificates.
    pub gateways: Vec<KeyHash>,
    /// What commitments are sealed to.
    pub key: CellKey,
}

/// What a key holder or a registrar gives vaults; an own secret for each.
#[derive(Debug)]
struct Given {
    registrar: DaySecret,
    holders: BTreeMap<KeyholderId, DaySecret>,
}

/// Officers, a registrar and key holders. Dropping it ends what it serves.
pub struct StandIn {
    cloud: CloudId,
    registrar: StatementKey,
    officer: StatementKey,
    factors: BTreeMap<KeyholderId, Factor>,
    given: Arc<Given>,
    marks: MarkKey,
    entries: Mutex<Entries>,
    givers: Givers,
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

impl StandIn {
    /// Starts it for one cloud, under the authority in `certs`.
    ///
    /// # Errors
    /// [`StandInError`].
    pub fn start(certs: &Path, cloud: CloudId, now: UnixMillis) -> Result<Self, StandInError> {
        let registrar = StatementKey::from_seed(&draw());
        let holders = || (1..=STAND_IN_HOLDERS).map(KeyholderId);
        let factor = |holder| (holder, FactorSecret::random(&SystemRandom).factor(cloud, EPOCH));
        let given = Arc::new(Given {
            registrar: DaySecret::random(&SystemRandom),
            holders: holders().map(|holder| (holder, DaySecret::random(&SystemRandom))).collect(),
        });
        let entries = Entries {
            version: DirectoryVersion(0),
            valid_from: now,
            deny_epoch: DenyEpoch(0),
            registrars: vec![registrar.verifying_key()],
            clouds: vec![Cloud { id: cloud, epoch: EPOCH, rotating: false }],
            cells: Vec::new(),
            routes: Vec::new(),
            institutions: Vec::new(),
            denied: Vec::new(),
            surges: Vec::new(),
        };
        Ok(Self {
            cloud,
            registrar,
            officer: StatementKey::from_seed(&draw()),
            factors: holders().map(factor).collect(),
            givers: Givers::start(certs, &given, now)?,
            given,
            marks: MarkKey::random(&SystemRandom),
            entries: Mutex::new(entries),
        })
    }

    /// What a vault is told of it: `--set` assignments.
    pub fn vault_settings(&self) -> Vec<String> {
        let holders = self.givers.holders.iter().map(|(number, port)| format!("{number}=\"{}\"", port.address()));
        let holders = holders.collect::<Vec<_>>().join(",");
        let registrar = self.givers.registrar.address();
        vec![format!("tickets={{registrar=\"{registrar}\",keyholders={{{holders}}}}}"), self.directory_setting()]
    }

    /// What whoever goes by the directory is told: a `--set` assignment.
    pub fn directory_setting(&self) -> String {
        format!("directory={{officers=[\"{}\"],needed=1}}", self.officer.verifying_key().to_hex())
    }

    /// What a vault is given for a day: the registrar's key, and each key holder's.
    pub fn ticket_keys(&self, day: UnixDay) -> (TicketKey, BTreeMap<KeyholderId, TicketKey>) {
        let holders = self.factors.keys().map(|holder| (*holder, self.given.holder(*holder, day, self.cloud)));
        (self.given.registrar(day, self.cloud), holders.collect())
    }

    /// Whether a key holder answers, or refuses as one that is away.
    pub fn holder_is_away(&self, holder: KeyholderId, away: bool) {
        self.givers.away(holder, away);
    }

    /// Enters cells, in place of those that were there.
    pub fn name_cells(&self, cells: &[CellEntry]) {
        let cell = |CellEntry { id, gateways, key }: &CellEntry| Cell {
            id: *id,
            cloud: self.cloud,
            gateways: gateways.clone(),
            commitments: CommitmentKey(*key.as_bytes()),
        };
        self.entries().cells = cells.iter().map(cell).collect();
    }

    /// Enters a hospital that asks through a cell; its id. What it signs with is `signing`.
    pub fn enrol(
        &self,
        name: &str,
        (key, signing): (KeyHash, &[VerifyingKey]),
        home: CellId,
        visits: DailyVisits,
    ) -> InstitutionId {
        let id = InstitutionId::from_bytes(draw());
        let mut entries = self.entries();
        let (kind, name, keys, signing) = (InstitutionKind::Hospital, name_hash(name), vec![key], signing.to_vec());
        entries.institutions.retain(|known| known.name != name);
        entries.institutions.push(Institution { id, kind, name, keys, signing, visits, home });
        id
    }

    /// Denies a party, or takes that back.
    pub fn deny(&self, party: Party, denied: bool) {
        let mut entries = self.entries();
        entries.denied.retain(|known| *known != party);
        entries.denied.extend(denied.then_some(party));
        entries.deny_epoch.0 += 1;
    }

    /// Changes the entries in any way.
    pub fn amend(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.entries());
    }

    /// The next directory, signed.
    ///
    /// # Panics
    /// When what was entered does not hold together.
    pub fn directory(&self) -> SignedDirectory {
        let mut entries = self.entries();
        entries.version.0 += 1;
        entries.sort();
        let directory = Directory::try_from(entries.clone()).expect("what was entered holds together");
        let unsigned = SignedDirectory::unsigned(&directory).expect("a small directory is within the limit");
        unsigned.sign(&self.officer).expect("what was made just now has a form")
    }

    /// Checks a patient in: mints through both key holders and signs.
    ///
    /// # Panics
    /// For an order whose form no ticket has.
    pub fn mint(&self, order: &TicketOrder) -> SignedTicket {
        let draft = TicketDraft::new(header(order)).expect("an order with a life that tickets have");
        let person = Person::new(&seed(order.person), 0);
        let (unblind, mut point) = blind(&[&person], &SystemRandom).expect("one point is a batch").remove(0);
        let (mut shares, mut masked) = (Vec::new(), None);
        for (holder, factor) in &self.factors {
            let translated = translate(&[(factor, &point)], &SystemRandom).expect("one point is a batch").remove(0);
            let place = SharePlace { digest: draft.digest(), holder: *holder, epoch: EPOCH };
            let share = EncodedShare::from_bytes(*translated.share.encode());
            let key = self.given.holder(*holder, order.issued.day(), order.cloud);
            let sealed = key.seal_share(&place, &share, &SystemRandom).as_bytes().clone();
            shares.push(SealedShare { epoch: EPOCH, holder: *holder, sealed });
            point = translated.point.onward();
            masked = Some(translated.point);
        }
        let in_transit = unblind.finish(&masked.expect("there are two key holders"));
        self.sign(order, &draft, (&in_transit, shares))
    }

    fn sign(
        &self,
        order: &TicketOrder,
        draft: &TicketDraft,
        (in_transit, shares): (&TransitPoint, Vec<SealedShare>),
    ) -> SignedTicket {
        let binding: [u8; 16] = *seed(order.person).first_chunk().expect("32 bytes hold 16");
        let claims = Claims {
            mark: self.marks.mark(PersonId::from_bytes(binding), order.cloud),
            binding: BindingId::from_bytes(binding),
            probe: false,
            points: (EncodedPoint::from_bytes(in_transit.encode()), None),
            epoch: EPOCH,
        };
        let key = self.given.registrar(order.issued.day(), order.cloud);
        let claims = key.seal_claims(draft.digest(), &claims, &SystemRandom);
        let commitments = order.cell_key.seal_commitments(draft.digest(), &order.commitments, &SystemRandom);
        let commitments = commitments.expect("a cell's key is no point of low order");
        let sealed = SealedParts { shares, claims, commitments };
        draft.sign(&sealed, &self.registrar).expect("shares of two key holders are within the limits")
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Given {
    fn registrar(&self, day: UnixDay, cloud: CloudId) -> TicketKey {
        self.registrar.ticket_key(day, cloud)
    }

    fn holder(&self, holder: KeyholderId, day: UnixDay, cloud: CloudId) -> TicketKey {
        self.holders[&holder].ticket_key(day, cloud)
    }
}

/// Consent to everything.
pub fn every_category() -> ConsentSet {
    ConsentCategory::EVERY
        .into_iter()
        .filter_map(|category| ConsentSet::NONE.with(category))
        .fold(ConsentSet::NONE, both)
}

fn both(one: ConsentSet, other: ConsentSet) -> ConsentSet {
    other.iter().fold(one, |set, category| set.with(category).unwrap_or(set))
}

/// A person's seed. The registrar draws it; here the number is the person.
fn seed(person: u64) -> [u8; 32] {
    let mut seed = [0x5E; 32];
    seed[..8].copy_from_slice(&person.to_be_bytes());
    seed
}

fn header(order: &TicketOrder) -> TicketHeader {
    TicketHeader {
        id: TicketId::from_bytes(draw()),
        salt: draw(),
        audience: order.cloud,
        institution: order.institution,
        home_cell: order.home_cell,
        serving_cell: order.serving_cell,
        epoch: EPOCH,
        rotating: false,
        purpose: order.purpose,
        categories: order.categories,
        evidence: order.evidence,
        consent_text: (!order.categories.is_empty()).then_some(ConsentText(1)),
        issued: order.issued,
        expires: order.expires,
    }
}
