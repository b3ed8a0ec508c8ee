//! Each line of the algebra, over random persons, clouds, key holders and randomness; and the published vectors.

use std::sync::Mutex;

use aws_lc_rs::digest::{SHA512, digest};
use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::{RistrettoPoint, Scalar};
use proptest::prelude::*;
use renkei_ids::{CloudId, PseudonymEpoch, Random};
use zeroize::Zeroizing;

use crate::group::hash_to_group;
use crate::*;

mod algebra;
mod encodings;
mod vectors;

/// Random bytes that a seed fixes: SHA-512 over seed and a counter.
struct Seeded(Mutex<(u64, u64)>);

impl Seeded {
    fn new(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }
}

impl Random for Seeded {
    fn fill(&self, into: &mut [u8]) {
        for chunk in into.chunks_mut(64) {
            let mut state = self.0.lock().unwrap();
            state.1 += 1;
            let bytes = digest(&SHA512, &[state.0.to_be_bytes(), state.1.to_be_bytes()].concat());
            chunk.copy_from_slice(&bytes.as_ref()[..chunk.len()]);
        }
    }
}

/// Gives zeros, and then what is behind it.
struct ZerosFirst(Mutex<usize>, Seeded);

impl Random for ZerosFirst {
    fn fill(&self, into: &mut [u8]) {
        let mut zeros = self.0.lock().unwrap();
        if *zeros == 0 {
            self.1.fill(into);
        } else {
            *zeros -= 1;
            into.fill(0);
        }
    }
}

fn factors(seeds: &[u8], cloud: u8, epoch: u32) -> Vec<Factor> {
    let (cloud, epoch) = (CloudId::from_bytes([cloud; 16]), PseudonymEpoch(epoch));
    seeds.iter().map(|seed| FactorSecret::from_bytes([*seed; 32]).factor(cloud, epoch)).collect()
}

fn person(seed: u8) -> Person {
    Person::new(&[seed; 32], 0)
}

/// What one mint leaves behind.
struct Minted {
    sent: BlindedPoint,
    masked: Vec<MaskedPoint>,
    in_transit: TransitPoint,
    shares: Vec<Share>,
}

impl Minted {
    fn open(&self) -> PseudonymPoint {
        Unmask::new(&self.shares).unwrap().open(&self.in_transit)
    }
}

fn mint(person: &Person, holders: &[Factor], random: &dyn Random) -> Minted {
    let (unblind, sent) = blind(&[person], random).unwrap().remove(0);
    let (mut masked, mut shares) = (Vec::<MaskedPoint>::new(), Vec::new());
    for holder in holders {
        let point = masked.last().map_or_else(|| sent.clone(), MaskedPoint::onward);
        let translated = translate(&[(holder, &point)], random).unwrap().remove(0);
        masked.push(translated.point);
        shares.push(translated.share);
    }
    let in_transit = unblind.finish(masked.last().unwrap());
    Minted { sent, masked, in_transit, shares }
}

/// P as its definition says, for which one would have to hold the person and every factor.
fn pseudonym(person: &Person, holders: &[Factor]) -> PseudonymPoint {
    PseudonymPoint(holders.iter().map(|factor| factor.0).product::<Scalar>() * person.0)
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
