//! Patients by ticket: opened ahead or on the way, for the ticket's own institution, and only for documents about its patient.

use bytes::Bytes;
use renkei_access::{
    Actor, ConsentCategory, ConsentSet, DailyVisits, Evidence, LicensedRole, Login, Party, Purpose, SignedTicket,
    StatementKey,
};
use renkei_envelope::{Attribute, CellKey, Commitment, Commitments};
use renkei_ids::{CellId, Clock as _, InstitutionId, UnixMinute};
use renkei_launch::{StandIn, SystemClock, SystemRandom, TicketOrder, certificate_key, every_category};
use renkei_runtime::Role;
use renkei_wire::directory::PublishRequest;
use renkei_wire::pb::directory::v1 as directory_pb;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::record::OpenTicketsReply;
use renkei_wire::{DirectoryServiceClient, ErrorCode, Refusal};

use crate::world::{
    CLOUD, Client, World, channel, chunks, get_as, put_once, refusal, timeline, tls, until, vaccination,
};

const CELL: CellId = CellId::from_bytes([0xCE; 16]);

/// A hospital of the directory, and somebody who acts for it.
struct Hospital {
    id: InstitutionId,
    client: Client,
    signing: StatementKey,
}

struct Scene {
    world: World,
    national: StandIn,
    key: CellKey,
    a: Hospital,
    b: Hospital,
}

impl Scene {
    async fn new() -> Self {
        let mut national = None;
        let world = World::prepared(1, 1, |certs| {
            let made = StandIn::start(certs, CLOUD, SystemClock::new().now()).unwrap();
            let set = (vec![made.directory_setting()], made.vault_settings());
            national = Some(made);
            set
        })
        .await;
        let national = national.unwrap();
        let cell = world.processes.gateway_cell(CELL).unwrap();
        let key = cell.key;
        national.name_cells(&[cell]);
        let hospital = |name: &str, seed: u8| {
            let files = world.processes.issue(Role::Institution, name).unwrap();
            let signing = StatementKey::from_seed(&[seed; 32]);
            let keys = (certificate_key(&files.certificate).unwrap(), &[signing.verifying_key()][..]);
            let id = national.enrol(name, keys, CELL, DailyVisits::new(3_000).unwrap());
            Hospital { id, client: world.client_of(&tls(&files)), signing }
        };
        let (a, b) = (hospital("hospital-a", 1), hospital("hospital-b", 2));
        let scene = Self { world, national, key, a, b };
        scene.publish().await;
        let probe = scene.ticket(&scene.a, 99);
        until(async || scene.open(&scene.a, std::slice::from_ref(&probe)).await.ok()?.pop()?.ok()).await;
        scene
    }

    async fn publish(&self) {
        let directory = PublishRequest(self.national.directory());
        let at = self.world.processes.vault_address().unwrap().to_string();
        until(async || {
            let mut client = DirectoryServiceClient::new(channel(&self.world.operator, &at, Role::Vault));
            client.publish(directory_pb::PublishRequest::from(directory.clone())).await.ok()
        })
        .await;
    }

    fn order(&self, at: &Hospital, person: u64) -> TicketOrder {
        let now = UnixMinute::of(SystemClock::new().now());
        let commit = |attribute, value| Some(Commitment::new(attribute, value, &SystemRandom));
        TicketOrder {
            person,
            institution: at.id,
            home_cell: CELL,
            serving_cell: CELL,
            cell_key: self.key,
            cloud: CLOUD,
            purpose: Purpose::Care,
            categories: every_category(),
            evidence: Evidence::Card,
            issued: now,
            expires: now.plus(10),
            commitments: Commitments {
                birth_date: commit(Attribute::BirthDate, "1970-01-01"),
                sex: commit(Attribute::Sex, "female"),
                member_id: None,
            },
        }
    }

    fn ticket(&self, at: &Hospital, person: u64) -> SignedTicket {
        self.national.mint(&self.order(at, person))
    }

    async fn open(&self, by: &Hospital, tickets: &[SignedTicket]) -> Result<Vec<Result<(), Refusal>>, Refusal> {
        let tickets = tickets.iter().map(|ticket| ticket.as_bytes().clone()).collect();
        let reply = by.client.clone().open_tickets(pb::OpenTicketsRequest { tickets }).await;
        let OpenTicketsReply(statuses) = reply.map_err(|status| refusal(&status))?.into_inner().try_into().unwrap();
        Ok(statuses)
    }

    async fn put(&self, by: &Hospital, ticket: &SignedTicket, key: &str, document: &str) -> Result<Bytes, Refusal> {
        let head = pb::PutHead {
            patient: patient(ticket),
            actor: by.actor(),
            idempotency_key: Bytes::copy_from_slice(key.as_bytes()),
            document_bytes: document.len() as u64,
        };
        let stored = until(async || match put_once(&mut by.client.clone(), head.clone(), chunks(document)).await {
            Err(refusal) if refusal.retry_after.is_some() => None,
            outcome => Some(outcome),
        });
        stored.await.map(|stored| stored.reference)
    }

    async fn seen(&self, by: &Hospital, ticket: &SignedTicket, kinds: Vec<i32>) -> Result<usize, Refusal> {
        let actor = by.actor();
        let query =
            pb::QueryTimelineRequest { patient: patient(ticket), actor, kinds, page_entries: 9, ..Default::default() };
        timeline(&mut by.client.clone(), query).await.map(|(entries, _)| entries.len())
    }
}

impl Hospital {
    fn actor(&self) -> Option<pb::Actor> {
        let now = UnixMinute::of(SystemClock::new().now());
        let actor = Actor {
            audience: CLOUD,
            institution: self.id,
            name: "dr-1".to_owned(),
            role: LicensedRole::Physician,
            login: Login::StepUp,
            session: [3; 16],
            response_key: None,
            issued: now,
            expires: now.plus(30),
        };
        let signed = actor.sign(&self.signing).unwrap().as_bytes().clone();
        Some(pb::Actor { signed, ..pb::Actor::default() })
    }
}

