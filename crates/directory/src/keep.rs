//! The service of whoever keeps the directory in a log.

use std::fmt;
use std::sync::Arc;

use renkei_access::{Held, NotTaken, Officers, SignedDirectory};
use renkei_ids::Clock;
use renkei_runtime::{PeerIdentity, Role};
use renkei_wire::directory::{CurrentReply, CurrentRequest, PublishReply, PublishRequest};
use renkei_wire::pb::directory::v1 as pb;
use renkei_wire::{DirectoryService, DirectoryServiceServer, ErrorCode, Refusal, limits};
use tonic::{Request, Response, Status};

/// Who may ask which directory is held.
const READERS: [Role; 4] = [Role::Gateway, Role::Vault, Role::Registrar, Role::Operator];

/// A replicated state that keeps a directory.
#[tonic::async_trait]
pub trait Keeper: Send + Sync + fmt::Debug + 'static {
    /// The newest that this replica has applied.
    fn held(&self) -> Option<Arc<Held>>;

    /// Puts a directory, which was judged, into the log. Where it is applied, [`Held::succeed`] decides once more.
    ///
    /// # Errors
    /// What the log says, such as who leads; what [`NotTaken`] says of it there.
    async fn take(&self, directory: SignedDirectory) -> Result<(), Refusal>;
}

/// Answers for a keeper.
#[derive(Debug)]
pub struct DirectoryRpc {
    keeper: Arc<dyn Keeper>,
    officers: Officers,
    clock: Arc<dyn Clock>,
}

impl DirectoryRpc {
    /// The service, within its limits.
    pub fn server(keeper: Arc<dyn Keeper>, officers: Officers, clock: Arc<dyn Clock>) -> DirectoryServiceServer<Self> {
        DirectoryServiceServer::new(Self { keeper, officers, clock })
            .max_decoding_message_size(limits::DIRECTORY_MESSAGE_MAX_BYTES)
            .max_encoding_message_size(limits::DIRECTORY_MESSAGE_MAX_BYTES)
    }

    async fn published(&self, PublishRequest(directory): PublishRequest) -> Result<PublishReply, Refusal> {
        let held = self.keeper.held();
        let judged = Held::judge(directory, &self.officers, held.as_deref(), self.clock.now());
        let version = match (judged, &held) {
            (Ok(judged), _) => {
                let version = judged.directory().version();
                self.keeper.take(judged.signed().clone()).await?;
                version
            }
            (Err(NotTaken::Known), Some(held)) => held.directory().version(),
            (Err(not), _) => return Err(not.into()),
        };
        Ok(PublishReply(version))
    }

    fn current(&self, CurrentRequest(known): CurrentRequest) -> CurrentReply {
        let Some(held) = self.keeper.held() else { return CurrentReply::Nothing };
        let version = held.directory().version();
        if known.is_some_and(|known| known >= version) {
            CurrentReply::NotNewer(version)
        } else {
            CurrentReply::Newer { version, directory: held.signed().clone() }
        }
    }
}

fn admit<T>(request: &Request<T>, roles: &[Role]) -> Result<(), Refusal> {
    let caller = request.extensions().get::<PeerIdentity>();
    match caller.is_some_and(|caller| roles.contains(&caller.role)) {
        true => Ok(()),
        false => Err(Refusal::new(ErrorCode::RoleNotAllowed)),
    }
}

#[tonic::async_trait]
impl DirectoryService for DirectoryRpc {
    async fn publish(&self, request: Request<pb::PublishRequest>) -> Result<Response<pb::PublishReply>, Status> {
        admit(&request, &[Role::Operator])?;
        let request = PublishRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        Ok(Response::new(self.published(request).await?.into()))
    }

    async fn current(&self, request: Request<pb::CurrentRequest>) -> Result<Response<pb::CurrentReply>, Status> {
        admit(&request, &READERS)?;
        Ok(Response::new(self.current(request.into_inner().into()).into()))
    }
}
