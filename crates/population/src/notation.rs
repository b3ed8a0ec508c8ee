//! The five items that a link is settled on, in the spellings of different desks.

use core::fmt::Write as _;

use time::Date;

use crate::birth::Sex;
use crate::draw::{Domain, Draws, Seed};
use crate::insurance::full_width;
use crate::kanji::variants_of;
use crate::person::Person;

/// What a registrar compares before it settles a link.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FiveItems {
    /// Family and given name as written.
    pub name: String,
    /// Family and given name in kana.
    pub kana: String,
    /// Birth date.
    pub birth_date: Date,
    /// Sex.
    pub sex: Sex,
    /// Address in one line.
    pub address: String,
}

impl FiveItems {
    /// The register's own spelling.
    pub fn registered(person: &Person) -> Self {
        Self {
            name: format!("{} {}", person.family.written, person.given.written),
            kana: format!("{} {}", person.family.kana, person.given.kana),
            birth_date: person.birth_date,
            sex: person.sex,
            address: person.address.to_string(),
        }
    }
}

/// The same five items in another spelling: variant kanji (高, 髙), variation selectors, kana widths, hiragana and
/// decomposed marks, spaces, and address forms (3丁目9番5号, 3-9-5, ３－９－５, 三丁目, ヶ ケ が, 101号室). Variant 0 is the
/// register's.
///
/// Everything here is the same person: a comparison form that tells a variant from the register's spelling
/// quarantines somebody for nothing. The spellings leave out no part: an address without its prefecture, or a building
/// that one desk omits, is a difference and not a notation.
pub fn noisy(person: &Person, variant: u32) -> FiveItems {
    let mut items = FiveItems::registered(person);
    if variant == 0 {
        return items;
    }
    // No seed of the population: a spelling depends on the person and the number of the variant only.
    let mut draws = Seed::new(0).draws(Domain::Notation, u64::from(person.index.get()), variant);
    items.name = respelled_kanji(&items.name, &mut draws);
    items.kana = respelled_kana(&items.kana, &mut draws);
    items.address = respelled_address(person, &mut draws);
    items
}

/// Ideographic variation selector 17, which a font may use and a comparison must not see.
const VARIATION_SELECTOR: char = '\u{E0100}';

fn respelled_kanji(name: &str, draws: &mut Draws) -> String {
    let space = *draws.pick(&[" ", "\u{3000}", ""]);
    let swaps = draws.percent(60);
    let selectors = draws.percent(5);
    let mut out = String::with_capacity(name.len() + 8);
    for character in name.chars() {
        match variants_of(character) {
            _ if character == ' ' => out.push_str(space),
            Some(group) if swaps => out.push(*draws.pick(group)),
            _ => {
                out.push(character);
                if selectors && ('\u{4E00}'..='\u{9FFF}').contains(&character) && draws.percent(50) {
                    out.push(VARIATION_SELECTOR);
                }
            }
        }
    }
    out
}

fn respelled_kana(kana: &str, draws: &mut Draws) -> String {
    let space = *draws.pick(&[" ", "\u{3000}", ""]);
    let form = draws.below(10);
    let mut out = String::with_capacity(kana.len() + 8);
    for character in kana.chars() {
        match (character, form) {
            (' ', _) => out.push_str(space),
            (_, 0..=2) => push_half_width(&mut out, character),
            (_, 3) => out.push(hiragana(character)),
            (_, 4) => push_decomposed(&mut out, character),
            _ => out.push(character),
        }
    }
    out
}

/// Katakana in the order of code points from ァ, with the half-width spelling of each.
const HALF_WIDTH: &str = "ｧ ｱ ｨ ｲ ｩ ｳ ｪ ｴ ｫ ｵ ｶ ｶﾞ ｷ ｷﾞ ｸ ｸﾞ ｹ ｹﾞ ｺ ｺﾞ ｻ ｻﾞ ｼ ｼﾞ ｽ ｽﾞ ｾ ｾﾞ ｿ ｿﾞ ﾀ ﾀﾞ ﾁ ﾁﾞ ｯ ﾂ ﾂﾞ ﾃ ﾃﾞ ﾄ ﾄﾞ ﾅ ﾆ ﾇ ﾈ ﾉ \
     ﾊ ﾊﾞ ﾊﾟ ﾋ ﾋﾞ ﾋﾟ ﾌ ﾌﾞ ﾌﾟ ﾍ ﾍﾞ ﾍﾟ ﾎ ﾎﾞ ﾎﾟ ﾏ ﾐ ﾑ ﾒ ﾓ ｬ ﾔ ｭ ﾕ ｮ ﾖ ﾗ ﾘ ﾙ ﾚ ﾛ";

