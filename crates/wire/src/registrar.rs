//! What insurers, institutions and vaults ask of a registrar. Nothing here shows itself in `Debug`.

use std::time::Duration;

use renkei_access::{CollectionBasis, ConsentSet, ConsentText, PresentedCard, Purpose, Signed, SignedTicket};
use renkei_envelope::{TicketKey, Token};
use renkei_ids::{CloudId, GrantId, RequestId, UnixMillis};
use renkei_records::{BirthDate, FiveItems, MemberId};

use crate::Refusal;
use crate::record::Actor;
use crate::redacted::redacted;

/// What an insurer says of those it insures.
#[derive(Clone, PartialEq, Eq)]
pub struct RegisterRequest {
    /// The call.
    pub request: RequestId,
    /// How long the caller waits.
    pub deadline: Duration,
    /// 1 to [`REGISTRAR_MAX_ITEMS`](crate::limits::REGISTRAR_MAX_ITEMS) encoded [`InsurerStatement`]s, signed.
    pub statements: Vec<Signed>,
}

/// One thing that an insurer says.
#[derive(Clone)]
pub struct InsurerStatement {
    /// When it was signed.
    pub signed_at: UnixMillis,
    /// What.
    pub say: InsurerSays,
}

/// What an insurer says.
#[derive(Clone)]
pub enum InsurerSays {
    /// Somebody is insured.
    Register(Box<Registration>),
    /// The insurance ends: of whom, and the first day without.
    End(Insured, u32),
    /// A token is to be printed, which is taken until this moment.
    IssueToken(Insured, UnixMillis),
    /// No token is taken any more.
    RevokeToken(Insured),
}

/// Somebody is insured. Days are those of Japan, counted from 1 January 1970.
#[derive(Clone)]
pub struct Registration {
    /// Who.
    pub entry: Entry,
    /// The same, entered once more.
    pub again: Option<Entry>,
    /// First day of eligibility.
    pub from_day: u32,
    /// First day without.
    pub until_day: Option<u32>,
}

/// One entry of a person.
#[derive(Clone)]
pub struct Entry {
    /// The member id.
    pub member: MemberId,
    /// The five items.
    pub items: FiveItems,
}

/// Who is insured, as institutions and insurers name somebody.
#[derive(Clone)]
pub struct Insured {
    /// The member id.
    pub member: MemberId,
    /// The birth date.
    pub birth_date: BirthDate,
}

/// One result for each statement, in their order.
#[derive(Clone)]
pub struct RegisterReply(pub Vec<Result<Taken, Refusal>>);

/// A statement that is taken.
#[derive(Clone)]
pub enum Taken {
    /// A person is registered.
    Registered(Standing),
    /// The token, to be printed.
    Token(Token),
    /// It is done.
    Done,
}

/// How far a registration is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The register of residents has exactly this person.
    Settled,
    /// The register has not answered.
    Tentative,
    /// The register has nobody with these five items, or the member id is claimed for another person too.
    Quarantined,
}

/// Who asks at an institution.
#[derive(Clone, PartialEq, Eq)]
pub struct Asking {
    /// The call.
    pub request: RequestId,
    /// How long the caller waits.
    pub deadline: Duration,
    /// Who, inside the institution.
    pub actor: Actor,
}

/// Asks whether somebody is insured.
#[derive(Clone)]
pub struct CheckEligibilityRequest {
    /// Who asks.
    pub asking: Asking,
    /// Of whom.
    pub insured: Insured,
    /// What the patient says of herself.
    pub items: Option<FiveItems>,
}

/// Asks the same of many.
#[derive(Clone)]
pub struct BulkEligibilityRequest {
    /// Who asks.
    pub asking: Asking,
    /// Of whom: 1 to [`REGISTRAR_MAX_ITEMS`](crate::limits::REGISTRAR_MAX_ITEMS).
    pub insured: Vec<Insured>,
}

/// Whether somebody is insured.
#[derive(Clone)]
pub struct Eligibility {
    /// The answer.
    pub answer: Answer,
    /// First day without, where there is one.
    pub until_day: Option<u32>,
    /// The member id under which the person is insured now, where the asker may know.
    pub successor: Option<MemberId>,
}

/// What is answered of an eligibility. There is no other, and none says "invalid".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Insured today.
    Valid,
    /// No longer.
    Expired,
    /// Not yet.
    RegisteredNotYetActive,
    /// Registered, and not known for whom.
    CannotLink,
    /// Nobody is known with this member id and birth date.
    Unknown,
    /// The registrar has no majority.
    SystemUnavailable,
}

/// One result for each of a [`BulkEligibilityRequest`], in their order.
#[derive(Clone)]
pub struct BulkEligibilityReply(pub Vec<Result<Eligibility, Refusal>>);

/// Asks to have a patient checked in.
#[derive(Clone)]
pub struct CheckInRequest {
    /// Who asks.
    pub asking: Asking,
    /// What the patient shows.
    pub shown: Shown,
    /// What for.
    pub purpose: Purpose,
    /// What may be read.
    pub categories: ConsentSet,
    /// The text that was shown; 0 where nothing is to be read.
    pub text: ConsentText,
    /// Why something may be put.
    pub basis: Option<CollectionBasis>,
    /// How long the grant lasts.
    pub minutes: u32,
    /// Whether the patient is admitted.
    pub admission: bool,
}

/// What a patient shows.
#[derive(Clone)]
pub enum Shown {
    /// A card, and its proof.
    Card(PresentedCard),
    /// What an insurer printed.
    InsurerToken(Token),
    /// Member id and birth date.
    MemberId(Insured),
    /// Four items of identity.
    FourItem,
    /// Nothing.
    Unconscious,
    /// A delegation.
    Delegate,
}

/// Asks for new tickets.
#[derive(Clone, PartialEq, Eq)]
pub struct RenewRequest {
    /// Who asks.
    pub asking: Asking,
    /// Under which grant.
    pub grant: GrantId,
}

/// Somebody is checked in, or goes on.
#[derive(Clone)]
pub struct CheckedIn {
    /// Whether she is insured.
    pub eligibility: Eligibility,
    /// Renews tickets.
    pub grant: GrantId,
    /// The first moment after the grant.
    pub grant_ends: UnixMillis,
    /// One for each cloud of the footprint, at most
    /// [`REGISTRAR_MAX_CLOUDS`](crate::limits::REGISTRAR_MAX_CLOUDS).
    pub tickets: Vec<CloudTicket>,
}

/// A cloud and its ticket, or why there is none.
#[derive(Clone)]
pub struct CloudTicket {
    /// The cloud.
    pub cloud: CloudId,
    /// Its ticket.
    pub ticket: Result<SignedTicket, Refusal>,
}

/// The registrar's ticket key, as a vault asks for it by its day.
#[derive(Clone, PartialEq, Eq)]
pub struct RegistrarTicketKey(pub TicketKey);

redacted! {
    RegisterRequest
    InsurerStatement
    InsurerSays
    Registration
    Entry
    Insured
    RegisterReply
    Taken
    Asking
    CheckEligibilityRequest
    BulkEligibilityRequest
    Eligibility
    BulkEligibilityReply
    CheckInRequest
    Shown
    RenewRequest
    CheckedIn
    CloudTicket
    RegistrarTicketKey
}
