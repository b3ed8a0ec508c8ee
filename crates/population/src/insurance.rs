//! Member ids: insurer, symbol, number and branch, in the several forms that cards and receipt computers use.

use core::fmt;

use crate::check_digit::{mod10, write_digits};
use crate::draw::Draws;
use crate::prefecture::Prefecture;

/// Who insures. Each has its own habits of symbols and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InsurerKind {
    /// 協会けんぽ, law 01: digits only.
    HealthAssociation,
    /// 組合健保, law 06: short symbols, long numbers.
    Society,
    /// 共済組合, laws 31 to 34: symbols with kanji.
    MutualAid,
    /// 国民健康保険: six digits, written with 00 in front; symbols with kanji or none.
    National,
    /// 後期高齢者医療, law 39: from 75 on; eight digits, no symbol, no branch.
    LaterElderly,
}

/// An insurer's eight digits, the last of them a check digit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Insurer {
    /// Who it is.
    pub kind: InsurerKind,
    number: [u8; 8],
}

impl Insurer {
    fn new(kind: InsurerKind, law: u32, prefecture: &Prefecture, insurer: u32) -> Self {
        let mut number = [0_u8; 8];
        write_digits(&mut number[..2], law);
        write_digits(&mut number[2..4], u32::from(prefecture.code));
        write_digits(&mut number[4..7], insurer);
        number[7] = mod10(&number[..7]);
        Self { kind, number }
    }

    /// The eight digits.
    pub fn number(&self) -> &str {
        str::from_utf8(&self.number).expect("the number is made of ASCII digits")
    }
}

impl fmt::Debug for Insurer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Insurer({})", self.number())
    }
}

/// A member id as the card has it. Two persons never have the same one, in any comparison form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberId {
    /// The insurer.
    pub insurer: Insurer,
    /// 記号, empty where the card has none; digits may be full-width.
    pub symbol: String,
    /// 番号; digits may be full-width.
    pub number: String,
    /// 枝番, absent on cards from before 2021 and for the later elderly. An absent branch is not branch 00.
    pub branch: Option<u8>,
}

impl MemberId {
    /// The same id as other desks write it: other widths of digits and colons, a branch of one digit. Spelling 0 is the
    /// card's.
    pub fn respelled(&self, spelling: u8) -> String {
        let card = self.to_string();
        let flag = |bit: u8| spelling >> bit & 1 == 1;
        let short = match self.branch {
            Some(branch @ 0..=9) if flag(0) => format!("{}{branch}", &card[..card.len() - 2]),
            _ => card,
        };
        let wide = if flag(1) { full_width(&short) } else { short };
        if flag(2) { wide.replace(':', "：") } else { wide }
    }
}

/// The form in FHIR identifiers: `insurer:symbol:number:branch`, empty parts kept.
impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:", self.insurer.number(), self.symbol, self.number)?;
        match self.branch {
            Some(branch) => write!(f, "{branch:02}"),
            None => Ok(()),
        }
    }
}

/// Serial numbers that no two persons, or no two households, share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Serials {
    pub(crate) person: u32,
    pub(crate) household: u32,
    /// Place in the household, which becomes the branch.
    pub(crate) role: u8,
}

const LATER_ELDERLY_NUMBERS: u32 = 10_000_000;

/// The id of a person of 75 or more. The eighth digit is a check digit (the rule is unverified, section 3 of the study).
pub(crate) fn later_elderly(prefecture: &Prefecture, serials: Serials) -> MemberId {
    let insurer = Insurer::new(InsurerKind::LaterElderly, 39, prefecture, 1 + serials.person / LATER_ELDERLY_NUMBERS);
    let mut digits = [0_u8; 8];
    write_digits(&mut digits[..7], serials.person % LATER_ELDERLY_NUMBERS);
    digits[7] = mod10(&digits[..7]);
    let number = str::from_utf8(&digits).expect("the number is made of ASCII digits").to_owned();
    MemberId { insurer, symbol: String::new(), number, branch: None }
}

/// The id of a person under 75, whose household shares insurer, symbol and number and differs by branch. A card
/// without a branch has a number of its own instead.
pub(crate) fn household_member(prefecture: &Prefecture, serials: Serials, draws: &mut Draws) -> MemberId {
    const KINDS: [(InsurerKind, u32); 4] = [
        (InsurerKind::HealthAssociation, 38),
        (InsurerKind::Society, 27),
        (InsurerKind::MutualAid, 9),
        (InsurerKind::National, 26),
    ];
    let kind = KINDS[draws.weighted(KINDS.into_iter().map(|(_, weight)| weight), 100)].0;
    let branchless = draws.percent(12);
    let serial = if branchless { serials.person } else { serials.household };
    // Both halves are in the text, so that the text gives the serial back.
    let (high, low) = (serial / 100_000, serial % 100_000);
    let (law, insurer, symbol, number) = match kind {
        InsurerKind::HealthAssociation => {
            (1, 1, format!("{}", 10_000_000 + high * 10_000 + draws.below(10_000)), format!("{}", low + 1))
        }
        InsurerKind::Society => {
            (6, 100 + draws.zipf(800), format!("{}", high + 1), format!("{}", low * 100 + draws.below(100)))
        }
        InsurerKind::MutualAid => {
            let prefix = *draws.pick(&["公立", "警共", "学共", "地共", "あい"]);
            (31 + draws.below(4), 1 + draws.below(40), format!("{prefix}{}", high + 1), format!("{low:06}"))
        }
        InsurerKind::National | InsurerKind::LaterElderly => {
            let city = 1 + draws.below(60);
            if !branchless && draws.percent(25) {
                (0, city, String::new(), format!("{serial:08}"))
            } else {
                let prefix = *draws.pick(&["国", "市国", "こく", ""]);
                (0, city, format!("{prefix}{}", high + 1), format!("{low:05}"))
            }
        }
    };
    let wide = draws.percent(30);
    let spell = |text: String| if wide { full_width(&text) } else { text };
    MemberId {
        insurer: Insurer::new(kind, law, prefecture, insurer),
        symbol: spell(symbol),
        number: spell(number),
        branch: (!branchless).then_some(serials.role),
    }
}

/// ASCII digits as full-width ones; anything else stays.
pub(crate) fn full_width(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { full_width_digit(c) } else { c }).collect()
}

fn full_width_digit(digit: char) -> char {
    char::from_u32(u32::from(digit) - u32::from('0') + u32::from('０')).expect("full-width digits follow each other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Domain, Seed};
    use crate::prefecture::PREFECTURES;

    #[test]
    fn later_elderly_ids_have_eight_digits_and_nothing_else() {
        let id = later_elderly(&PREFECTURES[12], Serials { person: 123_456_789, household: 1, role: 0 });
        assert_eq!(id.to_string(), "39130133::34567891:");
        assert_eq!((id.number.len(), id.symbol.len(), id.branch), (8, 0, None));
    }

    #[test]
    fn a_household_shares_its_id_but_for_the_branch() {
        let seed = Seed::new(5);
        for household in 0..1_000 {
            let ids = [0, 1].map(|role| {
                let serials = Serials { person: household * 3 + u32::from(role), household, role };
                household_member(&PREFECTURES[0], serials, &mut seed.draws(Domain::Insurance, household.into(), 0))
            });
            if ids[0].branch.is_some() {
                assert_eq!((&ids[0].symbol, &ids[0].number), (&ids[1].symbol, &ids[1].number));
            }
            assert_ne!(ids[0].to_string(), ids[1].to_string());
        }
    }
}
