//! Checking a patient in, and going on under a grant: decided and committed, then minted.

use std::sync::Arc;

use renkei_access::{PRESENCE_MILLIS, Scope};
use renkei_envelope::DayUse;
use renkei_ids::{CloudId, GrantId, UnixMillis};
use renkei_runtime::draw;
use renkei_wire::registrar::{CheckInRequest, CheckedIn, CloudTicket, RenewRequest, Shown};
use renkei_wire::{ErrorCode, Refusal};

use super::deciding::Leading;
use super::refusals::refusal;
use super::{Registrar, blocking, damaged};
use crate::directory::{Asker, Audience};
use crate::machine::RegistrarView;
use crate::mint::{Drafts, Ticketing, Wanted};
use crate::state::{
    self, Admitted, Ask, CheckIn, GrantRow, PersonRow, Renew, ShownCard, ShownMember, ShownToken, Verdict, grant_row,
    person_row,
};

impl Registrar {
    /// Checks a patient in.
    pub(crate) async fn check_in(
        self: &Arc<Self>,
        asker: Asker,
        request: CheckInRequest,
    ) -> Result<CheckedIn, Refusal> {
        let deadline = request.asking.deadline;
        let served = async {
            let CheckInRequest { asking, shown, purpose, categories, text, basis, minutes, admission } = request;
            let shown = self.shown(&asker, shown)?;
            let scope = asker.allows(purpose);
            let reads = scope.allows(Scope::READ) || categories.is_empty();
            let writes = scope.allows(Scope::WRITE) || basis.is_none();
            if scope == Scope::NONE || !reads || !writes {
                return Err(Refusal::new(ErrorCode::EvidenceInsufficient));
            }
            let grant = GrantId::from_bytes(draw());
            let ask = CheckIn { shown, purpose, categories, text, basis, minutes, admission, grant };
            let (leading, verdicts) = self.attend(&asker, &asking, vec![Ask::CheckIn(ask)]).await?;
            self.checked_in(asker, leading, verdicts).await
        };
        self.told(("check_in", 1), deadline, served).await
    }

    /// New tickets under a grant.
    pub(crate) async fn renew(self: &Arc<Self>, asker: Asker, request: RenewRequest) -> Result<CheckedIn, Refusal> {
        let deadline = request.asking.deadline;
        let served = async {
            let RenewRequest { asking, grant } = request;
            let (leading, verdicts) = self.attend(&asker, &asking, vec![Ask::Renew(Renew { grant })]).await?;
            self.checked_in(asker, leading, verdicts).await
        };
        self.told(("renew", 1), deadline, served).await
    }

    /// What is shown, as commands have it. A card's signatures are judged here.
    fn shown(&self, asker: &Asker, shown: Shown) -> Result<state::Shown, Refusal> {
        let key = &self.keys.registrar;
        match shown {
            Shown::Card(card) => {
                let (card, presence) = card.verify(&self.card_authorities, asker.id, self.clock.now())?;
                Ok(state::Shown::Card(ShownCard {
                    resident: key.resident(card.resident.as_bytes()),
                    presence: key.presence(card.id.as_bytes(), &presence.nonce),
                    // Group time may be behind the clock that judged the moment.
                    forget: presence.moment.plus_millis(4 * PRESENCE_MILLIS),
                }))
            }
            Shown::InsurerToken(token) => Ok(state::Shown::Token(ShownToken { token: key.token(&token) })),
            Shown::MemberId(insured) => {
                let (member, birth) = self.named(&insured);
                Ok(state::Shown::Member(ShownMember { member, birth }))
            }
            Shown::FourItem | Shown::Unconscious | Shown::Delegate => Err(Refusal::new(ErrorCode::Unimplemented)),
        }
    }

    async fn checked_in(
        self: &Arc<Self>,
        asker: Asker,
        leading: Leading,
        mut verdicts: Vec<Verdict>,
    ) -> Result<CheckedIn, Refusal> {
        let admitted = match verdicts.pop() {
            Some(Verdict::Admitted(admitted)) => admitted,
            Some(Verdict::Refused(refused)) => return Err(refusal(refused)),
            _ => return Err(Refusal::new(ErrorCode::InternalIo)),
        };
        let clouds = admitted.clouds.clone();
        let (grant, grant_ends) = (admitted.grant, admitted.end);
        let Admitted { answer, until, successor, .. } = admitted;
        let (registrar, view) = (Arc::clone(self), leading.view());
        let eligibility = blocking(move || registrar.answered(&view, answer, until, successor)).await?;
        // The patient is checked in, whatever becomes of the tickets: they are had by renewal.
        let tickets = match self.tickets(asker, &leading, admitted).await {
            Ok(tickets) => tickets,
            Err(refusal) => {
                clouds.into_iter().map(|cloud| CloudTicket { cloud, ticket: Err(refusal.clone()) }).collect()
            }
        };
        tickets.iter().for_each(|ticket| self.count("ticket", &ticket.ticket));
        Ok(CheckedIn { eligibility, grant, grant_ends, tickets })
    }

    async fn tickets(
        self: &Arc<Self>,
        asker: Asker,
        leading: &Leading,
        admitted: Admitted,
    ) -> Result<Vec<CloudTicket>, Refusal> {
        let (registrar, view, now) = (Arc::clone(self), leading.view(), self.clock.now());
        let (drafts, wanted) = blocking(move || registrar.begin(&view, asker, &admitted, now)).await?;
        let Some(day) = wanted.first().map(|wanted| wanted.day) else {
            return Ok(drafts.unmade());
        };
        let secret = self.day_secret(leading, day, DayUse::Mint).await?;
        let translated = self.mint.translate(wanted).await;
        let registrar = Arc::clone(self);
        blocking(move || Ok(drafts.finish(&registrar.keys, &secret, translated))).await
    }

    /// Opens what tickets are made of, and fixes them as far as can be without key holders.
    fn begin(
        &self,
        view: &RegistrarView,
        asker: Asker,
        admitted: &Admitted,
        now: UnixMillis,
    ) -> Result<(Drafts, Vec<Wanted>), Refusal> {
        let missing = || Refusal::new(ErrorCode::InternalIo);
        let granted = grant_row(view, &admitted.grant).map_err(|error| damaged(&error))?.ok_or_else(missing)?;
        let GrantRow { person, binding, purpose, evidence, categories, text, end, .. } = granted;
        let row = person_row(view, &person).map_err(|error| damaged(&error))?.ok_or_else(missing)?;
        let PersonRow { generation, seed, .. } = row;
        let seed = self.keys.seeds.open((person, generation), &seed).map_err(|error| damaged(&error))?;
        let values = self.registered(view, binding)?;
        let (issued, expires) = Ticketing::life(now, self.ticket_minutes, end)?;
        let audience = |cloud: &CloudId| -> (CloudId, Result<Audience, Refusal>) {
            (*cloud, self.directory.audience(asker.id, *cloud))
        };
        let audiences = admitted.clouds.iter().map(audience).collect();
        let ticketing = Ticketing {
            asker,
            person,
            seed,
            generation,
            binding,
            values,
            purpose,
            categories,
            text,
            evidence,
            issued,
            expires,
        };
        Ok(Drafts::begin(ticketing, audiences))
    }
}
