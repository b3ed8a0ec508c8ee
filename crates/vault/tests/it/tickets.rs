//! Opening the patients of tickets.

use std::time::Duration;

use renkei_access::{ConsentCategory, ConsentSet, DailyVisits, Evidence, Party, Period, Purpose, Scope, SignedTicket};
use renkei_envelope::{Category, CellSecret, Class, Commitments};
use renkei_ids::{CellId, Clock, CloudId, InstitutionId, KeyHash, KeyholderId, PseudonymEpoch, UnixMinute};
use renkei_launch::{CellEntry, Role, SystemClock, SystemRandom, TicketOrder, every_category};
use renkei_runtime::Tls;
use renkei_wire::vault::{Opened, PutItem, TicketOpening};
use renkei_wire::{ErrorCode, Refusal};

use crate::openings::constant;
use crate::world::{CLOUD, World, files, month, until};

const CELL: CellId = CellId::from_bytes([0xCE; 16]);
const OTHER_CELL: CellId = CellId::from_bytes([0xCF; 16]);

/// A vault with a directory of two cells and two institutions, and its ticket keys.
struct Scene {
    world: World,
    /// Through the other cell.
    other_gateway: Tls,
    institution: InstitutionId,
    other: InstitutionId,
    cell: CellSecret,
}

impl Scene {
    async fn new(replicas: u32, visits: u32) -> Self {
        let mut world = World::unfounded(replicas, &[]);
        world.processes.start_vault().unwrap();
        Self::of(world, visits).await
    }

    async fn of(world: World, visits: u32) -> Self {
        let (cell, other_gateway) = (CellSecret::random(&SystemRandom), world.identity(Role::Gateway, "two"));
        let entry = |id, tls: &Tls| CellEntry { id, gateways: vec![tls.identity().key_hash], key: cell.public() };
        world.national.name_cells(&[entry(CELL, &world.gateway), entry(OTHER_CELL, &other_gateway)]);
        let visits = DailyVisits::new(visits).unwrap();
        let enrol = |name, key| world.national.enrol(name, (KeyHash::from_bytes([key; 32]), &[]), CELL, visits);
        let (institution, other) = (enrol("hospital-a", 1), enrol("hospital-b", 2));
        world.publish().await;
        let scene = Self { world, other_gateway, institution, other, cell };
        let probe = scene.asking(&scene.ticket(99));
        until(async || scene.open(probe.clone()).await.ok()).await;
        scene
    }

    fn order(&self, person: u64) -> TicketOrder {
        let now = UnixMinute::of(SystemClock::new().now());
        TicketOrder {
            person,
            institution: self.institution,
            home_cell: CELL,
            serving_cell: CELL,
            cell_key: self.cell.public(),
            cloud: CLOUD,
            purpose: Purpose::Care,
            categories: every_category(),
            evidence: Evidence::Card,
            issued: now,
            expires: now.plus(10),
            commitments: Commitments::default(),
        }
    }

    fn ticket(&self, person: u64) -> SignedTicket {
        self.world.national.mint(&self.order(person))
    }

    /// Every class, five years, and everything that a card allows.
    fn asking(&self, ticket: &SignedTicket) -> TicketOpening {
        TicketOpening {
            ticket: ticket.clone(),
            institution: self.institution,
            home_cell: CELL,
            reads: Class::every().collect(),
            period: Period { from: month(2022, 1), to: month(2026, 12) },
            scope: Scope::READ.with(Scope::WRITE).with(Scope::DELETE).with(Scope::AUDIT),
        }
    }

    async fn open(&self, item: TicketOpening) -> Result<Opened, Refusal> {
        self.world.open_tickets(&self.world.gateway, vec![item]).await?.pop().unwrap()
    }

    async fn refused(&self, item: TicketOpening) -> ErrorCode {
        self.open(item).await.err().unwrap().code
    }