fn push_half_width(out: &mut String, character: char) {
    let position = usize::try_from(u32::from(character).wrapping_sub(0x30A1)).unwrap_or(usize::MAX);
    match (character, HALF_WIDTH.split_whitespace().nth(position)) {
        ('ワ', _) => out.push('ﾜ'),
        ('ン', _) => out.push('ﾝ'),
        ('ー', _) => out.push('ｰ'),
        (_, Some(half)) => out.push_str(half),
        (_, None) => out.push(character),
    }
}

fn hiragana(character: char) -> char {
    match character {
        'ァ'..='ヶ' => {
            char::from_u32(u32::from(character) - 0x60).expect("each katakana has its hiragana 0x60 before")
        }
        other => other,
    }
}

/// ガ as カ and a combining mark, as systems that store NFD do.
fn push_decomposed(out: &mut String, character: char) {
    let mut half = String::new();
    push_half_width(&mut half, character);
    let code = u32::from(character);
    let (mark, back) = match half.chars().nth(1) {
        Some('ﾞ') => ('\u{3099}', 1),
        Some('ﾟ') => ('\u{309A}', 2),
        _ => return out.push(character),
    };
    out.push(char::from_u32(code - back).expect("a marked katakana follows its plain one"));
    out.push(mark);
}

fn respelled_address(person: &Person, draws: &mut Draws) -> String {
    let address = &person.address;
    let small_ke = *draws.pick(&['ヶ', 'ケ', 'が']);
    let swaps = draws.percent(30);
    let mut out = String::with_capacity(80);
    out.push_str(address.prefecture.name);
    out.extend(address.municipality.chars().map(|c| if matches!(c, 'ヶ' | 'ケ') { small_ke } else { c }));
    for character in address.town.chars() {
        match (character, variants_of(character)) {
            ('ヶ' | 'ケ', _) => out.push(small_ke),
            (_, Some(group)) if swaps => out.push(*draws.pick(group)),
            _ => out.push(character),
        }
    }
    let [chome, ban, go] = address.lot;
    let lot = match draws.below(6) {
        0 | 1 => format!("{chome}-{ban}-{go}"),
        2 => full_width(&format!("{chome}－{ban}－{go}")),
        3 => format!("{}丁目{ban}番{go}号", KANJI_DIGITS[usize::from(chome)]),
        4 => full_width(&format!("{chome}丁目{ban}番{go}号")),
        _ => format!("{chome}丁目{ban}-{go}"),
    };
    out.push_str(&lot);
    if let Some((building, room)) = address.building {
        let space = *draws.pick(&[" ", "\u{3000}", ""]);
        let suffix = *draws.pick(&["号", "号室", ""]);
        let room = if draws.percent(25) { full_width(&room.to_string()) } else { room.to_string() };
        write!(out, "{space}{building}{room}{suffix}").expect("a String takes every write");
    }
    out
}

const KANJI_DIGITS: [&str; 7] = ["〇", "一", "二", "三", "四", "五", "六"];

/// One of the five items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Item {
    /// The name as written.
    Name,
    /// The name in kana.
    Kana,
    /// The birth date.
    BirthDate,
    /// The sex.
    Sex,
    /// The address.
    Address,
}

impl Item {
    /// All five.
    pub const ALL: [Self; 5] = [Self::Name, Self::Kana, Self::BirthDate, Self::Sex, Self::Address];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kana_widths_follow_the_code_chart() {
        let mut half = String::new();
        "ガパツッャロワンー".chars().for_each(|c| push_half_width(&mut half, c));
        assert_eq!(half, "ｶﾞﾊﾟﾂｯｬﾛﾜﾝｰ");
    }

    #[test]
    fn decomposed_kana_are_the_plain_one_and_a_mark() {
        let mut out = String::new();
        "ガパカ".chars().for_each(|c| push_decomposed(&mut out, c));
        assert_eq!(out, "カ\u{3099}ハ\u{309A}カ");
    }
}
