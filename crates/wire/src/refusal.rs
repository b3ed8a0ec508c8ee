//! A refusal as the services speak of it. The only place where a gRPC status is made or read.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use renkei_ids::{NodeId, SlotEpoch};
use tonic::Status;

use crate::error_code::{ErrorCode, Retry};
use crate::pb;

/// Longest name of a field that a refusal carries, in bytes.
const FIELD_MAX_BYTES: usize = 128;
/// The type of the one detail.
const TYPE_URL: &str = "type.googleapis.com/renkei.node.v1.Refusal";

/// A request that was not served, and what its sender needs to go on. It holds nothing of a patient and may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// Why.
    pub code: ErrorCode,
    /// How long to wait before a retry, in whole milliseconds; `None` where waiting does not help.
    pub retry_after: Option<Duration>,
    /// The node, or the vault, that leads, where known.
    pub leader_node: Option<NodeId>,
    /// The newest slot map that the refusing node knows.
    pub slot_epoch: Option<SlotEpoch>,
    /// Version stored of the record, or of the rules, on a conflict; 0 where none is.
    pub current_version: Option<u64>,
    /// The field that was refused, such as `put.summary`.
    pub field: Option<FieldName>,
}

/// Name of a field of a message, such as `put.summary`, or path of a field of a document, such as
/// `entry[2].resource.*.value`, where `*` stands for a name that is none of FHIR's: at most 128 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName(Cow<'static, str>);

/// Text that names no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a field's name takes 1 to 128 of a-z, A-Z, 0-9 and _.[]*")]
pub struct InvalidFieldName;

/// A refusal from outside that does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRefusal {
    /// The status does not carry one: it comes from the transport, or from a service that is not ours.
    #[error("status {0:?} carries no refusal")]
    Absent(tonic::Code),
    /// The details of the status are no message.
    #[error("decode the details of the status")]
    Details,
    /// A code that this build does not know.
    #[error("code of the refusal")]
    Code(#[from] crate::UnknownErrorCode),
    /// The name of the refused field.
    #[error("field of the refusal")]
    Field(#[from] InvalidFieldName),
}

impl Refusal {
    /// A refusal with the wait that the table gives for its code, and nothing else.
    pub const fn new(code: ErrorCode) -> Self {
        let retry_after = match code.retry() {
            Retry::After(wait) | Retry::AfterRefresh(wait) => Some(wait),
            Retry::No | Retry::NewRequest => None,
        };
        Self { code, retry_after, leader_node: None, slot_epoch: None, current_version: None, field: None }
    }

    /// A field that is missing, malformed or out of its range.
    pub fn invalid(field: &'static str) -> Self {
        Self::new(ErrorCode::InvalidArgument).with_field(FieldName::of(field))
    }

    /// A field that is over its limit.
    pub fn too_large(field: &'static str) -> Self {
        Self::new(ErrorCode::TooLarge).with_field(FieldName::of(field))
    }

    /// The same refusal with a wait of its own, cut to whole milliseconds.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(Duration::from_millis(u64::from(millis(wait)))), ..self }
    }

    /// The same refusal, naming the node that leads: the retry goes there at once.
    #[must_use]
    pub fn led_by(self, leader: NodeId) -> Self {
        Self { leader_node: Some(leader), retry_after: Some(Duration::ZERO), ..self }
    }

    /// The same refusal with the epoch of the newest slot map known.
    #[must_use]
    pub fn at_epoch(self, epoch: SlotEpoch) -> Self {
        Self { slot_epoch: Some(epoch), ..self }
    }

    /// The same refusal with the version that is stored; 0 for none.
    #[must_use]
    pub fn with_current(self, version: u64) -> Self {
        Self { current_version: Some(version), ..self }
    }

    /// The same refusal, naming a field.
    #[must_use]
    pub fn with_field(self, field: FieldName) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The refusal that a status carries.
    ///
    /// # Errors
    /// [`InvalidRefusal::Absent`] for a status of the transport's own making, which says nothing about whether the
    /// request took effect; the others where the details do not read.
    pub fn from_status(status: &Status) -> Result<Self, InvalidRefusal> {
        let pb::node::v1::StatusDetails { code: _, message: _, details } =
            pb::node::v1::StatusDetails::decode(status.details()).map_err(|_| InvalidRefusal::Details)?;
        let refusal = details.into_iter().find(|detail| detail.type_url == TYPE_URL);
        let refusal = refusal.ok_or(InvalidRefusal::Absent(status.code()))?;
        let message = pb::node::v1::Refusal::decode(refusal.value).map_err(|_| InvalidRefusal::Details)?;
        Self::try_from(message)
    }
}

/// What one number of milliseconds can say, cut to that.
fn millis(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis()).unwrap_or(u32::MAX)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.code.row();
        write!(f, "{}: {}", row.name, row.meaning)?;
        match &self.field {
            Some(field) => write!(f, " Field: {field}."),
            None => Ok(()),
        }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl From<Refusal> for Status {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where a status is made")]
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        let code = refusal.code.grpc();
        let value = pb::node::v1::Refusal::from(refusal).encode_to_vec().into();
        let detail = pb::node::v1::StatusDetail { type_url: TYPE_URL.to_owned(), value };
        // Code and text stand here too: a client of Go takes a status for broken whose details have another code.
        let details = pb::node::v1::StatusDetails { code: code.into(), message: text.clone(), details: vec![detail] };
        Self::with_details(code, text, Bytes::from(details.encode_to_vec()))
    }
}

