//! Each invariant accepts a run as it should be, and refuses one that breaks it and nothing else before it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use renkei_consensus::Role;
use renkei_consensus::inspect::{Configuration, EntryContent, StoredVote};
use renkei_ids::{NodeId, ReplicaId};

use super::all;
use crate::book::Book;
use crate::event::{Change, Entry, Event, Log, Standing, hash_of};

const LAST: u64 = 3;

fn members(term: u64, index: u64, voters: &[&[u64]]) -> Entry {
    let voters: Vec<BTreeSet<_>> = voters.iter().map(|set| set.iter().copied().map(ReplicaId).collect()).collect();
    let hash = hash_of(&(term, index, &voters));
    let content = EntryContent::Members(Configuration { voters, learners: BTreeSet::new() });
    Entry { term, index, content, hash }
}

fn command(term: u64, index: u64, text: &'static str) -> Entry {
    let content = EntryContent::Command(Bytes::from_static(text.as_bytes()));
    Entry { term, index, content, hash: hash_of(&(term, index, text)) }
}

fn change(replica: u64, change: Change) -> Event {
    Event::Accepted { node: node(replica), replica: ReplicaId(replica), change }
}

fn durable(replica: u64, change: Change) -> Event {
    Event::Durable { node: node(replica), replica: ReplicaId(replica), change }
}

fn both(replica: u64, what: Change) -> [Event; 2] {
    [change(replica, what.clone()), durable(replica, what)]
}

fn node(replica: u64) -> NodeId {
    NodeId(u32::try_from(replica).unwrap())
}

fn vote(term: u64, voted_for: u64, leads: bool) -> Change {
    Change::Voted(StoredVote { term, voted_for: ReplicaId(voted_for), leads })
}

fn applied(replica: u64, index: u64) -> Event {
    Event::AppliedThrough { replica: ReplicaId(replica), index }
}

fn chain(replica: u64, term: u64, index: u64, chain: u64) -> Event {
    Event::Applied { replica: ReplicaId(replica), term, index, chain }
}

fn status(replica: u64, role: Role, term: u64, applied: u64, purged: Option<u64>) -> Event {
    let standing = Standing {
        role,
        term,
        last_log: Some(LAST),
        committed: Some(applied),
        applied: Some(applied),
        snapshot: None,
        purged,
    };
    Event::Status { replica: ReplicaId(replica), status: standing }
}

fn log() -> Vec<Entry> {
    vec![members(0, 0, &[&[1, 2, 3]]), command(1, 1, "a"), command(1, 2, "b"), command(1, LAST, "c")]
}

/// Three replicas; 1 leads in term 1 and all have applied the same.
fn good() -> Vec<Event> {
    let mut events = Vec::new();
    for replica in 1..=3 {
        events.extend(both(replica, vote(1, 1, false)));
        events.extend(both(replica, vote(1, 1, true)));
        events.extend(both(replica, Change::Appended(log())));
    }
    for replica in 1..=3 {
        events.extend((1..=LAST).map(|index| chain(replica, 1, index, index * 7)));
        events.push(applied(replica, LAST));
        let role = if replica == 1 { Role::Leader } else { Role::Follower };
        events.push(status(replica, role, 1, LAST, None));
        let (replica, content) = (ReplicaId(replica), 5);
        events.push(Event::Seen { replica, applied: Some((1, LAST)), chain: LAST * 7, content });
    }
    events.push(Event::Answered { node: node(1), under: 1, term: 1, index: LAST });
    events
}

fn judge(events: Vec<Event>) -> Option<&'static str> {
    let (mut book, mut invariants) = (Book::default(), all());
    for event in events {
        book.note(&event);
        let broken = invariants
            .iter_mut()
            .find_map(|invariant| invariant.after(&event, &book).is_err().then(|| invariant.name()));
        if broken.is_some() {
            return broken;
        }
    }
    None
}

fn after_good(events: impl IntoIterator<Item = Event>) -> Option<&'static str> {
    judge(good().into_iter().chain(events).collect())
}

fn started(replica: u64, log: Log) -> Event {
    Event::Started { node: node(replica), logs: BTreeMap::from([(ReplicaId(replica), log)]) }
}

/// What `good` leaves on a disk, up to an index.
fn left(through: u64) -> Log {
    let mut left = Log::default();
    left.change(&vote(1, 1, true));
    left.change(&Change::Appended(log().into_iter().filter(|entry| entry.index <= through).collect()));
    left
}

