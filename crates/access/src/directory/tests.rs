use bytes::Bytes;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::StatementKey;
use crate::statement::{Signed, Statement};

const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

fn officer(number: u8) -> StatementKey {
    StatementKey::from_seed(&[number; 32])
}

/// Officers 1 to `of`, of whom `needed` must sign.
fn officers(needed: usize, of: u8) -> Officers {
    Officers::new(needed, (1..=of).map(|number| officer(number).verifying_key()).collect()).unwrap()
}

fn signed_by(directory: &Directory, numbers: impl IntoIterator<Item = u8>) -> SignedDirectory {
    let unsigned = SignedDirectory::unsigned(directory).unwrap();
    numbers.into_iter().fold(unsigned, |signed, number| signed.sign(&officer(number)).unwrap())
}

fn institution_id(number: u8) -> InstitutionId {
    InstitutionId::from_bytes([number; 16])
}

fn cell_id(number: u8) -> CellId {
    CellId::from_bytes([number; 16])
}

fn cloud_id(number: u8) -> CloudId {
    CloudId::from_bytes([number; 16])
}

fn institution(number: u8, home: u8) -> Institution {
    Institution {
        id: institution_id(number),
        kind: InstitutionKind::Clinic,
        name: name_hash("clinic"),
        keys: vec![KeyHash::from_bytes([number; 32])],
        signing: vec![officer(number).verifying_key()],
        visits: DailyVisits::new(40).unwrap(),
        home: cell_id(home),
    }
}

fn cell(number: u8, cloud: u8) -> Cell {
    Cell {
        id: cell_id(number),
        cloud: cloud_id(cloud),
        gateways: vec![KeyHash::from_bytes([100 + number; 32])],
        commitments: CommitmentKey([number; 32]),
    }
}

fn cloud(number: u8) -> Cloud {
    Cloud { id: cloud_id(number), epoch: PseudonymEpoch(u32::from(number)), rotating: number == 2 }
}

fn route(home: u8, cloud: u8, serving: u8) -> Route {
    Route { home: cell_id(home), cloud: cloud_id(cloud), serving: cell_id(serving) }
}

/// Two clouds; cells 11 and 12 of the first, 21 of the second, which serves those of 11 alone.
fn sample() -> Entries {
    Entries {
        version: DirectoryVersion(7),
        valid_from: NOW,
        deny_epoch: DenyEpoch(3),
        registrars: vec![officer(40).verifying_key()],
        clouds: vec![cloud(1), cloud(2)],
        cells: vec![cell(11, 1), cell(12, 1), cell(21, 2)],
        routes: vec![route(11, 2, 21)],
        institutions: vec![institution(31, 11), institution(32, 12), institution(33, 21)],
        denied: vec![Party::Institution(institution_id(32))],
        surges: vec![Surge {
            institution: institution_id(31),
            visits: DailyVisits::new(400).unwrap(),
            until: NOW.plus_millis(SURGE_MAX_MILLIS),
        }],
    }
}

fn directory(entries: Entries) -> Directory {
    Directory::try_from(entries).unwrap()
}

fn with(change: impl FnOnce(&mut Entries)) -> Result<Directory, InvalidDirectory> {
    let mut entries = sample();
    change(&mut entries);
    Directory::try_from(entries)
}

