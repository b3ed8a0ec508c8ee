//! A bare tonic server that answers as many bytes as it is asked for: what the machine allows, with nothing done.

pub(crate) mod server;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use rand::rngs::SmallRng;
use renkei_launch::{Process, ProcessSpec, ReservedPort, TlsFiles};
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

use crate::channels::Target;
use crate::failure::Violation;
use crate::load::{OperationError, Workload};
use crate::operation::{ACK_BYTES, NAME_BYTES, Operation, TIMELINE_VALUES, VALUE_BYTES};
use crate::tls;

/// The call's path. The messages are [`EchoRequest`] and [`EchoReply`].
const PATH: &str = "/renkei.loadtest.v1.Echo/Echo";
/// Connections to the server; a row with fewer clients uses as many.
pub(crate) const CONNECTIONS: usize = 4;

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct EchoRequest {
    #[prost(bytes = "bytes", tag = "1")]
    payload: Bytes,
    #[prost(uint32, tag = "2")]
    answer_bytes: u32,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct EchoReply {
    #[prost(bytes = "bytes", tag = "1")]
    payload: Bytes,
}

/// The server process and the connections to it.
#[derive(Debug)]
pub(crate) struct Echo {
    process: Process,
    channels: Vec<Channel>,
    // Held for as long as the process may listen.
    _listen: ReservedPort,
}

impl Echo {
    /// Starts a server, with mutual TLS where there are certificates: the same ones serve both ends.
    pub(crate) async fn start(files: Option<&TlsFiles>, logs: &Path) -> anyhow::Result<Self> {
        let listen = ReservedPort::take().context("reserving the echo's port")?;
        let mut args: Vec<OsString> =
            vec!["echo-server".into(), "--listen".into(), listen.address().to_string().into()];
        if let Some(files) = files {
            args.extend(["--certificate".into(), files.certificate.clone().into_os_string()]);
            args.extend(["--key".into(), files.key.clone().into_os_string()]);
            args.extend(["--ca".into(), files.ca.clone().into_os_string()]);
        }
        let spec = ProcessSpec {
            binary: "renkei-loadtest",
            name: if files.is_some() { "echo-mtls" } else { "echo-plain" }.to_owned(),
            args,
            // It has no admin port, and is not asked whether it is ready: the first connection tells.
            admin: listen.address(),
            logs: logs.to_owned(),
        };
        let process = Process::start(&spec).context("starting the echo")?;
        let tls = files.map(tls::client).transpose()?;
        let channels = Target { address: listen.address(), tls }.open_all(CONNECTIONS).await?;
        Ok(Self { process, channels, _listen: listen })
    }

    /// The workload whose answers are as large as those of this operation.
    pub(crate) fn workload(&self, operation: Operation) -> EchoWorkload<'_> {
        let (request, answer) = match operation {
            Operation::Write => (VALUE_BYTES, ACK_BYTES),
            Operation::Read => (NAME_BYTES, VALUE_BYTES),
            Operation::Timeline => (NAME_BYTES, TIMELINE_VALUES * VALUE_BYTES),
        };
        EchoWorkload { echo: self, payload: Bytes::from(vec![0x5a; request]), answer }
    }
}

/// Requests of one size.
#[derive(Debug)]
pub(crate) struct EchoWorkload<'a> {
    echo: &'a Echo,
    payload: Bytes,
    answer: usize,
}

impl Workload for EchoWorkload<'_> {
    const SYSTEM: &'static str = "echo";

    async fn once(&self, client: usize, _random: &mut SmallRng) -> Result<(), OperationError> {
        let mut grpc = Grpc::new(self.echo.channels[client % CONNECTIONS].clone());
        grpc.ready().await.map_err(|lost| Box::new(tonic::Status::from_error(lost.into())))?;
        let request = EchoRequest {
            payload: self.payload.clone(),
            answer_bytes: u32::try_from(self.answer).expect("the sizes of operations are far below 4 GiB"),
        };
        let path = http::uri::PathAndQuery::from_static(PATH);
        let codec = ProstCodec::<EchoRequest, EchoReply>::default();
        let reply = grpc.unary(tonic::Request::new(request), path, codec).await.map_err(Box::new)?;
        if reply.get_ref().payload.len() == self.answer { Ok(()) } else { Err(Violation::WrongContent.into()) }
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        Ok(self.echo.process.usage()?.cpu())
    }
}