    /// The code that a ticket of a changed order is refused with.
    async fn refused_ticket(&self, change: impl FnOnce(&mut TicketOrder)) -> ErrorCode {
        let mut order = self.order(1);
        change(&mut order);
        self.refused(self.asking(&self.world.national.mint(&order))).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_stolen_replayed_or_spoilt_ticket_is_refused_by_its_own_code() {
    let scene = Scene::new(1, 3_000).await;
    let good = scene.asking(&scene.ticket(1));
    assert!(scene.open(good.clone()).await.is_ok());
    // By whom it is presented: another institution, through another cell, to the vault by another cell.
    let stolen = TicketOpening { institution: scene.other, ..good.clone() };
    assert_eq!(scene.refused(stolen).await, ErrorCode::TicketOtherInstitution);
    let elsewhere = TicketOpening { home_cell: OTHER_CELL, ..good.clone() };
    assert_eq!(scene.refused(elsewhere).await, ErrorCode::TicketOtherHomeCell);
    let replayed = scene.world.open_tickets(&scene.other_gateway, vec![good.clone()]).await.unwrap().pop().unwrap();
    assert_eq!(replayed.err().unwrap().code, ErrorCode::TicketOtherCell);
    let unknown = scene.world.identity(Role::Gateway, "three");
    let replayed = scene.world.open_tickets(&unknown, vec![good.clone()]).await.unwrap().pop().unwrap();
    assert_eq!(replayed.err().unwrap().code, ErrorCode::TicketOtherCell, "a gateway that the directory does not name");
    // For what and when it was made.
    let other_cloud = CloudId::from_bytes([9; 16]);
    assert_eq!(scene.refused_ticket(|order| order.cloud = other_cloud).await, ErrorCode::TicketOtherCloud);
    let now = UnixMinute::of(SystemClock::new().now());
    let expired = |order: &mut TicketOrder| (order.issued, order.expires) = (UnixMinute(now.0 - 10), now);
    assert_eq!(scene.refused_ticket(expired).await, ErrorCode::TicketExpired);
    let ahead = |order: &mut TicketOrder| (order.issued, order.expires) = (now.plus(3), now.plus(10));
    assert_eq!(scene.refused_ticket(ahead).await, ErrorCode::TicketNotYetValid);
    // What it allows.
    let drugs = ConsentSet::NONE.with(ConsentCategory::CareAndDrugs).unwrap();
    assert_eq!(scene.refused_ticket(|order| order.categories = drugs).await, ErrorCode::TicketCategory);
    let member_id = |order: &mut TicketOrder| order.evidence = Evidence::MemberId;
    assert_eq!(scene.refused_ticket(member_id).await, ErrorCode::EvidenceInsufficient);
    // What it is.
    let mut bytes = good.ticket.as_bytes().to_vec();
    bytes[100] ^= 1;
    let tampered = TicketOpening { ticket: SignedTicket::from_bytes(bytes.into()), ..good.clone() };
    assert_eq!(scene.refused(tampered).await, ErrorCode::TicketInvalid);
    let stranger = InstitutionId::from_bytes([7; 16]);
    let of_stranger = scene.world.national.mint(&TicketOrder { institution: stranger, ..scene.order(1) });
    let of_stranger = TicketOpening { institution: stranger, ..scene.asking(&of_stranger) };
    assert_eq!(scene.refused(of_stranger).await, ErrorCode::InstitutionNotEnrolled);
    assert!(scene.open(good).await.is_ok(), "none of it has spoilt the ticket itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_and_a_new_epoch_take_effect_with_the_directory() {
    let scene = Scene::new(1, 3_000).await;
    let good = scene.asking(&scene.ticket(1));
    for party in [Party::Institution(scene.institution), Party::Cell(CELL), Party::Cloud(CLOUD)] {
        let opened = scene.open(good.clone()).await.unwrap();
        let put = PutItem {
            opening: opened.opening,
            category: Category::Prescription,
            month: month(2025, 3),
            replaces: None,
        };
        assert!(scene.world.put(put.clone()).await.is_ok());
        scene.world.national.deny(party, true);
        scene.world.publish().await;
        assert_eq!(scene.refused(good.clone()).await, ErrorCode::InstitutionDenied, "{party:?}");
        let refused = scene.world.put(put).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::InstitutionDenied, "what was open before: {party:?}");
        scene.world.national.deny(party, false);
        scene.world.publish().await;
    }
    scene.world.national.amend(|entries| entries.clouds[0].epoch = PseudonymEpoch(2));
    scene.world.publish().await;
    assert_eq!(scene.refused(good).await, ErrorCode::TicketOtherEpoch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unknown_and_the_known_are_answered_alike_and_racing_tickets_make_one_patient() {
    let scene = Scene::new(1, 3_000).await;
    let (first, again) = (scene.asking(&scene.ticket(1)), scene.asking(&scene.ticket(1)));
    let unknown = scene.open(first).await.unwrap();
    let known = scene.open(again).await.unwrap();
    assert!(constant(&unknown) == constant(&known), "one person's tickets lead to one patient");
    let shape =
        |opened: &Opened| opened.classes.iter().map(|grant| (grant.class, grant.keys.len())).collect::<Vec<_>>();
    let stranger = scene.open(scene.asking(&scene.ticket(2))).await.unwrap();
    assert_eq!((shape(&stranger), stranger.opening.len()), (shape(&known), known.opening.len()));
    assert!(stranger.pid != known.pid);

    let racing = (0..8).map(|_| {
        let two = vec![scene.asking(&scene.ticket(3)), scene.asking(&scene.ticket(3))];
        scene.world.open_tickets(&scene.world.gateway, two)
    });
    let mut pids = Vec::new();
    for opened in futures::future::join_all(racing).await {
        pids.extend(opened.unwrap().into_iter().map(|opened| opened.unwrap().pid));
    }
    assert_eq!(pids.len(), 16);
    assert!(pids.iter().all(|pid| *pid == pids[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opening_ends_with_its_ticket_and_reads_what_was_consented_to() {
    let scene = Scene::new(1, 3_000).await;
    let now = UnixMinute::of(SystemClock::new().now());
    let drugs = ConsentSet::NONE.with(ConsentCategory::CareAndDrugs).unwrap();
    let order = TicketOrder { expires: now.plus(2), categories: drugs, ..scene.order(1) };
    let ticket = scene.world.national.mint(&order);
    let prescriptions = || Class::every().filter(|class| class.category == renkei_envelope::Category::Prescription);
    let asked = TicketOpening { reads: prescriptions().collect(), ..scene.asking(&ticket) };
    let opened = scene.open(asked).await.unwrap();
    assert_eq!(opened.expires, now.plus(2).begins());
    let readable = opened.classes.iter().filter(|grant| !grant.keys.is_empty()).map(|grant| grant.class);
    assert!(readable.eq(prescriptions()), "what is written may be of every class, what is read only of these");
    assert_eq!(opened.classes.len(), Class::COUNT);
    assert_eq!(scene.world.verified(&opened.capability).classes.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_one_patient_too_many_is_locked_whoever_leads() {
    // The smallest institution: 20 patients in a minute.
    let mut scene = Scene::new(3, 1).await;
    let first = scene.ticket(1);
    let tickets: Vec<_> =
        [first.clone(), first].into_iter().chain((2..30).map(|person| scene.ticket(person))).collect();
    let items = tickets.iter().map(|ticket| scene.asking(ticket)).collect();
    let results = scene.world.open_tickets(&scene.world.gateway, items).await.unwrap();
    // One that was opened when the scene was set, or in the minute before.
    let opened = results.iter().take_while(|result| result.is_ok()).count();
    assert!((20..=21).contains(&opened), "one ticket twice is one patient: {opened}");
    for refused in &results[opened..] {
        let refusal = refused.as_ref().err().unwrap();
        assert_eq!(refusal.code, ErrorCode::InstitutionLocked);
        assert!(refusal.retry_after.unwrap() > Duration::from_secs(800), "{refusal:?}");
    }
    let leader = scene.world.leader().await;
    let log = std::fs::read_to_string(scene.world.log(leader)).unwrap();
    assert_eq!(log.matches("ALARM: an institution opened more patients than its size allows").count(), 1);

    scene.world.processes.vault_replica(leader).unwrap().kill().unwrap();
    let known = scene.asking(&tickets[0]);
    let after = until(async || {
        let refusal = scene.open(known.clone()).await.err()?;
        (refusal.code != ErrorCode::TicketKeysMissing).then_some(refusal.code)
    })
    .await;
    assert_eq!(after, ErrorCode::InstitutionLocked);
    // Its other visits go on.
    let other = TicketOrder { evidence: Evidence::InsurerToken, ..scene.order(1) };
    assert!(scene.open(scene.asking(&scene.world.national.mint(&other))).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ticket_keys_are_in_memory_only_and_fetched_again() {
    let mut scene = Scene::new(1, 3_000).await;
    let item = scene.asking(&scene.ticket(1));
    let before = scene.open(item.clone()).await.unwrap();
    scene.world.processes.vault().unwrap().kill().unwrap();
    // Nothing of what opens a ticket is left on the disk.
    let today = UnixMinute::of(SystemClock::new().now()).day();
    let (registrar, holders) = scene.world.national.ticket_keys(today);
    let mut pid_seen = false;
    for path in files(&scene.world.data(1)) {
        let bytes = std::fs::read(&path).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        for key in holders.values().chain([&registrar]) {
            let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(!holds(key.expose()) && !holds(hex.as_bytes()), "a ticket key in {}", path.display());
        }
        assert!(!holds(item.ticket.as_bytes()), "a ticket in {}", path.display());
        pid_seen |= holds(before.pid.as_bytes());
    }
    assert!(pid_seen, "the search finds what is there");
    scene.world.processes.start_vault().unwrap();
    let after = until(async || scene.open(item.clone()).await.ok()).await;
    assert!(constant(&after) == constant(&before));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_key_holder_is_away_tickets_are_refused_with_a_wait_and_then_open() {
    let mut scene = Scene::new(1, 3_000).await;
    scene.world.national.holder_is_away(KeyholderId(2), true);
    scene.world.restart(false);
    let item = scene.asking(&scene.ticket(1));
    let refusal =
        until(async || scene.open(item.clone()).await.err().filter(|it| it.code != ErrorCode::ClockOff)).await;
    assert_eq!(refusal.code, ErrorCode::TicketKeysMissing);
    assert!(matches!(refusal.code.retry(), renkei_wire::Retry::After(_)));
    scene.world.national.holder_is_away(KeyholderId(2), false);
    until(async || scene.open(item.clone()).await.ok()).await;
}
