//! What is looked for.

use std::fmt;

use aho_corasick::AhoCorasick;

/// Shortest token, in bytes: random bytes hold a given one of this length in 2^64 places.
pub const MIN_TOKEN_BYTES: usize = 8;
/// Longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 4096;

/// Texts that were planted, and the automaton that finds all of them in one pass.
#[derive(Clone)]
pub struct Tokens {
    texts: Vec<Vec<u8>>,
    automaton: AhoCorasick,
    longest: usize,
}

/// Texts that cannot be looked for.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum InvalidTokens {
    #[error("there is no token to look for")]
    None,
    #[error("a token has {MIN_TOKEN_BYTES} to {MAX_TOKEN_BYTES} bytes, not {0}")]
    Length(usize),
    #[error("building the automaton")]
    Automaton(#[source] aho_corasick::BuildError),
}

impl Tokens {
    /// Tokens of [`MIN_TOKEN_BYTES`] to 4,096 bytes; of equal ones, one is kept.
    ///
    /// # Errors
    /// When there is none, or one is too short or too long.
    pub fn new<T: Into<Vec<u8>>>(texts: impl IntoIterator<Item = T>) -> Result<Self, InvalidTokens> {
        let mut texts: Vec<Vec<u8>> = texts.into_iter().map(Into::into).collect();
        texts.sort_unstable();
        texts.dedup();
        let allowed = MIN_TOKEN_BYTES..=MAX_TOKEN_BYTES;
        if let Some(odd) = texts.iter().find(|text| !allowed.contains(&text.len())) {
            return Err(InvalidTokens::Length(odd.len()));
        }
        let longest = texts.iter().map(Vec::len).max().ok_or(InvalidTokens::None)?;
        let automaton = AhoCorasick::new(&texts).map_err(InvalidTokens::Automaton)?;
        Ok(Self { texts, automaton, longest })
    }

    /// The tokens, ascending. [`Hit::token`](super::Hit) is a position here.
    pub fn texts(&self) -> &[Vec<u8>] {
        &self.texts
    }

    /// Bytes of the longest one.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Every token in `bytes`, overlapping ones too, that ends behind `from`.
    pub(super) fn find<'a>(&'a self, bytes: &'a [u8], from: usize) -> impl Iterator<Item = usize> + 'a {
        let matches = self.automaton.find_overlapping_iter(bytes);
        matches.filter(move |found| found.end() > from).map(|found| found.pattern().as_usize())
    }
}

/// Tokens are parts of documents, so only their number is shown.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("count", &self.texts.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_inside_tokens_are_found_and_equal_ones_are_one() {
        let tokens = Tokens::new(["abcdefghij", "cdefghij", "abcdefghij"]).unwrap();
        assert_eq!(tokens.texts().len(), 2);
        assert_eq!(tokens.find(b"..abcdefghij..", 0).count(), 2);
        assert_eq!(tokens.find(b"..abcdefghij..", 12).count(), 0, "what ended before was counted before");
    }

    #[test]
    fn lengths_hold_at_their_edges() {
        for (length, taken) in [(7, false), (8, true), (4096, true), (4097, false)] {
            assert_eq!(Tokens::new([vec![b'x'; length]]).is_ok(), taken, "{length}");
        }
        assert!(matches!(Tokens::new([""; 0]), Err(InvalidTokens::None)));
    }
}
