//! A gRPC service of one call that says who called, after a gate opens if it is asked to wait.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use renkei_runtime::PeerIdentity;
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::server::{NamedService, UnaryService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// Asks the echo to wait for its gate.
pub(crate) const WAIT: &str = "wait";

#[derive(Clone)]
pub(crate) struct Echo {
    /// Permits to answer [`WAIT`].
    pub(crate) gate: Arc<Semaphore>,
    /// Calls that wait at the gate.
    pub(crate) waiting: Arc<Semaphore>,
}

impl Echo {
    pub(crate) fn new() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), waiting: Arc::new(Semaphore::new(0)) }
    }
}

impl NamedService for Echo {
    const NAME: &'static str = "echo.Echo";
}

impl UnaryService<String> for Echo {
    type Response = String;
    type Future = BoxFuture<'static, Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let peer = request.extensions().get::<PeerIdentity>().expect("runtime puts it there").clone();
            if request.get_ref() == WAIT {
                this.waiting.add_permits(1);
                this.gate.acquire().await.expect("the gate is never closed").forget();
            }
            Ok(Response::new(format!("{} says {}", peer, request.get_ref())))
        })
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(this, request).await) })
    }
}

/// One call over a channel.
pub(crate) async fn call(channel: Channel, text: &str) -> Result<String, Status> {
    let mut client = tonic::client::Grpc::new(channel);
    if client.ready().await.is_err() {
        return Err(Status::from_error("channel".into()));
    }
    let codec: ProstCodec<String, String> = ProstCodec::default();
    let path = PathAndQuery::from_static("/echo.Echo/Call");
    client.unary(Request::new(text.to_owned()), path, codec).await.map(Response::into_inner)
}