/// Entries that hold together, drawn from few ids so that they meet.
fn arb_entries() -> impl Strategy<Value = Entries> {
    let cells = vec(0..3_u8, 1..8);
    let institutions = vec((0..8_u8, 1..=7_u32, 1..=DailyVisits::MAX), 0..20);
    let denied = (btree_set(0..20_u8, 0..4), btree_set(0..8_u8, 0..3), btree_set(0..3_u8, 0..2));
    let routes = vec((0..8_u8, 0..3_u8, 0..8_u8), 0..20);
    let surges = btree_set(0..20_u8, 0..4);
    let numbers = (1..=u64::MAX, any::<u64>(), any::<u64>());
    (numbers, cells, institutions, denied, routes, surges).prop_map(
        |(
            (version, valid_from, deny),
            cells,
            institutions,
            (institutions_denied, cells_denied, clouds_denied),
            routes,
            surges,
        )| {
            let count = |len: usize| u8::try_from(len).unwrap();
            let (cell_count, institution_count) = (count(cells.len()), count(institutions.len()));
            let numbered = |number: u8| KeyHash::from_bytes([number; 32]);
            let mut entries = Entries {
                version: DirectoryVersion(version),
                valid_from: UnixMillis(valid_from),
                deny_epoch: DenyEpoch(deny),
                registrars: vec![officer(40).verifying_key(), officer(41).verifying_key()],
                clouds: (0..3).map(|number| Cloud { rotating: number == 1, ..cloud(number + 1) }).collect(),
                cells: (0..).zip(&cells).map(|(number, cloud)| cell(number, cloud + 1)).collect(),
                routes: Vec::new(),
                institutions: (0..)
                    .zip(&institutions)
                    .map(|(number, (home, kind, visits))| Institution {
                        kind: InstitutionKind::from_raw(*kind).unwrap(),
                        visits: DailyVisits::new(*visits).unwrap(),
                        keys: vec![numbered(number), numbered(200 + number)],
                        ..institution(number, home % cell_count)
                    })
                    .collect(),
                denied: Vec::new(),
                surges: surges
                    .into_iter()
                    .filter(|number| *number < institution_count)
                    .map(|number| Surge {
                        institution: institution_id(number),
                        visits: DailyVisits::new(1_000).unwrap(),
                        until: UnixMillis(valid_from),
                    })
                    .collect(),
            };
            for (home, cloud, serving) in routes {
                let (home, serving) = (home % cell_count, serving % cell_count);
                let fits = cells[usize::from(home)] != cloud && cells[usize::from(serving)] == cloud;
                let again =
                    entries.routes.iter().any(|one| (one.home, one.cloud) == (cell_id(home), cloud_id(cloud + 1)));
                if fits && !again {
                    entries.routes.push(route(home, cloud + 1, serving));
                }
            }
            let institutions = institutions_denied.into_iter().filter(|number| *number < institution_count);
            entries.denied.extend(institutions.map(|number| Party::Institution(institution_id(number))));
            let cells = cells_denied.into_iter().filter(|number| *number < cell_count);
            entries.denied.extend(cells.map(|number| Party::Cell(cell_id(number))));
            entries.denied.extend(clouds_denied.into_iter().map(|number| Party::Cloud(cloud_id(number + 1))));
            entries.sort();
            entries
        },
    )
}

