//! What is typed behind `put`, `replace`, `get`, `delete`, `timeline` and `audit`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use bytes::Bytes;
use renkei_envelope::{Category, Reference};
use renkei_ids::{AuditSeq, MonthBucket, RecordVersion};
use renkei_runtime::Address;
use renkei_wire::{limits, read_month};
use serde::Serialize;

use super::InvalidArgument;
use crate::connection::Connection;
use crate::hex::unhex;

/// Which patient, and who acts.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Visit {
    /// File with the patient's ticket for this cloud, byte for byte as the check-in gave it.
    #[arg(long, value_name = "FILE")]
    pub(crate) ticket: Option<PathBuf>,

    /// File with the patient's pseudonym, 64 hexadecimal digits: for development clouds, which take it in place of a
    /// ticket. A file, for every process of a host can read a command line.
    #[arg(long, value_name = "FILE", conflicts_with = "ticket", required_unless_present = "ticket")]
    pub(crate) patient: Option<PathBuf>,

    /// The gateway; without it, the first endpoint of the configuration.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) gateway: Option<Address>,

    /// File with who acts, as the institution signed it; sealed into the audit rows.
    #[arg(long, value_name = "FILE")]
    pub(crate) signed_actor: Option<PathBuf>,

    /// Who acts inside the institution: for development clouds without a directory, which believe it.
    #[arg(long, value_name = "ID", conflicts_with = "signed_actor", required_unless_present = "signed_actor")]
    pub(crate) actor: Option<String>,

    /// In which role.
    #[arg(long, default_value = "physician")]
    pub(crate) role: String,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PutSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) visit: Visit,

    /// The document, FHIR R4 JSON.
    #[arg(value_name = "FILE")]
    pub(crate) document: PathBuf,

    /// Repeating a put with the same key within 24 hours stores nothing twice; 1 to 64 bytes.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: String,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReplaceSettings {
    #[command(flatten)]
    pub(crate) put: PutSettings,
    #[command(flatten)]
    pub(crate) current: CurrentDocument,
}

/// A document, and the version of it that the caller has seen.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CurrentDocument {
    /// The document's reference, as `put` or `timeline` printed it.
    #[arg(long, value_name = "REFERENCE", value_parser = parse_reference)]
    pub(crate) reference: Reference,

    /// The version that is believed to be current; where it is not, nothing is changed.
    #[arg(long, value_parser = parse_version)]
    pub(crate) version: RecordVersion,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GetSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) visit: Visit,

    /// The document's reference, as `put` or `timeline` printed it.
    #[arg(value_name = "REFERENCE", value_parser = parse_reference)]
    pub(crate) reference: Reference,

    /// Which version; the current one by default.
    #[arg(long, value_parser = parse_version)]
    pub(crate) version: Option<RecordVersion>,

    /// Where to write the document; a file that is there is not replaced.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DeleteSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) visit: Visit,
    #[command(flatten)]
    pub(crate) current: CurrentDocument,

    /// Repeating it with the same key within 24 hours is harmless; 1 to 64 bytes.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: String,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TimelineSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) visit: Visit,

    /// A kind of document to show. May be repeated; without it, all kinds are shown.
    #[arg(long = "kind", value_enum)]
    pub(crate) kinds: Vec<Kind>,

    /// First month.
    #[arg(long, value_name = "YYYY-MM", value_parser = parse_month)]
    pub(crate) from: Option<MonthBucket>,

    /// Last month.
    #[arg(long, value_name = "YYYY-MM", value_parser = parse_month)]
    pub(crate) to: Option<MonthBucket>,

    /// Entries of one page, 1 to 200.
    #[arg(long, value_name = "N", default_value_t = limits::TIMELINE_MAX_ENTRIES,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(limits::TIMELINE_MAX_ENTRIES)))]
    pub(crate) page_entries: u16,

    /// Pages to show at most. Without it all are, but never more than 64 MiB of summaries: what follows them is shown
    /// by another call with `--continuation`.
    #[arg(long, value_name = "N")]
    pub(crate) pages: Option<NonZeroU32>,

    /// Goes on behind an earlier call with the same months and kinds, which printed this.
    #[arg(long, value_name = "HEX", value_parser = parse_continuation)]
    pub(crate) continuation: Option<Bytes>,
}

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// Shows who did what to a patient: the rows that this institution caused. Listing them leaves a row too. The text
    /// leaves out references and hashes, which `--json` has.
    List(AuditListSettings),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AuditListSettings {
    #[command(flatten)]
    pub(crate) connection: Connection,
    #[command(flatten)]
    pub(crate) visit: Visit,

    /// Only rows above this number. A call shows 64 MiB of rows at most, and tells where the next one is to begin.
    #[arg(long, value_name = "SEQ", default_value = "0", hide_default_value = true, value_parser = parse_seq)]
    pub(crate) after: AuditSeq,
}

