//! What a build is.

use std::fs;

use renkei_launch::beside;

/// Stands in a binary with the feature only.
const MARKER: &[u8] = b"renkei-gateway dev-insecure: patients open by pseudonym, without a ticket";

#[test]
fn only_a_build_with_the_feature_holds_the_marker() {
    let binary = fs::read(beside("renkei-gateway").unwrap()).unwrap();
    let held = binary.windows(MARKER.len()).any(|window| window == MARKER);
    assert_eq!(held, cfg!(feature = "dev-insecure"));
}
