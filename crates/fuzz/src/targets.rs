//! The table of targets.

mod access;
mod bodies;
mod configuration;
mod document_edits;
mod documents;
mod identifiers;
mod peers;
mod placement;
mod raft;
mod sealed;
mod shard;
mod shard_rows;
mod snapshots;
mod summaries;
mod vault_state;
mod wire;

use crate::{Memory, Target};

/// Messages of the wire: of each field a whole message may be made, and the number of fields is bounded.
const WIRE: Memory = Memory { factor: 400, base: 256 * 1_024 };

const fn target(name: &'static str, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, run, seeds, input_max_bytes: 4_096, memory: Memory { factor: 64, base: 256 * 1_024 } }
}

/// Every target.
pub const TARGETS: [Target; 20] = [
    Target {
        input_max_bytes: 65_536,
        // Intake is run a few times, one after the other; beside it lies the model of another parser.
        memory: Memory { factor: 20, base: 1 << 20 },
        ..target("documents", documents::run, documents::seeds)
    },
    Target {
        memory: Memory { factor: 20_000, base: 64 << 20 },
        ..target("document_edits", document_edits::run, document_edits::seeds)
    },
    Target { input_max_bytes: 65_536, ..target("summaries", summaries::run, summaries::seeds) },
    target("identifiers", identifiers::run, identifiers::seeds),
    Target { input_max_bytes: 16_384, memory: WIRE, ..target("wire_node", wire::node::run, wire::node::seeds) },
    Target { input_max_bytes: 16_384, memory: WIRE, ..target("wire_record", wire::record::run, wire::record::seeds) },
    Target { input_max_bytes: 16_384, memory: WIRE, ..target("wire_vault", wire::vault::run, wire::vault::seeds) },
    Target { input_max_bytes: 16_384, memory: WIRE, ..target("wire_admin", wire::admin::run, wire::admin::seeds) },
    Target { memory: Memory { factor: 64, base: 64 << 20 }, ..target("bodies", bodies::run, bodies::seeds) },
    Target { memory: Memory { factor: 64, base: 64 << 20 }, ..target("peers", peers::run, peers::seeds) },
    Target { input_max_bytes: 16_384, ..target("shard_items", shard::items, shard::item_seeds) },
    Target { memory: Memory { factor: 2_048, base: 8 << 20 }, ..target("shard_apply", shard::apply, shard::seeds) },
    Target {
        memory: Memory { factor: 2_048, base: 8 << 20 },
        ..target("shard_rows", shard_rows::run, shard_rows::seeds)
    },
    Target { memory: Memory { factor: 2_048, base: 4 << 20 }, ..target("placement", placement::run, placement::seeds) },
    Target { memory: Memory { factor: 128, base: 1 << 20 }, ..target("access", access::run, access::seeds) },
    Target { memory: Memory { factor: 64, base: 1 << 20 }, ..target("sealed", sealed::run, sealed::seeds) },
    Target { input_max_bytes: 16_384, ..target("raft", raft::run, raft::seeds) },
    Target { memory: Memory { factor: 64, base: 4 << 20 }, ..target("snapshots", snapshots::run, snapshots::seeds) },
    Target {
        memory: Memory { factor: 256, base: 4 << 20 },
        ..target("configuration", configuration::run, configuration::seeds)
    },
    Target {
        memory: Memory { factor: 2_048, base: 8 << 20 },
        ..target("vault_state", vault_state::run, vault_state::seeds)
    },
];

/// Fails on inputs that begin with one word of four letters, which none of its seeds does: one in 2^32. Whoever finds it
/// follows coverage. It shows that the driver can find anything at all, and is not one of the targets.
pub const PLANTED: Target = target("planted", planted, || vec![b"nothing".to_vec()]);

fn planted(input: &[u8]) {
    let is = |place: usize, letter: u8| input.get(place) == Some(&letter);
    if is(0, b'f') && is(1, b'u') && is(2, b'z') && is(3, b'z') {
        panic!("the planted fault was found");
    }
}
