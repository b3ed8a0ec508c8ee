//! The text of a key file: one key of a host, sealed to the host's secret.
//!
//! ```text
//! renkei vault key 1       service and version
//! purpose epoch
//! epoch 1
//! seal host                (or: none)
//! 4f5e…                    hexadecimal: the sealed form of 61 bytes, or the 32 bytes of the key itself
//! ```
//!
//! `seal host` is AES-256-GCM under a key derived from the host secret, bound to purpose and epoch. Whether `seal none`,
//! which the file's mode alone protects, is taken is for the service to say.

use core::fmt::Write as _;

use zeroize::Zeroizing;

use crate::{HostSecret, InvalidSealed, KeyEpoch, Random, SealedFileKey};

/// What a key file is: whose, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The service, as its first line says.
    pub service: &'static str,
    /// What the key is for. No two services share a purpose, for the seal is bound to it.
    pub purpose: &'static str,
}

/// A key as its file gave it.
#[derive(Debug)]
pub struct FileKey {
    /// The epoch in the file.
    pub epoch: KeyEpoch,
    /// The key.
    pub key: Zeroizing<[u8; 32]>,
    /// Whether the file was sealed to a host secret.
    pub sealed: bool,
}

/// Text that gives no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyFile {
    /// No key file of the service, or none of this version.
    #[error("no key file of this service, or none of this version")]
    Format,
    /// For something else.
    #[error("key file of another purpose")]
    OtherPurpose,
    /// Sealed, and there is no secret to open it with.
    #[error("sealed to a host secret, and none was given")]
    NoHostSecret,
    /// It does not open.
    #[error("key file does not open")]
    Sealed(#[from] InvalidSealed),
}

impl KeyFile {
    /// The text; without a host secret the key itself stands in it.
    pub fn text(
        self,
        epoch: KeyEpoch,
        key: &[u8; 32],
        host: Option<&HostSecret>,
        source: &dyn Random,
    ) -> Zeroizing<String> {
        let Self { service, purpose } = self;
        let sealed: Option<SealedFileKey> = host.map(|host| host.seal_file_key((purpose, epoch), key, source));
        let (seal, bytes) = match &sealed {
            Some(sealed) => ("host", &sealed.as_bytes()[..]),
            None => ("none", &key[..]),
        };
        // Of its full size from the start: a growing string would leave copies of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(256));
        write!(text, "renkei {service} key 1\npurpose {purpose}\nepoch {}\nseal {seal}\n", epoch.0)
            .and_then(|()| bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}")))
            .expect("a String takes all text");
        text.push('\n');
        text
    }

    /// Reads what [`KeyFile::text`] wrote.
    ///
    /// # Errors
    /// [`InvalidKeyFile`].
    pub fn read(self, bytes: &[u8], host: Option<&HostSecret>) -> Result<FileKey, InvalidKeyFile> {
        let text = core::str::from_utf8(bytes).map_err(|_| InvalidKeyFile::Format)?;
        let lines: Vec<&str> = text.lines().collect();
        let &[title, purpose, epoch, seal, key] = &lines[..] else { return Err(InvalidKeyFile::Format) };
        let service = title.strip_prefix("renkei ").and_then(|rest| rest.strip_suffix(" key 1"));
        if service != Some(self.service) {
            return Err(InvalidKeyFile::Format);
        }
        if purpose.strip_prefix("purpose ") != Some(self.purpose) {
            return Err(InvalidKeyFile::OtherPurpose);
        }
        let epoch = epoch.strip_prefix("epoch ").and_then(|number| number.parse().ok()).filter(|epoch| *epoch > 0);
        let epoch = KeyEpoch(epoch.ok_or(InvalidKeyFile::Format)?);
        let bytes = from_hex(key).ok_or(InvalidKeyFile::Format)?;
        match seal {
            "seal host" => {
                let host = host.ok_or(InvalidKeyFile::NoHostSecret)?;
                let sealed = bytes::Bytes::copy_from_slice(&bytes).try_into().map_err(|_| InvalidKeyFile::Format)?;
                let key = host.open_file_key((self.purpose, epoch), &sealed)?;
                Ok(FileKey { epoch, key, sealed: true })
            }
            "seal none" => {
                let key = bytes[..].try_into().map(Zeroizing::new).map_err(|_| InvalidKeyFile::Format)?;
                Ok(FileKey { epoch, key, sealed: false })
            }
            _ => Err(InvalidKeyFile::Format),
        }
    }
}

fn from_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Random for Fixed {
        fn fill(&self, into: &mut [u8]) {
            into.fill(0x5A);
        }
    }

    const VAULT: KeyFile = KeyFile { service: "vault", purpose: "epoch" };

    #[test]
    fn a_file_is_read_as_what_it_was_written_as_only() {
        let (host, other) = (HostSecret::from_bytes([1; 32]), HostSecret::from_bytes([2; 32]));
        for host in [None, Some(&host)] {
            let text = VAULT.text(KeyEpoch(3), &[4; 32], host, &Fixed);
            let read = VAULT.read(text.as_bytes(), host).unwrap();
            assert_eq!((read.epoch, *read.key, read.sealed), (KeyEpoch(3), [4; 32], host.is_some()));
            let refused = |kind: KeyFile| kind.read(text.as_bytes(), host).unwrap_err();
            assert_eq!(refused(KeyFile { service: "key holder", ..VAULT }), InvalidKeyFile::Format);
            assert_eq!(refused(KeyFile { purpose: "signing", ..VAULT }), InvalidKeyFile::OtherPurpose);
            let later = text.replace("epoch 3", "epoch 4");
            assert_eq!(VAULT.read(later.as_bytes(), host).is_ok(), host.is_none(), "the seal is bound to the epoch");
            for spoilt in [text.replace("key 1", "key 2"), text.replace("epoch 3", "epoch 0"), text.repeat(2)] {
                assert_eq!(VAULT.read(spoilt.as_bytes(), host).unwrap_err(), InvalidKeyFile::Format);
            }
        }
        let sealed = VAULT.text(KeyEpoch(3), &[4; 32], Some(&host), &Fixed);
        assert_eq!(VAULT.read(sealed.as_bytes(), None).unwrap_err(), InvalidKeyFile::NoHostSecret);
        let refused = VAULT.read(sealed.as_bytes(), Some(&other)).unwrap_err();
        assert_eq!(refused, InvalidKeyFile::Sealed(InvalidSealed::Tag));
        assert!(!sealed.contains("0404"), "the key does not stand in a sealed file");
    }
}
