//! Whether an institution is served here and now, and what whoever acts for it may do.

use bytes::Bytes;
use renkei_access::{Act, Deed, Evidence, Purpose};
use renkei_envelope::Category;
use renkei_ids::InstitutionId;
use renkei_runtime::PeerIdentity;
use renkei_wire::record::{Acting, Actor, Patient};
use renkei_wire::{ErrorCode, Refusal};

use super::Desk;
use crate::institution::institution_id;

/// An actor as a development build without a directory believes it, and as an institution signed it.
const BELIEVED: u8 = 1;
const SIGNED: u8 = 2;

/// Who acts, where that was judged.
#[derive(Debug)]
pub(super) struct Judged {
    /// Absent where she is believed.
    actor: Option<renkei_access::Actor>,
    /// As it is sealed into rows.
    row: Vec<u8>,
    basis: (Purpose, Option<Evidence>),
}

impl Desk {
    /// The institution of a certificate, where this cell serves it. A development build that goes by no directory serves
    /// every certificate.
    pub(super) fn institution(&self, peer: &PeerIdentity) -> Result<InstitutionId, Refusal> {
        let Some(followed) = &self.directory else { return Ok(institution_id(peer.cloud, &peer.name)) };
        let held = followed.held()?;
        let institution = held.directory().enrolled(&peer.key_hash)?.id;
        held.directory().may_serve(&self.shell.tls().identity().key_hash, institution, self.cloud)?;
        Ok(institution)
    }

    /// Counts somebody whom the directory does not have served here, and tells it once a minute.
    pub(super) fn turned_away(&self, peer: &PeerIdentity, refusal: &Refusal) {
        self.metrics.refused(refusal);
        if refusal.code != ErrorCode::DirectoryMissing {
            self.denials.note(peer, refusal.code.name());
        }
    }

    /// Whether an institution that was served a moment ago still is: what it asks for may take long.
    pub(super) fn still_serves(&self, institution: InstitutionId) -> Result<(), Refusal> {
        let Some(followed) = &self.directory else { return Ok(()) };
        followed.held()?.directory().serving_cell(institution, self.cloud)?;
        Ok(())
    }

    /// Who acts, by a key that the directory names for the institution. It is judged once for each request.
    pub(super) fn judged(
        &self,
        institution: InstitutionId,
        acting: &Acting,
        patient: &Patient,
    ) -> Result<Judged, Refusal> {
        let basis = self.reason(patient)?;
        let signed = match (acting, &self.directory) {
            (Acting::Believed(actor), None) => return Ok(Judged { actor: None, row: believed(actor), basis }),
            (Acting::Believed(_), Some(_)) => return Err(Refusal::new(ErrorCode::ActorInvalid)),
            (Acting::Signed(_), None) => return Err(Refusal::new(ErrorCode::DirectoryMissing)),
            (Acting::Signed(signed), Some(followed)) => (signed, followed.held()?),
        };
        let (signed, held) = signed;
        let enrolled = held.directory().institution(institution);
        let enrolled = enrolled.ok_or(Refusal::new(ErrorCode::InstitutionNotEnrolled))?;
        let actor = signed.verify(&enrolled.signing)?;
        actor.admits(self.cloud, institution, self.clock.now())?;
        let row = [&[SIGNED], &signed.as_bytes()[..]].concat();
        Ok(Judged { actor: Some(actor), row, basis })
    }
}

impl Desk {
    /// Why a patient is opened, and on what: as the ticket says, or as a development build opens one without.
    fn reason(&self, patient: &Patient) -> Result<(Purpose, Option<Evidence>), Refusal> {
        match patient {
            Patient::Ticket(ticket) => self.basis(ticket).map(|(purpose, evidence)| (purpose, Some(evidence))),
            Patient::InsecurePseudonym(_) => Ok((Purpose::Care, Some(Evidence::Card))),
        }
    }
}

impl Judged {
    /// Whether she may do it to documents of some category at all, or to none.
    pub(super) fn may(&self, deed: Deed) -> Result<(), Refusal> {
        let refusals = match deed {
            Deed::Read | Deed::Put | Deed::BulkPut | Deed::Delete => {
                Category::EVERY.map(|category| self.may_to(deed, category).err()).to_vec()
            }
            Deed::Eligibility | Deed::BulkEligibility | Deed::CheckIn | Deed::ListAudit => {
                vec![self.act(deed, None).err()]
            }
        };
        // The last one: where a step-up would help for some category, that is the reason.
        refusals.into_iter().min_by_key(rank).flatten().map_or(Ok(()), Err)
    }

    /// Whether she may do it to documents of this category.
    pub(super) fn may_to(&self, deed: Deed, category: Category) -> Result<(), Refusal> {
        self.act(deed, Some(category))
    }

