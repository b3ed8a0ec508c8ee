//! `renkei get`.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use renkei_runtime::Address;
use renkei_wire::limits;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{DocumentHead, GetDocumentRequest, Upload};
use serde::Serialize;
use tonic::{Response, Status, Streaming};

use super::Session;
use crate::arguments::{GetSettings, Kind};
use crate::call::{Answers, CALL_TIMEOUT, timed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct Read {
    version: u32,
    kind: Kind,
    bytes: usize,
    output: PathBuf,
}

/// Reads a document into a new file.
pub(crate) async fn get(settings: GetSettings, output: Output) -> Result<Exit, Failure> {
    let GetSettings { connection, visit, reference, version, output: path } = settings;
    let Session { address, mut client, patient, actor } = Session::open(connection, visit)?;
    let request = pb::GetDocumentRequest::from(GetDocumentRequest { patient, actor, reference, version });
    let call = client.get_document(timed(request, CALL_TIMEOUT));
    let (head, bytes) = whole_document(&address, call).await?;
    write_new(&path, &bytes)?;
    output.print(&Read { version: head.version.get(), kind: head.kind.into(), bytes: bytes.len(), output: path })?;
    Ok(Exit::Done)
}

/// A document that arrives in pieces, and what was said of it.
pub(crate) async fn whole_document(
    address: &Address,
    call: impl Future<Output = Result<Response<Streaming<pb::GetDocumentReply>>, Status>>,
) -> Result<(DocumentHead, Vec<u8>), Failure> {
    let mut parts = Answers::begin(address, call).await?;
    let mut head: Option<DocumentHead> = None;
    let mut bytes = Vec::new();
    while let Some(part) = parts.next::<Upload<DocumentHead>>().await? {
        match part {
            Upload::Head(first) => head = Some(*first),
            Upload::Piece(piece) => bytes.extend_from_slice(&piece),
        }
        // A gateway that sends more than a document is not read to its end.
        if bytes.len() > limits::DOCUMENT_MAX_BYTES {
            break;
        }
    }
    let announced = head.map_or(0, |head| head.document_bytes);
    let head = head.filter(|_| announced == bytes.len());
    let received = bytes.len();
    head.map(|head| (head, bytes)).ok_or_else(|| Failure::Length {
        address: address.to_string().into(),
        announced,
        received,
    })
}

/// A document is for its reader only, and replaces nothing.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)
    };
    written().map_err(|source| Failure::Write { path: path.to_owned(), source })
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, kind, bytes, output } = self;
        writeln!(f, "{} version {version}, {bytes} bytes: {}", kind.as_str(), output.display())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("document.json");
        write_new(&path, b"first").unwrap();
        assert!(matches!(write_new(&path, b"second"), Err(Failure::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }
}