proptest! {
    #[test]
    fn what_was_signed_is_what_is_read(entries in arb_entries()) {
        let directory = directory(entries);
        prop_assert_eq!(signed_by(&directory, [1, 2]).verify(&officers(2, 3)), Ok(directory));
    }

    #[test]
    fn one_changed_bit_is_no_directory(at: prop::sample::Index, bit in 0..8_u8) {
        let mut bytes = signed_by(&directory(sample()), [1, 2]).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(SignedDirectory::from_bytes(bytes.into()).verify(&officers(2, 2)).is_err());
    }

    #[test]
    fn foreign_bytes_never_panic(body in vec(any::<u8>(), 0..400), raw in vec(any::<u8>(), 0..400)) {
        // Signed by an officer, so that the decoder behind the signature is reached.
        let signed = forged([&[1], &body[..]].concat(), &[1]);
        prop_assert!(!matches!(signed.verify(&officers(1, 1)), Err(InvalidDirectory::Forged)));
        let raw = SignedDirectory::from_bytes(raw.into());
        let _ = (raw.verify(&officers(1, 1)), raw.signers(), raw.digest(), raw.combine(&signed), raw.sign(&officer(1)));
    }

    #[test]
    fn enough_officers_and_nobody_else_make_a_directory(signers in btree_set(1..=8_u8, 0..=8)) {
        // Officers are 1 to 5, and three of them must sign; 6 to 8 are strangers.
        let signed = signers.iter().filter(|number| **number <= 5).count();
        let verified = signed_by(&directory(sample()), signers).verify(&officers(3, 5));
        prop_assert_eq!(verified.err(), (signed < 3).then_some(InvalidDirectory::TooFew { signed, needed: 3 }));
    }

    #[test]
    fn officers_sign_in_any_order_and_apart(one in btree_set(1..=5_u8, 0..=5), other in btree_set(1..=5_u8, 0..=5)) {
        let directory = directory(sample());
        let apart = signed_by(&directory, one.clone()).combine(&signed_by(&directory, other.clone())).unwrap();
        let together = signed_by(&directory, other.into_iter().chain(one));
        prop_assert_eq!(apart, together);
    }

    #[test]
    fn look_ups_are_those_of_a_plain_search(entries in arb_entries(), number in 0..25_u8, to in 1..5_u8, gateway in 0..9_u8) {
        let directory = directory(entries.clone());
        let (id, cloud) = (institution_id(number), cloud_id(to));
        let key = KeyHash::from_bytes([number; 32]);
        let denied = |party| entries.denied.contains(&party);
        let cell_of = |id| entries.cells.iter().find(|cell| cell.id == id).unwrap();
        let cell_denied = |cell: &Cell| denied(Party::Cell(cell.id)) || denied(Party::Cloud(cell.cloud));
        let found = entries.institutions.iter().find(|one| one.id == id);
        let out = found.is_some_and(|one| denied(Party::Institution(id)) || cell_denied(cell_of(one.home)));

        prop_assert_eq!(directory.denies_institution(id), out);
        let enrolled = entries.institutions.iter().find(|one| one.keys.contains(&key));
        let expected = match enrolled {
            None => Err(NotServed::NotEnrolled),
            Some(_) if out => Err(NotServed::Denied),
            Some(one) => Ok(one),
        };
        prop_assert_eq!(directory.enrolled(&key), expected);

        let serving = found.map(|one| {
            let home = cell_of(one.home);
            let route = entries.routes.iter().find(|route| route.home == home.id && route.cloud == cloud);
            if home.cloud == cloud { Some(home) } else { route.map(|route| cell_of(route.serving)) }
        });
        let expected = match serving {
            None => Err(NotServed::NotEnrolled),
            Some(None) => Err(NotServed::NoCell),
            Some(Some(cell)) if out || cell_denied(cell) => Err(NotServed::Denied),
            Some(Some(cell)) => Ok(cell),
        };
        prop_assert_eq!(directory.serving_cell(id, cloud), expected);
        let gateway = KeyHash::from_bytes([100 + gateway; 32]);
        let expected = expected.and_then(|cell| {
            if cell.gateways.contains(&gateway) { Ok(cell) } else { Err(NotServed::OtherCell) }
        });
        prop_assert_eq!(directory.may_serve(&gateway, id, cloud), expected);
    }

    #[test]
    fn a_process_only_ever_goes_on(offers in vec((1..6_u64, 0..4_u64, any::<bool>(), 1..4_u32), 1..40)) {
        let mut held: Option<Held> = None;
        let mut newest = (0, 0, 0);
        for (version, deny_epoch, denied, epoch) in offers {
            let mut entries = Entries { version: DirectoryVersion(version), deny_epoch: DenyEpoch(deny_epoch), ..sample() };
            entries.denied.truncate(usize::from(denied));
            entries.clouds[0].epoch = PseudonymEpoch(epoch);
            let signed = signed_by(&directory(entries), [1]);
            if let Ok(taken) = Held::judge(signed.clone(), &officers(1, 1), held.as_ref(), NOW) {
                prop_assert_eq!(Held::succeed(signed, held.as_ref(), NOW), Ok(taken.clone()));
                let Entries { version, deny_epoch, clouds, denied, .. } = taken.directory().entries().clone();
                prop_assert!(version.0 > newest.0 && deny_epoch.0 >= newest.1 && clouds[0].epoch.0 >= newest.2);
                if let Some(before) = held.filter(|before| before.directory().entries().denied != denied) {
                    prop_assert!(before.directory().entries().deny_epoch < deny_epoch);
                }
                newest = (version.0, deny_epoch.0, clouds[0].epoch.0);
                held = Some(taken);
            }
        }
        prop_assert!(held.is_some());
    }
}

