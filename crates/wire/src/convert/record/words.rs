//! Purposes and evidence as words.

use renkei_access::{Evidence, Purpose};

use super::InvalidRecordMessage as Invalid;

pub(super) fn purpose(word: &str) -> Result<Purpose, Invalid> {
    (0..8).filter_map(Purpose::from_raw).find(|known| purpose_word(*known) == word).ok_or(Invalid::Malformed("purpose"))
}

/// The stable word of a purpose, such as `care`.
pub const fn purpose_word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Care => "care",
        Purpose::Emergency => "emergency",
        Purpose::Own => "own",
        Purpose::Repair => "repair",
        Purpose::Report => "report",
    }
}

pub(super) fn evidence(word: &str) -> Result<Evidence, Invalid> {
    (0..8)
        .filter_map(Evidence::from_raw)
        .find(|known| evidence_word(*known) == word)
        .ok_or(Invalid::Malformed("evidence"))
}

/// The stable word of an evidence, such as `insurer_token`.
pub const fn evidence_word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Card => "card",
        Evidence::InsurerToken => "insurer_token",
        Evidence::MemberId => "member_id",
        Evidence::FourItem => "four_item",
        Evidence::Unconscious => "unconscious",
        Evidence::Delegate => "delegate",
    }
}
