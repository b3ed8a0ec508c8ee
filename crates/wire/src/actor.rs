//! Why an actor is refused, as the error table has it.

use renkei_access::{ActorRefusal, InvalidActor};

use crate::{ErrorCode, Refusal};

impl From<InvalidActor> for Refusal {
    fn from(invalid: InvalidActor) -> Self {
        Self::new(match invalid {
            InvalidActor::TooLong(_) => return Self::too_large("actor.signed"),
            InvalidActor::TooShort(_)
            | InvalidActor::Signature
            | InvalidActor::Format(_)
            | InvalidActor::Malformed(_)
            | InvalidActor::Life(_) => ErrorCode::ActorInvalid,
        })
    }
}

impl From<ActorRefusal> for Refusal {
    fn from(refusal: ActorRefusal) -> Self {
        Self::new(match refusal {
            ActorRefusal::OtherCloud => ErrorCode::ActorOtherCloud,
            ActorRefusal::OtherInstitution => ErrorCode::ActorOtherInstitution,
            ActorRefusal::NotYetValid => ErrorCode::ActorNotYetValid,
            ActorRefusal::Expired => ErrorCode::ActorExpired,
            ActorRefusal::Role => ErrorCode::ActorRole,
            ActorRefusal::StepUp => ErrorCode::ActorStepUp,
        })
    }
}
