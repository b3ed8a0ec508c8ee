//! The names of fields that intake looks at. All others are one: [`Key::Other`].

macro_rules! keys {
    ($($variant:ident = $name:literal,)*) => {
        /// A known field name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Key {
            $(#[doc = $name] $variant,)*
            /// Any name that intake does not look at.
            Other,
        }

        /// Names with their keys, in byte order of the names.
        const TABLE: &[(&str, Key)] = &[$(($name, Key::$variant),)*];

        impl Key {
            /// The name; `*` for all that are not known.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other => "*",
                }
            }
        }
    };
}

keys! {
    AccessIdentifier = "accessIdentifier",
    AsNeededBoolean = "asNeededBoolean",
    Attachment = "attachment",
    Author = "author",
    AuthoredOn = "authoredOn",
    Beneficiary = "beneficiary",
    BirthDate = "birthDate",
    BoundsDuration = "boundsDuration",
    BoundsPeriod = "boundsPeriod",
    Code = "code",
    Coding = "coding",
    Contained = "contained",
    Content = "content",
    ContentAttachment = "contentAttachment",
    ContentType = "contentType",
    Custodian = "custodian",
    Data = "data",
    Date = "date",
    DefinitionIdentifier = "definitionIdentifier",
    Denominator = "denominator",
    DispenseRequest = "dispenseRequest",
    Display = "display",
    DosageInstruction = "dosageInstruction",
    DoseAndRate = "doseAndRate",
    DoseNumberPositiveInt = "doseNumberPositiveInt",
    DoseNumberString = "doseNumberString",
    DoseQuantity = "doseQuantity",
    DoseRange = "doseRange",
    Encounter = "encounter",
    End = "end",
    Entry = "entry",
    Event = "event",
    ExpectedSupplyDuration = "expectedSupplyDuration",
    ExpirationDate = "expirationDate",
    Extension = "extension",
    For = "for",
    FullUrl = "fullUrl",
    Gender = "gender",
    GroupIdentifier = "groupIdentifier",
    High = "high",
    Id = "id",
    Identifier = "identifier",
    Image = "image",
    Ingredient = "ingredient",
    ItemCodeableConcept = "itemCodeableConcept",
    LegalSourceAttachment = "legalSourceAttachment",
    LotNumber = "lotNumber",
    Low = "low",
    MasterIdentifier = "masterIdentifier",
    MedicationCodeableConcept = "medicationCodeableConcept",
    MedicationReference = "medicationReference",
    Meta = "meta",
    Name = "name",
    Numerator = "numerator",
    OccurrenceDateTime = "occurrenceDateTime",
    OccurrenceString = "occurrenceString",
    Patient = "patient",
    Payor = "payor",
    Period = "period",
    Photo = "photo",
    PresentedForm = "presentedForm",
    Profile = "profile",
    ProtocolApplied = "protocolApplied",
    Quantity = "quantity",
    RateRatio = "rateRatio",
    Recorded = "recorded",
    RecordedDate = "recordedDate",
    Reference = "reference",
    Repeat = "repeat",
    Resource = "resource",
    ResourceType = "resourceType",
    Route = "route",
    Section = "section",
    Series = "series",
    Site = "site",
    SourceAttachment = "sourceAttachment",
    Start = "start",
    Status = "status",
    Strength = "strength",
    Subject = "subject",
    System = "system",
    Tag = "tag",
    TargetDisease = "targetDisease",
    Text = "text",
    Timing = "timing",
    Title = "title",
    Type = "type",
    Unit = "unit",
    Url = "url",
    VaccineCode = "vaccineCode",
    Value = "value",
    ValueAttachment = "valueAttachment",
    ValueDate = "valueDate",
    ValueDateTime = "valueDateTime",
    ValueDuration = "valueDuration",
    ValueIdentifier = "valueIdentifier",
    ValuePeriod = "valuePeriod",
    ValueString = "valueString",
}

/// Where in [`TABLE`] the names of each first letter stand.
const RANGES: [(usize, usize); 128] = {
    let mut ranges = [(0, 0); 128];
    let mut at = 0;
    while at < TABLE.len() {
        let first = TABLE[at].0.as_bytes()[0] as usize;
        if ranges[first].1 == 0 {
            ranges[first].0 = at;
        }
        at += 1;
        ranges[first].1 = at;
    }
    ranges
};

impl Key {
    /// The key of a field name. It is asked for every name of a document: few of the table share a first letter.
    pub(crate) fn of(name: &str) -> Self {
        let Some(first) = name.bytes().next().filter(u8::is_ascii) else { return Self::Other };
        let (start, end) = RANGES[usize::from(first)];
        TABLE[start..end].iter().find(|(known, _)| *known == name).map_or(Self::Other, |(_, key)| *key)
    }

    /// Whether values of this field are of the type Identifier.
    pub(crate) const fn is_identifier(self) -> bool {
        matches!(
            self,
            Self::Identifier
                | Self::AccessIdentifier
                | Self::DefinitionIdentifier
                | Self::GroupIdentifier
                | Self::MasterIdentifier
                | Self::ValueIdentifier
        )
    }

    /// Whether values of this field are, or can be, of the type Attachment.
    pub(crate) const fn is_attachment(self) -> bool {
        matches!(
            self,
            Self::Attachment
                | Self::Content
                | Self::ContentAttachment
                | Self::Image
                | Self::LegalSourceAttachment
                | Self::PresentedForm
                | Self::SourceAttachment
                | Self::ValueAttachment
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_finds_every_name() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, key) in TABLE {
            assert_eq!(Key::of(name), *key);
            assert_eq!(key.name(), *name);
        }
        assert_eq!(Key::of(""), Key::Other);
        assert_eq!(Key::of("__proto__"), Key::Other);
        assert_eq!(Key::of("é"), Key::Other);
        assert_eq!(Key::of("codes"), Key::Other);
    }
}
