//! One dosage instruction while it is read.

use super::quantity;
use crate::element::Element;
use crate::key::Key;
use crate::summary::{Concept, Quantity, Usage};

/// The parts of an instruction that have ended.
#[derive(Default)]
pub(super) struct Dosage {
    usage: Usage,
    extension_duration: Option<Quantity>,
    extension_start: Option<String>,
}

/// Ends of the urls of the two extensions that Japanese profiles put on an instruction.
const USAGE_DURATION: &str = "/JP_MedicationDosage_UsageDuration";
const PERIOD_OF_USE: &str = "/JP_MedicationDosage_PeriodOfUse";

impl Dosage {
    /// Whether the field at this path of the instruction is a concept that is kept.
    pub(super) fn is_concept(at: &[Key]) -> bool {
        matches!(at, [Key::Timing, Key::Code] | [Key::Route] | [Key::Site])
    }

    pub(super) fn set_concept(&mut self, at: &[Key], concept: Concept) {
        match at.last() {
            Some(Key::Route) => self.usage.route = Some(concept),
            Some(Key::Site) => self.usage.site = Some(concept),
            _ => self.usage.timing = Some(concept),
        }
    }

    /// Takes any other object of the instruction.
    pub(super) fn leave(&mut self, at: &[Key], element: &Element<'_>) {
        match at {
            [Key::DoseAndRate, Key::DoseQuantity] => self.usage.dose = Some(quantity(element)),
            [Key::DoseAndRate, Key::DoseRange, Key::Low] => self.usage.dose = Some(quantity(element)),
            [Key::DoseAndRate, Key::DoseRange, Key::High] => self.usage.dose_to = Some(quantity(element)),
            [Key::DoseAndRate, Key::RateRatio, Key::Numerator] => self.usage.rate = Some(quantity(element)),
            [Key::DoseAndRate, Key::RateRatio, Key::Denominator] => self.usage.rate_per = Some(quantity(element)),
            [Key::Timing, Key::Repeat, Key::BoundsDuration] => self.usage.duration = Some(quantity(element)),
            [Key::Timing, Key::Repeat, Key::BoundsPeriod] => self.usage.start = element.owned(Key::Start),
            [Key::Extension, Key::ValueDuration] => self.extension_duration = Some(quantity(element)),
            [Key::Extension, Key::ValuePeriod] => self.extension_start = element.owned(Key::Start),
            [Key::Extension] => {
                let duration = self.extension_duration.take();
                let start = self.extension_start.take();
                let url = element.text(Key::Url).unwrap_or_default();
                if url.ends_with(USAGE_DURATION) {
                    self.usage.duration = duration;
                } else if url.ends_with(PERIOD_OF_USE) {
                    self.usage.start = start;
                }
            }
            _ => {}
        }
    }

    /// The instruction, which ends here.
    pub(super) fn finish(&mut self, element: &Element<'_>) -> Usage {
        let Self { mut usage, .. } = core::mem::take(self);
        usage.text = element.owned(Key::Text);
        usage.as_needed = element.truth(Key::AsNeededBoolean);
        usage
    }
}