impl From<Refusal> for pb::node::v1::Refusal {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, retry_after, leader_node, slot_epoch, current_version, field } = refusal;
        Self {
            code: code.name().to_owned(),
            retry_after_ms: retry_after.map(millis),
            leader_node: leader_node.map(|node| node.0),
            slot_epoch: slot_epoch.map(|epoch| epoch.0),
            current_version,
            field: field.map(|field| field.0.into_owned()),
        }
    }
}

impl TryFrom<pb::node::v1::Refusal> for Refusal {
    type Error = InvalidRefusal;

    fn try_from(message: pb::node::v1::Refusal) -> Result<Self, InvalidRefusal> {
        let pb::node::v1::Refusal { code, retry_after_ms, leader_node, slot_epoch, current_version, field } = message;
        Ok(Self {
            code: code.parse()?,
            retry_after: retry_after_ms.map(|wait| Duration::from_millis(u64::from(wait))),
            leader_node: leader_node.map(NodeId),
            slot_epoch: slot_epoch.map(SlotEpoch),
            current_version,
            field: field.map(FieldName::try_from).transpose()?,
        })
    }
}

impl FieldName {
    /// The name of a field of ours.
    ///
    /// # Panics
    /// At compile time, where it is used in a constant, or at once: when the text names no field.
    pub const fn of(name: &'static str) -> Self {
        assert!(names_a_field(name.as_bytes()), "a field's name in the code is well formed");
        Self(Cow::Borrowed(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn names_a_field(name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if !matches!(name[at], b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'[' | b']' | b'*') {
            return false;
        }
        at += 1;
    }
    !name.is_empty() && name.len() <= FIELD_MAX_BYTES
}

impl TryFrom<String> for FieldName {
    type Error = InvalidFieldName;

    fn try_from(name: String) -> Result<Self, InvalidFieldName> {
        if names_a_field(name.as_bytes()) { Ok(Self(Cow::Owned(name))) } else { Err(InvalidFieldName) }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_from_its_status() {
        for row in ErrorCode::TABLE {
            let refusal = Refusal::new(row.code).at_epoch(SlotEpoch(7)).with_current(3);
            let status = Status::from(refusal.clone());
            assert_eq!(status.code(), row.grpc);
            assert_eq!(Refusal::from_status(&status), Ok(refusal), "{}", row.name);
        }
    }

    #[test]
    fn the_details_are_a_google_rpc_status_of_the_same_code_and_text() {
        /// The messages that clients of other languages have.
        #[derive(Clone, PartialEq, prost::Message)]
        struct RpcStatus {
            #[prost(int32, tag = "1")]
            code: i32,
            #[prost(string, tag = "2")]
            message: String,
            #[prost(message, repeated, tag = "3")]
            details: Vec<prost_types::Any>,
        }
        for row in ErrorCode::TABLE {
            let status = Status::from(Refusal::new(row.code));
            let read = RpcStatus::decode(status.details()).expect("it is this message");
            assert_eq!((read.code, read.message.as_str()), (status.code().into(), status.message()), "{}", row.name);
            let [detail] = &read.details[..] else { panic!("one detail") };
            assert_eq!(detail.type_url, "type.googleapis.com/renkei.node.v1.Refusal");
        }
    }

    #[test]
    fn a_leader_and_a_wait_read_back() {
        let led = Refusal::new(ErrorCode::NotLeader).led_by(NodeId(3));
        assert_eq!(led.retry_after, Some(Duration::ZERO));
        assert_eq!(Refusal::from_status(&Status::from(led.clone())), Ok(led));
        let busy = Refusal::new(ErrorCode::Busy).after(Duration::from_micros(1_999));
        assert_eq!(busy.retry_after, Some(Duration::from_millis(1)));
        assert_eq!(Refusal::from_status(&Status::from(busy.clone())), Ok(busy));
    }

    #[test]
    fn a_wait_longer_than_the_field_is_cut_to_what_it_holds() {
        let refusal = Refusal::new(ErrorCode::Busy).after(Duration::MAX);
        assert_eq!(refusal.retry_after, Some(Duration::from_millis(u64::from(u32::MAX))));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a status that is none of ours is what is tested")]
    fn a_status_of_the_transport_is_no_refusal() {
        let status = Status::unavailable("connection reset");
        assert_eq!(Refusal::from_status(&status), Err(InvalidRefusal::Absent(tonic::Code::Unavailable)));
        // `google.rpc.Status` of another service: code 14, and a detail of type `x`.
        let other =
            Status::with_details(tonic::Code::Unavailable, "", Bytes::from_static(b"\x08\x0e\x1a\x03\x0a\x01x"));
        assert_eq!(Refusal::from_status(&other), Err(InvalidRefusal::Absent(tonic::Code::Unavailable)));
        let foreign = Status::with_details(tonic::Code::Internal, "", Bytes::from_static(b"\xff\xff"));
        assert_eq!(Refusal::from_status(&foreign), Err(InvalidRefusal::Details));
    }

    #[test]
    fn an_unknown_code_and_an_odd_field_are_refused_by_name() {
        let known = pb::node::v1::Refusal::from(Refusal::invalid("put.summary"));
        let code = pb::node::v1::Refusal { code: "brand_new".to_owned(), ..known.clone() };
        assert_eq!(Refusal::try_from(code), Err(InvalidRefusal::Code(crate::UnknownErrorCode)));
        for odd in ["", "Pu\u{e9}t", "a b", &"x".repeat(129)] {
            let field = pb::node::v1::Refusal { field: Some((*odd).to_owned()), ..known.clone() };
            assert_eq!(Refusal::try_from(field), Err(InvalidRefusal::Field(InvalidFieldName)), "{odd:?}");
        }
        let longest = pb::node::v1::Refusal { field: Some("x".repeat(128)), ..known };
        assert!(Refusal::try_from(longest).is_ok());
    }
}
