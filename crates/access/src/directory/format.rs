//! The protobuf form of a directory, which nothing else names.

use bytes::Bytes;
use prost::Message as _;
use prost::encoding::{DecodeContext, decode_key, skip_field};
use renkei_ids::{
    CellId, CloudId, DenyEpoch, DirectoryVersion, InstitutionId, InvalidLength, KeyHash, NameHash, PseudonymEpoch,
    UnixMillis,
};

use super::{
    CELLS_MAX, CLOUDS_MAX, CommitmentKey, DENIED_MAX, Entries, INSTITUTIONS_MAX, InstitutionKind, InvalidDirectory,
    KEYS_MAX, Party, ROUTES_MAX, SURGES_MAX,
};
use crate::{DailyVisits, VerifyingKey};

/// Three numbers, and every list at its limit.
const FIELDS_MAX: usize =
    3 + KEYS_MAX + CLOUDS_MAX + CELLS_MAX + ROUTES_MAX + INSTITUTIONS_MAX + DENIED_MAX + SURGES_MAX;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Directory {
    #[prost(uint64, tag = "1")]
    version: u64,
    #[prost(uint64, tag = "2")]
    valid_from_ms: u64,
    #[prost(uint64, tag = "3")]
    deny_epoch: u64,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    registrars: Vec<Bytes>,
    #[prost(message, repeated, tag = "5")]
    clouds: Vec<Cloud>,
    #[prost(message, repeated, tag = "6")]
    cells: Vec<Cell>,
    #[prost(message, repeated, tag = "7")]
    routes: Vec<Route>,
    #[prost(message, repeated, tag = "8")]
    institutions: Vec<Institution>,
    #[prost(message, repeated, tag = "9")]
    denied: Vec<Denied>,
    #[prost(message, repeated, tag = "10")]
    surges: Vec<Surge>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Cloud {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(bool, tag = "3")]
    rotating: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Cell {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    cloud: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "3")]
    gateways: Vec<Bytes>,
    #[prost(bytes = "bytes", tag = "4")]
    commitments: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Route {
    #[prost(bytes = "bytes", tag = "1")]
    home: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    cloud: Bytes,
    #[prost(bytes = "bytes", tag = "3")]
    serving: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Institution {
    #[prost(bytes = "bytes", tag = "1")]
    id: Bytes,
    #[prost(uint32, tag = "2")]
    kind: u32,
    #[prost(bytes = "bytes", tag = "3")]
    name: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    keys: Vec<Bytes>,
    #[prost(bytes = "bytes", repeated, tag = "5")]
    signing: Vec<Bytes>,
    #[prost(uint32, tag = "6")]
    visits: u32,
    #[prost(bytes = "bytes", tag = "7")]
    home: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Denied {
    #[prost(oneof = "DeniedParty", tags = "1, 2, 3")]
    party: Option<DeniedParty>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
enum DeniedParty {
    #[prost(bytes = "bytes", tag = "1")]
    Institution(Bytes),
    #[prost(bytes = "bytes", tag = "2")]
    Cell(Bytes),
    #[prost(bytes = "bytes", tag = "3")]
    Cloud(Bytes),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Surge {
    #[prost(bytes = "bytes", tag = "1")]
    institution: Bytes,
    #[prost(uint32, tag = "2")]
    visits: u32,
    #[prost(uint64, tag = "3")]
    until_ms: u64,
}

/// Reads entries whose fields were counted before memory is taken for them: two bytes can become some hundred.
pub(super) fn read(bytes: Bytes) -> Result<Entries, InvalidDirectory> {
    let malformed = |_| InvalidDirectory::Malformed("entries");
    let mut rest = &bytes[..];
    for fields in 0.. {
        if rest.is_empty() {
            break;
        }
        if fields == FIELDS_MAX {
            return Err(InvalidDirectory::Limit("entries"));
        }
        let (tag, wire_type) = decode_key(&mut rest).map_err(malformed)?;
        skip_field(wire_type, tag, &mut rest, DecodeContext::default()).map_err(malformed)?;
    }
    Entries::try_from(Directory::decode(bytes).map_err(malformed)?)
}

fn copied(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn id<'a, T: TryFrom<&'a [u8], Error = InvalidLength>>(
    name: &'static str,
    bytes: &'a Bytes,
) -> Result<T, InvalidDirectory> {
    T::try_from(&bytes[..]).map_err(|_| InvalidDirectory::Malformed(name))
}

fn key(bytes: &Bytes) -> Result<[u8; 32], InvalidDirectory> {
    bytes[..].try_into().map_err(|_| InvalidDirectory::Malformed("key"))
}

fn key_hash(bytes: &Bytes) -> Result<KeyHash, InvalidDirectory> {
    key(bytes).map(KeyHash::from_bytes)
}

fn verifying_key(bytes: &Bytes) -> Result<VerifyingKey, InvalidDirectory> {
    key(bytes).map(VerifyingKey::from_bytes)
}

fn visits(number: u32) -> Result<DailyVisits, InvalidDirectory> {
    DailyVisits::new(number).ok_or(InvalidDirectory::Malformed("visits"))
}

fn each<M, T: TryFrom<M, Error = InvalidDirectory>>(messages: Vec<M>) -> Result<Vec<T>, InvalidDirectory> {
    messages.into_iter().map(T::try_from).collect()
}

impl From<&Entries> for Directory {
    fn from(entries: &Entries) -> Self {
        let Entries {
            version,
            valid_from,
            deny_epoch,
            registrars,
            clouds,
            cells,
            routes,
            institutions,
            denied,
            surges,
        } = entries;
        Self {
            version: version.0,
            valid_from_ms: valid_from.0,
            deny_epoch: deny_epoch.0,
            registrars: registrars.iter().map(|key| copied(key.as_bytes())).collect(),
            clouds: clouds.iter().map(Cloud::from).collect(),
            cells: cells.iter().map(Cell::from).collect(),
            routes: routes.iter().map(Route::from).collect(),
            institutions: institutions.iter().map(Institution::from).collect(),
            denied: denied.iter().map(Denied::from).collect(),
            surges: surges.iter().map(Surge::from).collect(),
        }
    }
}

impl TryFrom<Directory> for Entries {
    type Error = InvalidDirectory;

    fn try_from(message: Directory) -> Result<Self, InvalidDirectory> {
        let Directory {
            version,
            valid_from_ms,
            deny_epoch,
            registrars,
            clouds,
            cells,
            routes,
            institutions,
            denied,
            surges,
        } = message;
        Ok(Self {
            version: DirectoryVersion(version),
            valid_from: UnixMillis(valid_from_ms),
            deny_epoch: DenyEpoch(deny_epoch),
            registrars: registrars.iter().map(verifying_key).collect::<Result<_, _>>()?,
            clouds: each(clouds)?,
            cells: each(cells)?,
            routes: each(routes)?,
            institutions: each(institutions)?,
            denied: each(denied)?,
            surges: each(surges)?,
        })
    }
}

impl From<&super::Cloud> for Cloud {
    fn from(cloud: &super::Cloud) -> Self {
        let super::Cloud { id, epoch, rotating } = cloud;
        Self { id: copied(id.as_bytes()), epoch: epoch.0, rotating: *rotating }
    }
}

impl TryFrom<Cloud> for super::Cloud {
    type Error = InvalidDirectory;

    fn try_from(cloud: Cloud) -> Result<Self, InvalidDirectory> {
        let Cloud { id: cloud, epoch, rotating } = cloud;
        Ok(Self { id: id::<CloudId>("cloud", &cloud)?, epoch: PseudonymEpoch(epoch), rotating })
    }
}

impl From<&super::Cell> for Cell {
    fn from(cell: &super::Cell) -> Self {
        let super::Cell { id, cloud, gateways, commitments } = cell;
        Self {
            id: copied(id.as_bytes()),
            cloud: copied(cloud.as_bytes()),
            gateways: gateways.iter().map(|key| copied(key.as_bytes())).collect(),
            commitments: copied(&commitments.0),
        }
    }
}

impl TryFrom<Cell> for super::Cell {
    type Error = InvalidDirectory;

    fn try_from(cell: Cell) -> Result<Self, InvalidDirectory> {
        let Cell { id: cell, cloud, gateways, commitments } = cell;
        Ok(Self {
            id: id::<CellId>("cell", &cell)?,
            cloud: id::<CloudId>("cloud of a cell", &cloud)?,
            gateways: gateways.iter().map(key_hash).collect::<Result<_, _>>()?,
            commitments: CommitmentKey(key(&commitments)?),
        })
    }
}

impl From<&super::Route> for Route {
    fn from(route: &super::Route) -> Self {
        let super::Route { home, cloud, serving } = route;
        Self { home: copied(home.as_bytes()), cloud: copied(cloud.as_bytes()), serving: copied(serving.as_bytes()) }
    }
}

impl TryFrom<Route> for super::Route {
    type Error = InvalidDirectory;

    fn try_from(route: Route) -> Result<Self, InvalidDirectory> {
        let Route { home, cloud, serving } = route;
        Ok(Self {
            home: id::<CellId>("home cell", &home)?,
            cloud: id::<CloudId>("cloud of a route", &cloud)?,
            serving: id::<CellId>("serving cell", &serving)?,
        })
    }
}

impl From<&super::Institution> for Institution {
    fn from(institution: &super::Institution) -> Self {
        let super::Institution { id, kind, name, keys, signing, visits, home } = institution;
        Self {
            id: copied(id.as_bytes()),
            kind: u32::from(*kind as u8),
            name: copied(name.as_bytes()),
            keys: keys.iter().map(|key| copied(key.as_bytes())).collect(),
            signing: signing.iter().map(|key| copied(key.as_bytes())).collect(),
            visits: visits.get(),
            home: copied(home.as_bytes()),
        }
    }
}

impl TryFrom<Institution> for super::Institution {
    type Error = InvalidDirectory;

    fn try_from(institution: Institution) -> Result<Self, InvalidDirectory> {
        let Institution { id: institution, kind, name, keys, signing, visits: size, home } = institution;
        Ok(Self {
            id: id::<InstitutionId>("institution", &institution)?,
            kind: InstitutionKind::from_raw(kind).ok_or(InvalidDirectory::Malformed("kind"))?,
            name: id::<NameHash>("name", &name)?,
            keys: keys.iter().map(key_hash).collect::<Result<_, _>>()?,
            signing: signing.iter().map(verifying_key).collect::<Result<_, _>>()?,
            visits: visits(size)?,
            home: id::<CellId>("home cell", &home)?,
        })
    }
}

impl From<&Party> for Denied {
    fn from(party: &Party) -> Self {
        let party = match party {
            Party::Institution(id) => DeniedParty::Institution(copied(id.as_bytes())),
            Party::Cell(id) => DeniedParty::Cell(copied(id.as_bytes())),
            Party::Cloud(id) => DeniedParty::Cloud(copied(id.as_bytes())),
        };
        Self { party: Some(party) }
    }
}

impl TryFrom<Denied> for Party {
    type Error = InvalidDirectory;

    fn try_from(denied: Denied) -> Result<Self, InvalidDirectory> {
        Ok(match denied.party.ok_or(InvalidDirectory::Malformed("denied party"))? {
            DeniedParty::Institution(bytes) => Self::Institution(id("denied institution", &bytes)?),
            DeniedParty::Cell(bytes) => Self::Cell(id("denied cell", &bytes)?),
            DeniedParty::Cloud(bytes) => Self::Cloud(id("denied cloud", &bytes)?),
        })
    }
}

impl From<&super::Surge> for Surge {
    fn from(surge: &super::Surge) -> Self {
        let super::Surge { institution, visits, until } = surge;
        Self { institution: copied(institution.as_bytes()), visits: visits.get(), until_ms: until.0 }
    }
}

impl TryFrom<Surge> for super::Surge {
    type Error = InvalidDirectory;

    fn try_from(surge: Surge) -> Result<Self, InvalidDirectory> {
        let Surge { institution, visits: size, until_ms } = surge;
        Ok(Self {
            institution: id::<InstitutionId>("institution of a surge", &institution)?,
            visits: visits(size)?,
            until: UnixMillis(until_ms),
        })
    }
}
