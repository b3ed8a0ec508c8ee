//! Commands: what a leader proposes. Persons are in them as tags and sealed values only.

use bytes::Bytes;
use renkei_access::{CollectionBasis, ConsentSet, ConsentText, Purpose};
use renkei_envelope::{SealedDaySecret, SealedPersonSeed};
use renkei_ids::{
    ActorTag, AttributeTag, BindingId, CloudId, GrantId, InstitutionId, LogId, MemberIndex, PersonId, PresenceTag,
    RequestId, ResidentIndex, TokenHash, UnixDay, UnixMillis,
};

use super::budget::{Limits, LimitsMessage};
use super::day::Day;
use super::stored::{Raw, Stored, Unreadable, stored, stored_choice};

/// Bytes of the salt of a row of the log.
pub const SALT_BYTES: usize = renkei_merkle::SALT_BYTES;

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begins the registrar; without effect on one that has begun.
    Found(Founding),
    /// What an insurer registers.
    Insure(Insure),
    /// What an institution asks.
    Attend(Attend),
    /// What the directory, or an operator, says of an institution.
    Enrol(Enrol),
    /// The secret of a day's ticket keys.
    KeepDay(KeepDay),
    /// A newer directory.
    Direct(Direct),
}

/// A registrar's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Founding {
    /// The check-in log.
    pub log: LogId,
    /// See [`super::Head::key_check`].
    pub key_check: [u8; 16],
    /// See [`super::Head::seed_check`].
    pub seed_check: [u8; 16],
}

/// Items of one call of one insurer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insure {
    /// The leader's clock.
    pub time: UnixMillis,
    /// The call.
    pub request: RequestId,
    /// The insurer: the eight digits as a number.
    pub insurer: u32,
    /// What is registered, in order.
    pub items: Vec<InsurerItem>,
}

/// One thing that an insurer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsurerItem {
    /// Salt of its row in the log.
    pub salt: [u8; SALT_BYTES],
    /// The member id, which is one of the insurer's: the leader has seen to it.
    pub member: MemberIndex,
    /// The birth date under it.
    pub birth: AttributeTag,
    /// What is said.
    pub say: Say,
}

/// What an insurer says of a member id and birth date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Say {
    /// A person is insured under it.
    Register(Register),
    /// The insurance ends.
    End(End),
    /// A token was printed; an earlier one is no longer taken.
    Print(Print),
    /// No token is taken any more.
    Revoke(Revoke),
}

/// A person is insured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// The sex under the member id.
    pub sex: AttributeTag,
    /// Whether it was entered twice, and alike.
    pub entered_twice: bool,
    /// First day of eligibility.
    pub from: Day,
    /// First day without.
    pub until: Option<Day>,
    /// The binding, if a new one is made.
    pub binding: BindingId,
    /// What was registered, sealed about the binding.
    pub registration: Bytes,
    /// What the register answered.
    pub register: RegisterAnswer,
}

/// What the register of residents says to five items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterAnswer {
    /// It has exactly one person with these items, and this is she.
    Match(Match),
    /// It has nobody with all five.
    Nobody(Nothing),
    /// It did not answer.
    Silent(Nothing),
}

/// No more than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nothing {}

/// Whom the register knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Under what.
    pub resident: ResidentIndex,
    /// Whether where she has been is hidden altogether.
    pub protected: bool,
    /// The person that she is, or becomes if she is none yet.
    pub person: PersonId,
    /// A seed, sealed for that person.
    pub seed: SealedPersonSeed,
    /// What the register says of her, sealed about that person.
    pub values: Bytes,
    /// Random: by it decoys are drawn.
    pub decoys: [u8; 16],
}

/// The insurance ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// First day without.
    pub until: Day,
}

/// A token was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Its hash.
    pub token: TokenHash,
    /// The first moment at which it is no longer taken.
    pub expires: UnixMillis,
}

/// No token is taken any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revoke {}

