//! Calls of one stream that wait for their answers.

use std::collections::HashMap;

use bytes::Bytes;
use renkei_wire::{BodyAssembly, CallId, EntryBody, ErrorCode, NodeReply, Outcome, Refusal, ReplyFrame, ReplyItem};
use tokio::sync::oneshot;

use super::Miss;
use crate::admission::{Admission, Held};

/// A node's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The reply; its body, if it came in pieces, is the next field.
    pub(crate) reply: Box<NodeReply>,
    /// The body that came in pieces.
    pub(crate) body: Option<Bytes>,
    /// Room that the body takes.
    pub(crate) held: Option<Held>,
}

pub(super) type Answered = oneshot::Sender<Result<Answer, Miss>>;

/// The calls under way, and what has come of each.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub(super) closed: bool,
    last: u64,
    waiting: HashMap<CallId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    answered: Answered,
    gathering: Option<Gathering>,
}

#[derive(Debug)]
struct Gathering {
    reply: Box<NodeReply>,
    body: BodyAssembly,
    held: Held,
}

impl Calls {
    pub(super) fn open(&mut self, answered: Answered) -> Option<CallId> {
        if self.closed {
            return None;
        }
        self.last += 1;
        let call = CallId(self.last);
        self.waiting.insert(call, Waiting { answered, gathering: None });
        Some(call)
    }

    /// Whether the call was still under way.
    pub(super) fn forget(&mut self, call: CallId) -> bool {
        self.waiting.remove(&call).is_some()
    }

    /// The stream broke: every caller learns that its answer is lost.
    pub(super) fn close(&mut self) {
        self.closed = true;
        for (_, waiting) in self.waiting.drain() {
            let _given_up = waiting.answered.send(Err(Miss::Lost));
        }
    }

    /// Takes one frame in; gives the call when it was given up and the node should stop.
    pub(super) fn take(&mut self, frame: ReplyFrame, admission: &Admission) -> Option<CallId> {
        let ReplyFrame { call, item } = frame;
        let mut waiting = self.waiting.remove(&call)?;
        match item {
            ReplyItem::Refusal(refusal) => {
                let _given_up = waiting.answered.send(Err(Miss::Refused(refusal)));
                None
            }
            ReplyItem::Reply(reply) => match announced(&reply) {
                None => {
                    let _given_up = waiting.answered.send(Ok(Answer { reply, body: None, held: None }));
                    None
                }
                Some(bytes) => match gather(reply, bytes, admission) {
                    Ok(gathering) => {
                        waiting.gathering = Some(gathering);
                        self.waiting.insert(call, waiting);
                        None
                    }
                    Err(refusal) => {
                        let _given_up = waiting.answered.send(Err(Miss::Refused(refusal)));
                        Some(call)
                    }
                },
            },
            ReplyItem::Piece(piece) => match waiting.gathering.as_mut().map(|gathering| gathering.body.push(piece)) {
                Some(Ok(None)) => {
                    self.waiting.insert(call, waiting);
                    None
                }
                Some(Ok(Some(body))) => {
                    let Gathering { reply, body: _, held } =
                        waiting.gathering.expect("a body was just gathered from it");
                    let answer = Answer { reply, body: Some(body), held: Some(held) };
                    let _given_up = waiting.answered.send(Ok(answer));
                    None
                }
                // A piece that was not announced, or too many: the node speaks nonsense.
                Some(Err(_)) | None => {
                    let _given_up = waiting.answered.send(Err(Miss::Lost));
                    Some(call)
                }
            },
        }
    }

    /// A frame of a call does not read.
    pub(super) fn spoilt(&mut self, call: CallId) {
        if let Some(waiting) = self.waiting.remove(&call) {
            let _given_up = waiting.answered.send(Err(Miss::Lost));
        }
    }
}

fn announced(reply: &NodeReply) -> Option<usize> {
    match &reply.outcome {
        Outcome::Record(entry) => match entry.body {
            EntryBody::InPieces(bytes) => Some(bytes),
            EntryBody::Absent | EntryBody::Whole(_) => None,
        },
        _ => None,
    }
}

fn gather(reply: Box<NodeReply>, bytes: usize, admission: &Admission) -> Result<Gathering, Refusal> {
    let held = admission.admit(bytes)?;
    let body = BodyAssembly::announced(bytes).map_err(|_| Refusal::new(ErrorCode::IntegrityFailed))?;
    Ok(Gathering { reply, body, held })
}
