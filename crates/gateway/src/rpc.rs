//! RecordService: who asks, what is decoded, and where it goes.

mod answers;
mod audit;
mod bulk;
mod fetch;
mod pages;
mod remove;
mod served;
mod store;
mod tickets;
mod upload;
mod visit;

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use renkei_directory::Followed;
use renkei_envelope::CellSecret;
use renkei_ids::{Clock, CloudId, InstitutionId};
use renkei_runtime::{Denials, OnError, OnShutdown, PeerIdentity, Role, Shell, TaskKind};
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::{
    DeleteDocumentRequest, GetDocumentRequest, ListAuditRequest, OpenTicketsRequest, QueryTimelineRequest,
};
use renkei_wire::{ErrorCode, RecordService, Refusal};
use tonic::{Request, Response, Status, Streaming};

use crate::admission::{Admission, Entered};
use crate::deadline::Deadline;
use crate::metrics::Metrics;
use crate::nodes::Nodes;
use crate::openings::Openings;
use crate::vault::Vault;
use answers::{Out, answers, send};

/// The service. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    pub(crate) desk: Arc<Desk>,
}

/// What serving a request needs.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) shell: Shell,
    pub(crate) cloud: CloudId,
    pub(crate) clock: Arc<dyn Clock>,
    /// Absent in development builds that go by none.
    pub(crate) directory: Option<Followed>,
    /// What commitments are sealed to; absent where no ticket is taken.
    pub(crate) cell: Option<CellSecret>,
    pub(crate) vault: Vault,
    pub(crate) nodes: Nodes,
    pub(crate) openings: Openings,
    pub(crate) admission: Admission,
    pub(crate) metrics: Metrics,
    pub(crate) denials: Denials,
}

/// Who asks, and until when.
#[derive(Clone, Copy, Debug)]
struct Caller {
    institution: InstitutionId,
    deadline: Deadline,
}

type Replies<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

#[tonic::async_trait]
impl RecordService for Records {
    type BulkPutStream = Replies<pb::BulkPutReply>;
    type GetDocumentStream = Replies<pb::GetDocumentReply>;
    type QueryTimelineStream = Replies<pb::TimelinePage>;
    type ListAuditStream = Replies<pb::AuditPage>;

    async fn open_tickets(
        &self,
        request: Request<pb::OpenTicketsRequest>,
    ) -> Result<Response<pb::OpenTicketsReply>, Status> {
        let caller = self.caller(&request)?;
        let request = OpenTicketsRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let _entered = self.enter()?;
        let desk = &self.desk;
        let reply = desk.metrics.measured("open_tickets", Box::pin(desk.open_tickets(caller, request))).await?;
        Ok(Response::new(reply.into()))
    }

    async fn put_document(
        &self,
        request: Request<Streaming<pb::PutDocumentRequest>>,
    ) -> Result<Response<pb::PutDocumentReply>, Status> {
        let caller = self.caller(&request)?;
        let _entered = self.enter()?;
        let desk = &self.desk;
        let reply = desk.metrics.measured("put", Box::pin(desk.put_document(caller, request.into_inner()))).await?;
        Ok(Response::new(reply.into()))
    }

    async fn replace_document(
        &self,
        request: Request<Streaming<pb::ReplaceDocumentRequest>>,
    ) -> Result<Response<pb::PutDocumentReply>, Status> {
        let caller = self.caller(&request)?;
        let _entered = self.enter()?;
        let desk = &self.desk;
        let reply =
            desk.metrics.measured("replace", Box::pin(desk.replace_document(caller, request.into_inner()))).await?;
        Ok(Response::new(reply.into()))
    }

    async fn bulk_put(
        &self,
        request: Request<Streaming<pb::BulkPutRequest>>,
    ) -> Result<Response<Self::BulkPutStream>, Status> {
        let Caller { institution, .. } = self.caller(&request)?;
        let inbound = request.into_inner();
        self.answer("bulk_put", None, async move |desk, out| desk.bulk_put(institution, inbound, out).await)
    }

