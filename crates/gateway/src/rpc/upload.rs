//! A document as it comes: announced, then in pieces, and never more than was announced.

use bytes::{Bytes, BytesMut};
use renkei_wire::limits::SUMMARY_MAX_BYTES;
use renkei_wire::record::Upload;
use renkei_wire::{ErrorCode, InvalidRecordMessage, Refusal};
use tonic::Streaming;

use super::{Caller, Desk};
use crate::admission::{Admission, Held};

/// Copies of a document that exist at once, at most: as it came, compressed, sealed, and the one on its way.
const COPIES: usize = 4;

/// A document on its way in.
pub(super) struct Incoming {
    announced: usize,
    gathered: BytesMut,
    held: Held,
}

impl Incoming {
    pub(super) fn begin(announced: usize, admission: &Admission) -> Result<Self, Refusal> {
        let held = admission.admit(COPIES * announced + SUMMARY_MAX_BYTES)?;
        Ok(Self { announced, gathered: BytesMut::with_capacity(announced), held })
    }

    /// Whether the document is whole now.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<bool, Refusal> {
        if self.gathered.len() + piece.len() > self.announced {
            return Err(Refusal::invalid("document_bytes"));
        }
        self.gathered.extend_from_slice(piece);
        Ok(self.gathered.len() == self.announced)
    }

    /// The document, and the room that it takes.
    pub(super) fn finish(self) -> (Bytes, Held) {
        (self.gathered.freeze(), self.held)
    }
}

impl Desk {
    /// Reads head and document of a stream that carries one. `size` tells from the head what is announced.
    pub(super) async fn receive<M, H>(
        &self,
        caller: Caller,
        mut inbound: Streaming<M>,
        size: impl Fn(&H) -> usize,
    ) -> Result<(H, Bytes, Held), Refusal>
    where
        Upload<H>: TryFrom<M, Error = InvalidRecordMessage>,
    {
        let gather = async {
            let Upload::Head(head) = next(&mut inbound).await?.ok_or(Refusal::invalid("head"))? else {
                return Err(Refusal::invalid("head"));
            };
            let mut incoming = Incoming::begin(size(&head), &self.admission)?;
            loop {
                match next::<M, H>(&mut inbound).await? {
                    Some(Upload::Piece(piece)) => {
                        if incoming.push(&piece)? {
                            break;
                        }
                    }
                    Some(Upload::Head(_)) => return Err(Refusal::invalid("head")),
                    None => return Err(Refusal::invalid("document_bytes")),
                }
            }
            if next::<M, H>(&mut inbound).await?.is_some() {
                return Err(Refusal::invalid("document_bytes"));
            }
            let (document, held) = incoming.finish();
            Ok((*head, document, held))
        };
        caller.deadline.bound(ErrorCode::DeadlineExceeded, gather).await
    }
}

async fn next<M, H>(inbound: &mut Streaming<M>) -> Result<Option<Upload<H>>, Refusal>
where
    Upload<H>: TryFrom<M, Error = InvalidRecordMessage>,
{
    match inbound.message().await {
        Ok(Some(message)) => Ok(Some(Upload::try_from(message)?)),
        Ok(None) => Ok(None),
        // The codec found a message over its limit, or the caller is gone.
        Err(_) => Err(Refusal::invalid("part")),
    }
}

#[cfg(test)]
mod tests {
    use prometheus::IntGauge;

    use super::*;

    #[test]
    fn a_document_has_the_bytes_that_were_announced() {
        let admission = Admission::new(1 << 20, IntGauge::new("admitted", "test").unwrap());
        let mut incoming = Incoming::begin(5, &admission).unwrap();
        assert_eq!(incoming.push(b"abc"), Ok(false));
        assert_eq!(incoming.push(b"def").unwrap_err().code, ErrorCode::InvalidArgument);
        assert_eq!(incoming.push(b"de"), Ok(true));
        assert_eq!(incoming.finish().0, &b"abcde"[..]);
    }

    #[test]
    fn what_does_not_fit_is_busy_before_a_byte_has_come() {
        let admission = Admission::new(1 << 20, IntGauge::new("admitted", "test").unwrap());
        assert_eq!(Incoming::begin(1 << 20, &admission).err().unwrap().code, ErrorCode::Busy);
    }
}
