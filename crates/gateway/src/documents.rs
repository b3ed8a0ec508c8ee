//! Documents: judged, sealed and opened, on threads of their own where that takes long.

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use renkei_envelope::{Category, DocumentError, DocumentPlace, Patient};
use renkei_ids::{ClassTag, RecordId, RecordVersion, SizeBucket};
use renkei_records::{Accepted, Kind, intake};
use renkei_wire::limits::DOCUMENT_MAX_BYTES;
use renkei_wire::vault::PutGrant;
use renkei_wire::{ErrorCode, FieldName, Refusal};
use zeroize::Zeroizing;

use crate::random::SystemRandom;

/// Below this, work on a document is shorter than handing it to another thread.
const INLINE_BYTES: usize = 16 * 1_024;

/// A document in the form in which a node stores it.
pub(crate) struct Sealed {
    pub(crate) summary: Bytes,
    pub(crate) body: Bytes,
    pub(crate) size: SizeBucket,
}

/// Judges a document in a place that holds no keys.
pub(crate) async fn judge(document: Bytes) -> Result<Accepted, Refusal> {
    aside(document.len(), move || intake(&document)).await?.map_err(|refusal| refused(&refusal))
}

/// SHA-256 of a document.
pub(crate) async fn hash(document: Bytes) -> Result<[u8; 32], Refusal> {
    aside(document.len(), move || digest(&SHA256, &document).as_ref().try_into().expect("SHA-256 gives 32 bytes")).await
}

/// Compresses and seals summary and document under the keys of the grant.
pub(crate) async fn seal(
    patient: Patient,
    grant: PutGrant,
    summary: Zeroizing<Vec<u8>>,
    document: Bytes,
) -> Result<(PutGrant, Sealed), Refusal> {
    let sealed = aside(document.len(), move || {
        let place = |class| DocumentPlace { patient, record: grant.record, version: grant.version, class };
        let (summary_place, body_place) = (place(grant.summary_class), place(grant.document_class));
        let summary = grant.summary_key.seal_document(&summary_place, &summary, &SystemRandom)?;
        let body = grant.document_key.seal_document(&body_place, &document, &SystemRandom)?;
        Ok::<_, DocumentError>((grant, Sealed { summary, body, size: SizeBucket::of_len(document.len()) }))
    });
    sealed.await?.map_err(|_| Refusal::new(ErrorCode::InternalIo))
}

/// Where a sealed part belongs.
pub(crate) fn place(patient: Patient, record: RecordId, version: RecordVersion, class: ClassTag) -> DocumentPlace {
    DocumentPlace { patient, record, version, class }
}

/// Opens a document; it comes whole or not at all.
pub(crate) async fn open(
    key: renkei_envelope::RecordKey,
    place: DocumentPlace,
    sealed: Bytes,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    aside(sealed.len(), move || key.open_document(&place, &sealed, DOCUMENT_MAX_BYTES))
        .await?
        .map_err(|_| Refusal::new(ErrorCode::IntegrityFailed))
}

/// The category of a kind.
pub(crate) const fn category(kind: Kind) -> Category {
    match kind {
        Kind::Prescription => Category::Prescription,
        Kind::Vaccination => Category::Vaccination,
        Kind::DischargeSummary => Category::DischargeSummary,
    }
}

/// Does work on so many bytes, on a blocking thread where they are many.
async fn aside<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    if bytes <= INLINE_BYTES {
        return Ok(work());
    }
    // The work neither panics nor is aborted before the runtime ends.
    tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::new(ErrorCode::ShuttingDown))
}

/// A refusal of intake by its row in the one table. Names there are those of `records`.
fn refused(refusal: &renkei_records::Refusal) -> Refusal {
    let code = refusal.code.name().parse().unwrap_or(ErrorCode::InvalidArgument);
    let told = Refusal::new(code);
    match refusal.field.as_ref().map(|field| FieldName::try_from(field.to_string())) {
        Some(Ok(field)) => told.with_field(field),
        // A path too long to be told, or the document itself.
        Some(Err(_)) | None => told,
    }
}

#[cfg(test)]
mod tests {
    use renkei_records::RefusalCode;

    use super::*;

    #[test]
    fn every_refusal_of_intake_has_its_row_in_the_error_table() {
        for code in RefusalCode::ALL {
            let told = refused(&renkei_records::Refusal { code, field: None });
            assert_eq!(told.code.name(), code.name());
            assert_eq!(told.retry_after, None);
        }
    }

    #[tokio::test]
    async fn a_refusal_names_the_field_and_nothing_of_the_document() {
        let document = br#"{"resourceType":"Immunization","photo":[{"data":"planted"}]}"#;
        let refusal = judge(Bytes::from_static(document)).await.unwrap_err();
        assert_eq!(refusal.code, ErrorCode::DocumentPhoto);
        assert_eq!(refusal.field.as_ref().map(|field| field.as_str()), Some("photo[0]"));
        assert!(!refusal.to_string().contains("planted"));
    }
}
