//! `renkei delete`.

use std::fmt;

use bytes::Bytes;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::DeleteDocumentRequest;
use serde::Serialize;

use super::Session;
use crate::arguments::{CurrentDocument, DeleteSettings};
use crate::call::{CALL_TIMEOUT, answer, timed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct Deleted {
    /// The last version that there was.
    version: u32,
}

/// Deletes a document with all its versions.
pub(crate) async fn delete(settings: DeleteSettings, output: Output) -> Result<Exit, Failure> {
    let DeleteSettings { connection, visit, current: CurrentDocument { reference, version }, idempotency_key } =
        settings;
    let Session { address, mut client, patient, actor } = Session::open(connection, visit)?;
    let idempotency_key = Bytes::from(idempotency_key);
    let request = DeleteDocumentRequest { patient, actor, idempotency_key, reference, version };
    let request = timed(pb::DeleteDocumentRequest::from(request), CALL_TIMEOUT);
    let pb::DeleteDocumentReply {} = answer(&address, client.delete_document(request)).await?;
    output.print(&Deleted { version: version.get() })?;
    Ok(Exit::Done)
}

impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version } = self;
        writeln!(f, "deleted, with version {version} and those before it")
    }
}
