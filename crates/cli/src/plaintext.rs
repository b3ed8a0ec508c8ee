//! `renkei scan`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::arguments::ScanSettings;
use crate::control::Control;
use crate::documents;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::scan::{self, Findings, Part, Tokens};

/// Hits that are listed.
const LISTED: usize = 20;

#[derive(Debug, Serialize)]
struct Report {
    tokens: usize,
    plaintext_hits: u64,
    tokens_found: usize,
    /// Of the control; absent without documents.
    plaintext_control_hits: Option<u64>,
    control_tokens_found: Option<usize>,
    files: u64,
    databases: u64,
    pairs: u64,
    bytes: u64,
    cut_frames: u64,
    /// Looked at as files only.
    unopened: Vec<PathBuf>,
    first_hits: Vec<Place>,
}

/// Where a token was found. The token itself is not shown: it may be a patient's.
#[derive(Debug, Serialize)]
struct Place {
    path: PathBuf,
    part: &'static str,
    family: Option<String>,
    inflated: bool,
}

/// Looks for the tokens in the directory, and in the control where there are documents.
pub(crate) fn scan(settings: &ScanSettings, output: Output) -> Result<Exit, Failure> {
    let mut texts = match &settings.tokens {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path.clone(), source })?;
            text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
        }
        None => Vec::new(),
    };
    let mut control = None;
    if let Some(dir) = &settings.documents {
        let mut made = Control::create().map_err(|source| Failure::Control { source })?;
        let failed = |source| Failure::Documents { dir: dir.clone(), source };
        for path in documents::files_below(dir).map_err(failed)? {
            for document in documents::read(dir, &path).map_err(failed)? {
                texts.extend(document.texts());
                made.store(&document.bytes).map_err(|source| Failure::Control { source })?;
            }
        }
        control = Some(made);
    }
    let tokens = Tokens::new(texts).map_err(|source| Failure::Tokens { source })?;
    let control = control.map(|made| made.scan(&tokens)).transpose().map_err(|source| Failure::Control { source })?;
    // Where the list lies in the directory it names its own texts.
    let except = settings.tokens.as_deref().and_then(|list| list_within(list, &settings.dir));
    let findings = scan::scan(&settings.dir, &tokens, except.as_deref())
        .map_err(|source| Failure::Scan { dir: settings.dir.clone(), source })?;
    let report = Report::of(&tokens, findings, control.as_ref());
    output.print(&report)?;
    // A control that finds nothing means that the search proves nothing.
    let clean = report.plaintext_hits == 0 && report.plaintext_control_hits != Some(0);
    Ok(if clean { Exit::Done } else { Exit::Integrity })
}

/// The path of the list as a walk through the directory meets it; `None` where it does not.
fn list_within(list: &Path, dir: &Path) -> Option<PathBuf> {
    let (list, root) = (list.canonicalize().ok()?, dir.canonicalize().ok()?);
    list.strip_prefix(&root).ok().map(|below| dir.join(below))
}

impl Report {
    fn of(tokens: &Tokens, findings: Findings, control: Option<&Findings>) -> Self {
        let Findings { total, hits, tokens: found, files, databases, pairs, bytes, cut_frames, unopened } = findings;
        let place = |hit: scan::Hit| {
            let (part, family) = match hit.part {
                Part::File => ("file", None),
                Part::Key(family) => ("key", Some(family)),
                Part::Value(family) => ("value", Some(family)),
            };
            Place { path: hit.path, part, family, inflated: hit.inflated }
        };
        Self {
            tokens: tokens.texts().len(),
            plaintext_hits: total,
            tokens_found: found.len(),
            plaintext_control_hits: control.map(|control| control.total),
            control_tokens_found: control.map(|control| control.tokens.len()),
            files,
            databases,
            pairs,
            bytes,
            cut_frames,
            unopened: unopened.into_iter().map(|(path, _)| path).collect(),
            first_hits: hits.into_iter().take(LISTED).map(place).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "looked for {} texts in {} files, {} databases and {} pairs ({} bytes)",
            self.tokens, self.files, self.databases, self.pairs, self.bytes
        )?;
        writeln!(f, "found {} times, {} of the texts", self.plaintext_hits, self.tokens_found)?;
        if let (Some(hits), Some(found)) = (self.plaintext_control_hits, self.control_tokens_found) {
            writeln!(f, "control, unencrypted: found {hits} times, {found} of the texts")?;
        }
        for path in &self.unopened {
            writeln!(f, "not opened, looked at as files only: {}", path.display())?;
        }
        if self.cut_frames > 0 {
            writeln!(f, "{} compressed frames were looked at in part", self.cut_frames)?;
        }
        self.first_hits.iter().try_for_each(|place| {
            let family = place.family.as_deref().map(|family| format!(" of family {family}")).unwrap_or_default();
            let inflated = if place.inflated { ", compressed" } else { "" };
            writeln!(f, "  {}: {}{family}{inflated}", place.path.display(), place.part)
        })
    }
}
