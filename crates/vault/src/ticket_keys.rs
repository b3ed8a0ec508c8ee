//! Ticket keys: handed to this replica by each key holder and by the registrar, day by day, and kept in memory only. A vault
//! that starts has none, and fetches them again.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::IntGauge;
use renkei_access::TICKET_MAX_MINUTES;
use renkei_envelope::TicketKey;
use renkei_ids::{Clock, CloudId, KeyholderId, UnixDay, UnixMillis, UnixMinute};
use renkei_runtime::{Address, ExpectedPeer, Http2, OnError, OnShutdown, Role, Shell, TaskKind, Tls};
use renkei_wire::keyholder::HeldTicketKey;
use renkei_wire::pb::{keyholder::v1 as keyholder_pb, registrar::v1 as registrar_pb};
use renkei_wire::registrar::RegistrarTicketKey;
use renkei_wire::{ErrorCode, KeyholderServiceClient, Refusal, RegistrarServiceClient};
use tonic::Status;
use tonic::transport::Channel;

/// Key holders and registrars belong to no cloud.
const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
/// How long before its day a key is fetched, so that midnight finds it here.
const AHEAD_MILLIS: u64 = 3_600_000;
/// How long after its day the last ticket may still live, and as much as the clocks of others may be off.
const LONGEST_LIFE_MILLIS: u64 = TICKET_MAX_MINUTES as u64 * 60_000 + 60_000;
/// Between two looks at which days are needed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Longest pause after questions that failed.
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// Longest time for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Who gives ticket keys: the registrar, or one key holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Giver {
    Registrar,
    Holder(KeyholderId),
}

impl fmt::Display for Giver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registrar => f.write_str("the registrar"),
            Self::Holder(number) => write!(f, "key holder {number}"),
        }
    }
}

/// Every key that the tickets of one day open with.
#[derive(Clone)]
pub(crate) struct DayKeys {
    pub(crate) registrar: TicketKey,
    pub(crate) holders: BTreeMap<KeyholderId, TicketKey>,
}

/// The keys of the days in use. Clones share them.
#[derive(Clone)]
pub(crate) struct TicketKeys {
    givers: Arc<[Giver]>,
    held: Arc<Mutex<BTreeMap<(UnixDay, Giver), TicketKey>>>,
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TicketKeys").field("givers", &self.givers).finish_non_exhaustive()
    }
}

/// Where the givers are.
#[derive(Clone, Debug)]
pub(crate) struct Givers {
    pub(crate) registrar: Address,
    pub(crate) holders: BTreeMap<KeyholderId, Address>,
}

