//! Grants for documents that are about to be stored, and for records that are about to be deleted.

use std::sync::Arc;

use renkei_access::{Period, RecordGrant, Scope};
use renkei_envelope::{Class, Opening};
use renkei_ids::{CapabilityId, KeyHash, Pid, RecordId, RecordVersion};
use renkei_wire::vault::{Batch, DeleteGrant, DeleteItem, PutGrant, PutItem, Results};
use renkei_wire::{ErrorCode, Refusal};

use super::deciding::Decided;
use super::keys::UnwrapError;
use super::{ToSign, Vault, item};
use crate::machine::VaultView;
use crate::random::draw;
use crate::state::{Ask, Item, NewClassKey};

/// What a put's answer needs again.
#[derive(Clone, Copy)]
struct Drawn {
    capability: CapabilityId,
    record: RecordId,
    version: RecordVersion,
}

/// Items whose opening holds, with their place in the call; and the refusals of the others.
struct Sorted<T> {
    held: Vec<(usize, T, Opening)>,
    refused: Vec<(usize, Refusal)>,
}

impl<T> Sorted<T> {
    fn new(items: Vec<T>, judge: impl Fn(&T) -> Result<Opening, Refusal>) -> Self {
        let mut sorted = Self { held: Vec::new(), refused: Vec::new() };
        for (place, item) in items.into_iter().enumerate() {
            match judge(&item) {
                Ok(opening) => sorted.held.push((place, item, opening)),
                Err(refusal) => sorted.refused.push((place, refusal)),
            }
        }
        sorted
    }
}

/// Results in the order of the call.
fn in_order<G>(held: Vec<(usize, Result<G, Refusal>)>, refused: Vec<(usize, Refusal)>) -> Results<G> {
    let mut results = held;
    results.extend(refused.into_iter().map(|(place, refusal)| (place, Err(refusal))));
    results.sort_by_key(|(place, _)| *place);
    Results(results.into_iter().map(|(_, result)| result).collect())
}

impl Vault {
    /// Grants puts.
    pub(crate) async fn puts(
        self: &Arc<Self>,
        gateway: KeyHash,
        batch: Batch<PutItem>,
    ) -> Result<Results<PutGrant>, Refusal> {
        let Batch { request, deadline, items } = batch;
        let count = items.len();
        let served = async {
            let Sorted { held, refused } = Sorted::new(items, |item| {
                let opening = self.present(gateway, &item.opening, Scope::WRITE)?;
                let covers = parts(item).into_iter().all(|class| opening.classes.contains(class));
                if covers { Ok(opening) } else { Err(Refusal::new(ErrorCode::OpeningScope)) }
            });
            if held.is_empty() {
                return Ok(in_order(Vec::new(), refused));
            }
            let held = Arc::new(held);
            let asked = Arc::clone(&held);
            let granted = self.decide(
                gateway,
                request,
                move |vault, view| vault.prepare_puts(view, &asked),
                move |vault, view, drawn: Vec<Drawn>, decided: Decided| {
                    let one =
                        |(((place, item, opening), drawn), decided): ((&(usize, _, _), &Drawn), Result<Pid, _>)| {
                            let granted = match decided {
                                Err(refusal) => Err(refusal),
                                Ok(_) => Ok(vault.put_granted(view, item, opening, *drawn)?),
                            };
                            Ok((*place, granted))
                        };
                    held.iter().zip(&drawn).zip(decided).map(one).collect::<Result<Vec<_>, UnwrapError>>()
                },
            );
            Ok(in_order(granted.await?, refused))
        };
        self.told(("puts", count), deadline, self.disk.admit_writes(), served).await
    }

    fn prepare_puts(
        &self,
        view: &VaultView,
        held: &[(usize, PutItem, Opening)],
    ) -> Result<(Vec<Item>, Vec<Drawn>), UnwrapError> {
        let mut items = Vec::with_capacity(held.len());
        let mut all = Vec::with_capacity(held.len());
        for (_, put, opening) in held {
            let (record, version) = match put.replaces {
                None => (RecordId::from_bytes(draw()), RecordVersion::FIRST),
                Some((record, stored)) => (record, stored.next().expect("the wire takes no last version to replace")),
            };
            let keys = self.keys.patient(self.cloud, view, opening.pid, &opening.seed)?;
            let year = put.month.year();
            let new = |class| Ok(NewClassKey { class, year, key: keys.new_class_key(view, class, year)? });
            let class_keys = parts(put).into_iter().map(new).collect::<Result<_, UnwrapError>>()?;
            let drawn = Drawn { capability: CapabilityId::from_bytes(draw()), record, version };
            let ask = Ask::Put { pid: opening.pid, record, version, class_keys };
            items.push(item(drawn.capability, draw(), opening, ask));
            all.push(drawn);
        }
        Ok((items, all))
    }

