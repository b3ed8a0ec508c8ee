//! `renkei demo`: one cloud of real processes, from nothing to a report that says what held.

mod acts;
mod check_in;
mod cloud;
mod corpus;
mod handout;
mod institution;
mod load;
mod report;
mod search;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use renkei_runtime::Chain;
use renkei_wire::record::{AuditOperation, AuditOutcome};

use crate::arguments::DemoSettings;
use crate::connection::Caller;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

use acts::{Act, note};
use check_in::{Cast, Desk, Misregistered, Who};
use cloud::{DemoCloud, Home};
use corpus::{Folder, Item, Stored};
use institution::Institution;
use load::{BEFORE, Loaded, WHILE_DEAD};
use report::Report;
use search::Search;

/// Who acts in the demo; planted, for it must be found nowhere.
const ACTOR: &str = "physician-of-the-demo";
/// Calls under way at once.
const AT_ONCE: usize = 8;
/// The vault of a demo has nobody to unseal it.
const UNSEALED: &str = "\
UNSEALED KEYS: this vault keeps its epoch key in a file that nothing seals, and the demo itself is the authority whose
cards it shows. Both are for development builds on loopback. Nothing of a real patient belongs in here.";

/// Shows the main job, and then stays until Ctrl-C, unless it is to end.
pub(crate) async fn demo(settings: DemoSettings, output: Output) -> Result<Exit, Failure> {
    let DemoSettings { documents, data, client, once, report: file } = settings;
    let home = Home::at(data)?;
    let mut persons = corpus::persons();
    let folder = documents.map(|dir| Folder::open(dir, &mut persons)).transpose()?;
    let showing = Box::pin(show(&home, folder.as_ref(), persons.cast()));
    let Shown { mut cloud, desk, report, search } = tokio::select! {
        // Ctrl-C first, for the start of the processes blocks this thread: until it is listened for, it kills.
        biased;
        () = interrupted() => return Err(Failure::Interrupted),
        shown = showing => shown?,
    };
    if let Home::Kept(dir) = &home {
        write(&dir.join("tokens.txt"), search.planted())?;
    }
    output.print(&report)?;
    if let Some(path) = &file {
        let json = serde_json::to_vec_pretty(&report).expect("a report is made of numbers and codes");
        write(path, &json)?;
    }
    if !once {
        cloud.run_all()?;
        let handed = match &client {
            Some(dir) => Some(handout::write(dir, &cloud, &desk).await?),
            None => None,
        };
        handout::tell(&cloud, handed.as_ref());
        tokio::select! {
            () = interrupted() => {}
            failed = handout::keep(handed.as_ref(), &desk) => return Err(failed),
        }
        cloud.stop().await?;
    } else if client.is_some() {
        note("  --client is for a demo that stays; with --once nothing is written");
    }
    Ok(report.exit())
}

/// What is left when every act is over.
struct Shown {
    cloud: DemoCloud,
    desk: Desk,
    report: Report,
    search: Search,
}

/// Every act. The processes have ended when it returns.
async fn show(home: &Home, folder: Option<&Folder>, cast: Cast) -> Result<Shown, Failure> {
    note(UNSEALED);
    let mut search = Search::begin(ACTOR)?;
    search.plant_persons(cast.texts());
    let act = Act::open_ended("cloud", "starting key holders, a registrar, nodes, a vault and a gateway");
    let (mut cloud, signers, enrolled) = DemoCloud::start(home.path(), &cast).await?;
    let caller = Caller::load(cloud.institution())?;
    let desk = Desk::new((&caller, enrolled), cloud.registrar(), (signers, cast), ACTOR);
    let institution = Institution::new(&caller, cloud.gateway(), &desk, desk.sign_actor(ACTOR)?);
    act.done(format_args!(
        "two key holders, a registrar, three nodes, a vault and a gateway, with their files in {home}"
    ));

    let (persons, misregistered) = admit(&desk).await?;
    let (mut stored, refused) = put_documents(&institution, &desk, folder, &mut search).await?;
    let documents_put = stored.len() as u64;
    let identical = read_back(&institution, &stored, "read").await?;

    let steps = usize::try_from(BEFORE + WHILE_DEAD).unwrap_or(usize::MAX);
    let act = Act::of_steps("leader", steps);
    let loaded = load::run(&mut cloud, (&institution, &desk), &act).await?;
    act.done(format_args!("node {} killed, which led {} groups, and back", loaded.killed, loaded.led));
    let Loaded { killed, led: _, acknowledged, while_dead, reads, misread, longest_gap, back_after, written } = loaded;
    search.plant(written.iter().map(|stored| &stored.document));
    stored.extend(written);

    let kept = read_back(&institution, &stored, "read again").await?;
    let acknowledged_reads = reads + documents_put + stored.len() as u64;
    let (audit_rows, audit_rows_missing) = audit(&institution, &stored, acknowledged_reads).await?;

    let act = Act::open_ended("plaintext", "stopping every process");
    let cloud = cloud.stop().await?;
    act.say("looking for planted texts in every file and database");
    let found = search.carry_out(home.path()).await?;
    act.done(format_args!("{} places looked at in {} databases", found.pairs, found.databases));
    let report = Report {
        persons,
        mints: desk.mints(),
        misregistrations_quarantined: misregistered.quarantined,
        misregistered_tickets: misregistered.tickets,
        refusals: desk.refusals(),
        documents_put,
        identical_readbacks: identical,
        refused,
        leader_killed: 1,
        killed_node: killed.0,
        unavailable_ms: millis(longest_gap),
        back_after_ms: millis(back_after),
        acknowledged,
        acknowledged_while_dead: while_dead,
        acknowledged_lost: stored.len() as u64 - kept + misread,
        audit_rows,
        audit_rows_missing,
        plaintext_hits: found.hits,
        plaintext_control_hits: found.control_hits,
        planted: search.planted().lines().count() as u64,
        scanned_bytes: found.bytes,
    };
    Ok(Shown { cloud, desk, report, search })
}

