use crate::bounds::{InvalidSize, OutOfRange};
use crate::{FieldName, InvalidRefusal, Refusal};

/// A message of `RecordService` that is not taken. It names the field and nothing that stood in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecordMessage {
    /// It is missing, or of a kind or form that this build does not know.
    #[error("field {0} is missing or malformed")]
    Malformed(&'static str),
    /// It is too long, or empty.
    #[error("size of field {field}")]
    Size {
        /// Which.
        field: &'static str,
        /// What is wrong.
        #[source]
        source: InvalidSize,
    },
    /// It is a number outside its range.
    #[error("range of field {field}")]
    Range {
        /// Which.
        field: &'static str,
        /// What is wrong.
        #[source]
        source: OutOfRange,
    },
    /// The refusal in a reply.
    #[error("refusal in a reply")]
    Refusal(#[from] InvalidRefusal),
}

impl InvalidRecordMessage {
    pub(super) fn size(field: &'static str) -> impl FnOnce(InvalidSize) -> Self {
        move |source| Self::Size { field, source }
    }

    pub(super) fn range(field: &'static str) -> impl FnOnce(OutOfRange) -> Self {
        move |source| Self::Range { field, source }
    }
}

impl From<InvalidRecordMessage> for Refusal {
    fn from(invalid: InvalidRecordMessage) -> Self {
        match invalid {
            InvalidRecordMessage::Malformed(field) | InvalidRecordMessage::Range { field, .. } => Self::invalid(field),
            InvalidRecordMessage::Size { field, source } => source.refusal(field),
            InvalidRecordMessage::Refusal(_) => {
                Self::new(crate::ErrorCode::InvalidArgument).with_field(FieldName::of("refusal"))
            }
        }
    }
}
