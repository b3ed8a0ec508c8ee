//! What clients saw of each patient is linearizable.

use renkei_testkit::{Operation, PatientAnswer, PatientModel, PatientOperation, Verdict, check};

/// How many operations were explained.
pub(crate) fn linearizable(
    history: &[Operation<PatientOperation, PatientAnswer>],
    max_steps: u64,
) -> Result<u64, String> {
    match check(&PatientModel, history, max_steps) {
        Verdict::Linearizable => Ok(history.len() as u64),
        Verdict::Undecided { steps } => Err(format!("undecided after {steps} steps")),
        Verdict::Violated(violation) => {
            let shown: Vec<_> = violation.stuck.iter().map(|&index| &history[index]).collect();
            Err(format!("{} of {} explained, then none of {shown:?}", violation.explained.len(), history.len()))
        }
    }
}
