//! The bytes of a file, in chunks that two states of it share until one of them changes.

use std::sync::Arc;

use rand::Rng;

/// What is copied when a shared part changes.
const CHUNK: usize = 64 << 10;
/// What reaches the medium whole or not at all.
pub(crate) const PAGE: usize = 4 << 10;

/// A file's content. Clones share the chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    /// All of [`CHUNK`] bytes but the last.
    chunks: Vec<Arc<Vec<u8>>>,
}

impl Content {
    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Up to `len` bytes from `offset` on.
    pub(crate) fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let end = offset.saturating_add(len).min(self.len());
        let mut read = Vec::with_capacity(end.saturating_sub(offset));
        let mut at = offset;
        while at < end {
            let (chunk, within) = (&self.chunks[at / CHUNK], at % CHUNK);
            let upto = chunk.len().min(within + (end - at));
            read.extend_from_slice(&chunk[within..upto]);
            at += upto - within;
        }
        read
    }

    /// Puts bytes at `offset`; a gap in front of them is zeroes.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if end > self.len() {
            self.resize(end);
        }
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let chunk = Arc::make_mut(&mut self.chunks[at / CHUNK]);
            let within = at % CHUNK;
            let (now, later) = rest.split_at(rest.len().min(CHUNK - within));
            chunk[within..within + now.len()].copy_from_slice(now);
            at += now.len();
            rest = later;
        }
    }

    /// Cuts, or extends by zeroes.
    pub(crate) fn resize(&mut self, len: usize) {
        let chunks = len.div_ceil(CHUNK);
        self.chunks.truncate(chunks);
        while self.chunks.len() < chunks {
            if let Some(last) = self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
                Arc::make_mut(last).resize(CHUNK, 0);
            }
            self.chunks.push(Arc::default());
        }
        if let Some(last) = self.chunks.last_mut() {
            let of_last = len - (chunks - 1) * CHUNK;
            if last.len() != of_last {
                Arc::make_mut(last).resize(of_last, 0);
            }
        }
    }

    /// Bytes by which two states differ, counted in whole pages.
    pub(crate) fn differs_from(&self, other: &Self) -> usize {
        self.pages_unlike(other).len() * PAGE
    }

    /// `self`, as far as chance lets its pages reach the medium that holds `durable`.
    pub(crate) fn torn_onto(&self, durable: &Self, chance: &mut impl Rng) -> Self {
        let mut torn = durable.clone();
        let mut kept_to = durable.len().min(self.len());
        for page in self.pages_unlike(durable) {
            if chance.random() {
                let bytes = self.read(page * PAGE, PAGE);
                torn.write(page * PAGE, &bytes);
                kept_to = kept_to.max(page * PAGE + bytes.len());
            }
        }
        // A truncation reached the medium or did not.
        if self.len() < durable.len() && chance.random() {
            kept_to = self.len();
        } else {
            kept_to = kept_to.max(durable.len());
        }
        torn.resize(kept_to);
        torn
    }

    fn pages_unlike(&self, other: &Self) -> Vec<usize> {
        let chunk = |content: &Self, at: usize| content.chunks.get(at).cloned();
        let chunks = self.chunks.len().max(other.chunks.len());
        let unlike = (0..chunks).filter(|at| match (chunk(self, *at), chunk(other, *at)) {
            (Some(one), Some(two)) => !Arc::ptr_eq(&one, &two),
            _ => true,
        });
        let pages = unlike.flat_map(|at| at * (CHUNK / PAGE)..(at + 1) * (CHUNK / PAGE));
        pages.filter(|page| self.read(page * PAGE, PAGE) != other.read(page * PAGE, PAGE)).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn content_is_what_a_plain_vector_would_be() {
        let seed: u64 = rand::random();
        println!("seed {seed}");
        let mut chance = StdRng::seed_from_u64(seed);
        for _ in 0..50 {
            let (mut content, mut plain) = (Content::default(), Vec::new());
            for _ in 0..20 {
                let offset = chance.random_range(0..3 * CHUNK);
                if chance.random_ratio(1, 4) {
                    content.resize(offset);
                    plain.resize(offset, 0);
                } else {
                    let bytes: Vec<u8> = (0..chance.random_range(1..2 * CHUNK)).map(|_| chance.random()).collect();
                    content.write(offset, &bytes);
                    plain.resize(plain.len().max(offset + bytes.len()), 0);
                    plain[offset..offset + bytes.len()].copy_from_slice(&bytes);
                }
                assert_eq!(content.len(), plain.len());
            }
            assert!(content.read(0, usize::MAX) == plain);
            let (from, len) = (chance.random_range(0..4 * CHUNK), chance.random_range(0..2 * CHUNK));
            let end = (from + len).min(plain.len());
            assert!(content.read(from, len) == plain[from.min(end)..end]);
        }
    }

    #[test]
    fn a_torn_content_holds_pages_of_either_state_only() {
        let seed: u64 = rand::random();
        println!("seed {seed}");
        let mut chance = StdRng::seed_from_u64(seed);
        let mut durable = Content::default();
        durable.write(0, &vec![1; 10 * PAGE + 100]);
        let mut now = durable.clone();
        now.write(3 * PAGE, &vec![2; 20 * PAGE]);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let torn = now.torn_onto(&durable, &mut chance);
            assert!(torn.len() >= durable.len() && torn.len() <= now.len());
            for page in 0..torn.len().div_ceil(PAGE) {
                let bytes = torn.read(page * PAGE, PAGE);
                let of = |content: &Content| content.read(page * PAGE, bytes.len());
                let hole = bytes.iter().all(|byte| *byte == 0) && page >= 10;
                let grown = page == 10 && bytes[..100] == [1; 100] && bytes[100..].iter().all(|byte| *byte == 0);
                assert!(bytes == of(&now) || bytes == of(&durable) || hole || grown, "page {page}");
            }
            seen.insert(torn.len());
        }
        assert!(seen.len() > 1, "chance never decided");
    }
}