#[test]
fn a_run_as_it_should_be_breaks_none() {
    assert_eq!(judge(good()), None);
    let restarted = [Event::Crashed { node: node(2) }, started(2, left(LAST)), applied(2, LAST)];
    assert_eq!(after_good(restarted), None);
    // The next leader, a change of members in two steps, and a snapshot with what it purges.
    let mut next = both(2, vote(2, 2, false)).to_vec();
    next.extend(both(3, vote(2, 2, false)));
    next.extend(both(2, vote(2, 2, true)));
    let joint = Change::Appended(vec![members(2, 4, &[&[1, 2, 3], &[2, 3, 4]])]);
    for replica in 2..=3 {
        next.extend(both(replica, joint.clone()));
    }
    next.push(applied(2, 4));
    next.extend(both(2, Change::Appended(vec![members(2, 5, &[&[2, 3, 4]])])));
    next.extend(both(3, Change::Purged { term: 1, index: 2 }));
    assert_eq!(after_good(next), None);
}

#[test]
fn each_invariant_is_broken_by_what_breaks_it() {
    let cases: Vec<(&str, Vec<Event>)> = vec![
        ("election safety", vec![change(2, vote(2, 2, true)), change(3, vote(2, 3, true))]),
        ("election safety", vec![status(2, Role::Leader, 1, LAST, None)]),
        ("one vote a term", [both(2, vote(2, 2, false)), both(2, vote(2, 3, false))].concat()),
        ("one vote a term", both(2, vote(0, 2, false)).to_vec()),
        ("one vote a term", vec![started(2, Log { vote: None, ..left(LAST) })]),
        ("monotone", vec![status(2, Role::Follower, 0, LAST, None)]),
        ("monotone", vec![status(2, Role::Follower, 1, LAST - 1, None)]),
        ("log matching", vec![change(2, Change::Appended(vec![command(1, LAST, "other")]))]),
        (
            "log matching",
            vec![
                change(2, Change::Appended(vec![command(2, 4, "d"), command(2, 5, "e")])),
                change(3, Change::Appended(vec![command(1, 4, "f"), command(2, 5, "e")])),
            ],
        ),
        ("state machine safety", vec![chain(2, 1, LAST, 1)]),
        ("state machine safety", vec![chain(2, 2, LAST, LAST * 7)]),
        ("committed on a majority", {
            let next = Change::Appended(vec![command(1, 4, "d")]);
            vec![change(1, next.clone()), change(2, next.clone()), durable(1, next), applied(1, 4)]
        }),
        ("survival", vec![started(2, left(LAST)), started(3, left(2)), started(1, left(2))]),
        ("survival", vec![change(2, Change::Truncated { from: LAST })]),
        ("order of indexes", vec![status(2, Role::Follower, 1, LAST, Some(LAST + 1))]),
        ("order of indexes", vec![change(2, Change::Committed { term: 2, index: LAST })]),
        ("change of members", vec![change(1, Change::Appended(vec![members(1, 4, &[&[4, 5, 6]])]))]),
        ("leadership of answers", vec![Event::Answered { node: node(1), under: 1, term: 2, index: LAST }]),
        ("leadership of answers", vec![Event::Answered { node: node(1), under: 1, term: 1, index: 9 }]),
        ("content of a snapshot", {
            let replica = ReplicaId(2);
            vec![Event::Seen { replica, applied: Some((1, 2)), chain: LAST * 7, content: 5 }]
        }),
        ("content of a snapshot", {
            let replica = ReplicaId(2);
            vec![Event::Seen { replica, applied: Some((1, LAST)), chain: LAST * 7, content: 6 }]
        }),
    ];
    for (name, events) in cases {
        let shown = format!("{events:?}");
        assert_eq!(after_good(events), Some(name), "{shown}");
    }
}

#[test]
fn a_leader_without_a_committed_entry_is_found() {
    let mut events = Vec::new();
    for replica in 1..=3 {
        events.extend(both(replica, vote(1, 1, true)));
        let entries = log().into_iter().filter(|entry| replica != 3 || entry.index < LAST).collect();
        events.extend(both(replica, Change::Appended(entries)));
    }
    events.push(applied(1, LAST));
    events.push(change(3, vote(2, 3, true)));
    assert_eq!(judge(events), Some("leader completeness"));
}

#[test]
fn a_lost_entry_and_a_hole_are_found_at_the_end() {
    let mut book = Book::default();
    assert!(super::lost::nothing(&book).is_err());
    good().iter().for_each(|event| book.note(event));
    assert_eq!(super::lost::nothing(&book), Ok(()));
    for replica in 2..=3 {
        book.note(&durable(replica, Change::Truncated { from: LAST }));
    }
    assert!(super::lost::nothing(&book).is_err());
}
