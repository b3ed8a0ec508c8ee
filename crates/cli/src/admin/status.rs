//! `renkei admin status`.

use std::fmt;

use renkei_runtime::{Address, Chain, Role};
use renkei_wire::NodeAdminServiceClient;
use renkei_wire::admin::{ReplicaStatus, StatusReply};
use renkei_wire::pb::admin::v1::StatusRequest;
use serde::Serialize;

use super::plan::{does, step};
use crate::arguments::StatusSettings;
use crate::call::answer;
use crate::connection::Caller;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Debug, Serialize)]
struct CloudStatus {
    nodes: Vec<NodeStatus>,
}

#[derive(Debug, Serialize)]
struct NodeStatus {
    address: String,
    #[serde(flatten)]
    stands: Standing,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    Up(Up),
    /// Why there is no status.
    Error(String),
}

#[derive(Debug, Serialize)]
struct Up {
    node: u32,
    /// 0 before the cloud is founded.
    slot_epoch: u64,
    disk_free_permille: u16,
    /// The placement names another disk for it: it opens nothing until an operator replaces the node.
    disk_refused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<UnderWay>,
    replicas: Vec<Replica>,
}

/// The placement job under way, as far as the node knows.
#[derive(Debug, Serialize)]
struct UnderWay {
    job: u64,
    does: String,
    step: &'static str,
}

#[derive(Debug, Serialize)]
struct Replica {
    group: u32,
    replica: u64,
    term: u64,
    leads: bool,
    leader_node: Option<u32>,
    members: usize,
    last_log: u64,
    committed: u64,
    applied: u64,
    snapshot: u64,
    purged: u64,
}

/// Asks every node; the worst of the answers is the exit code.
pub(crate) async fn status(settings: StatusSettings, output: Output) -> Result<Exit, Failure> {
    let StatusSettings { connection, nodes } = settings;
    let caller = connection.open()?;
    let nodes = if nodes.is_empty() { caller.endpoints.clone() } else { nodes };
    if nodes.is_empty() {
        return Err(Failure::Missing { what: "a node", flag: "--node" });
    }
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    for address in nodes {
        let stands = match ask(&caller, &address).await {
            Ok(reply) => Standing::Up(reply.into()),
            Err(failure) => {
                exit = worse(exit, failure.exit());
                Standing::Error(Chain(&failure).to_string())
            }
        };
        rows.push(NodeStatus { address: address.to_string(), stands });
    }
    output.print(&CloudStatus { nodes: rows })?;
    Ok(exit)
}

async fn ask(caller: &Caller, address: &Address) -> Result<StatusReply, Failure> {
    let mut client = NodeAdminServiceClient::new(caller.channel(address, Role::Node));
    answer(address, client.status(StatusRequest {})).await
}

fn worse(left: Exit, right: Exit) -> Exit {
    if right.code() > left.code() { right } else { left }
}

impl From<StatusReply> for Up {
    fn from(reply: StatusReply) -> Self {
        let StatusReply {
            node,
            slot_epoch,
            replicas,
            disk_free_permille,
            stamp: _,
            disk: _,
            disk_refused,
            job,
            commands_version: _,
        } = reply;
        let replicas = replicas.into_iter().map(Replica::from).collect();
        let job = job.map(|(id, job)| UnderWay { job: id.0, does: does(&job.kind), step: step(job.step) });
        Self { node: node.0, slot_epoch: slot_epoch.0, disk_free_permille, disk_refused, job, replicas }
    }
}

impl From<ReplicaStatus> for Replica {
    fn from(status: ReplicaStatus) -> Self {
        let ReplicaStatus {
            group,
            replica,
            term,
            leader,
            last_log,
            committed,
            applied,
            snapshot,
            purged,
            members,
            leads,
            voters: _,
            changing: _,
            membership: _,
        } = status;
        Self {
            group: group.0,
            replica: replica.0,
            term,
            leads,
            leader_node: leader.map(|leader| leader.node.0),
            members: members.len(),
            last_log,
            committed,
            applied,
            snapshot,
            purged,
        }
    }
}

impl fmt::Display for CloudStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for NodeStatus { address, stands } in &self.nodes {
            match stands {
                Standing::Up(up) => write!(f, "{address}: {up}")?,
                Standing::Error(error) => writeln!(f, "{address}: no status: {error}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, slot_epoch, disk_free_permille, disk_refused, job, replicas } = self;
        let founded = match slot_epoch {
            0 => "not founded".to_owned(),
            epoch => format!("slot map {epoch}"),
        };
        writeln!(f, "node {node}, {founded}, {} % of the disk free", disk_free_permille / 10)?;
        if *disk_refused {
            writeln!(f, "  its disk is not the one that the cloud knows: it hosts nothing until the node is replaced")?;
        }
        if let Some(UnderWay { job, does, step }) = job {
            writeln!(f, "  job {job} under way: {does}: {step}")?;
        }
        if replicas.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "  {:>5} {:>7} {:>5} {:>8} {:>7} {:>10} {:>10} {:>10} {:>10}",
            "group", "replica", "term", "leader", "members", "log", "committed", "applied", "snapshot"
        )?;
        replicas.iter().try_for_each(|row| {
            let leader = match (row.leads, row.leader_node) {
                (true, _) => "here".to_owned(),
                (false, Some(node)) => format!("node {node}"),
                (false, None) => "none".to_owned(),
            };
            writeln!(
                f,
                "  {:>5} {:>7} {:>5} {:>8} {:>7} {:>10} {:>10} {:>10} {:>10}",
                row.group,
                row.replica,
                row.term,
                leader,
                row.members,
                row.last_log,
                row.committed,
                row.applied,
                row.snapshot
            )
        })
    }
}
