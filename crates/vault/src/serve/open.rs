//! Opens patients by pseudonym. Only builds with the feature `dev-insecure` have this.

use std::sync::Arc;

use renkei_access::Scope;
use renkei_envelope::{ClassSet, LogKey, Opening, Patient, PatientKey, PatientSeed, PseudonymHash};
use renkei_ids::{BindingId, CapabilityId, KeyHash, Pid, UnixMillis};
use renkei_wire::Refusal;
use renkei_wire::vault::{Batch, ClassGrant, InsecureOpening, Opened, Results};

use super::deciding::Decided;
use super::keys::UnwrapError;
use super::{Vault, Wanted};
use crate::machine::VaultView;
use crate::random::{SystemRandom, draw};
use crate::state::{self, Ask, Item, NewPatient};

/// The binding of every opening without a ticket: there was no check-in that it could name.
const NO_BINDING: BindingId = BindingId::from_bytes([0; 16]);

type Drawn = Vec<(PseudonymHash, CapabilityId)>;

impl Vault {
    /// Opens patients; those that are not known are created.
    pub(crate) async fn open(
        self: &Arc<Self>,
        gateway: KeyHash,
        batch: Batch<InsecureOpening>,
    ) -> Result<Results<Opened>, Refusal> {
        let Batch { request, deadline, items } = batch;
        let count = items.len();
        let items = Arc::new(items);
        let asked = Arc::clone(&items);
        let served = self.decide(
            gateway,
            request,
            move |vault, view| vault.prepare_open(view, &asked),
            move |vault, view, drawn: Drawn, decided: Decided| {
                let expires = vault.expires(vault.clock.now());
                let one = |((asked, (hash, id)), decided): ((&InsecureOpening, &_), _)| match decided {
                    Err(refusal) => Ok(Err(refusal)),
                    Ok(pid) => vault.opened(view, (gateway, expires), asked, (hash, *id, pid)).map(Ok),
                };
                items.iter().zip(&drawn).zip(decided).map(one).collect::<Result<_, _>>().map(Results)
            },
        );
        self.told(("open", count), deadline, self.disk.admit_reads(), served).await
    }

    fn expires(&self, now: UnixMillis) -> UnixMillis {
        now.plus_millis(u64::try_from(self.life.as_millis()).expect("a life is an hour at most"))
    }

    fn prepare_open(&self, view: &VaultView, asked: &[InsecureOpening]) -> Result<(Vec<Item>, Drawn), UnwrapError> {
        let mut items = Vec::with_capacity(asked.len());
        let mut drawn = Vec::with_capacity(asked.len());
        for opening in asked {
            let hash = opening.pseudonym.hash(self.cloud);
            let known = state::index_row(view, &hash)?.is_some();
            let unknown = if known { None } else { Some(self.new_patient(view, opening)?) };
            let capability = CapabilityId::from_bytes(draw());
            let InsecureOpening { pseudonym: _, institution, purpose, evidence, classes, period, scope } = opening;
            let classes: ClassSet = classes.iter().copied().collect();
            items.push(Item {
                capability,
                salt: draw(),
                institution: *institution,
                purpose: *purpose,
                evidence: *evidence,
                ask: Ask::Open { hash: hash.clone(), unknown, classes, period: *period, scope: *scope },
            });
            drawn.push((hash, capability));
        }
        Ok((items, drawn))
    }

    /// A patient who may be created: every key drawn, and wrapped before anything is proposed.
    fn new_patient(&self, view: &VaultView, opening: &InsecureOpening) -> Result<NewPatient, UnwrapError> {
        let random = &SystemRandom;
        let patient = Patient { cloud: self.cloud, pid: Pid::from_bytes(draw()) };
        let slot = self.keys.slot(self.cloud, view, patient.pid.slot())?;
        let seed = PatientSeed::random(random);
        let (key, log) = (PatientKey::random(random), LogKey::random(random));
        Ok(NewPatient {
            pid: patient.pid,
            seed: opening.pseudonym.seal_seed(&patient, &seed, random),
            patient_key: seed.wrap_patient_key(&patient, &slot, &key, random),
            log_key: seed.wrap_log_key(&patient, &slot, &log, random),
        })
    }

    fn opened(
        &self,
        view: &VaultView,
        (gateway, expires): (KeyHash, UnixMillis),
        asked: &InsecureOpening,
        (hash, id, pid): (&PseudonymHash, CapabilityId, Pid),
    ) -> Result<Opened, UnwrapError> {
        let InsecureOpening { pseudonym, institution, purpose, evidence, classes, period, scope } = asked;
        let row = state::index_row(view, hash)?.filter(|row| row.pid == pid).ok_or(UnwrapError::Gone)?;
        let seed = pseudonym.open_seed(&Patient { cloud: self.cloud, pid }, &row.seed)?;
        let keys = self.keys.patient(self.cloud, view, pid, &seed)?;
        let years = if scope.allows(Scope::READ) { period.from.year()..period.to.year() + 1 } else { 0..0 };
        let mut grants = Vec::with_capacity(classes.len());
        for &class in classes {
            let key = |year| Ok((year, keys.class_key(view, class, year)?));
            let class_keys = years.clone().map(key).collect::<Result<_, UnwrapError>>()?;
            grants.push(ClassGrant { class, tag: keys.tags.class(class), keys: class_keys });
        }
        let opening = Opening {
            pid,
            seed,
            institution: *institution,
            binding: NO_BINDING,
            gateway,
            purpose: *purpose,
            evidence: *evidence,
            scope: *scope,
            classes: classes.iter().copied().collect(),
            expires,
        };
        let used_directly = [Scope::READ, Scope::AUDIT].into_iter().filter(|part| scope.allows(*part));
        let wanted = Wanted {
            id,
            scope: used_directly.fold(Scope::NONE, Scope::with),
            classes: grants.iter().map(|grant| grant.tag).collect(),
            period: *period,
            records: Vec::new(),
        };
        Ok(Opened {
            pid,
            capability: self.sign(&opening, &keys, wanted),
            classes: grants,
            institution: keys.tags.institution(*institution),
            binding: keys.tags.binding(NO_BINDING),
            stub_key: keys.stub_key(id),
            reference_key: keys.tags.reference_key(*institution),
            opening: self.keys.opening.seal(self.cloud, &opening, &SystemRandom),
            expires,
        })
    }
}
