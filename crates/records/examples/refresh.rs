//! Writes what is generated from this crate: `docs/REFUSALS.md`.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/REFUSALS.md");
    std::fs::write(page, renkei_records::refusal_table_markdown())
}
