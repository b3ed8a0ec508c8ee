use bytes::Bytes;
use prost::Message as _;
use renkei_ids::UnixMillis;

use super::InvalidRegistrarMessage as Invalid;
use super::insured::required;
use crate::pb::registrar::v1 as pb;
use crate::registrar::{InsurerSays, InsurerStatement};

impl InsurerStatement {
    /// The bytes that are signed, and travel.
    pub fn encode(self) -> Bytes {
        pb::InsurerStatement::from(self).encode_to_vec().into()
    }

    /// Reads what was signed; the signature is to be judged before.
    ///
    /// # Errors
    /// [`InvalidRegistrarMessage`](super::InvalidRegistrarMessage).
    pub fn decode(body: &Bytes) -> Result<Self, Invalid> {
        pb::InsurerStatement::decode(body.clone()).map_err(|_| Invalid::Malformed("statements.body"))?.try_into()
    }
}

impl TryFrom<pb::InsurerStatement> for InsurerStatement {
    type Error = Invalid;

    fn try_from(message: pb::InsurerStatement) -> Result<Self, Invalid> {
        use pb::insurer_statement::Say;
        let pb::InsurerStatement { signed_at_ms, say } = message;
        let say = match say.ok_or(Invalid::Malformed("say"))? {
            Say::Register(registration) => InsurerSays::Register(Box::new(registration.try_into()?)),
            Say::End(pb::EndOfInsurance { insured, until_day }) => InsurerSays::End(required(insured)?, until_day),
            Say::IssueToken(pb::IssueToken { insured, expires_ms }) => {
                InsurerSays::IssueToken(required(insured)?, UnixMillis(expires_ms))
            }
            Say::RevokeToken(pb::RevokeToken { insured }) => InsurerSays::RevokeToken(required(insured)?),
        };
        Ok(Self { signed_at: UnixMillis(signed_at_ms), say })
    }
}

impl From<InsurerStatement> for pb::InsurerStatement {
    fn from(statement: InsurerStatement) -> Self {
        use pb::insurer_statement::Say;
        let InsurerStatement { signed_at, say } = statement;
        let say = match say {
            InsurerSays::Register(registration) => Say::Register((*registration).into()),
            InsurerSays::End(insured, until_day) => {
                Say::End(pb::EndOfInsurance { insured: Some(insured.into()), until_day })
            }
            InsurerSays::IssueToken(insured, expires) => {
                Say::IssueToken(pb::IssueToken { insured: Some(insured.into()), expires_ms: expires.0 })
            }
            InsurerSays::RevokeToken(insured) => Say::RevokeToken(pb::RevokeToken { insured: Some(insured.into()) }),
        };
        Self { signed_at_ms: signed_at.0, say: Some(say) }
    }
}