/// Items of one call of one institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attend {
    /// The leader's clock.
    pub time: UnixMillis,
    /// The call.
    pub request: RequestId,
    /// The institution.
    pub institution: InstitutionId,
    /// Who asks, inside it: whose budget is used.
    pub actor: ActorTag,
    /// Who asks, sealed about institution and request.
    pub sealed_actor: Bytes,
    /// The limits in force for an institution of this size.
    pub limits: Limits,
    /// Days after its end for which an old member id still leads to the person.
    pub old_member_days: u32,
    /// Every cloud, of which decoys are drawn; at most 64.
    pub clouds: Vec<CloudId>,
    /// What is asked, in order.
    pub items: Vec<InstitutionItem>,
}

/// One thing that an institution asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstitutionItem {
    /// Salt of its row in the log.
    pub salt: [u8; SALT_BYTES],
    /// What is asked.
    pub ask: Ask,
}

/// What an institution asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether somebody is insured.
    Eligibility(Eligibility),
    /// To have a patient checked in.
    CheckIn(CheckIn),
    /// To go on under a grant.
    Renew(Renew),
}

/// Whether somebody is insured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eligibility {
    /// The member id.
    pub member: MemberIndex,
    /// The birth date under it.
    pub birth: AttributeTag,
    /// One of many: answered only for those who were checked in here before.
    pub bulk: bool,
    /// The binding whose five items the asker has said, and said right.
    pub five_items_of: Option<BindingId>,
}

/// To have a patient checked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// What the patient shows.
    pub shown: Shown,
    /// What for.
    pub purpose: Purpose,
    /// What may be read, by category.
    pub categories: ConsentSet,
    /// The text that was shown.
    pub text: ConsentText,
    /// Why something may be put.
    pub basis: Option<CollectionBasis>,
    /// Minutes that the grant lasts.
    pub minutes: u32,
    /// Whether the patient is admitted, so that a grant may last longer than a day.
    pub admission: bool,
    /// The grant that is made.
    pub grant: GrantId,
}

/// What the patient shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A card, whose signatures hold.
    Card(ShownCard),
    /// An insurer's token.
    Token(ShownToken),
    /// A member id, and the birth date.
    Member(ShownMember),
}

/// A card, whose signatures hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownCard {
    /// Whose it is.
    pub resident: ResidentIndex,
    /// Its proof, which serves once.
    pub presence: PresenceTag,
    /// When the proof is no longer taken, and may be forgotten.
    pub forget: UnixMillis,
}

/// An insurer's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownToken {
    /// Its hash.
    pub token: TokenHash,
}

/// A member id, and the birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownMember {
    /// The member id.
    pub member: MemberIndex,
    /// The birth date under it.
    pub birth: AttributeTag,
}

/// To go on under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renew {
    /// Which.
    pub grant: GrantId,
}

/// What the directory, or an operator, says of an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrol {
    /// The leader's clock.
    pub time: UnixMillis,
    /// The call.
    pub request: RequestId,
    /// Salt of its row in the log.
    pub salt: [u8; SALT_BYTES],
    /// Which.
    pub institution: InstitutionId,
    /// Visits of a day, from which its budgets follow; at least 1.
    pub visits_per_day: u32,
    /// Where what it puts is kept.
    pub home: CloudId,
    /// Whether it is locked from now on. `false` unlocks one that locked itself; `None` leaves that as it is.
    pub locked: Option<bool>,
}

/// The secret of a day, drawn by the leader. The first one of a day stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepDay {
    /// The leader's clock.
    pub time: UnixMillis,
    /// The day.
    pub day: UnixDay,
    /// Its secret, sealed under a key that neither log nor state holds.
    pub secret: SealedDaySecret,
}

/// A newer directory, whose signatures the leader has judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Direct {
    /// The leader's clock.
    pub time: UnixMillis,
    /// As officers signed it.
    pub signed: Bytes,
}

impl Command {
    /// As it is proposed.
    pub fn encode(&self) -> Bytes {
        Envelope(self.clone()).encode()
    }

    /// Reads what [`Command::encode`] wrote.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn decode(bytes: &Bytes) -> Result<Self, Unreadable> {
        Envelope::decode(bytes).map(|Envelope(command)| command)
    }
}