    fn put_granted(
        &self,
        view: &VaultView,
        put: &PutItem,
        opening: &Opening,
        drawn: Drawn,
    ) -> Result<PutGrant, UnwrapError> {
        let Drawn { capability: id, record, version } = drawn;
        let keys = self.keys.patient(self.cloud, view, opening.pid, &opening.seed)?;
        let [summary, document] = parts(put);
        let (summary_class, document_class) = (keys.tags.class(summary), keys.tags.class(document));
        let record_key =
            |class| keys.class_key(view, class, put.month.year()).map(|key| key.record_key(record, version));
        let wanted = ToSign {
            id,
            scope: Scope::WRITE,
            classes: vec![summary_class, document_class],
            period: Period { from: put.month, to: put.month },
            records: vec![RecordGrant { record, version }],
        };
        Ok(PutGrant {
            pid: opening.pid,
            record,
            version,
            capability: self.sign(opening, &keys, wanted),
            summary_class,
            document_class,
            binding: keys.tags.binding(opening.binding),
            summary_key: record_key(summary)?,
            document_key: record_key(document)?,
            write_tag_key: keys.tags.write_tag_key(opening.institution),
            stub_key: keys.stub_key(id),
            reference_key: keys.tags.reference_key(opening.institution),
            expires: opening.expires,
        })
    }

    /// Grants deletes.
    pub(crate) async fn deletes(
        self: &Arc<Self>,
        gateway: KeyHash,
        batch: Batch<DeleteItem>,
    ) -> Result<Results<DeleteGrant>, Refusal> {
        let Batch { request, deadline, items } = batch;
        let count = items.len();
        let served = async {
            let Sorted { held, refused } =
                Sorted::new(items, |item| self.present(gateway, &item.opening, Scope::DELETE));
            if held.is_empty() {
                return Ok(in_order(Vec::new(), refused));
            }
            let held = Arc::new(held);
            let asked = Arc::clone(&held);
            let prepare = move |_: &Self, _: &VaultView| {
                let drawn: Vec<_> = asked.iter().map(|_| CapabilityId::from_bytes(draw())).collect();
                let asks = asked.iter().zip(&drawn).map(|((_, delete, opening), id)| {
                    let DeleteItem { opening: _, record, version } = *delete;
                    item(*id, draw(), opening, Ask::Delete { pid: opening.pid, record, version })
                });
                Ok((asks.collect(), drawn))
            };
            let granted =
                self.decide(gateway, request, prepare, move |vault, view, drawn: Vec<_>, decided: Decided| {
                    let one = |(((place, item, opening), id), decided): ((&(usize, _, _), &_), Result<Pid, _>)| {
                        let granted = match decided {
                            Err(refusal) => Err(refusal),
                            Ok(_) => Ok(vault.delete_granted(view, item, opening, *id)?),
                        };
                        Ok((*place, granted))
                    };
                    held.iter().zip(&drawn).zip(decided).map(one).collect::<Result<Vec<_>, UnwrapError>>()
                });
            Ok(in_order(granted.await?, refused))
        };
        self.told(("deletes", count), deadline, self.disk.admit_reads(), served).await
    }

    fn delete_granted(
        &self,
        view: &VaultView,
        delete: &DeleteItem,
        opening: &Opening,
        id: CapabilityId,
    ) -> Result<DeleteGrant, UnwrapError> {
        let keys = self.keys.patient(self.cloud, view, opening.pid, &opening.seed)?;
        let classes = Class::every().filter(|class| opening.classes.contains(*class));
        let wanted = ToSign {
            id,
            scope: Scope::DELETE,
            classes: classes.map(|class| keys.tags.class(class)).collect(),
            period: Period::ALL,
            records: vec![RecordGrant { record: delete.record, version: delete.version }],
        };
        Ok(DeleteGrant {
            pid: opening.pid,
            capability: self.sign(opening, &keys, wanted),
            write_tag_key: keys.tags.write_tag_key(opening.institution),
            stub_key: keys.stub_key(id),
            expires: opening.expires,
        })
    }
}

/// The two classes that a document is stored under.
fn parts(put: &PutItem) -> [Class; 2] {
    [Class::summary(put.category), Class::document(put.category)]
}
