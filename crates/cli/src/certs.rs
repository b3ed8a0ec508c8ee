//! `renkei certs dev`.

use std::fmt;
use std::path::PathBuf;

use renkei_ids::Clock as _;
use renkei_launch::{Authority, Leaf, TlsFiles};
use renkei_runtime::SystemClock;
use serde::Serialize;

use crate::arguments::{CertsDevSettings, LeafName};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

const DAY_MILLIS: u64 = 86_400_000;

#[derive(Debug, Serialize)]
struct Issued {
    authority: PathBuf,
    /// Whether the authority was made by this call.
    new_authority: bool,
    certificates: Vec<Certificate>,
}

#[derive(Debug, Serialize)]
struct Certificate {
    role: &'static str,
    name: String,
    certificate: PathBuf,
    key: PathBuf,
}

/// Makes or opens the authority, and issues what is asked for.
pub(crate) fn dev(settings: &CertsDevSettings, output: Output) -> Result<Exit, Failure> {
    let CertsDevSettings { dir, cloud, issue, days } = settings;
    let failed = |source| Failure::Certificates { dir: dir.clone(), source };
    let now = SystemClock::new().now();
    // One that is there is never replaced: every certificate that it issued would stop being trusted.
    let new_authority = !dir.join("ca.key").exists();
    let authority = if new_authority { Authority::development(dir, now) } else { Authority::open(dir, now) };
    let authority = authority.map_err(failed)?;
    let mut certificates = Vec::new();
    for LeafName { role, name, hosts } in issue {
        let leaf = Leaf {
            hosts: hosts.clone(),
            ends: now.plus_millis(u64::from(*days) * DAY_MILLIS),
            ..Leaf::local(*cloud, *role, name.clone(), now)
        };
        let TlsFiles { certificate, key, ca: _ } = authority.issue(&leaf).map_err(failed)?;
        certificates.push(Certificate { role: role.as_str(), name: name.clone(), certificate, key });
    }
    output.print(&Issued { authority: authority.authority_file(), new_authority, certificates })?;
    Ok(Exit::Done)
}

impl fmt::Display for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority, new_authority, certificates } = self;
        let made = if *new_authority { "made" } else { "opened" };
        writeln!(f, "{made} the development authority {}", authority.display())?;
        certificates.iter().try_for_each(|issued| {
            writeln!(f, "issued {} {}: {}", issued.role, issued.name, issued.certificate.display())
        })
    }
}
