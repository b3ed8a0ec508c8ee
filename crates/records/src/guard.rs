//! Rules that hold for every object of a document, whatever resource it stands in.

use crate::element::Element;
use crate::insurer::Insurer;
use crate::key::Key;
use crate::member_id::MemberId;
use crate::my_number;
use crate::path::Path;
use crate::refusal::{Refusal, RefusalCode};
use crate::system::System;

/// The first fault of safety and the first of a field. They are told apart because a fault of safety is told before the
/// kind of document is looked at, one of a field after.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) safety: Option<Refusal>,
    pub(crate) field: Option<Refusal>,
}

impl Findings {
    /// Looks at an object that ends at `path`.
    pub(crate) fn look(&mut self, path: &Path, element: &Element<'_>) {
        let key = path.keys().last().copied().unwrap_or(Key::Other);
        if key == Key::Photo || element.has(Key::Photo) {
            self.safety(RefusalCode::Photo, || path.field());
        }
        if key.is_identifier() {
            self.look_at_identifier(path, element);
        }
        if key.is_attachment() && !element.has(Key::Data) && element.text(Key::Url).is_some_and(is_external) {
            self.safety(RefusalCode::ExternalAttachment, || path.member(Key::Url));
        }
    }

    fn look_at_identifier(&mut self, path: &Path, element: &Element<'_>) {
        let Some(value) = element.text(Key::Value).or_else(|| element.number(Key::Value)) else { return };
        let system = element.text(Key::System);
        if my_number::is_refused(system, value) {
            self.safety(RefusalCode::MyNumber, || path.member(Key::Value));
        }
        match system.map_or(System::Unknown, System::of) {
            System::MemberId if MemberId::parse(value).is_err() => {
                self.field(RefusalCode::InvalidMemberId, || path.member(Key::Value));
            }
            System::Insurer if value.parse::<Insurer>().is_err() => {
                self.field(RefusalCode::InvalidInsurerNumber, || path.member(Key::Value));
            }
            _ => {}
        }
    }

    fn safety(&mut self, code: RefusalCode, field: impl FnOnce() -> crate::path::FieldPath) {
        self.safety.get_or_insert_with(|| Refusal::at(code, field()));
    }

    pub(crate) fn field(&mut self, code: RefusalCode, field: impl FnOnce() -> crate::path::FieldPath) {
        self.field.get_or_insert_with(|| Refusal::at(code, field()));
    }

    pub(crate) fn found(&mut self, refusal: Refusal) {
        self.field.get_or_insert(refusal);
    }
}

/// Whether somebody would have to fetch it: a url with a scheme other than `urn` and `data`, or one that names a host.
fn is_external(url: &str) -> bool {
    let url = url.trim_start();
    if url.starts_with("//") || url.starts_with(r"\\") {
        return true;
    }
    let Some((scheme, _)) = url.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme && !scheme.eq_ignore_ascii_case("urn") && !scheme.eq_ignore_ascii_case("data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_would_be_fetched_is_external() {
        for url in
            ["http://169.254.169.254/", "HTTPS://example.org", "ftp://a", "file:///etc/passwd", "//host/x", r"\\host\x"]
        {
            assert!(is_external(url), "{url}");
        }
        for url in ["Binary/1", "urn:uuid:1", "#local", "data:text/plain;base64,eA==", "", "a/b:c", "../x"] {
            assert!(!is_external(url), "{url}");
        }
    }
}
