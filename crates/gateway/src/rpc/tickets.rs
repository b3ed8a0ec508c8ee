//! Tickets: read here, opened by the vault. What an institution presents is judged before the vault is asked, and once more
//! there; whose a document is, only the cell can tell.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use futures::future::join_all;
use renkei_access::{ConsentSet, Evidence, Period, Presented, Purpose, Scope, SignedTicket, Ticket};
use renkei_envelope::{Attribute, CellSecret, Class, Commitment};
use renkei_ids::{CellId, MonthBucket, UnixMillis};
use renkei_records::{Accepted, Form};
use renkei_wire::limits::VAULT_MAX_YEARS;
use renkei_wire::record::{OpenTicketsReply, OpenTicketsRequest};
use renkei_wire::vault::TicketOpening;
use renkei_wire::{ErrorCode, FieldName, Refusal};

use super::{Caller, Desk};
use crate::openings::OpenedPatient;

/// A ticket that serves its caller here and now, and what it is opened for.
struct Taken {
    ticket: Ticket,
    cell: CellId,
    scope: Scope,
}

impl Desk {
    /// Opens the patients of tickets, all at once; what was opened before is not opened again.
    pub(super) async fn open_tickets(
        &self,
        caller: Caller,
        OpenTicketsRequest(tickets): OpenTicketsRequest,
    ) -> Result<OpenTicketsReply, Refusal> {
        let opened = tickets.iter().map(|ticket| async move { self.open_ticket(caller, ticket, None).await.map(drop) });
        Ok(OpenTicketsReply(join_all(opened).await))
    }

    /// The opening of a ticket. `stale` is never given again.
    pub(super) async fn open_ticket(
        &self,
        caller: Caller,
        signed: &SignedTicket,
        stale: Option<&Arc<OpenedPatient>>,
    ) -> Result<Arc<OpenedPatient>, Refusal> {
        let now = self.clock.now();
        let hash = digest(&SHA256, signed.as_bytes());
        let key = (caller.institution, *hash.as_ref().first_chunk().expect("SHA-256 gives 32 bytes"));
        // What is kept was opened by these very bytes, for this institution, and ends with the ticket.
        let open = async {
            let taken = self.take(caller, signed, now)?;
            let opened = self.vault.open_ticket(opening(signed, &taken, now), caller.deadline).await?;
            let patient = renkei_envelope::Patient { cloud: self.cloud, pid: opened.pid };
            Ok(OpenedPatient { patient, opened, ticket: Some(Box::new(taken.ticket)) })
        };
        caller.deadline.bound(ErrorCode::DeadlineExceeded, self.openings.get(key, now, stale, open)).await
    }

    /// Whether a document may be stored under what was opened: whatever it says of its patient is what the registrar
    /// committed to. A document that says nothing proves nothing; a single resource is taken under the ticket alone.
    pub(super) fn check_patient(&self, opened: &OpenedPatient, accepted: &Accepted) -> Result<(), Refusal> {
        let Some(ticket) = &opened.ticket else { return Ok(()) };
        let cell = self.cell.as_ref().ok_or(Refusal::new(ErrorCode::Unimplemented))?;
        compare(cell, ticket, accepted)
    }

    /// Why a ticket was given, and on what evidence.
    pub(super) fn basis(&self, signed: &SignedTicket) -> Result<(Purpose, Evidence), Refusal> {
        let held = self.directory.as_ref().ok_or(Refusal::new(ErrorCode::Unimplemented))?.held()?;
        let header = signed.verify(&held.directory().entries().registrars)?.header;
        Ok((header.purpose, header.evidence))
    }

