//! The same bytes in every build, on every machine: documents against their recorded hashes.

use renkei_population::{DocumentKind, Population};
use siphasher::sip128::SipHasher24;

use crate::index;

const FIXTURE: &str = include_str!("../fixtures/documents.txt");

fn listing() -> String {
    let mut lines = String::new();
    for seed in [0, 42, u64::MAX] {
        let population = Population::new(seed);
        for person in [0, 1, 62_500_000, 124_999_999] {
            for kind in DocumentKind::ALL {
                for version in [0, 1, u32::MAX] {
                    let document = population.document(index(person), kind, version);
                    let hash = SipHasher24::new().hash(&document).as_u128();
                    lines += &format!("{seed} {person} {kind:?} {version} {} {hash:032x}\n", document.len());
                }
            }
        }
    }
    lines
}

/// Columns: seed, person, kind, version, bytes, SipHash-2-4-128 under the zero key. A change here is another
/// population: figures of runs before and after it do not compare. With an empty fixture the test prints the new one.
#[test]
fn documents_are_those_of_the_fixture() {
    let listing = listing();
    for (line, recorded) in listing.lines().zip(FIXTURE.lines()) {
        assert_eq!(line, recorded);
    }
    assert_eq!(listing.lines().count(), FIXTURE.lines().count(), "the whole listing is:\n{listing}");
}
