//! One object's own scalars, as far as their fields are known.

use crate::key::Key;

/// What a scalar is; its text lies beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Text,
    /// The digits as written.
    Number,
    Truth(bool),
    /// A payload that is not read.
    Present,
}

/// The scalars of all objects that are open, one after another.
#[derive(Default)]
pub(crate) struct Scalars {
    text: String,
    members: Vec<Member>,
    starts: Vec<(usize, usize)>,
}

#[derive(Clone, Copy)]
struct Member {
    key: Key,
    scalar: Scalar,
    start: usize,
    end: usize,
}

impl Scalars {
    pub(crate) fn open(&mut self) {
        self.starts.push((self.members.len(), self.text.len()));
    }

    /// Adds a scalar, or an item of an array of scalars, to the object opened last. Outside of every object there is
    /// nothing to add to.
    pub(crate) fn add(&mut self, key: Key, scalar: Scalar, text: &str) {
        if self.starts.is_empty() {
            return;
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.members.push(Member { key, scalar, start, end: self.text.len() });
    }

    /// Whether an item of an array may still be added. Objects hold each name once, which bounds their other scalars;
    /// an item takes a few bytes of text and ten times as many here.
    pub(crate) fn has_room_for_items(&self) -> bool {
        const ITEMS_MAX: usize = 1_024;
        self.members.len() < ITEMS_MAX
    }

    pub(crate) fn of_last_object(&self) -> Element<'_> {
        let first = self.starts.last().map_or(0, |(member, _)| *member);
        Element { members: &self.members[first..], text: &self.text }
    }

    pub(crate) fn close(&mut self) {
        let (member, text) = self.starts.pop().unwrap_or_default();
        self.members.truncate(member);
        self.text.truncate(text);
    }
}

/// The scalars of one object.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    members: &'a [Member],
    text: &'a str,
}

impl<'a> Element<'a> {
    /// All strings of a field, in order.
    pub(crate) fn texts(&self, key: Key) -> impl Iterator<Item = &'a str> + use<'a> {
        self.of_scalar(key, Scalar::Text)
    }

    /// The string of a field.
    pub(crate) fn text(&self, key: Key) -> Option<&'a str> {
        self.texts(key).next()
    }

    /// The string of a field, owned.
    pub(crate) fn owned(&self, key: Key) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    /// The digits of a numeric field, as written.
    pub(crate) fn number(&self, key: Key) -> Option<&'a str> {
        self.of_scalar(key, Scalar::Number).next()
    }

    /// The value of a boolean field.
    pub(crate) fn truth(&self, key: Key) -> Option<bool> {
        self.members.iter().find_map(|member| match member.scalar {
            Scalar::Truth(truth) if member.key == key => Some(truth),
            _ => None,
        })
    }

    /// Whether the field is there with any scalar.
    pub(crate) fn has(&self, key: Key) -> bool {
        self.members.iter().any(|member| member.key == key)
    }

    fn of_scalar(&self, key: Key, scalar: Scalar) -> impl Iterator<Item = &'a str> + use<'a> {
        let text = self.text;
        self.members
            .iter()
            .filter(move |member| member.key == key && member.scalar == scalar)
            .map(move |member| &text[member.start..member.end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_sees_its_own_scalars_only() {
        let mut scalars = Scalars::default();
        scalars.add(Key::Id, Scalar::Text, "outside");
        scalars.open();
        scalars.add(Key::Id, Scalar::Text, "outer");
        scalars.open();
        scalars.add(Key::Value, Scalar::Number, "0.010");
        let inner = scalars.of_last_object();
        assert_eq!(
            (inner.text(Key::Id), inner.number(Key::Value), inner.text(Key::Value)),
            (None, Some("0.010"), None)
        );
        scalars.close();
        let outer = scalars.of_last_object();
        assert_eq!((outer.text(Key::Id), outer.has(Key::Value)), (Some("outer"), false));
    }
}
