use renkei_records::{FiveItems, Sex};

use super::InvalidRegistrarMessage as Invalid;
use super::insured::{birth, member};
use crate::pb::registrar::v1 as pb;
use crate::registrar::{Entry, Registration};

impl TryFrom<pb::Registration> for Registration {
    type Error = Invalid;

    fn try_from(message: pb::Registration) -> Result<Self, Invalid> {
        let pb::Registration { entry, again, from_day, until_day } = message;
        Ok(Self {
            entry: entry.ok_or(Invalid::Malformed("entry"))?.try_into()?,
            again: again.map(Entry::try_from).transpose()?,
            from_day,
            until_day,
        })
    }
}

impl From<Registration> for pb::Registration {
    fn from(registration: Registration) -> Self {
        let Registration { entry, again, from_day, until_day } = registration;
        Self { entry: Some(entry.into()), again: again.map(Into::into), from_day, until_day }
    }
}

impl TryFrom<pb::Entry> for Entry {
    type Error = Invalid;

    fn try_from(message: pb::Entry) -> Result<Self, Invalid> {
        let pb::Entry { member_id, items } = message;
        Ok(Self { member: member(&member_id)?, items: five_items(items.ok_or(Invalid::Malformed("items"))?)? })
    }
}

impl From<Entry> for pb::Entry {
    fn from(entry: Entry) -> Self {
        let Entry { member, items } = entry;
        Self { member_id: member.original().to_owned(), items: Some(five_items_message(&items)) }
    }
}

pub(super) fn five_items(message: pb::FiveItems) -> Result<FiveItems, Invalid> {
    let pb::FiveItems { name, kana, birth_date, sex, address } = message;
    let sex = Sex::parse(&sex).ok().flatten().ok_or(Invalid::Malformed("items.sex"))?;
    Ok(FiveItems::new(name, kana, birth(&birth_date)?, sex, address)?)
}

pub(super) fn five_items_message(items: &FiveItems) -> pb::FiveItems {
    pb::FiveItems {
        name: items.name().to_owned(),
        kana: items.kana().to_owned(),
        birth_date: items.birth_date().to_string(),
        sex: items.sex().code().to_owned(),
        address: items.address().to_owned(),
    }
}