/// Kinds of documents, as they are typed and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Drugs ordered.
    Prescription,
    /// A dose given, or not given.
    Vaccination,
    /// A stay in hospital.
    DischargeSummary,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Prescription => "prescription",
            Self::Vaccination => "vaccination",
            Self::DischargeSummary => "discharge_summary",
        }
    }
}

impl From<Kind> for Category {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Prescription => Self::Prescription,
            Kind::Vaccination => Self::Vaccination,
            Kind::DischargeSummary => Self::DischargeSummary,
        }
    }
}

impl From<Category> for Kind {
    fn from(category: Category) -> Self {
        match category {
            Category::Prescription => Self::Prescription,
            Category::Vaccination => Self::Vaccination,
            Category::DischargeSummary => Self::DischargeSummary,
        }
    }
}

fn parse_reference(text: &str) -> Result<Reference, InvalidArgument> {
    let bytes = unhex(text).ok_or(InvalidArgument::Reference)?;
    Reference::try_from(Bytes::from(bytes)).map_err(|_| InvalidArgument::Reference)
}

fn parse_version(text: &str) -> Result<RecordVersion, InvalidArgument> {
    text.parse().ok().and_then(RecordVersion::new).ok_or(InvalidArgument::Version)
}

fn parse_month(text: &str) -> Result<MonthBucket, InvalidArgument> {
    read_month(text).ok_or(InvalidArgument::Month)
}

fn parse_continuation(text: &str) -> Result<Bytes, InvalidArgument> {
    let bytes = unhex(text).filter(|bytes| (1..=limits::CONTINUATION_MAX_BYTES).contains(&bytes.len()));
    bytes.map(Bytes::from).ok_or(InvalidArgument::Continuation)
}

fn parse_seq(text: &str) -> Result<AuditSeq, InvalidArgument> {
    text.parse().map(AuditSeq).map_err(|_| InvalidArgument::Seq)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn a_kind_is_typed_shown_and_asked_for_by_one_word() {
        for kind in Kind::value_variants() {
            assert_eq!(Kind::from(Category::from(*kind)), *kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.to_possible_value().unwrap().get_name(), kind.as_str());
        }
    }

    #[test]
    fn references_versions_and_months_read_and_odd_ones_are_refused() {
        assert!(parse_reference(&"a1".repeat(Reference::LEN)).is_ok());
        for odd in ["", "a1", &"a1".repeat(Reference::LEN + 1), &"g1".repeat(Reference::LEN)] {
            assert_eq!(parse_reference(odd), Err(InvalidArgument::Reference), "{odd}");
        }
        assert_eq!(parse_version("1"), Ok(RecordVersion::FIRST));
        for odd in ["0", "-1", "", "4294967296"] {
            assert_eq!(parse_version(odd), Err(InvalidArgument::Version), "{odd}");
        }
        assert_eq!(parse_month("2026-11").ok(), MonthBucket::new(2026, 11).ok());
        assert_eq!(parse_month("2026-13"), Err(InvalidArgument::Month));
        for odd in ["", "0", &"00".repeat(limits::CONTINUATION_MAX_BYTES + 1)] {
            assert_eq!(parse_continuation(odd), Err(InvalidArgument::Continuation), "{odd}");
        }
    }
}