/// Signs bytes that may be anything, as the officers of these numbers.
fn forged(body: Vec<u8>, numbers: &[u8]) -> SignedDirectory {
    let body = Bytes::from(body);
    let signature = |number: &u8| {
        let key = officer(*number);
        let Signed { signature, .. } = key.sign(Statement::Directory, body.clone());
        [&key.verifying_key().as_bytes()[..], &signature].concat()
    };
    let signatures: Vec<u8> = numbers.iter().flat_map(signature).collect();
    let count = u8::try_from(numbers.len()).unwrap();
    SignedDirectory::from_bytes([&body[..], &signatures, &[count]].concat().into())
}

#[test]
fn a_signature_counts_once_and_for_a_directory_only() {
    let unsigned = SignedDirectory::unsigned(&directory(sample())).unwrap();
    let body = unsigned.as_bytes()[..unsigned.as_bytes().len() - 1].to_vec();
    assert_eq!(forged(body.clone(), &[1, 1]).verify(&officers(2, 2)), Err(InvalidDirectory::Signatures));
    assert_eq!(unsigned.sign(&officer(1)).unwrap().sign(&officer(1)).unwrap(), unsigned.sign(&officer(1)).unwrap());
    let too_few = InvalidDirectory::TooFew { signed: 0, needed: 1 };
    assert_eq!(unsigned.verify(&officers(1, 1)), Err(too_few));
    // What an officer signed as something else, with a key of the same bytes.
    let other = officer(1).sign(Statement::Ticket, body.clone().into());
    let bytes = [&body[..], officer(1).verifying_key().as_bytes(), &other.signature, &[1]].concat();
    assert_eq!(SignedDirectory::from_bytes(bytes.into()).verify(&officers(1, 1)), Err(InvalidDirectory::Forged));
}

#[test]
fn officers_are_one_to_sixteen_and_each_once() {
    let keys = |of: u8| (1..=of).map(|number| officer(number).verifying_key()).collect::<Vec<_>>();
    assert!(Officers::new(1, keys(1)).is_ok() && Officers::new(16, keys(16)).is_ok());
    for (needed, keys) in [(0, keys(1)), (2, keys(1)), (1, keys(0)), (1, keys(17)), (1, [keys(1), keys(1)].concat())] {
        assert_eq!(Officers::new(needed, keys), Err(InvalidOfficers), "{needed}");
    }
    let many = signed_by(&directory(sample()), 1..=16);
    assert!(many.verify(&officers(16, 16)).is_ok());
    assert_eq!(many.sign(&officer(17)), Err(InvalidDirectory::Signatures));
}

#[test]
fn bytes_outside_the_form_are_refused_by_name() {
    let verify = |bytes: Vec<u8>| SignedDirectory::from_bytes(bytes.into()).verify(&officers(1, 1)).unwrap_err();
    assert_eq!(verify(vec![]), InvalidDirectory::TooShort(0));
    assert_eq!(verify(vec![0]), InvalidDirectory::TooShort(1));
    assert_eq!(verify(vec![0; DIRECTORY_MAX_BYTES + 1]), InvalidDirectory::TooLong(DIRECTORY_MAX_BYTES + 1));
    assert_eq!(verify(vec![17; 4_000]), InvalidDirectory::Signatures);
    assert_eq!(forged(vec![9], &[1]).verify(&officers(1, 1)), Err(InvalidDirectory::Format(9)));
    assert_eq!(forged(vec![1, 0xFF], &[1]).verify(&officers(1, 1)), Err(InvalidDirectory::Malformed("entries")));
    // More entries than there may be are counted, whatever they say.
    let many = [vec![1], [0x42, 0].repeat(1 << 20)].concat();
    assert_eq!(forged(many, &[1]).verify(&officers(1, 1)), Err(InvalidDirectory::Limit("entries")));
    assert_eq!(forged(vec![1], &[1]).verify(&officers(1, 1)), Err(InvalidDirectory::Malformed("version")));
}

