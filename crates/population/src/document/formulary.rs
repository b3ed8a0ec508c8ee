//! Drugs that prescriptions and stays are drawn from.
//!
//! The nine-character stem of a YJ code names ingredient, form and strength and is of real form. What follows is
//! invented: the three digits of the brand, and HOT codes, which begin with 98 as no real one does. The brand is 「模擬」.

/// Times a day, with the code and words of the standard usage master.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) code: &'static str,
    pub(crate) words: &'static str,
    pub(crate) times: u32,
    /// Hours of the doses.
    pub(crate) hours: &'static [u32],
}

const MORNING: Usage =
    Usage { code: "1011000400000000", words: "１日１回朝食後　服用", times: 1, hours: &[8] };
const TWICE: Usage =
    Usage { code: "1012040400000000", words: "１日２回朝夕食後　服用", times: 2, hours: &[8, 19] };
const THRICE: Usage =
    Usage { code: "1013044400000000", words: "１日３回朝昼夕食後　服用", times: 3, hours: &[8, 12, 19] };
const BEDTIME: Usage =
    Usage { code: "1011000090000000", words: "１日１回就寝前　服用", times: 1, hours: &[21] };

/// A unit of the MERIT-9 table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DoseUnit {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
}

const TABLET: DoseUnit = DoseUnit { code: "TAB", name: "錠" };
const CAPSULE: DoseUnit = DoseUnit { code: "CAP", name: "カプセル" };
const SACHET: DoseUnit = DoseUnit { code: "PCK", name: "包" };

/// One product.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Product {
    /// Nine characters of the YJ code.
    pub(crate) stem: &'static str,
    pub(crate) name: &'static str,
    pub(crate) unit: DoseUnit,
    pub(crate) usage: Usage,
    pub(crate) dose: u32,
}

macro_rules! products {
    ($($stem:literal $name:literal $unit:ident $usage:ident $dose:literal;)+) => {
        &[$(Product { stem: $stem, name: $name, unit: $unit, usage: $usage, dose: $dose }),+]
    };
}

pub(crate) static PRODUCTS: &[Product] = products![
    "2171022F2" "アムロジピン錠５ｍｇ" TABLET MORNING 1;
    "1149019F1" "ロキソプロフェンＮａ錠６０ｍｇ" TABLET THRICE 1;
    "2329021F1" "レバミピド錠１００ｍｇ" TABLET THRICE 1;
    "2329023F1" "ランソプラゾールＯＤ錠１５ｍｇ" TABLET MORNING 1;
    "2325003F2" "ファモチジン錠２０ｍｇ" TABLET TWICE 1;
    "2189015F2" "アトルバスタチン錠１０ｍｇ" TABLET MORNING 1;
    "2189017F1" "ロスバスタチン錠２．５ｍｇ" TABLET BEDTIME 1;
    "3962002F2" "メトホルミン塩酸塩錠２５０ｍｇ" TABLET THRICE 2;
    "3969010F2" "シタグリプチン錠５０ｍｇ" TABLET MORNING 1;
    "3399007H1" "アスピリン腸溶錠１００ｍｇ" TABLET MORNING 1;
    "2149040F3" "カンデサルタン錠８ｍｇ" TABLET MORNING 1;
    "2149042F2" "テルミサルタン錠４０ｍｇ" TABLET MORNING 1;
    "2149044F2" "オルメサルタンＯＤ錠２０ｍｇ" TABLET MORNING 1;
    "2149046F2" "アジルサルタン錠２０ｍｇ" TABLET MORNING 1;
    "2139005F2" "フロセミド錠２０ｍｇ" TABLET MORNING 1;
    "2133001F1" "スピロノラクトン錠２５ｍｇ" TABLET MORNING 1;
    "3332001F1" "ワルファリンＫ錠１ｍｇ" TABLET MORNING 2;
    "3399008F2" "クロピドグレル錠７５ｍｇ" TABLET MORNING 1;
    "1141007F1" "アセトアミノフェン錠２００ｍｇ" TABLET THRICE 2;
    "4490026F1" "モンテルカスト錠１０ｍｇ" TABLET BEDTIME 1;
    "4490023F2" "フェキソフェナジン塩酸塩錠６０ｍｇ" TABLET TWICE 1;
    "4490025F2" "オロパタジン塩酸塩錠５ｍｇ" TABLET TWICE 1;
    "6241013F3" "レボフロキサシン錠５００ｍｇ" TABLET MORNING 1;
    "6149003F2" "クラリスロマイシン錠２００ｍｇ" TABLET TWICE 1;
    "6131001M2" "アモキシシリンカプセル２５０ｍｇ" CAPSULE THRICE 1;
    "3136004F2" "メコバラミン錠５００μｇ" TABLET THRICE 1;
    "2344009F2" "酸化マグネシウム錠３３０ｍｇ" TABLET THRICE 1;
    "2354003F2" "センノシド錠１２ｍｇ" TABLET BEDTIME 2;
    "1129009F1" "ゾルピデム酒石酸塩錠５ｍｇ" TABLET BEDTIME 1;
    "1190017M2" "プレガバリンカプセル７５ｍｇ" CAPSULE TWICE 1;
    "2233002F2" "カルボシステイン錠５００ｍｇ" TABLET THRICE 1;
    "2239001F1" "アンブロキソール塩酸塩錠１５ｍｇ" TABLET THRICE 1;
    "2456001F1" "プレドニゾロン錠５ｍｇ" TABLET MORNING 2;
    "2431004F2" "レボチロキシンＮａ錠５０μｇ" TABLET MORNING 1;
    "2362001F2" "ウルソデオキシコール酸錠１００ｍｇ" TABLET THRICE 1;
    "3961008F1" "グリメピリド錠１ｍｇ" TABLET MORNING 1;
    "2123016F2" "ビソプロロールフマル酸塩錠２．５ｍｇ" TABLET MORNING 1;
    "1190012F2" "ドネペジル塩酸塩錠５ｍｇ" TABLET MORNING 1;
    "3949003F2" "フェブキソスタット錠２０ｍｇ" TABLET MORNING 1;
    "5200013D1" "葛根湯エキス顆粒（医療用）" SACHET THRICE 1;
];
