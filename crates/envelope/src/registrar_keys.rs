//! The registrar's keys: what it knows of persons is sealed before it is replicated, and found by tags.

use bytes::Bytes;
use renkei_ids::{
    ActorTag, AttributeTag, BindingId, InstitutionId, MemberIndex, PersonId, PresenceTag, RequestId, ResidentIndex,
    TokenHash, UnixDay,
};
use zeroize::Zeroizing;

use crate::kdf::{Label, derive_key, derive_tag};
use crate::seal::{SEAL_OVERHEAD, open, open_secret, seal};
use crate::sealed::sealed_form;
use crate::secret::secret;
use crate::{DaySecret, InvalidSealed, Random};

const INDEX: Label = Label("renkei 2026-11 registrar key to index");
const VALUES: Label = Label("renkei 2026-11 registrar key to person values");
const SEEDS: Label = Label("renkei 2026-11 seed key to person seeds");
const SEED: Label = Label("renkei 2026-11 sealed person seed");
const REGISTER: Label = Label("renkei 2026-11 sealed register entry");
const REGISTRATION: Label = Label("renkei 2026-11 sealed registration");
const ACTOR: Label = Label("renkei 2026-11 sealed registrar actor");
const MEMBER: Label = Label("renkei 2026-11 member id index");
const RESIDENT: Label = Label("renkei 2026-11 resident index");
const BIRTH: Label = Label("renkei 2026-11 birth date tag");
const SEX: Label = Label("renkei 2026-11 sex tag");
const TOKEN: Label = Label("renkei 2026-11 token hash");
const ACTOR_TAG: Label = Label("renkei 2026-11 registrar actor tag");
const PRESENCE: Label = Label("renkei 2026-11 presence tag");
const CHECK: Label = Label("renkei 2026-11 registrar key check");
const SEED_CHECK: Label = Label("renkei 2026-11 seed key check");
const DAYS: Label = Label("renkei 2026-11 day key to day secrets");
const DAY: Label = Label("renkei 2026-11 sealed day secret");
const DAY_CHECK: Label = Label("renkei 2026-11 day key check");

secret!(
    /// The registrar's root: indexes and seals what it knows of persons. Not their seeds.
    RegistrarKey
);
secret!(
    /// Seals the seeds of persons, and nothing else; kept apart from the [`RegistrarKey`].
    SeedKey
);
secret!(
    /// Seals the secrets that the registrar's ticket keys of each day grow from, and nothing else.
    DayKey
);
secret!(
    /// What a person's pseudonyms grow from. Only the registrar has it.
    PersonSeed
);
sealed_form!(
    /// The secret of one day under the day key.
    SealedDaySecret, SEAL_OVERHEAD + 32
);
sealed_form!(
    /// A person's seed under the seed key.
    SealedPersonSeed, SEAL_OVERHEAD + 32
);

/// An insurer's printed secret: 128 random bits. Whoever holds it is taken for the patient.
#[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub struct Token([u8; 16]);

/// What a sealed value is about; it opens as nothing else.
#[derive(Clone, Copy, Debug)]
pub enum PersonValue {
    /// What the register of residents says of a person.
    Register(PersonId),
    /// What an insurer registered under a binding.
    Registration(BindingId),
    /// Who asked, inside an institution, in one request.
    Actor(InstitutionId, RequestId),
}

impl Token {
    /// The token that these bytes are.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A new one.
    pub fn random(source: &dyn Random) -> Self {
        Self(crate::random::random(source))
    }

