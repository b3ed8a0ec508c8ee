//! One call, within a time.

use std::time::Duration;

use renkei_runtime::Address;
use tonic::{Request, Response, Status, Streaming};

use crate::failure::Failure;

/// Longest time that one call of an operator takes, its connection included; of a streamed answer, each message.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The answer, read; or why there is none.
pub(crate) async fn answer<M, T>(
    address: &Address,
    call: impl Future<Output = Result<Response<M>, Status>>,
) -> Result<T, Failure>
where
    T: TryFrom<M>,
    T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let reply = in_time(address, call).await?;
    read(address, reply.into_inner())
}

/// An answer of many messages.
#[derive(Debug)]
pub(crate) struct Answers<'a, M> {
    address: &'a Address,
    messages: Streaming<M>,
}

impl<'a, M> Answers<'a, M> {
    pub(crate) async fn begin(
        address: &'a Address,
        call: impl Future<Output = Result<Response<Streaming<M>>, Status>>,
    ) -> Result<Self, Failure> {
        let reply = in_time(address, call).await?;
        Ok(Self { address, messages: reply.into_inner() })
    }

    /// The next message, read; `None` at the end.
    pub(crate) async fn next<T>(&mut self) -> Result<Option<T>, Failure>
    where
        T: TryFrom<M>,
        T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let message = in_time(self.address, self.messages.message()).await?;
        message.map(|message| read(self.address, message)).transpose()
    }
}

/// A request that names the time which its caller gives it. For a streamed answer it is the time of the whole.
pub(crate) fn timed<M>(message: M, time: Duration) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(time);
    request
}

async fn in_time<T>(address: &Address, call: impl Future<Output = Result<T, Status>>) -> Result<T, Failure> {
    tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .map_err(|_| Failure::TimedOut { address: address.to_string().into(), seconds: CALL_TIMEOUT.as_secs() })?
        .map_err(|status| Failure::of_status(address, status))
}

fn read<M, T>(address: &Address, message: M) -> Result<T, Failure>
where
    T: TryFrom<M>,
    T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    T::try_from(message).map_err(|error| Failure::unreadable(address, error))
}