    async fn get_document(
        &self,
        request: Request<pb::GetDocumentRequest>,
    ) -> Result<Response<Self::GetDocumentStream>, Status> {
        let caller = self.caller(&request)?;
        let request = GetDocumentRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let until = Some(caller.deadline);
        self.answer("get", until, async move |desk, out| desk.get_document(caller, request, out).await)
    }

    async fn query_timeline(
        &self,
        request: Request<pb::QueryTimelineRequest>,
    ) -> Result<Response<Self::QueryTimelineStream>, Status> {
        let caller = self.caller(&request)?;
        let request = QueryTimelineRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let until = Some(caller.deadline);
        self.answer("timeline", until, async move |desk, out| desk.query_timeline(caller, request, out).await)
    }

    async fn delete_document(
        &self,
        request: Request<pb::DeleteDocumentRequest>,
    ) -> Result<Response<pb::DeleteDocumentReply>, Status> {
        let caller = self.caller(&request)?;
        let request = DeleteDocumentRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let _entered = self.enter()?;
        let desk = &self.desk;
        desk.metrics.measured("delete", Box::pin(desk.delete_document(caller, request))).await?;
        Ok(Response::new(pb::DeleteDocumentReply {}))
    }

    async fn list_audit(
        &self,
        request: Request<pb::ListAuditRequest>,
    ) -> Result<Response<Self::ListAuditStream>, Status> {
        let caller = self.caller(&request)?;
        let request = ListAuditRequest::try_from(request.into_inner()).map_err(Refusal::from)?;
        let until = Some(caller.deadline);
        self.answer("list_audit", until, async move |desk, out| desk.list_audit(caller, request, out).await)
    }
}

impl Records {
    /// The institution is whose certificate it is by the directory.
    fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Refusal> {
        let deadline = Deadline::of(request.metadata());
        let peer = request.extensions().get::<PeerIdentity>().filter(|peer| peer.role == Role::Institution);
        let peer = peer.ok_or(Refusal::new(ErrorCode::RoleNotAllowed))?;
        let institution = self.desk.institution(peer).inspect_err(|refusal| self.desk.turned_away(peer, refusal))?;
        Ok(Caller { institution, deadline })
    }

    /// A place among the requests under way.
    fn enter(&self) -> Result<Entered, Refusal> {
        self.desk.admission.enter().inspect_err(|refusal| self.desk.metrics.refused(refusal))
    }

    /// Serves a stream of answers in a task of its own, to its deadline where it has one. Its refusal is the last thing in
    /// the stream.
    fn answer<M, W, F>(
        &self,
        operation: &'static str,
        until: Option<Deadline>,
        work: W,
    ) -> Result<Response<Replies<M>>, Status>
    where
        M: Send + 'static,
        W: FnOnce(Arc<Desk>, Out<M>) -> F,
        F: Future<Output = Result<(), Refusal>> + Send + 'static,
    {
        let entered = self.enter()?;
        let (out, answers) = answers();
        let served = work(Arc::clone(&self.desk), out.clone());
        let metrics = self.desk.metrics.clone();
        let kind = TaskKind { name: operation, on_error: OnError::Log, on_shutdown: OnShutdown::Drain };
        self.desk.shell.tasks().spawn(kind, async move {
            let _entered = entered;
            let served = async {
                match until {
                    Some(deadline) => deadline.bound(ErrorCode::DeadlineExceeded, served).await,
                    None => served.await,
                }
            };
            let outcome = tokio::select! {
                outcome = metrics.measured(operation, served) => outcome,
                // Nobody listens: what is under way for the call is dropped with it.
                () = out.closed() => Ok(()),
            };
            if let Err(refusal) = outcome {
                out.end(refusal).await;
            }
            Ok::<(), std::convert::Infallible>(())
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
