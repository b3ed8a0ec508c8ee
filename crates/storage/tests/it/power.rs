//! The log and a state on a disk that loses power: what was called durable is there, whatever else reached the medium.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use renkei_fault_disk::{Disk, Loss};
use renkei_ids::{GroupId, ReplicaId};
use renkei_storage::StorageError;
use renkei_storage::log::{Durable, GroupLog, LogDb, LogOptions};
use renkei_storage::state::{Read as _, StateDb};

use crate::fixture::{ROWS, budget, log_owner, open_state};

const GROUPS: u32 = 2;

fn open_log(dir: &Path) -> LogDb {
    // When the power goes, writes fail; nothing else may.
    let fatal = Arc::new(|_: &StorageError| {});
    let options = LogOptions { tail_bytes: 0, ..LogOptions::new(log_owner(), budget()) };
    LogDb::open(&dir.join("log"), &options, fatal).unwrap()
}

fn group(db: &LogDb, group: u32) -> GroupLog {
    db.group(GroupId(group), ReplicaId(9)).unwrap()
}

fn entry(group: u32, index: u64) -> Bytes {
    let len = 10 + usize::try_from(index % 97).unwrap() * 40;
    format!("{group}/{index}/").into_bytes().into_iter().cycle().take(len).collect()
}

/// What is known to be durable, at least.
#[derive(Default)]
struct Promised {
    /// By group: entries below this index, and the vote.
    next: [AtomicU64; GROUPS as usize],
    vote: [AtomicU64; GROUPS as usize],
    /// The state up to this commit.
    state: u64,
}

/// A state that has installed its own snapshot, as one that came from a peer.
fn reinstalled(state: &StateDb) -> StateDb {
    let files = state.checkpoint().unwrap();
    let mut incoming = state.receive(files.files().to_vec()).unwrap();
    for file in files.files() {
        let piece = files.read_piece(&file.name, 0, usize::MAX).unwrap();
        incoming.write_piece(&file.name, 0, &piece).unwrap();
    }
    state.install(incoming.verify().unwrap()).unwrap()
}

/// Works until the power goes, in the middle of it.
fn work_until_cut(disk: &Disk, dir: &Path, chance: &mut StdRng, loss: Loss) -> Promised {
    let promised = Arc::new(Promised::default());
    let mut state_kept = 0;
    let db = open_log(dir);
    let mut state = open_state(&dir.join("groups").join("one"), 1);
    let mut next = [0_u64; GROUPS as usize];
    let mut commits = 0_u64;
    for step in 0..chance.random_range(50..400_u64) {
        let at = chance.random_range(0..GROUPS);
        let (log, own) = (group(&db, at), Arc::clone(&promised));
        let slot = at as usize;
        match chance.random_range(0..100) {
            0..70 => {
                let count = chance.random_range(1..8);
                let entries = (next[slot]..next[slot] + count).map(|index| entry(at, index)).collect();
                let first = next[slot];
                next[slot] += count;
                let upto = next[slot];
                let durable: Durable = Box::new(move |done| {
                    if done.is_ok() {
                        own.next[slot].fetch_max(upto, Ordering::SeqCst);
                    }
                });
                log.append(first, entries, durable).unwrap();
            }
            70..80 => log.save_vote(
                Bytes::copy_from_slice(&(step + 1).to_be_bytes()),
                Box::new(move |done| {
                    if done.is_ok() {
                        own.vote[slot].fetch_max(step + 1, Ordering::SeqCst);
                    }
                }),
            ),
            80..82 if next[slot] > 4 => log.purge(next[slot] / 4, Bytes::from_static(b"purged")),
            80..82 => {}
            82..96 => {
                commits += 1;
                let mut staged = state.staged();
                staged.put(ROWS, &commits.to_be_bytes(), entry(9, commits));
                state.commit(staged, Bytes::copy_from_slice(&commits.to_be_bytes()), &[]).unwrap();
            }
            96..98 => {
                state.flush().unwrap();
                state_kept = commits;
            }
            98 => {
                state.checkpoint().unwrap();
                state_kept = commits;
            }
            _ => {
                state = reinstalled(&state);
                state_kept = commits;
            }
        }
    }
    if chance.random() {
        // Let the writer come to rest, so that the last writes count too.
        let (told, done) = mpsc::channel();
        let last = GROUPS - 1;
        group(&db, last).append(next[last as usize], vec![], Box::new(move |it| drop(told.send(it)))).unwrap();
        done.recv_timeout(Duration::from_secs(60)).unwrap().unwrap();
    }
    disk.cut(loss);
    drop((state, db));
    let promised = Arc::into_inner(promised).expect("the writer thread has ended");
    Promised { state: state_kept, ..promised }
}

