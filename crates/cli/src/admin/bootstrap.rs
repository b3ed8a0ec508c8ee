//! `renkei admin bootstrap`.

use std::fmt;
use std::time::{Duration, Instant};

use renkei_runtime::Role;
use renkei_wire::admin::{BootstrapReply, BootstrapRequest, NodeAt};
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, NodeAdminServiceClient};
use serde::Serialize;

use crate::arguments::{BootstrapSettings, NumberedNode};
use crate::call::answer;
use crate::connection::Caller;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Pause between two attempts, at least.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug, Serialize)]
struct Founded {
    slot_epoch: u64,
    nodes: usize,
    groups: u32,
    replicas: u32,
}

/// Has the first node found the cloud, or the one that it names, and tries again while nodes come up.
pub(crate) async fn bootstrap(settings: BootstrapSettings, output: Output) -> Result<Exit, Failure> {
    let BootstrapSettings { connection, nodes, groups, replicas, wait } = settings;
    let caller = connection.open()?;
    let replicas = replicas.unwrap_or(if nodes.len() < 3 { 1 } else { 3 });
    let request = BootstrapRequest { nodes: nodes.iter().map(NodeAt::from).collect(), groups, replicas };
    let reply = found(&caller, &nodes, &request, Duration::from_secs(wait)).await?;
    output.print(&Founded { slot_epoch: reply.slot_epoch.0, nodes: nodes.len(), groups, replicas })?;
    Ok(Exit::Done)
}

/// Asks the first node, or the one that it names, for at most `wait`.
pub(crate) async fn found(
    caller: &Caller,
    nodes: &[NumberedNode],
    request: &BootstrapRequest,
    wait: Duration,
) -> Result<BootstrapReply, Failure> {
    let began = Instant::now();
    let mut at = nodes.first().ok_or(Failure::Missing { what: "a node", flag: "--node" })?;
    loop {
        let mut client = NodeAdminServiceClient::new(caller.channel(&at.address, Role::Node));
        let failure = match answer(&at.address, client.bootstrap(pb::BootstrapRequest::from(request.clone()))).await {
            Ok(reply) => return Ok(reply),
            Err(failure) => failure,
        };
        let Some(next) = next_attempt(&failure, nodes, at) else { return Err(failure) };
        if began.elapsed() >= wait {
            return Err(failure);
        }
        tokio::time::sleep(PAUSE).await;
        at = next;
    }
}

/// Where to ask again: the same request is harmless twice, so whatever may pass is tried again.
fn next_attempt<'a>(failure: &Failure, nodes: &'a [NumberedNode], asked: &'a NumberedNode) -> Option<&'a NumberedNode> {
    match failure {
        Failure::Refused { source, .. } if source.code == ErrorCode::NotLeader => {
            let leader = source.leader_node?;
            nodes.iter().find(|node| node.node == leader)
        }
        Failure::Refused { source, .. } if source.retry_after.is_some() => Some(asked),
        Failure::Unreachable { .. } | Failure::TimedOut { .. } => Some(asked),
        _ => None,
    }
}

impl From<&NumberedNode> for NodeAt {
    fn from(node: &NumberedNode) -> Self {
        Self { node: node.node, address: node.told.clone() }
    }
}

impl fmt::Display for Founded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot_epoch, nodes, groups, replicas } = self;
        writeln!(f, "founded: {nodes} nodes, {groups} groups of {replicas} replicas, slot map {slot_epoch}")
    }
}

#[cfg(test)]
mod tests {
    use renkei_ids::NodeId;
    use renkei_wire::Refusal;

    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let nodes: Vec<NumberedNode> = ["1=a:1", "2=b:1"].map(|text| text.parse().unwrap()).into();
        let refused = |source| Failure::Refused { address: "a:1".into(), source };
        let next = |failure: &Failure| next_attempt(failure, &nodes, &nodes[0]).map(|node| node.node);
        assert_eq!(next(&refused(Refusal::new(ErrorCode::NotLeader).led_by(NodeId(2)))), Some(NodeId(2)));
        assert_eq!(next(&refused(Refusal::new(ErrorCode::NotLeader).led_by(NodeId(9)))), None);
        assert_eq!(next(&refused(Refusal::new(ErrorCode::Unavailable))), Some(NodeId(1)));
        assert_eq!(next(&refused(Refusal::new(ErrorCode::AlreadyBootstrapped))), None);
        assert_eq!(next(&refused(Refusal::new(ErrorCode::RoleNotAllowed))), None);
        assert_eq!(next(&Failure::TimedOut { address: "a:1".into(), seconds: 1 }), Some(NodeId(1)));
    }
}
