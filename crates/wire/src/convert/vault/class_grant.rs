use renkei_envelope::{ClassKey, InvalidSecret};
use renkei_ids::{ClassTag, InvalidLength};

use super::super::copied;
use super::InvalidClass;
use crate::bounds::{InvalidSize, at_most};
use crate::limits::VAULT_MAX_YEARS;
use crate::pb::vault::v1 as pb;
use crate::vault::ClassGrant;

/// A class grant that no vault gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidClassGrant {
    /// There is no class.
    #[error("class of a grant is missing")]
    NoClass,
    /// The class.
    #[error("class of a grant")]
    Class(#[source] InvalidClass),
    /// The tag.
    #[error("tag of a class")]
    Tag(#[source] InvalidLength),
    /// Keys of more years than a period touches.
    #[error("keys of a class")]
    Size(#[source] InvalidSize),
    /// A year that no month lies in, or that does not follow the one before.
    #[error("year of a key")]
    Year,
    /// One of the keys.
    #[error("key of a class")]
    Key(#[source] InvalidSecret),
}

impl TryFrom<pb::ClassGrant> for ClassGrant {
    type Error = InvalidClassGrant;

    fn try_from(message: pb::ClassGrant) -> Result<Self, InvalidClassGrant> {
        let pb::ClassGrant { class, tag, keys: years } = message;
        at_most(years.len(), usize::from(VAULT_MAX_YEARS)).map_err(InvalidClassGrant::Size)?;
        let keys = years.into_iter().map(year_key).collect::<Result<Vec<_>, _>>()?;
        if !keys.windows(2).all(|pair| pair[0].0.checked_add(1) == Some(pair[1].0)) {
            return Err(InvalidClassGrant::Year);
        }
        Ok(Self {
            class: class.ok_or(InvalidClassGrant::NoClass)?.try_into().map_err(InvalidClassGrant::Class)?,
            tag: ClassTag::try_from(&tag[..]).map_err(InvalidClassGrant::Tag)?,
            keys,
        })
    }
}

fn year_key(message: pb::YearKey) -> Result<(u16, ClassKey), InvalidClassGrant> {
    let pb::YearKey { year, key } = message;
    let year = u16::try_from(year).map_err(|_| InvalidClassGrant::Year)?;
    Ok((year, ClassKey::try_from(&key[..]).map_err(InvalidClassGrant::Key)?))
}

impl From<ClassGrant> for pb::ClassGrant {
    fn from(grant: ClassGrant) -> Self {
        let ClassGrant { class, tag, keys } = grant;
        let year_key = |(year, key): (u16, ClassKey)| pb::YearKey { year: u32::from(year), key: copied(key.expose()) };
        Self { class: Some(class.into()), tag: copied(tag.as_bytes()), keys: keys.into_iter().map(year_key).collect() }
    }
}
