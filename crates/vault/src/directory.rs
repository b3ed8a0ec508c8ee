//! The directory, which the vault keeps in its log: operators publish what officers signed, and gateways follow it here.

use std::sync::Arc;

use renkei_access::{Held, SignedDirectory};
use renkei_directory::Keeper;
use renkei_wire::Refusal;

use crate::serve::Vault;

/// The vault as a keeper of the directory.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) Arc<Vault>);

#[tonic::async_trait]
impl Keeper for Kept {
    fn held(&self) -> Option<Arc<Held>> {
        // A replica that is not there yet has none; one whose state does not read has ended the process.
        self.0.directory().ok().flatten()
    }

    async fn take(&self, directory: SignedDirectory) -> Result<(), Refusal> {
        self.0.direct(&directory).await
    }
}
