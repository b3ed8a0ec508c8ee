//! Who an institution is where no directory says so.

use aws_lc_rs::digest::{Context, SHA256};
use renkei_ids::{CloudId, InstitutionId};

const DOMAIN: &[u8] = b"renkei 2026-11 institution of a certificate\0";

/// The id of the institution that a certificate names.
///
/// Where a development build goes by no directory, which has their random ids: the first 16 bytes of SHA-256 over a domain
/// string, the cloud and the name in the certificate, the same for every certificate of that name.
pub fn institution_id(cloud: CloudId, name: &str) -> InstitutionId {
    let mut context = Context::new(&SHA256);
    context.update(DOMAIN);
    context.update(cloud.as_bytes());
    context.update(name.as_bytes());
    let digest = context.finish();
    let bytes = digest.as_ref().first_chunk().expect("SHA-256 gives 32 bytes");
    InstitutionId::from_bytes(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_cloud_make_the_institution() {
        let (one, other) = (CloudId::from_bytes([1; 16]), CloudId::from_bytes([2; 16]));
        assert_eq!(institution_id(one, "hospital-a"), institution_id(one, "hospital-a"));
        assert_ne!(institution_id(one, "hospital-a"), institution_id(one, "hospital-b"));
        assert_ne!(institution_id(one, "hospital-a"), institution_id(other, "hospital-a"));
    }
}
