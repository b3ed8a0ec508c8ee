//! What insurers say: statements of their own, judged, and put into a command without a person in it.

use std::sync::Arc;

use renkei_access::{Signed, Statement};
use renkei_envelope::Token;
use renkei_ids::PersonId;
use renkei_runtime::{SystemRandom, draw};
use renkei_wire::registrar::{
    Insured, InsurerSays, InsurerStatement, RegisterReply, RegisterRequest, Registration, Standing, Taken,
};
use renkei_wire::{ErrorCode, Refusal};

use super::deciding::Leading;
use super::refusals::refusal;
use super::{Registrar, blocking, damaged};
use crate::directory::Registering;
use crate::entry::{self, EntriesDiffer};
use crate::register::Resident;
use crate::state::{
    self, Command, Day, End, Insure, InsurerItem, Print, Registered, Revoke, Say, Verdict, resident_row,
};

/// How far from the registrar's clock a statement may have been signed.
const STATEMENT_MILLIS: u64 = 600_000;

/// An item of a command, and the token that it prints.
type Prepared = (InsurerItem, Option<Token>);

impl Registrar {
    /// Takes an insurer's statements, in order.
    pub(crate) async fn register(
        self: &Arc<Self>,
        insurer: Registering,
        request: RegisterRequest,
    ) -> Result<RegisterReply, Refusal> {
        let (deadline, count) = (request.deadline, request.statements.len());
        let reply = self.told(("register", count), deadline, self.insure(&insurer, request)).await?;
        let RegisterReply(results) = &reply;
        results.iter().for_each(|result| self.count("register", result));
        Ok(reply)
    }

    async fn insure(
        self: &Arc<Self>,
        insurer: &Registering,
        request: RegisterRequest,
    ) -> Result<RegisterReply, Refusal> {
        let number = insurer.digits.parse().map_err(|_| Refusal::new(ErrorCode::RoleNotAllowed))?;
        let RegisterRequest { request, deadline: _, statements } = request;
        let leading = self.leading()?;
        let mut items = Vec::with_capacity(statements.len());
        let mut results: Vec<Result<Option<Token>, Refusal>> = Vec::with_capacity(statements.len());
        for statement in &statements {
            results.push(self.prepare(&leading, insurer, statement).await.map(|(item, token)| {
                items.push(item);
                token
            }));
        }
        let verdicts = match items.is_empty() {
            true => Vec::new(),
            false => {
                let insure = Insure { time: leading.time, request, insurer: number, items };
                self.decide(&leading, &Command::Insure(insure)).await?
            }
        };
        let mut verdicts = verdicts.into_iter();
        let mut taken = |token| verdicts.next().map_or(Err(Refusal::new(ErrorCode::InternalIo)), |it| taken(it, token));
        Ok(RegisterReply(results.into_iter().map(|prepared| prepared.and_then(&mut taken)).collect()))
    }

    /// Judges a statement, and makes an item of a command of it.
    async fn prepare(
        self: &Arc<Self>,
        leading: &Leading,
        insurer: &Registering,
        signed: &Signed,
    ) -> Result<Prepared, Refusal> {
        let invalid = || Refusal::new(ErrorCode::StatementInvalid);
        if !insurer.keys.iter().any(|key| signed.is_by(key, Statement::Registration)) {
            return Err(invalid());
        }
        let InsurerStatement { signed_at, say } = InsurerStatement::decode(&signed.body)?;
        if signed_at.0.abs_diff(self.clock.now().0) > STATEMENT_MILLIS {
            return Err(Refusal::new(ErrorCode::StatementStale));
        }
        let member = match &say {
            InsurerSays::Register(registration) => &registration.entry.member,
            InsurerSays::End(insured, _) | InsurerSays::IssueToken(insured, _) | InsurerSays::RevokeToken(insured) => {
                &insured.member
            }
        };
        if member.insurer().to_string() != *insurer.digits {
            return Err(invalid());
        }
        match say {
            InsurerSays::Register(registration) => {
                self.registration(leading, *registration).await.map(|item| (item, None))
            }
            InsurerSays::End(insured, until) => Ok((self.said(&insured, Say::End(End { until: Day(until) })), None)),
            InsurerSays::IssueToken(insured, expires) => {
                let token = Token::random(&SystemRandom);
                let print = Print { token: self.keys.registrar.token(&token), expires };
                Ok((self.said(&insured, Say::Print(print)), Some(token)))
            }
            InsurerSays::RevokeToken(insured) => Ok((self.said(&insured, Say::Revoke(Revoke {})), None)),
        }
    }

    fn said(&self, insured: &Insured, say: Say) -> InsurerItem {
        let (member, birth) = self.named(insured);
        InsurerItem { salt: draw(), member, birth, say }
    }

    /// Asks the register of residents whom it has with these items.
    async fn registration(
        self: &Arc<Self>,
        leading: &Leading,
        registration: Registration,
    ) -> Result<InsurerItem, Refusal> {
        let Registration { entry, again, from_day, until_day } = registration;
        let entered = |it: renkei_wire::registrar::Entry| entry::Entry { member: it.member, items: it.items };
        let registration = entry::Registration {
            entry: entered(entry),
            again: again.map(entered),
            from: Day(from_day),
            until: until_day.map(Day),
        };
        let differ = |EntriesDiffer| Refusal::new(ErrorCode::EntriesDiffer);
        registration.entered_twice().map_err(differ)?;
        let answer = match registration.ask(&*self.register).await {
            Err(silent) => Err(silent),
            Ok(None) => Ok(None),
            Ok(Some(resident)) => {
                let person = self.person_of(leading, &resident).await?;
                Ok(Some((resident, person)))
            }
        };
        registration.prepare(&self.keys, answer, &SystemRandom).map_err(differ)
    }

    /// Who a resident is already.
    async fn person_of(&self, leading: &Leading, resident: &Resident) -> Result<Option<PersonId>, Refusal> {
        let (view, index) = (leading.view(), self.keys.registrar.resident(resident.code.as_bytes()));
        let row = blocking(move || resident_row(&view, &index).map_err(|error| damaged(&error))).await?;
        Ok(row.map(|row| row.person))
    }
}

fn taken(verdict: Verdict, token: Option<Token>) -> Result<Taken, Refusal> {
    match (verdict, token) {
        (Verdict::Registered(Registered { standing, .. }), None) => Ok(Taken::Registered(match standing {
            state::Standing::Settled => Standing::Settled,
            state::Standing::Tentative => Standing::Tentative,
            state::Standing::Quarantined => Standing::Quarantined,
        })),
        // Now that it is committed, and not before.
        (Verdict::Done(_), Some(token)) => Ok(Taken::Token(token)),
        (Verdict::Done(_), None) => Ok(Taken::Done),
        (Verdict::Refused(refused), _) => Err(refusal(refused)),
        (Verdict::Registered(_) | Verdict::Eligible(_) | Verdict::Admitted(_), _) => {
            Err(Refusal::new(ErrorCode::InternalIo))
        }
    }
}
