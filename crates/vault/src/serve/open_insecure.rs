//! Opens patients by pseudonym. Only builds with the feature `dev-insecure` have this.

use std::sync::Arc;

use renkei_access::Scope;
use renkei_ids::{BindingId, KeyHash, UnixMillis};
use renkei_wire::Refusal;
use renkei_wire::vault::{Batch, InsecureOpening, Opened, Results};

use super::Vault;
use super::deciding::Decided;
use super::open::{Drawn, Ready};

/// The binding of every opening without a ticket: there was no check-in that it could name.
const NO_BINDING: BindingId = BindingId::from_bytes([0; 16]);

impl Vault {
    /// Opens patients; those that are not known are created.
    pub(crate) async fn open_insecure(
        self: &Arc<Self>,
        gateway: KeyHash,
        batch: Batch<InsecureOpening>,
    ) -> Result<Results<Opened>, Refusal> {
        let Batch { request, deadline, items } = batch;
        let count = items.len();
        let served = self.decide(
            gateway,
            request,
            move |vault, view| {
                let prepared = items.iter().map(|asked| vault.prepare_open(view, ready(asked), None));
                Ok(prepared.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
            },
            move |vault, view, drawn: Vec<Drawn>, decided: Decided| {
                let one = |(drawn, decided): (&Drawn, _)| match decided {
                    Err(refusal) => Ok(Err(refusal)),
                    Ok(pid) => vault.opened(view, gateway, drawn, pid).map(Ok),
                };
                drawn.iter().zip(decided).map(one).collect::<Result<_, _>>().map(Results)
            },
        );
        self.told(("open", count), deadline, self.disk.admit_reads(), served).await
    }
}

fn ready(asked: &InsecureOpening) -> Ready {
    let InsecureOpening { pseudonym, institution, purpose, evidence, classes, period, scope } = asked;
    let reads = if scope.allows(Scope::READ) { classes.iter().copied().collect() } else { Default::default() };
    Ready {
        pseudonym: pseudonym.clone(),
        institution: *institution,
        purpose: *purpose,
        evidence: *evidence,
        binding: NO_BINDING,
        covers: classes.clone(),
        reads,
        period: *period,
        scope: *scope,
        ends: UnixMillis(u64::MAX),
    }
}
