//! Whom the directory names is served, by whom the institution signs for, and nobody else.

use std::time::{Duration, Instant};

use bytes::Bytes;
use renkei_access::{Actor, DailyVisits, LicensedRole, Login, Party, StatementKey};
use renkei_ids::{CellId, Clock as _, CloudId, InstitutionId, UnixMinute};
use renkei_launch::{StandIn, SystemClock};
use renkei_runtime::Role;
use renkei_wire::directory::PublishRequest;
use renkei_wire::pb::directory::v1 as directory_pb;
use renkei_wire::pb::record::v1 as pb;
use renkei_wire::{DirectoryServiceClient, ErrorCode, Refusal};

use crate::world::{
    CLOUD, Client, World, actor, channel, chunks, head, patient, put_once, query, refusal, timeline, tls, until,
    vaccination,
};

const CELL: CellId = CellId::from_bytes([0xCE; 16]);
const SOON: Duration = Duration::from_secs(5);

/// A cloud whose gateway goes by the directory of a stand-in's officer.
struct Directed {
    world: World,
    national: StandIn,
    clinic: InstitutionId,
    client: Client,
}

fn clinic_key() -> StatementKey {
    StatementKey::from_seed(&[0xC1; 32])
}

impl Directed {
    async fn new() -> Self {
        let mut national = None;
        let world = World::prepared(1, 1, |certs| {
            let made = StandIn::start(certs, CLOUD, SystemClock::new().now()).unwrap();
            let set = vec![made.directory_setting()];
            national = Some(made);
            (set.clone(), set)
        })
        .await;
        let national = national.unwrap();
        national.name_cells(&[world.processes.gateway_cell(CELL).unwrap()]);
        let certificate = tls(&world.processes.issue(Role::Institution, "clinic").unwrap());
        let keys = (certificate.identity().key_hash, &[clinic_key().verifying_key()][..]);
        let clinic = national.enrol("clinic", keys, CELL, DailyVisits::new(40).unwrap());
        let client = world.client_of(&certificate);
        Self { world, national, clinic, client }
    }

    async fn publish(&self) {
        let directory = directory_pb::PublishRequest::from(PublishRequest(self.national.directory()));
        let at = self.world.processes.vault_address().unwrap().to_string();
        until(async || {
            let mut client = DirectoryServiceClient::new(channel(&self.world.operator, &at, Role::Vault));
            client.publish(directory.clone()).await.ok()
        })
        .await;
    }

    /// Who acts for the clinic for the next ten minutes.
    fn actor(&self, role: LicensedRole, login: Login) -> Actor {
        let issued = UnixMinute::of(SystemClock::new().now());
        Actor {
            audience: CLOUD,
            institution: self.clinic,
            name: "dr-1".to_owned(),
            role,
            login,
            session: [1; 16],
            response_key: None,
            issued,
            expires: issued.plus(10),
        }
    }

    fn signed(&self, role: LicensedRole, login: Login) -> Option<pb::Actor> {
        signed(&self.actor(role, login), &clinic_key())
    }

    /// A look at the first patient's timeline.
    async fn look(&self, actor: Option<pb::Actor>) -> Result<usize, Refusal> {
        let request = pb::QueryTimelineRequest { actor, ..query(1, Vec::new()) };
        timeline(&mut self.client.clone(), request).await.map(|(entries, _)| entries.len())
    }

    async fn put(&self, actor: Option<pb::Actor>, key: &str) -> Result<Bytes, Refusal> {
        let document = vaccination("2026-03-01", key);
        let head = pb::PutHead { actor, ..head(1, key, &document) };
        put_once(&mut self.client.clone(), head, chunks(&document)).await.map(|reply| reply.reference)
    }

    async fn delete(&self, actor: Option<pb::Actor>, reference: &Bytes) -> Result<(), Refusal> {
        let request = pb::DeleteDocumentRequest {
            patient: patient(1),
            actor,
            idempotency_key: Bytes::from_static(b"delete"),
            reference: reference.clone(),
            version: 1,
        };
        self.client.clone().delete_document(request).await.map(drop).map_err(|status| refusal(&status))
    }
}

fn signed(actor: &Actor, key: &StatementKey) -> Option<pb::Actor> {
    Some(pb::Actor { signed: actor.sign(key).unwrap().as_bytes().clone(), ..pb::Actor::default() })
}

fn code<T>(outcome: Result<T, Refusal>) -> Option<ErrorCode> {
    outcome.err().map(|refusal| refusal.code)
}

