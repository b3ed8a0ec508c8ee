//! `renkei put` and `renkei replace`.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{PutDocumentReply, PutHead, ReplaceHead, Upload};
use renkei_wire::{limits, pieces};
use serde::Serialize;
use tokio_stream::Stream;

use super::Session;
use crate::arguments::{CurrentDocument, Kind, PutSettings, ReplaceSettings};
use crate::call::{CALL_TIMEOUT, answer, timed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::hex::hex;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct Stored {
    reference: String,
    version: u32,
    kind: Kind,
    /// Whether an earlier put with the same key had stored it.
    replayed: bool,
}

/// A put that is ready to be sent.
struct Ready {
    session: Session,
    head: PutHead,
    document: Bytes,
}

/// Stores a document.
pub(crate) async fn put(settings: PutSettings, output: Output) -> Result<Exit, Failure> {
    let Ready { mut session, head, document } = Ready::read(settings)?;
    let request = timed(upload::<_, pb::PutDocumentRequest>(head, document), CALL_TIMEOUT);
    let reply: PutDocumentReply = answer(&session.address, session.client.put_document(request)).await?;
    output.print(&Stored::from(reply))?;
    Ok(Exit::Done)
}

/// Stores the next version of a document.
pub(crate) async fn replace(settings: ReplaceSettings, output: Output) -> Result<Exit, Failure> {
    let ReplaceSettings { put, current: CurrentDocument { reference, version } } = settings;
    let Ready { mut session, head, document } = Ready::read(put)?;
    let head = ReplaceHead { put: head, reference, version };
    let request = timed(upload::<_, pb::ReplaceDocumentRequest>(head, document), CALL_TIMEOUT);
    let reply: PutDocumentReply = answer(&session.address, session.client.replace_document(request)).await?;
    output.print(&Stored::from(reply))?;
    Ok(Exit::Done)
}

impl Ready {
    fn read(settings: PutSettings) -> Result<Self, Failure> {
        let PutSettings { connection, visit, document, idempotency_key } = settings;
        let document = read_document(&document)?;
        let session = Session::open(connection, visit)?;
        let head = PutHead {
            patient: session.patient.clone(),
            actor: session.actor.clone(),
            idempotency_key: Bytes::from(idempotency_key),
            document_bytes: document.len(),
        };
        Ok(Self { session, head, document })
    }
}

/// A file of as many bytes as a gateway takes.
fn read_document(path: &Path) -> Result<Bytes, Failure> {
    let failed = |source| Failure::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let most = limits::DOCUMENT_MAX_BYTES as u64;
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() > limits::DOCUMENT_MAX_BYTES {
        return Err(Failure::DocumentTooLarge { path: path.to_owned() });
    }
    Ok(bytes.into())
}

/// The head, then the document in pieces that share its memory.
pub(crate) fn upload<H, M>(head: H, document: Bytes) -> impl Stream<Item = M> + Send + 'static
where
    H: Send + 'static,
    M: From<Upload<H>> + Send + 'static,
{
    let pieces = pieces(document).map(|piece| Upload::Piece(piece.data));
    tokio_stream::iter(std::iter::once(Upload::Head(Box::new(head))).chain(pieces).map(M::from))
}

impl From<PutDocumentReply> for Stored {
    fn from(reply: PutDocumentReply) -> Self {
        let PutDocumentReply { reference, version, kind, replayed } = reply;
        Self { reference: hex(reference.as_bytes()), version: version.get(), kind: kind.into(), replayed }
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reference, version, kind, replayed } = self;
        let earlier = if *replayed { ", by an earlier put" } else { "" };
        writeln!(f, "stored {} version {version}{earlier}: {reference}", kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_largest_document_is_read_and_one_byte_more_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("document.json");
        fs::write(&path, vec![b' '; limits::DOCUMENT_MAX_BYTES]).unwrap();
        assert_eq!(read_document(&path).unwrap().len(), limits::DOCUMENT_MAX_BYTES);
        fs::write(&path, vec![b' '; limits::DOCUMENT_MAX_BYTES + 1]).unwrap();
        assert!(matches!(read_document(&path), Err(Failure::DocumentTooLarge { .. })));
    }
}
