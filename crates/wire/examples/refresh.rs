//! Writes what is generated from this crate: `docs/ERRORS.md`, and additions into the descriptor baseline.
//!
//! A breaking change is not written: one that is meant is made in the baseline by hand, where a reviewer sees it.

#[path = "../tests/it/descriptors.rs"]
mod descriptors;

use std::error::Error;
use std::fs;
use std::path::Path;

use descriptors::{Contract, Difference};
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Changes that would break the programs of others.
#[derive(Debug, thiserror::Error)]
#[error("the baseline is not written: {0:#?}")]
struct BreakingChanges(Vec<Difference>);

fn main() -> Result<(), Box<dyn Error>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::write(package.join("../../docs/ERRORS.md"), renkei_wire::error_table_markdown())?;

    let baseline = package.join("tests/golden/descriptors.txt");
    let promised = Contract::from_text(&fs::read_to_string(&baseline)?).ok_or("the baseline does not read")?;
    let today = Contract::of(&FileDescriptorSet::decode(renkei_wire::DESCRIPTORS)?);
    let breaking: Vec<_> = promised.differences(&today).into_iter().filter(Difference::is_breaking).collect();
    if !breaking.is_empty() {
        return Err(BreakingChanges(breaking).into());
    }
    fs::write(baseline, today.to_text())?;
    Ok(())
}