fn patient(ticket: &SignedTicket) -> Option<pb::Patient> {
    Some(pb::Patient { opened_by: Some(pb::patient::OpenedBy::Ticket(ticket.as_bytes().clone())) })
}

/// A vaccination that says whose it is.
fn of(birth_date: &str, gender: &str) -> String {
    let contained = format!(
        r##","contained":[{{"resourceType":"Patient","id":"1","birthDate":"{birth_date}","gender":"{gender}"}}],"patient":{{"reference":"#1"}}"##
    );
    vaccination("2026-03-05", "one").replace(r#","patient":{"reference":"Patient/1"}"#, &contained)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_opens_its_patient_for_its_institution_ahead_and_on_the_way() {
    let scene = Scene::new().await;
    let ticket = scene.ticket(&scene.a, 1);
    // On the way: nothing was opened before.
    let document = of("1970-01-01", "female");
    let reference = scene.put(&scene.a, &ticket, "k1", &document).await.unwrap();
    let read = get_as(&mut scene.a.client.clone(), patient(&ticket), scene.a.actor(), &reference, 0).await.unwrap();
    assert_eq!(read, document.as_bytes());
    // Ahead: another visit of the same person, at the other hospital, and somebody else's.
    let (other, stranger) = (scene.ticket(&scene.b, 1), scene.ticket(&scene.b, 2));
    let expired = scene.national.mint(&TicketOrder {
        issued: UnixMinute(scene.order(&scene.b, 1).issued.0 - 20),
        expires: UnixMinute(scene.order(&scene.b, 1).issued.0 - 10),
        ..scene.order(&scene.b, 1)
    });
    let statuses = scene.open(&scene.b, &[other.clone(), ticket.clone(), expired, stranger.clone()]).await.unwrap();
    let codes: Vec<_> = statuses.iter().map(|status| status.as_ref().err().map(|refusal| refusal.code)).collect();
    let expected = [None, Some(ErrorCode::TicketOtherInstitution), Some(ErrorCode::TicketExpired), None];
    assert_eq!(codes, expected);
    assert_eq!(scene.seen(&scene.b, &other, vec![]).await.unwrap(), 1, "the same patient");
    assert_eq!(scene.seen(&scene.b, &stranger, vec![]).await.unwrap(), 0);
    // A stolen ticket serves nobody else, whatever is asked with it.
    let stolen = scene.seen(&scene.b, &ticket, vec![]).await.unwrap_err();
    assert_eq!(stolen.code, ErrorCode::TicketOtherInstitution);
    let mut forged = other.as_bytes().to_vec();
    forged[60] ^= 1;
    let forged = SignedTicket::from_bytes(forged.into());
    assert_eq!(scene.seen(&scene.b, &forged, vec![]).await.unwrap_err().code, ErrorCode::TicketInvalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_about_somebody_else_is_refused_and_consent_bounds_what_is_read() {
    let scene = Scene::new().await;
    let ticket = scene.ticket(&scene.a, 1);
    for (document, field) in
        [(of("1970-01-02", "female"), "patient.birth_date"), (of("1970-01-01", "male"), "patient.sex")]
    {
        let refusal = scene.put(&scene.a, &ticket, "k", &document).await.unwrap_err();
        let told = (refusal.code, refusal.field.as_ref().map(|field| field.as_str()));
        assert_eq!(told, (ErrorCode::PatientMismatch, Some(field)));
    }
    assert_eq!(scene.seen(&scene.a, &ticket, vec![]).await.unwrap(), 0, "none of it was stored");
    scene.put(&scene.a, &ticket, "k", &of("1970-01-01", "female")).await.unwrap();
    // A single resource that says nothing is taken under the ticket alone.
    scene.put(&scene.a, &ticket, "k2", &vaccination("2026-03-06", "two")).await.unwrap();

    let drugs = ConsentSet::NONE.with(ConsentCategory::CareAndDrugs).unwrap();
    let drugs = scene.national.mint(&TicketOrder { categories: drugs, ..scene.order(&scene.a, 1) });
    assert_eq!(scene.seen(&scene.a, &drugs, vec![]).await.unwrap(), 0, "vaccinations were not consented to");
    scene.put(&scene.a, &drugs, "k3", &vaccination("2026-03-07", "three")).await.unwrap();
    assert_eq!(scene.seen(&scene.a, &ticket, vec![]).await.unwrap(), 3);
    let member_id =
        TicketOrder { evidence: Evidence::MemberId, categories: ConsentSet::NONE, ..scene.order(&scene.a, 1) };
    let member_id = scene.national.mint(&member_id);
    scene.put(&scene.a, &member_id, "k4", &vaccination("2026-03-08", "four")).await.unwrap();
    assert!(scene.seen(&scene.a, &member_id, vec![]).await.is_err(), "a member id writes, and reads nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_institution_is_served_no_more_even_what_it_has_open() {
    let scene = Scene::new().await;
    let ticket = scene.ticket(&scene.a, 1);
    assert_eq!(scene.seen(&scene.a, &ticket, vec![]).await.unwrap(), 0);
    scene.national.deny(Party::Institution(scene.a.id), true);
    scene.publish().await;
    let denied = std::time::Instant::now();
    let refusal = until(async || scene.seen(&scene.a, &ticket, vec![]).await.err()).await;
    assert_eq!(refusal.code, ErrorCode::InstitutionDenied);
    assert!(denied.elapsed() < std::time::Duration::from_secs(5), "{:?}", denied.elapsed());
}
