//! What stands in a directory besides institutions, as people write it.

use std::fs;
use std::path::{Path, PathBuf};

use renkei_access::{Cell, Cloud, CommitmentKey, Directory, Entries, Route, VerifyingKey};
use renkei_ids::{CellId, CloudId, DenyEpoch, DirectoryVersion, PseudonymEpoch, UnixMillis};
use renkei_runtime::Role;
use serde::Deserialize;

use super::change::{certificate, following};
use crate::failure::Failure;
use crate::hex::unhex;

/// The file. Relative paths in it begin at its own directory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    /// Public keys that tickets are signed with, 64 hexadecimal digits each.
    #[serde(default)]
    registrars: Vec<String>,
    #[serde(default)]
    clouds: Vec<CloudLayout>,
    #[serde(default)]
    cells: Vec<CellLayout>,
    #[serde(default)]
    routes: Vec<RouteLayout>,
    #[serde(skip)]
    base: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloudLayout {
    id: String,
    /// Epoch of its pseudonym keys.
    epoch: u32,
    #[serde(default)]
    rotating: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CellLayout {
    id: String,
    cloud: String,
    /// Certificates of its gateways, PEM.
    gateways: Vec<PathBuf>,
    /// X25519 public key, 64 hexadecimal digits.
    commitments: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteLayout {
    home: String,
    cloud: String,
    serving: String,
}

impl Layout {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
        let mut layout: Self =
            toml::from_str(&text).map_err(|source| Failure::Config { path: path.to_owned(), source })?;
        layout.base = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(layout)
    }

    /// The entries of the next directory: all that this names is as it says, and the rest as before.
    pub(super) fn applied_to(self, before: Option<&Directory>, now: UnixMillis) -> Result<Entries, Failure> {
        let Self { registrars, clouds, cells, routes, base } = self;
        let mut entries = before.map_or_else(|| first(now), |before| following(before, now));
        entries.registrars = registrars.iter().map(|text| key(text)).collect::<Result<_, _>>()?;
        entries.clouds = clouds.into_iter().map(Cloud::try_from).collect::<Result<_, _>>()?;
        entries.cells = cells.into_iter().map(|cell| cell.read(&base)).collect::<Result<_, _>>()?;
        entries.routes = routes.into_iter().map(Route::try_from).collect::<Result<_, _>>()?;
        Ok(entries)
    }
}

fn first(now: UnixMillis) -> Entries {
    Entries {
        version: DirectoryVersion(1),
        valid_from: now,
        deny_epoch: DenyEpoch(0),
        registrars: Vec::new(),
        clouds: Vec::new(),
        cells: Vec::new(),
        routes: Vec::new(),
        institutions: Vec::new(),
        denied: Vec::new(),
        surges: Vec::new(),
    }
}

fn cell_id(text: &str) -> Result<CellId, Failure> {
    text.parse().map_err(|_| Failure::Layout { what: "a cell's id has 32 hexadecimal digits" })
}

fn cloud_id(text: &str) -> Result<CloudId, Failure> {
    text.parse().map_err(|_| Failure::Layout { what: "a cloud's id has 32 hexadecimal digits" })
}

fn key(text: &str) -> Result<VerifyingKey, Failure> {
    VerifyingKey::from_hex(text).ok_or(Failure::Layout { what: "a registrar's key has 64 hexadecimal digits" })
}

impl TryFrom<CloudLayout> for Cloud {
    type Error = Failure;

    fn try_from(cloud: CloudLayout) -> Result<Self, Failure> {
        let CloudLayout { id, epoch, rotating } = cloud;
        Ok(Self { id: cloud_id(&id)?, epoch: PseudonymEpoch(epoch), rotating })
    }
}

impl CellLayout {
    fn read(self, base: &Path) -> Result<Cell, Failure> {
        let Self { id, cloud, gateways, commitments } = self;
        let commitments = unhex(&commitments).and_then(|bytes| bytes.try_into().ok());
        let commitments =
            commitments.ok_or(Failure::Layout { what: "a cell's commitment key has 64 hexadecimal digits" })?;
        let gateways = gateways.iter().map(|path| certificate(&base.join(path), Role::Gateway));
        Ok(Cell {
            id: cell_id(&id)?,
            cloud: cloud_id(&cloud)?,
            gateways: gateways.collect::<Result<_, _>>()?,
            commitments: CommitmentKey(commitments),
        })
    }
}

impl TryFrom<RouteLayout> for Route {
    type Error = Failure;

    fn try_from(route: RouteLayout) -> Result<Self, Failure> {
        let RouteLayout { home, cloud, serving } = route;
        Ok(Self { home: cell_id(&home)?, cloud: cloud_id(&cloud)?, serving: cell_id(&serving)? })
    }
}
