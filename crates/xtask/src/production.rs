//! Binaries as production gets them: built without the development features, they hold no marker of one.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;

use crate::stages::{Running, Stage, Verdict, show_log};
use crate::workspace::{AS_FOR_TESTS, Workspace};

pub(crate) const PRODUCTION: Stage = Stage { name: "production", first_guess: Duration::from_secs(120) };

/// Binaries that have development features, and what stands in them with one: their tests find it in the builds that have
/// it.
const MARKERS: [(&str, &str); 4] = [
    ("renkei-vault", "renkei-vault dev-insecure"),
    ("renkei-vault", FAULTS),
    ("renkei-gateway", "renkei-gateway dev-insecure"),
    ("renkei-node", FAULTS),
];
const FAULTS: &str = "renkei-faults armed";

/// Builds them and searches them. The build with the feature must come behind it, for it puts its binaries in their place.
pub(crate) fn search(workspace: &Workspace, running: &mut Running) -> anyhow::Result<(Verdict, String)> {
    let mut command = workspace.cargo();
    command.args(["build", "--release", "--workspace"]);
    let binaries = BTreeSet::from(MARKERS.map(|(binary, _)| binary));
    for binary in &binaries {
        command.args(["--bin", binary]);
    }
    command.args(AS_FOR_TESTS);
    let log = running.log();
    if !running.watch(&mut command, &log, Duration::MAX)?.success() {
        show_log(&log)?;
        return Ok((Verdict::Failed, String::new()));
    }
    let mut found = Vec::new();
    for (binary, marker) in MARKERS {
        let path = workspace.target_dir().join("release").join(binary);
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        found.extend(holds(&bytes, marker).then(|| format!("{marker} in {binary}")));
    }
    if found.is_empty() {
        return Ok((Verdict::Passed, format!("{} binaries", binaries.len())));
    }
    crate::complain(&format!("built without development features, and yet there is: {}", found.join(", ")));
    Ok((Verdict::Failed, String::new()))
}

fn holds(bytes: &[u8], marker: &str) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_marker_is_found_wherever_it_stands() {
        for (_, marker) in MARKERS {
            for text in [marker.to_owned(), format!("ab{marker}"), format!("{marker}: and more")] {
                assert!(holds(text.as_bytes(), marker));
            }
            assert!(!holds(&marker.as_bytes()[1..], marker));
        }
    }
}
