//! The five items on which a person is told from every other (rule A1), and the form in which two of them are compared.
//!
//! Two desks spell one person in many ways. A comparison form must not tell those apart, for each false difference keeps
//! somebody from care, and must tell everything else apart, for a false agreement shows somebody another's drugs. It
//! folds spellings and leaves out nothing: an address without its prefecture is another address.

use core::fmt;

use crate::date::BirthDate;
use crate::fold::fold;
use crate::subject::Sex;

/// Most bytes of a name, a kana name or an address.
pub const ITEM_MAX_BYTES: usize = 512;

/// What a link is settled on. Kept as written; compared by [`FiveItems::comparison_form`].
#[derive(Clone)]
pub struct FiveItems {
    name: String,
    kana: String,
    birth_date: BirthDate,
    sex: Sex,
    address: String,
}

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// The name as written, in kanji where it has any.
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

/// An item that is no item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidItem {
    /// Nothing is left of it in its comparison form.
    #[error("{0:?} is empty")]
    Empty(Item),
    /// Longer than [`ITEM_MAX_BYTES`].
    #[error("{0:?} has more than {ITEM_MAX_BYTES} bytes")]
    Length(Item),
}

/// The five items as they are compared. Equal forms are one person's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ComparisonForm {
    name: String,
    kana: String,
    birth_date: BirthDate,
    sex: Sex,
    address: String,
}

impl FiveItems {
    /// The five items, each as it was written.
    ///
    /// # Errors
    /// The first item that is empty or over long.
    pub fn new(
        name: String,
        kana: String,
        birth_date: BirthDate,
        sex: Sex,
        address: String,
    ) -> Result<Self, InvalidItem> {
        for (item, text) in [(Item::Name, &name), (Item::Kana, &kana), (Item::Address, &address)] {
            if text.len() > ITEM_MAX_BYTES {
                return Err(InvalidItem::Length(item));
            }
            if fold(text).is_empty() {
                return Err(InvalidItem::Empty(item));
            }
        }
        Ok(Self { name, kana, birth_date, sex, address })
    }

    /// The name as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kana name as written.
    pub fn kana(&self) -> &str {
        &self.kana
    }

    /// The birth date.
    pub fn birth_date(&self) -> BirthDate {
        self.birth_date
    }

    /// The sex.
    pub fn sex(&self) -> Sex {
        self.sex
    }

    /// The address as written.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The form in which two spellings of one person are equal.
    pub fn comparison_form(&self) -> ComparisonForm {
        let Self { name, kana, birth_date, sex, address } = self;
        ComparisonForm {
            name: fold(name),
            kana: kana_form(kana),
            birth_date: *birth_date,
            sex: *sex,
            address: address_form(address),
        }
    }
}

impl fmt::Debug for FiveItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FiveItems(..)")
    }
}

impl fmt::Debug for ComparisonForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ComparisonForm(..)")
    }
}

impl ComparisonForm {
    /// The kana name, by which a register is searched.
    pub fn kana(&self) -> &str {
        &self.kana
    }

    /// The items in which two persons differ; none for one person.
    pub fn differences(&self, other: &Self) -> Vec<Item> {
        let Self { name, kana, birth_date, sex, address } = self;
        let differs = [
            (Item::Name, *name != other.name),
            (Item::Kana, *kana != other.kana),
            (Item::BirthDate, *birth_date != other.birth_date),
            (Item::Sex, *sex != other.sex),
            (Item::Address, *address != other.address),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(item, _)| item).collect()
    }
}

/// Folded, with small kana as large ones: registers of the time before small kana could be typed have キヨウコ for
/// キョウコ.
fn kana_form(kana: &str) -> String {
    fold(kana).chars().map(large_kana).collect()
}

fn large_kana(c: char) -> char {
    match c {
        'ァ' => 'ア',
        'ィ' => 'イ',
        'ゥ' => 'ウ',
        'ェ' => 'エ',
        'ォ' => 'オ',
        'ッ' => 'ツ',
        'ャ' => 'ヤ',
        'ュ' => 'ユ',
        'ョ' => 'ヨ',
        'ヮ' => 'ワ',
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        other => other,
    }
}

