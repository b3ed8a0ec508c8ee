//! Bodies too large for one message: cut into pieces by the sender, gathered again by the receiver.

use bytes::{Bytes, BytesMut};

use crate::Refusal;
use crate::limits::{BODY_MAX_BYTES, PIECE_MAX_BYTES};
use crate::redacted::redacted;

/// One piece of a body.
#[derive(Clone, PartialEq, Eq)]
pub struct BodyPiece {
    /// Ciphertext, 1 to [`PIECE_MAX_BYTES`] bytes.
    pub data: Bytes,
    /// Whether the body ends here.
    pub last: bool,
}

redacted! { BodyPiece BodyAssembly }

/// Cuts a body into pieces that share its memory. An empty body has none.
pub fn pieces(mut body: Bytes) -> impl Iterator<Item = BodyPiece> + Send {
    std::iter::from_fn(move || {
        if body.is_empty() {
            return None;
        }
        let data = body.split_to(body.len().min(PIECE_MAX_BYTES));
        Some(BodyPiece { data, last: body.is_empty() })
    })
}

/// Gathers the pieces of one body, and never holds more than was announced or, where nothing was, than a body may have.
#[derive(Default)]
pub struct BodyAssembly {
    gathered: BytesMut,
    announced: Option<usize>,
}

/// Pieces that make no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// The body goes on past [`BODY_MAX_BYTES`].
    #[error("body is over the limit of {BODY_MAX_BYTES} bytes")]
    TooLong,
    /// The body does not have the length that was announced.
    #[error("body of {actual} bytes or more was announced as {announced}")]
    OtherLength {
        /// Bytes that were announced.
        announced: usize,
        /// Bytes that have come.
        actual: usize,
    },
}

impl BodyAssembly {
    /// An empty body of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty body that is to have this many bytes.
    ///
    /// # Errors
    /// [`InvalidBody::TooLong`].
    pub fn announced(bytes: usize) -> Result<Self, InvalidBody> {
        if bytes > BODY_MAX_BYTES {
            return Err(InvalidBody::TooLong);
        }
        Ok(Self { gathered: BytesMut::new(), announced: Some(bytes) })
    }

    /// Bytes gathered so far, for admission.
    pub fn gathered_bytes(&self) -> usize {
        self.gathered.len()
    }

    /// Adds the next piece; the whole body when it was the last one, after which the assembly is empty again.
    ///
    /// # Errors
    /// [`InvalidBody`]; the body is lost then, and its call is to be refused.
    pub fn push(&mut self, piece: BodyPiece) -> Result<Option<Bytes>, InvalidBody> {
        let BodyPiece { data, last } = piece;
        let actual = self.gathered.len() + data.len();
        match self.announced {
            Some(announced) if actual > announced || last && actual != announced => {
                return Err(InvalidBody::OtherLength { announced, actual });
            }
            None if actual > BODY_MAX_BYTES => return Err(InvalidBody::TooLong),
            _ => self.gathered.extend_from_slice(&data),
        }
        Ok(last.then(|| self.gathered.split().freeze()))
    }
}

impl From<InvalidBody> for Refusal {
    fn from(invalid: InvalidBody) -> Self {
        match invalid {
            InvalidBody::TooLong => Self::too_large("put.body"),
            InvalidBody::OtherLength { .. } => Self::invalid("put.body"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(mut assembly: BodyAssembly, body: Bytes) -> Result<Option<Bytes>, InvalidBody> {
        let mut whole = None;
        for piece in pieces(body) {
            assert!(whole.is_none(), "a piece came behind the last one");
            assert!((1..=PIECE_MAX_BYTES).contains(&piece.data.len()));
            whole = assembly.push(piece)?;
        }
        Ok(whole)
    }

    #[test]
    fn what_is_cut_is_gathered_again_at_every_edge() {
        for len in [1, PIECE_MAX_BYTES - 1, PIECE_MAX_BYTES, PIECE_MAX_BYTES + 1, BODY_MAX_BYTES] {
            let body: Bytes = (0..=250).cycle().take(len).collect();
            assert_eq!(gather(BodyAssembly::new(), body.clone()), Ok(Some(body.clone())), "{len}");
            let announced = BodyAssembly::announced(len).expect("the length is within the limit");
            assert_eq!(gather(announced, body.clone()), Ok(Some(body)), "{len}");
        }
    }

    #[test]
    fn one_byte_over_the_limit_is_refused() {
        let body = Bytes::from(vec![1; BODY_MAX_BYTES + 1]);
        assert_eq!(gather(BodyAssembly::new(), body), Err(InvalidBody::TooLong));
        assert_eq!(BodyAssembly::announced(BODY_MAX_BYTES + 1).err(), Some(InvalidBody::TooLong));
    }

    #[test]
    fn a_body_of_another_length_than_announced_is_refused() {
        for actual in [9, 11] {
            let announced = BodyAssembly::announced(10).expect("ten bytes are within the limit");
            let outcome = gather(announced, Bytes::from(vec![1; actual]));
            assert_eq!(outcome, Err(InvalidBody::OtherLength { announced: 10, actual }));
        }
    }
}
