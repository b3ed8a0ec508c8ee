//! NodeService: decode, serve, encode.

use std::pin::Pin;

use futures::Stream;
use renkei_runtime::{OnError, OnShutdown, PeerIdentity, Role, Shell, TaskKind};
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{ErrorCode, NodeRequest, NodeService, Refusal};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::frames::FrameStream;
use super::{Answer, Server};

/// The service towards gateways.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) shell: Shell,
    pub(crate) server: Server,
}

type Replies = Pin<Box<dyn Stream<Item = Result<pb::ReplyFrames, Status>> + Send>>;

#[tonic::async_trait]
impl NodeService for Records {
    type StreamStream = Replies;

    async fn execute(&self, request: Request<pb::Request>) -> Result<Response<pb::Reply>, Status> {
        let caller = caller(&request)?;
        let request = NodeRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let Answer { reply, body, held: _until_encoded } = self.server.serve(&caller, request, None).await?;
        // A unary answer has no place for pieces.
        if body.is_some() {
            return Err(Refusal::too_large("get.with_body").into());
        }
        Ok(Response::new(reply.into()))
    }

    async fn stream(&self, request: Request<Streaming<pb::RequestFrames>>) -> Result<Response<Replies>, Status> {
        let caller = caller(&request)?;
        if caller.role != Role::Gateway {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed).into());
        }
        let (frames, replies) = FrameStream::new(self.server.clone(), caller);
        let kind = TaskKind { name: "gateway stream", on_error: OnError::Log, on_shutdown: OnShutdown::Drain };
        let stopping = self.shell.stopping().cancelled_owned();
        self.shell.tasks().spawn(kind, frames.run(request.into_inner(), stopping));
        Ok(Response::new(Box::pin(ReceiverStream::new(replies))))
    }

    async fn get_slot_map(&self, request: Request<pb::GetSlotMapRequest>) -> Result<Response<pb::SlotMap>, Status> {
        caller(&request)?;
        let pb::GetSlotMapRequest { known_epoch } = request.into_inner();
        Ok(Response::new(self.server.slot_map(known_epoch)?))
    }
}

fn caller<T>(request: &Request<T>) -> Result<PeerIdentity, Refusal> {
    request.extensions().get::<PeerIdentity>().cloned().ok_or(Refusal::new(ErrorCode::RoleNotAllowed))
}
