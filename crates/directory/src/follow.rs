//! Following: a process asks those who keep the directory for a newer one, each second, one after the other.
//!
//! What a keeper's majority has applied is here within [`ASK_EVERY`], two more where the first ones asked are behind or
//! silent; so a denial takes effect in 5 s wherever a keeper is reached. Who reaches none goes by what it has.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use renkei_access::{Held, NotTaken, Officers, SignedDirectory};
use renkei_ids::{Clock, DirectoryVersion};
use renkei_runtime::{Address, ExpectedPeer, Http2, OnError, OnShutdown, Shell, TaskKind, Tls};
use renkei_wire::directory::{CurrentReply, CurrentRequest};
use renkei_wire::pb::directory::v1 as pb;
use renkei_wire::{DirectoryServiceClient, ErrorCode, Refusal, limits};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tonic::transport::Channel;

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// A keeper that takes longer is passed over.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Somebody who keeps the directory.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where.
    pub address: Address,
    /// Who must answer there.
    pub expected: ExpectedPeer,
}

/// The newest directory that a process has heard of. Clones share it.
#[derive(Clone, Debug)]
pub struct Followed(Arc<watch::Sender<Option<Arc<Held>>>>);

impl Followed {
    /// Follows the sources until the process stops. There must be one at least.
    pub fn start(shell: &Shell, officers: Officers, sources: &[Source]) -> Self {
        let followed = Self(Arc::new(watch::Sender::new(None)));
        let clients: Vec<Client> = sources.iter().map(|source| client(shell.tls(), source)).collect();
        let follower = Follower { followed: followed.clone(), officers, clock: shell.clock(), told: None };
        let kind = TaskKind { name: "directory", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
        shell.tasks().spawn(kind, async move {
            follower.run(clients).await;
            Ok::<(), Infallible>(())
        });
        followed
    }

    /// The newest one.
    ///
    /// # Errors
    /// [`ErrorCode::DirectoryMissing`], until the first was heard of.
    pub fn held(&self) -> Result<Arc<Held>, Refusal> {
        self.0.borrow().clone().ok_or(Refusal::new(ErrorCode::DirectoryMissing))
    }

    /// Tells of each newer one: who has to drop what it holds for somebody who is denied now waits here.
    pub fn changes(&self) -> watch::Receiver<Option<Arc<Held>>> {
        self.0.subscribe()
    }

    fn version(&self) -> Option<DirectoryVersion> {
        self.0.borrow().as_ref().map(|held| held.directory().version())
    }
}

type Client = DirectoryServiceClient<Channel>;

fn client(tls: &Tls, source: &Source) -> Client {
    DirectoryServiceClient::new(tls.channel(&source.address, source.expected.clone(), Http2::CALLS))
        .max_decoding_message_size(limits::DIRECTORY_MESSAGE_MAX_BYTES)
}

struct Follower {
    followed: Followed,
    officers: Officers,
    clock: Arc<dyn Clock>,
    /// What was said last of a directory that is not taken, so that it is said once.
    told: Option<NotTaken>,
}

impl Follower {
    async fn run(mut self, clients: Vec<Client>) {
        let mut ticks = tokio::time::interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for client in clients.iter().cycle() {
            ticks.tick().await;
            if let Some(directory) = ask(client.clone(), self.followed.version()).await {
                self.offered(directory);
            }
        }
    }

    /// Takes a directory that follows the one that is held.
    fn offered(&mut self, directory: SignedDirectory) {
        let before = self.followed.0.borrow().clone();
        match Held::judge(directory, &self.officers, before.as_deref(), self.clock.now()) {
            Ok(held) => {
                let version = held.directory().version();
                tracing::info!(%version, "a newer directory");
                self.followed.0.send_replace(Some(Arc::new(held)));
                self.told = None;
            }
            Err(NotTaken::Known) => {}
            Err(not) => {
                if self.told != Some(not) {
                    tracing::error!(reason = %not, "a directory was offered that is not taken");
                }
                self.told = Some(not);
            }
        }
    }
}

/// What a keeper has that is newer. One that does not answer in time, or unreadably, has nothing.
async fn ask(mut client: Client, known: Option<DirectoryVersion>) -> Option<SignedDirectory> {
    let asked = client.current(pb::CurrentRequest::from(CurrentRequest(known)));
    let reply = tokio::time::timeout(ANSWER_MAX, asked).await.ok()?.ok()?.into_inner();
    match CurrentReply::try_from(reply) {
        Ok(CurrentReply::Newer { directory, version: _ }) => Some(directory),
        Ok(CurrentReply::Nothing | CurrentReply::NotNewer(_)) | Err(_) => None,
    }
}
