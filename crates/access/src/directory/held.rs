//! The newest directory that a process has, and which other one it takes in its place.
//!
//! Who is told of a directory judges it with [`Held::judge`]. A replicated state machine then takes it with
//! [`Held::succeed`], which every replica decides alike: it asks neither officers nor a clock of its own.

use renkei_ids::{CloudId, DenyEpoch, DirectoryVersion, UnixMillis};

use super::{Directory, InvalidDirectory, Officers, SignedDirectory};

/// A directory and the bytes that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    signed: SignedDirectory,
    directory: Directory,
}

/// Why a directory is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is the one that is held.
    #[error("the directory is held already")]
    Known,
    /// It is no directory, or too few officers signed it.
    #[error(transparent)]
    Invalid(#[from] InvalidDirectory),
    /// One as new, or newer, is held.
    #[error("directory {offered} is not newer than {held}")]
    NotNewer {
        /// The version that is held.
        held: DirectoryVersion,
        /// The version that is not taken.
        offered: DirectoryVersion,
    },
    /// Its first moment lies more than [`Held::LEEWAY_MILLIS`] ahead.
    #[error("the directory is not valid yet")]
    NotYetValid,
    /// Its deny epoch is less than the one that is held, or who is denied has changed under the same one.
    #[error("the directory's deny epoch {offered} does not follow {held}")]
    DenyEpoch {
        /// The epoch that is held.
        held: DenyEpoch,
        /// The epoch that is not taken.
        offered: DenyEpoch,
    },
    /// It would take up a pseudonym epoch that the cloud has given up.
    #[error("the directory goes back to an earlier pseudonym epoch of cloud {0}")]
    PseudonymEpoch(CloudId),
}

impl Held {
    /// How far ahead of the verifier's clock a directory's first moment may lie.
    pub const LEEWAY_MILLIS: u64 = 60_000;

    /// A directory that enough officers signed and that follows the one before.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub fn judge(
        signed: SignedDirectory,
        officers: &Officers,
        before: Option<&Self>,
        now: UnixMillis,
    ) -> Result<Self, NotTaken> {
        let directory = signed.verify(officers)?;
        Self { signed, directory }.following(before, now)
    }

    /// A directory that was judged before it was proposed, at the proposal's moment.
    ///
    /// # Errors
    /// [`NotTaken`]; the signatures are not judged again.
    pub fn succeed(signed: SignedDirectory, before: Option<&Self>, now: UnixMillis) -> Result<Self, NotTaken> {
        Self::read_back(signed)?.following(before, now)
    }

    /// A directory that was taken before it was stored.
    ///
    /// # Errors
    /// [`InvalidDirectory`], for bytes that were spoilt since.
    pub fn read_back(signed: SignedDirectory) -> Result<Self, InvalidDirectory> {
        Ok(Self { directory: signed.read_unverified()?, signed })
    }

    /// As it travels and is stored.
    pub const fn signed(&self) -> &SignedDirectory {
        &self.signed
    }

    /// What it says.
    pub const fn directory(&self) -> &Directory {
        &self.directory
    }

    fn following(self, before: Option<&Self>, now: UnixMillis) -> Result<Self, NotTaken> {
        if self.directory.entries.valid_from > now.plus_millis(Self::LEEWAY_MILLIS) {
            return Err(NotTaken::NotYetValid);
        }
        let Some(before) = before else { return Ok(self) };
        if self.signed.same_entries(&before.signed) {
            return Err(NotTaken::Known);
        }
        self.directory.follows(&before.directory)?;
        Ok(self)
    }
}

impl Directory {
    /// Whether it may take another one's place.
    fn follows(&self, before: &Self) -> Result<(), NotTaken> {
        let (new, old) = (&self.entries, &before.entries);
        if new.version <= old.version {
            return Err(NotTaken::NotNewer { held: old.version, offered: new.version });
        }
        let changed = new.denied != old.denied;
        if new.deny_epoch < old.deny_epoch || (changed && new.deny_epoch == old.deny_epoch) {
            return Err(NotTaken::DenyEpoch { held: old.deny_epoch, offered: new.deny_epoch });
        }
        let earlier = |cloud: &&super::Cloud| before.cloud(cloud.id).is_some_and(|was| cloud.epoch < was.epoch);
        new.clouds.iter().find(earlier).map_or(Ok(()), |cloud| Err(NotTaken::PseudonymEpoch(cloud.id)))
    }
}
