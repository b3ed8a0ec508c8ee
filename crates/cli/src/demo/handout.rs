//! What a client of the running demo needs: certificates, connection files, a ticket, an actor and a document.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_launch::TlsFiles;
use renkei_population::DocumentKind;

use super::acts::note;
use super::check_in::{Desk, Who};
use super::cloud::DemoCloud;
use super::corpus;
use crate::failure::Failure;

/// Who acts for a client.
const ACTOR: &str = "dr-1";
/// Pause between two looks at how old the ticket is.
const LOOK: Duration = Duration::from_secs(60);

/// A directory that was handed out, and whose ticket lies in it.
#[derive(Debug)]
pub(super) struct Handout {
    dir: PathBuf,
    patient: Who,
}

/// Writes the directory; files of an earlier demo are replaced.
pub(super) async fn write(dir: &Path, cloud: &DemoCloud, desk: &Desk) -> Result<Handout, Failure> {
    let failed = |source| Failure::Write { path: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    profile(dir, "institution", cloud.institution(), &[cloud.gateway()])?;
    profile(dir, "operator", &cloud.operator()?, &cloud.nodes())?;
    let person = corpus::person(corpus::UNSEEN);
    let handout = Handout { dir: dir.to_owned(), patient: desk.resident(person) };
    handout.put_ticket(desk).await?;
    private(&dir.join("actor"), desk.sign_actor(ACTOR)?.as_bytes())?;
    private(&dir.join("prescription.json"), &corpus::population().document(person, DocumentKind::Prescription, 1))?;
    Ok(handout)
}

/// Keeps the ticket good for as long as nothing fails.
pub(super) async fn keep(handout: Option<&Handout>, desk: &Desk) -> Failure {
    let Some(handout) = handout else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(failure) = handout.put_ticket(desk).await {
            return failure;
        }
    }
}

impl Handout {
    /// The patient's ticket, renewed if it is old, in place of the one that is there.
    async fn put_ticket(&self, desk: &Desk) -> Result<(), Failure> {
        let ticket = desk.ticket(self.patient).await?;
        let (path, next) = (self.dir.join("ticket"), self.dir.join("ticket.next"));
        private(&next, ticket.as_bytes())?;
        fs::rename(&next, &path).map_err(|source| Failure::Write { path, source })
    }
}

/// `NAME.toml` for `--config`, and the files that it names.
fn profile(
    dir: &Path,
    name: &str,
    TlsFiles { certificate, key, ca }: &TlsFiles,
    endpoints: &[impl ToString],
) -> Result<(), Failure> {
    let names = [(certificate, format!("{name}.pem")), (key, format!("{name}.key")), (ca, "ca.pem".to_owned())];
    for (from, to) in &names {
        let bytes = fs::read(from).map_err(|source| Failure::Read { path: from.to_path_buf(), source })?;
        private(&dir.join(to), &bytes)?;
    }
    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    let text =
        format!("endpoints = {endpoints:?}\ncertificate = \"{name}.pem\"\nkey = \"{name}.key\"\nca = \"ca.pem\"\n");
    private(&dir.join(format!("{name}.toml")), text.as_bytes())
}

/// For its owner only.
fn private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
    };
    written().map_err(|source| Failure::Write { path: path.to_owned(), source })
}

/// Says how to use the cloud while it stays.
pub(super) fn tell(cloud: &DemoCloud, handout: Option<&Handout>) {
    note(format_args!("\nThe cloud runs; its gateway is {}. Ctrl-C ends it.", cloud.gateway()));
    let Some(Handout { dir, .. }) = handout else {
        note("Start the demo with --client DIR for certificates to use it with.");
        return;
    };
    let dir = dir.display();
    let renkei = std::env::current_exe().unwrap_or_else(|_| "renkei".into());
    let renkei = renkei.display();
    note(format_args!(
        "Put a prescription, from another terminal:\n\n  \
         {renkei} put {dir}/prescription.json --idempotency-key first \\\n    \
         --config {dir}/institution.toml --ticket {dir}/ticket --signed-actor {dir}/actor\n"
    ));
}
