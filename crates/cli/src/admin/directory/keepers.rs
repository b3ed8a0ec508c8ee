//! Finds the replica of a vault or a registrar that takes a directory, and asks it.

use std::time::{Duration, Instant};

use renkei_runtime::{Address, Role};
use renkei_wire::{DirectoryServiceClient, ErrorCode, limits};
use tonic::transport::Channel;
use tonic::{Response, Status};

use crate::arguments::Keepers;
use crate::call::answer;
use crate::connection::Caller;
use crate::failure::Failure;

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) type Client = DirectoryServiceClient<Channel>;

/// The group, as one that is asked: replica by replica, for there are three at most.
#[derive(Debug)]
pub(super) struct KeeperLeader {
    caller: Caller,
    endpoints: Vec<Address>,
    role: Role,
    /// Place of the one that is asked.
    at: usize,
    wait: Duration,
}

impl KeeperLeader {
    pub(super) fn new(keepers: Keepers) -> Result<Self, Failure> {
        let Keepers { connection, endpoints, of, wait } = keepers;
        let caller = connection.open()?;
        let endpoints = if endpoints.is_empty() { caller.endpoints.clone() } else { endpoints };
        if endpoints.is_empty() {
            return Err(Failure::Missing { what: "a replica", flag: "--endpoint" });
        }
        Ok(Self { caller, endpoints, role: of.role(), at: 0, wait: Duration::from_secs(wait) })
    }

    /// Who answered last.
    pub(super) fn at(&self) -> &Address {
        &self.endpoints[self.at]
    }

    /// Asks until there is an answer, or a refusal that no other replica and no retry helps.
    pub(super) async fn ask<M, T>(
        &mut self,
        call: impl AsyncFn(Client) -> Result<Response<M>, Status>,
    ) -> Result<T, Failure>
    where
        T: TryFrom<M>,
        T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let began = Instant::now();
        loop {
            let client = DirectoryServiceClient::new(self.caller.channel(self.at(), self.role))
                .max_decoding_message_size(limits::DIRECTORY_MESSAGE_MAX_BYTES)
                .max_encoding_message_size(limits::DIRECTORY_MESSAGE_MAX_BYTES);
            let failure = match answer(self.at(), call(client)).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if !passes(&failure) || began.elapsed() >= self.wait {
                return Err(failure);
            }
            self.at = (self.at + 1) % self.endpoints.len();
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Whether another replica, or a later moment, may say otherwise.
fn passes(failure: &Failure) -> bool {
    match failure {
        Failure::Refused { source, .. } => matches!(
            source.code,
            ErrorCode::NotLeader
                | ErrorCode::NotBootstrapped
                | ErrorCode::Unavailable
                | ErrorCode::OutcomeUnknown
                | ErrorCode::Busy
                | ErrorCode::ClockOff
                | ErrorCode::ShuttingDown
        ),
        Failure::Unreachable { .. } | Failure::TimedOut { .. } => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use renkei_wire::Refusal;

    use super::*;

    #[test]
    fn what_the_directory_itself_is_refused_for_is_not_tried_again() {
        let refused = |code| passes(&Failure::Refused { address: "a:1".into(), source: Refusal::new(code) });
        assert!(refused(ErrorCode::NotLeader) && refused(ErrorCode::Unavailable));
        for code in [ErrorCode::DirectoryInvalid, ErrorCode::DirectoryNotNewer, ErrorCode::RoleNotAllowed] {
            assert!(!refused(code), "{code}");
        }
    }
}
