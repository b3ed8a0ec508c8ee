//! One fuzz target under libFuzzer: `renkei-fuzz <corpus folder> --target=<name> [flags of libFuzzer]`.
//!
//! `cargo verify --long fuzz` builds it with coverage counters and calls it.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use renkei_fuzz::Target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: choose(), |input: &[u8]| {
    TARGET.get().expect("chosen before the first input").check(input);
});

/// Takes the target that the command line names, and writes its seeds into the corpus folder.
fn choose() {
    let target = std::env::args().find_map(|argument| argument.strip_prefix("--target=").and_then(Target::named));
    let target = target.expect("--target= names a target of the table");
    let folder = std::env::args().nth(1).expect("the corpus folder comes first");
    for (number, seed) in (target.seeds)().into_iter().enumerate() {
        let path = Path::new(&folder).join(format!("seed-{number}"));
        std::fs::write(&path, seed).expect("the corpus folder can be written to");
    }
    TARGET.set(target).expect("chosen once");
}
