//! HPKE (RFC 9180), base mode, one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
//!
//! For what only the holder of a private key may read. The key pair that is used once grows from random bytes that the
//! caller draws.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::{hkdf, hmac};
use zeroize::Zeroizing;

const KEM: &[u8] = b"KEM\x00\x20";
const SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x01";
const VERSION: &[u8] = b"HPKE-v1";
const BASE_MODE: u8 = 0;
/// Length of an encapsulated key.
const ENCAPSULATED: usize = 32;

/// Bytes that sealing adds.
pub(crate) const HPKE_OVERHEAD: usize = ENCAPSULATED + 16;

/// What is not sealed or opened. A key that gives no shared secret, another key and a changed byte are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// The public half of a private key.
pub(crate) fn public_key(private: &[u8; 32]) -> [u8; 32] {
    key(private)
        .compute_public_key()
        .ok()
        .and_then(|public| public.as_ref().try_into().ok())
        .expect("every 32 bytes are a private key of X25519, and its public key has 32 bytes")
}

/// Seals for the holder of `recipient`'s private key: the encapsulated key, then the ciphertext. `once` is 32 random bytes.
pub(crate) fn seal(
    recipient: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    content: &[u8],
    once: &[u8; 32],
) -> Result<Vec<u8>, Failed> {
    let encapsulated = public_key(once);
    let shared = shared_secret(once, recipient, &encapsulated, recipient)?;
    let (key, nonce) = schedule(&shared, info);
    let mut sealed = [&encapsulated[..], content].concat();
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(aad), &mut sealed[ENCAPSULATED..])
        .expect("AES-128-GCM seals up to 64 GiB");
    sealed.extend(tag.as_ref());
    Ok(sealed)
}

/// Opens what [`seal`] made.
pub(crate) fn open(private: &[u8; 32], info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failed> {
    let (encapsulated, ciphertext) = sealed.split_first_chunk::<ENCAPSULATED>().ok_or(Failed)?;
    let shared = shared_secret(private, encapsulated, encapsulated, &public_key(private))?;
    let (key, nonce) = schedule(&shared, info);
    let mut content = Zeroizing::new(ciphertext.to_vec());
    let len = key.open_in_place(nonce, Aad::from(aad), &mut content).map_err(|_| Failed)?.len();
    content.truncate(len);
    Ok(content)
}

fn key(private: &[u8; 32]) -> PrivateKey {
    PrivateKey::from_private_key(&X25519, private).expect("every 32 bytes are a private key of X25519")
}

/// `Encap` and `Decap` of section 4.1.
fn shared_secret(
    private: &[u8; 32],
    public: &[u8; 32],
    encapsulated: &[u8; 32],
    recipient: &[u8; 32],
) -> Result<Zeroizing<[u8; 32]>, Failed> {
    // A point of low order gives zero, which is refused inside.
    agree(&key(private), UnparsedPublicKey::new(&X25519, public), Failed, |agreed| {
        let secret = extract(KEM, &[], b"eae_prk", agreed);
        let mut shared = Zeroizing::new([0; 32]);
        expand(KEM, &secret, b"shared_secret", &[&encapsulated[..], recipient].concat(), &mut shared[..]);
        Ok(shared)
    })
}

/// `KeySchedule` of section 5.1, without a pre-shared key.
fn schedule(shared: &[u8; 32], info: &[u8]) -> (LessSafeKey, Nonce) {
    let context =
        [&[BASE_MODE][..], &*extract(SUITE, &[], b"psk_id_hash", &[]), &*extract(SUITE, &[], b"info_hash", info)]
            .concat();
    let secret = extract(SUITE, shared, b"secret", &[]);
    let (mut key, mut nonce) = (Zeroizing::new([0; 16]), [0; NONCE_LEN]);
    expand(SUITE, &secret, b"key", &context, &mut key[..]);
    expand(SUITE, &secret, b"base_nonce", &context, &mut nonce);
    let key = UnboundKey::new(&AES_128_GCM, &key[..]).expect("an AES-128 key has 16 bytes");
    (LessSafeKey::new(key), Nonce::assume_unique_for_key(nonce))
}

/// `LabeledExtract` of section 4.
fn extract(suite: &[u8], salt: &[u8], label: &[u8], secret: &[u8]) -> Zeroizing<[u8; 32]> {
    let message = Zeroizing::new([VERSION, suite, label, secret].concat());
    let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), &message);
    Zeroizing::new(extracted.as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes"))
}

/// `LabeledExpand` of section 4.
fn expand(suite: &[u8], secret: &[u8; 32], label: &[u8], info: &[u8], into: &mut [u8]) {
    struct Len(usize);
    impl hkdf::KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    let len = u16::try_from(into.len()).expect("keys are short").to_be_bytes();
    hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, secret)
        .expand(&[&len, VERSION, suite, label, info], Len(into.len()))
        .and_then(|okm| okm.fill(into))
        .expect("HKDF-SHA256 gives up to 8,160 bytes");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let digits: Vec<u8> = text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<_>>().try_into().unwrap()
    }

    /// RFC 9180, appendix A.1.1, and its first encryption.
    #[test]
    fn agrees_with_rfc_9180() {
        let private = hex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8");
        let public = hex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d");
        let once = hex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736");
        let encapsulated: [u8; 32] = hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let shared: [u8; 32] = hex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc");
        let info: [u8; 20] = hex("4f6465206f6e2061204772656369616e2055726e");
        let (aad, content): ([u8; 7], [u8; 29]) =
            (hex("436f756e742d30"), hex("4265617574792069732074727574682c20747275746820626561757479"));
        let ciphertext: [u8; 45] =
            hex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a");
        assert_eq!((public_key(&private), public_key(&once)), (public, encapsulated));
        assert_eq!(*shared_secret(&once, &public, &encapsulated, &public).unwrap(), shared);
        let sealed = seal(&public, &info, &aad, &content, &once).unwrap();
        assert_eq!(sealed, [&encapsulated[..], &ciphertext].concat());
        assert_eq!(sealed.len(), content.len() + HPKE_OVERHEAD);
        assert_eq!(open(&private, &info, &aad, &sealed).unwrap()[..], content);
    }

    #[test]
    fn a_key_that_gives_no_secret_is_refused() {
        // Points of low order: zero and one.
        let mut one = [0; 32];
        one[0] = 1;
        for public in [[0; 32], one] {
            assert_eq!(seal(&public, b"", b"", b"content", &[5; 32]), Err(Failed));
            assert_eq!(open(&[5; 32], b"", b"", &[&public[..], &[0; 20]].concat()).unwrap_err(), Failed);
        }
        assert_eq!(open(&[5; 32], b"", b"", &[1; 31]).unwrap_err(), Failed);
        assert_eq!(open(&[5; 32], b"", b"", &[1; 32]).unwrap_err(), Failed);
    }
}
