//! The patient's rules: who may see what. Deny beats allow beats default (requirement D1).

use bytes::{BufMut as _, Bytes, BytesMut};
use prost::Message as _;
use renkei_ids::{ClassTag, InstTag, InvalidLength, RecordId, UnixMillis};

/// Most rules that one patient can have.
pub const RULES_MAX: usize = 256;

const FORMAT: u8 = 1;

/// What a rule, or its absence, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The record may be seen, as far as the capability goes.
    Allow,
    /// The record is answered as if it did not exist.
    Deny,
}

/// Which records a rule speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Every record of the patient.
    Every,
    /// Records of one class.
    Class(ClassTag),
    /// One record.
    Record(RecordId),
}

/// To whom a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Every institution.
    Every,
    /// One institution.
    Institution(InstTag),
}

/// One rule of a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Allow or deny.
    pub effect: Effect,
    /// Which records.
    pub target: Target,
    /// Which institutions.
    pub subject: Subject,
    /// The first moment at which it no longer applies; `None` is for ever.
    pub until: Option<UnixMillis>,
}

impl Rule {
    fn speaks_of(&self, record: RecordId, class: ClassTag, institution: InstTag, now: UnixMillis) -> bool {
        let target = match self.target {
            Target::Every => true,
            Target::Class(tag) => tag == class,
            Target::Record(id) => id == record,
        };
        let subject = match self.subject {
            Subject::Every => true,
            Subject::Institution(tag) => tag == institution,
        };
        target && subject && self.until.is_none_or(|until| now < until)
    }
}

/// All rules of a patient and what holds where none speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSet {
    default: Effect,
    rules: Vec<Rule>,
}