fn check(dir: &Path, promised: &Promised) {
    let db = open_log(dir);
    for at in 0..GROUPS {
        let (log, slot) = (group(&db, at), at as usize);
        let (next, vote) = (promised.next[slot].load(Ordering::SeqCst), promised.vote[slot].load(Ordering::SeqCst));
        let bounds = log.bounds();
        let found = bounds.last.or(bounds.purged_through).map_or(0, |last| last + 1);
        assert!(found >= next, "group {at}: entries to {found}, promised to {next}");
        if let (Some(first), Some(last)) = (bounds.first, bounds.last) {
            let entries = log.read(first..last + 1, usize::MAX).unwrap();
            let right = entries.iter().zip(first..).all(|(found, index)| *found == entry(at, index));
            assert!(right && entries.len() as u64 == last + 1 - first, "group {at}");
        }
        let found = log.vote().map_or(0, |vote| u64::from_be_bytes(vote.as_ref().try_into().unwrap()));
        assert!(found >= vote, "group {at}: vote {found}, promised {vote}");
    }
    let state = open_state(&dir.join("groups").join("one"), 1);
    let applied = state.applied().unwrap().map_or(0, |marker| u64::from_be_bytes(marker.as_ref().try_into().unwrap()));
    assert!(applied >= promised.state, "state at {applied}, promised {}", promised.state);
    for commit in 1..=applied {
        assert_eq!(state.view().get(ROWS, &commit.to_be_bytes()).unwrap(), Some(entry(9, commit)), "commit {commit}");
    }
    assert_eq!(state.view().get(ROWS, &(applied + 1).to_be_bytes()).unwrap(), None, "a commit without its marker");
}

/// Gives entries and commits promised, and how often the power went; `None` where there is no FUSE.
fn cuts(seeds: impl Iterator<Item = u64>) -> Option<(u64, u64)> {
    #[cfg(feature = "faults")]
    break_as_told();
    let (mut promises, mut count) = (0, 0);
    for seed in seeds {
        println!("seed {seed}");
        let mut chance = StdRng::seed_from_u64(seed);
        let (disk, dir) = (Disk::new(), tempfile::tempdir().unwrap());
        let mut mounted = match disk.mount(dir.path()) {
            Ok(mounted) => mounted,
            Err(error) => {
                println!("SKIPPED: cannot mount by FUSE: {error}");
                return None;
            }
        };
        let loss = if chance.random_ratio(1, 3) { Loss::Everything } else { Loss::Torn { seed: chance.random() } };
        let promised = work_until_cut(&disk, dir.path(), &mut chance, loss);
        mounted.unmount().unwrap();
        disk.power_on();
        mounted = disk.mount(dir.path()).unwrap();
        check(dir.path(), &promised);
        promises += promised.next.iter().map(|next| next.load(Ordering::SeqCst)).sum::<u64>() + promised.state;
        count += 1;
        drop(mounted);
    }
    Some((promises, count))
}

/// The seed that the test was told by `cargo verify --long … --seed`, or a new one.
fn first_seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the runner of long tests tells the seed")]
    let told = std::env::var("RENKEI_SEED").ok().and_then(|seed| seed.parse().ok());
    told.unwrap_or_else(|| rand::random::<u32>().into())
}

#[test]
fn what_was_called_durable_outlives_a_power_cut() {
    let first = first_seed();
    if let Some((promises, _)) = cuts(first..first + 6) {
        assert!(promises > 0, "nothing was promised");
    }
}

#[test]
#[ignore = "long: proof"]
fn long_proof_storage_power_cuts() {
    let first = first_seed();
    if let Some((promises, count)) = cuts(first..first + 60) {
        println!("storage power cuts: {count} cuts from seed {first}, {promises} entries and commits promised, 0 lost");
    }
}

/// Tells a test process to break the rule that writes are synced.
#[cfg(feature = "faults")]
const SKIP_SYNCS: &str = "RENKEI_TEST_SKIP_SYNCS";

#[cfg(feature = "faults")]
fn break_as_told() {
    #[expect(clippy::disallowed_methods, reason = "a test is told by the test that started it")]
    let told = std::env::var(SKIP_SYNCS).is_ok();
    if told {
        renkei_faults::arm("mutate sync-skipped").unwrap();
    }
}

#[cfg(feature = "faults")]
#[test]
fn skipped_syncs_are_noticed() {
    let test = "power::what_was_called_durable_outlives_a_power_cut";
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    let output = process.args(["--exact", test, "--show-output"]).env(SKIP_SYNCS, "1").output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    if let Some(skipped) = told.lines().find(|line| line.starts_with("SKIPPED:")) {
        println!("{skipped}");
        return;
    }
    assert!(told.contains("test result: FAILED. 0 passed; 1 failed"), "{told}");
}
