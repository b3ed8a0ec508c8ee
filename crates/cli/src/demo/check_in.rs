//! Check-in: everybody whom documents are about is registered by her insurer and checked in on her card, and whoever puts
//! or reads does it with her ticket.

mod national;
mod persons;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use renkei_access::{
    Card, CardId, CollectionBasis, ConsentSet, ConsentText, LicensedRole, Login, Presence, PresentedCard, Purpose,
    SignedActor, SignedTicket, Statement, StatementKey,
};
use renkei_ids::{Clock as _, CloudId, GrantId, InstitutionId, RequestId, UnixMinute};
use renkei_launch::{Role, SystemClock, every_category};
use renkei_population::PersonIndex;
use renkei_runtime::Address;
use renkei_wire::RegistrarServiceClient;
use renkei_wire::pb::registrar::v1 as pb;
use renkei_wire::record::Actor;
use renkei_wire::registrar::{
    Answer, Asking, CheckEligibilityRequest, CheckInRequest, CheckedIn, CloudTicket, Eligibility, Entry, Insured,
    InsurerSays, InsurerStatement, RegisterReply, RegisterRequest, Registration, RenewRequest, Shown, Standing, Taken,
};
use tonic::transport::Channel;

use super::acts::Act;
use super::cloud::Enrolled;
use super::institution::patiently;
use crate::call::answer;
use crate::connection::Caller;
use crate::failure::Failure;

use national::Insurer;
use persons::Person;

pub(super) use national::{Hospital, National, Signers};
pub(super) use persons::{Cast, Persons, Who};

/// Check-ins under way at once: their points are mixed.
const AT_ONCE: usize = 32;
/// Insurers that register at once.
const INSURERS_AT_ONCE: usize = 8;
/// Statements of one call.
const STATEMENTS: usize = 64;
/// Longest time that the registrar takes for one call.
const DEADLINE: Duration = Duration::from_secs(10);
/// A ticket lives ten minutes. One that is older than this is renewed before it is used.
const TICKET_AGE_MAX: Duration = Duration::from_secs(6 * 60);
/// A grant lasts a day: longer than a demo.
const GRANT_MINUTES: u32 = 24 * 60;
/// An actor's statement lasts a shift.
const ACTOR_MINUTES: u32 = 12 * 60;
/// Cards outlast the demo.
const CARD_MILLIS: u64 = 86_400_000;
/// Version of the text that patients consent to.
const CONSENT_TEXT: ConsentText = ConsentText(1);
/// Of who acts.
const ROLE: &str = "physician";

type Client = RegistrarServiceClient<Channel>;

/// The hospital's desk, where patients are checked in, and the insurers behind it.
pub(super) struct Desk {
    client: Client,
    address: Address,
    cloud: CloudId,
    institution: InstitutionId,
    actor: String,
    signers: Signers,
    cast: Cast,
    visits: RefCell<HashMap<Who, Visit>>,
    mints: Cell<u64>,
    refusals: RefCell<BTreeMap<String, u64>>,
}

/// Somebody who is checked in.
#[derive(Clone)]
struct Visit {
    grant: GrantId,
    ticket: SignedTicket,
    taken: Instant,
}

/// What came of a member id that was claimed for a second person.
pub(super) struct Misregistered {
    /// Links in quarantine.
    pub(super) quarantined: u64,
    /// Tickets that were given for one of the two afterwards.
    pub(super) tickets: u64,
}

impl Desk {
    /// The desk of a hospital, where `actor` checks in.
    pub(super) fn new(
        (caller, Enrolled { cloud, institution }): (&Caller, Enrolled),
        registrar: Address,
        (signers, cast): (Signers, Cast),
        actor: &str,
    ) -> Self {
        Self {
            client: client(caller, &registrar),
            address: registrar,
            cloud,
            institution,
            actor: actor.to_owned(),
            signers,
            cast,
            visits: RefCell::default(),
            mints: Cell::default(),
            refusals: RefCell::default(),
        }
    }

    /// How many persons there are.
    pub(super) fn persons(&self) -> usize {
        self.cast.len()
    }

    /// Tickets that were minted so far.
    pub(super) fn mints(&self) -> u64 {
        self.mints.get()
    }

