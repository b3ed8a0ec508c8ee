use crate::bounds::{InvalidSize, at_most};
use crate::limits::FRAMES_MAX;
use crate::pb::node::v1 as pb;
use crate::{InvalidReplyFrame, InvalidRequestFrame, Refusal, ReplyFrame, RequestFrame};

/// A message of a stream that holds more frames than one takes; its stream is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frames of a message")]
pub struct TooManyFrames(#[source] InvalidSize);

impl pb::RequestFrames {
    /// The frames, each judged on its own, in order.
    ///
    /// # Errors
    /// [`TooManyFrames`].
    pub fn into_frames(
        self,
    ) -> Result<impl ExactSizeIterator<Item = Result<RequestFrame, InvalidRequestFrame>> + Send, TooManyFrames> {
        let Self { frames } = self;
        at_most(frames.len(), FRAMES_MAX).map_err(TooManyFrames)?;
        Ok(frames.into_iter().map(RequestFrame::try_from))
    }
}

impl FromIterator<RequestFrame> for pb::RequestFrames {
    fn from_iter<I: IntoIterator<Item = RequestFrame>>(frames: I) -> Self {
        Self { frames: frames.into_iter().map(Into::into).collect() }
    }
}

impl pb::ReplyFrames {
    /// The frames, each judged on its own, in order.
    ///
    /// # Errors
    /// [`TooManyFrames`].
    pub fn into_frames(
        self,
    ) -> Result<impl ExactSizeIterator<Item = Result<ReplyFrame, InvalidReplyFrame>> + Send, TooManyFrames> {
        let Self { frames } = self;
        at_most(frames.len(), FRAMES_MAX).map_err(TooManyFrames)?;
        Ok(frames.into_iter().map(ReplyFrame::try_from))
    }
}

impl FromIterator<ReplyFrame> for pb::ReplyFrames {
    fn from_iter<I: IntoIterator<Item = ReplyFrame>>(frames: I) -> Self {
        Self { frames: frames.into_iter().map(Into::into).collect() }
    }
}

impl From<TooManyFrames> for Refusal {
    fn from(TooManyFrames(_): TooManyFrames) -> Self {
        Self::too_large("frames")
    }
}
