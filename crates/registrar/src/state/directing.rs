//! The newest directory that officers signed, as the state keeps it.

use bytes::Bytes;
use renkei_access::{Held, SignedDirectory};

use super::command::Direct;
use super::rows::Head;
use super::store::{StateError, Store, Table, View, read};
use super::stored::{Stored as _, stored};
use super::verdict::{Reason, Refused, Verdict};

const KEY: &[u8] = b"newest";

/// The row of [`Table::Directory`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct DirectoryRow {
    signed: Bytes,
}

stored!(DirectoryRow as DirectoryMessage {
    #[prost(bytes = "bytes", tag = "1")] signed: Bytes,
});

/// The newest directory as officers signed it; `None` before the first.
///
/// # Errors
/// Failed storage, or a row that does not read.
pub fn signed_directory<V: View>(view: &V) -> Result<Option<SignedDirectory>, StateError<V::Error>> {
    let row: Option<DirectoryRow> = read(view, (Table::Directory, "directory"), KEY)?;
    Ok(row.map(|row| SignedDirectory::from_bytes(row.signed)))
}

/// Takes a directory, if it follows the one that is held.
pub(crate) fn direct<S: Store>(
    store: &mut S,
    head: &Head,
    command: &Direct,
) -> Result<Vec<Verdict>, StateError<S::Error>> {
    let corrupt = |_| StateError::Corrupt { row: "directory" };
    let before = signed_directory(store)?.map(Held::read_back).transpose().map_err(corrupt)?;
    let offered = SignedDirectory::from_bytes(command.signed.clone());
    match Held::succeed(offered, before.as_ref(), head.time) {
        Ok(_) => {
            store.put(Table::Directory, KEY, DirectoryRow { signed: command.signed.clone() }.encode());
            Ok(Vec::new())
        }
        Err(_) => Ok(vec![Verdict::Refused(Refused { reason: Reason::NotNewer, retry_after_millis: 0 })]),
    }
}