    /// The bytes, for the one who prints them.
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl RegistrarKey {
    /// Under what a member id is found. `form` is its comparison form.
    pub fn member(&self, form: &str) -> MemberIndex {
        MemberIndex::from_bytes(self.tag(MEMBER, &[form.as_bytes()]))
    }

    /// Under what a resident is found.
    pub fn resident(&self, code: &[u8; 32]) -> ResidentIndex {
        ResidentIndex::from_bytes(self.tag(RESIDENT, &[code]))
    }

    /// A birth date, to be compared among the persons of one member id. Under two member ids one date has two tags.
    pub fn birth(&self, member: MemberIndex, date: &str) -> AttributeTag {
        AttributeTag::from_bytes(self.tag(BIRTH, &[member.as_bytes(), date.as_bytes()]))
    }

    /// A sex, likewise.
    pub fn sex(&self, member: MemberIndex, code: &str) -> AttributeTag {
        AttributeTag::from_bytes(self.tag(SEX, &[member.as_bytes(), code.as_bytes()]))
    }

    /// As what a token is kept.
    pub fn token(&self, token: &Token) -> TokenHash {
        TokenHash::from_bytes(self.tag(TOKEN, &[&token.0]))
    }

    /// Whose budget somebody inside an institution uses up.
    pub fn actor(&self, institution: InstitutionId, name: &str) -> ActorTag {
        ActorTag::from_bytes(self.tag(ACTOR_TAG, &[institution.as_bytes(), name.as_bytes()]))
    }

    /// As what a card's proof is remembered.
    pub fn presence(&self, card: &[u8; 16], nonce: &[u8; 16]) -> PresenceTag {
        PresenceTag::from_bytes(self.tag(PRESENCE, &[card, nonce]))
    }

    /// Whether two hosts have the same key is seen by this, and nothing else of it.
    pub fn check(&self) -> [u8; 16] {
        derive_tag(&self.0, CHECK, &[])
    }

    /// Seals a value of a person.
    pub fn seal(&self, about: PersonValue, content: &[u8], source: &dyn Random) -> Bytes {
        let key = derive_key(&self.0, VALUES, &[]);
        let (label, parts) = about.place();
        let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
        seal(&key, label, &parts, content, source).into()
    }

    /// Opens what [`RegistrarKey::seal`] sealed about the same.
    ///
    /// # Errors
    /// [`InvalidSealed`].
    pub fn open(&self, about: PersonValue, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, InvalidSealed> {
        let key = derive_key(&self.0, VALUES, &[]);
        let (label, parts) = about.place();
        let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
        open(&key, label, &parts, sealed)
    }

    fn tag(&self, label: Label, parts: &[&[u8]]) -> [u8; 16] {
        derive_tag(&derive_key(&self.0, INDEX, &[]), label, parts)
    }
}

impl PersonValue {
    fn place(self) -> (Label, Vec<[u8; 16]>) {
        match self {
            Self::Register(person) => (REGISTER, vec![*person.as_bytes()]),
            Self::Registration(binding) => (REGISTRATION, vec![*binding.as_bytes()]),
            Self::Actor(institution, request) => (ACTOR, vec![*institution.as_bytes(), *request.as_bytes()]),
        }
    }
}

impl SeedKey {
    /// Seals the seed of a person's generation.
    pub fn seal(
        &self,
        (person, generation): (PersonId, u32),
        seed: &PersonSeed,
        source: &dyn Random,
    ) -> SealedPersonSeed {
        let parts: [&[u8]; 2] = [person.as_bytes(), &generation.to_be_bytes()];
        SealedPersonSeed::new(seal(&self.wrap_key(), SEED, &parts, seed.expose(), source))
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another person or generation too.
    pub fn open(
        &self,
        (person, generation): (PersonId, u32),
        sealed: &SealedPersonSeed,
    ) -> Result<PersonSeed, InvalidSealed> {
        let parts: [&[u8]; 2] = [person.as_bytes(), &generation.to_be_bytes()];
        open_secret(&self.wrap_key(), SEED, &parts, sealed.as_bytes()).map(|seed| PersonSeed::from_bytes(*seed))
    }

    /// As [`RegistrarKey::check`].
    pub fn check(&self) -> [u8; 16] {
        derive_tag(&self.0, SEED_CHECK, &[])
    }

    fn wrap_key(&self) -> Zeroizing<[u8; 32]> {
        derive_key(&self.0, SEEDS, &[])
    }
}

impl DayKey {
    /// Seals the secret of a day.
    pub fn seal(&self, day: UnixDay, secret: &DaySecret, source: &dyn Random) -> SealedDaySecret {
        SealedDaySecret::new(seal(&self.wrap_key(), DAY, &[&day.0.to_be_bytes()], secret.expose(), source))
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`InvalidSealed`], for another day too.
    pub fn open(&self, day: UnixDay, sealed: &SealedDaySecret) -> Result<DaySecret, InvalidSealed> {
        let secret = open_secret(&self.wrap_key(), DAY, &[&day.0.to_be_bytes()], sealed.as_bytes())?;
        Ok(DaySecret::from_bytes(*secret))
    }

    /// As [`RegistrarKey::check`].
    pub fn check(&self) -> [u8; 16] {
        derive_tag(&self.0, DAY_CHECK, &[])
    }

    fn wrap_key(&self) -> Zeroizing<[u8; 32]> {
        derive_key(&self.0, DAYS, &[])
    }
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

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_value_opens_as_what_it_was_sealed_about_only() {
        let key = RegistrarKey::from_bytes([1; 32]);
        let about = PersonValue::Register(PersonId::from_bytes([2; 16]));
        let sealed = key.seal(about, b"value", &Fixed(3));
        assert_eq!(&key.open(about, &sealed).unwrap()[..], b"value");
        let others = [
            PersonValue::Register(PersonId::from_bytes([3; 16])),
            PersonValue::Registration(BindingId::from_bytes([2; 16])),
            PersonValue::Actor(InstitutionId::from_bytes([2; 16]), RequestId::from_bytes([2; 16])),
        ];
        for other in others {
            assert_eq!(key.open(other, &sealed).map(|_| ()), Err(InvalidSealed::Tag), "{other:?}");
        }
        assert!(RegistrarKey::from_bytes([9; 32]).open(about, &sealed).is_err());
    }

    #[test]
    fn a_seed_opens_for_its_person_and_generation_only() {
        let key = SeedKey::from_bytes([1; 32]);
        let person = PersonId::from_bytes([2; 16]);
        let sealed = key.seal((person, 1), &PersonSeed::from_bytes([3; 32]), &Fixed(4));
        assert!(key.open((person, 1), &sealed).unwrap() == PersonSeed::from_bytes([3; 32]));
        assert!(key.open((person, 2), &sealed).is_err());
        assert!(key.open((PersonId::from_bytes([9; 16]), 1), &sealed).is_err());
        assert_ne!(key.check(), SeedKey::from_bytes([2; 32]).check());
    }

    #[test]
    fn the_secret_of_a_day_opens_for_that_day_only() {
        let key = DayKey::from_bytes([1; 32]);
        let sealed = key.seal(UnixDay(20_000), &DaySecret::from_bytes([3; 32]), &Fixed(4));
        assert!(key.open(UnixDay(20_000), &sealed).unwrap() == DaySecret::from_bytes([3; 32]));
        assert!(key.open(UnixDay(20_001), &sealed).is_err());
        assert!(DayKey::from_bytes([2; 32]).open(UnixDay(20_000), &sealed).is_err());
        assert_ne!(key.check(), DayKey::from_bytes([2; 32]).check());
    }

    #[test]
    fn one_date_of_two_member_ids_cannot_be_told_to_be_one() {
        let key = RegistrarKey::from_bytes([1; 32]);
        let (one, other) = (key.member("06139877:1:2:"), key.member("06139877:1:3:"));
        assert_eq!(key.birth(one, "1970-01-01"), key.birth(one, "1970-01-01"));
        assert_ne!(key.birth(one, "1970-01-01"), key.birth(other, "1970-01-01"));
        assert_ne!(key.birth(one, "male"), key.sex(one, "male"));
    }

    #[test]
    fn tags_and_sealed_forms_are_those_of_version_1() {
        let (key, seeds) = (RegistrarKey::from_bytes([1; 32]), SeedKey::from_bytes([2; 32]));
        let member = key.member("06139877:1:2:");
        let person = PersonId::from_bytes([3; 16]);
        let text = [
            hex(member.as_bytes()),
            hex(key.resident(&[4; 32]).as_bytes()),
            hex(key.birth(member, "1970-01-01").as_bytes()),
            hex(key.sex(member, "male").as_bytes()),
            hex(key.token(&Token::from_bytes([5; 16])).as_bytes()),
            hex(key.actor(InstitutionId::from_bytes([6; 16]), "n1").as_bytes()),
            hex(key.presence(&[7; 16], &[8; 16]).as_bytes()),
            hex(&key.check()),
            hex(&key.seal(PersonValue::Register(person), b"value", &Fixed(9))),
            hex(&key.seal(PersonValue::Registration(BindingId::from_bytes([10; 16])), b"value", &Fixed(9))),
            hex(seeds.seal((person, 1), &PersonSeed::from_bytes([11; 32]), &Fixed(9)).as_bytes()),
            hex(&seeds.check()),
        ];
        let text = text.join("\n") + "\n";
        assert!(text == include_str!("../tests/fixtures/registrar-v1.txt"), "a form has changed:\n{text}");
    }
}
