//! The modulus 10 check digit of institution and insurer numbers (weights 2, 1, 2, 1 … from the right, digit sums).

/// The check digit that belongs behind these ASCII digits.
pub(crate) fn mod10(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(position, digit)| {
            let value = u32::from(digit - b'0');
            let doubled = if position % 2 == 0 { value * 2 } else { value };
            doubled / 10 + doubled % 10
        })
        .sum();
    let check = (10 - sum % 10) % 10;
    b'0' + u8::try_from(check).expect("a remainder of ten is a digit")
}

/// Writes `value` as decimal digits with leading zeros over the whole of `into`.
pub(crate) fn write_digits(into: &mut [u8], mut value: u32) {
    for place in into.iter_mut().rev() {
        *place = b'0' + u8::try_from(value % 10).expect("a remainder of ten is a digit");
        value /= 10;
    }
    assert_eq!(value, 0, "the number has as many digits as its field");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_check() {
        for number in [b"0110113719".as_slice(), b"33120015", b"01130012"] {
            let (body, check) = number.split_at(number.len() - 1);
            assert_eq!(mod10(body), check[0]);
        }
    }
}
