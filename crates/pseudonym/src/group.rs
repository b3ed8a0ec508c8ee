//! Hashing to ristretto255 and to its scalars as RFC 9497 does for the suite ristretto255-SHA512, in its mode OPRF.

use aws_lc_rs::digest::{Context, SHA512};
use curve25519_dalek::{RistrettoPoint, Scalar};
use renkei_ids::Random;
use zeroize::Zeroizing;

/// `contextString` of RFC 9497, section 3.1, for mode 0 and this suite.
const CONTEXT: &[u8] = b"OPRFV1-\x00-ristretto255-SHA512";
/// Bytes that SHA-512 gives, and that it takes in at once.
const DIGEST: usize = 64;
const BLOCK: usize = 128;

/// RFC 9497's `HashToGroup`.
pub(crate) fn hash_to_group(message: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&expand(message, b"HashToGroup-"))
}

/// RFC 9497's `HashToScalar` with a domain of its own, `name` before the suite's context string.
pub(crate) fn hash_to_scalar(message: &[u8], name: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand(message, name))
}

/// A random scalar that is not zero.
pub(crate) fn random_scalar(source: &dyn Random) -> Zeroizing<Scalar> {
    loop {
        let mut wide = Zeroizing::new([0; 64]);
        source.fill(&mut wide[..]);
        let scalar = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
        if *scalar != Scalar::ZERO {
            return scalar;
        }
    }
}

/// So many random scalars, and in the same order their inverses: one inversion for all of them.
pub(crate) fn random_pairs(count: usize, source: &dyn Random) -> (Zeroizing<Vec<Scalar>>, Zeroizing<Vec<Scalar>>) {
    let mut scalars = Zeroizing::new(Vec::with_capacity(count));
    (0..count).for_each(|_| scalars.push(*random_scalar(source)));
    let mut inverses = scalars.clone();
    // The product of all inverses, which is as secret as each.
    let _product = Zeroizing::new(Scalar::invert_batch_alloc(&mut inverses));
    (scalars, inverses)
}

/// `expand_message_xmd` of RFC 9380, section 5.3.1, with SHA-512 and for 64 bytes, which are one block of its output.
fn expand(message: &[u8], name: &[u8]) -> Zeroizing<[u8; DIGEST]> {
    let tag = [name, CONTEXT].concat();
    let tag_len = u8::try_from(tag.len()).expect("names of domains are short");
    let digest = |parts: &[&[u8]]| {
        let mut context = Context::new(&SHA512);
        parts.iter().for_each(|part| context.update(part));
        let mut digest = Zeroizing::new([0; DIGEST]);
        digest.copy_from_slice(context.finish().as_ref());
        digest
    };
    let first = digest(&[&[0; BLOCK], message, &[0, 64], &[0], &tag, &[tag_len]]);
    digest(&[&first[..], &[1], &tag, &[tag_len]])
}
