//! The file of budgets: a version byte, then a protobuf message that nothing else names.

use std::collections::BTreeMap;

use prost::Message as _;
use renkei_ids::CloudId;

use super::{Key, Row, Window};

const VERSION: u8 = 1;

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct File {
    #[prost(message, repeated, tag = "1")]
    rows: Vec<StoredRow>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct StoredRow {
    #[prost(string, tag = "1")]
    registrar: String,
    #[prost(bytes = "vec", tag = "2")]
    cloud: Vec<u8>,
    #[prost(uint64, tag = "3")]
    minute: u64,
    #[prost(uint32, tag = "4")]
    minute_used: u32,
    #[prost(uint64, tag = "5")]
    day: u64,
    #[prost(uint32, tag = "6")]
    day_used: u32,
}

pub(super) fn write(rows: &BTreeMap<Key, Row>) -> Vec<u8> {
    let rows = rows.iter().map(|((registrar, cloud), Row { minute, day })| StoredRow {
        registrar: registrar.to_string(),
        cloud: cloud.as_bytes().to_vec(),
        minute: minute.at,
        minute_used: minute.stored,
        day: day.at,
        day_used: day.stored,
    });
    let mut bytes = vec![VERSION];
    File { rows: rows.collect() }.encode(&mut bytes).expect("a Vec grows as needed");
    bytes
}

pub(super) fn read(bytes: &[u8]) -> Option<BTreeMap<Key, Row>> {
    let (&VERSION, bytes) = bytes.split_first()? else { return None };
    let row = |row: StoredRow| {
        let StoredRow { registrar, cloud, minute, minute_used, day, day_used } = row;
        let window = |at, used| Window { at, used, stored: used };
        let row = Row { minute: window(minute, minute_used), day: window(day, day_used) };
        Some(((registrar.into(), CloudId::try_from(&cloud[..]).ok()?), row))
    };
    File::decode(bytes).ok()?.rows.into_iter().map(row).collect()
}