#[test]
fn lists_end_at_their_limits() {
    let many = |count: usize| {
        let institution = |number: usize| {
            let bytes = u128::try_from(number).unwrap().to_be_bytes();
            let key = |kind: u8| [[kind; 16], bytes].concat();
            let keys = [1, 2].map(|kind| KeyHash::try_from(&key(kind)[..]).unwrap()).to_vec();
            Institution { id: InstitutionId::from_bytes(bytes), keys, ..institution(31, 11) }
        };
        with(|entries| {
            entries.institutions = (0..count).map(institution).collect();
            entries.denied.clear();
            entries.surges.clear();
        })
    };
    // As many as there may be, with two certificates each, still travel.
    let full = many(INSTITUTIONS_MAX).unwrap();
    assert!(signed_by(&full, 1..=16).verify(&officers(16, 16)).is_ok());
    assert_eq!(many(INSTITUTIONS_MAX + 1), Err(InvalidDirectory::Limit("institutions")));

    let keys = |count: u8| {
        with(|entries| {
            entries.institutions[0].keys = (0..count).map(|number| KeyHash::from_bytes([50 + number; 32])).collect();
        })
    };
    assert!(keys(1).is_ok() && keys(16).is_ok());
    assert_eq!([keys(0), keys(17)], [Err(InvalidDirectory::Limit("keys")), Err(InvalidDirectory::Limit("keys"))]);
    assert_eq!(with(|entries| entries.cells[0].gateways.clear()), Err(InvalidDirectory::Limit("gateways")));
}

#[test]
fn entries_that_do_not_hold_together_are_refused_by_name() {
    let dangling = |name| Err(InvalidDirectory::Dangling(name));
    assert_eq!(with(|entries| entries.institutions.swap(0, 1)), Err(InvalidDirectory::Order("institutions")));
    let twice = |entries: &mut Entries| entries.cells.insert(0, entries.cells[0].clone());
    assert_eq!(with(twice), Err(InvalidDirectory::Order("cells")));
    let shared = |entries: &mut Entries| entries.institutions[1].keys = entries.institutions[0].keys.clone();
    assert_eq!(with(shared), Err(InvalidDirectory::SharedKey));
    let both = |entries: &mut Entries| entries.institutions[1].keys = entries.cells[0].gateways.clone();
    assert_eq!(with(both), Err(InvalidDirectory::SharedKey));
    assert_eq!(with(|entries| entries.cells[0].cloud = cloud_id(9)), dangling("cells"));
    assert_eq!(with(|entries| entries.institutions[0].home = cell_id(9)), dangling("institutions"));
    assert_eq!(with(|entries| entries.denied[0] = Party::Cell(cell_id(9))), dangling("denied"));
    assert_eq!(with(|entries| entries.routes[0].serving = cell_id(12)), dangling("routes"));
    assert_eq!(with(|entries| entries.routes[0] = route(21, 2, 21)), dangling("routes"));
    assert_eq!(with(|entries| entries.clouds[0].epoch = PseudonymEpoch(0)), dangling("epochs"));
    assert_eq!(with(|entries| entries.clouds[1].epoch = PseudonymEpoch(u32::MAX)), dangling("epochs"));
    let long = |entries: &mut Entries| entries.surges[0].until = NOW.plus_millis(SURGE_MAX_MILLIS + 1);
    assert_eq!(with(long), dangling("surges"));
}

