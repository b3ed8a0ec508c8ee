//! Descriptors as readable lines, and what differs between two of them. Also a part of the example `refresh`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet, ServiceDescriptorProto,
};

/// Every message, field, enum value and call, by name, with the aspects that both ends must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contract(BTreeMap<String, Aspects>);

type Aspects = Vec<(&'static str, String)>;

/// One difference between a baseline and what is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Something that others may use is gone.
    Removed { entry: String },
    /// Something that others may use is not what it was.
    Changed { entry: String, aspect: &'static str, was: String, is: String },
    /// A number has another meaning than it had.
    Reused { entry: String, number: String, was: String },
    /// Something new, which the baseline does not hold yet.
    Added { entry: String },
}

impl Difference {
    pub(crate) fn is_breaking(&self) -> bool {
        !matches!(self, Self::Added { .. })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed { entry } => write!(f, "breaking: {entry} is gone"),
            Self::Changed { entry, aspect, was, is } => write!(f, "breaking: {aspect} of {entry} was {was}, is {is}"),
            Self::Reused { entry, number, was } => write!(f, "breaking: {entry} takes number {number} of {was}"),
            Self::Added { entry } => write!(f, "not in the baseline: {entry}"),
        }
    }
}

impl Contract {
    pub(crate) fn of(descriptors: &FileDescriptorSet) -> Self {
        let mut entries = BTreeMap::new();
        for file in &descriptors.file {
            file.message_type.iter().for_each(|message| add_message(file.package(), message, &mut entries));
            file.enum_type.iter().for_each(|values| add_enum(file.package(), values, &mut entries));
            file.service.iter().for_each(|service| add_service(file.package(), service, &mut entries));
        }
        Self(entries)
    }

    /// One line for each entry, sorted by name.
    pub(crate) fn to_text(&self) -> String {
        self.0
            .iter()
            .map(|(entry, aspects)| {
                let aspects: String = aspects.iter().map(|(aspect, value)| format!(" {aspect}={value}")).collect();
                format!("{entry}{aspects}\n")
            })
            .collect()
    }

    /// Reads what [`Self::to_text`] wrote; `None` for a line that it does not write.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        text.lines().map(read_line).collect::<Option<_>>().map(Self)
    }

    /// What differs in `today`, this being the baseline.
    pub(crate) fn differences(&self, today: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        for (entry, was) in &self.0 {
            match today.0.get(entry) {
                None => found.push(Difference::Removed { entry: entry.clone() }),
                Some(is) => found.extend(changes(entry, was, is)),
            }
        }
        let numbers: BTreeMap<_, _> = self.0.iter().filter_map(numbered).collect();
        for (entry, aspects) in &today.0 {
            if !self.0.contains_key(entry) {
                found.push(Difference::Added { entry: entry.clone() });
            }
            let Some((place, _)) = numbered((entry, aspects)) else { continue };
            if let Some(was) = numbers.get(&place).filter(|was| **was != entry) {
                let number = place.1.to_owned();
                found.push(Difference::Reused { entry: entry.clone(), number, was: (*was).clone() });
            }
        }
        found
    }
}

/// The aspects that a line can have. A reader that met another one would not know what it means.
const ASPECTS: [&str; 5] = ["number", "type", "label", "takes", "gives"];

fn read_line(line: &str) -> Option<(String, Aspects)> {
    let mut words = line.split(' ');
    let entry = format!("{} {}", words.next()?, words.next()?);
    let aspects = words.map(|word| {
        let (name, value) = word.split_once('=')?;
        let aspect = ASPECTS.into_iter().find(|aspect| *aspect == name)?;
        Some((aspect, value.to_owned()))
    });
    Some((entry, aspects.collect::<Option<_>>()?))
}

fn changes(entry: &str, was: &Aspects, is: &Aspects) -> Vec<Difference> {
    let was: BTreeMap<_, _> = was.iter().cloned().collect();
    let is: BTreeMap<_, _> = is.iter().cloned().collect();
    let aspects: BTreeSet<_> = was.keys().chain(is.keys()).copied().collect();
    let value = |of: &BTreeMap<&str, String>, aspect| of.get(aspect).cloned().unwrap_or_else(|| "nothing".to_owned());
    aspects
        .into_iter()
        .filter(|aspect| was.get(aspect) != is.get(aspect))
        .map(|aspect| Difference::Changed {
            entry: entry.to_owned(),
            aspect,
            was: value(&was, aspect),
            is: value(&is, aspect),
        })
        .collect()
}

/// (kind and parent, number) -> entry, for entries whose number must never mean something else.
fn numbered<'a>((entry, aspects): (&'a String, &'a Aspects)) -> Option<((&'a str, &'a str), &'a String)> {
    let (parent, _) = entry.rsplit_once('.')?;
    let (_, number) = aspects.iter().find(|(aspect, _)| *aspect == "number")?;
    Some(((parent, number.as_str()), entry))
}

fn add_message(parent: &str, message: &DescriptorProto, into: &mut BTreeMap<String, Aspects>) {
    let name = format!("{parent}.{}", message.name());
    for field in &message.field {
        let aspects = vec![
            ("number", field.number().to_string()),
            ("type", field_type(field)),
            ("label", field_label(message, field)),
        ];
        into.insert(format!("field {name}.{}", field.name()), aspects);
    }
    for range in &message.reserved_range {
        into.insert(format!("reserved {name}.{}-{}", range.start(), range.end() - 1), Vec::new());
    }
    message.nested_type.iter().for_each(|nested| add_message(&name, nested, into));
    message.enum_type.iter().for_each(|values| add_enum(&name, values, into));
    into.insert(format!("message {name}"), Vec::new());
}

fn field_type(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => field.type_name().trim_start_matches('.').to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn field_label(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    match (field.label(), field.oneof_index) {
        (Label::Repeated, _) => "repeated".to_owned(),
        (Label::Required, _) => "required".to_owned(),
        (Label::Optional, _) if field.proto3_optional() => "optional".to_owned(),
        (Label::Optional, None) => "plain".to_owned(),
        (Label::Optional, Some(at)) => {
            let at = usize::try_from(at).expect("protox gives places in a list");
            format!("oneof:{}", message.oneof_decl[at].name())
        }
    }
}

fn add_enum(parent: &str, values: &EnumDescriptorProto, into: &mut BTreeMap<String, Aspects>) {
    let name = format!("{parent}.{}", values.name());
    for value in &values.value {
        into.insert(format!("value {name}.{}", value.name()), vec![("number", value.number().to_string())]);
    }
    into.insert(format!("enum {name}"), Vec::new());
}

fn add_service(parent: &str, service: &ServiceDescriptorProto, into: &mut BTreeMap<String, Aspects>) {
    let name = format!("{parent}.{}", service.name());
    let side = |streams: bool, message: &str| {
        format!("{}:{}", if streams { "stream" } else { "one" }, message.trim_start_matches('.'))
    };
    for method in &service.method {
        let aspects = vec![
            ("takes", side(method.client_streaming(), method.input_type())),
            ("gives", side(method.server_streaming(), method.output_type())),
        ];
        into.insert(format!("rpc {name}.{}", method.name()), aspects);
    }
    into.insert(format!("service {name}"), Vec::new());
}
