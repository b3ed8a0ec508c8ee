//! The configuration of a key holder.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use renkei_ids::{CloudId, KeyHash, KeyholderId, PseudonymEpoch};
use renkei_runtime::{Config, InvalidConfig};
use serde::{Deserialize, Serialize};

use crate::budget::Limit;

/// What one key holder is told. Keys that are not here are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyholderConfig {
    /// Who it is.
    pub keyholder: Identity,
    /// Where it serves registrars and vaults.
    pub listen: Listen,
    /// Where its files are.
    pub data: Data,
    /// Its keys.
    pub keys: Keys,
    /// The clouds whose pseudonyms it has a part in: 32 hexadecimal digits each.
    pub clouds: BTreeMap<String, CloudSettings>,
}

/// `[keyholder]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its number among the federation's key holders, from 1; the name in its certificate.
    pub id: u32,
}

/// `[listen]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Address and port.
    pub address: SocketAddr,
}

/// `[data]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Directory of budgets and day secrets.
    pub dir: PathBuf,
}

/// `[keys]`: files that `renkei-keyholder setup` makes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Directory of `factors-<epoch>.key`.
    pub dir: PathBuf,
    /// The epochs in use: one, or two while keys are rotated.
    pub epochs: Vec<u32>,
    /// 32 bytes that only this host can read, and that all key files are sealed to.
    pub host_secret_file: PathBuf,
}

/// `[clouds.<id>]`
///
/// The default budgets are those of a cloud of 20 million people: 1.2 million visits a day, two tickets each, three times
/// the mean at the busiest. A breach of a registrar is held to them, so they are raised with care.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CloudSettings {
    /// The cloud's vaults, each by the SHA-256 of its certificate's public key, 64 hexadecimal digits: who gets ticket keys.
    /// Only under a development authority may there be none, for any vault of the cloud.
    pub vault_keys: Vec<String>,
    /// Points that one registrar may have translated for the cloud in a minute.
    pub minute: u32,
    /// In a day, which begins at 00:00 UTC.
    pub day: u32,
}

impl Default for CloudSettings {
    fn default() -> Self {
        Self { vault_keys: Vec::new(), minute: 15_000, day: 3_000_000 }
    }
}

/// A cloud as the service uses it.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    pub(crate) vault_keys: Vec<KeyHash>,
    pub(crate) limit: Limit,
}

impl Config for KeyholderConfig {
    fn validate(&self) -> Result<(), InvalidConfig> {
        let rule = |key, rule, holds: bool| if holds { Ok(()) } else { Err(InvalidConfig { key, rule }) };
        rule("keyholder.id", "must be at least 1", self.keyholder.id >= 1)?;
        let epochs = &self.keys.epochs;
        let follow = matches!(epochs[..], [_]) || matches!(epochs[..], [one, next] if one.checked_add(1) == Some(next));
        rule("keys.epochs", "must be one epoch from 1, or two that follow", follow && epochs[0] >= 1)?;
        self.clouds().map(|_| ())
    }
}

impl KeyholderConfig {
    pub(crate) fn number(&self) -> KeyholderId {
        KeyholderId(self.keyholder.id)
    }

    pub(crate) fn epochs(&self) -> impl Iterator<Item = PseudonymEpoch> {
        self.keys.epochs.iter().copied().map(PseudonymEpoch)
    }

    pub(crate) fn clouds(&self) -> Result<BTreeMap<CloudId, Cloud>, InvalidConfig> {
        let invalid = |rule| InvalidConfig { key: "clouds", rule };
        if self.clouds.is_empty() {
            return Err(invalid("must name one cloud at least"));
        }
        let cloud = |(id, settings): (&String, &CloudSettings)| {
            let CloudSettings { vault_keys, minute, day } = settings;
            let id = id.parse().map_err(|_| invalid("must be named by 32 hexadecimal digits each"))?;
            let vault_keys: Option<_> = vault_keys.iter().map(|text| key_hash(text)).collect();
            let vault_keys = vault_keys.ok_or(invalid("must name public keys by 64 hexadecimal digits each"))?;
            Ok((id, Cloud { vault_keys, limit: Limit { minute: *minute, day: *day } }))
        };
        self.clouds.iter().map(cloud).collect()
    }
}

fn key_hash(text: &str) -> Option<KeyHash> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    KeyHash::try_from(&bytes?[..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_named_by_64_digits_and_nothing_else() {
        assert_eq!(key_hash(&"5a".repeat(32)), Some(KeyHash::from_bytes([0x5A; 32])));
        for text in ["", &"5a".repeat(31), &"5a".repeat(33), &"5".repeat(63), &"g".repeat(64), &"+1".repeat(32)] {
            assert_eq!(key_hash(text), None, "{text}");
        }
    }
}
