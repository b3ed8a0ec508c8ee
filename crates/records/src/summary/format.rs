//! Stored form of summaries, version 1: a version byte, then a protobuf message.

use core::str::FromStr;

use prost::Message as _;

use super::{
    Concept, Content, Diagnosis, Discharge, Drug, Marks, Prescription, Protocol, Quantity, Section, Summary,
    Vaccination,
};

/// The version that this build writes.
const FORMAT: u8 = 1;

/// Bytes that are no summary of a known version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableSummary {
    /// The first byte names no known version, or there is none.
    #[error("a summary of an unknown version")]
    Version,
    /// The bytes after it are not that version's message.
    #[error("the bytes of a summary do not decode")]
    Encoding,
    /// A field holds what no document could have put there.
    #[error("the field `{field}` of a summary does not read")]
    Field {
        /// The field.
        field: &'static str,
    },
}

impl Summary {
    /// The stored form. One summary has one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let message = pb::Summary::from(self);
        let mut bytes = Vec::with_capacity(1 + message.encoded_len());
        bytes.push(FORMAT);
        message.encode(&mut bytes).expect("a Vec grows as needed");
        bytes
    }

    /// Reads a stored form.
    pub fn decode(bytes: &[u8]) -> Result<Self, UnreadableSummary> {
        match bytes.split_first() {
            Some((&FORMAT, message)) => {
                pb::Summary::decode(message).map_err(|_| UnreadableSummary::Encoding)?.try_into()
            }
            _ => Err(UnreadableSummary::Version),
        }
    }

    pub(super) fn encoded_len(&self) -> usize {
        1 + pb::Summary::from(self).encoded_len()
    }
}

fn read<T: FromStr>(field: &'static str, text: Option<String>) -> Result<Option<T>, UnreadableSummary> {
    text.map(|text| text.parse().map_err(|_| UnreadableSummary::Field { field })).transpose()
}

