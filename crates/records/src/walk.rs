//! One pass over the JSON: every object is handed over at its end with its own scalars, and forgotten.

use struson::reader::{
    JsonReader, JsonStreamReader, JsonSyntaxError, ReaderError, ReaderSettings, SyntaxErrorKind, ValueType,
};

use crate::element::{Element, Scalar, Scalars};
use crate::key::Key;
use crate::names::Names;
use crate::path::Path;
use crate::refusal::{Refusal, RefusalCode};

/// Most levels of objects and arrays. Published documents go to 14.
pub const NESTING_MAX: u32 = 64;

/// What a walk reports. Both calls come with the path of the object.
pub(crate) trait Visitor {
    /// An object begins.
    fn enter(&mut self, path: &Path);

    /// An object ends; all objects inside it have ended before.
    fn leave(&mut self, path: &Path, element: &Element<'_>);
}

/// Walks `text`, which has passed [`crate::screen`], to its end or its first fault of syntax, depth or names. Memory is
/// bounded by the objects that are open: their names and the scalars of known fields.
pub(crate) fn walk(text: &str, visitor: &mut impl Visitor) -> Result<(), Refusal> {
    let settings = ReaderSettings {
        track_path: false,
        max_nesting_depth: Some(NESTING_MAX),
        // Digits are kept as text; a number beyond every float is data.
        restrict_number_values: false,
        ..ReaderSettings::default()
    };
    let mut walk = Walk {
        reader: JsonStreamReader::new_custom(text.as_bytes(), settings),
        path: Path::default(),
        open: Vec::new(),
        names: Names::default(),
        scalars: Scalars::default(),
        visitor,
    };
    walk.value(Key::Other, false)?;
    while let Some(open) = walk.open.last().copied() {
        match open {
            Open::Object { named } => walk.member_or_end(named)?,
            Open::Array { named, next } => walk.item_or_end(named, next)?,
        }
    }
    let Walk { reader, path, .. } = walk;
    reader.consume_trailing_whitespace().map_err(|fault| refusal(&fault, &path))
}

/// `named`: it is the value of a member, so that the path ends with its name.
#[derive(Clone, Copy)]
enum Open {
    Object { named: bool },
    Array { named: bool, next: u32 },
}

struct Walk<'d, 'v, V> {
    reader: JsonStreamReader<&'d [u8]>,
    path: Path,
    open: Vec<Open>,
    names: Names,
    scalars: Scalars,
    visitor: &'v mut V,
}

/// What [`JsonReader`] answers, with its fault as a refusal at the path reached.
macro_rules! read {
    ($walk:ident.$call:ident()) => {
        $walk.reader.$call().map_err(|fault| refusal(&fault, &$walk.path))
    };
}

impl<V: Visitor> Walk<'_, '_, V> {
    fn member_or_end(&mut self, named: bool) -> Result<(), Refusal> {
        if !read!(self.has_next())? {
            read!(self.end_object())?;
            self.visitor.leave(&self.path, &self.scalars.of_last_object());
            self.scalars.close();
            self.names.close();
            self.close(named);
            return Ok(());
        }
        let name = read!(self.next_name())?;
        let added = self.names.add(name);
        let key = Key::of(name);
        self.path.push(key);
        added.map_err(|code| Refusal::at(code, self.path.field()))?;
        self.value(key, true)
    }

    fn item_or_end(&mut self, named: bool, next: u32) -> Result<(), Refusal> {
        if !read!(self.has_next())? {
            read!(self.end_array())?;
            self.path.set_index(None);
            self.close(named);
            return Ok(());
        }
        if let Some(Open::Array { next, .. }) = self.open.last_mut() {
            *next += 1;
        }
        self.path.set_index(Some(next));
        let key = match self.path.keys().last() {
            Some(key) if named && self.scalars.has_room_for_items() => *key,
            _ => Key::Other,
        };
        self.value(key, false)
    }

    fn close(&mut self, named: bool) {
        self.open.pop();
        if named {
            self.path.pop();
        }
    }