/// Rules that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRules {
    /// More than [`RULES_MAX`].
    #[error("{0} rules are over the limit")]
    TooMany(usize),
    /// A format version this build does not read.
    #[error("rule format {0} is unknown")]
    Format(u8),
    /// No protobuf message, or one without a part that must be there.
    #[error("rules have no readable {0}")]
    Malformed(&'static str),
    /// A tag or id of the wrong length.
    #[error("rule field: {0}")]
    Length(#[from] InvalidLength),
}

impl RuleSet {
    /// What holds for a patient who has set nothing: the capability alone decides. It names the classes that were
    /// consented to, so a new class or institution is denied there (requirement D2).
    pub const UNSET: Self = Self { default: Effect::Allow, rules: Vec::new() };

    /// A set within the limit.
    ///
    /// # Errors
    /// [`InvalidRules::TooMany`].
    pub fn new(default: Effect, rules: Vec<Rule>) -> Result<Self, InvalidRules> {
        if rules.len() > RULES_MAX {
            return Err(InvalidRules::TooMany(rules.len()));
        }
        Ok(Self { default, rules })
    }

    /// Whether the institution may see the record now. Deny over allow over default, in no order of the rules.
    pub fn decide(&self, record: RecordId, class: ClassTag, institution: InstTag, now: UnixMillis) -> Effect {
        let mut decision = self.default;
        for rule in self.rules.iter().filter(|rule| rule.speaks_of(record, class, institution, now)) {
            match rule.effect {
                Effect::Deny => return Effect::Deny,
                Effect::Allow => decision = Effect::Allow,
            }
        }
        decision
    }

    /// The stored form: a version byte and a protobuf-encoded message.
    pub fn encode(&self) -> Bytes {
        let message = format::Rules {
            default: raw_effect(self.default),
            rules: self.rules.iter().map(format::Rule::from).collect(),
        };
        let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
        bytes.put_u8(FORMAT);
        message.encode(&mut bytes).expect("a BytesMut grows as needed");
        bytes.freeze()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`InvalidRules`]; nothing is defaulted.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidRules> {
        let (&version, rest) = bytes.split_first().ok_or(InvalidRules::Malformed("format version"))?;
        if version != FORMAT {
            return Err(InvalidRules::Format(version));
        }
        let format::Rules { default, rules } =
            format::Rules::decode(rest).map_err(|_| InvalidRules::Malformed("message"))?;
        let rules = rules.into_iter().map(Rule::try_from).collect::<Result<Vec<_>, _>>()?;
        Self::new(effect(default)?, rules)
    }
}

fn raw_effect(effect: Effect) -> u32 {
    match effect {
        Effect::Allow => 1,
        Effect::Deny => 2,
    }
}

fn effect(raw: u32) -> Result<Effect, InvalidRules> {
    match raw {
        1 => Ok(Effect::Allow),
        2 => Ok(Effect::Deny),
        _ => Err(InvalidRules::Malformed("effect")),
    }
}

impl From<&Rule> for format::Rule {
    fn from(rule: &Rule) -> Self {
        let Rule { effect, target, subject, until } = rule;
        let (class, record) = match target {
            Target::Every => (None, None),
            Target::Class(tag) => (Some(Bytes::copy_from_slice(tag.as_bytes())), None),
            Target::Record(id) => (None, Some(Bytes::copy_from_slice(id.as_bytes()))),
        };
        let institution = match subject {
            Subject::Every => None,
            Subject::Institution(tag) => Some(Bytes::copy_from_slice(tag.as_bytes())),
        };
        Self { effect: raw_effect(*effect), class, record, institution, until_ms: until.map(|until| until.0) }
    }
}

impl TryFrom<format::Rule> for Rule {
    type Error = InvalidRules;

    fn try_from(rule: format::Rule) -> Result<Self, InvalidRules> {
        let format::Rule { effect: raw, class, record, institution, until_ms } = rule;
        let target = match (class, record) {
            (None, None) => Target::Every,
            (Some(class), None) => Target::Class(ClassTag::try_from(&class[..])?),
            (None, Some(record)) => Target::Record(RecordId::try_from(&record[..])?),
            (Some(_), Some(_)) => return Err(InvalidRules::Malformed("single target")),
        };
        let subject = match institution {
            None => Subject::Every,
            Some(tag) => Subject::Institution(InstTag::try_from(&tag[..])?),
        };
        Ok(Self { effect: effect(raw)?, target, subject, until: until_ms.map(UnixMillis) })
    }
}

mod format {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Rules {
        #[prost(uint32, tag = "1")]
        pub(super) default: u32,
        #[prost(message, repeated, tag = "2")]
        pub(super) rules: Vec<Rule>,
    }

    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub(super) struct Rule {
        #[prost(uint32, tag = "1")]
        pub(super) effect: u32,
        #[prost(bytes = "bytes", optional, tag = "2")]
        pub(super) class: Option<Bytes>,
        #[prost(bytes = "bytes", optional, tag = "3")]
        pub(super) record: Option<Bytes>,
        #[prost(bytes = "bytes", optional, tag = "4")]
        pub(super) institution: Option<Bytes>,
        #[prost(uint64, optional, tag = "5")]
        pub(super) until_ms: Option<u64>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    // Two of each are enough for every rule to hit or miss.
    fn tag(n: u8) -> [u8; 16] {
        [n; 16]
    }

    fn arb_rule() -> impl Strategy<Value = Rule> {
        (any::<bool>(), 0_u8..5, 0_u8..3, proptest::option::of(0_u64..4)).prop_map(|(deny, target, subject, until)| {
            Rule {
                effect: if deny { Effect::Deny } else { Effect::Allow },
                target: match target {
                    0 => Target::Every,
                    1 | 2 => Target::Class(ClassTag::from_bytes(tag(target))),
                    _ => Target::Record(RecordId::from_bytes(tag(target))),
                },
                subject: match subject {
                    0 => Subject::Every,
                    n => Subject::Institution(InstTag::from_bytes(tag(n))),
                },
                until: until.map(UnixMillis),
            }
        })
    }

    fn arb_set() -> impl Strategy<Value = RuleSet> {
        (any::<bool>(), vec(arb_rule(), 0..12))
            .prop_map(|(deny, rules)| RuleSet { default: if deny { Effect::Deny } else { Effect::Allow }, rules })
    }

    /// The oracle says it the other way round: sort what applies, strongest last, and take the last.
    fn oracle(set: &RuleSet, record: RecordId, class: ClassTag, institution: InstTag, now: UnixMillis) -> Effect {
        let mut ranked = vec![(0, set.default)];
        for rule in &set.rules {
            let hits_record = match rule.target {
                Target::Every => true,
                Target::Class(c) => c == class,
                Target::Record(r) => r == record,
            };
            let hits_subject = rule.subject == Subject::Every || rule.subject == Subject::Institution(institution);
            let live = match rule.until {
                None => true,
                Some(until) => until.0 > now.0,
            };
            if hits_record && hits_subject && live {
                ranked.push((if rule.effect == Effect::Deny { 2 } else { 1 }, rule.effect));
            }
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.last().expect("the default is always there").1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn deny_beats_allow_beats_default(set in arb_set(), record in 3_u8..5, class in 1_u8..3, inst in 1_u8..3, now in 0_u64..5) {
            let (record, class) = (RecordId::from_bytes(tag(record)), ClassTag::from_bytes(tag(class)));
            let (inst, now) = (InstTag::from_bytes(tag(inst)), UnixMillis(now));
            prop_assert_eq!(set.decide(record, class, inst, now), oracle(&set, record, class, inst, now));
        }

        #[test]
        fn stored_rules_read_back(set in arb_set()) {
            prop_assert_eq!(RuleSet::decode(&set.encode()), Ok(set));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = RuleSet::decode(&bytes);
        }
    }

    #[test]
    fn one_rule_too_many_is_refused() {
        let rule = Rule { effect: Effect::Deny, target: Target::Every, subject: Subject::Every, until: None };
        assert!(RuleSet::new(Effect::Allow, vec![rule; RULES_MAX]).is_ok());
        assert_eq!(RuleSet::new(Effect::Allow, vec![rule; RULES_MAX + 1]), Err(InvalidRules::TooMany(RULES_MAX + 1)));
    }

    #[test]
    fn format_one_stays_readable() {
        let stored = [1, 8, 1, 18, 20, 8, 2, 18, 16, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
        let deny = Rule {
            effect: Effect::Deny,
            target: Target::Class(ClassTag::from_bytes([9; 16])),
            subject: Subject::Every,
            until: None,
        };
        let set = RuleSet { default: Effect::Allow, rules: vec![deny] };
        assert_eq!(RuleSet::decode(&stored), Ok(set.clone()));
        assert_eq!(&set.encode()[..], &stored[..]);
    }
}
