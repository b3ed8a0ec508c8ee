//! `renkei put` and `renkei get`: documents, through the institution's gateway.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use renkei_runtime::{Address, Role};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{DocumentHead, PutDocumentReply, Upload};
use renkei_wire::{RecordServiceClient, limits};
use serde::Serialize;
use tonic::transport::Channel;

use crate::arguments::{GetSettings, PutSettings, Visit};
use crate::call::answer;
use crate::connection::Connection;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct Stored {
    reference: String,
    version: u32,
    /// Whether an earlier put with the same key had stored it.
    replayed: bool,
}

#[derive(Debug, Serialize)]
struct Read {
    version: u32,
    bytes: usize,
    output: PathBuf,
}

/// Stores a document.
pub(crate) async fn put(settings: PutSettings, output: Output) -> Result<Exit, Failure> {
    let PutSettings { connection, visit, document, idempotency_key } = settings;
    let bytes = fs::read(&document).map_err(|source| Failure::Read { path: document, source })?;
    let head = pb::PutHead {
        patient: Some(patient(&visit.patient)?),
        actor: Some(actor(&visit)),
        idempotency_key: Bytes::from(idempotency_key),
        document_bytes: bytes.len() as u64,
    };
    let (address, mut client) = gateway(connection, visit.gateway)?;
    let mut parts = vec![pb::put_document_request::Part::Head(head)];
    let pieces = bytes.chunks(limits::PIECE_MAX_BYTES).map(Bytes::copy_from_slice);
    parts.extend(pieces.map(pb::put_document_request::Part::Piece));
    let messages = parts.into_iter().map(|part| pb::PutDocumentRequest { part: Some(part) });
    let stored: PutDocumentReply =
        answer(&address, client.put_document(tokio_stream::iter(messages.collect::<Vec<_>>()))).await?;
    let PutDocumentReply { reference, version, kind: _, replayed } = stored;
    output.print(&Stored { reference: hex(reference.as_bytes()), version: version.get(), replayed })?;
    Ok(Exit::Done)
}

/// Reads a document into a new file.
pub(crate) async fn get(settings: GetSettings, output: Output) -> Result<Exit, Failure> {
    let GetSettings { connection, visit, reference, version, output: path } = settings;
    let request = pb::GetDocumentRequest {
        patient: Some(patient(&visit.patient)?),
        actor: Some(actor(&visit)),
        reference: unhex(&reference, "a reference")?,
        version,
    };
    let (address, mut client) = gateway(connection, visit.gateway)?;
    let failed = |status| Failure::of_status(&address, status);
    let mut pieces = client.get_document(request).await.map_err(failed)?.into_inner();
    let mut head: Option<DocumentHead> = None;
    let mut bytes = Vec::new();
    while let Some(message) = pieces.message().await.map_err(failed)? {
        let part = Upload::<DocumentHead>::try_from(message)
            .map_err(|error| Failure::UnreadableAnswer { address: address.to_string().into(), source: error.into() })?;
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
    let Some(head) = head.filter(|_| announced == bytes.len()) else {
        return Err(Failure::Length { address: address.to_string().into(), announced, received: bytes.len() });
    };
    write_new(&path, &bytes)?;
    output.print(&Read { version: head.version.get(), bytes: bytes.len(), output: path })?;
    Ok(Exit::Done)
}

fn gateway(connection: Connection, flag: Option<Address>) -> Result<(Address, RecordServiceClient<Channel>), Failure> {
    let caller = connection.open()?;
    let missing = Failure::Missing { what: "the gateway's address", flag: "--gateway" };
    let address = flag.or_else(|| caller.endpoints.first().cloned()).ok_or(missing)?;
    let client = RecordServiceClient::new(caller.channel(&address, Role::Gateway))
        .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES);
    Ok((address, client))
}

fn patient(path: &Path) -> Result<pb::Patient, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    let pseudonym = unhex(text.trim(), "a pseudonym")?;
    Ok(pb::Patient { opened_by: Some(pb::patient::OpenedBy::InsecurePseudonym(pseudonym)) })
}

fn actor(visit: &Visit) -> pb::Actor {
    pb::Actor { id: visit.actor.clone(), role: visit.role.clone() }
}

/// A document is for its reader only, and replaces nothing.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)
    };
    written().map_err(|source| Failure::Write { path: path.to_owned(), source })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str, what: &'static str) -> Result<Bytes, Failure> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or(Failure::Hex { what })?;
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<u8>>().into())
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reference, version, replayed } = self;
        let earlier = if *replayed { ", by an earlier put" } else { "" };
        writeln!(f, "stored version {version}{earlier}: {reference}")
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, bytes, output } = self;
        writeln!(f, "version {version}, {bytes} bytes: {}", output.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_reads_back_and_odd_text_is_refused() {
        let bytes = [0x00, 0x0F, 0xA5, 0xFF];
        assert_eq!(unhex(&hex(&bytes), "x").unwrap(), bytes.as_slice());
        for odd in ["0", "0g", "é0", "00 "] {
            assert!(matches!(unhex(odd, "x"), Err(Failure::Hex { what: "x" })), "{odd}");
        }
    }

    #[test]
    fn a_file_that_is_there_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("document.json");
        write_new(&path, b"first").unwrap();
        assert!(matches!(write_new(&path, b"second"), Err(Failure::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }
}
