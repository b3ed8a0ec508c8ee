//! Stored summaries: what reads is written again as the same summary.

use bytes::Bytes;
use renkei_population::Population;
use renkei_records::{SUMMARY_MAX_BYTES, Summary, intake};

use super::documents::{KINDS, person};

pub(super) fn run(bytes: &[u8]) {
    let Ok(summary) = Summary::decode(&Bytes::copy_from_slice(bytes)) else { return };
    let encoded = summary.encode();
    let again = Summary::decode(&encoded).expect("what was written reads");
    assert!(again == summary, "another summary comes back");
    assert_eq!(again.encode(), encoded, "one summary has two forms");
    // Fields that are not known are left out, so that it cannot have grown by more than defaults cost.
    assert!(
        encoded.len() <= bytes.len().max(64) + SUMMARY_MAX_BYTES,
        "it grew from {} to {}",
        bytes.len(),
        encoded.len()
    );
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let population = Population::new(7);
    let documents =
        KINDS.into_iter().flat_map(|kind| [1, 2].map(|number| population.document(person(number), kind, number)));
    documents
        .map(|document| intake(&document).expect("the population's documents are taken").summary.encode().to_vec())
        .collect()
}
