//! The two check digits of Japanese health insurance and of My Number.

/// The check digit of an institution or insurer number over its leading digits: weights 2, 1, 2, 1… from the right,
/// two-digit products count by their digit sum, the check digit completes the sum to a multiple of ten.
pub(crate) fn modulo_10(leading: &[u8]) -> u8 {
    let sum: u32 = leading
        .iter()
        .rev()
        .zip([2u8, 1].into_iter().cycle())
        .map(|(digit, weight)| {
            let product = digit * weight;
            u32::from(product / 10 + product % 10)
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).expect("a remainder of ten is below ten")
}

/// The check digit of a My Number over its eleven leading digits (Ordinance 85 of 2014 of the Ministry of Internal
/// Affairs, article 5): weights 2 to 7, then 2 to 6, from the right, modulo eleven.
pub(crate) fn modulo_11(leading: &[u8; 11]) -> u8 {
    let sum: u32 = leading
        .iter()
        .rev()
        .zip([2u32, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6])
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    let remainder = sum % 11;
    if remainder <= 1 { 0 } else { u8::try_from(11 - remainder).expect("eleven less at least two is below ten") }
}

/// The values of `N` ASCII digits; `None` when `text` is anything else.
pub(crate) fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut digits: [u8; N] = text.as_bytes().try_into().ok()?;
    for digit in &mut digits {
        *digit = digit.is_ascii_digit().then(|| *digit - b'0')?;
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_carry_their_check_digit() {
        let institution: [u8; 10] = digits("0110113719").expect("ten digits");
        assert_eq!(modulo_10(&institution[..9]), institution[9]);
        let insurer: [u8; 8] = digits("33120015").expect("eight digits");
        assert_eq!(modulo_10(&insurer[..7]), insurer[7]);
        let patterned: [u8; 12] = digits("123456789018").expect("twelve digits");
        assert_eq!(modulo_11(&patterned[..11].try_into().expect("eleven of twelve")), patterned[11]);
    }

    #[test]
    fn every_single_digit_typo_is_caught() {
        let number: [u8; 10] = digits("0110113719").expect("ten digits");
        for place in 0..10 {
            for wrong in (0..10).filter(|wrong| *wrong != number[place]) {
                let mut typo = number;
                typo[place] = wrong;
                assert_ne!(modulo_10(&typo[..9]), typo[9], "place {place} read as {wrong}");
            }
        }
    }

    #[test]
    fn only_the_right_count_of_ascii_digits_reads() {
        assert_eq!(digits::<3>("012"), Some([0, 1, 2]));
        assert_eq!(digits::<3>("01"), None);
        assert_eq!(digits::<3>("01a"), None);
        assert_eq!(digits::<3>("１"), None);
    }
}