    /// Reads a ticket that a registrar of the directory signed for this institution and this cell.
    fn take(&self, caller: Caller, signed: &SignedTicket, now: UnixMillis) -> Result<Taken, Refusal> {
        let held = self.directory.as_ref().ok_or(Refusal::new(ErrorCode::Unimplemented))?.held()?;
        let directory = held.directory();
        let ticket = signed.verify(&directory.entries().registrars)?;
        let epoch = directory.cloud(self.cloud).ok_or(Refusal::new(ErrorCode::TicketOtherCloud))?.epoch;
        let own = self.shell.tls().identity().key_hash;
        let cell = directory.cell_of(&own).ok_or(Refusal::new(ErrorCode::CellNotServing))?.id;
        let institution = directory.institution(caller.institution);
        let institution = institution.ok_or(Refusal::new(ErrorCode::InstitutionNotEnrolled))?;
        let allowed = institution.kind.allows(ticket.header.purpose);
        let parts = [Scope::READ, Scope::WRITE, Scope::DELETE, Scope::AUDIT].into_iter();
        let both = parts.filter(|part| ticket.header.scope().allows(*part) && allowed.allows(*part));
        let scope = both.fold(Scope::NONE, Scope::with);
        let presented = Presented {
            cloud: self.cloud,
            epoch,
            institution: caller.institution,
            // Institutions ask their own cell; no other cell forwards yet.
            home_cell: cell,
            cell,
            denied: directory.denies_institution(caller.institution) || directory.denies_cell(cell),
            scope,
            categories: ConsentSet::NONE,
        };
        ticket.header.admits(&presented, now)?;
        if scope == Scope::NONE {
            Err(Refusal::new(ErrorCode::EvidenceInsufficient))
        } else {
            Ok(Taken { ticket, cell, scope })
        }
    }
}

/// Everything that the ticket allows, for the next calendar year and as many before it as one opening takes.
fn opening(signed: &SignedTicket, taken: &Taken, now: UnixMillis) -> TicketOpening {
    let Taken { ticket, cell, scope } = taken;
    let consented = |class: &Class| ticket.header.categories.contains(class.category.consent());
    let reads = if scope.allows(Scope::READ) { Class::every().filter(consented).collect() } else { Vec::new() };
    let last = now.month().year() + 1;
    let first = last.saturating_sub(VAULT_MAX_YEARS - 1);
    let month = |year, month, none| MonthBucket::new(year, month).unwrap_or(none);
    TicketOpening {
        ticket: signed.clone(),
        institution: ticket.header.institution,
        home_cell: *cell,
        // Consent to what no class holds yet opens nothing to read.
        scope: if reads.is_empty() { scope.without(Scope::READ) } else { *scope },
        reads,
        period: Period { from: month(first, 1, MonthBucket::MIN), to: month(last, 12, MonthBucket::MAX) },
    }
}

