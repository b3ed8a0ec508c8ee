//! Opens the stubs of audit rows for the institution that caused them.

use std::sync::Arc;

use renkei_access::Scope;
use renkei_envelope::Opening;
use renkei_ids::{CapabilityId, KeyHash};
use renkei_wire::Refusal;
use renkei_wire::vault::{OpenStubsReply, OpenStubsRequest, OpenedStub, Results, SealedStub};

use super::deciding::Decided;
use super::keys::UnwrapError;
use super::{Vault, item};
use crate::machine::VaultView;
use crate::random::draw;
use crate::state::Ask;

impl Vault {
    /// Opens stubs. One that another institution caused, and one that is none of this patient's, stay closed alike.
    pub(crate) async fn open_stubs(
        self: &Arc<Self>,
        gateway: KeyHash,
        request: OpenStubsRequest,
    ) -> Result<OpenStubsReply, Refusal> {
        let OpenStubsRequest { request, deadline, opening, stubs } = request;
        // Ten stubs and what they open to take about as much as an opening.
        let items = stubs.len().div_ceil(10);
        let served = async {
            let opening = Arc::new(self.present(gateway, &opening, Scope::AUDIT)?);
            let count = u32::try_from(stubs.len()).expect("a call has 500 at most");
            let asking = Arc::clone(&opening);
            let prepare = move |_: &Self, _: &VaultView| {
                let ask = Ask::Stubs { pid: asking.pid, count };
                Ok((vec![item(CapabilityId::from_bytes(draw()), draw(), &asking, ask)], ()))
            };
            let finish = move |vault: &Self, view: &VaultView, (), decided: Decided| match decided
                .into_iter()
                .try_for_each(|one| one.map(|_| ()))
            {
                Err(refusal) => Ok(Err(refusal)),
                Ok(()) => vault.stubs(view, &opening, &stubs).map(Ok),
            };
            let opened: Result<Vec<_>, Refusal> = self.decide(gateway, request, prepare, finish).await?;
            Ok(Results(opened?.into_iter().map(Ok).collect()))
        };
        let Results(stubs) = self.told(("stubs", items), deadline, self.disk.admit_reads(), served).await?;
        stubs.into_iter().collect::<Result<_, _>>().map(OpenStubsReply)
    }

    fn stubs(
        &self,
        view: &VaultView,
        opening: &Opening,
        stubs: &[SealedStub],
    ) -> Result<Vec<Option<OpenedStub>>, UnwrapError> {
        let keys = self.keys.patient(self.cloud, view, opening.pid, &opening.seed)?;
        let opened = stubs.iter().map(|SealedStub { capability, stub }| {
            let stub = keys.open_stub(*capability, stub).ok()?;
            (stub.institution == opening.institution).then(|| OpenedStub {
                purpose: stub.purpose,
                evidence: stub.evidence,
                cell: stub.cell,
                stub_key: keys.stub_key(*capability),
            })
        });
        Ok(opened.collect())
    }
}