#[tokio::test]
async fn an_institution_is_served_as_the_directory_says_and_a_denial_holds_within_five_seconds() {
    let directed = Directed::new().await;
    let physician = || directed.signed(LicensedRole::Physician, Login::TwoFactor);
    assert_eq!(code(directed.look(physician()).await), Some(ErrorCode::DirectoryMissing));
    directed.publish().await;
    until(async || directed.put(physician(), "first").await.ok()).await;
    assert_eq!(directed.look(physician()).await, Ok(1));
    let stranger = directed.world.client(Role::Institution, "stranger");
    let request = pb::QueryTimelineRequest { actor: physician(), ..query(1, Vec::new()) };
    let turned_away = timeline(&mut stranger.clone(), request).await;
    assert_eq!(code(turned_away), Some(ErrorCode::InstitutionNotEnrolled));

    for denied in [Party::Institution(directed.clinic), Party::Cell(CELL)] {
        for (is_denied, expected) in [(true, Some(ErrorCode::InstitutionDenied)), (false, None)] {
            directed.national.deny(denied, is_denied);
            directed.publish().await;
            let began = Instant::now();
            until(async || (code(directed.look(physician()).await) == expected).then_some(())).await;
            assert!(began.elapsed() < SOON, "{denied:?} {is_denied}: {:?}", began.elapsed());
        }
    }
}

#[tokio::test]
async fn who_acts_is_whom_the_institution_signed_and_does_what_her_role_allows() {
    let directed = Directed::new().await;
    directed.publish().await;
    let as_role = |role, login| directed.signed(role, login);
    let physician = as_role(LicensedRole::Physician, Login::TwoFactor);
    let document = until(async || directed.put(physician.clone(), "first").await.ok()).await;

    let own = directed.actor(LicensedRole::Physician, Login::TwoFactor);
    let now = own.issued;
    let forged = signed(&own, &StatementKey::from_seed(&[9; 32]));
    let elsewhere = Actor { audience: CloudId::from_bytes([9; 16]), ..own.clone() };
    let other = Actor { institution: InstitutionId::from_bytes([9; 16]), ..own.clone() };
    let ended = Actor { issued: UnixMinute(now.0 - 10), expires: now, ..own.clone() };
    let ahead = Actor { issued: now.plus(3), ..own.clone() };
    let by_clinic = |actor: &Actor| signed(actor, &clinic_key());
    for (actor, expected) in [
        (actor(), ErrorCode::ActorInvalid),
        (forged, ErrorCode::ActorInvalid),
        (by_clinic(&elsewhere), ErrorCode::ActorOtherCloud),
        (by_clinic(&other), ErrorCode::ActorOtherInstitution),
        (by_clinic(&ended), ErrorCode::ActorExpired),
        (by_clinic(&ahead), ErrorCode::ActorNotYetValid),
        (as_role(LicensedRole::Clerk, Login::StepUp), ErrorCode::ActorRole),
    ] {
        assert_eq!(code(directed.look(actor).await), Some(expected));
    }
    let nurse = as_role(LicensedRole::Nurse, Login::Password);
    assert_eq!(directed.look(nurse.clone()).await, Ok(1));
    assert_eq!(code(directed.delete(nurse, &document).await), Some(ErrorCode::ActorRole));
    let pharmacist = as_role(LicensedRole::Pharmacist, Login::StepUp);
    assert_eq!(code(directed.put(pharmacist.clone(), "second").await), Some(ErrorCode::ActorRole));
    // It is a vaccination, which she may read and not delete.
    assert_eq!(code(directed.delete(pharmacist, &document).await), Some(ErrorCode::ActorRole));
    assert_eq!(code(directed.delete(physician, &document).await), Some(ErrorCode::ActorStepUp));
    let stepped = as_role(LicensedRole::Physician, Login::StepUp);
    assert_eq!(directed.delete(stepped.clone(), &document).await, Ok(()));

    let list = pb::ListAuditRequest { patient: patient(1), actor: stepped, after_seq: 0 };
    let mut pages = directed.client.clone().list_audit(list).await.unwrap().into_inner();
    let page = pages.message().await.unwrap().unwrap();
    let who: Vec<_> = page
        .entries
        .iter()
        .map(|row| (row.operation.as_str(), row.actor_id.as_str(), row.actor_role.as_str()))
        .collect();
    let expected = [
        ("put", "dr-1", "physician"),
        ("timeline", "dr-1", "nurse"),
        ("get", "dr-1", "pharmacist"),
        ("delete", "dr-1", "physician"),
    ];
    assert_eq!(who, expected);
}
