//! The newest directory that officers signed, as the state keeps it.

use bytes::Bytes;
use renkei_access::{Held, NotTaken, SignedDirectory};
use renkei_ids::{DirectoryVersion, UnixMillis};

use super::apply::StateError;
use super::rows::{encode_one, read};
use super::store::{Store, Table, View};

const KEY: &[u8] = b"newest";

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Row {
    #[prost(bytes = "bytes", tag = "1")]
    signed: Bytes,
}

/// The newest directory; `None` before the first.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn directory<V: View>(view: &V) -> Result<Option<Held>, StateError<V::Error>> {
    let corrupt = |_| StateError::Corrupt { row: "directory" };
    let row: Option<Row> = read(view, (Table::Directory, "directory"), KEY)?;
    row.map(|Row { signed }| Held::read_back(SignedDirectory::from_bytes(signed)).map_err(corrupt)).transpose()
}

/// Takes a directory, if it follows the one that is held.
pub(super) fn take<S: Store>(
    store: &mut S,
    signed: &Bytes,
    now: UnixMillis,
) -> Result<Result<DirectoryVersion, NotTaken>, StateError<S::Error>> {
    let before = directory(store)?;
    let taken = Held::succeed(SignedDirectory::from_bytes(signed.clone()), before.as_ref(), now);
    if taken.is_ok() {
        store.put(Table::Directory, KEY, encode_one(signed));
    }
    Ok(taken.map(|held| held.directory().version()))
}
