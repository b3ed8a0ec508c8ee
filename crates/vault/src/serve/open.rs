//! Opening patients, once it is known who they are and what for: what is proposed, and what is given when that is committed.

use bytes::Bytes;
use renkei_access::{Evidence, Period, Purpose, Scope};
use renkei_envelope::{Class, ClassSet, LogKey, Opening, Patient, PatientKey, PatientSeed, Pseudonym, PseudonymHash};
use renkei_ids::{BindingId, CapabilityId, InstitutionId, KeyHash, PersonMark, Pid, UnixMillis};
use renkei_wire::vault::{ClassGrant, Opened};

use super::keys::UnwrapError;
use super::{ToSign, Vault};
use crate::machine::VaultView;
use crate::random::{SystemRandom, draw};
use crate::state::{self, Ask, Item, NewPatient, TicketUse, Wanted};

/// Who is to be opened, for whom and what.
pub(super) struct Ready {
    pub(super) pseudonym: Pseudonym,
    pub(super) institution: InstitutionId,
    pub(super) purpose: Purpose,
    pub(super) evidence: Evidence,
    /// The binding that the check-in went by.
    pub(super) binding: BindingId,
    /// Classes that the opening covers.
    pub(super) covers: Vec<Class>,
    /// Those of them that are to be read.
    pub(super) reads: ClassSet,
    pub(super) period: Period,
    pub(super) scope: Scope,
    /// The opening ends then at the latest.
    pub(super) ends: UnixMillis,
}

/// What an opening's answer needs again.
pub(super) struct Drawn {
    ready: Ready,
    hash: PseudonymHash,
    id: CapabilityId,
}

impl Vault {
    /// The item that an opening is proposed as. `by_ticket` is the ticket, and the person's mark in it.
    pub(super) fn prepare_open(
        &self,
        view: &VaultView,
        ready: Ready,
        by_ticket: Option<(TicketUse, PersonMark)>,
    ) -> Result<(Item, Drawn), UnwrapError> {
        let hash = ready.pseudonym.hash(self.cloud);
        let mark = by_ticket.as_ref().map(|(_, mark)| *mark);
        let (unknown, escrow) = match state::index_row(view, &hash)? {
            Some(row) => {
                let patient = Patient { cloud: self.cloud, pid: row.pid };
                let lacks = self.escrow.is_some() && state::escrow_row(view, &row.pid)?.is_none();
                let seed = lacks.then(|| ready.pseudonym.open_seed(&patient, &row.seed)).transpose()?;
                (None, seed.and_then(|seed| self.escrow_row(&patient, mark, &seed)))
            }
            None => {
                let patient = Patient { cloud: self.cloud, pid: Pid::from_bytes(draw()) };
                let seed = PatientSeed::random(&SystemRandom);
                let new = self.new_patient(view, &patient, (&ready.pseudonym, &seed))?;
                (Some(new), self.escrow_row(&patient, mark, &seed))
            }
        };
        let id = CapabilityId::from_bytes(draw());
        let wanted = Wanted { classes: ready.reads, period: ready.period, scope: ready.scope };
        let ticket = by_ticket.map(|(ticket, _)| ticket);
        let item = Item {
            capability: id,
            salt: draw(),
            institution: ready.institution,
            purpose: Some(ready.purpose),
            evidence: Some(ready.evidence),
            ask: Ask::Open { hash: hash.clone(), unknown, wanted, ticket, escrow },
        };
        Ok((item, Drawn { ready, hash, id }))
    }

    /// A patient who may be created: every key drawn, and wrapped before anything is proposed.
    fn new_patient(
        &self,
        view: &VaultView,
        patient: &Patient,
        (pseudonym, seed): (&Pseudonym, &PatientSeed),
    ) -> Result<NewPatient, UnwrapError> {
        let random = &SystemRandom;
        let slot = self.keys.slot(self.cloud, view, patient.pid.slot())?;
        let (key, log) = (PatientKey::random(random), LogKey::random(random));
        Ok(NewPatient {
            pid: patient.pid,
            seed: pseudonym.seal_seed(patient, seed, random),
            patient_key: seed.wrap_patient_key(patient, &slot, &key, random),
            log_key: seed.wrap_log_key(patient, &slot, &log, random),
        })
    }

    /// The patient's escrow row, where the vault has officers to seal it to and the ticket a mark to find it by.
    fn escrow_row(&self, patient: &Patient, mark: Option<PersonMark>, seed: &PatientSeed) -> Option<Bytes> {
        Some(self.escrow?.seal(patient, mark?, seed, &SystemRandom))
    }

    /// What is given when the opening is committed.
    pub(super) fn opened(
        &self,
        view: &VaultView,
        gateway: KeyHash,
        Drawn { ready, hash, id }: &Drawn,
        pid: Pid,
    ) -> Result<Opened, UnwrapError> {
        let row = state::index_row(view, hash)?.filter(|row| row.pid == pid).ok_or(UnwrapError::Gone)?;
        let seed = ready.pseudonym.open_seed(&Patient { cloud: self.cloud, pid }, &row.seed)?;
        let keys = self.keys.patient(self.cloud, view, pid, &seed)?;
        let Period { from, to } = ready.period;
        let mut grants = Vec::with_capacity(ready.covers.len());
        for &class in &ready.covers {
            let years = if ready.reads.contains(class) { from.year()..to.year() + 1 } else { 0..0 };
            let key = |year| Ok((year, keys.class_key(view, class, year)?));
            let class_keys = years.map(key).collect::<Result<_, UnwrapError>>()?;
            grants.push(ClassGrant { class, tag: keys.tags.class(class), keys: class_keys });
        }
        let opening = self.opening(gateway, ready, (pid, seed));
        let used_directly = [Scope::READ, Scope::AUDIT].into_iter().filter(|part| ready.scope.allows(*part));
        let readable = grants.iter().filter(|grant| ready.reads.contains(grant.class));
        let to_sign = ToSign {
            id: *id,
            scope: used_directly.fold(Scope::NONE, Scope::with),
            classes: readable.map(|grant| grant.tag).collect(),
            period: ready.period,
            records: Vec::new(),
        };
        Ok(Opened {
            pid,
            capability: self.sign(&opening, &keys, to_sign),
            classes: grants,
            institution: keys.tags.institution(ready.institution),
            binding: keys.tags.binding(ready.binding),
            stub_key: keys.stub_key(*id),
            reference_key: keys.tags.reference_key(ready.institution),
            opening: self.keys.opening.seal(self.cloud, &opening, &SystemRandom),
            expires: opening.expires,
        })
    }

    /// It ends after its life, and never after what it was opened by.
    fn opening(&self, gateway: KeyHash, ready: &Ready, (pid, seed): (Pid, PatientSeed)) -> Opening {
        let life = u64::try_from(self.life.as_millis()).expect("a life is an hour at most");
        Opening {
            pid,
            seed,
            institution: ready.institution,
            binding: ready.binding,
            gateway,
            purpose: ready.purpose,
            evidence: ready.evidence,
            scope: ready.scope,
            classes: ready.covers.iter().copied().collect(),
            expires: self.clock.now().plus_millis(life).min(ready.ends),
        }
    }
}
