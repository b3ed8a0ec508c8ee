//! Takes a newer directory into the log, and answers for the one that is there.

use std::sync::Arc;

use renkei_access::{Held, SignedDirectory};
use renkei_directory::Keeper;
use renkei_wire::Refusal;

use super::refusals::refusal;
use super::{Registrar, blocking, damaged};
use crate::machine::RegistrarView;
use crate::state::{Command, Direct, Verdict, signed_directory};

/// The registrar as a keeper of the directory.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) Arc<Registrar>);

#[tonic::async_trait]
impl Keeper for Kept {
    fn held(&self) -> Option<Arc<Held>> {
        self.0.directory.held().ok()
    }

    async fn take(&self, directory: SignedDirectory) -> Result<(), Refusal> {
        let leading = self.0.leading()?;
        let command = Command::Direct(Direct { time: leading.time, signed: directory.as_bytes().clone() });
        let verdicts = self.0.decide(&leading, &command).await?;
        if let Some(Verdict::Refused(refused)) = verdicts.into_iter().next() {
            return Err(refusal(refused));
        }
        let registrar = Arc::clone(&self.0);
        blocking(move || registrar.read_directory()).await
    }
}

impl Registrar {
    /// Goes by the newest directory that this replica has applied.
    pub(crate) fn read_directory(&self) -> Result<(), Refusal> {
        let Ok(replica) = self.replica() else { return Ok(()) };
        let signed = signed_directory(&RegistrarView(replica.view())).map_err(|error| damaged(&error))?;
        let Some(signed) = signed else { return Ok(()) };
        let changed = self.directory.hold(signed).map_err(|error| damaged(&error))?;
        if changed && !self.directory.names_registrar(&self.keys.signing.verifying_key()) {
            tracing::error!("the directory does not name this registrar's signing key: no vault takes its tickets");
        }
        Ok(())
    }
}