/// Marks behind the parts of a lot, the longer before those that they begin with.
const LOT_MARKS: [&str; 5] = ["丁目", "番地", "号室", "番", "号"];

/// An address with its lot in digits and hyphens: 三丁目九番五号, 3丁目9-5 and ３－９－５ are one. ヶ, ケ and が, which names of
/// places are written with alike, are ケ.
fn address_form(address: &str) -> String {
    let text: Vec<char> = fold(address).chars().map(|c| if matches!(c, 'ヶ' | 'ガ') { 'ケ' } else { c }).collect();
    let mut out = String::with_capacity(address.len());
    let mut at = 0;
    while at < text.len() {
        if let Some((number, len)) = lot_number(&text, at) {
            out.push_str(&number.to_string());
            at += len;
        } else if let Some(len) = lot_mark(&text, at, out.ends_with(|c: char| c.is_ascii_digit())) {
            at += len;
            if text.get(at).is_some_and(|next| next.is_ascii_digit() || lot_number(&text, at).is_some()) {
                out.push('-');
            }
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

/// A number in kanji that a mark of a lot follows, and how long it is. 一番町 is the name of a town: there 番 is followed
/// by something else than the next part of a lot.
fn lot_number(text: &[char], at: usize) -> Option<(u32, usize)> {
    let len = text.get(at..)?.iter().take_while(|c| is_kanji_numeral(**c)).count();
    let before = at.checked_sub(1).map(|before| text[before]);
    // In the middle of a number there is nothing to begin.
    if len == 0 || before.is_some_and(|c| c.is_ascii_digit() || is_kanji_numeral(c)) {
        return None;
    }
    let rest = &text[at + len..];
    let mark = LOT_MARKS.iter().find(|mark| starts_with(rest, mark))?;
    let behind = rest.get(mark.chars().count());
    let goes_on = behind.is_none_or(|c| c.is_ascii_digit() || is_kanji_numeral(*c) || matches!(*c, '-' | 'ノ'));
    if *mark != "丁目" && !goes_on {
        return None;
    }
    kanji_number(&text[at..at + len]).map(|number| (number, len))
}

/// Characters of a mark here that only parts two numbers of a lot, or ends the last one.
fn lot_mark(text: &[char], at: usize, behind_digit: bool) -> Option<usize> {
    if !behind_digit {
        return None;
    }
    if let Some(mark) = LOT_MARKS.iter().find(|mark| starts_with(&text[at..], mark)) {
        let len = mark.chars().count();
        let next = text.get(at + len);
        // 2番町 is a town, as 二番町 is.
        return (next != Some(&'町')).then_some(len);
    }
    let next_is_number = text.get(at + 1).is_some_and(char::is_ascii_digit) || lot_number(text, at + 1).is_some();
    (matches!(text[at], '-' | 'ノ') && next_is_number).then_some(1)
}

fn starts_with(text: &[char], prefix: &str) -> bool {
    prefix.chars().enumerate().all(|(at, c)| text.get(at) == Some(&c))
}

fn is_kanji_numeral(c: char) -> bool {
    kanji_digit(c).is_some() || matches!(c, '十' | '百')
}

fn kanji_digit(c: char) -> Option<u32> {
    "〇一二三四五六七八九".chars().zip(0..).find(|(digit, _)| *digit == c).map(|(_, value)| value)
}

/// 二十三 and 二三 are both 23; `None` for what is no number below 1,000.
fn kanji_number(text: &[char]) -> Option<u32> {
    if text.iter().all(|c| kanji_digit(*c).is_some()) {
        let digits = text.iter().filter_map(|c| kanji_digit(*c));
        return (text.len() <= 3).then(|| digits.fold(0, |number, digit| 10 * number + digit));
    }
    let (mut number, mut pending, mut last_unit) = (0, None, 1_000);
    for c in text {
        let unit = match c {
            '百' => 100,
            '十' => 10,
            digit => {
                if pending.replace(kanji_digit(*digit)?).is_some() {
                    return None;
                }
                continue;
            }
        };
        if unit >= last_unit {
            return None;
        }
        number += pending.take().unwrap_or(1) * unit;
        last_unit = unit;
    }
    Some(number + pending.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn items(name: &str, kana: &str, address: &str) -> Result<FiveItems, InvalidItem> {
        let birth_date = BirthDate::parse("1970-01-01").expect("a date").expect("a whole one");
        FiveItems::new(name.to_owned(), kana.to_owned(), birth_date, Sex::Male, address.to_owned())
    }

    #[test]
    fn one_address_in_many_spellings_is_one() {
        let groups: [&[&str]; 6] = [
            &[
                "東京都世田谷区桜ヶ丘3丁目9番5号",
                "東京都世田谷区桜ケ丘3-9-5",
                "東京都世田谷区桜が丘３－９－５",
                "東京都世田谷区桜ヶ丘三丁目九番五号",
                "東京都世田谷区桜ヶ丘3丁目9番地5",
                "東京都世田谷区 桜ヶ丘 3の9の5",
            ],
            &["札幌市北区本町二十三番5号", "札幌市北区本町23番5号", "札幌市北区本町23-5"],
            &["千代田区一番町4番", "千代田区一番町四番", "千代田区一番町4"],
            &["本町1-2-3 コーポ桜101号室", "本町1丁目2番3号コーポ桜101号", "本町1-2-3　コーポ桜１０１"],
            &["百二番地", "102番地", "一〇二番地"],
            &["本町三番百二号", "本町3番102号", "本町3-102"],
        ];
        for group in groups {
            for other in &group[1..] {
                assert_eq!(address_form(other), address_form(group[0]), "{other}");
            }
        }
    }

    #[test]
    fn different_addresses_stay_different() {
        let pairs = [
            ("本町1-2-3", "本町12-3"),
            ("本町1丁目23番", "本町12丁目3番"),
            ("一番町4", "二番町4"),
            ("本町3-9-5", "本町3-9-6"),
            ("東京都港区本町1", "港区本町1"),
            ("本町1-2-3", "本町1-2-3 101号室"),
            ("本町二十一番", "本町二番"),
            ("本町3百番", "本町3100番"),
        ];
        for (one, other) in pairs {
            assert_ne!(address_form(one), address_form(other), "{one}");
        }
    }

    #[test]
    fn kana_of_old_registers_is_the_same_and_other_kana_is_not() {
        for (one, other) in [("キョウコ", "ｷﾖｳｺ"), ("ハットリ", "はつとり"), ("ガンダ", "か\u{3099}んた\u{3099}")]
        {
            assert_eq!(kana_form(one), kana_form(other), "{one}");
        }
        for (one, other) in [("キョウコ", "キョコ"), ("オオノ", "オノ"), ("サイトウ", "サイトオ")] {
            assert_ne!(kana_form(one), kana_form(other), "{one}");
        }
    }

    #[test]
    fn each_difference_is_told_by_its_item() {
        let one = items("髙﨑 花子", "タカサキ ハナコ", "本町1-2-3").expect("items").comparison_form();
        let other = items("高崎花子", "ﾀｶｻｷﾊﾅｺ", "本町一丁目2番3号").expect("items").comparison_form();
        assert_eq!(one.differences(&other), []);
        let other = items("高崎花子", "タカサキ", "本町1-2-4").expect("items").comparison_form();
        assert_eq!(one.differences(&other), [Item::Kana, Item::Address]);
        assert_eq!(format!("{one:?}"), "ComparisonForm(..)");
    }

    #[test]
    fn an_item_without_content_is_refused() {
        assert_eq!(items("\u{3000}", "カ", "本町").map(|_| ()), Err(InvalidItem::Empty(Item::Name)));
        assert_eq!(items("花", "", "本町").map(|_| ()), Err(InvalidItem::Empty(Item::Kana)));
        let long = "町".repeat(ITEM_MAX_BYTES);
        assert_eq!(items("花", "ハナ", &long).map(|_| ()), Err(InvalidItem::Length(Item::Address)));
    }

    proptest! {
        #[test]
        fn a_comparison_form_compares_as_itself(text in "[一二十百〇0-9番地丁目号町の本ヶ -]{0,20}") {
            let once = address_form(&text);
            prop_assert_eq!(address_form(&once), once);
        }

        #[test]
        fn any_text_has_a_form(text in "\\PC{0,40}") {
            address_form(&text);
            kana_form(&text);
        }
    }
}
