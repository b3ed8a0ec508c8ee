//! Kanji that one family name is written with in different registers.

/// Groups of characters that stand for each other in names: the usual form first, then the old, variant or vendor
/// forms. Every character is in one group only. A comparison form must fold each group to one character.
pub const VARIANTS: [&[char]; 33] = [
    &['高', '髙'],
    &['崎', '\u{FA11}'],
    &['辺', '邊', '邉'],
    &['斎', '齋'],
    &['斉', '齊'],
    &['沢', '澤'],
    &['浜', '濱'],
    &['桜', '櫻'],
    &['広', '廣'],
    &['国', '國'],
    &['島', '嶋', '嶌'],
    &['徳', '德'],
    &['真', '眞'],
    &['富', '冨'],
    &['吉', '\u{20BB7}'],
    &['恵', '惠'],
    &['竜', '龍'],
    &['万', '萬'],
    &['実', '實'],
    &['栄', '榮'],
    &['寿', '壽'],
    &['礼', '禮'],
    &['静', '靜'],
    &['学', '學'],
    &['黒', '黑'],
    &['瀬', '瀨'],
    &['塚', '\u{FA10}'],
    &['福', '\u{FA1B}'],
    &['都', '\u{FA26}'],
    &['隆', '\u{F9DC}'],
    &['関', '關'],
    &['条', '條'],
    &['滝', '瀧'],
];

/// The group that a character is in, or `None` when it is written in one way only.
pub fn variants_of(character: char) -> Option<&'static [char]> {
    VARIANTS.into_iter().find(|group| group.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_character_is_in_two_groups() {
        let all: Vec<char> = VARIANTS.concat();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
