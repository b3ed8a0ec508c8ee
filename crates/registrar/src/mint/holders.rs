//! The key holders, as the registrar asks them.

use std::time::Duration;

use renkei_ids::{KeyholderId, UnixDay};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, Tls};
use renkei_wire::keyholder::{MintItem, MintReply, MintRequest, Minted};
use renkei_wire::pb::keyholder::v1 as pb;
use renkei_wire::{ErrorCode, KeyholderServiceClient, Refusal, limits};
use tonic::transport::Channel;

use crate::remote::NO_CLOUD;

/// One key holder.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) number: KeyholderId,
    client: KeyholderServiceClient<Channel>,
    patience: Duration,
}

/// All of them, in the order in which points go through them.
pub(crate) type Holders = Vec<Holder>;

impl Holder {
    /// Connects when it is first asked.
    pub(crate) fn new(tls: &Tls, number: KeyholderId, address: &Address, patience: Duration) -> Self {
        let name = Some(number.to_string().into());
        let expected = ExpectedPeer { cloud: NO_CLOUD, role: Role::Keyholder, name };
        let client = KeyholderServiceClient::new(tls.channel(address, expected, Http2::CALLS))
            .max_decoding_message_size(limits::KEYHOLDER_MESSAGE_MAX_BYTES);
        Self { number, client, patience }
    }

    /// Has a batch translated: one result for each item, in their order.
    pub(super) async fn mint(&self, day: UnixDay, items: Vec<MintItem>) -> Vec<Result<Minted, Refusal>> {
        let sent = items.len();
        let request = pb::MintRequest::from(MintRequest { day, items });
        let mut client = self.client.clone();
        let reply = tokio::time::timeout(self.patience, client.mint(request)).await;
        match reply.map_err(|_late| None).and_then(|reply| reply.map_err(Some)) {
            Ok(reply) => match MintReply::try_from(reply.into_inner()) {
                Ok(MintReply(results)) if results.len() == sent => {
                    results.into_iter().map(|result| result.map_err(|refusal| refused(&refusal))).collect()
                }
                _ => {
                    tracing::error!(holder = %self.number, "a key holder's answer does not read");
                    nothing(sent, &Refusal::new(ErrorCode::KeyholderUnavailable))
                }
            },
            Err(status) => {
                let refusal = status.and_then(|status| Refusal::from_status(&status).ok());
                let code = refusal.as_ref().map_or("none", |refusal| refusal.code.name());
                tracing::warn!(holder = %self.number, code, "a key holder does not mint");
                nothing(sent, &refusal.map_or(Refusal::new(ErrorCode::KeyholderUnavailable), |it| refused(&it)))
            }
        }
    }
}

fn nothing(count: usize, refusal: &Refusal) -> Vec<Result<Minted, Refusal>> {
    (0..count).map(|_| Err(refusal.clone())).collect()
}

/// What an institution is told: which key holder refuses, and under which budget, is none of its business.
fn refused(refusal: &Refusal) -> Refusal {
    let told = Refusal::new(ErrorCode::KeyholderUnavailable);
    match refusal.retry_after {
        Some(wait) => told.after(wait),
        None => told,
    }
}
