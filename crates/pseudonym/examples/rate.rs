//! What minting and opening cost on one core, without a network: `cargo run --release -p renkei-pseudonym --example rate`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand;
use renkei_ids::{CloudId, PseudonymEpoch, Random};
use renkei_pseudonym::{BlindedPoint, Factor, FactorSecret, Person, Share, TransitPoint, Unmask};
use renkei_pseudonym::{blind, translate};

const RUN: Duration = Duration::from_secs(1);
const RUNS: usize = 5;

struct System;

impl Random for System {
    fn fill(&self, into: &mut [u8]) {
        rand::fill(into).expect("the system gives random bytes");
    }
}

/// Translates encoded points, as a key holder does; the encoded answers.
fn serve(factor: &Factor, points: &[[u8; 32]]) -> Vec<([u8; 32], Share)> {
    let points: Vec<BlindedPoint> =
        points.iter().map(|bytes| BlindedPoint::try_from(&bytes[..]).expect("it was encoded here")).collect();
    let batch: Vec<_> = points.iter().map(|point| (factor, point)).collect();
    let answers = translate(&batch, &System).expect("a batch of 64 at most");
    answers.into_iter().map(|answer| (answer.point.encode(), answer.share)).collect()
}

/// Mints for so many persons through two key holders; what is in transit, encoded, and the shares.
fn mint(persons: &[&Person], holders: &[Factor; 2]) -> Vec<([u8; 32], [Share; 2])> {
    let (unblinds, sent): (Vec<_>, Vec<_>) =
        blind(persons, &System).expect("a batch of 64 at most").into_iter().unzip();
    let sent: Vec<_> = sent.iter().map(BlindedPoint::encode).collect();
    let first = serve(&holders[0], &sent);
    let second = serve(&holders[1], &first.iter().map(|(point, _)| *point).collect::<Vec<_>>());
    let both = unblinds.into_iter().zip(first).zip(second);
    both.map(|((unblind, (_, one)), (point, two))| {
        let masked = point.as_slice().try_into().expect("it was encoded here");
        (unblind.finish(&masked).encode(), [one, two])
    })
    .collect()
}

#[expect(clippy::print_stdout, reason = "the answer of an example")]
fn measure(name: &str, per_call: u32, mut call: impl FnMut()) {
    let mut rates: Vec<f64> = (0..RUNS)
        .map(|_| {
            let (started, mut done) = (Instant::now(), 0);
            while started.elapsed() < RUN {
                call();
                done += per_call;
            }
            f64::from(done) / started.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_unstable_by(f64::total_cmp);
    let (median, low, high) = (rates[RUNS / 2], rates[0], rates[RUNS - 1]);
    println!("{name}: {median:.0}/s ({low:.0} to {high:.0} in {RUNS} runs), {:.1} us each", 1e6 / median);
}

fn main() {
    let (cloud, epoch) = (CloudId::from_bytes([1; 16]), PseudonymEpoch(1));
    let holders = [(); 2].map(|()| FactorSecret::random(&System).factor(cloud, epoch));
    let persons: Vec<Person> = (0..64).map(|seed| Person::new(&[seed; 32], 0)).collect();
    let persons: Vec<&Person> = persons.iter().collect();
    let blinded: Vec<[u8; 32]> =
        blind(&persons, &System).expect("a batch of 64").iter().map(|(_, point)| point.encode()).collect();

    measure("translation, one at a time", 1, || drop(black_box(serve(&holders[0], &blinded[..1]))));
    measure("translation, batches of 16", 16, || drop(black_box(serve(&holders[0], &blinded[..16]))));
    measure("translation, batches of 64", 64, || drop(black_box(serve(&holders[0], &blinded))));
    measure("mint through two key holders, single", 1, || drop(black_box(mint(&persons[..1], &holders))));
    measure("mint through two key holders, batches of 16", 16, || drop(black_box(mint(&persons[..16], &holders))));
    let (point, shares) = mint(&persons[..1], &holders).remove(0);
    measure("opening with two shares", 1, || {
        let in_transit = TransitPoint::try_from(&point[..]).expect("it was encoded here");
        let unmask = Unmask::new(&shares).expect("there are two");
        drop(black_box(unmask.open(&in_transit).encode()));
    });
    measure("person's point from the seed", 1, || {
        drop(black_box(Person::new(&[1; 32], 0)));
    });
}