fn written(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

mod pb {
    use super::{Concept, Diagnosis, Drug, Protocol, Quantity, Section};

    #[derive(Clone, PartialEq, prost::Message)]
    #[prost(skip_debug)]
    pub(super) struct Summary {
        #[prost(bool, tag = "1")]
        pub(super) keep_long: bool,
        #[prost(bool, tag = "2")]
        pub(super) uninformed: bool,
        #[prost(bool, tag = "3")]
        pub(super) undelivered: bool,
        #[prost(uint32, tag = "4")]
        pub(super) left_out: u32,
        #[prost(oneof = "Content", tags = "5, 6, 7")]
        pub(super) content: Option<Content>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    #[prost(skip_debug)]
    #[expect(clippy::large_enum_variant, reason = "a record has one, and it is not moved in bulk")]
    pub(super) enum Content {
        #[prost(message, tag = "5")]
        Prescription(Prescription),
        #[prost(message, tag = "6")]
        Vaccination(Vaccination),
        #[prost(message, tag = "7")]
        Discharge(Discharge),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    #[prost(skip_debug)]
    pub(super) struct Prescription {
        #[prost(string, optional, tag = "1")]
        pub(super) number: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub(super) written: Option<String>,
        #[prost(string, optional, tag = "3")]
        pub(super) issuer: Option<String>,
        #[prost(string, optional, tag = "4")]
        pub(super) facility: Option<String>,
        #[prost(message, repeated, tag = "5")]
        pub(super) drugs: Vec<Drug>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    #[prost(skip_debug)]
    pub(super) struct Vaccination {
        #[prost(string, optional, tag = "1")]
        pub(super) status: Option<String>,
        #[prost(message, optional, tag = "2")]
        pub(super) vaccine: Option<Concept>,
        #[prost(string, optional, tag = "3")]
        pub(super) given: Option<String>,
        #[prost(string, optional, tag = "4")]
        pub(super) given_text: Option<String>,
        #[prost(string, optional, tag = "5")]
        pub(super) lot: Option<String>,
        #[prost(string, optional, tag = "6")]
        pub(super) expires: Option<String>,
        #[prost(message, optional, tag = "7")]
        pub(super) dose: Option<Quantity>,
        #[prost(message, optional, tag = "8")]
        pub(super) site: Option<Concept>,
        #[prost(message, optional, tag = "9")]
        pub(super) route: Option<Concept>,
        #[prost(message, repeated, tag = "10")]
        pub(super) protocols: Vec<Protocol>,
        #[prost(string, optional, tag = "11")]
        pub(super) next_due: Option<String>,
        #[prost(string, optional, tag = "12")]
        pub(super) issuer: Option<String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    #[prost(skip_debug)]
    pub(super) struct Discharge {
        #[prost(string, optional, tag = "1")]
        pub(super) admitted: Option<String>,
        #[prost(string, optional, tag = "2")]
        pub(super) discharged: Option<String>,
        #[prost(string, optional, tag = "3")]
        pub(super) written: Option<String>,
        #[prost(string, optional, tag = "4")]
        pub(super) issuer: Option<String>,
        #[prost(string, optional, tag = "5")]
        pub(super) facility: Option<String>,
        #[prost(message, repeated, tag = "6")]
        pub(super) diagnoses: Vec<Diagnosis>,
        #[prost(message, repeated, tag = "7")]
        pub(super) sections: Vec<Section>,
    }
}

impl From<&Summary> for pb::Summary {
    fn from(summary: &Summary) -> Self {
        let Summary { marks: Marks { keep_long, uninformed, undelivered }, left_out, content } = summary;
        let content = match content {
            Content::Prescription(content) => pb::Content::Prescription(content.into()),
            Content::Vaccination(content) => pb::Content::Vaccination(content.into()),
            Content::DischargeSummary(content) => pb::Content::Discharge(content.into()),
        };
        Self {
            keep_long: *keep_long,
            uninformed: *uninformed,
            undelivered: *undelivered,
            left_out: *left_out,
            content: Some(content),
        }
    }
}

impl TryFrom<pb::Summary> for Summary {
    type Error = UnreadableSummary;

    fn try_from(message: pb::Summary) -> Result<Self, Self::Error> {
        let pb::Summary { keep_long, uninformed, undelivered, left_out, content } = message;
        let content = match content.ok_or(UnreadableSummary::Field { field: "content" })? {
            pb::Content::Prescription(content) => Content::Prescription(content.try_into()?),
            pb::Content::Vaccination(content) => Content::Vaccination(content.try_into()?),
            pb::Content::Discharge(content) => Content::DischargeSummary(content.try_into()?),
        };
        Ok(Self { marks: Marks { keep_long, uninformed, undelivered }, left_out, content })
    }
}

impl From<&Prescription> for pb::Prescription {
    fn from(content: &Prescription) -> Self {
        let Prescription { number, written: on, issuer, facility, drugs } = content;
        Self {
            number: written(number.as_ref()),
            written: written(on.as_ref()),
            issuer: written(issuer.as_ref()),
            facility: facility.clone(),
            drugs: drugs.clone(),
        }
    }
}

impl TryFrom<pb::Prescription> for Prescription {
    type Error = UnreadableSummary;

    fn try_from(message: pb::Prescription) -> Result<Self, Self::Error> {
        let pb::Prescription { number, written, issuer, facility, drugs } = message;
        Ok(Self {
            number: read("number", number)?,
            written: read("written", written)?,
            issuer: read("issuer", issuer)?,
            facility,
            drugs,
        })
    }
}

impl From<&Vaccination> for pb::Vaccination {
    fn from(content: &Vaccination) -> Self {
        let Vaccination {
            status,
            vaccine,
            given,
            given_text,
            lot,
            expires,
            dose,
            site,
            route,
            protocols,
            next_due,
            issuer,
        } = content;
        Self {
            status: status.clone(),
            vaccine: Some(vaccine.clone()),
            given: written(given.as_ref()),
            given_text: given_text.clone(),
            lot: lot.clone(),
            expires: written(expires.as_ref()),
            dose: dose.clone(),
            site: site.clone(),
            route: route.clone(),
            protocols: protocols.clone(),
            next_due: written(next_due.as_ref()),
            issuer: written(issuer.as_ref()),
        }
    }
}

impl TryFrom<pb::Vaccination> for Vaccination {
    type Error = UnreadableSummary;

    fn try_from(message: pb::Vaccination) -> Result<Self, Self::Error> {
        let pb::Vaccination {
            status,
            vaccine,
            given,
            given_text,
            lot,
            expires,
            dose,
            site,
            route,
            protocols,
            next_due,
            issuer,
        } = message;
        Ok(Self {
            status,
            vaccine: vaccine.ok_or(UnreadableSummary::Field { field: "vaccine" })?,
            given: read("given", given)?,
            given_text,
            lot,
            expires: read("expires", expires)?,
            dose,
            site,
            route,
            protocols,
            next_due: read("next_due", next_due)?,
            issuer: read("issuer", issuer)?,
        })
    }
}

impl From<&Discharge> for pb::Discharge {
    fn from(content: &Discharge) -> Self {
        let Discharge { admitted, discharged, written: on, issuer, facility, diagnoses, sections } = content;
        Self {
            admitted: written(admitted.as_ref()),
            discharged: written(discharged.as_ref()),
            written: written(on.as_ref()),
            issuer: written(issuer.as_ref()),
            facility: facility.clone(),
            diagnoses: diagnoses.clone(),
            sections: sections.clone(),
        }
    }
}

impl TryFrom<pb::Discharge> for Discharge {
    type Error = UnreadableSummary;

    fn try_from(message: pb::Discharge) -> Result<Self, Self::Error> {
        let pb::Discharge { admitted, discharged, written, issuer, facility, diagnoses, sections } = message;
        Ok(Self {
            admitted: read("admitted", admitted)?,
            discharged: read("discharged", discharged)?,
            written: read("written", written)?,
            issuer: read("issuer", issuer)?,
            facility,
            diagnoses,
            sections,
        })
    }
}
