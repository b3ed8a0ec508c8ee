use renkei_access::{InvalidRules, RuleSet};

use crate::bounds::{InvalidSize, filled};
use crate::limits::RULES_MAX_BYTES;
use crate::pb::node::v1 as pb;
use crate::{Refusal, SetRules};

/// A `set_rules` that cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetRules {
    /// The encoded rules are missing or over their limit.
    #[error("size of the rules")]
    Size(#[source] InvalidSize),
    /// The rules do not read.
    #[error("decode the rules")]
    Rules(#[source] InvalidRules),
}

impl TryFrom<pb::SetRules> for SetRules {
    type Error = InvalidSetRules;

    fn try_from(message: pb::SetRules) -> Result<Self, InvalidSetRules> {
        let pb::SetRules { rules, expected_version } = message;
        let rules = filled(rules, RULES_MAX_BYTES).map_err(InvalidSetRules::Size)?;
        Ok(Self { rules: RuleSet::decode(&rules).map_err(InvalidSetRules::Rules)?, expected_version })
    }
}

impl From<SetRules> for pb::SetRules {
    fn from(set: SetRules) -> Self {
        let SetRules { rules, expected_version } = set;
        Self { rules: rules.encode(), expected_version }
    }
}

impl From<InvalidSetRules> for Refusal {
    fn from(invalid: InvalidSetRules) -> Self {
        match invalid {
            InvalidSetRules::Size(size) => size.refusal("set_rules.rules"),
            InvalidSetRules::Rules(InvalidRules::TooMany(_)) => Self::too_large("set_rules.rules"),
            InvalidSetRules::Rules(_) => Self::invalid("set_rules.rules"),
        }
    }
}
