//! One call, within a time.

use std::time::Duration;

use renkei_runtime::Address;
use tonic::{Response, Status};

use crate::failure::Failure;

/// Longest time that one call of an operator takes, its connection included.
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
    let reply = tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .map_err(|_| Failure::TimedOut { address: address.to_string().into(), seconds: CALL_TIMEOUT.as_secs() })?
        .map_err(|status| Failure::of_status(address, status))?;
    T::try_from(reply.into_inner())
        .map_err(|error| Failure::UnreadableAnswer { address: address.to_string().into(), source: error.into() })
}
