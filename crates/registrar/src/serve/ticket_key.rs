//! The registrar's ticket keys: for its own minting, and for vaults.

use std::sync::Arc;

use renkei_envelope::{DaySecret, DayUse};
use renkei_ids::UnixDay;
use renkei_runtime::{PeerIdentity, SystemRandom};
use renkei_wire::registrar::RegistrarTicketKey;
use renkei_wire::{ErrorCode, Refusal};

use super::deciding::Leading;
use super::{Registrar, blocking};
use crate::machine::RegistrarView;
use crate::state::{Command, KeepDay};

impl Registrar {
    /// The ticket key of a day for one of the cloud's vaults. Any replica gives one that the state has; a new one is drawn
    /// by the leader.
    pub(crate) async fn ticket_key(
        self: &Arc<Self>,
        vault: &PeerIdentity,
        day: UnixDay,
    ) -> Result<RegistrarTicketKey, Refusal> {
        let named = self.clouds.get(&vault.cloud).ok_or(Refusal::new(ErrorCode::CloudMismatch))?;
        if !named.is_empty() && !named.contains(&vault.key_hash) {
            return Err(Refusal::new(ErrorCode::RoleNotAllowed));
        }
        if !DayUse::Fetch.allows(day, self.clock.now()) {
            return Err(Refusal::new(ErrorCode::KeyDayRefused));
        }
        let secret = match self.kept(RegistrarView(self.replica()?.view()), day).await? {
            Some(secret) => secret,
            None => self.day_secret(&self.leading()?, day, DayUse::Fetch).await?,
        };
        Ok(RegistrarTicketKey(secret.ticket_key(day, vault.cloud)))
    }

    /// The secret of a day, drawn if the day has none.
    pub(super) async fn day_secret(
        self: &Arc<Self>,
        leading: &Leading,
        day: UnixDay,
        what: DayUse,
    ) -> Result<DaySecret, Refusal> {
        let refused = || Refusal::new(ErrorCode::KeyDayRefused);
        if !what.allows(day, leading.time) {
            return Err(refused());
        }
        if let Some(secret) = self.kept(leading.view(), day).await? {
            return Ok(secret);
        }
        // Of a day that is over nothing was sealed if it has none.
        if leading.time >= DayUse::last_draw(day) {
            return Err(refused());
        }
        let secret = self.keys.days.seal(day, &DaySecret::random(&SystemRandom), &SystemRandom);
        self.decide(leading, &Command::KeepDay(KeepDay { time: leading.time, day, secret })).await?;
        // Perhaps another call's, which came first.
        self.kept(leading.view(), day).await?.ok_or_else(refused)
    }

    async fn kept(self: &Arc<Self>, view: RegistrarView, day: UnixDay) -> Result<Option<DaySecret>, Refusal> {
        let registrar = Arc::clone(self);
        blocking(move || registrar.days.of(&view, &registrar.keys, day)).await
    }
}
