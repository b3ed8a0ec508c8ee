//! The one table of errors: every refusal that crosses a border, what it means and what to do about it.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use tonic::Code;

/// Why a request was refused. The name is stable: programs of others compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The replica asked does not lead its group.
    NotLeader,
    /// The caller routed by a slot map that is too old.
    StaleEpoch,
    /// The patient's slot lies in another group.
    WrongShard,
    /// The node holds as much work as it admits.
    Busy,
    /// The deadline passed before anything was proposed.
    DeadlineExceeded,
    /// The request was proposed, and whether it took effect is unknown.
    OutcomeUnknown,
    /// The clock of the process asked is off, so it neither leads nor opens.
    ClockOff,
    /// The group has no leader or no majority.
    Unavailable,
    /// The data disk is too full for this kind of request.
    DiskLow,
    /// The capability cannot be read, or no key of the cloud's vault signed it.
    CapabilityInvalid,
    /// The capability has expired.
    CapabilityExpired,
    /// The capability names another gateway.
    CapabilityOtherGateway,
    /// The capability was issued ahead of this node's clock.
    CapabilityNotYetValid,
    /// The capability does not allow this operation.
    CapabilityScope,
    /// The capability was revoked.
    CapabilityRevoked,
    /// The role in the caller's certificate may not call this.
    RoleNotAllowed,
    /// Caller and node belong to different clouds.
    CloudMismatch,
    /// A field is missing, malformed or out of its range.
    InvalidArgument,
    /// A field or a body is over its limit.
    TooLarge,
    /// Another version of the record is stored than the request expects.
    VersionConflict,
    /// The idempotency key was used for other content.
    IdempotencyConflict,
    /// The record was deleted.
    Deleted,
    /// Another version of the rules is set than the request expects.
    RulesConflict,
    /// The record or the patient holds as many of something as there can be.
    LimitReached,
    /// The cloud was founded before, by another request; or the vault was, and what the one asked held is lost.
    AlreadyBootstrapped,
    /// The cloud, or the vault, has not been founded.
    NotBootstrapped,
    /// A plan is under way already.
    JobUnderWay,
    /// No node may take a replica.
    NowhereToGo,
    /// The node works on another disk than the placement names for it.
    OtherDisk,
    /// A node's build cannot apply what the plan would have proposed, or does not say that it can.
    NodeOutdated,
    /// An order of a controller that another one has overtaken.
    StaleOrder,
    /// This build does not offer the operation.
    Unimplemented,
    /// The node could not read or write its own storage.
    InternalIo,
    /// The node is stopping.
    ShuttingDown,
    /// A budget of the vault, or of the key holder, is used up.
    BudgetExhausted,
    /// Evidence and purpose do not allow what is asked.
    EvidenceInsufficient,
    /// The opening cannot be read, or this vault did not seal it.
    OpeningInvalid,
    /// The opening has expired.
    OpeningExpired,
    /// The opening was given to another gateway.
    OpeningOtherGateway,
    /// The opening was not asked for this use.
    OpeningScope,
    /// There is no such record, or it is hidden or of a class that is not allowed: one answer for all three.
    NotFound,
    /// The reference does not open for this institution and patient.
    ReferenceInvalid,
    /// The continuation does not open for this institution, patient and query.
    ContinuationInvalid,
    /// What is stored does not open under the record's key, so no byte of it is given.
    IntegrityFailed,
    /// The ticket cannot be read, or no registrar signed it.
    TicketInvalid,
    /// The ticket is for another cloud.
    TicketOtherCloud,
    /// The ticket was given to another institution.
    TicketOtherInstitution,
    /// The ticket names another home cell.
    TicketOtherHomeCell,
    /// The ticket names another serving cell.
    TicketOtherCell,
    /// The ticket was minted under another epoch of pseudonym keys.
    TicketOtherEpoch,
    /// The ticket was issued ahead of the vault's clock.
    TicketNotYetValid,
    /// The ticket has expired.
    TicketExpired,
    /// The patient did not consent to the category.
    TicketCategory,
    /// The key holder gives or uses no ticket keys of this day now.
    KeyDayRefused,
    /// The key holder has no factor of this cloud and epoch.
    KeyEpochUnknown,
    /// The directory cannot be read, or too few officers signed it.
    DirectoryInvalid,
    /// A directory as new is held, or this one goes back behind it.
    DirectoryNotNewer,
    /// The directory's first moment lies ahead of this process's clock.
    DirectoryNotYetValid,
    /// The process has no directory yet.
    DirectoryMissing,
    /// The directory names no institution with the key of this certificate.
    InstitutionNotEnrolled,
    /// The directory denies the institution, its cell or its cloud.
    InstitutionDenied,
    /// The cell does not serve this institution in this cloud.
    CellNotServing,
    /// The actor is not signed, cannot be read, or no key of the institution signed it.
    ActorInvalid,
    /// The actor was signed for another cloud.
    ActorOtherCloud,
    /// The actor was signed by another institution.
    ActorOtherInstitution,
    /// The actor was signed ahead of this process's clock.
    ActorNotYetValid,
    /// The actor has expired.
    ActorExpired,
    /// The actor's role does not allow this.
    ActorRole,
    /// The actor has to log in once more for this.
    ActorStepUp,
    /// The institution went beyond a budget of breadth, and is locked.
    InstitutionLocked,
    /// The vault has not been given all ticket keys of the ticket's day.
    TicketKeysMissing,
    /// The document is about somebody else than the ticket.
    PatientMismatch,
    /// The document says nothing that its patient could be told by.
    PatientUnproven,
    /// The statement cannot be read, is not signed by a key of this insurer, or is about a member id of another one.
    StatementInvalid,
    /// The statement was signed too long ago, or ahead of the registrar's clock.
    StatementStale,
    /// The two entries of a registration differ: one of them is mistyped.
    EntriesDiffer,
    /// The registration was entered once, and is not known already.
    EntryUnconfirmed,
    /// The register of residents does not know the person as registered, and another is bound to the member id.
    RegisterMismatch,
    /// The register of residents did not answer, and only it could tell.
    RegisterSilent,
    /// The insurer has nobody with this member id and birth date.
    BindingUnknown,
    /// The person of this member id is not settled.
    BindingNotSettled,
    /// Nobody can be checked in on what was shown: who is unknown and who cannot be linked are refused alike.
    PatientUnknown,
    /// The card or its proof cannot be read, or a signature does not hold.
    CardInvalid,
    /// The card is no longer valid.
    CardExpired,
    /// The card was shown to another institution.
    CardOtherInstitution,
    /// The proof of the card is not of this moment.
    CardStale,
    /// The proof of the card was used before.
    CardUsed,
    /// Neither consent to read nor a basis to write was given.
    NothingGranted,
    /// The institution has no such grant.
    GrantUnknown,
    /// The grant has ended.
    GrantEnded,
    /// A key holder did not do its part of a ticket in time.
    KeyholderUnavailable,
    /// The document has no bytes.
    DocumentEmpty,
    /// The document is not UTF-8.
    DocumentNotUtf8,
    /// A byte order mark stands in front of the document.
    DocumentByteOrderMark,
    /// A string of the document holds the character U+0000.
    DocumentNulCharacter,
    /// The document is not JSON by RFC 8259.
    DocumentMalformedJson,
    /// An escape in the document is half of a surrogate pair.
    DocumentLoneSurrogate,
    /// Objects and arrays of the document are nested more than 64 levels deep.
    DocumentTooDeep,
    /// An object of the document has one name twice.
    DocumentDuplicateName,
    /// An object of the document has more than 256 names.
    DocumentTooManyMembers,
    /// Something follows the document.
    DocumentTrailingData,
    /// The document is no object with a resourceType.
    DocumentNotAResource,
    /// A resource of the document holds a photo.
    DocumentPhoto,
    /// An identifier of the document has the form of a My Number.
    DocumentMyNumber,
    /// An attachment of the document names an external url and holds no data.
    DocumentExternalAttachment,
    /// A resource of the document is about another patient than the document.
    DocumentOtherPatient,
    /// This kind of resource is not taken alone.
    DocumentResourceNotTaken,
    /// The Bundle is not of type document.
    DocumentBundleTypeNotTaken,
    /// The document Bundle has no Composition, or several.
    DocumentNotOneComposition,
    /// The type of the Composition is not taken.
    DocumentDocumentTypeNotTaken,
    /// The document names Japanese profiles, none of which is taken.
    DocumentProfileNotTaken,
    /// A member id in the document has a wrong form or check digit.
    DocumentInvalidMemberId,
    /// An insurer number in the document has a wrong form or check digit.
    DocumentInvalidInsurerNumber,
    /// The document's own identifier begins with a wrong institution number.
    DocumentInvalidInstitutionNumber,
    /// The prescription number has a wrong form or check digit.
    DocumentInvalidPrescriptionNumber,
    /// A birth date in the document is no date.
    DocumentInvalidBirthDate,
    /// A gender in the document is not of FHIR.
    DocumentInvalidSex,
    /// A date in the document is no date.
    DocumentInvalidDate,
    /// No date tells the month of the record.
    DocumentMissingDate,
    /// A field of the document is missing without which the record says nothing.
    DocumentMissingField,
}

