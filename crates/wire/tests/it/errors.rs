//! What is written about errors is what the code does.

#[test]
fn the_written_table_is_the_table_of_the_code() {
    let written = include_str!("../../../../docs/ERRORS.md");
    let refresh = "cargo run --release -p renkei-wire --example refresh";
    assert_eq!(written, renkei_wire::error_table_markdown(), "written by `{refresh}`");
}