/// Compares what a document says with what its ticket commits to.
fn compare(cell: &CellSecret, ticket: &Ticket, accepted: &Accepted) -> Result<(), Refusal> {
    let subject = &accepted.subject;
    let sealed = &ticket.sealed.commitments;
    let committed = cell.open_commitments(ticket.digest, sealed).map_err(|_| Refusal::new(ErrorCode::TicketInvalid))?;
    let birth_date = subject.birth_date.map(|date| date.to_string());
    let said = [
        (&committed.birth_date, Attribute::BirthDate, "patient.birth_date", birth_date.as_deref()),
        (&committed.sex, Attribute::Sex, "patient.sex", subject.sex.map(renkei_records::Sex::code)),
    ];
    let ids = subject.member_ids.iter().map(|id| Some(id.comparison_form()));
    let ids = ids.map(|id| (&committed.member_id, Attribute::MemberId, "patient.member_id", id));
    let mut compared = false;
    for (commitment, attribute, field, value) in said.into_iter().chain(ids) {
        let (Some(commitment), Some(value)) = (commitment.as_ref(), value) else { continue };
        compared = true;
        if !Commitment::holds(commitment, attribute, value) {
            return Err(Refusal::new(ErrorCode::PatientMismatch).with_field(FieldName::of(field)));
        }
    }
    match accepted.form {
        Form::DocumentBundle if !compared => Err(Refusal::new(ErrorCode::PatientUnproven)),
        Form::DocumentBundle | Form::SingleResource => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use renkei_access::{SealedParts, TicketDraft, TicketHeader};
    use renkei_envelope::Commitments;
    use renkei_ids::{CloudId, InstitutionId, KeyholderId, PseudonymEpoch, TicketId, UnixMinute};

    use super::*;
    use crate::random::SystemRandom;

    fn ticket(cell: &CellSecret, commitments: &Commitments) -> Ticket {
        let header = TicketHeader {
            id: TicketId::from_bytes([1; 16]),
            salt: [2; 16],
            audience: CloudId::from_bytes([3; 16]),
            institution: InstitutionId::from_bytes([4; 16]),
            home_cell: CellId::from_bytes([5; 16]),
            serving_cell: CellId::from_bytes([5; 16]),
            epoch: PseudonymEpoch(1),
            rotating: false,
            purpose: Purpose::Care,
            categories: ConsentSet::NONE,
            evidence: Evidence::Card,
            consent_text: None,
            issued: UnixMinute(1),
            expires: UnixMinute(2),
        };
        let digest = TicketDraft::new(header.clone()).unwrap().digest();
        let commitments = cell.public().seal_commitments(digest, commitments, &SystemRandom).unwrap();
        let share = renkei_access::SealedShare {
            epoch: PseudonymEpoch(1),
            holder: KeyholderId(1),
            sealed: bytes::Bytes::from_static(b"share"),
        };
        let sealed = SealedParts { shares: vec![share], claims: bytes::Bytes::from_static(b"claims"), commitments };
        Ticket { header, digest, sealed }
    }

    fn accepted(patient: &str, form: Form) -> Accepted {
        let document = format!(
            r##"{{"resourceType":"Immunization","status":"completed","vaccineCode":{{"text":"vaccine"}},"contained":[{{"resourceType":"Patient","id":"1"{patient}}}],"patient":{{"reference":"#1"}},"occurrenceDateTime":"2026-03-05"}}"##
        );
        Accepted { form, ..renkei_records::intake(document.as_bytes()).unwrap() }
    }

    fn told(committed: &Commitments, patient: &str, form: Form) -> Result<(), (ErrorCode, Option<String>)> {
        let cell = CellSecret::random(&SystemRandom);
        let told = compare(&cell, &ticket(&cell, committed), &accepted(patient, form));
        told.map_err(|refusal| (refusal.code, refusal.field.map(|field| field.as_str().to_owned())))
    }

    #[test]
    fn whatever_a_document_says_of_its_patient_is_what_was_committed_to() {
        let commit = |attribute, value| Some(Commitment::new(attribute, value, &SystemRandom));
        let committed = Commitments {
            birth_date: commit(Attribute::BirthDate, "1970-01-01"),
            sex: commit(Attribute::Sex, "female"),
            member_id: commit(Attribute::MemberId, "06139877:1:187:05"),
        };
        let mismatch = |field: &str| Err((ErrorCode::PatientMismatch, Some(field.to_owned())));
        for form in [Form::DocumentBundle, Form::SingleResource] {
            assert_eq!(told(&committed, r#","birthDate":"1970-01-01","gender":"female""#, form), Ok(()));
            assert_eq!(told(&committed, r#","birthDate":"1970-01-02""#, form), mismatch("patient.birth_date"));
            let one_wrong = r#","birthDate":"1970-01-01","gender":"male""#;
            assert_eq!(told(&committed, one_wrong, form), mismatch("patient.sex"));
        }
        // What says nothing, or only what nobody committed to, proves nothing.
        let unproven = Err((ErrorCode::PatientUnproven, None));
        assert_eq!(told(&committed, "", Form::DocumentBundle), unproven);
        assert_eq!(told(&Commitments::default(), r#","gender":"male""#, Form::DocumentBundle), unproven);
        assert_eq!(told(&committed, "", Form::SingleResource), Ok(()));
    }

    #[test]
    fn commitments_to_another_cell_compare_with_nothing() {
        let (cell, other) = (CellSecret::random(&SystemRandom), CellSecret::random(&SystemRandom));
        let ticket = ticket(&other, &Commitments::default());
        let refused = compare(&cell, &ticket, &accepted("", Form::SingleResource)).unwrap_err();
        assert_eq!(refused.code, ErrorCode::TicketInvalid);
    }
}