#[test]
fn a_directory_is_taken_from_its_first_moment_and_never_after_a_newer_one() {
    let judge = |change: fn(&mut Entries), before: Option<&Held>, now| {
        Held::judge(signed_by(&with(change).unwrap(), [1]), &officers(1, 1), before, now)
    };
    let early = UnixMillis(NOW.0 - Held::LEEWAY_MILLIS);
    let first = judge(|_| (), None, early).unwrap();
    assert_eq!(judge(|_| (), None, UnixMillis(early.0 - 1)), Err(NotTaken::NotYetValid));
    assert_eq!(judge(|_| (), Some(&first), NOW), Err(NotTaken::Known));
    let (held, offered) = (DirectoryVersion(7), DirectoryVersion(7));
    let same = judge(|entries| entries.routes.clear(), Some(&first), NOW);
    assert_eq!(same, Err(NotTaken::NotNewer { held, offered }));

    let again = |entries: &mut Entries| {
        entries.version = DirectoryVersion(8);
        entries.denied.clear();
    };
    let (held, offered) = (DenyEpoch(3), DenyEpoch(3));
    assert_eq!(judge(again, Some(&first), NOW), Err(NotTaken::DenyEpoch { held, offered }));
    let back = |entries: &mut Entries| {
        entries.version = DirectoryVersion(8);
        entries.clouds[1].epoch = PseudonymEpoch(1);
    };
    assert_eq!(judge(back, Some(&first), NOW), Err(NotTaken::PseudonymEpoch(cloud_id(2))));
    let next = |entries: &mut Entries| {
        entries.version = DirectoryVersion(9);
        entries.denied.clear();
        entries.deny_epoch = DenyEpoch(4);
    };
    assert!(judge(next, Some(&first), NOW).is_ok());
    let unsigned = SignedDirectory::unsigned(&with(next).unwrap()).unwrap();
    assert!(matches!(
        Held::judge(unsigned, &officers(1, 1), Some(&first), NOW),
        Err(NotTaken::Invalid(InvalidDirectory::TooFew { .. }))
    ));
}

#[test]
fn a_surge_ends_by_itself() {
    let directory = directory(sample());
    let visits =
        |number, millis| directory.visits(institution_id(number), NOW.plus_millis(millis)).map(DailyVisits::get);
    assert_eq!(visits(31, SURGE_MAX_MILLIS - 1), Some(400));
    assert_eq!(visits(31, SURGE_MAX_MILLIS), Some(40));
    assert_eq!([visits(32, 0), visits(99, 0)], [Some(40), None]);
}

#[test]
fn every_kind_reads_back_and_only_a_portal_serves_patients_themselves() {
    for kind in InstitutionKind::EVERY {
        assert_eq!(InstitutionKind::from_raw(u32::from(kind as u8)), Some(kind));
        assert_eq!(kind.allows(Purpose::Own) != Scope::NONE, kind == InstitutionKind::Portal, "{kind:?}");
        for purpose in [Purpose::Repair, Purpose::Report] {
            assert_eq!(kind.allows(purpose), Scope::NONE, "{kind:?}");
        }
        assert!(!kind.allows(Purpose::Care).allows(Scope::RULES), "{kind:?}");
    }
    for kind in [InstitutionKind::Insurer, InstitutionKind::Supplier] {
        let reads = |purpose| kind.allows(purpose).allows(Scope::READ);
        assert!(![Purpose::Care, Purpose::Emergency, Purpose::Own].into_iter().any(reads), "{kind:?}");
    }
    assert_eq!([0, 8, 257].map(InstitutionKind::from_raw), [None; 3]);
}

#[test]
fn format_one_stays_readable() {
    // Made by the first build that wrote this format.
    let bytes = include_bytes!("../../tests/fixtures/directory-v1.bin");
    let directory = directory(sample());
    assert_eq!(signed_by(&directory, [1, 2]).as_bytes()[..], bytes[..]);
    assert_eq!(SignedDirectory::from_bytes(Bytes::from_static(bytes)).verify(&officers(2, 3)), Ok(directory));
}
