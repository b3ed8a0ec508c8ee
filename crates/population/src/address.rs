//! Where a household lives.

use core::fmt;

use crate::draw::Draws;
use crate::prefecture::{INHABITANTS, PREFECTURES, Prefecture};

/// Town names; several hold characters that are written in two ways (ケ, ヶ, が; 沢, 澤).
const TOWNS: [&str; 28] = [
    "本町",
    "栄町",
    "緑町",
    "桜ヶ丘",
    "中央",
    "東町",
    "西町",
    "南町",
    "北町",
    "新町",
    "旭町",
    "泉町",
    "松ヶ枝町",
    "自由ケ丘",
    "霞ケ丘",
    "美しが丘",
    "若葉台",
    "富士見町",
    "大手町",
    "寿町",
    "幸町",
    "元町",
    "日の出町",
    "住吉町",
    "八幡町",
    "弁天町",
    "宮前町",
    "広沢町",
];

const BUILDINGS: [&str; 10] = [
    "コーポ桜",
    "グリーンハイツ",
    "メゾン青葉",
    "サンライズ",
    "ハイツ富士",
    "パークマンション",
    "コーポラス旭",
    "レジデンス泉",
    "第二みどり荘",
    "ヴィラ三ツ沢",
];

/// An address in its parts, so that it can be spelled in the several ways of registers and reception desks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Prefecture.
    pub prefecture: &'static Prefecture,
    /// City, ward or town with its county.
    pub municipality: &'static str,
    /// Town within it.
    pub town: &'static str,
    /// 丁目, 番 and 号.
    pub lot: [u8; 3],
    /// Building and room.
    pub building: Option<(&'static str, u16)>,
    /// Seven digits.
    pub postal_code: u32,
}

impl Address {
    pub(crate) fn of_household(draws: &mut Draws) -> Self {
        let prefecture = &PREFECTURES[draws.weighted(PREFECTURES.iter().map(|one| one.inhabitants), INHABITANTS)];
        let (municipality, postal) = *draws.pick(prefecture.municipalities);
        let town = *draws.pick(&TOWNS);
        let lot = [small(draws, 6), small(draws, 40), small(draws, 25)];
        let building = draws.percent(45).then(|| {
            let room = draws.within(1, 9) * 100 + draws.within(1, 12);
            (*draws.pick(&BUILDINGS), u16::try_from(room).expect("rooms are below 1000"))
        });
        let area: u32 = postal.parse().expect("the table holds three digits");
        let postal_code = area * 10_000 + draws.below(200);
        Self { prefecture, municipality, town, lot, building, postal_code }
    }
}

fn small(draws: &mut Draws, most: u32) -> u8 {
    u8::try_from(draws.within(1, most)).expect("parts of a lot are below 256")
}

/// The register's spelling: 東京都世田谷区桜ヶ丘3丁目9番5号 コーポ桜101号.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [chome, ban, go] = self.lot;
        write!(f, "{}{}{}{chome}丁目{ban}番{go}号", self.prefecture.name, self.municipality, self.town)?;
        match self.building {
            Some((building, room)) => write!(f, " {building}{room}号"),
            None => Ok(()),
        }
    }
}
