use std::collections::VecDeque;

/// Bytes between two marks: what the answer of [`ByteMarks::after`] may be off by.
const MARK_EVERY: u64 = 256 << 10;

/// How many bytes of a log lie after an index, from a mark every 256 KiB and straight lines between them.
///
/// A boundary `b` stands for "all entries below `b`", so the first entry may have index 0.
#[derive(Debug)]
pub(super) struct ByteMarks {
    /// (boundary, bytes of the entries below it since counting began), ascending; never empty.
    marks: VecDeque<(u64, u64)>,
    end: (u64, u64),
}

impl ByteMarks {
    /// A log of `bytes` with the entries from `first` to `next - 1`.
    pub(super) fn new(first: u64, next: u64, bytes: u64) -> Self {
        Self { marks: VecDeque::from([(first, 0)]), end: (next.max(first), bytes) }
    }

    /// One more entry at the end.
    pub(super) fn append(&mut self, bytes: usize) {
        self.end = (self.end.0.saturating_add(1), self.end.1.saturating_add(bytes as u64));
        let marked = self.marks.back().map_or(0, |mark| mark.1);
        if self.end.1 - marked >= MARK_EVERY {
            self.marks.push_back(self.end);
        }
    }

    /// Entries from `boundary` on are gone.
    pub(super) fn truncate(&mut self, boundary: u64) {
        if boundary >= self.end.0 {
            return;
        }
        self.end = (boundary, self.below(boundary));
        while self.marks.len() > 1 && self.marks.back().is_some_and(|mark| mark.0 > boundary) {
            self.marks.pop_back();
        }
    }

    /// Entries below `boundary` are gone; past the end the log is empty and goes on from there.
    pub(super) fn purge(&mut self, boundary: u64) {
        if boundary >= self.end.0 {
            *self = Self::new(boundary, boundary, 0);
            return;
        }
        let below = self.below(boundary);
        while self.marks.front().is_some_and(|mark| mark.0 <= boundary) {
            self.marks.pop_front();
        }
        self.marks.push_front((boundary, below));
    }

    /// Bytes of the entries from `boundary` on.
    pub(super) fn from(&self, boundary: u64) -> u64 {
        self.end.1.saturating_sub(self.below(boundary))
    }

    fn below(&self, boundary: u64) -> u64 {
        let after = self.marks.partition_point(|mark| mark.0 <= boundary);
        let (low, low_bytes) = match after.checked_sub(1) {
            Some(at) => self.marks[at],
            None => return self.marks.front().map_or(0, |mark| mark.1),
        };
        let (high, high_bytes) = self.marks.get(after).copied().unwrap_or(self.end);
        if boundary >= high {
            return high_bytes;
        }
        let line = u128::from(high_bytes - low_bytes) * u128::from(boundary - low) / u128::from(high - low);
        low_bytes + u64::try_from(line).expect("a part of a u64 difference")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Append(usize),
        Truncate(u64),
        Purge(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (1_usize..200_000).prop_map(Step::Append),
            1 => (0_u64..80).prop_map(Step::Truncate),
            1 => (0_u64..80).prop_map(Step::Purge),
        ]
    }

    proptest! {
        #[test]
        fn the_estimate_is_within_one_mark_and_one_entry(steps in prop::collection::vec(step(), 1..200)) {
            let mut marks = ByteMarks::new(0, 0, 0);
            let mut model: VecDeque<u64> = VecDeque::new();
            let mut first = 0;
            // Each truncation estimates once, so its error stays in the running sum.
            let mut slack = MARK_EVERY + 200_000;
            for step in steps {
                match step {
                    Step::Append(bytes) => { marks.append(bytes); model.push_back(bytes as u64); }
                    Step::Truncate(boundary) => {
                        let boundary = boundary.max(first);
                        marks.truncate(boundary);
                        model.truncate(usize::try_from(boundary - first).unwrap());
                        slack += MARK_EVERY + 200_000;
                    }
                    Step::Purge(boundary) => {
                        let boundary = boundary.max(first);
                        marks.purge(boundary);
                        let gone = usize::try_from(boundary - first).unwrap().min(model.len());
                        model.drain(..gone);
                        first = boundary;
                    }
                }
                for boundary in first..first + model.len() as u64 + 2 {
                    let skipped = usize::try_from(boundary - first).unwrap();
                    let exact: u64 = model.iter().skip(skipped).sum();
                    prop_assert!(marks.from(boundary).abs_diff(exact) <= slack, "{} for {exact}", marks.from(boundary));
                }
                prop_assert_eq!(marks.from(u64::MAX), 0);
            }
        }
    }
}
