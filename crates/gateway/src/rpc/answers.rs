//! Answers on their way to an institution: a few wait for it to take them, and one that takes nothing is not waited for.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use renkei_wire::{ErrorCode, Refusal};
use tokio::sync::mpsc;
use tonic::Status;

/// Messages that may wait for an institution to take them.
const WAITING: usize = 4;
/// Time that an institution has to take the next one. What waits for it holds admitted bytes.
const TAKE_MAX: Duration = Duration::from_secs(30);

type Message<M> = Result<M, Status>;
type Waiting<M> = Arc<Mutex<mpsc::Receiver<Message<M>>>>;

/// Where answers are put. Clones lead to the same stream.
#[derive(Debug)]
pub(super) struct Out<M> {
    messages: mpsc::Sender<Message<M>>,
    waiting: Waiting<M>,
}

/// The stream that they come out of.
#[derive(Debug)]
pub(super) struct Answers<M>(Waiting<M>);

/// An empty stream of answers.
pub(super) fn answers<M>() -> (Out<M>, Answers<M>) {
    let (messages, waiting) = mpsc::channel(WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    (Out { messages, waiting: Arc::clone(&waiting) }, Answers(waiting))
}

/// Sends one message; a caller that is gone is told nothing more.
///
/// # Errors
/// `deadline_exceeded`, where nobody takes it.
pub(super) async fn send<M>(out: &Out<M>, message: M) -> Result<(), Refusal> {
    let taken = tokio::time::timeout(TAKE_MAX, out.messages.send(Ok(message))).await;
    if matches!(taken, Ok(Ok(()))) { Ok(()) } else { Err(Refusal::new(ErrorCode::DeadlineExceeded)) }
}

impl<M> Clone for Out<M> {
    fn clone(&self) -> Self {
        Self { messages: self.messages.clone(), waiting: Arc::clone(&self.waiting) }
    }
}

impl<M> Out<M> {
    /// Resolves when the stream is dropped.
    pub(super) async fn closed(&self) {
        self.messages.closed().await;
    }

    /// Ends the stream with a refusal, behind what waits there. Where the time is up, what waits is dropped: nobody has
    /// taken it in time, and nobody is to hold the memory of it.
    pub(super) async fn end(self, refusal: Refusal) {
        let late = refusal.code == ErrorCode::DeadlineExceeded;
        let status = Status::from(refusal);
        if !late && tokio::time::timeout(TAKE_MAX, self.messages.send(Err(status.clone()))).await.is_ok() {
            return;
        }
        let mut waiting = lock(&self.waiting);
        while waiting.try_recv().is_ok() {}
        drop(waiting);
        let _gone = self.messages.try_send(Err(status));
    }
}

impl<M> Stream for Answers<M> {
    type Item = Message<M>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message<M>>> {
        lock(&self.0).poll_recv(context)
    }
}

impl<M> Drop for Answers<M> {
    fn drop(&mut self) {
        let mut waiting = lock(&self.0);
        waiting.close();
        while waiting.try_recv().is_ok() {}
    }
}

/// Nothing that holds the lock can panic half way through a change.
fn lock<M>(waiting: &Waiting<M>) -> MutexGuard<'_, mpsc::Receiver<Message<M>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_came_before_a_refusal_holds_and_the_refusal_is_last() {
        let (out, mut stream) = answers();
        for number in 0..2 {
            send(&out, number).await.unwrap();
        }
        out.end(Refusal::new(ErrorCode::NotFound)).await;
        assert_eq!(stream.next().await.unwrap().unwrap(), 0);
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        let status = stream.next().await.unwrap().unwrap_err();
        assert_eq!(Refusal::from_status(&status).unwrap().code, ErrorCode::NotFound);
        assert!(stream.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_takes_is_given_up_and_the_refusal_stays() {
        let (out, mut stream) = answers();
        for number in 0..WAITING {
            send(&out, number).await.unwrap();
        }
        let refused = send(&out, WAITING).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::DeadlineExceeded);
        out.end(refused).await;
        let status = stream.next().await.unwrap().unwrap_err();
        assert_eq!(Refusal::from_status(&status).unwrap().code, ErrorCode::DeadlineExceeded, "what waited is dropped");
        assert!(stream.next().await.is_none());
    }

    #[tokio::test]
    async fn a_stream_that_is_dropped_ends_the_work_for_it() {
        let (out, stream) = answers::<u32>();
        assert!(out.closed().now_or_never().is_none());
        drop(stream);
        out.closed().await;
        assert!(send(&out, 1).await.is_err());
    }
}
