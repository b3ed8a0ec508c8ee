//! Opens the patients of tickets.

use std::sync::Arc;

use renkei_access::{Scope, TicketHeader};
use renkei_envelope::Class;
use renkei_ids::{CapabilityId, KeyHash};
use renkei_wire::vault::{Batch, Opened, Results, TicketOpening};
use renkei_wire::{ErrorCode, Refusal};

use super::Vault;
use super::deciding::Decided;
use super::keys::UnwrapError;
use super::open::{Drawn, Ready};
use super::tickets::{Desk, Judged, NotOpened, judge};
use crate::machine::VaultView;
use crate::random::draw;
use crate::state::{Ask, Item, Reason, TicketUse, Wanted};
use crate::ticket_keys::TicketKeys;

/// What becomes of one item of a call.
enum Prepared {
    /// It is proposed, and answered when it is allowed.
    Opened(Box<Drawn>),
    /// It is proposed as what it is: refused.
    Refused,
    /// It is not decided at all.
    Unable(Refusal),
}

impl Vault {
    /// Opens the patients of tickets; those that are not known are created. A ticket that is refused is recorded.
    pub(crate) async fn open_tickets(
        self: &Arc<Self>,
        gateway: KeyHash,
        batch: Batch<TicketOpening>,
    ) -> Result<Results<Opened>, Refusal> {
        let keys = self.ticket_keys.clone().ok_or(Refusal::new(ErrorCode::Unimplemented))?;
        let Batch { request, deadline, items } = batch;
        let count = items.len();
        let served = self.decide(
            gateway,
            request,
            move |vault, view| vault.prepare_tickets(view, &keys, (gateway, &items)),
            move |vault, view, prepared: Vec<Prepared>, decided: Decided| {
                let mut decided = decided.into_iter();
                let mut next = || decided.next().unwrap_or(Err(Refusal::new(ErrorCode::InternalIo)));
                let one = |prepared: &Prepared| match prepared {
                    Prepared::Unable(refusal) => Ok(Err(refusal.clone())),
                    Prepared::Refused => Ok(Err(next().err().unwrap_or(Refusal::new(ErrorCode::InternalIo)))),
                    Prepared::Opened(drawn) => match next() {
                        Err(refusal) => Ok(Err(refusal)),
                        Ok(pid) => vault.opened(view, gateway, drawn, pid).map(Ok),
                    },
                };
                prepared.iter().map(one).collect::<Result<_, _>>().map(Results)
            },
        );
        self.told(("open_tickets", count), deadline, self.disk.admit_reads(), served).await
    }

    fn prepare_tickets(
        &self,
        view: &VaultView,
        keys: &TicketKeys,
        (gateway, asked): (KeyHash, &[TicketOpening]),
    ) -> Result<(Vec<Item>, Vec<Prepared>), UnwrapError> {
        let held = self.read_directory.of(view)?;
        let (mut items, mut all) = (Vec::with_capacity(asked.len()), Vec::with_capacity(asked.len()));
        for opening in asked {
            let judged = match &held {
                None => Err(NotOpened::Unable(Refusal::new(ErrorCode::DirectoryMissing))),
                Some(held) => {
                    let directory = held.directory();
                    let desk = Desk { cloud: self.cloud, gateway, directory, now: self.clock.now() };
                    judge(opening, &desk, |day| keys.of(day))
                }
            };
            all.push(match judged {
                Ok(judged) => {
                    let (ticket, mark) = (used(&judged), judged.mark);
                    let (item, drawn) = self.prepare_open(view, ready(opening, judged), Some((ticket, mark)))?;
                    items.push(item);
                    Prepared::Opened(Box::new(drawn))
                }
                Err(NotOpened::Refused(reason, header)) => {
                    items.push(refused(opening, reason, header.as_deref()));
                    Prepared::Refused
                }
                Err(NotOpened::Unable(refusal)) => Prepared::Unable(refusal),
            });
        }
        Ok((items, all))
    }
}

fn used(judged: &Judged) -> TicketUse {
    let header = &judged.header;
    TicketUse { id: header.id, expires: header.expires.begins(), breadth: Some(judged.breadth) }
}

/// What is written covers every class: consent is to reading.
fn ready(asked: &TicketOpening, judged: Judged) -> Ready {
    let Judged { header, pseudonym, mark: _, binding, breadth: _ } = judged;
    let writes = [Scope::WRITE, Scope::DELETE, Scope::AUDIT].into_iter().any(|part| asked.scope.allows(part));
    Ready {
        pseudonym,
        institution: asked.institution,
        purpose: header.purpose,
        evidence: header.evidence,
        binding,
        covers: if writes { Class::every().collect() } else { asked.reads.clone() },
        reads: asked.reads.iter().copied().collect(),
        period: asked.period,
        scope: asked.scope,
        ends: header.expires.begins(),
    }
}

fn refused(asked: &TicketOpening, reason: Reason, header: Option<&TicketHeader>) -> Item {
    let wanted = Wanted { classes: asked.reads.iter().copied().collect(), period: asked.period, scope: asked.scope };
    Item {
        capability: CapabilityId::from_bytes(draw()),
        salt: draw(),
        institution: asked.institution,
        purpose: header.map(|header| header.purpose),
        evidence: header.map(|header| header.evidence),
        ask: Ask::Refuse { reason, wanted, ticket: header.map(|header| header.id) },
    }
}