    fn value(&mut self, key: Key, named: bool) -> Result<(), Refusal> {
        match read!(self.peek())? {
            ValueType::Object => {
                read!(self.begin_object())?;
                self.open.push(Open::Object { named });
                self.names.open();
                self.scalars.open();
                self.visitor.enter(&self.path);
                return Ok(());
            }
            ValueType::Array => {
                read!(self.begin_array())?;
                self.open.push(Open::Array { named, next: 0 });
                return Ok(());
            }
            // Payloads can be megabytes: that there is one is all that is asked.
            ValueType::String if matches!(key, Key::Data | Key::Photo) => {
                read!(self.skip_value())?;
                self.scalars.add(key, Scalar::Present, "");
            }
            ValueType::String if key != Key::Other => {
                let text = read!(self.next_str())?;
                self.scalars.add(key, Scalar::Text, text);
            }
            ValueType::Number if key != Key::Other => {
                let digits = read!(self.next_number_as_str())?;
                self.scalars.add(key, Scalar::Number, digits);
            }
            ValueType::Boolean if key != Key::Other => {
                let truth = read!(self.next_bool())?;
                self.scalars.add(key, Scalar::Truth(truth), "");
            }
            ValueType::String | ValueType::Number | ValueType::Boolean | ValueType::Null => read!(self.skip_value())?,
        }
        if named {
            self.path.pop();
        }
        Ok(())
    }
}

fn refusal(fault: &ReaderError, path: &Path) -> Refusal {
    let code = match fault {
        ReaderError::SyntaxError(JsonSyntaxError { kind, .. }) => match kind {
            SyntaxErrorKind::UnpairedSurrogatePairEscapeSequence => RefusalCode::LoneSurrogate,
            SyntaxErrorKind::TrailingData => RefusalCode::TrailingData,
            _ => RefusalCode::MalformedJson,
        },
        ReaderError::MaxNestingDepthExceeded { .. } => RefusalCode::TooDeep,
        _ => RefusalCode::MalformedJson,
    };
    match code {
        RefusalCode::TrailingData => code.into(),
        _ => Refusal::at(code, path.field()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts objects and remembers the scalars of known fields.
    #[derive(Default)]
    struct Seen {
        entered: usize,
        left: Vec<(String, Vec<String>)>,
    }

    impl Visitor for Seen {
        fn enter(&mut self, _: &Path) {
            self.entered += 1;
        }

        fn leave(&mut self, path: &Path, element: &Element<'_>) {
            let mut values: Vec<_> = element.texts(Key::Value).map(str::to_owned).collect();
            values.extend(element.number(Key::Value).map(str::to_owned));
            self.left.push((path.field().to_string(), values));
        }
    }

    fn seen(text: &str) -> Result<Seen, RefusalCode> {
        let mut seen = Seen::default();
        walk(text, &mut seen).map_err(|refusal| refusal.code)?;
        assert_eq!(seen.entered, seen.left.len(), "{text}");
        Ok(seen)
    }

    #[test]
    fn objects_come_at_their_end_with_their_own_scalars() {
        let seen = seen(r#"{"value":0.010,"entry":[{"value":"a\u0041"},{"value":["b","c"],"x":{"value":1e400}}]}"#)
            .expect("valid JSON");
        let expected: [(&str, &[&str]); 4] = [
            ("entry[0]", &["aA"]),
            ("entry[1].*", &["1e400"]),
            ("entry[1]", &["b", "c"]),
            ("the document", &["0.010"]),
        ];
        for ((path, values), (expected_path, expected)) in seen.left.iter().zip(expected) {
            assert_eq!((path.as_str(), values.as_slice()), (expected_path, &expected.map_owned()[..]));
        }
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[test]
    fn faults_have_their_codes() {
        let cases = [
            (r#"{"a":1,"a":2}"#, RefusalCode::DuplicateName),
            (r#"{"a":{"b":1},"c":[{"d":1,"\u0064":2}]}"#, RefusalCode::DuplicateName),
            (r#"{} {}"#, RefusalCode::TrailingData),
            (r#"{}x"#, RefusalCode::TrailingData),
            (r#"{"a":"\ud83d"}"#, RefusalCode::LoneSurrogate),
            (r#"{"value":"\udc00"}"#, RefusalCode::LoneSurrogate),
            (r#"{"\ud800":1}"#, RefusalCode::LoneSurrogate),
            ("{\"a\":\"\u{1}\"}", RefusalCode::MalformedJson),
            (r#"{"a":01}"#, RefusalCode::MalformedJson),
            (r#"{"a":NaN}"#, RefusalCode::MalformedJson),
            (r#"{"a":1,}"#, RefusalCode::MalformedJson),
            (r#"{"a":1"#, RefusalCode::MalformedJson),
            ("<x/>", RefusalCode::MalformedJson),
            ("   ", RefusalCode::MalformedJson),
        ];
        for (text, code) in cases {
            assert_eq!(seen(text).map(|_| ()), Err(code), "{text}");
        }
    }

    #[test]
    fn nesting_is_refused_past_64() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(seen(&nested(64)).is_ok());
        assert_eq!(seen(&nested(65)).map(|_| ()), Err(RefusalCode::TooDeep));
        let objects = |depth: usize| format!("{}1{}", r#"{"entry":"#.repeat(depth), "}".repeat(depth));
        assert!(seen(&objects(64)).is_ok());
        assert_eq!(seen(&objects(65)).map(|_| ()), Err(RefusalCode::TooDeep));
        assert_eq!(seen(&"[".repeat(100_000)).map(|_| ()), Err(RefusalCode::TooDeep));
    }
}
