//! Random visits: whatever is checked in, presented, denied or set wrong, nothing is opened without a live ticket of the right
//! institution through the right cell.

use std::sync::LazyLock;

use proptest::prelude::*;
use renkei_access::{Evidence, Held, Party, Period, Purpose, Scope, SignedTicket};
use renkei_envelope::{CellSecret, Class, Commitments};
use renkei_ids::{Clock as _, KeyholderId, UnixMinute};
use renkei_launch::{Authority, CellEntry, StandIn, SystemClock, SystemRandom, TicketOrder, every_category};
use renkei_wire::ErrorCode;

use super::*;

const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
const MINUTE: u64 = 60_000;

fn cell(number: u8) -> CellId {
    CellId::from_bytes([number; 16])
}

fn gateway(number: u8) -> KeyHash {
    KeyHash::from_bytes([number; 32])
}

/// The national side, and the ids of two institutions of cell 0 and one of cell 1.
struct Land {
    national: StandIn,
    institutions: [InstitutionId; 3],
    key: CellSecret,
    /// When it began: a whole minute.
    began: UnixMinute,
}

/// Its directory is changed by one test only.
static LAND: LazyLock<Land> = LazyLock::new(land);

fn land() -> Land {
    let dir = tempfile::tempdir().unwrap();
    let now = SystemClock::new().now();
    Authority::development(dir.path(), now).unwrap();
    let national = StandIn::start(dir.path(), CLOUD, now).unwrap();
    let key = CellSecret::random(&SystemRandom);
    let entry = |number| CellEntry { id: cell(number), gateways: vec![gateway(number)], key: key.public() };
    national.name_cells(&[entry(0), entry(1)]);
    let visits = renkei_access::DailyVisits::new(100).unwrap();
    let enrol = |name, number, home| national.enrol(name, (KeyHash::from_bytes([number; 32]), &[]), cell(home), visits);
    let institutions = [enrol("a", 10, 0), enrol("b", 11, 0), enrol("c", 12, 1)];
    Land { national, institutions, key, began: UnixMinute::of(now) }
}

impl Land {
    fn home(&self, institution: usize) -> u8 {
        u8::from(institution == 2)
    }

    fn order(&self, (person, institution, minutes): (u64, usize, u32), issued: UnixMinute) -> TicketOrder {
        let home = cell(self.home(institution));
        TicketOrder {
            person,
            institution: self.institutions[institution],
            home_cell: home,
            serving_cell: home,
            cell_key: self.key.public(),
            cloud: CLOUD,
            purpose: Purpose::Care,
            categories: every_category(),
            evidence: Evidence::Card,
            issued,
            expires: issued.plus(minutes),
            commitments: Commitments::default(),
        }
    }

    fn opening(&self, ticket: &SignedTicket, institution: usize, home: u8) -> TicketOpening {
        TicketOpening {
            ticket: ticket.clone(),
            institution: self.institutions[institution],
            home_cell: cell(home),
            reads: Class::every().collect(),
            period: Period::ALL,
            scope: Scope::READ,
        }
    }

    fn keys(&self, day: UnixDay) -> Result<DayKeys, Refusal> {
        let (registrar, holders) = self.national.ticket_keys(day);
        Ok(DayKeys { registrar, holders })
    }