/// What becomes of a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// No retry helps.
    No,
    /// The same request to the same node, after at least this wait.
    After(Duration),
    /// The same request, after at least this wait, to where the refusal or a fresh slot map points.
    AfterRefresh(Duration),
    /// A new request, made from what has changed: a fresh capability, or the version that is stored.
    NewRequest,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ErrorRow {
    /// The code that this row describes.
    pub code: ErrorCode,
    /// Stable snake_case name.
    pub name: &'static str,
    /// The gRPC status code that it travels under.
    pub grpc: Code,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    /// What the caller does next, in one sentence.
    pub next: &'static str,
    /// What becomes of a retry.
    pub retry: Retry,
}

impl ErrorCode {
    /// Every row, in the order of the codes.
    pub const TABLE: &[ErrorRow] = &table::ROWS;

    /// The row of this code.
    pub const fn row(self) -> &'static ErrorRow {
        &table::ROWS[self as usize]
    }

    /// The stable snake_case name.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The gRPC status code that it travels under.
    pub const fn grpc(self) -> Code {
        self.row().grpc
    }

    /// What becomes of a retry.
    pub const fn retry(self) -> Retry {
        self.row().retry
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no code of this build. The name came from outside and is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name of an unknown error code")]
pub struct UnknownErrorCode;

impl FromStr for ErrorCode {
    type Err = UnknownErrorCode;

    fn from_str(name: &str) -> Result<Self, UnknownErrorCode> {
        Self::TABLE.iter().find(|row| row.name == name).map(|row| row.code).ok_or(UnknownErrorCode)
    }
}

impl fmt::Display for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::After(wait) => write!(f, "same request, after {} ms or more", wait.as_millis()),
            Self::AfterRefresh(wait) if wait.is_zero() => f.write_str("same request, rerouted, at once"),
            Self::AfterRefresh(wait) => write!(f, "same request, rerouted, after {} ms or more", wait.as_millis()),
            Self::NewRequest => f.write_str("as a new request"),
        }
    }
}

