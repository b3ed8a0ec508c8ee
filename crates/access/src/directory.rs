//! The directory: which institutions, cells and clouds there are, who serves whom, and who is denied. Officers sign it, k
//! of n, and only ever a newer one is taken.
//!
//! ```text
//! version 1 | entries, protobuf | officer's key 32, Ed25519 signature 64, ascending by key | number of signatures 1
//! ```
//!
//! [`signed`] is how it travels and who signs; [`held`] is which one of two is taken.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use renkei_ids::{
    CellId, CloudId, DenyEpoch, DirectoryVersion, InstitutionId, KeyHash, NameHash, PseudonymEpoch, UnixMillis,
};

use crate::{DailyVisits, Purpose, Scope, VerifyingKey};

mod check;
mod format;
mod held;
mod signed;

pub use check::InvalidDirectory;
pub use held::{Held, NotTaken};
pub use signed::{InvalidOfficers, OFFICERS_MAX, Officers, SignedDirectory};

/// Most bytes of a directory as it travels.
pub const DIRECTORY_MAX_BYTES: usize = 4 << 20;
/// Most institutions.
pub const INSTITUTIONS_MAX: usize = 16_384;
/// Most cells.
pub const CELLS_MAX: usize = 4_096;
/// Most clouds.
pub const CLOUDS_MAX: usize = 64;
/// Most routes.
pub const ROUTES_MAX: usize = 16_384;
/// Most parties that are denied at one time.
pub const DENIED_MAX: usize = 4_096;
/// Most surges at one time.
pub const SURGES_MAX: usize = 4_096;
/// Most keys of one kind that an institution, a cell or the registrars together have.
pub const KEYS_MAX: usize = 16;
/// Longest time from a directory's first moment to the end of a surge in it: seven days.
pub const SURGE_MAX_MILLIS: u64 = 7 * 86_400_000;

const NAME: &[u8] = b"renkei 2026-11 name of an institution\0";

/// What officers write and sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    /// Grows with each directory.
    pub version: DirectoryVersion,
    /// The first moment at which it is taken.
    pub valid_from: UnixMillis,
    /// Grows with each change of `denied`.
    pub deny_epoch: DenyEpoch,
    /// The keys that tickets are signed with.
    pub registrars: Vec<VerifyingKey>,
    /// The clouds.
    pub clouds: Vec<Cloud>,
    /// Their cells.
    pub cells: Vec<Cell>,
    /// Which cell of a cloud serves the institutions of another cloud's cell.
    pub routes: Vec<Route>,
    /// The institutions.
    pub institutions: Vec<Institution>,
    /// Who is served no more, and serves no more.
    pub denied: Vec<Party>,
    /// Sizes that hold for a time.
    pub surges: Vec<Surge>,
}

/// A cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// The cloud.
    pub id: CloudId,
    /// The epoch of its pseudonym keys.
    pub epoch: PseudonymEpoch,
    /// Whether they are being rotated: tickets carry the next epoch too, and rotation's budgets are lifted.
    pub rotating: bool,
}

/// A cell: gateways that are one to everybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The cell.
    pub id: CellId,
    /// The cloud that it belongs to.
    pub cloud: CloudId,
    /// Its gateways, each by the key of its certificate.
    pub gateways: Vec<KeyHash>,
    /// What registrars seal commitments to.
    pub commitments: CommitmentKey,
}

/// X25519 public key of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitmentKey(pub [u8; 32]);

/// For institutions of `home`, `serving` is their cell in `cloud`. In its own cloud a home cell serves by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Their cell at home.
    pub home: CellId,
    /// Another cloud.
    pub cloud: CloudId,
    /// A cell of that cloud.
    pub serving: CellId,
}

/// What an institution is. The numbers are signed and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum InstitutionKind {
    /// A hospital.
    Hospital = 1,
    /// A clinic, of dentists too.
    Clinic = 2,
    /// A pharmacy.
    Pharmacy = 3,
    /// An insurer: registers who is insured, and sees no record.
    Insurer = 4,
    /// A portal that patients see their own records through.
    Portal = 5,
    /// A municipality, which vaccinates.
    Municipality = 6,
    /// A laboratory, a caterer: delivers, and sees no record.
    Supplier = 7,
}

