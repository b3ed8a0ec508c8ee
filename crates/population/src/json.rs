//! JSON written straight into a buffer: no tree, no intermediate strings.

use core::fmt::{self, Display, Write as _};

/// A writer of one JSON value. Commas follow from what was written last, so that no state is kept.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Json<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// The first value of a document.
    pub(crate) fn root(&mut self, body: impl FnOnce(&mut Self)) {
        self.enclosed(b'{', b'}', body);
    }

    /// An object as the next element of an array.
    pub(crate) fn object(&mut self, body: impl FnOnce(&mut Self)) {
        self.comma();
        self.enclosed(b'{', b'}', body);
    }

    pub(crate) fn object_at(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.key(key);
        self.enclosed(b'{', b'}', body);
    }

    pub(crate) fn array_at(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.key(key);
        self.enclosed(b'[', b']', body);
    }

    /// A string as the next element of an array.
    pub(crate) fn text(&mut self, value: impl Display) {
        self.comma();
        self.quoted(value);
    }

    pub(crate) fn text_at(&mut self, key: &str, value: impl Display) {
        self.key(key);
        self.quoted(value);
    }

    pub(crate) fn str_at(&mut self, key: &str, value: &str) {
        self.key(key);
        self.out.push(b'"');
        self.escaped(value);
        self.out.push(b'"');
    }

    /// A number, boolean or null by its own spelling: decimals keep their digits.
    pub(crate) fn literal_at(&mut self, key: &str, value: impl Display) {
        self.key(key);
        write!(Escaped(self), "{value}").expect("a Vec takes every write");
    }

    /// How much of the buffer is written: where the next byte goes.
    pub(crate) fn position(&self) -> usize {
        self.out.len()
    }

    fn enclosed(&mut self, open: u8, close: u8, body: impl FnOnce(&mut Self)) {
        self.out.push(open);
        body(self);
        self.out.push(close);
    }

    /// A key is one of ours: ASCII without quotes.
    fn key(&mut self, key: &str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn comma(&mut self) {
        if !matches!(self.out.last(), Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }

    fn quoted(&mut self, value: impl Display) {
        self.out.push(b'"');
        write!(Escaped(self), "{value}").expect("a Vec takes every write");
        self.out.push(b'"');
    }

    fn escaped(&mut self, value: &str) {
        let mut rest = value.as_bytes();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F)) {
            self.out.extend_from_slice(&rest[..at]);
            match rest[at] {
                b'\n' => self.out.extend_from_slice(b"\\n"),
                control @ 0..=0x1F => self.out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
                quoted => self.out.extend_from_slice(&[b'\\', quoted]),
            }
            rest = &rest[at + 1..];
        }
        self.out.extend_from_slice(rest);
    }
}

/// Formats into a JSON string.
struct Escaped<'a, 'b>(&'a mut Json<'b>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.escaped(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_escapes_are_those_of_json() {
        let mut out = Vec::new();
        Json::new(&mut out).root(|json| {
            json.str_at("a", "x\"\\\n\u{1}髙");
            json.array_at("b", |json| {
                json.text(1);
                json.object(|json| json.literal_at("c", "0.010"));
                json.object(|_| {});
            });
            json.object_at("d", |_| {});
        });
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":"x\"\\\n\u0001髙","b":["1",{"c":0.010},{}],"d":{}}"#);
    }
}