/// Checks everybody in, and claims the member id of one for another.
async fn admit(desk: &Desk) -> Result<(u64, Misregistered), Failure> {
    let [first, second] = corpus::MISREGISTERED.map(|n| desk.resident(corpus::person(n)));
    let act = Act::of_steps("check-in", desk.persons());
    let (persons, insurers) = desk.admit_all(second, &act).await?;
    act.done(format_args!("{persons} persons registered by {insurers} insurers, each checked in on her card"));
    let act = Act::open_ended("misregister", "claiming one member id for two persons");
    let misregistered = desk.misregister(first, second).await?;
    act.done(format_args!("{} links in quarantine, {} tickets", misregistered.quarantined, misregistered.tickets));
    Ok((persons, misregistered))
}

type Refused = BTreeMap<String, u64>;

/// Puts what is synthetic and what the folder holds. A refusal that no retry mends is counted by its code.
async fn put_documents(
    institution: &Institution<'_>,
    desk: &Desk,
    folder: Option<&Folder>,
    search: &mut Search,
) -> Result<(Vec<Stored>, Refused), Failure> {
    let (mut stored, mut refused) = (Vec::new(), Refused::new());
    let act = Act::of_steps("documents", folder.map_or(0, Folder::files) + 1);
    put_all(institution, corpus::synthetic(desk), search, &mut stored, &mut refused).await?;
    act.step();
    for items in folder.into_iter().flat_map(Folder::items) {
        put_all(institution, items?, search, &mut stored, &mut refused).await?;
        act.step();
    }
    let total: u64 = refused.values().sum();
    act.done(format_args!("{} put, {total} refused by {} codes", stored.len(), refused.len()));
    Ok((stored, refused))
}

async fn put_all(
    institution: &Institution<'_>,
    items: Vec<Item>,
    search: &mut Search,
    stored: &mut Vec<Stored>,
    refused: &mut Refused,
) -> Result<(), Failure> {
    search.plant(items.iter().map(|item| &item.document));
    for item in &items {
        search.control(&item.document)?;
    }
    let puts = stream::iter(items).map(async |Item { document, patient, key }| {
        let outcome = institution.put(patient, &key, &document).await;
        (document, patient, outcome)
    });
    let mut puts = puts.buffer_unordered(AT_ONCE);
    while let Some((document, patient, outcome)) = puts.next().await {
        match outcome {
            Ok(reply) => stored.push(Stored { document, patient, reference: reply.reference }),
            Err(Failure::Refused { source, .. }) if source.retry_after.is_none() => {
                *refused.entry(source.code.name().to_owned()).or_default() += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Reads every document; how many are what was put. One that is refused is not.
async fn read_back(institution: &Institution<'_>, stored: &[Stored], name: &'static str) -> Result<u64, Failure> {
    let act = Act::of_steps(name, stored.len());
    let reads = stream::iter(stored).map(async |Stored { document, patient, reference }| {
        match institution.get(*patient, reference).await {
            Ok(read) => Ok(read == *document),
            Err(failure @ Failure::Refused { .. }) => {
                note(format_args!("  a document does not read back: {}", Chain(&failure)));
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
    });
    let mut reads = reads.buffer_unordered(AT_ONCE);
    let mut identical = 0;
    while let Some(same) = reads.try_next().await? {
        identical += u64::from(same);
        act.step();
    }
    act.done(format_args!("{identical} of {} byte for byte", stored.len()));
    Ok(identical)
}

/// Lists every patient's rows: how many there are, and how many of the acknowledged operations are without theirs. A
/// write has exactly one row that says `done`; a read has one at least, for one that was tried again has more.
async fn audit(institution: &Institution<'_>, stored: &[Stored], reads: u64) -> Result<(u64, u64), Failure> {
    let patients: HashSet<Who> = stored.iter().map(|stored| stored.patient).collect();
    let act = Act::of_steps("audit", patients.len());
    let lists = stream::iter(patients).map(async |patient| institution.rows(patient).await);
    let mut lists = lists.buffer_unordered(AT_ONCE);
    let (mut rows, mut put_rows, mut get_rows) = (0, 0, 0);
    while let Some(list) = lists.try_next().await? {
        rows += list.len() as u64;
        let done = list.iter().filter(|row| row.outcome == AuditOutcome::Done);
        for row in done {
            put_rows += u64::from(row.operation == AuditOperation::Put);
            get_rows += u64::from(row.operation == AuditOperation::Get);
        }
        act.step();
    }
    let missing = put_rows.abs_diff(stored.len() as u64) + reads.saturating_sub(get_rows);
    act.done(format_args!("{rows} rows: {put_rows} of writes, {get_rows} of reads"));
    Ok((rows, missing))
}

async fn interrupted() {
    // Where the signal cannot be listened for, it ends the process as it always did.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, content).map_err(|source| Failure::Write { path: path.to_owned(), source })
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
