//! `renkei admin` for what changes the placement: a plan is queued, and watched until it is done.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use renkei_placement::{Job, JobId, JobKind, JobStep};
use renkei_wire::admin::{AddNodeRequest, JobProgress, JobsReply, NodeAt, SubmitReply, SubmitRequest};
use renkei_wire::pb::admin::v1 as pb;
use serde::Serialize;

use super::leader::{Client, MetaLeader};
use crate::arguments::{AddNodeSettings, Endpoints, JobsSettings, Planning};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Pause between two looks at a plan.
const LOOK_EVERY: Duration = Duration::from_millis(300);

#[derive(Debug, Serialize)]
struct Jobs {
    jobs: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    job: u64,
    does: String,
    step: &'static str,
    /// Of copying.
    round: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
}

#[derive(Debug, Serialize)]
struct Added {
    node: u32,
    address: String,
}

/// Queues what is asked, and shows how it goes.
pub(crate) async fn submit(planning: Planning, request: SubmitRequest, output: Output) -> Result<Exit, Failure> {
    let Planning { endpoints, detach } = planning;
    let mut leader = MetaLeader::new(endpoints)?;
    let asked = pb::SubmitRequest::from(request);
    let reply: SubmitReply = leader.ask(async |mut client: Client| client.submit(asked).await).await?;
    let Some(first) = reply.first else {
        output.print(&Jobs { jobs: Vec::new() })?;
        return Ok(Exit::Done);
    };
    if detach {
        output.print(&Jobs::from(&jobs(&mut leader).await?))?;
        return Ok(Exit::Done);
    }
    watch(&mut leader, Some(first), output).await
}

/// Adds a node to the registry.
pub(crate) async fn add_node(settings: AddNodeSettings, output: Output) -> Result<Exit, Failure> {
    let AddNodeSettings { endpoints, node, address } = settings;
    let mut leader = MetaLeader::new(endpoints)?;
    let added = Added { node: node.0, address: address.to_string() };
    let request = pb::AddNodeRequest::from(AddNodeRequest { node: NodeAt { node, address } });
    let pb::AddNodeReply {} = leader.ask(async |mut client: Client| client.add_node(request.clone()).await).await?;
    output.print(&added)?;
    Ok(Exit::Done)
}

/// Shows the jobs of the newest plan.
pub(crate) async fn show_jobs(settings: JobsSettings, output: Output) -> Result<Exit, Failure> {
    let JobsSettings { endpoints, watch: watched } = settings;
    let mut leader = MetaLeader::new(endpoints)?;
    if watched {
        return watch(&mut leader, None, output).await;
    }
    output.print(&Jobs::from(&jobs(&mut leader).await?))?;
    Ok(Exit::Done)
}

/// Gives up what is not past its point of no return, and waits until it is taken back.
pub(crate) async fn abandon(endpoints: Endpoints, output: Output) -> Result<Exit, Failure> {
    let mut leader = MetaLeader::new(endpoints)?;
    let pb::AbandonReply {} =
        leader.ask(async |mut client: Client| client.abandon(pb::AbandonRequest {}).await).await?;
    // That jobs were abandoned is what was asked for.
    watch(&mut leader, None, output).await.map(|_| Exit::Done)
}

async fn jobs(leader: &mut MetaLeader) -> Result<JobsReply, Failure> {
    leader.ask(async |mut client: Client| client.jobs(pb::JobsRequest {}).await).await
}

/// Shows how a plan goes until nothing of it is left to do. An abandoned job is a refusal.
async fn watch(leader: &mut MetaLeader, first: Option<JobId>, output: Output) -> Result<Exit, Failure> {
    let mut told = String::new();
    loop {
        let reply = jobs(leader).await?;
        // Another plan after this one means that this one is over.
        let ours = first.is_none_or(|first| reply.jobs.first().is_some_and(|(id, _)| *id == first));
        let under_way = reply.jobs.iter().find(|(_, job)| !job.step.is_final());
        let Some((id, job)) = under_way.filter(|_| ours) else {
            output.print(&Jobs::from(&reply))?;
            let abandoned = ours && reply.jobs.iter().any(|(_, job)| job.step == JobStep::Abandoned);
            return Ok(if abandoned { Exit::Refused } else { Exit::Done });
        };
        let place = reply.jobs.iter().position(|(other, _)| other == id).map_or(0, |place| place + 1);
        let row = Row::of(*id, job, reply.progress.as_ref());
        let line = format!("{place}/{}  {row}", reply.jobs.len());
        if line != told {
            // On a terminal one line that is painted over, elsewhere a line for each change.
            let end = if io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
            let _unread = if end.is_empty() {
                writeln!(io::stderr(), "{line}")
            } else {
                write!(io::stderr(), "{end}{line}").and_then(|()| io::stderr().flush())
            };
            told = line;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl From<&JobsReply> for Jobs {
    fn from(reply: &JobsReply) -> Self {
        let under_way = reply.jobs.iter().position(|(_, job)| !job.step.is_final());
        let row = |(place, (id, job)): (usize, &(JobId, Job))| {
            Row::of(*id, job, reply.progress.as_ref().filter(|_| Some(place) == under_way))
        };
        Self { jobs: reply.jobs.iter().enumerate().map(row).collect() }
    }
}

impl Row {
    fn of(id: JobId, job: &Job, progress: Option<&JobProgress>) -> Self {
        let counted = progress.filter(|progress| progress.of > 0);
        let waits_for = progress.map(|progress| progress.waits_for.clone()).filter(|words| !words.is_empty());
        Self {
            job: id.0,
            does: does(&job.kind),
            step: step(job.step),
            round: job.round,
            done: counted.map(|progress| progress.done),
            of: counted.map(|progress| progress.of),
            waits_for,
        }
    }
}

/// What a job does, in the words of the command line.
pub(super) fn does(kind: &JobKind) -> String {
    match kind {
        JobKind::MoveSlots { from, to } => {
            format!("slots {}-{} from group {from} to group {}", to.first, to.last, to.group)
        }
        JobKind::MoveReplica { group, from, to } => format!("replica {from} of group {group} to node {to}"),
        JobKind::MoveLeader { group, to } => format!("leader of group {group} to node {to}"),
        JobKind::AddGroup { nodes } => {
            let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
            format!("new group on nodes {}", nodes.join(", "))
        }
        JobKind::ReplaceDisk { node, disk: _ } => format!("new disk of node {node}"),
        JobKind::Drain { node } => format!("no more replicas for node {node}"),
    }
}

pub(super) fn step(step: JobStep) -> &'static str {
    match step {
        JobStep::Queued => "queued",
        JobStep::PreCopy => "pre-copy",
        JobStep::Freeze => "freeze",
        JobStep::Delta => "delta",
        JobStep::Activate => "activate",
        JobStep::Purge => "purge",
        JobStep::Done => "done",
        JobStep::Abandoned => "abandoned",
        JobStep::Undo => "undo",
    }
}

impl fmt::Display for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.jobs.is_empty() {
            return writeln!(f, "nothing to do");
        }
        self.jobs.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { job, does, step, round, done, of, waits_for } = self;
        write!(f, "job {job}: {does}: {step}")?;
        if *round > 1 {
            write!(f, ", round {round}")?;
        }
        if let (Some(done), Some(of)) = (done, of) {
            write!(f, ", {done} of {of}")?;
        }
        match waits_for {
            Some(words) => write!(f, ", waits: {words}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, address } = self;
        writeln!(f, "node {node} is at {address}; rebalance, or move replicas, to use it")
    }
}
