//! The comparison form of text: what two institutions write differently and mean alike. It is for comparing only; the
//! original is what is stored.

use unicode_normalization::UnicodeNormalization as _;

/// The comparison form of `text`: NFKC (widths, half-width kana, combining voice marks, compatibility forms), variation
/// selectors and white space dropped, hiragana as katakana, dashes as `-`, variant kanji as their common form. Letter
/// case and small kana are kept apart. Folding twice changes nothing.
pub fn fold(text: &str) -> String {
    text.nfkc()
        .filter(|c| !is_variation_selector(*c) && !c.is_whitespace())
        .map(|c| common_kanji(plain_dash(katakana(c))))
        .collect::<String>()
        .nfkc()
        .collect()
}

fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Hiragana U+3041 to U+3096 and its two iteration marks lie 96 below their katakana.
fn katakana(c: char) -> char {
    match c {
        '\u{3041}'..='\u{3096}' | '\u{309D}' | '\u{309E}' => {
            char::from_u32(u32::from(c) + 0x60).expect("the katakana block has a letter for each of these")
        }
        other => other,
    }
}

/// Hyphens, dashes and the minus sign; not the long-vowel mark, which is a letter.
fn plain_dash(c: char) -> char {
    if matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}') { '-' } else { c }
}

/// Kanji of names that are written in several forms for one person, each with the form of the everyday-use list (or the
/// one that most records use). One row for each common form.
const VARIANT_KANJI: [(char, &str); 57] = [
    ('高', "髙"),
    ('崎', "﨑碕埼"),
    ('辺', "邊邉"),
    ('斎', "齋斉齊"),
    ('浜', "濱濵"),
    ('島', "嶋嶌"),
    ('国', "國囯"),
    ('沢', "澤"),
    ('広', "廣"),
    ('真', "眞"),
    ('恵', "惠"),
    ('徳', "德"),
    ('竜', "龍"),
    ('桜', "櫻"),
    ('曽', "曾"),
    ('瀬', "瀨"),
    ('柳', "栁桺"),
    ('吉', "𠮷"),
    ('館', "舘"),
    ('富', "冨"),
    ('静', "靜"),
    ('当', "當"),
    ('学', "學"),
    ('蔵', "藏"),
    ('寿', "壽"),
    ('栄', "榮"),
    ('条', "條"),
    ('実', "實"),
    ('弥', "彌"),
    ('関', "關"),
    ('万', "萬"),
    ('与', "與"),
    ('豊', "豐"),
    ('寛', "寬"),
    ('峰', "峯"),
    ('兎', "兔"),
    ('槙', "槇"),
    ('遥', "遙"),
    ('尭', "堯"),
    ('亜', "亞"),
    ('円', "圓"),
    ('塩', "鹽"),
    ('応', "應"),
    ('横', "橫"),
    ('岳', "嶽"),
    ('亀', "龜"),
    ('宮', "宫"),
    ('薫', "薰"),
    ('渓', "溪"),
    ('芸', "藝"),
    ('黒', "黑"),
    ('桑', "桒"),
    ('滝', "瀧"),
    ('鉄', "鐵"),
    ('梅', "楳"),
    ('来', "來"),
    ('礼', "禮"),
];

fn common_kanji(c: char) -> char {
    if !matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}') {
        return c;
    }
    VARIANT_KANJI.iter().find(|(_, variants)| variants.contains(c)).map_or(c, |(common, _)| *common)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_name_in_two_notations_folds_to_one() {
        let pairs = [
            ("髙﨑", "高崎"),
            ("渡邊", "渡辺"),
            ("ｶﾞﾝﾀﾞ", "ガンダ"),
            ("か\u{3099}んた\u{3099}", "ガンダ"),
            ("葛\u{E0100}城", "葛城"),
            ("１８７", "187"),
            ("あ\u{3000}いう", "アイウ"),
            ("１－２", "1‐2"),
            ("𠮷野", "吉野"),
        ];
        for (one, other) in pairs {
            assert_eq!(fold(one), fold(other), "{one}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [("ア", "ァ"), ("ー", "-"), ("a", "A"), ("00", "0"), ("大", "太"), ("バ", "パ")] {
            assert_ne!(fold(one), fold(other), "{one}");
        }
    }

    #[test]
    fn no_variant_is_a_common_form_and_none_stands_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for (common, variants) in VARIANT_KANJI {
            for variant in variants.chars() {
                assert!(seen.insert(variant), "{variant} stands twice");
                assert!(VARIANT_KANJI.iter().all(|(other, _)| *other != variant), "{variant} is also a common form");
                assert_ne!(common, variant);
            }
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
