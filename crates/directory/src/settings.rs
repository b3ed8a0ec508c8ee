//! Whose signatures a process goes by, as configured.

use renkei_access::{Officers, VerifyingKey};
use renkei_runtime::InvalidConfig;
use serde::{Deserialize, Serialize};

/// `[directory]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectorySettings {
    /// The officers' Ed25519 public keys, 64 hexadecimal digits each: 1 to 16. They are in every process's own
    /// configuration, never in a directory.
    pub officers: Vec<String>,
    /// How many of them must sign a directory.
    pub needed: usize,
}

impl DirectorySettings {
    /// The officers.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn officers(&self) -> Result<Officers, InvalidConfig> {
        let invalid = |rule| InvalidConfig { key: "directory.officers", rule };
        let keys: Option<Vec<_>> = self.officers.iter().map(|text| VerifyingKey::from_hex(text)).collect();
        let keys = keys.ok_or(invalid("must be public keys of 64 hexadecimal digits each"))?;
        Officers::new(self.needed, keys)
            .map_err(|_| invalid("must be 1 to 16, each once, and directory.needed 1 to as many as there are"))
    }
}

#[cfg(test)]
mod tests {
    use renkei_access::StatementKey;

    use super::*;

    #[test]
    fn officers_are_keys_and_as_many_as_must_sign() {
        let key = |seed: u8| StatementKey::from_seed(&[seed; 32]).verifying_key().to_hex();
        let rule = |officers: &[String], needed| {
            DirectorySettings { officers: officers.to_vec(), needed }
                .officers()
                .map(|_| ())
                .map_err(|invalid| invalid.key)
        };
        assert_eq!(rule(&[key(1), key(2), key(3)], 2), Ok(()));
        for (officers, needed) in [
            (vec![], 0),
            (vec![], 1),
            (vec![key(1)], 0),
            (vec![key(1)], 2),
            (vec![key(1), key(1)], 1),
            (vec!["1".repeat(63)], 1),
        ] {
            assert_eq!(rule(&officers, needed), Err("directory.officers"), "{needed} of {}", officers.len());
        }
    }
}
