//! Has commands decided and committed.

use renkei_consensus::{ProposeError, Replica};
use renkei_ids::{LeaderTerm, RequestId, UnixMillis};
use renkei_runtime::{SystemRandom, draw};
use renkei_wire::registrar::Asking;
use renkei_wire::{ErrorCode, Refusal};

use super::{Registrar, blocking, damaged};
use crate::directory::Asker;
use crate::machine::RegistrarView;
use crate::state::{Ask, Attend, Command, Enrol, InstitutionItem, Limits, Outcome, Verdict, Verdicts, institution_row};
use crate::values::seal_actor;

/// A leadership, and the moment that what is proposed under it bears.
#[derive(Clone, Debug)]
pub(super) struct Leading {
    replica: Replica,
    under: LeaderTerm,
    pub(super) time: UnixMillis,
}

impl Leading {
    /// The state. It holds everything that earlier leaders acknowledged, and what was decided under this one.
    pub(super) fn view(&self) -> RegistrarView {
        RegistrarView(self.replica.view())
    }
}

impl Registrar {
    /// The leadership that this host has, or where to go instead.
    pub(super) fn leading(&self) -> Result<Leading, Refusal> {
        let replica = self.replica()?;
        let elsewhere = || self.not_leader(replica.leader_hint().map(|(_, host)| host));
        let under = replica.leadership().ok_or_else(elsewhere)?;
        let time = self.clocks.stamp().ok_or(Refusal::new(ErrorCode::ClockOff))?;
        Ok(Leading { replica, under, time })
    }

    /// Proposes a command; its verdicts, once it is committed and applied.
    pub(super) async fn decide(&self, leading: &Leading, command: &Command) -> Result<Vec<Verdict>, Refusal> {
        let reply = leading.replica.propose(leading.under, command.encode()).await;
        let reply = reply.map_err(|error| self.not_recorded(error))?;
        let Verdicts { outcome, verdicts } = Verdicts::decode(&reply).map_err(|error| damaged(&error))?;
        match outcome {
            Outcome::Decided => Ok(verdicts),
            Outcome::NotFounded => Err(Refusal::new(ErrorCode::NotBootstrapped)),
            Outcome::Malformed => Err(Refusal::new(ErrorCode::InternalIo)),
        }
    }

    /// Has what an institution asks decided.
    pub(super) async fn attend(
        &self,
        asker: &Asker,
        asking: &Asking,
        asks: Vec<Ask>,
    ) -> Result<(Leading, Vec<Verdict>), Refusal> {
        let leading = self.leading()?;
        self.enrol(&leading, asker).await?;
        let Asking { request, deadline: _, actor } = asking;
        let key = &self.keys.registrar;
        let about = (asker.id, *request);
        let command = Command::Attend(Attend {
            time: leading.time,
            request: *request,
            institution: asker.id,
            actor: key.actor(asker.id, &actor.id),
            sealed_actor: seal_actor(key, about, (&actor.id, &actor.role), &SystemRandom),
            limits: Limits::of(asker.visits),
            old_member_days: self.old_member_days,
            clouds: self.clouds.keys().copied().collect(),
            items: asks.into_iter().map(|ask| InstitutionItem { salt: draw(), ask }).collect(),
        });
        let verdicts = self.decide(&leading, &command).await?;
        Ok((leading, verdicts))
    }

    /// Has the state know an institution as the directory names it. A lock stays.
    async fn enrol(&self, leading: &Leading, asker: &Asker) -> Result<(), Refusal> {
        let (view, id) = (leading.view(), asker.id);
        let known = blocking(move || institution_row(&view, &id).map_err(|error| damaged(&error))).await?;
        let visits_per_day = asker.visits.get();
        if known.is_some_and(|row| (row.visits_per_day, row.home) == (visits_per_day, asker.home)) {
            return Ok(());
        }
        let command = Command::Enrol(Enrol {
            time: leading.time,
            request: RequestId::from_bytes(draw()),
            salt: draw(),
            institution: asker.id,
            visits_per_day,
            home: asker.home,
            locked: None,
        });
        self.decide(leading, &command).await.map(|_| ())
    }

    /// Locks an institution that the state knows, or unlocks it.
    pub(crate) async fn lock(&self, id: renkei_ids::InstitutionId, locked: bool) -> Result<(), Refusal> {
        let leading = self.leading()?;
        let view = leading.view();
        let known = blocking(move || institution_row(&view, &id).map_err(|error| damaged(&error))).await?;
        let known = known.ok_or(Refusal::new(ErrorCode::InstitutionNotEnrolled))?;
        let command = Command::Enrol(Enrol {
            time: leading.time,
            request: RequestId::from_bytes(draw()),
            salt: draw(),
            institution: id,
            visits_per_day: known.visits_per_day,
            home: known.home,
            locked: Some(locked),
        });
        self.decide(&leading, &command).await.map(|_| ())
    }

    fn not_recorded(&self, error: ProposeError) -> Refusal {
        match error {
            ProposeError::NotLeader { hint } => self.not_leader(hint.map(|(_, host)| host)),
            ProposeError::Overloaded => Refusal::new(ErrorCode::Busy),
            ProposeError::OutcomeUnknown => Refusal::new(ErrorCode::OutcomeUnknown),
            ProposeError::Stopped => Refusal::new(ErrorCode::ShuttingDown),
        }
    }
}
