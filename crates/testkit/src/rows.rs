//! Whether audit rows tell everything that clients saw.

use std::collections::BTreeMap;

/// A row of one patient, as she lists it. `D` says what was done, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRow<D> {
    /// Its place in her history, from 1.
    pub seq: u64,
    /// What it tells.
    pub deed: D,
}

/// What is wrong with the rows of one patient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowsViolation<D> {
    /// The history of rows has a gap, or tells something twice.
    Gap {
        /// The place that should have come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// A client has an answer whose row is not there.
    Missing {
        /// The row that the answer named.
        answered: ListedRow<D>,
    },
    /// A client has an answer whose row tells something else.
    Other {
        /// The row that the answer named.
        answered: ListedRow<D>,
        /// What it tells.
        told: D,
    },
    /// Two answers name one row.
    Shared {
        /// The row.
        seq: u64,
    },
}

/// Compares a patient's rows, in the order of their listing, with those that answers named: the rows have no gap, and no
/// answer is without a row of its own. Rows without an answer are allowed: their answer was lost.
///
/// # Errors
/// The first violation.
pub fn check_rows<D: Clone + Eq>(listed: &[ListedRow<D>], answered: &[ListedRow<D>]) -> Result<(), RowsViolation<D>> {
    for (expected, row) in (1..).zip(listed) {
        if row.seq != expected {
            return Err(RowsViolation::Gap { expected, found: row.seq });
        }
    }
    let told: BTreeMap<u64, &D> = listed.iter().map(|row| (row.seq, &row.deed)).collect();
    let mut claimed = BTreeMap::new();
    for row in answered {
        if claimed.insert(row.seq, ()).is_some() {
            return Err(RowsViolation::Shared { seq: row.seq });
        }
        match told.get(&row.seq) {
            None => return Err(RowsViolation::Missing { answered: row.clone() }),
            Some(told) if **told != row.deed => {
                return Err(RowsViolation::Other { answered: row.clone(), told: (*told).clone() });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: u64, deed: &'static str) -> ListedRow<&'static str> {
        ListedRow { seq, deed }
    }

    #[test]
    fn rows_without_answers_are_allowed_and_answers_without_rows_are_not() {
        let listed = [row(1, "put"), row(2, "get"), row(3, "get")];
        assert_eq!(check_rows(&listed, &[row(3, "get"), row(1, "put")]), Ok(()));
        let missing = RowsViolation::Missing { answered: row(4, "get") };
        assert_eq!(check_rows(&listed, &[row(4, "get")]), Err(missing));
        let other = RowsViolation::Other { answered: row(1, "get"), told: "put" };
        assert_eq!(check_rows(&listed, &[row(1, "get")]), Err(other));
        assert_eq!(check_rows(&listed, &[row(2, "get"), row(2, "get")]), Err(RowsViolation::Shared { seq: 2 }));
    }

    #[test]
    fn gaps_and_doubles_are_found() {
        let gap = Err(RowsViolation::Gap { expected: 2, found: 3 });
        assert_eq!(check_rows(&[row(1, "a"), row(3, "b")], &[]), gap);
        let double = Err(RowsViolation::Gap { expected: 2, found: 1 });
        assert_eq!(check_rows(&[row(1, "a"), row(1, "a")], &[]), double);
    }
}
