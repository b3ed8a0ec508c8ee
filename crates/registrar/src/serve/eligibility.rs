//! Whether somebody is insured, of one and of many.

use std::sync::Arc;

use renkei_ids::{BindingId, UnixMillis};
use renkei_records::{FiveItems, MemberId};
use renkei_wire::registrar::{
    Answer, BulkEligibilityReply, BulkEligibilityRequest, CheckEligibilityRequest, Eligibility, Insured,
};
use renkei_wire::{ErrorCode, Refusal};

use super::refusals::refusal;
use super::{Registrar, blocking, damaged, has_no_majority};
use crate::directory::Asker;
use crate::machine::RegistrarView;
use crate::state::{self, Ask, Day, Eligible, Found, Verdict, binding_row, by_member};
use crate::values::{RegisteredValues, open_registered};

/// What is said where nobody can know.
const UNAVAILABLE: Eligibility = Eligibility { answer: Answer::SystemUnavailable, until_day: None, successor: None };

impl Registrar {
    /// Whether one person is insured.
    pub(crate) async fn check_eligibility(
        self: &Arc<Self>,
        asker: Asker,
        request: CheckEligibilityRequest,
    ) -> Result<Eligibility, Refusal> {
        let deadline = request.asking.deadline;
        let served = self.told(("eligibility", 1), deadline, self.one(asker, request)).await;
        match served {
            Err(refusal) if has_no_majority(&refusal) => Ok(UNAVAILABLE),
            other => other,
        }
    }

    async fn one(self: &Arc<Self>, asker: Asker, request: CheckEligibilityRequest) -> Result<Eligibility, Refusal> {
        let CheckEligibilityRequest { asking, insured, items } = request;
        let five_items_of = match items {
            None => None,
            Some(items) => {
                let leading = self.leading()?;
                let (registrar, insured) = (Arc::clone(self), insured.clone());
                blocking(move || registrar.five_items_of(&leading.view(), &insured, &items, leading.time)).await?
            }
        };
        let ask = self.ask(&insured, false, five_items_of);
        let (leading, mut verdicts) = self.attend(&asker, &asking, vec![ask]).await?;
        let verdict = verdicts.pop().ok_or(Refusal::new(ErrorCode::InternalIo))?;
        let registrar = Arc::clone(self);
        blocking(move || registrar.eligibility(&leading.view(), verdict)).await
    }

    /// Whether those of many are insured who were checked in here before.
    pub(crate) async fn bulk_eligibility(
        self: &Arc<Self>,
        asker: Asker,
        request: BulkEligibilityRequest,
    ) -> Result<BulkEligibilityReply, Refusal> {
        let (deadline, count) = (request.asking.deadline, request.insured.len());
        let served = async {
            let BulkEligibilityRequest { asking, insured } = request;
            let asks = insured.iter().map(|insured| self.ask(insured, true, None)).collect();
            let (leading, verdicts) = self.attend(&asker, &asking, asks).await?;
            let registrar = Arc::clone(self);
            blocking(move || {
                let view = leading.view();
                Ok(verdicts.into_iter().map(|verdict| registrar.eligibility(&view, verdict)).collect())
            })
            .await
        };
        match self.told(("bulk_eligibility", count), deadline, served).await {
            Ok(results) => {
                let results: Vec<_> = results;
                results.iter().for_each(|result| self.count("bulk_eligibility", result));
                Ok(BulkEligibilityReply(results))
            }
            Err(refusal) if has_no_majority(&refusal) => {
                Ok(BulkEligibilityReply((0..count).map(|_| Ok(UNAVAILABLE)).collect()))
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn ask(&self, insured: &Insured, bulk: bool, five_items_of: Option<BindingId>) -> Ask {
        let (member, birth) = self.named(insured);
        Ask::Eligibility(state::Eligibility { member, birth, bulk, five_items_of })
    }

    /// The binding whose five items these are.
    fn five_items_of(
        &self,
        view: &RegistrarView,
        insured: &Insured,
        items: &FiveItems,
        now: UnixMillis,
    ) -> Result<Option<BindingId>, Refusal> {
        let key = &self.keys.registrar;
        let found = by_member(view, self.named(insured), now, self.old_member_days).map_err(|error| damaged(&error))?;
        let Found::Settled { binding, row, person: _ } = found else { return Ok(None) };
        let registered = open_registered(key, binding, &row.registration).map_err(|error| damaged(&error))?;
        let same = registered.items.comparison_form() == items.comparison_form();
        Ok(same.then_some(binding))
    }

    fn eligibility(&self, view: &RegistrarView, verdict: Verdict) -> Result<Eligibility, Refusal> {
        match verdict {
            Verdict::Eligible(Eligible { answer, until, successor }) => self.answered(view, answer, until, successor),
            Verdict::Refused(refused) => Err(refusal(refused)),
            Verdict::Registered(_) | Verdict::Done(_) | Verdict::Admitted(_) => {
                Err(Refusal::new(ErrorCode::InternalIo))
            }
        }
    }

    /// An answer, with the member id of the successor in the clear.
    pub(super) fn answered(
        &self,
        view: &RegistrarView,
        answer: state::Answer,
        until: Option<Day>,
        successor: Option<BindingId>,
    ) -> Result<Eligibility, Refusal> {
        let answer = match answer {
            state::Answer::Valid => Answer::Valid,
            state::Answer::Expired => Answer::Expired,
            state::Answer::NotYetActive => Answer::RegisteredNotYetActive,
            state::Answer::CannotLink => Answer::CannotLink,
            state::Answer::Unknown => Answer::Unknown,
        };
        let successor = successor.map(|binding| self.member_of(view, binding)).transpose()?;
        Ok(Eligibility { answer, until_day: until.map(|Day(day)| day), successor })
    }

    fn member_of(&self, view: &RegistrarView, binding: BindingId) -> Result<MemberId, Refusal> {
        self.registered(view, binding).map(|values| values.member)
    }

    /// What an insurer registered.
    pub(super) fn registered(&self, view: &RegistrarView, binding: BindingId) -> Result<RegisteredValues, Refusal> {
        let row = binding_row(view, &binding).map_err(|error| damaged(&error))?;
        let row = row.ok_or(Refusal::new(ErrorCode::InternalIo))?;
        open_registered(&self.keys.registrar, binding, &row.registration).map_err(|error| damaged(&error))
    }
}