/// The table as Markdown: the whole content of `docs/ERRORS.md`.
pub fn error_table_markdown() -> String {
    let mut text = String::from(MARKDOWN_HEAD);
    for ErrorRow { code: _, name, grpc, meaning, next, retry } in ErrorCode::TABLE {
        writeln!(text, "| `{name}` | {grpc:?} | {meaning} | {next} | {retry} |").expect("a String takes all text");
    }
    text
}

const MARKDOWN_HEAD: &str = "\
# Errors

Generated from `crates/wire/src/error_code/table.rs` by `cargo run --release -p renkei-wire --example refresh`; a test compares them.

A refusal carries the code's name, and where they apply a wait in milliseconds, the node that leads, the newest slot map's
epoch, the version that is stored and the field that was refused. Where a call ends with it, the details of the gRPC status
are a `google.rpc.Status` whose one detail is a `renkei.node.v1.Refusal` (docs/INTEGRATION.md reads one); inside a stream of
many calls it is the reply of its own. A wait in the refusal goes before the one here.

| code | gRPC | meaning | what to do | retry |
|---|---|---|---|---|
";

mod documents;
mod registrar;
mod table;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_row_stands_at_the_place_of_its_code() {
        for (place, row) in ErrorCode::TABLE.iter().enumerate() {
            assert_eq!(row.code as usize, place, "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique_snake_case_and_read_back() {
        let mut seen = HashSet::new();
        for row in ErrorCode::TABLE {
            assert!(seen.insert(row.name), "{} twice", row.name);
            assert!(row.name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{}", row.name);
            assert_eq!(row.name.parse(), Ok(row.code));
        }
        assert_eq!("no_such_code".parse::<ErrorCode>(), Err(UnknownErrorCode));
    }

    #[test]
    fn meaning_and_next_step_are_one_sentence_that_fits_a_table_cell() {
        for row in ErrorCode::TABLE {
            for text in [row.meaning, row.next] {
                assert!(text.ends_with('.') && !text.contains(['|', '\n']), "{}: {text}", row.name);
                assert_eq!(text.matches(". ").count(), 0, "{}: {text}", row.name);
            }
        }
    }

    #[test]
    fn no_code_travels_as_a_success() {
        assert!(ErrorCode::TABLE.iter().all(|row| row.grpc != Code::Ok));
    }
}
