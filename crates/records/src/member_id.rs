//! The id under which an insurer knows a person.

use core::fmt;

use crate::fold::fold;
use crate::insurer::{Insurer, InvalidInsurer};

/// Most bytes of a member id. Symbols and numbers are short in life; this bounds what a document can make us hold.
pub const MEMBER_ID_MAX_BYTES: usize = 256;

/// `insurer:symbol:number:branch`, empty parts kept (JP-CLINS, JP_Insurance_memberID). The original is kept; two ids are
/// compared by [`MemberId::comparison_form`].
#[derive(Clone)]
pub struct MemberId {
    original: String,
    comparison: String,
    insurer: Insurer,
}

/// Why text is no member id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMemberId {
    /// Longer than [`MEMBER_ID_MAX_BYTES`].
    #[error("a member id has at most {MEMBER_ID_MAX_BYTES} bytes")]
    Length,
    /// Anything but four parts between three colons.
    #[error("a member id has four parts: insurer, symbol, number, branch")]
    Parts,
    /// The first part is no insurer number.
    #[error("a member id begins with an insurer number")]
    Insurer(#[source] InvalidInsurer),
    /// The third part is empty.
    #[error("a member id has a number")]
    Number,
    /// The fourth part is neither empty nor one or two digits.
    #[error("the branch of a member id is two digits, or absent")]
    Branch,
}

impl MemberId {
    /// Reads an id as documents write it: any width of digits and colons, six or eight digits of insurer, one or two of
    /// branch.
    pub fn parse(text: &str) -> Result<Self, InvalidMemberId> {
        if text.len() > MEMBER_ID_MAX_BYTES {
            return Err(InvalidMemberId::Length);
        }
        let folded = fold(text);
        let mut parts = folded.split(':');
        let (Some(insurer), Some(symbol), Some(number), Some(branch), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidMemberId::Parts);
        };
        Self::build(text.to_owned(), insurer, symbol, number, branch)
    }

    /// From the parts as an insurance card shows them, which a Coverage carries one by one. The original is the four
    /// parts joined.
    pub fn from_parts(insurer: &str, symbol: &str, number: &str, branch: &str) -> Result<Self, InvalidMemberId> {
        Self::parse(&format!("{insurer}:{symbol}:{number}:{branch}"))
    }

    fn build(
        original: String,
        insurer: &str,
        symbol: &str,
        number: &str,
        branch: &str,
    ) -> Result<Self, InvalidMemberId> {
        let insurer: Insurer = insurer.parse().map_err(InvalidMemberId::Insurer)?;
        if number.is_empty() {
            return Err(InvalidMemberId::Number);
        }
        let padding = match branch.len() {
            0 | 2 => "",
            1 => "0",
            _ => return Err(InvalidMemberId::Branch),
        };
        if !branch.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidMemberId::Branch);
        }
        let comparison = format!("{insurer}:{symbol}:{number}:{padding}{branch}");
        Ok(Self { original, comparison, insurer })
    }

    /// The id as it was written.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The id in its comparison form: insurer of eight digits, other parts folded, branch of two digits or absent. A
    /// branch `00` and an absent one differ.
    pub fn comparison_form(&self) -> &str {
        &self.comparison
    }

    /// The insurer.
    pub fn insurer(&self) -> Insurer {
        self.insurer
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(text: &str) -> String {
        MemberId::parse(text).expect("a valid member id").comparison_form().to_owned()
    }

    #[test]
    fn notations_of_one_id_compare_equal() {
        let id = comparison("06139877:あいう:187:05");
        for other in [
            "06139877:あいう:１８７:05",
            "06139877：あいう：１８７：05",
            "06139877:あ\u{3000}いう:187:05",
            "06139877:アイウ:187:5",
            "０６１３９８７７:ｱｲｳ:187:０５",
        ] {
            assert_eq!(comparison(other), id, "{other}");
        }
        assert_eq!(comparison("131011:1:2:"), comparison("00131011:1:2:"));
    }

    #[test]
    fn an_absent_branch_is_not_branch_00() {
        assert_ne!(comparison("06139877:1:2:"), comparison("06139877:1:2:00"));
        assert_ne!(comparison("06139877::12:"), comparison("06139877:1:2:"));
    }

    #[test]
    fn the_original_is_kept() {
        let id = MemberId::parse("06139877:あいう:１８７:05").expect("a valid member id");
        assert_eq!(id.original(), "06139877:あいう:１８７:05");
        assert_eq!(id.insurer().to_string(), "06139877");
        assert_eq!(format!("{id:?}"), "MemberId(..)");
    }

    #[test]
    fn a_wrong_id_is_refused_for_its_reason() {
        let long = format!("06139877:{}:1:", "1".repeat(MEMBER_ID_MAX_BYTES));
        let cases = [
            ("00012345:あいう:187:05", InvalidMemberId::Insurer(InvalidInsurer::CheckDigit)),
            ("12345:あいう:187:05", InvalidMemberId::Insurer(InvalidInsurer::Form)),
            ("06139877:1:2:03:", InvalidMemberId::Parts),
            ("06139877:1:2", InvalidMemberId::Parts),
            ("", InvalidMemberId::Parts),
            ("06139877:1::01", InvalidMemberId::Number),
            ("06139877:1:2:001", InvalidMemberId::Branch),
            ("06139877:1:2:x", InvalidMemberId::Branch),
            (long.as_str(), InvalidMemberId::Length),
        ];
        for (text, reason) in cases {
            assert_eq!(MemberId::parse(text).map(|_| ()), Err(reason), "{text}");
        }
    }
}
