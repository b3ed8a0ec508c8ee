//! What is known of a person, in the form that is sealed.

use bytes::Bytes;
use renkei_envelope::{InvalidSealed, PersonValue, Random, RegistrarKey};
use renkei_ids::{BindingId, InstitutionId, PersonId, RequestId};
use renkei_records::{BirthDate, FiveItems, MemberId, Sex};

use crate::state::stored::{Raw, Stored as _, stored};

/// What an insurer registered.
#[derive(Clone, Debug)]
pub struct RegisteredValues {
    /// The member id, as it was written.
    pub member: MemberId,
    /// The five items, as they were written.
    pub items: FiveItems,
}

/// Why a sealed value does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// It does not open.
    #[error("opening a sealed value")]
    Sealed(#[from] InvalidSealed),
    /// What is in it is no value of this kind.
    #[error("a sealed value does not read")]
    Unreadable,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct ItemsMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    kana: String,
    #[prost(string, tag = "3")]
    birth_date: String,
    #[prost(string, tag = "4")]
    sex: String,
    #[prost(string, tag = "5")]
    address: String,
}

impl Raw<Option<ItemsMessage>> for FiveItems {
    fn to_raw(&self) -> Option<ItemsMessage> {
        Some(ItemsMessage {
            name: self.name().to_owned(),
            kana: self.kana().to_owned(),
            birth_date: self.birth_date().to_string(),
            sex: self.sex().code().to_owned(),
            address: self.address().to_owned(),
        })
    }

    fn from_raw(raw: Option<ItemsMessage>) -> Option<Self> {
        let ItemsMessage { name, kana, birth_date, sex, address } = raw?;
        let (birth_date, sex) = (BirthDate::parse(&birth_date).ok()??, Sex::parse(&sex).ok()??);
        Self::new(name, kana, birth_date, sex, address).ok()
    }
}

impl Raw<String> for MemberId {
    fn to_raw(&self) -> String {
        self.original().to_owned()
    }

    fn from_raw(raw: String) -> Option<Self> {
        Self::parse(&raw).ok()
    }
}

/// What the register says of a person, as it is stored.
struct RegisterValues {
    items: FiveItems,
}

stored!(RegisteredValues as RegisteredValuesMessage {
    #[prost(string, tag = "1")] member: String,
    #[prost(message, optional, tag = "2")] items: Option<ItemsMessage>,
});
stored!(RegisterValues as RegisterValuesMessage {
    #[prost(message, optional, tag = "1")] items: Option<ItemsMessage>,
});

/// Who asks, inside an institution, as it is stored.
struct ActorValues {
    id: String,
    role: String,
}

stored!(ActorValues as ActorValuesMessage {
    #[prost(string, tag = "1")] id: String,
    #[prost(string, tag = "2")] role: String,
});

/// Seals who asks, inside an institution, in one request.
pub(crate) fn seal_actor(
    key: &RegistrarKey,
    (institution, request): (InstitutionId, RequestId),
    (id, role): (&str, &str),
    random: &dyn Random,
) -> Bytes {
    let content = ActorValues { id: id.to_owned(), role: role.to_owned() }.encode();
    key.seal(PersonValue::Actor(institution, request), &content, random)
}

/// Seals what the register says of a person.
pub fn seal_register(key: &RegistrarKey, person: PersonId, items: &FiveItems, random: &dyn Random) -> Bytes {
    let content = zeroize::Zeroizing::new(RegisterValues { items: items.clone() }.encode().to_vec());
    key.seal(PersonValue::Register(person), &content, random)
}

/// Opens it.
///
/// # Errors
/// [`InvalidValue`].
pub fn open_register(key: &RegistrarKey, person: PersonId, sealed: &[u8]) -> Result<FiveItems, InvalidValue> {
    let content = key.open(PersonValue::Register(person), sealed)?;
    let values = RegisterValues::decode(&Bytes::copy_from_slice(&content)).map_err(|_| InvalidValue::Unreadable)?;
    Ok(values.items)
}

/// Seals what an insurer registered.
pub fn seal_registered(
    key: &RegistrarKey,
    binding: BindingId,
    values: &RegisteredValues,
    random: &dyn Random,
) -> Bytes {
    let content = zeroize::Zeroizing::new(values.encode().to_vec());
    key.seal(PersonValue::Registration(binding), &content, random)
}

/// Opens it.
///
/// # Errors
/// [`InvalidValue`].
pub fn open_registered(
    key: &RegistrarKey,
    binding: BindingId,
    sealed: &[u8],
) -> Result<RegisteredValues, InvalidValue> {
    let content = key.open(PersonValue::Registration(binding), sealed)?;
    RegisteredValues::decode(&Bytes::copy_from_slice(&content)).map_err(|_| InvalidValue::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, into: &mut [u8]) {
            into.fill(self.0);
        }
    }

    fn items() -> FiveItems {
        let birth_date = BirthDate::parse("1970-01-01").unwrap().unwrap();
        FiveItems::new("髙﨑 花子".into(), "ﾀｶｻｷ".into(), birth_date, Sex::Female, "本町１－２".into()).unwrap()
    }

    #[test]
    fn values_are_kept_as_they_were_written() {
        let (key, binding) = (RegistrarKey::from_bytes([1; 32]), BindingId::from_bytes([2; 16]));
        let member = MemberId::parse("06139877:あいう:１８７:05").unwrap();
        let sealed = seal_registered(&key, binding, &RegisteredValues { member, items: items() }, &Fixed(3));
        let RegisteredValues { member, items: read } = open_registered(&key, binding, &sealed).unwrap();
        assert_eq!(member.original(), "06139877:あいう:１８７:05");
        assert_eq!((read.name(), read.kana(), read.address()), ("髙﨑 花子", "ﾀｶｻｷ", "本町１－２"));
        assert_eq!((read.birth_date().to_string(), read.sex()), ("1970-01-01".to_owned(), Sex::Female));
        let person = PersonId::from_bytes([2; 16]);
        assert!(open_register(&key, person, &sealed).is_err(), "sealed as something else");
        let sealed = seal_register(&key, person, &items(), &Fixed(3));
        assert_eq!(open_register(&key, person, &sealed).unwrap().name(), "髙﨑 花子");
    }

    #[test]
    fn the_forms_inside_are_those_of_version_1() {
        let member = MemberId::parse("06139877:1:2:").unwrap();
        let text = [RegisteredValues { member, items: items() }.encode(), RegisterValues { items: items() }.encode()];
        let hex: String = text
            .iter()
            .map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
            .collect();
        assert!(hex == include_str!("../tests/fixtures/values-v1.txt"), "a stored form has changed:\n{hex}");
    }
}
