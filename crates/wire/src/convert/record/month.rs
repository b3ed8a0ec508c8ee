//! Months as `2026-11`.

use renkei_ids::MonthBucket;

use super::InvalidRecordMessage as Invalid;

pub(super) fn month(text: &str, field: &'static str) -> Result<MonthBucket, Invalid> {
    read_month(text).ok_or(Invalid::Malformed(field))
}

/// The month of a text such as `2026-11`; `None` for any other text.
pub fn read_month(text: &str) -> Option<MonthBucket> {
    let (year, month) = text.split_once('-')?;
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year, 4) || !digits(month, 2) {
        return None;
    }
    MonthBucket::new(year.parse().ok()?, month.parse().ok()?).ok()
}

/// A month as `2026-11`.
pub fn month_text(month: MonthBucket) -> String {
    format!("{:04}-{:02}", month.year(), month.raw() % 12 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_month_reads_back() {
        for raw in 0..=u16::MAX {
            let month = MonthBucket::from_raw(raw);
            assert_eq!(read_month(&month_text(month)), Some(month), "{raw}");
        }
    }

    #[test]
    fn what_is_no_month_is_refused() {
        for text in ["", "2026", "2026-13", "2026-00", "2026-1", "+026-11", "2026-11-01", "9999-01", "２０２６-11"]
        {
            assert_eq!(read_month(text), None, "{text}");
        }
    }
}
