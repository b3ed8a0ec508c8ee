//! `renkei admin directory`, and what changes one: files go from hand to hand, and the last step publishes.

mod change;
mod differences;
mod file;
mod keepers;
mod layout;
mod shown;

use std::fmt;
use std::path::Path;

use renkei_access::{Directory, SignedDirectory};
use renkei_ids::{Clock as _, DirectoryVersion};
use renkei_runtime::SystemClock;
use renkei_wire::directory::{CurrentReply, CurrentRequest, PublishReply, PublishRequest};
use renkei_wire::pb::directory::v1 as pb;
use serde::Serialize;

use crate::arguments::{
    DirectoryCombineSettings, DirectoryCommand, DirectoryLayOutSettings, DirectoryPublishSettings,
    DirectoryShowSettings, DirectorySignSettings,
};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::statement_key::{self, Signer};
use keepers::{Client, KeeperLeader};
use shown::Shown;

pub(crate) use change::{allow_again, deny, enroll, surge};

/// A directory in force in a group.
#[derive(Debug, Serialize)]
struct Published {
    version: u64,
    by: String,
}

pub(crate) async fn directory(command: DirectoryCommand, output: Output) -> Result<Exit, Failure> {
    match command {
        DirectoryCommand::Show(settings) => show(settings, output).await,
        DirectoryCommand::LayOut(settings) => lay_out(&settings, output),
        DirectoryCommand::Sign(settings) => sign(&settings, output),
        DirectoryCommand::Combine(settings) => combine(&settings, output),
        DirectoryCommand::Publish(settings) => publish(settings, output).await,
    }
}

async fn show(settings: DirectoryShowSettings, output: Output) -> Result<Exit, Failure> {
    let DirectoryShowSettings { directory, against, output: into, keepers } = settings;
    let signed = match directory {
        Some(path) => file::read(&path)?.0,
        None => current(KeeperLeader::new(keepers)?).await?,
    };
    let read = signed.read_unverified().map_err(|source| Failure::Directory { path: None, source })?;
    let against = against.map(|path| file::read(&path)).transpose()?;
    if let Some(into) = &into {
        file::write(into, &signed)?;
    }
    output.print(&Shown::of(&signed, &read, against.as_ref().map(|(_, directory)| directory))?)?;
    Ok(Exit::Done)
}

async fn current(mut leader: KeeperLeader) -> Result<SignedDirectory, Failure> {
    let asked = pb::CurrentRequest::from(CurrentRequest(None));
    match leader.ask(async |mut client: Client| client.current(asked).await).await? {
        CurrentReply::Newer { directory, version: _ } => Ok(directory),
        CurrentReply::Nothing | CurrentReply::NotNewer(_) => Err(Failure::NoDirectory),
    }
}

fn lay_out(settings: &DirectoryLayOutSettings, output: Output) -> Result<Exit, Failure> {
    let DirectoryLayOutSettings { directory, layout, output: into } = settings;
    let before = directory.as_deref().map(file::read).transpose()?.map(|(_, directory)| directory);
    let layout = layout::Layout::read(layout)?;
    let entries = layout.applied_to(before.as_ref(), SystemClock::new().now())?;
    next(entries, before.as_ref(), into, output)
}

fn sign(settings: &DirectorySignSettings, output: Output) -> Result<Exit, Failure> {
    let DirectorySignSettings { directory, against, key, secret, output: into } = settings;
    let (signed, read) = file::read(directory)?;
    let against = against.as_deref().map(file::read).transpose()?;
    let key = statement_key::read(Signer::Officer, key, secret.as_deref())?;
    let signed = signed.sign(&key).map_err(|source| Failure::Directory { path: Some(directory.clone()), source })?;
    file::write(into, &signed)?;
    output.print(&Shown::of(&signed, &read, against.as_ref().map(|(_, directory)| directory))?)?;
    Ok(Exit::Done)
}

fn combine(settings: &DirectoryCombineSettings, output: Output) -> Result<Exit, Failure> {
    let DirectoryCombineSettings { signed: paths, output: into } = settings;
    let mut combined: Option<(SignedDirectory, Directory)> = None;
    for path in paths {
        let (signed, read) = file::read(path)?;
        combined = Some(match combined {
            None => (signed, read),
            Some((before, read)) => {
                let failed = |source| Failure::Directory { path: Some(path.clone()), source };
                (before.combine(&signed).map_err(failed)?, read)
            }
        });
    }
    let (signed, read) = combined.ok_or(Failure::NoDirectory)?;
    file::write(into, &signed)?;
    output.print(&Shown::of(&signed, &read, None)?)?;
    Ok(Exit::Done)
}

async fn publish(settings: DirectoryPublishSettings, output: Output) -> Result<Exit, Failure> {
    let DirectoryPublishSettings { directory, keepers } = settings;
    let (signed, _) = file::read(&directory)?;
    let mut leader = KeeperLeader::new(keepers)?;
    let request = pb::PublishRequest::from(PublishRequest(signed));
    let reply: PublishReply = leader.ask(async |mut client: Client| client.publish(request.clone()).await).await?;
    let PublishReply(DirectoryVersion(version)) = reply;
    output.print(&Published { version, by: leader.at().to_string() })?;
    Ok(Exit::Done)
}

/// Writes the next directory, signed by nobody, and shows what it changes.
fn next(
    mut entries: renkei_access::Entries,
    before: Option<&Directory>,
    into: &Path,
    output: Output,
) -> Result<Exit, Failure> {
    entries.sort();
    let failed = |source| Failure::Directory { path: None, source };
    let read = Directory::try_from(entries).map_err(failed)?;
    let signed = SignedDirectory::unsigned(&read).map_err(failed)?;
    file::write(into, &signed)?;
    output.print(&Shown::of(&signed, &read, before)?)?;
    Ok(Exit::Done)
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, by } = self;
        writeln!(f, "{by} holds directory {version}; publish it to every other vault and registrar too")
    }
}