/// A command in the message that holds one of several.
struct Envelope(Command);

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct CommandMessage {
    #[prost(oneof = "CommandChoice", tags = "1, 2, 3, 4, 5, 6")]
    kind: Option<CommandChoice>,
}

impl Raw<CommandMessage> for Envelope {
    fn to_raw(&self) -> CommandMessage {
        CommandMessage { kind: self.0.to_raw() }
    }

    fn from_raw(CommandMessage { kind }: CommandMessage) -> Option<Self> {
        Command::from_raw(kind).map(Self)
    }
}

impl Stored for Envelope {
    type Message = CommandMessage;
}

stored_choice!(Command as CommandChoice {
    #[prost(message, tag = "1")] Found(FoundingMessage),
    #[prost(message, tag = "2")] Insure(InsureMessage),
    #[prost(message, tag = "3")] Attend(AttendMessage),
    #[prost(message, tag = "4")] Enrol(EnrolMessage),
    #[prost(message, tag = "5")] KeepDay(KeepDayMessage),
    #[prost(message, tag = "6")] Direct(DirectMessage),
});
stored!(Founding as FoundingMessage {
    #[prost(bytes = "bytes", tag = "1")] log: Bytes,
    #[prost(bytes = "bytes", tag = "2")] key_check: Bytes,
    #[prost(bytes = "bytes", tag = "3")] seed_check: Bytes,
});
stored!(Insure as InsureMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(bytes = "bytes", tag = "2")] request: Bytes,
    #[prost(uint32, tag = "3")] insurer: u32,
    #[prost(message, repeated, tag = "4")] items: Vec<InsurerItemMessage>,
});
stored!(InsurerItem as InsurerItemMessage {
    #[prost(bytes = "bytes", tag = "1")] salt: Bytes,
    #[prost(bytes = "bytes", tag = "2")] member: Bytes,
    #[prost(bytes = "bytes", tag = "3")] birth: Bytes,
    #[prost(oneof = "SayChoice", tags = "4, 5, 6, 7")] say: Option<SayChoice>,
});
stored_choice!(Say as SayChoice {
    #[prost(message, tag = "4")] Register(RegisterMessage),
    #[prost(message, tag = "5")] End(EndMessage),
    #[prost(message, tag = "6")] Print(PrintMessage),
    #[prost(message, tag = "7")] Revoke(RevokeMessage),
});
stored!(Register as RegisterMessage {
    #[prost(bytes = "bytes", tag = "1")] sex: Bytes,
    #[prost(bool, tag = "2")] entered_twice: bool,
    #[prost(uint32, tag = "3")] from: u32,
    #[prost(uint32, optional, tag = "4")] until: Option<u32>,
    #[prost(bytes = "bytes", tag = "5")] binding: Bytes,
    #[prost(bytes = "bytes", tag = "6")] registration: Bytes,
    #[prost(oneof = "AnswerChoice", tags = "7, 8, 9")] register: Option<AnswerChoice>,
});
stored_choice!(RegisterAnswer as AnswerChoice {
    #[prost(message, tag = "7")] Match(MatchMessage),
    #[prost(message, tag = "8")] Nobody(NothingMessage),
    #[prost(message, tag = "9")] Silent(NothingMessage),
});
stored!(Nothing as NothingMessage {});
stored!(Match as MatchMessage {
    #[prost(bytes = "bytes", tag = "1")] resident: Bytes,
    #[prost(bool, tag = "2")] protected: bool,
    #[prost(bytes = "bytes", tag = "3")] person: Bytes,
    #[prost(bytes = "bytes", tag = "4")] seed: Bytes,
    #[prost(bytes = "bytes", tag = "5")] values: Bytes,
    #[prost(bytes = "bytes", tag = "6")] decoys: Bytes,
});
stored!(End as EndMessage {
    #[prost(uint32, tag = "1")] until: u32,
});
stored!(Print as PrintMessage {
    #[prost(bytes = "bytes", tag = "1")] token: Bytes,
    #[prost(uint64, tag = "2")] expires: u64,
});
stored!(Revoke as RevokeMessage {});
stored!(Attend as AttendMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(bytes = "bytes", tag = "2")] request: Bytes,
    #[prost(bytes = "bytes", tag = "3")] institution: Bytes,
    #[prost(bytes = "bytes", tag = "4")] actor: Bytes,
    #[prost(bytes = "bytes", tag = "5")] sealed_actor: Bytes,
    #[prost(message, optional, tag = "6")] limits: Option<LimitsMessage>,
    #[prost(uint32, tag = "7")] old_member_days: u32,
    #[prost(bytes = "bytes", repeated, tag = "8")] clouds: Vec<Bytes>,
    #[prost(message, repeated, tag = "9")] items: Vec<InstitutionItemMessage>,
});
stored!(InstitutionItem as InstitutionItemMessage {
    #[prost(bytes = "bytes", tag = "1")] salt: Bytes,
    #[prost(oneof = "AskChoice", tags = "2, 3, 4")] ask: Option<AskChoice>,
});
stored_choice!(Ask as AskChoice {
    #[prost(message, tag = "2")] Eligibility(EligibilityMessage),
    #[prost(message, tag = "3")] CheckIn(CheckInMessage),
    #[prost(message, tag = "4")] Renew(RenewMessage),
});
stored!(Eligibility as EligibilityMessage {
    #[prost(bytes = "bytes", tag = "1")] member: Bytes,
    #[prost(bytes = "bytes", tag = "2")] birth: Bytes,
    #[prost(bool, tag = "3")] bulk: bool,
    #[prost(bytes = "bytes", optional, tag = "4")] five_items_of: Option<Bytes>,
});
stored!(CheckIn as CheckInMessage {
    #[prost(oneof = "ShownChoice", tags = "1, 2, 3")] shown: Option<ShownChoice>,
    #[prost(uint32, tag = "4")] purpose: u32,
    #[prost(uint32, tag = "5")] categories: u32,
    #[prost(uint32, tag = "6")] text: u32,
    #[prost(uint32, optional, tag = "7")] basis: Option<u32>,
    #[prost(uint32, tag = "8")] minutes: u32,
    #[prost(bool, tag = "9")] admission: bool,
    #[prost(bytes = "bytes", tag = "10")] grant: Bytes,
});
stored_choice!(Shown as ShownChoice {
    #[prost(message, tag = "1")] Card(ShownCardMessage),
    #[prost(message, tag = "2")] Token(ShownTokenMessage),
    #[prost(message, tag = "3")] Member(ShownMemberMessage),
});
stored!(ShownCard as ShownCardMessage {
    #[prost(bytes = "bytes", tag = "1")] resident: Bytes,
    #[prost(bytes = "bytes", tag = "2")] presence: Bytes,
    #[prost(uint64, tag = "3")] forget: u64,
});
stored!(ShownToken as ShownTokenMessage {
    #[prost(bytes = "bytes", tag = "1")] token: Bytes,
});
stored!(ShownMember as ShownMemberMessage {
    #[prost(bytes = "bytes", tag = "1")] member: Bytes,
    #[prost(bytes = "bytes", tag = "2")] birth: Bytes,
});
stored!(Renew as RenewMessage {
    #[prost(bytes = "bytes", tag = "1")] grant: Bytes,
});
stored!(Enrol as EnrolMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(bytes = "bytes", tag = "2")] request: Bytes,
    #[prost(bytes = "bytes", tag = "3")] salt: Bytes,
    #[prost(bytes = "bytes", tag = "4")] institution: Bytes,
    #[prost(uint32, tag = "5")] visits_per_day: u32,
    #[prost(bytes = "bytes", tag = "6")] home: Bytes,
    #[prost(bool, optional, tag = "7")] locked: Option<bool>,
});
stored!(KeepDay as KeepDayMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(uint32, tag = "2")] day: u32,
    #[prost(bytes = "bytes", tag = "3")] secret: Bytes,
});
stored!(Direct as DirectMessage {
    #[prost(uint64, tag = "1")] time: u64,
    #[prost(bytes = "bytes", tag = "2")] signed: Bytes,
});
