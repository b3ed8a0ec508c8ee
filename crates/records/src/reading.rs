//! The walk's visitor: cuts a document into its resources and hands each part to whom it concerns.

use crate::document::{Document, ResourceType};
use crate::draft::Draft;
use crate::element::Element;
use crate::guard::Findings;
use crate::key::Key;
use crate::path::Path;
use crate::people::People;
use crate::walk::Visitor;

/// A document while it is read, and all that is known of it at its end.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) findings: Findings,
    pub(crate) people: People,
    pub(crate) document: Document,
    pub(crate) root: Option<Root>,
    open: Vec<Open>,
    /// Number of the top-level resource that is being read, or was read last.
    top: u32,
    /// Type of the resource of the entry that is being read.
    entry: Option<ResourceType>,
}

/// The outermost resource.
pub(crate) struct Root {
    pub(crate) kind: ResourceType,
    /// `Bundle.type`.
    pub(crate) bundle_type: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) occurrence: Option<String>,
    pub(crate) occurrence_text: Option<String>,
    pub(crate) recorded: Option<String>,
    pub(crate) lot: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) draft: Draft,
}

/// A resource that is being read; `base` is the length of its path.
struct Open {
    base: usize,
    draft: Draft,
}

impl Visitor for Reading {
    fn enter(&mut self, path: &Path) {
        let keys = path.keys();
        // A Bundle may hold Bundles, Parameters hold resources too: any object of these names is taken for one, and it
        // is one if it then has a type.
        let begins = match self.open.last() {
            None => keys.is_empty(),
            Some(_) => matches!(keys.last(), Some(Key::Resource | Key::Contained)),
        };
        if begins {
            if is_entry(keys) {
                self.top = self.top.saturating_add(1);
            }
            self.open.push(Open { base: keys.len(), draft: Draft::default() });
        }
    }

    fn leave(&mut self, path: &Path, element: &Element<'_>) {
        self.findings.look(path, element);
        if let Some(Open { draft, .. }) = self.open.pop_if(|open| open.base == path.keys().len()) {
            self.finish(draft, path, element);
            return;
        }
        // Objects outside of every resource are those of a root that is no object.
        let Some(open) = self.open.last_mut() else { return };
        let at = path.keys().get(open.base..).unwrap_or_default();
        open.draft.leave(at, element);
        match at {
            [key] if People::points_to_patient(*key) => self.people.refer(element, path),
            [key, Key::Identifier] if People::points_to_patient(*key) => {
                self.people.refer_by_identifier(element, path);
            }
            [Key::Entry] if self.open.len() == 1 => self.finish_entry(element),
            _ => {}
        }
    }
}

impl Reading {
    fn finish(&mut self, draft: Draft, path: &Path, element: &Element<'_>) {
        let Some(kind) = element.text(Key::ResourceType).map(ResourceType::of) else { return };
        let contained = !path.keys().is_empty() && !is_entry(path.keys());
        match kind {
            ResourceType::Patient => {
                if let Err(refusal) = self.people.add_patient(&draft, element, path, contained) {
                    self.findings.found(refusal);
                }
            }
            ResourceType::Coverage => {
                for identifier in draft.identifiers.iter().filter(|identifier| identifier.system.is_of_patient()) {
                    self.people.state(identifier, path);
                }
            }
            _ => {}
        }
        if !contained {
            self.entry = Some(kind);
        }
        if self.open.is_empty() {
            let mut root = Root::new(kind, element);
            if kind == ResourceType::MedicationRequest {
                root.draft.profiles.clone_from(&draft.profiles);
                self.document.add(kind, draft, element, self.top, contained);
            } else {
                self.document.marks = self.document.marks.and(draft.marks);
                root.draft = draft;
            }
            self.root = Some(root);
            return;
        }
        self.document.add(kind, draft, element, self.top, contained);
    }

    fn finish_entry(&mut self, element: &Element<'_>) {
        let (Some(kind), Some(full_url)) = (self.entry.take(), element.text(Key::FullUrl)) else { return };
        match kind {
            ResourceType::Patient => self.people.name_entry(full_url),
            _ => self.document.name_last_entry(kind, full_url),
        }
    }
}

/// Whether the path leads to the resource of an entry of the outermost Bundle.
fn is_entry(keys: &[Key]) -> bool {
    matches!(keys, [Key::Entry, Key::Resource])
}

impl Root {
    fn new(kind: ResourceType, element: &Element<'_>) -> Self {
        Self {
            kind,
            bundle_type: element.owned(Key::Type),
            status: element.owned(Key::Status),
            occurrence: element.owned(Key::OccurrenceDateTime),
            occurrence_text: element.owned(Key::OccurrenceString),
            recorded: element.owned(Key::Recorded),
            lot: element.owned(Key::LotNumber),
            expires: element.owned(Key::ExpirationDate),
            draft: Draft::default(),
        }
    }
}