    /// Check-ins and renewals that were to be refused and were, by code.
    pub(super) fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.borrow().clone()
    }

    /// A person of the population.
    pub(super) fn resident(&self, index: PersonIndex) -> Who {
        self.cast.resident(index)
    }

    /// Somebody whom the hospital signs for, for a shift, and for records of the cloud.
    pub(super) fn sign_actor(&self, name: &str) -> Result<SignedActor, Failure> {
        let now = UnixMinute::of(SystemClock::new().now());
        let actor = renkei_access::Actor {
            audience: self.cloud,
            institution: self.institution,
            name: name.to_owned(),
            role: LicensedRole::Physician,
            login: Login::TwoFactor,
            session: rand::random(),
            response_key: None,
            issued: now,
            expires: now.plus(ACTOR_MINUTES),
        };
        actor.sign(&self.signers.actors).map_err(|source| Failure::Actor { source })
    }

    /// Has everybody but `late` registered by her insurer and checks her in on her card; how many persons and insurers
    /// that are.
    pub(super) async fn admit_all(&self, late: Who, act: &Act) -> Result<(u64, usize), Failure> {
        let mut by_insurer: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        let everybody: Vec<Who> = self.cast.everybody().filter(|who| *who != late).collect();
        for who in &everybody {
            let Person { member, items, .. } = self.cast.person(*who);
            let entry = Entry { member: member.clone(), items: items.clone() };
            by_insurer.entry(member.insurer().to_string()).or_default().push(entry);
        }
        let calls: Vec<_> = by_insurer
            .iter()
            .flat_map(|(digits, entries)| entries.chunks(STATEMENTS).map(move |some| (digits, some)))
            .collect();
        let registered = stream::iter(calls).map(async |(digits, entries)| self.register(digits, entries).await);
        let mut registered = registered.buffer_unordered(INSURERS_AT_ONCE);
        while let Some(standings) = registered.try_next().await? {
            let persons = standings.iter().filter(|standing| **standing != Standing::Settled).count();
            if persons > 0 {
                return Err(Failure::Unsettled { persons });
            }
        }
        let check_ins = stream::iter(&everybody).map(async |who| self.check_in(*who).await);
        let mut check_ins = check_ins.buffer_unordered(AT_ONCE);
        while check_ins.try_next().await?.is_some() {
            act.step();
        }
        Ok((everybody.len() as u64, by_insurer.len()))
    }

    /// The ticket of somebody who was checked in. It is renewed when it is old.
    pub(super) async fn ticket(&self, who: Who) -> Result<SignedTicket, Failure> {
        let visit = self.visits.borrow().get(&who).cloned();
        match visit {
            Some(visit) if visit.taken.elapsed() < TICKET_AGE_MAX => Ok(visit.ticket),
            Some(visit) => self.renew(who, visit.grant).await,
            None => self.check_in(who).await,
        }
    }

    /// Claims the member id of the first for the second, who has another one, and then tries whatever gives a ticket.
    pub(super) async fn misregister(&self, first: Who, second: Who) -> Result<Misregistered, Failure> {
        let [own, other] = [first, second].map(|who| self.cast.person(who));
        let claim = Entry { member: own.member.clone(), items: other.items.clone() };
        self.register(&own.member.insurer().to_string(), &[claim]).await?;
        let (mut quarantined, mut tickets) = (0, 0);
        for (who, person) in [(first, own), (second, other)] {
            let insured = Insured { member: own.member.clone(), birth_date: person.items.birth_date() };
            quarantined += u64::from(self.eligibility(insured.clone()).await? == Answer::CannotLink);
            let by_member = self.given(self.attend(|| Shown::MemberId(insured.clone()), false).await.map(drop))?;
            let by_card = self.given(self.check_in(who).await.map(drop))?;
            tickets += by_member + by_card;
        }
        let grant = self.visits.borrow().get(&first).map(|visit| visit.grant);
        if let Some(grant) = grant {
            tickets += self.given(self.renew(first, grant).await.map(drop))?;
        }
        Ok(Misregistered { quarantined, tickets })
    }

    /// 1 for what was given, 0 for what was refused, which is counted by its code.
    fn given(&self, outcome: Result<(), Failure>) -> Result<u64, Failure> {
        match outcome {
            Ok(()) => Ok(1),
            Err(Failure::Refused { source, .. }) => {
                *self.refusals.borrow_mut().entry(source.code.name().to_owned()).or_default() += 1;
                Ok(0)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Each entered twice and signed by the insurer.
    async fn register(&self, digits: &str, entries: &[Entry]) -> Result<Vec<Standing>, Failure> {
        let Insurer { caller, key, .. } = &self.signers.insurers[digits];
        let client = client(caller, &self.address);
        let RegisterReply(results) = patiently(&self.address, async || {
            let signed_at = SystemClock::new().now();
            let statement = |entry: &Entry| {
                let again = Some(entry.clone());
                let registration = Registration { entry: entry.clone(), again, from_day: 0, until_day: None };
                let say = InsurerSays::Register(Box::new(registration));
                key.sign(Statement::Registration, InsurerStatement { signed_at, say }.encode())
            };
            let statements = entries.iter().map(statement).collect();
            let request = RegisterRequest { request: request_id(), deadline: DEADLINE, statements };
            answer(&self.address, client.clone().register(pb::RegisterRequest::from(request))).await
        })
        .await?;
        let standing = |result| match result {
            Ok(Taken::Registered(standing)) => Ok(standing),
            Ok(Taken::Token(_) | Taken::Done) => Ok(Standing::Tentative),
            Err(source) => Err(Failure::Refused { address: self.address.to_string().into(), source }),
        };
        results.into_iter().map(standing).collect()
    }

    async fn check_in(&self, who: Who) -> Result<SignedTicket, Failure> {
        let card = StatementKey::from_seed(&rand::random());
        let checked_in = self.attend(|| Shown::Card(self.present(who, &card)), true).await?;
        match self.ticket_of(&checked_in) {
            // The check-in stands; a ticket that is missing is had by renewal.
            Err(Failure::Refused { source, .. }) if source.retry_after.is_some() => {
                self.renew(who, checked_in.grant).await
            }
            ticket => ticket.map(|ticket| self.keep(who, checked_in.grant, ticket)),
        }
    }

    /// A card of hers, and its proof for this moment.
    fn present(&self, who: Who, own: &StatementKey) -> PresentedCard {
        let now = SystemClock::new().now();
        let card = Card {
            id: CardId::from_bytes(rand::random()),
            resident: self.cast.person(who).code,
            key: own.verifying_key(),
            expires: now.plus_millis(CARD_MILLIS),
        };
        let presence = Presence { institution: self.institution, moment: now, nonce: rand::random() };
        PresentedCard { card: card.sign(&self.signers.cards), presence: presence.sign(own) }
    }

    /// A check-in for care: to read everything and to write on a card, or to write only.
    async fn attend(&self, show: impl Fn() -> Shown, reads: bool) -> Result<CheckedIn, Failure> {
        patiently(&self.address, async || {
            let request = CheckInRequest {
                asking: self.asking(),
                shown: show(),
                purpose: Purpose::Care,
                categories: if reads { every_category() } else { ConsentSet::NONE },
                text: if reads { CONSENT_TEXT } else { ConsentText(0) },
                basis: Some(CollectionBasis::Consent),
                minutes: GRANT_MINUTES,
                admission: false,
            };
            answer(&self.address, self.client.clone().check_in(pb::CheckInRequest::from(request))).await
        })
        .await
    }

    async fn renew(&self, who: Who, grant: GrantId) -> Result<SignedTicket, Failure> {
        let renewed = patiently(&self.address, async || {
            let request = RenewRequest { asking: self.asking(), grant };
            let renewed = answer(&self.address, self.client.clone().renew(pb::RenewRequest::from(request))).await?;
            self.ticket_of(&renewed)
        });
        let ticket = renewed.await?;
        Ok(self.keep(who, grant, ticket))
    }

    async fn eligibility(&self, insured: Insured) -> Result<Answer, Failure> {
        let asked = patiently(&self.address, async || {
            let request = CheckEligibilityRequest { asking: self.asking(), insured: insured.clone(), items: None };
            let request = pb::CheckEligibilityRequest::from(request);
            answer::<_, Eligibility>(&self.address, self.client.clone().check_eligibility(request)).await
        });
        asked.await.map(|eligibility| eligibility.answer)
    }

    /// The ticket for the cloud, or why there is none.
    fn ticket_of(&self, checked_in: &CheckedIn) -> Result<SignedTicket, Failure> {
        let address = self.address.to_string().into();
        match checked_in.tickets.iter().find(|it| it.cloud == self.cloud) {
            Some(CloudTicket { ticket: Ok(ticket), .. }) => Ok(ticket.clone()),
            Some(CloudTicket { ticket: Err(refusal), .. }) => {
                Err(Failure::Refused { address, source: refusal.clone() })
            }
            None => Err(Failure::NoTicket { address }),
        }
    }

    fn keep(&self, who: Who, grant: GrantId, ticket: SignedTicket) -> SignedTicket {
        self.mints.set(self.mints.get() + 1);
        self.visits.borrow_mut().insert(who, Visit { grant, ticket: ticket.clone(), taken: Instant::now() });
        ticket
    }

    fn asking(&self) -> Asking {
        let actor = Actor { id: self.actor.clone(), role: ROLE.to_owned() };
        Asking { request: request_id(), deadline: DEADLINE, actor }
    }
}

fn client(caller: &Caller, registrar: &Address) -> Client {
    RegistrarServiceClient::new(caller.national_channel(registrar, Role::Registrar))
}

fn request_id() -> RequestId {
    RequestId::from_bytes(rand::random())
}
