//! Properties of the population: one binary, a file for each topic.

mod adversarial;
mod determinism;
mod documents;
mod intake;
mod persons;
mod spellings;

use renkei_population::PersonIndex;

/// The seed of every test here; a failure names the index and version beside it.
const SEED: u64 = 20_261_120;

fn index(value: u32) -> PersonIndex {
    PersonIndex::try_from(value).expect("tests ask for persons of the population")
}

/// Persons spread over the whole range.
fn spread(count: u32) -> impl Iterator<Item = PersonIndex> {
    (0..count).map(move |n| index(n * (125_000_000 / count)))
}

/// The lengths of the runs of ASCII digits.
fn digit_runs(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len)
}