    fn judge(&self, asked: &TicketOpening, desk: &Desk<'_>) -> Result<Judged, NotOpened> {
        judge(asked, desk, |day| self.keys(day))
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A person at an institution, for some minutes, by a registrar whose clock is off by so much.
    CheckIn {
        person: u64,
        institution: usize,
        minutes: u32,
        skew_minutes: i64,
    },
    /// A ticket, some of its bytes spoilt, by an institution through two cells, by a clock that is off.
    Open {
        ticket: prop::sample::Index,
        by: usize,
        home: u8,
        serving: u8,
        spoilt: Option<prop::sample::Index>,
        skew_seconds: i64,
    },
    Deny {
        institution: Option<usize>,
        cell: u8,
        denied: bool,
    },
    Pass {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let check_in =
        (0..3_u64, 0..3_usize, 1..=60_u32, -3..=3_i64).prop_map(|(person, institution, minutes, skew_minutes)| {
            Step::CheckIn { person, institution, minutes, skew_minutes }
        });
    let index = any::<prop::sample::Index>;
    let open = (index(), 0..3_usize, 0..2_u8, 0..2_u8, prop::option::weighted(0.1, index()), -90..90_i64).prop_map(
        |(ticket, by, home, serving, spoilt, skew_seconds)| Step::Open {
            ticket,
            by,
            home,
            serving,
            spoilt,
            skew_seconds,
        },
    );
    let deny = (prop::option::of(0..3_usize), 0..2_u8, any::<bool>())
        .prop_map(|(institution, cell, denied)| Step::Deny { institution, cell, denied });
    prop_oneof![3 => check_in, 8 => open, 1 => deny, 2 => (1..900_u64).prop_map(|seconds| Step::Pass { seconds })]
}

/// A ticket as it was ordered, and who is denied: the rules said once more, plainly.
struct Model {
    tickets: Vec<(TicketOrder, u64, SignedTicket)>,
    denied: std::collections::BTreeSet<Party>,
    now: u64,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_opens_without_a_live_ticket_of_the_right_institution_through_the_right_cell(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let land = &*LAND;
        let mut model = Model { tickets: Vec::new(), denied: Default::default(), now: land.began.begins().0 + 10 * MINUTE };
        let mut pseudonyms = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::CheckIn { person, institution, minutes, skew_minutes } => {
                    let clock = UnixMillis(model.now.saturating_add_signed(skew_minutes * 60_000));
                    let order = land.order((person, institution, minutes), UnixMinute::of(clock));
                    let ticket = land.national.mint(&order);
                    model.tickets.push((order, person, ticket));
                }
                Step::Deny { institution, cell: number, denied } => {
                    let party = institution.map_or(Party::Cell(cell(number)), |at| Party::Institution(land.institutions[at]));
                    if denied { model.denied.insert(party); } else { model.denied.remove(&party); }
                }
                Step::Pass { seconds } => model.now += 1_000 * seconds,
                Step::Open { ticket, by, home, serving, spoilt, skew_seconds } => {
                    let Some(at) = (!model.tickets.is_empty()).then(|| ticket.index(model.tickets.len())) else { continue };
                    let (order, person, signed) = &model.tickets[at];
                    let mut bytes = signed.as_bytes().to_vec();
                    if let Some(spoilt) = spoilt {
                        let at = spoilt.index(bytes.len());
                        bytes[at] ^= 0x40;
                    }
                    land.national.amend(|entries| {
                        entries.denied = model.denied.iter().copied().collect();
                        entries.deny_epoch.0 += 1;
                    });
                    let held = Held::read_back(land.national.directory()).unwrap();
                    let now = UnixMillis(model.now.saturating_add_signed(skew_seconds * 1_000));
                    let desk = Desk { cloud: CLOUD, gateway: gateway(serving), directory: held.directory(), now };
                    let asked = land.opening(&SignedTicket::from_bytes(bytes.into()), by, home);
                    let live = order.issued.begins().0 <= now.0 + MINUTE && now < order.expires.begins();
                    let right = order.institution == land.institutions[by]
                        && order.home_cell == cell(home)
                        && order.serving_cell == cell(serving);
                    let parties = [Party::Institution(order.institution), Party::Cell(cell(home)), Party::Cell(cell(serving))];
                    let denied = parties.iter().any(|party| model.denied.contains(party));
                    let expected = live && right && !denied && spoilt.is_none();
                    match land.judge(&asked, &desk) {
                        Ok(judged) => {
                            prop_assert!(expected, "opened at {now:?}: {order:?}");
                            let pseudonym = *judged.pseudonym.expose();
                            prop_assert_eq!(*pseudonyms.entry(*person).or_insert(pseudonym), pseudonym);
                        }
                        Err(_) => prop_assert!(!expected, "refused at {now:?}: {order:?}"),
                    }
                }
            }
        }
        let different: std::collections::BTreeSet<_> = pseudonyms.values().collect();
        prop_assert_eq!(different.len(), pseudonyms.len(), "each person has a pseudonym of their own");
    }
}

fn reason(outcome: Result<Judged, NotOpened>) -> Option<Reason> {
    match outcome {
        Ok(_) => None,
        Err(NotOpened::Refused(reason, _)) => Some(reason),
        Err(NotOpened::Unable(refusal)) => panic!("{refusal}"),
    }
}

#[test]
fn it_opens_until_its_end_and_no_millisecond_longer() {
    let land = &land();
    let issued = land.began.plus(10);
    let ticket = land.national.mint(&land.order((1, 0, 10), issued));
    let held = Held::read_back(land.national.directory()).unwrap();
    let at = |millis: i64| {
        let now = UnixMillis(issued.begins().0.saturating_add_signed(millis));
        let desk = Desk { cloud: CLOUD, gateway: gateway(0), directory: held.directory(), now };
        reason(land.judge(&land.opening(&ticket, 0, 0), &desk))
    };
    assert_eq!(at(-60_001), Some(Reason::NotYetValid));
    assert_eq!([at(-60_000), at(0), at(599_999)], [None; 3]);
    assert_eq!([at(600_000), at(601_000)], [Some(Reason::Expired); 2], "one second past the end");
}

#[test]
fn a_share_of_too_few_or_another_key_holder_opens_nobody() {
    let land = &land();
    let issued = land.began.plus(10);
    let ticket = land.national.mint(&land.order((1, 0, 10), issued));
    let held = Held::read_back(land.national.directory()).unwrap();
    let desk = Desk { cloud: CLOUD, gateway: gateway(0), directory: held.directory(), now: issued.begins() };
    let asked = land.opening(&ticket, 0, 0);
    let with = |change: fn(&mut DayKeys)| {
        let mut keys = land.keys(issued.day()).unwrap();
        change(&mut keys);
        reason(judge(&asked, &desk, |_| Ok(keys)))
    };
    assert_eq!(with(|_| {}), None);
    assert_eq!(
        with(|keys| {
            keys.holders.remove(&KeyholderId(2));
        }),
        Some(Reason::Sealed),
        "a share too many"
    );
    assert_eq!(
        with(|keys| {
            let key = keys.registrar.clone();
            keys.holders.insert(KeyholderId(3), key);
        }),
        Some(Reason::Sealed)
    );
    assert_eq!(
        with(|keys| {
            let key = keys.holders[&KeyholderId(1)].clone();
            keys.holders.insert(KeyholderId(2), key);
        }),
        Some(Reason::Sealed)
    );
    assert_eq!(with(|keys| keys.registrar = keys.holders[&KeyholderId(1)].clone()), Some(Reason::Sealed));
    let missing = judge(&asked, &desk, |_| Err(Refusal::new(ErrorCode::TicketKeysMissing)));
    assert!(matches!(missing, Err(NotOpened::Unable(refusal)) if refusal.code == ErrorCode::TicketKeysMissing));
}
