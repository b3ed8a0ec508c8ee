//! Bytes as hexadecimal digits, as people paste them from one command into the next.

/// Lower-case digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that digits of either case name; `None` for any other text.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_reads_back_and_odd_text_is_refused() {
        let bytes = [0x00, 0x0F, 0xA5, 0xFF];
        assert_eq!(unhex(&hex(&bytes)), Some(bytes.to_vec()));
        assert_eq!(unhex("00fA"), Some(vec![0, 0xFA]));
        for odd in ["0", "0g", "é0", "00 ", "+1"] {
            assert_eq!(unhex(odd), None, "{odd}");
        }
    }
}
