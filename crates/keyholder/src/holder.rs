//! What a key holder does: translates points under budgets, and gives vaults their ticket keys. Everything here blocks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use renkei_envelope::{DayUse, EncodedShare, SealedShareForm, SharePlace, TicketKey};
use renkei_ids::{Clock, CloudId, KeyHash, KeyholderId, PseudonymEpoch, UnixDay};
use renkei_pseudonym::{BlindedPoint, Factor, Translated, translate};
use renkei_runtime::Chain;
use renkei_wire::keyholder::{HeldTicketKey, MintItem, MintReply, MintRequest, Minted};
use renkei_wire::{ErrorCode, Refusal};

use crate::budget::{BudgetError, Budgets, Charged};
use crate::config::Cloud;
use crate::days::{Days, DaysError};
use crate::random::SystemRandom;

/// One key holder.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) number: KeyholderId,
    pub(crate) clouds: BTreeMap<CloudId, Cloud>,
    pub(crate) factors: BTreeMap<(CloudId, PseudonymEpoch), Factor>,
    pub(crate) days: Days,
    pub(crate) budgets: Mutex<Budgets>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A point that is in its cloud's budget, and its place in the call.
struct Granted<'a> {
    at: usize,
    factor: &'a Factor,
    item: &'a MintItem,
}

impl Holder {
    /// Translates what is in the registrar's budgets, in the order of the items, and seals the shares.
    pub(crate) fn mint(&self, registrar: &Arc<str>, request: &MintRequest) -> Result<MintReply, Refusal> {
        let MintRequest { day, items } = request;
        let now = self.clock.now();
        let secret = self.days.secret(*day, DayUse::Mint, now).map_err(|error| lost(&error))?;
        let secret = secret.ok_or(Refusal::new(ErrorCode::KeyDayRefused))?;
        let mut results: Vec<Result<Minted, Refusal>> =
            items.iter().map(|_| Err(Refusal::new(ErrorCode::KeyEpochUnknown))).collect();
        let granted = self.charge(registrar, items, &mut results)?;
        let points: Vec<(&Factor, &BlindedPoint)> =
            granted.iter().map(|granted| (granted.factor, &granted.item.point)).collect();
        let translated = translate(&points, &SystemRandom).expect("a request holds as many points as a batch at most");
        let mut keys: BTreeMap<CloudId, TicketKey> = BTreeMap::new();
        for (Granted { at, item, .. }, translated) in granted.into_iter().zip(translated) {
            let key = keys.entry(item.cloud).or_insert_with(|| secret.ticket_key(*day, item.cloud));
            let Translated { point, share } = translated;
            let share = EncodedShare::from_bytes(*share.encode());
            results[at] = Ok(Minted { point, share: self.seal(key, item, &share) });
        }
        Ok(MintReply(results))
    }

    /// The ticket key of a day for one of the cloud's vaults.
    pub(crate) fn ticket_key(&self, cloud: CloudId, vault: &KeyHash, day: UnixDay) -> Result<HeldTicketKey, Refusal> {
        let settings = self.clouds.get(&cloud).ok_or(Refusal::new(ErrorCode::CloudMismatch))?;
        if !settings.vault_keys.is_empty() && !settings.vault_keys.contains(vault) {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        let secret = self.days.secret(day, DayUse::Fetch, self.clock.now()).map_err(|error| lost(&error))?;
        let secret = secret.ok_or(Refusal::new(ErrorCode::KeyDayRefused))?;
        Ok(HeldTicketKey { holder: self.number, key: secret.ticket_key(day, cloud) })
    }

    /// Destroys what is over.
    pub(crate) fn purge(&self) -> Result<(), DaysError> {
        self.days.purge(self.clock.now())
    }

    /// Those of the items that there is a factor and a budget for. The results of the others say what there is not.
    fn charge<'a>(
        &'a self,
        registrar: &Arc<str>,
        items: &'a [MintItem],
        results: &mut [Result<Minted, Refusal>],
    ) -> Result<Vec<Granted<'a>>, Refusal> {
        let mut by_cloud: BTreeMap<CloudId, Vec<Granted<'a>>> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            if let Some(factor) = self.factors.get(&(item.cloud, item.epoch)) {
                by_cloud.entry(item.cloud).or_default().push(Granted { at, factor, item });
            }
        }
        let now = self.clock.now();
        let mut budgets = self.budgets.lock().expect("nothing panics while it counts");
        let mut granted = Vec::with_capacity(items.len());
        for (cloud, asked) in by_cloud {
            let Some(settings) = self.clouds.get(&cloud) else { continue };
            let count = u32::try_from(asked.len()).expect("a request holds as many points as a batch at most");
            let charged =
                budgets.charge(registrar, cloud, (count, settings.limit), now).map_err(|error| refused(&error))?;
            for (place, granted_or_not) in (0..).zip(asked) {
                if place < charged.granted {
                    granted.push(granted_or_not);
                } else {
                    results[granted_or_not.at] = Err(exhausted(charged));
                }
            }
        }
        Ok(granted)
    }

    fn seal(&self, key: &TicketKey, item: &MintItem, share: &EncodedShare) -> SealedShareForm {
        let place = SharePlace { digest: item.digest, holder: self.number, epoch: item.epoch };
        key.seal_share(&place, share, &SystemRandom)
    }
}

fn exhausted(charged: Charged) -> Refusal {
    Refusal::new(ErrorCode::BudgetExhausted).after(Duration::from_millis(charged.retry_after_millis))
}

fn refused(error: &BudgetError) -> Refusal {
    match error {
        BudgetError::Full => Refusal::new(ErrorCode::LimitReached),
        BudgetError::Read { .. } | BudgetError::Write { .. } | BudgetError::Format { .. } => lost(error),
    }
}

/// What could not be kept is not given either.
fn lost(error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(error = %Chain(error), "the key holder's files");
    Refusal::new(ErrorCode::InternalIo)
}
