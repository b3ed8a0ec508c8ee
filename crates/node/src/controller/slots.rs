//! Slots go to another group.

use renkei_ids::GroupId;
use renkei_placement::{JobStep, SlotRange};

use super::{StepError, Work};

pub(super) async fn step(_: &Work, _: JobStep, _: GroupId, _: &SlotRange) -> Result<JobStep, StepError> {
    // Refused when it is asked for: see `operators`.
    Err(StepError::NotOffered)
}
