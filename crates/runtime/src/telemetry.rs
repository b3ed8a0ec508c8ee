//! Logs as JSON lines, and spans to a collector on this host.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{FilterExt, FilterFn, ParseError};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

use crate::{LogSettings, TraceSettings};

/// Longest time that the last spans have to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest export of a batch of spans.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why logging or tracing did not start.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum TelemetryError {
    #[error("reading log.filter")]
    Filter {
        #[source]
        source: ParseError,
    },
    #[error("opening log file {}", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("building the exporter of spans")]
    Exporter {
        #[source]
        source: ExporterBuildError,
    },
    #[error("installing the subscriber")]
    Install {
        #[source]
        source: TryInitError,
    },
}

/// What must be flushed before the process ends.
#[derive(Debug)]
pub(crate) struct Telemetry {
    spans: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Installs the process's subscriber. Call it inside the runtime, which carries the exporter's connection.
    pub(crate) fn install(
        role: &'static str,
        log: &LogSettings,
        trace: &TraceSettings,
    ) -> Result<Self, TelemetryError> {
        let filter = || EnvFilter::try_new(&log.filter).map_err(|source| TelemetryError::Filter { source });
        let lines = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer(log)?)
            .with_filter(filter()?);
        let spans = trace.endpoint.as_deref().map(|endpoint| provider(role, endpoint)).transpose()?;
        let exported = match &spans {
            // Without the second filter the exporter's own calls would make spans to export.
            Some(provider) => Some(
                tracing_opentelemetry::layer()
                    .with_tracer(provider.tracer("renkei"))
                    .with_filter(filter()?.and(FilterFn::new(|meta| !is_transport(meta.target())))),
            ),
            None => None,
        };
        tracing_subscriber::registry()
            .with(lines)
            .with(exported)
            .try_init()
            .map_err(|source| TelemetryError::Install { source })?;
        Ok(Self { spans })
    }

    /// Sends what is left. The flush blocks while the runtime must carry it, so it has a thread of its own.
    pub(crate) async fn flush(self) {
        let Some(provider) = self.spans else { return };
        let flushed = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last spans were not exported");
        }
    }
}

fn writer(log: &LogSettings) -> Result<BoxMakeWriter, TelemetryError> {
    let Some(path) = &log.file else { return Ok(BoxMakeWriter::new(io::stderr)) };
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    file.map(|file| BoxMakeWriter::new(std::sync::Arc::new(file)))
        .map_err(|source| TelemetryError::Open { path: path.clone(), source })
}

fn provider(role: &'static str, endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|source| TelemetryError::Exporter { source })?;
    let resource = Resource::builder_empty().with_service_name(format!("renkei-{role}")).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

fn is_transport(target: &str) -> bool {
    ["h2", "hyper", "hyper_util", "tonic", "tower", "rustls", "opentelemetry"]
        .iter()
        .any(|root| target == *root || target.strip_prefix(root).is_some_and(|rest| rest.starts_with("::")))
}
