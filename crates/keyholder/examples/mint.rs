//! What minting costs end to end: real key holders on this machine, asked one after the other over mutual TLS by one
//! registrar that waits for each answer. `cargo run --release -p renkei-keyholder --example mint`, after
//! `cargo build --release -p renkei-keyholder`.
//!
//! All processes and the registrar share the machine's cores, so the rates are those of a machine that does everything.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use renkei_envelope::Random;
use renkei_ids::{Clock, CloudId, HeaderDigest, PseudonymEpoch, UnixMinute};
use renkei_launch::{Authority, Keyholder, Leaf};
use renkei_pseudonym::{MaskedPoint, Person, blind};
use renkei_runtime::{Address, ExpectedPeer, Http2, Role, SystemClock, Tls};
use renkei_wire::KeyholderServiceClient;
use renkei_wire::keyholder::{MintItem, MintReply, MintRequest};
use renkei_wire::pb::keyholder::v1 as pb;
use tonic::transport::Channel;

const CLOUD: CloudId = CloudId::from_bytes([0xC1; 16]);
const NO_CLOUD: CloudId = CloudId::from_bytes([0; 16]);
const RUN: Duration = Duration::from_secs(2);
const RUNS: usize = 5;

struct System;

impl Random for System {
    fn fill(&self, into: &mut [u8]) {
        aws_lc_rs::rand::fill(into).expect("the system gives random bytes");
    }
}

type Client = KeyholderServiceClient<Channel>;
type Failed = Box<dyn Error>;

/// Mints for so many persons through every key holder.
async fn mint(holders: &mut [Client], persons: &[&Person], clock: &SystemClock) -> Result<(), Failed> {
    let day = UnixMinute::of(clock.now()).day();
    let (unblinds, mut points): (Vec<_>, Vec<_>) = blind(persons, &System)?.into_iter().unzip();
    let mut masked: Vec<MaskedPoint> = Vec::new();
    for holder in holders {
        let items = points.into_iter().map(|point| MintItem {
            cloud: CLOUD,
            epoch: PseudonymEpoch(1),
            point,
            digest: HeaderDigest::from_bytes([7; 32]),
        });
        let request = MintRequest { day, items: items.collect() };
        let MintReply(results) = holder.mint(pb::MintRequest::from(request)).await?.into_inner().try_into()?;
        masked = results.into_iter().map(|result| result.map(|minted| minted.point)).collect::<Result<_, _>>()?;
        points = masked.iter().map(MaskedPoint::onward).collect();
    }
    for (unblind, masked) in unblinds.into_iter().zip(&masked) {
        std::hint::black_box(unblind.finish(masked).encode());
    }
    Ok(())
}

fn client(tls: &Tls, holder: &Keyholder, id: u32) -> Result<Client, Failed> {
    let address: Address = holder.address().to_string().parse()?;
    let expected = ExpectedPeer { cloud: NO_CLOUD, role: Role::Keyholder, name: Some(id.to_string().into()) };
    Ok(KeyholderServiceClient::new(tls.channel(&address, expected, Http2::CALLS)))
}

fn used(holders: &mut [Keyholder]) -> Result<Duration, Failed> {
    let mut all = Duration::ZERO;
    for holder in holders {
        all += holder.process().ok_or("a key holder does not run")?.usage()?.cpu();
    }
    Ok(all)
}

#[expect(clippy::print_stdout, reason = "the answer of an example")]
async fn measure(holders: &mut [Keyholder], clients: &mut [Client], batch: usize) -> Result<(), Failed> {
    let clock = SystemClock::new();
    let persons: Vec<Person> = (0_u8..64).take(batch).map(|seed| Person::new(&[seed; 32], 0)).collect();
    let persons: Vec<&Person> = persons.iter().collect();
    let (mut each, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (began, before, mut minted) = (Instant::now(), used(holders)?, 0);
        while began.elapsed() < RUN {
            mint(clients, &persons, &clock).await?;
            minted += u32::try_from(batch)?;
        }
        each.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(minted));
        let translations = f64::from(minted) * f64::from(u32::try_from(clients.len())?);
        cpu.push((used(holders)? - before).as_secs_f64() * 1e6 / translations);
    }
    each.sort_unstable_by(f64::total_cmp);
    cpu.sort_unstable_by(f64::total_cmp);
    println!(
        "mint through {} key holders, batches of {batch}: {:.0} us per ticket ({:.0} to {:.0} in {RUNS} runs); CPU of a key \
         holder {:.0} us per translation, so {:.0}/s per core",
        clients.len(),
        each[RUNS / 2],
        each[0],
        each[RUNS - 1],
        cpu[RUNS / 2],
        1e6 / cpu[RUNS / 2],
    );
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let clock = Arc::new(SystemClock::new());
    let authority = Authority::development(&dir.path().join("certs"), clock.now())?;
    // Budgets as high as they go: this measures work, not waiting.
    let set = [format!("clouds.{CLOUD}={{minute=4000000000,day=4000000000}}")];
    let mut holders = Vec::new();
    for id in [1, 2] {
        let mut holder = Keyholder::prepare(&authority, dir.path(), (id, &[CLOUD]), &set, clock.now())?;
        holder.start()?;
        holders.push(holder);
    }
    let files = authority.issue(&Leaf::local(NO_CLOUD, Role::Registrar, "one", clock.now()))?;
    let tls = Tls::load(&files, clock)?;
    let mut clients =
        holders.iter().zip(1..).map(|(holder, id)| client(&tls, holder, id)).collect::<Result<Vec<_>, _>>()?;
    for batch in [1, 16, 64] {
        measure(&mut holders, &mut clients, batch).await?;
    }
    Ok(())
}
