//! How fast intake reads: megabytes a second on one core, for a prescription of the usual size and for the largest
//! documents. `cargo run --release -p renkei-records --example rate`

#![expect(clippy::print_stdout, reason = "an example prints its table")]

#[path = "../tests/it/documents.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod documents;

use std::hint::black_box;
use std::time::{Duration, Instant};

use renkei_records::intake;

/// How long each document is read again and again.
const SPAN: Duration = Duration::from_secs(2);

fn main() {
    let payload =
        format!(r#"{{"resourceType":"Binary","contentType":"application/pdf","data":"{}"}}"#, "A".repeat(9_900_000));
    let documents = [
        ("prescription", documents::prescription(13)),
        ("vaccination", documents::immunization()),
        (
            "discharge summary of results",
            documents::discharge("clins", &(0..14_000).map(documents::observation).collect::<Vec<_>>()),
        ),
        ("discharge summary with a file", documents::discharge("clins", &[documents::condition(1, ""), payload])),
    ];
    for (name, document) in documents {
        let begin = Instant::now();
        let mut best = Duration::MAX;
        while begin.elapsed() < SPAN {
            let round = Instant::now();
            black_box(intake(black_box(document.as_bytes()))).expect("a valid document");
            best = best.min(round.elapsed());
        }
        #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
        let rate = document.len() as f64 / best.as_secs_f64() / 1e6;
        println!("{name}: {} bytes, {rate:.0} MB/s in the best round", document.len());
    }
}
