//! Reading structure out of an input: each choice takes a few bytes, and where none are left the first choice is taken.

/// What is left of an input.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// True for one byte in `of`, and where none are left.
    pub(crate) fn one_in(&mut self, of: u8) -> bool {
        self.byte().is_multiple_of(of)
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    /// A number below `bound`, which is not 0; near 0 and near the bound more often than chance.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let drawn = usize::from(self.u16());
        match drawn % 8 {
            0 => bound - 1 - (drawn / 8) % bound.min(4),
            _ => (drawn / 8) % bound,
        }
    }

    /// One of these.
    pub(crate) fn pick<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[usize::from(self.byte()) % of.len()]
    }

    /// An id of 16 bytes that is one of a few, so that equal ones meet.
    pub(crate) fn few(&mut self) -> [u8; 16] {
        [self.byte() % 4; 16]
    }

    /// At most `max` bytes, behind a byte that says how many.
    pub(crate) fn short(&mut self, max: usize) -> &'a [u8] {
        let len = usize::from(self.byte()).min(max).min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let len = N.min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        out[..len].copy_from_slice(taken);
        self.0 = rest;
        out
    }
}
