//! The shapes of FHIR that every document repeats, and the names of systems.

use core::fmt::{self, Display};

use time::Date;

use crate::draw::{Domain, Seed};
use crate::json::Json;

pub(crate) const MEMBER_ID: &str = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID";
pub(crate) const INSTITUTION_NUMBER: &str = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";
pub(crate) const INSURER_NUMBER: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber";
pub(crate) const INSTANCE: &str = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier";
pub(crate) const BUNDLE: &str = "http://jpfhir.jp/fhir/clins/bundle-identifier";
pub(crate) const DOCUMENT_TYPE: &str = "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes";
pub(crate) const YJ: &str = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code";
pub(crate) const HOT9: &str = "http://medis.or.jp/CodeSystem/master-HOT9";
pub(crate) const HOT13: &str = "http://medis.or.jp/CodeSystem/master-HOT13";
pub(crate) const GENERIC_NAME: &str = "urn:oid:1.2.392.100495.20.1.81";
pub(crate) const CVX: &str = "http://hl7.org/fhir/sid/cvx";
pub(crate) const ICD10: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full";
pub(crate) const DISEASE_KEY: &str = "http://medis.or.jp/CodeSystem/master-disease-keyNumber";
pub(crate) const UCUM: &str = "http://unitsofmeasure.org";

/// A code, its system and its name, as a document carries them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Coding {
    /// URL or OID of the code system.
    pub system: &'static str,
    /// The code.
    pub code: String,
    /// The name that goes with it.
    pub display: String,
}

/// A resource's place in a document. Written as `urn:uuid:…`; the last group begins with a letter, so that no document
/// holds twelve digits in a row by chance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Urn(u64, u64);

impl Urn {
    /// The `position`-th resource of a document.
    pub(crate) fn of(seed: Seed, subject: u64, version: u32, position: u32) -> Self {
        let half = |part| seed.bits(Domain::Urn, subject, version, position * 2 + part);
        Self(half(0), half(1))
    }

    /// The id of the resource itself: the same UUID without its scheme.
    pub(crate) const fn id(self) -> Uuid {
        Uuid(self.0, self.1)
    }
}

impl Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:uuid:{}", self.id())
    }
}

/// A random (version 4) UUID.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uuid(u64, u64);

impl Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(high, low) = *self;
        write!(
            f,
            "{:08x}-{:04x}-4{:03x}-{:04x}-a{:011x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFF,
            0x8000 | low >> 48 & 0x3FFF,
            low & 0x7FF_FFFF_FFFF,
        )
    }
}

/// A moment of Japan's time zone in office hours, so that the date is the same in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) date: Date,
    /// Minutes since 9:00, at most 8 hours.
    pub(crate) minute: u32,
}

impl Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}:{:02}:00+09:00", Day(self.date), 9 + self.minute / 60, self.minute % 60)
    }
}

/// A date as FHIR spells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) Date);

impl Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month() as u8, self.0.day())
    }
}

impl Json<'_> {
    pub(crate) fn profiles(&mut self, profiles: &[&str]) {
        self.object_at("meta", |json| json.array_at("profile", |json| profiles.iter().for_each(|one| json.text(one))));
    }

    pub(crate) fn reference_at(&mut self, key: &str, to: Urn) {
        self.object_at(key, |json| json.text_at("reference", to));
    }

    pub(crate) fn reference(&mut self, to: Urn) {
        self.object(|json| json.text_at("reference", to));
    }

    pub(crate) fn coding(&mut self, system: &str, code: &str, display: &str) {
        self.object(|json| {
            json.str_at("system", system);
            json.str_at("code", code);
            if !display.is_empty() {
                json.str_at("display", display);
            }
        });
    }

    /// `"key":{"coding":[{…}]}`
    pub(crate) fn codeable_at(&mut self, key: &str, system: &str, code: &str, display: &str) {
        self.object_at(key, |json| json.array_at("coding", |json| json.coding(system, code, display)));
    }

    /// A codeable concept as the next element of an array.
    pub(crate) fn codeable(&mut self, system: &str, code: &str, display: &str) {
        self.object(|json| json.array_at("coding", |json| json.coding(system, code, display)));
    }

    pub(crate) fn identifier(&mut self, system: &str, value: impl Display) {
        self.object(|json| {
            json.str_at("system", system);
            json.text_at("value", value);
        });
    }

    pub(crate) fn quantity_at(&mut self, key: &str, value: impl Display, unit: &str, system: &str, code: &str) {
        self.object_at(key, |json| {
            json.literal_at("value", value);
            json.str_at("unit", unit);
            json.str_at("system", system);
            json.str_at("code", code);
        });
    }

    pub(crate) fn period_at(&mut self, key: &str, start: impl Display, end: impl Display) {
        self.object_at(key, |json| {
            json.text_at("start", start);
            json.text_at("end", end);
        });
    }

    /// An entry of a Bundle.
    pub(crate) fn entry(&mut self, urn: Urn, kind: &str, resource: impl FnOnce(&mut Self)) {
        self.object(|json| {
            json.text_at("fullUrl", urn);
            json.object_at("resource", |json| {
                json.str_at("resourceType", kind);
                json.text_at("id", urn.id());
                resource(json);
            });
        });
    }
}
