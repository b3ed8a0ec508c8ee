use voprf::{BlindedElement, OprfClient, OprfServer, Ristretto255};

use super::*;
use crate::group::hash_to_scalar;

/// RFC 9497, appendix A.1.1: suite ristretto255-SHA512, mode OPRF.
const SECRET: &str = "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e";
const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";
/// Input, BlindedElement, EvaluationElement.
const VECTORS: [[&str; 3]; 2] = [
    [
        "00",
        "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
        "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
    ],
    [
        "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
        "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
    ],
];

fn scalar(text: &str) -> Scalar {
    Scalar::from_canonical_bytes(hex(text).try_into().unwrap()).unwrap()
}

/// One key holder that masks nothing is RFC 9497's server.
#[test]
fn hashing_blinding_and_evaluating_agree_with_rfc_9497() {
    for [input, blinded, evaluated] in VECTORS {
        let sent = BlindedPoint(scalar(BLIND) * hash_to_group(&hex(input)));
        assert_eq!(sent.encode()[..], hex(blinded));
        assert_eq!(BlindedPoint(scalar(SECRET) * sent.0).encode()[..], hex(evaluated));
    }
}

#[test]
fn hashing_to_a_scalar_agrees_with_rfc_9497() {
    // DeriveKeyPair, section 3.2.1: seed, info behind its length in two bytes, counter 0.
    let message = [&[0xA3; 32][..], &[0, 8], b"test key", &[0]].concat();
    assert_eq!(hash_to_scalar(&message, b"DeriveKeyPair").to_bytes()[..], hex(SECRET));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against another implementation, over another library of the curve.
    #[test]
    fn hashing_blinding_and_evaluating_agree_with_voprf(input in prop::collection::vec(any::<u8>(), 1..100), random: u64) {
        let random = Seeded::new(random);
        let [blind, key] = [(); 2].map(|()| *crate::group::random_scalar(&random));
        let theirs = <Ristretto255 as voprf::Group>::deserialize_scalar(&blind.to_bytes()).unwrap();
        let client = OprfClient::<Ristretto255>::deterministic_blind_unchecked(&input, theirs).unwrap();
        let sent = BlindedPoint(blind * hash_to_group(&input));
        prop_assert_eq!(&sent.encode()[..], &client.message.serialize()[..]);

        let server = OprfServer::<Ristretto255>::new_with_key(&key.to_bytes()).unwrap();
        let message = BlindedElement::deserialize(&sent.encode()).unwrap();
        let evaluated = server.blind_evaluate(&message);
        // A translation by the factor `key`, its mask taken off again by its share.
        let translated = translate(&[(&Factor(key), &sent)], &random).unwrap().remove(0);
        let unmasked = Unmask::new(&[translated.share]).unwrap().open(&TransitPoint(translated.point.0));
        prop_assert_eq!(&unmasked.encode()[..], &evaluated.serialize()[..]);
    }
}

/// What minting makes of fixed inputs: every index of every vault hangs on it. Computed a second time in Python after RFC
/// 9380, 9496 and 9497, and agreed.
#[test]
fn the_derivations_of_version_1_stay() {
    let person = Person::new(&[1; 32], 2);
    let cloud = CloudId::from_bytes([3; 16]);
    let factor = FactorSecret::from_bytes([4; 32]).factor(cloud, PseudonymEpoch(5));
    let text = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let forms = format!(
        "person: {}\nfactor: {}\npseudonym: {}\n",
        text(&person.0.compress().to_bytes()),
        text(&Zeroizing::new(factor.0.to_bytes())[..]),
        text(&pseudonym(&person, &[factor]).encode()[..]),
    );
    assert_eq!(forms, include_str!("../../tests/fixtures/derivations-v1.txt"));
}
