//! Dates as FHIR writes them: to the year, the month, the day or the moment.

use core::fmt;
use core::str::FromStr;

use renkei_ids::MonthBucket;

/// A FHIR `date` or `dateTime`, checked against the calendar and kept as written.
#[derive(Clone, PartialEq, Eq)]
pub struct FhirDate {
    written: String,
    year: u16,
    month: Option<u8>,
}

/// Text that is no FHIR `date` or `dateTime`, or none of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone")]
pub struct InvalidDate;

impl FhirDate {
    /// The date as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The month as written, in the zone as written; `None` when only a year is given, or one that no bucket holds.
    pub fn month(&self) -> Option<MonthBucket> {
        MonthBucket::new(self.year, self.month?).ok()
    }
}

impl FromStr for FhirDate {
    type Err = InvalidDate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let calendar = Calendar::parse(date).ok_or(InvalidDate)?;
        if let Some(time) = time
            && (calendar.day.is_none() || !is_time(time))
        {
            return Err(InvalidDate);
        }
        Ok(Self { written: text.to_owned(), year: calendar.year, month: calendar.month })
    }
}

/// The date as it was written.
impl fmt::Display for FhirDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for FhirDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FhirDate(..)")
    }
}

/// A whole birth date, as compared with the one the patient's ticket commits to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BirthDate {
    year: u16,
    month: u8,
    day: u8,
}

impl BirthDate {
    /// The date of `text`: `Ok(None)` for one that is given to the month or the year only, which FHIR allows and nothing
    /// can be compared with.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidDate> {
        let calendar = Calendar::parse(text).ok_or(InvalidDate)?;
        let whole = calendar.month.zip(calendar.day);
        Ok(whole.map(|(month, day)| Self { year: calendar.year, month, day }))
    }
}

/// `YYYY-MM-DD`: the form that is compared.
impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BirthDate(..)")
    }
}

struct Calendar {
    year: u16,
    month: Option<u8>,
    day: Option<u8>,
}

impl Calendar {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map(|month| number(month, 2).filter(|month| (1..=12).contains(month)).ok_or(()));
        let month = month.transpose().ok()?;
        let day = match (parts.next(), month) {
            (None, _) => None,
            (Some(day), Some(month)) => Some(number(day, 2).filter(|day| (1..=days_of(year, month)).contains(day))?),
            (Some(_), None) => return None,
        };
        if parts.next().is_some() || year == 0 {
            return None;
        }
        let small = |value: u16| u8::try_from(value).expect("two digits fit in a byte");
        Some(Self { year, month: month.map(small), day: day.map(small) })
    }
}

fn days_of(year: u16, month: u16) -> u16 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn number(text: &str, len: usize) -> Option<u16> {
    (text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `hh:mm[:ss[.f…]]` with `Z` or `±hh:mm`. Published documents leave the seconds out, which FHIR does not allow.
fn is_time(text: &str) -> bool {
    let (clock, zone) = match text.strip_suffix('Z') {
        Some(clock) => (clock, None),
        None => match text.rfind(['+', '-']) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => return false,
        },
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let in_range = |part: &str, max: u16| number(part, 2).is_some_and(|value| value <= max);
    let clock_holds = match parts.as_slice() {
        [hour, minute] => in_range(hour, 23) && in_range(minute, 59),
        [hour, minute, second] => in_range(hour, 23) && in_range(minute, 59) && in_range(second, 60),
        _ => false,
    };
    let zone_holds = zone.is_none_or(|zone| {
        zone.split_once(':').is_some_and(|(hour, minute)| in_range(hour, 14) && in_range(minute, 59))
    });
    let fraction_holds = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    clock_holds && zone_holds && fraction_holds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_every_precision_read_and_keep_their_text() {
        let cases = [
            ("2024", None),
            ("2024-02", MonthBucket::new(2024, 2).ok()),
            ("2024-02-29", MonthBucket::new(2024, 2).ok()),
            ("2021-07-09T14:11:13.000+09:00", MonthBucket::new(2021, 7).ok()),
            ("2021-07-09T14:11:13Z", MonthBucket::new(2021, 7).ok()),
            ("2021-07-31T23:59-09:30", MonthBucket::new(2021, 7).ok()),
        ];
        for (text, month) in cases {
            let date: FhirDate = text.parse().expect("a valid date");
            assert_eq!((date.as_str(), date.month()), (text, month));
        }
    }

    #[test]
    fn what_no_calendar_has_is_refused() {
        for text in [
            "",
            "24",
            "2024-13",
            "2024-00",
            "2023-02-29",
            "2024-04-31",
            "2024-1-1",
            "2024-01-01T",
            "2024-01T10:00:00Z",
            "2024-01-01T25:00:00Z",
            "2024-01-01T10:00:00",
            "2024-01-01T10:00:00.Z",
            "2024-01-01-01",
            "0000-01-01",
            "２０２４",
            "2024/01/01",
            "-2024",
        ] {
            assert_eq!(text.parse::<FhirDate>(), Err(InvalidDate), "{text}");
        }
    }

    #[test]
    fn only_a_whole_birth_date_can_be_compared() {
        let date = BirthDate::parse("1970-01-01").expect("a date").expect("a whole one");
        assert_eq!(date.to_string(), "1970-01-01");
        assert_eq!(format!("{date:?}"), "BirthDate(..)");
        assert_eq!(BirthDate::parse("1970-01"), Ok(None));
        assert_eq!(BirthDate::parse("1970-01-01T00:00:00Z"), Err(InvalidDate));
    }
}
