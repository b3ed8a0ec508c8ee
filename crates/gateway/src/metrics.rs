//! The gateway's metrics.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `renkei_gateway_request_seconds` | histogram | `operation` |
//! | `renkei_gateway_refusals_total` | counter | `code` |
//! | `renkei_gateway_admitted_bytes` | gauge | |
//! | `renkei_gateway_openings` | gauge | |

use std::time::Instant;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use renkei_wire::Refusal;

#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    request_seconds: HistogramVec,
    refusals: IntCounterVec,
    pub(crate) admitted_bytes: IntGauge,
    pub(crate) openings: IntGauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let seconds = HistogramOpts::new("renkei_gateway_request_seconds", "Time of requests.");
        let refused = Opts::new("renkei_gateway_refusals_total", "Requests and documents refused.");
        let metrics = Self {
            request_seconds: HistogramVec::new(seconds, &["operation"])?,
            refusals: IntCounterVec::new(refused, &["code"])?,
            admitted_bytes: IntGauge::new("renkei_gateway_admitted_bytes", "Bytes of requests under way.")?,
            openings: IntGauge::new("renkei_gateway_openings", "Patients whose opening is kept.")?,
        };
        registry.register(Box::new(metrics.request_seconds.clone()))?;
        registry.register(Box::new(metrics.refusals.clone()))?;
        registry.register(Box::new(metrics.admitted_bytes.clone()))?;
        registry.register(Box::new(metrics.openings.clone()))?;
        Ok(metrics)
    }

    /// Measures one request.
    pub(crate) async fn measured<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let began = Instant::now();
        let outcome = work.await;
        self.request_seconds.with_label_values(&[operation]).observe(began.elapsed().as_secs_f64());
        outcome.inspect_err(|refusal| self.refused(refusal))
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        self.refusals.with_label_values(&[refusal.code.name()]).inc();
    }
}
