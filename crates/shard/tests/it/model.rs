//! The state machine against a model that keeps what a patient would expect in plain maps.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use renkei_access::RuleSet;
use renkei_ids::{ContentTag, IdemTag, InstTag, UnixMillis};
use renkei_shard::{Access, DeleteRecord, Item, ItemKind, PutRecord, Verdict, read};

use crate::scenario::*;

#[derive(Clone, Debug)]
enum Step {
    Put { patient: u8, id: u8, version: u32, idem: u8, content: u8, institution: u8 },
    Delete { patient: u8, id: u8, version: u32, idem: u8, content: u8, institution: u8 },
    Wait { hours: u64 },
}

fn arb_step() -> impl Strategy<Value = Step> {
    let write = (1_u8..3, 1_u8..4, 1_u32..4, 0_u8..12, 0_u8..2, 1_u8..3);
    prop_oneof![
        6 => write.clone().prop_map(|(patient, id, version, idem, content, institution)| Step::Put { patient, id, version, idem, content, institution }),
        2 => write.prop_map(|(patient, id, version, idem, content, institution)| Step::Delete { patient, id, version, idem, content, institution }),
        1 => (0_u64..30).prop_map(|hours| Step::Wait { hours }),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Stored(u8, u32, bool),
    Done(bool),
    Conflict(u32),
    Nothing,
    Deleted,
    IdempotencyConflict,
}

#[derive(Clone)]
struct Live {
    institution: u8,
    contents: Vec<Bytes>,
}

#[derive(Default)]
struct Model {
    now: u64,
    live: BTreeMap<(u8, u8), Live>,
    dead: BTreeMap<(u8, u8), ()>,
    replies: BTreeMap<(u8, u8), (u8, u64, u8, Expected)>,
    rows: BTreeMap<u8, u64>,
}

impl Model {
    fn step(&mut self, step: &Step) -> Option<Expected> {
        let (patient, id, version, idem, content, institution, is_put) = match step {
            Step::Wait { hours } => {
                self.now += hours * HOUR;
                return None;
            }
            Step::Put { patient, id, version, idem, content, institution } => {
                (*patient, *id, *version, *idem, *content, *institution, true)
            }
            Step::Delete { patient, id, version, idem, content, institution } => {
                (*patient, *id, *version, *idem, *content, *institution, false)
            }
        };
        *self.rows.entry(patient).or_default() += 1;
        if let Some((known, until, stored, reply)) = self.replies.get(&(patient, idem))
            && self.now < *until
        {
            return Some(match reply {
                _ if *known != content => Expected::IdempotencyConflict,
                Expected::Stored(_, version, _) if is_put => Expected::Stored(*stored, *version, true),
                Expected::Done(_) if is_put => Expected::Stored(*stored, version, true),
                _ => Expected::Done(true),
            });
        }
        let key = (patient, id);
        if self.dead.contains_key(&key) {
            return Some(Expected::Deleted);
        }
        let current = self.live.get(&key).map(|live| (live.institution, u32::try_from(live.contents.len()).unwrap()));
        let reply = if is_put {
            match current {
                None if version == 1 => {}
                None => return Some(Expected::Nothing),
                Some((_, current)) if version == 1 => return Some(Expected::Conflict(current)),
                Some((owner, _)) if owner != institution => return Some(Expected::Nothing),
                Some((_, current)) if version != current + 1 => return Some(Expected::Conflict(current)),
                Some(_) => {}
            }
            let live = self.live.entry(key).or_insert(Live { institution, contents: vec![] });
            live.contents.push(Bytes::from(format!("body {id} {version}")));
            Expected::Stored(id, version, false)
        } else {
            match current {
                Some((owner, current)) if owner == institution => {
                    if current != version {
                        return Some(Expected::Conflict(current));
                    }
                }
                _ => return Some(Expected::Nothing),
            }
            self.live.remove(&key);
            self.dead.insert(key, ());
            Expected::Done(false)
        };
        self.replies.insert((patient, idem), (content, self.now + 24 * HOUR, id, reply.clone()));
        Some(reply)
    }
}

fn item(step: &Step) -> Option<Item> {
    let (patient, institution, kind) = match *step {
        Step::Wait { .. } => return None,
        Step::Put { patient, id, version, idem, content, institution } => {
            let tags = PutRecord {
                idem: IdemTag::from_bytes([idem; 16]),
                content: ContentTag::from_bytes([content; 16]),
                ..put(id, version, u16::try_from(version).unwrap())
            };
            (patient, institution, ItemKind::Put(tags))
        }
        Step::Delete { patient, id, version, idem, content, institution } => {
            let tags = DeleteRecord {
                idem: IdemTag::from_bytes([idem; 16]),
                content: ContentTag::from_bytes([content; 16]),
                ..delete(id, version)
            };
            (patient, institution, ItemKind::Delete(tags))
        }
    };
    let access = Access { institution: InstTag::from_bytes([institution; 16]), ..access(patient) };
    Some(Item::Patient { access, kind })
}

fn told(verdict: Verdict) -> Expected {
    match verdict {
        Verdict::Stored { record, version, replayed, .. } => {
            Expected::Stored(record.as_bytes()[0], version.get(), replayed)
        }
        Verdict::Done { replayed, .. } => Expected::Done(replayed),
        Verdict::VersionConflict { current, .. } => Expected::Conflict(current),
        Verdict::Nothing(_) => Expected::Nothing,
        Verdict::Deleted(_) => Expected::Deleted,
        Verdict::IdempotencyConflict(_) => Expected::IdempotencyConflict,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn writes_do_what_the_model_says(steps in proptest::collection::vec(arb_step(), 1..60), batch in 1_usize..6) {
        let mut model = Model { now: NOW, ..Model::default() };
        let mut group = Group::founded();
        // Steps between two waits share a moment, so they may also share an entry.
        for moment in steps.split_inclusive(|step| matches!(step, Step::Wait { .. })) {
            group.now = UnixMillis(model.now);
            let writes: Vec<_> = moment.iter().filter_map(|step| Some((step, item(step)?))).collect();
            for entry in writes.chunks(batch) {
                let verdicts = group.raw(entry.iter().map(|(_, item)| item.encode()).collect()).verdicts;
                for ((step, _), verdict) in entry.iter().zip(verdicts) {
                    prop_assert_eq!(Some(told(verdict)), model.step(step), "{:?}", step);
                }
            }
            moment.iter().filter(|step| matches!(step, Step::Wait { .. })).for_each(|step| { model.step(step); });
        }
        for patient in 1..3 {
            let capability = capability(patient);
            let eyes = read::Eyes { capability: &capability, rules: &RuleSet::UNSET, now: group.now };
            for id in 1..4 {
                let found = read::get(&group.store, &eyes, record(id), None, Some(u32::MAX)).unwrap();
                let expected = model.live.get(&(patient, id)).map(|live| live.contents.last().unwrap().clone());
                prop_assert_eq!(found.map(|entry| entry.body), expected.map(read::Body::Whole));
            }
            let (rows, _) = read::audit_rows(&group.store, &pid(patient), renkei_ids::AuditSeq(0), 500).unwrap();
            prop_assert_eq!(rows.len() as u64, model.rows.get(&patient).copied().unwrap_or_default());
        }
    }

    #[test]
    fn equal_entries_give_equal_states(steps in proptest::collection::vec(arb_step(), 1..40)) {
        let mut replicas = [Group::founded(), Group::founded()];
        for item in steps.iter().filter_map(item) {
            let verdicts = replicas.each_mut().map(|replica| replica.one(item.clone()));
            prop_assert_eq!(verdicts[0], verdicts[1]);
        }
        prop_assert_eq!(&replicas[0].store, &replicas[1].store);
    }

    #[test]
    fn apply_is_total(entry in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut group = Group::founded();
        let framed = Bytes::from([&[1_u8][..], &entry[..]].concat());
        prop_assert!(renkei_shard::apply(&mut group.store, &Bytes::from(entry)).is_ok());
        prop_assert!(renkei_shard::apply(&mut group.store, &framed).is_ok());
    }
}
