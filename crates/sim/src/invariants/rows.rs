//! Every answer has its audit row, a patient's rows have no gap, and a row is never another answer's (our rule: no disclosure
//! without a durable row).

use std::collections::BTreeMap;

use crate::patients::Row;

/// `answered` are the rows of answers that left; `stored` are all rows of one patient in the final state, in order.
pub(crate) fn of_answers(answered: &[Row], stored: &[Row]) -> Result<(), String> {
    if let Some((position, row)) = stored.iter().enumerate().find(|(position, row)| row.seq != *position as u64 + 1) {
        return Err(format!("row {row:?} stands at place {position}"));
    }
    let by_seq: BTreeMap<u64, &Row> = stored.iter().map(|row| (row.seq, row)).collect();
    let mut leaves: BTreeMap<u64, &Row> = BTreeMap::new();
    for row in stored {
        if let Some(other) = leaves.insert(row.leaf, row) {
            return Err(format!("rows {other:?} and {row:?} are one leaf"));
        }
    }
    match answered.iter().find(|row| by_seq.get(&row.seq) != Some(row)) {
        Some(row) => Err(format!("an answer left with row {row:?}, and there is {:?}", by_seq.get(&row.seq))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use renkei_ids::RequestId;

    use super::*;

    fn row(seq: u64, leaf: u64, request: u8) -> Row {
        Row { patient: 1, seq, leaf, request: RequestId::from_bytes([request; 16]) }
    }

    #[test]
    fn a_missing_a_foreign_and_a_doubled_row_are_found() {
        let stored = [row(1, 4, 1), row(2, 6, 2), row(3, 7, 3)];
        assert_eq!(of_answers(&[row(2, 6, 2)], &stored), Ok(()));
        assert!(of_answers(&[row(4, 9, 4)], &stored).is_err());
        assert!(of_answers(&[row(2, 6, 9)], &stored).is_err());
        assert!(of_answers(&[], &[row(1, 4, 1), row(3, 7, 3)]).is_err());
        assert!(of_answers(&[], &[row(1, 4, 1), row(2, 4, 2)]).is_err());
    }
}
