//! What an insurer enters, from the values to a command that holds tags and sealed values alone.

use renkei_envelope::{PersonSeed, Random};
use renkei_ids::{BindingId, PersonId};
use renkei_records::{FiveItems, MemberId};

use crate::keys::Keys;
use crate::register::{RegisterSilent, Resident, ResidentRegister, judge};
use crate::state::{Day, InsurerItem, Match, Nothing, Register, RegisterAnswer, SALT_BYTES, Say};
use crate::values::{RegisteredValues, seal_register, seal_registered};

/// One entry of a person.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The member id, whose check digits hold.
    pub member: MemberId,
    /// The five items.
    pub items: FiveItems,
}

/// A registration as it comes in.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The entry.
    pub entry: Entry,
    /// The same, entered once more by somebody who did not see the first.
    pub again: Option<Entry>,
    /// First day of eligibility.
    pub from: Day,
    /// First day without.
    pub until: Option<Day>,
}

/// The two entries are not alike: one of them is mistyped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the two entries of a registration differ")]
pub struct EntriesDiffer;

impl Registration {
    /// Whether it was entered twice.
    ///
    /// # Errors
    /// [`EntriesDiffer`], where it was and the two differ in a comparison form.
    pub fn entered_twice(&self) -> Result<bool, EntriesDiffer> {
        let Some(again) = &self.again else { return Ok(false) };
        let alike = self.entry.member.comparison_form() == again.member.comparison_form()
            && self.entry.items.comparison_form() == again.items.comparison_form();
        if alike { Ok(true) } else { Err(EntriesDiffer) }
    }

    /// Whom the register has with these items.
    ///
    /// # Errors
    /// [`RegisterSilent`].
    pub async fn ask(&self, register: &dyn ResidentRegister) -> Result<Option<Resident>, RegisterSilent> {
        let items = &self.entry.items;
        let form = items.comparison_form();
        let candidates = register.find(form.kana(), items.birth_date(), items.sex()).await?;
        Ok(judge(items, candidates))
    }

    /// The item of a command. `person` is who the resident is already.
    ///
    /// # Errors
    /// [`EntriesDiffer`].
    pub fn prepare(
        &self,
        keys: &Keys,
        answer: Result<Option<(Resident, Option<PersonId>)>, RegisterSilent>,
        random: &dyn Random,
    ) -> Result<InsurerItem, EntriesDiffer> {
        let entered_twice = self.entered_twice()?;
        let Self { entry: Entry { member, items }, again: _, from, until } = self;
        let key = &keys.registrar;
        let index = key.member(member.comparison_form());
        let binding = BindingId::from_bytes(draw(random));
        let values = RegisteredValues { member: member.clone(), items: items.clone() };
        let register = match answer {
            Ok(Some((resident, person))) => RegisterAnswer::Match(matched(keys, &resident, person, random)),
            Ok(None) => RegisterAnswer::Nobody(Nothing {}),
            Err(RegisterSilent) => RegisterAnswer::Silent(Nothing {}),
        };
        Ok(InsurerItem {
            salt: draw::<SALT_BYTES>(random),
            member: index,
            birth: key.birth(index, &items.birth_date().to_string()),
            say: Say::Register(Register {
                sex: key.sex(index, items.sex().code()),
                entered_twice,
                from: *from,
                until: *until,
                binding,
                registration: seal_registered(key, binding, &values, random),
                register,
            }),
        })
    }
}

/// A resident, and the person that she is, or becomes if she is none yet.
fn matched(keys: &Keys, resident: &Resident, person: Option<PersonId>, random: &dyn Random) -> Match {
    let Resident { code, items, protected } = resident;
    let person = person.unwrap_or_else(|| PersonId::from_bytes(draw(random)));
    Match {
        resident: keys.registrar.resident(code.as_bytes()),
        protected: *protected,
        person,
        seed: keys.seeds.seal((person, FIRST_GENERATION), &PersonSeed::random(random), random),
        values: seal_register(&keys.registrar, person, items, random),
        decoys: draw(random),
    }
}

/// The generation of a new person's seed.
const FIRST_GENERATION: u32 = 1;

/// So many random bytes.
pub(crate) fn draw<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