impl TicketKeys {
    /// Fetches keys until the process stops, from each giver in a task of its own, so that one that is away delays no other.
    /// `missing` tells how many are needed and not here.
    pub(crate) fn start(shell: &Shell, givers: &Givers, missing: &IntGauge) -> Self {
        let holders = givers.holders.iter().map(|(number, address)| (Giver::Holder(*number), address));
        let givers: Vec<_> = [(Giver::Registrar, &givers.registrar)].into_iter().chain(holders).collect();
        let keys = Self { givers: givers.iter().map(|(giver, _)| *giver).collect(), held: Arc::default() };
        for (giver, address) in givers {
            let fetching = Fetching {
                giver,
                client: Client::new(shell.tls(), giver, address),
                keys: keys.clone(),
                clock: shell.clock(),
                missing: missing.clone(),
            };
            let kind =
                TaskKind { name: "ticket keys", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
            shell.tasks().spawn(kind, fetching.run());
        }
        keys
    }

    /// The keys of a day.
    ///
    /// # Errors
    /// `ticket_keys_missing`, where one of them is not here (yet).
    pub(crate) fn of(&self, day: UnixDay) -> Result<DayKeys, Refusal> {
        let missing = || Refusal::new(ErrorCode::TicketKeysMissing);
        let held = self.lock();
        let registrar = held.get(&(day, Giver::Registrar)).cloned().ok_or_else(missing)?;
        let mut holders = BTreeMap::new();
        for giver in self.givers.iter() {
            if let Giver::Holder(number) = giver {
                holders.insert(*number, held.get(&(day, *giver)).cloned().ok_or_else(missing)?);
            }
        }
        Ok(DayKeys { registrar, holders })
    }

    /// The first day that a giver's key is needed of and not here.
    fn wanted(&self, giver: Giver, now: UnixMillis) -> Option<UnixDay> {
        let held = self.lock();
        days_in_use(now).find(|day| !held.contains_key(&(*day, giver)))
    }

    /// Destroys the keys of days that are over; how many keys are needed and not here.
    fn tidy(&self, now: UnixMillis) -> usize {
        let mut held = self.lock();
        held.retain(|(day, _), _| days_in_use(now).any(|used| used == *day));
        // Tomorrow's are fetched early, and nobody misses them before midnight.
        let needed = days_in_use(now).filter(|day| now >= day.begins());
        needed
            .flat_map(|day| self.givers.iter().map(move |giver| (day, *giver)))
            .filter(|key| !held.contains_key(key))
            .count()
    }

    fn keep(&self, day: UnixDay, giver: Giver, key: TicketKey) {
        self.lock().insert((day, giver), key);
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(UnixDay, Giver), TicketKey>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Today, yesterday while a ticket of it may live, and tomorrow from an hour before it on.
fn days_in_use(now: UnixMillis) -> impl Iterator<Item = UnixDay> {
    let UnixDay(today) = UnixMinute::of(now).day();
    let (yesterday, tomorrow) = (UnixDay(today.saturating_sub(1)), UnixDay(today.saturating_add(1)));
    let lives = now < yesterday.ends().plus_millis(LONGEST_LIFE_MILLIS);
    let soon = now.plus_millis(AHEAD_MILLIS) >= tomorrow.begins();
    [Some(UnixDay(today)), lives.then_some(yesterday), soon.then_some(tomorrow)].into_iter().flatten()
}

enum Client {
    Registrar(RegistrarServiceClient<Channel>),
    Holder(KeyholderId, KeyholderServiceClient<Channel>),
}

/// Why a giver gave no key.
#[derive(Debug, thiserror::Error)]
enum NotGiven {
    #[error("it refuses or does not answer")]
    Refused(#[from] Box<Status>),
    #[error("no answer within {ANSWER_MAX:?}")]
    Late,
    #[error("its answer does not read, or is another key holder's")]
    Unreadable,
}

impl Client {
    fn new(tls: &Tls, giver: Giver, address: &Address) -> Self {
        let channel = |role, name| tls.channel(address, ExpectedPeer { cloud: NO_CLOUD, role, name }, Http2::CALLS);
        match giver {
            Giver::Registrar => Self::Registrar(RegistrarServiceClient::new(channel(Role::Registrar, None))),
            Giver::Holder(number) => {
                let name = Some(number.to_string().into());
                Self::Holder(number, KeyholderServiceClient::new(channel(Role::Keyholder, name)))
            }
        }
    }

    async fn ask(&mut self, UnixDay(key_day): UnixDay) -> Result<TicketKey, NotGiven> {
        let asked = async {
            match self {
                Self::Registrar(client) => {
                    let reply =
                        client.ticket_key(registrar_pb::TicketKeyRequest { key_day }).await.map_err(Box::new)?;
                    let given = RegistrarTicketKey::try_from(reply.into_inner()).map_err(|_| NotGiven::Unreadable)?;
                    Ok(given.0)
                }
                Self::Holder(number, client) => {
                    let reply =
                        client.ticket_key(keyholder_pb::TicketKeyRequest { key_day }).await.map_err(Box::new)?;
                    let given = HeldTicketKey::try_from(reply.into_inner()).map_err(|_| NotGiven::Unreadable)?;
                    if given.holder == *number { Ok(given.key) } else { Err(NotGiven::Unreadable) }
                }
            }
        };
        tokio::time::timeout(ANSWER_MAX, asked).await.unwrap_or(Err(NotGiven::Late))
    }
}

struct Fetching {
    giver: Giver,
    client: Client,
    keys: TicketKeys,
    clock: Arc<dyn Clock>,
    missing: IntGauge,
}

impl Fetching {
    async fn run(mut self) -> Result<(), Infallible> {
        let mut pause = LOOK_EVERY;
        loop {
            pause = self.once(pause).await;
            let missing = self.keys.tidy(self.clock.now());
            self.missing.set(i64::try_from(missing).unwrap_or(i64::MAX));
            tokio::time::sleep(pause).await;
        }
    }

    /// Fetches what is needed next; how long to wait then.
    async fn once(&mut self, pause: Duration) -> Duration {
        let Some(day) = self.keys.wanted(self.giver, self.clock.now()) else { return LOOK_EVERY };
        match self.client.ask(day).await {
            Ok(key) => {
                tracing::info!(giver = %self.giver, day = day.0, "ticket key fetched");
                self.keys.keep(day, self.giver, key);
                Duration::ZERO
            }
            Err(error) => {
                let error = renkei_runtime::Chain(&error);
                tracing::warn!(giver = %self.giver, day = day.0, %error, "no ticket key");
                (2 * pause).clamp(LOOK_EVERY, PAUSE_MAX)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: UnixDay = UnixDay(20_000);

    /// Days in use so many milliseconds after [`DAY`] begins, as how far they are from it.
    fn days(millis: i64) -> Vec<i64> {
        let now = UnixMillis(DAY.begins().0.saturating_add_signed(millis));
        let mut days: Vec<_> = days_in_use(now).map(|day| i64::from(day.0) - i64::from(DAY.0)).collect();
        days.sort_unstable();
        days
    }

    #[test]
    fn a_days_keys_are_there_from_an_hour_before_it_until_its_last_ticket_has_ended() {
        const LENGTH: i64 = 86_400_000;
        assert_eq!(days(-3_600_001), [-1]);
        assert_eq!(days(-3_600_000), [-1, 0]);
        assert_eq!(days(0), [-1, 0]);
        assert_eq!(days(3_659_999), [-1, 0]);
        assert_eq!(days(3_660_000), [0]);
        assert_eq!(days(LENGTH), [0, 1]);
        assert_eq!(days(LENGTH + 3_660_000), [1]);
    }

    #[test]
    fn a_day_has_its_keys_when_every_giver_gave_one() {
        let holders = [1, 2].map(|number| Giver::Holder(KeyholderId(number)));
        let givers = [Giver::Registrar, holders[0], holders[1]];
        let keys = TicketKeys { givers: givers.into(), held: Arc::default() };
        let now = DAY.begins().plus_millis(7_200_000);
        for (given, giver) in givers.into_iter().enumerate() {
            assert_eq!(keys.of(DAY).err().unwrap().code, ErrorCode::TicketKeysMissing);
            assert_eq!((keys.wanted(giver, now), keys.tidy(now)), (Some(DAY), 3 - given));
            keys.keep(DAY, giver, TicketKey::from_bytes([1; 32]));
        }
        assert_eq!(keys.of(DAY).unwrap().holders.len(), 2);
        assert_eq!(keys.tidy(now), 0);
        keys.tidy(DAY.ends().plus_millis(LONGEST_LIFE_MILLIS));
        assert!(keys.of(DAY).is_err(), "the keys of a day that is over are destroyed");
    }
}
