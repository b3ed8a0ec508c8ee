//! How fast documents are made: `cargo run --release -p renkei-population --example rate`.

use std::time::Instant;

use renkei_population::{DocumentKind, PersonIndex, Population};

fn main() {
    let population = Population::new(42);
    for kind in DocumentKind::ALL {
        let (mut bytes, mut documents) = (0, 0_u32);
        let mut sizes = Vec::new();
        let mut out = Vec::new();
        let started = Instant::now();
        while started.elapsed().as_secs() < 3 {
            let index =
                PersonIndex::try_from(documents.wrapping_mul(7_919) % 125_000_000).expect("below the last person");
            out.clear();
            population.document_into(index, kind, documents, &mut out);
            bytes += out.len();
            sizes.push(out.len());
            documents += 1;
        }
        let seconds = started.elapsed().as_secs_f64();
        sizes.sort_unstable();
        let percentile = |percent: usize| sizes[(sizes.len() - 1) * percent / 100];
        #[expect(clippy::cast_precision_loss, reason = "a rate to three digits")]
        #[expect(clippy::print_stdout, reason = "the answer of an example")]
        {
            println!(
                "{kind:?}: {:.0} MB/s, {:.0} documents/s; bytes p0 {} p50 {} p90 {} p99 {} p100 {}",
                bytes as f64 / seconds / 1e6,
                f64::from(documents) / seconds,
                percentile(0),
                percentile(50),
                percentile(90),
                percentile(99),
                percentile(100)
            );
        }
    }
    let started = Instant::now();
    let persons: u32 = PersonIndex::all().take(300_000).map(|index| population.person(index).age()).sum();
    let each = started.elapsed() / 300_000;
    #[expect(clippy::print_stdout, reason = "the answer of an example")]
    {
        println!("person: {each:?} each (ages sum to {persons})");
    }
}
