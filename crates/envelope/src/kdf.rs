//! The two derivations: HKDF-SHA256 for keys, HMAC-SHA256 for tags. Both are labelled, dated and unambiguous.

use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

/// Name of a derivation or of a sealed form. Each is used under one type of key only, so that no two can meet.
#[derive(Clone, Copy)]
pub(crate) struct Label(pub(crate) &'static str);

struct Bytes32;

impl hkdf::KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

/// HKDF-SHA256 (RFC 5869) without salt; the info is [`labelled`].
pub(crate) fn derive_key(secret: &[u8; 32], label: Label, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf::Salt::none(hkdf::HKDF_SHA256)
        .extract(secret)
        .expand(&[&labelled(label, parts)], Bytes32)
        .and_then(|okm| okm.fill(&mut key[..]))
        .expect("HKDF-SHA256 gives up to 8,160 bytes, and 32 are asked for");
    key
}

/// HMAC-SHA256 over what is [`labelled`], cut to 16 bytes.
pub(crate) fn derive_tag(secret: &[u8; 32], label: Label, parts: &[&[u8]]) -> [u8; 16] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), &labelled(label, parts));
    tag.as_ref().first_chunk().copied().expect("HMAC-SHA256 gives 32 bytes")
}

/// The label, a zero byte, then each part behind its length in four bytes, big-endian: two lists of parts never give
/// the same bytes.
pub(crate) fn labelled(Label(label): Label, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [label.as_bytes(), &[0]].concat();
    for part in parts {
        bytes.extend(u32::try_from(part.len()).expect("parts are ids, and keys of clients").to_be_bytes());
        bytes.extend(*part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Computed with Python's hmac and hashlib after RFC 5869, for key 00 01 .. 1f, label "renkei test", parts "a", "".
    #[test]
    fn known_answers() {
        let secret: [u8; 32] = core::array::from_fn(|at| u8::try_from(at).unwrap());
        let parts: [&[u8]; 2] = [b"a", b""];
        assert_eq!(hex(&labelled(Label("renkei test"), &parts)), KNOWN_INFO);
        assert_eq!(hex(&*derive_key(&secret, Label("renkei test"), &parts)), KNOWN_KEY);
        assert_eq!(hex(&derive_tag(&secret, Label("renkei test"), &parts)), KNOWN_TAG);
    }

    const KNOWN_INFO: &str = "72656e6b6569207465737400000000016100000000";
    const KNOWN_KEY: &str = "2224e1904e6d3f67225db31235f75a530f3a28ec569e6a9e3c3aba306e5ce781";
    const KNOWN_TAG: &str = "d5f3029360976e7ef9448c4c98761353";

    proptest! {
        #[test]
        fn different_parts_never_meet(
            one in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..4),
            other in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..4),
        ) {
            let bytes = |parts: &[Vec<u8>]| {
                labelled(Label("renkei test"), &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(one == other, bytes(&one) == bytes(&other));
        }
    }
}
