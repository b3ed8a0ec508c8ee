//! Logs and spans as they leave a process.

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use renkei_launch::Process;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::server::{NamedService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::world::{READY, World, until};

const STOP: Duration = Duration::from_secs(20);

/// A collector that keeps what it is sent. An `ExportTraceServiceRequest` is a list of resource spans in field 1,
/// and so is read as the message with bytes in field 1.
#[derive(Clone, Default)]
struct Collector {
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl NamedService for Collector {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl UnaryService<Vec<u8>> for Collector {
    type Response = ();
    type Future = BoxFuture<Response<()>, Status>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        self.received.lock().unwrap().push(request.into_inner());
        Box::pin(async { Ok(Response::new(())) })
    }
}

impl tonic::codegen::Service<http::Request<Body>> for Collector {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { Ok(tonic::server::Grpc::new(ProstCodec::default()).unary(this, request).await) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_reach_the_collector_before_the_process_ends() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("trace.endpoint=http://{}", listener.local_addr().unwrap());
    let collector = Collector::default();
    let served = collector.clone();
    #[expect(clippy::disallowed_methods, reason = "the collector is no part of the system")]
    tokio::spawn(async move {
        let incoming = TcpListenerStream::new(listener);
        tonic::transport::Server::builder().add_service(served).serve_with_incoming(incoming).await
    });
    for threads in ["process.worker_threads=0", "process.worker_threads=2"] {
        collector.received.lock().unwrap().clear();
        let mut process = Process::start(&world.spec("live", &["--set", &endpoint, "--set", threads])).unwrap();
        process.wait_ready(READY).unwrap();
        let status = process.stop(STOP).unwrap();
        assert_eq!(status.code(), Some(0), "{}", world.log());
        let received = collector.received.lock().unwrap().concat();
        let holds = |text: &str| received.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("planned-span") && holds("renkei-probe"), "{threads}: {} bytes, {}", received.len(), world.log());
    }
}

#[test]
fn a_collector_that_is_not_there_delays_the_end_by_seconds_at_most() {
    let world = World::new();
    let flags = ["--set", "trace.endpoint=http://127.0.0.1:1"];
    let mut process = Process::start(&world.spec("live", &flags)).unwrap();
    process.wait_ready(READY).unwrap();
    assert_eq!(process.stop(Duration::from_secs(5)).unwrap().code(), Some(0), "{}", world.log());
}

#[test]
fn the_log_is_json_lines_in_a_file_closed_to_others() {
    let world = World::new();
    let path = world.dir.path().join("probe.log");
    let file = format!("log.file={}", path.display());
    let mut process = Process::start(&world.spec("live", &["--set", &file])).unwrap();
    process.wait_ready(READY).unwrap();
    process.stop(STOP).unwrap();
    until("the file is there", || path.exists());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    assert!(text.contains("process up") && text.contains("process down"), "{text}");
    assert_eq!(world.log(), "", "nothing goes to standard error besides");
}