    /// Whether she may do it to documents of every category, so that nobody needs to look which one it is.
    pub(super) fn may_to_every(&self, deed: Deed) -> bool {
        Category::EVERY.into_iter().all(|category| self.may_to(deed, category).is_ok())
    }

    /// As it is sealed into rows.
    pub(super) fn row(&self) -> &[u8] {
        &self.row
    }

    fn act(&self, deed: Deed, category: Option<Category>) -> Result<(), Refusal> {
        let Some(actor) = &self.actor else { return Ok(()) };
        let (purpose, evidence) = self.basis;
        Ok(actor.may(&Act { deed, category: category.map(Category::consent), purpose, evidence })?)
    }
}

/// Nothing against it first, then what a step-up helps against.
fn rank(refusal: &Option<Refusal>) -> u8 {
    match refusal {
        None => 0,
        Some(refusal) if refusal.code == ErrorCode::ActorStepUp => 1,
        Some(_) => 2,
    }
}

/// Format 1 | length of the id 1 | id | role.
fn believed(Actor { id, role }: &Actor) -> Vec<u8> {
    let length = u8::try_from(id.len()).expect("the wire takes ids of 64 bytes at most");
    [&[BELIEVED, length], id.as_bytes(), role.as_bytes()].concat()
}

/// Reads an actor as this build, or one before it, sealed it.
pub(super) fn read_actor(bytes: &[u8]) -> Option<Actor> {
    let (format, rest) = bytes.split_first()?;
    match *format {
        BELIEVED => {
            let (length, rest) = rest.split_first()?;
            let (id, role) = rest.split_at_checked(usize::from(*length))?;
            let text =
                |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty()).map(str::to_owned);
            Some(Actor { id: text(id)?, role: text(role)? })
        }
        SIGNED => {
            // It was judged when it was sealed; its key may have gone since.
            let signed = renkei_access::SignedActor::from_bytes(Bytes::copy_from_slice(rest));
            let renkei_access::Actor { name, role, .. } = signed.read_unverified().ok()?;
            Some(Actor { id: name, role: role.as_str().to_owned() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use renkei_access::{LicensedRole, Login, StatementKey};
    use renkei_ids::{CloudId, UnixMinute};

    use super::*;

    fn judged(role: LicensedRole, login: Login) -> Judged {
        let actor = renkei_access::Actor {
            audience: CloudId::from_bytes([1; 16]),
            institution: InstitutionId::from_bytes([2; 16]),
            name: "dr-1".to_owned(),
            role,
            login,
            session: [3; 16],
            response_key: None,
            issued: UnixMinute(1),
            expires: UnixMinute(2),
        };
        let signed = actor.sign(&StatementKey::from_seed(&[4; 32])).unwrap();
        let row = [&[SIGNED], &signed.as_bytes()[..]].concat();
        Judged { actor: Some(actor), row, basis: (Purpose::Care, Some(Evidence::Card)) }
    }

    #[test]
    fn an_actor_reads_back_at_the_edges_of_its_lengths_and_as_signed() {
        for (id, role) in [(1, 1), (64, 32)] {
            let actor = Actor { id: "i".repeat(id), role: "r".repeat(role) };
            assert!(read_actor(&believed(&actor)) == Some(actor));
        }
        let nurse = Actor { id: "dr-1".to_owned(), role: "nurse".to_owned() };
        assert!(read_actor(judged(LicensedRole::Nurse, Login::Password).row()) == Some(nurse));
        for spoilt in [
            &b""[..],
            b"\x01",
            b"\x02\x01ab",
            b"\x03\x01ab",
            b"\x01\x05ab",
            b"\x01\x00ab",
            b"\x01\x02ab",
            b"\x01\x01\xffb",
        ] {
            assert!(read_actor(spoilt).is_none(), "{spoilt:?}");
        }
    }

    #[test]
    fn a_clerk_sees_no_record_and_a_deletion_needs_a_step_up() {
        let code = |role, login, deed| judged(role, login).may(deed).err().map(|refusal| refusal.code);
        for deed in [Deed::Read, Deed::Put, Deed::BulkPut, Deed::Delete, Deed::ListAudit] {
            assert_eq!(code(LicensedRole::Clerk, Login::StepUp, deed), Some(ErrorCode::ActorRole), "{deed:?}");
        }
        assert_eq!(code(LicensedRole::Pharmacist, Login::TwoFactor, Deed::Delete), Some(ErrorCode::ActorStepUp));
        assert_eq!(code(LicensedRole::Pharmacist, Login::StepUp, Deed::Delete), None);
        let pharmacist = judged(LicensedRole::Pharmacist, Login::StepUp);
        assert!(!pharmacist.may_to_every(Deed::Delete));
        assert_eq!(pharmacist.may_to(Deed::Read, Category::DischargeSummary).unwrap_err().code, ErrorCode::ActorRole);
        assert!(judged(LicensedRole::Physician, Login::StepUp).may_to_every(Deed::Delete));
    }
}
