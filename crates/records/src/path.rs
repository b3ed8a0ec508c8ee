//! Where in a document: names of known fields and indexes.

use core::fmt;

use crate::key::Key;

/// The path of a field, such as `entry[2].resource.identifier[0]`. A name that this project does not know is shown as
/// `*`, because a name can hold anything.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldPath(Vec<Step>);

#[derive(Clone, Copy, PartialEq, Eq)]
struct Step {
    key: Key,
    index: Option<u32>,
}

impl FieldPath {
    /// A path of names without indexes.
    pub(crate) fn of(keys: &[Key]) -> Self {
        Self(keys.iter().map(|key| Step { key: *key, index: None }).collect())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the document");
        }
        for (at, Step { key, index }) in self.0.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            write!(f, "{dot}{}", key.name())?;
            if let Some(index) = index {
                write!(f, "[{index}]")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldPath({self})")
    }
}

/// The way from the document's root to the value that is being read.
#[derive(Debug, Default)]
pub(crate) struct Path {
    keys: Vec<Key>,
    indexes: Vec<Option<u32>>,
}

impl Path {
    /// Names from the root, without indexes.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(crate) fn push(&mut self, key: Key) {
        self.keys.push(key);
        self.indexes.push(None);
    }

    pub(crate) fn pop(&mut self) {
        self.keys.pop();
        self.indexes.pop();
    }

    /// Sets the index inside the array that the last name leads to.
    pub(crate) fn set_index(&mut self, index: Option<u32>) {
        if let Some(last) = self.indexes.last_mut() {
            *last = index;
        }
    }

    /// This place.
    pub(crate) fn field(&self) -> FieldPath {
        let steps = self.keys.iter().zip(&self.indexes).map(|(key, index)| Step { key: *key, index: *index });
        FieldPath(steps.collect())
    }

    /// A member of this place.
    pub(crate) fn member(&self, key: Key) -> FieldPath {
        let mut field = self.field();
        field.0.push(Step { key, index: None });
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prints_names_and_indexes() {
        let mut path = Path::default();
        assert_eq!(path.field().to_string(), "the document");
        path.push(Key::Entry);
        path.set_index(Some(2));
        path.push(Key::Resource);
        path.push(Key::Other);
        assert_eq!(path.member(Key::Value).to_string(), "entry[2].resource.*.value");
        path.pop();
        path.pop();
        assert_eq!(path.field().to_string(), "entry[2]");
    }
}
