//! Laboratory results of a stay.

use core::fmt::{self, Display};

use crate::draw::Draws;

/// One analyte. Values are whole numbers of its last decimal place.
#[derive(Debug)]
pub(super) struct Analyte {
    /// The analyte's five characters of JLAC10.
    pub(super) jlac10: &'static str,
    pub(super) loinc: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    /// Decimal places that the laboratory reports.
    places: usize,
    pub(super) low: u32,
    pub(super) high: u32,
}

macro_rules! analytes {
    ($($jlac10:literal $loinc:literal $name:literal $unit:literal $places:literal $low:literal $high:literal;)+) => {
        [$(Analyte {
            jlac10: $jlac10, loinc: $loinc, name: $name, unit: $unit, places: $places, low: $low, high: $high,
        }),+]
    };
}

/// Reference intervals are those in common use for adults, whatever the sex.
static PANEL: [Analyte; 16] = analytes![
    "3A010" "2885-2" "総蛋白" "g/dL" 1 66 81;
    "3A015" "1751-7" "アルブミン" "g/dL" 1 41 51;
    "3B035" "1920-8" "ＡＳＴ" "U/L" 0 13 30;
    "3B045" "1742-6" "ＡＬＴ" "U/L" 0 7 42;
    "3B050" "2532-0" "ＬＤ" "U/L" 0 124 222;
    "3B090" "2324-2" "γ－ＧＴ" "U/L" 0 9 64;
    "3C015" "2160-0" "クレアチニン" "mg/dL" 2 46 107;
    "3C025" "3094-0" "尿素窒素" "mg/dL" 1 80 200;
    "3C020" "3084-1" "尿酸" "mg/dL" 1 26 78;
    "3D010" "2345-7" "グルコース" "mg/dL" 0 73 109;
    "3D046" "4548-4" "ＨｂＡ１ｃ" "%" 1 49 60;
    "3F050" "2093-3" "総コレステロール" "mg/dL" 0 142 248;
    "3H010" "2951-2" "ナトリウム" "mmol/L" 0 138 145;
    "3H015" "2823-3" "カリウム" "mmol/L" 1 36 48;
    "3H020" "2075-0" "クロール" "mmol/L" 0 101 108;
    "5C070" "1988-5" "ＣＲＰ" "mg/dL" 2 0 14;
];

/// The analyte of the `position`-th result, and how often the panel was taken before.
pub(super) fn at(position: u32) -> (&'static Analyte, u32) {
    let panel = u32::try_from(PANEL.len()).expect("the panel is short");
    (&PANEL[(position % panel) as usize], position / panel)
}

impl Analyte {
    /// A value from half the lower to twice the upper limit.
    pub(super) fn drawn(&self, draws: &mut Draws) -> u32 {
        if draws.percent(70) { draws.within(self.low, self.high) } else { draws.within(self.low / 2, self.high * 2) }
    }

    /// `N`, `L` or `H`.
    pub(super) const fn flag(&self, value: u32) -> &'static str {
        if value < self.low {
            "L"
        } else if value > self.high {
            "H"
        } else {
            "N"
        }
    }

    pub(super) fn decimal(&self, value: u32) -> Decimal {
        Decimal { value, places: self.places }
    }
}

/// A decimal with all its places: 0.70 keeps its zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal {
    value: u32,
    places: usize,
}

impl Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_u32.pow(u32::try_from(self.places).expect("places are few"));
        match self.places {
            0 => write!(f, "{}", self.value),
            places => write!(f, "{}.{:0places$}", self.value / scale, self.value % scale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_zeros() {
        assert_eq!(Decimal { value: 70, places: 2 }.to_string(), "0.70");
        assert_eq!(Decimal { value: 5, places: 1 }.to_string(), "0.5");
        assert_eq!(Decimal { value: 140, places: 0 }.to_string(), "140");
    }
}