/// An institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    /// Random, and never changed.
    pub id: InstitutionId,
    /// What it is.
    pub kind: InstitutionKind,
    /// The hash of its name; [`name_hash`] makes one.
    pub name: NameHash,
    /// The keys of its certificates: more than one while they are renewed.
    pub keys: Vec<KeyHash>,
    /// What it signs with: who acts for it, and an insurer its registrations.
    pub signing: Vec<VerifyingKey>,
    /// How large it is.
    pub visits: DailyVisits,
    /// Through which cell it asks.
    pub home: CellId,
}

/// Who can be denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// An institution.
    Institution(InstitutionId),
    /// A cell, and so all who ask through it.
    Cell(CellId),
    /// A cloud, and so all of its cells.
    Cloud(CloudId),
}

/// More visits than an institution is enrolled with, for a time: an accident brings many. It ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surge {
    /// Where.
    pub institution: InstitutionId,
    /// Its size meanwhile.
    pub visits: DailyVisits,
    /// The first moment at which it no longer holds; [`SURGE_MAX_MILLIS`] after the directory's first at most.
    pub until: UnixMillis,
}

/// A directory whose entries hold together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    entries: Entries,
    /// Where in the entries an institution's, and a gateway's, key leads.
    institutions: BTreeMap<KeyHash, usize>,
    gateways: BTreeMap<KeyHash, usize>,
}

/// Why somebody is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// The directory names no such institution.
    #[error("the directory names no such institution")]
    NotEnrolled,
    /// Denied, or its cell or cloud is.
    #[error("the directory denies the institution, its cell or its cloud")]
    Denied,
    /// No cell of the cloud serves the institutions of its home cell.
    #[error("no cell of the cloud serves the institution")]
    NoCell,
    /// Another cell than the one that asks.
    #[error("another cell serves the institution")]
    OtherCell,
}

/// The hash of an institution's name.
pub fn name_hash(name: &str) -> NameHash {
    let mut context = Context::new(&SHA256);
    context.update(NAME);
    context.update(name.as_bytes());
    NameHash::try_from(context.finish().as_ref()).expect("SHA-256 gives 32 bytes")
}

impl InstitutionKind {
    /// Every kind, in the order of their numbers.
    pub const EVERY: [Self; 7] =
        [Self::Hospital, Self::Clinic, Self::Pharmacy, Self::Insurer, Self::Portal, Self::Municipality, Self::Supplier];

    /// From its encoded number; `None` where it is unknown.
    pub fn from_raw(raw: u32) -> Option<Self> {
        Self::EVERY.into_iter().find(|kind| u32::from(*kind as u8) == raw)
    }

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hospital => "hospital",
            Self::Clinic => "clinic",
            Self::Pharmacy => "pharmacy",
            Self::Insurer => "insurer",
            Self::Portal => "portal",
            Self::Municipality => "municipality",
            Self::Supplier => "supplier",
        }
    }

    /// Everything that an institution of this kind may be given for this purpose, whatever the evidence.
    pub const fn allows(self, purpose: Purpose) -> Scope {
        let all = Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::AUDIT);
        match (self, purpose) {
            (Self::Hospital | Self::Clinic | Self::Pharmacy, Purpose::Care | Purpose::Emergency) => all,
            (Self::Municipality, Purpose::Care) => Scope::READ.with(Scope::WRITE).with(Scope::DELETE),
            (Self::Supplier, Purpose::Care) => Scope::WRITE,
            (Self::Portal, Purpose::Own) => Scope::READ.with(Scope::AUDIT),
            _ => Scope::NONE,
        }
    }
}

impl Cloud {
    /// The epochs that tickets for it are minted under: one, or two while keys are rotated.
    pub fn epochs(&self) -> impl Iterator<Item = PseudonymEpoch> {
        let next = PseudonymEpoch(self.epoch.0.saturating_add(1));
        [Some(self.epoch), self.rotating.then_some(next)].into_iter().flatten()
    }
}

impl Directory {
    /// What officers wrote, each list ascending.
    pub const fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Its version.
    pub const fn version(&self) -> DirectoryVersion {
        self.entries.version
    }

    /// A cloud.
    pub fn cloud(&self, id: CloudId) -> Option<&Cloud> {
        find(&self.entries.clouds, |cloud| cloud.id, id)
    }

