use renkei_envelope::Token;

use super::InvalidRegistrarMessage as Invalid;
use super::answers::{standing, standing_message};
use super::asking::{deadline, request};
use super::card::{signed, signed_message};
use crate::Refusal;
use crate::convert::{copied, vault};
use crate::limits::REGISTRAR_MAX_ITEMS;
use crate::pb::registrar::v1 as pb;
use crate::registrar::{RegisterReply, RegisterRequest, Taken};

impl TryFrom<pb::RegisterRequest> for RegisterRequest {
    type Error = Invalid;

    fn try_from(message: pb::RegisterRequest) -> Result<Self, Invalid> {
        let pb::RegisterRequest { request_id, deadline_ms, statements } = message;
        vault::count(statements.len(), REGISTRAR_MAX_ITEMS).map_err(Invalid::size("statements"))?;
        Ok(Self {
            request: request(&request_id)?,
            deadline: deadline(deadline_ms)?,
            statements: statements.into_iter().map(|it| signed(it, "statements")).collect::<Result<_, _>>()?,
        })
    }
}

impl From<RegisterRequest> for pb::RegisterRequest {
    fn from(register: RegisterRequest) -> Self {
        let RegisterRequest { request, deadline, statements } = register;
        Self {
            request_id: copied(request.as_bytes()),
            deadline_ms: vault::deadline_message(deadline),
            statements: statements.into_iter().map(signed_message).collect(),
        }
    }
}

impl TryFrom<pb::RegisterReply> for RegisterReply {
    type Error = Invalid;

    fn try_from(message: pb::RegisterReply) -> Result<Self, Invalid> {
        let pb::RegisterReply { results } = message;
        vault::count(results.len(), REGISTRAR_MAX_ITEMS).map_err(Invalid::size("results"))?;
        results.into_iter().map(result).collect::<Result<_, _>>().map(Self)
    }
}

fn result(message: pb::RegisterResult) -> Result<Result<Taken, Refusal>, Invalid> {
    use pb::register_result::Outcome;
    Ok(match message.outcome.ok_or(Invalid::Malformed("outcome"))? {
        Outcome::Registered(raw) => Ok(Taken::Registered(standing(raw)?)),
        Outcome::Token(token) => {
            let token = token[..].try_into().map_err(|_| Invalid::Malformed("token"))?;
            Ok(Taken::Token(Token::from_bytes(token)))
        }
        Outcome::Done(pb::Done {}) => Ok(Taken::Done),
        Outcome::Refusal(refusal) => Err(refusal.try_into()?),
    })
}

impl From<RegisterReply> for pb::RegisterReply {
    fn from(RegisterReply(results): RegisterReply) -> Self {
        use pb::register_result::Outcome;
        let outcome = |result: Result<Taken, Refusal>| match result {
            Ok(Taken::Registered(standing)) => Outcome::Registered(standing_message(standing).into()),
            Ok(Taken::Token(token)) => Outcome::Token(copied(token.expose())),
            Ok(Taken::Done) => Outcome::Done(pb::Done {}),
            Err(refusal) => Outcome::Refusal(refusal.into()),
        };
        let results = results.into_iter().map(|result| pb::RegisterResult { outcome: Some(outcome(result)) });
        Self { results: results.collect() }
    }
}