    /// A cell.
    pub fn cell(&self, id: CellId) -> Option<&Cell> {
        find(&self.entries.cells, |cell| cell.id, id)
    }

    /// An institution, denied or not.
    pub fn institution(&self, id: InstitutionId) -> Option<&Institution> {
        find(&self.entries.institutions, |institution| institution.id, id)
    }

    /// Whose certificate has this key, denied or not.
    pub fn institution_of(&self, key: &KeyHash) -> Option<&Institution> {
        self.institutions.get(key).map(|at| &self.entries.institutions[*at])
    }

    /// The cell that a gateway with this key is of, denied or not.
    pub fn cell_of(&self, gateway: &KeyHash) -> Option<&Cell> {
        self.gateways.get(gateway).map(|at| &self.entries.cells[*at])
    }

    /// Whether the institution is denied, or the cell or the cloud that it asks through. One that is not there is not.
    pub fn denies_institution(&self, id: InstitutionId) -> bool {
        self.denies(Party::Institution(id)) || self.institution(id).is_some_and(|one| self.denies_cell(one.home))
    }

    /// Whether the cell is denied, or its cloud.
    pub fn denies_cell(&self, id: CellId) -> bool {
        self.denies(Party::Cell(id)) || self.cell(id).is_some_and(|cell| self.denies(Party::Cloud(cell.cloud)))
    }

    /// Whether this very party is in the list of the denied.
    pub fn denies(&self, party: Party) -> bool {
        self.entries.denied.binary_search(&party).is_ok()
    }

    /// The institution whose certificate has this key, if it may ask at all.
    ///
    /// # Errors
    /// [`NotServed::NotEnrolled`], [`NotServed::Denied`].
    pub fn enrolled(&self, key: &KeyHash) -> Result<&Institution, NotServed> {
        let institution = self.institution_of(key).ok_or(NotServed::NotEnrolled)?;
        if self.denies_institution(institution.id) { Err(NotServed::Denied) } else { Ok(institution) }
    }

    /// The cell that serves an institution in a cloud.
    ///
    /// # Errors
    /// [`NotServed`], when neither may ask, or serve, or no cell of the cloud does.
    pub fn serving_cell(&self, institution: InstitutionId, cloud: CloudId) -> Result<&Cell, NotServed> {
        let asking = self.institution(institution).ok_or(NotServed::NotEnrolled)?;
        let serving = self.route(asking.home, cloud).ok_or(NotServed::NoCell)?;
        if self.denies_institution(institution) || self.denies_cell(serving.id) {
            return Err(NotServed::Denied);
        }
        Ok(serving)
    }

    /// The cell that a gateway is of, where that cell serves the institution in the cloud.
    ///
    /// # Errors
    /// [`NotServed`].
    pub fn may_serve(&self, gateway: &KeyHash, institution: InstitutionId, cloud: CloudId) -> Result<&Cell, NotServed> {
        let serving = self.serving_cell(institution, cloud)?;
        if serving.gateways.contains(gateway) { Ok(serving) } else { Err(NotServed::OtherCell) }
    }

    /// How large an institution is now: as it is enrolled, or as a surge has it.
    pub fn visits(&self, institution: InstitutionId, now: UnixMillis) -> Option<DailyVisits> {
        let surge = find(&self.entries.surges, |surge| surge.institution, institution);
        let enrolled = self.institution(institution)?.visits;
        Some(surge.filter(|surge| now < surge.until).map_or(enrolled, |surge| surge.visits))
    }

    /// The cell of a cloud that serves those of a home cell.
    fn route(&self, home: CellId, cloud: CloudId) -> Option<&Cell> {
        let home = self.cell(home)?;
        if home.cloud == cloud {
            return Some(home);
        }
        let route = find(&self.entries.routes, |route| (route.home, route.cloud), (home.id, cloud))?;
        self.cell(route.serving)
    }
}

/// In a list that ascends by its key.
fn find<T, K: Ord>(list: &[T], key: impl Fn(&T) -> K, wanted: K) -> Option<&T> {
    list.binary_search_by(|entry| key(entry).cmp(&wanted)).ok().map(|at| &list[at])
}

#[cfg(test)]
mod tests;
