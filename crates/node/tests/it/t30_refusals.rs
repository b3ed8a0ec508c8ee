//! Who is let in with what, and who is not: each refusal its own code.

use renkei_access::{Capability, Scope, SigningKey};
use renkei_ids::{KeyHash, NodeId};
use renkei_runtime::Role;
use renkei_wire::pb::node::v1 as pb;
use renkei_wire::{ErrorCode, NodeServiceClient, Operation, PutBody, Refusal};

use crate::cloud::TestCloud;
use crate::patient::{self, Patient, record};

#[tokio::test]
async fn every_bad_capability_has_its_code() {
    let cloud = TestCloud::founded().await;
    let patient = Patient::new(5);
    let good = patient.capability(&cloud);
    let now = cloud.now();
    let cases = [
        (Capability { gateway: KeyHash::from_bytes([9; 32]), ..good.clone() }, ErrorCode::CapabilityOtherGateway),
        (Capability { expires: now, ..good.clone() }, ErrorCode::CapabilityExpired),
        (Capability { issued: now.plus_millis(120_000), ..good.clone() }, ErrorCode::CapabilityNotYetValid),
        (Capability { scope: Scope::WRITE, ..good.clone() }, ErrorCode::CapabilityScope),
    ];
    let leader = cloud.leader(cloud.group_of(patient.slot()).await).await;
    for (capability, code) in cases {
        let asked = patient::request(patient::sign(&cloud, &capability), patient::timeline());
        assert_eq!(cloud.ask_at(leader, asked).await.unwrap_err().code, code);
    }
    let forged = good.sign(&SigningKey::from_seed(&[1; 32])).unwrap();
    let asked = patient::request(forged, patient::timeline());
    assert_eq!(cloud.ask_at(leader, asked).await.unwrap_err().code, ErrorCode::CapabilityInvalid);
    let asked = patient::request(patient::sign(&cloud, &good), patient::timeline());
    assert!(cloud.ask_at(leader, asked).await.is_ok());
}

#[tokio::test]
async fn only_a_gateway_of_this_cloud_gets_an_answer() {
    let cloud = TestCloud::founded().await;
    let patient = Patient::new(5);
    let asked = patient::request(patient::sign(&cloud, &patient.capability(&cloud)), patient::timeline());
    for role in [Role::Node, Role::Operator] {
        let tls = cloud.identity(role, "1");
        let mut client = NodeServiceClient::new(cloud.channel(&tls, NodeId(1)));
        let status = client.execute(pb::Request::from(asked.clone())).await.unwrap_err();
        assert_eq!(Refusal::from_status(&status).unwrap().code, ErrorCode::RoleNotAllowed, "{role:?}");
    }
    // Another gateway of the cloud, with the capability of the first: a stolen capability.
    let thief = cloud.identity(Role::Gateway, "thief");
    let mut client = NodeServiceClient::new(cloud.channel(&thief, NodeId(1)));
    let status = client.execute(pb::Request::from(asked.clone())).await.unwrap_err();
    assert_eq!(Refusal::from_status(&status).unwrap().code, ErrorCode::CapabilityOtherGateway);
    // A gateway of another authority does not get past the handshake.
    let foreign = TestCloud::unfounded(1, &[]);
    let mut client = NodeServiceClient::new(cloud.channel(&foreign.gateway, NodeId(1)));
    let status = client.execute(pb::Request::from(asked)).await.unwrap_err();
    assert!(Refusal::from_status(&status).is_err(), "no refusal of ours: {status:?}");
}

#[tokio::test]
async fn a_follower_names_the_leader_and_bad_requests_name_the_field() {
    let cloud = TestCloud::founded().await;
    let patient = Patient::new(6);
    let leader = cloud.leader(cloud.group_of(patient.slot()).await).await;
    let follower = if leader == NodeId(1) { NodeId(2) } else { NodeId(1) };
    let asked = patient::request(patient::sign(&cloud, &patient.capability(&cloud)), patient::timeline());
    let refusal = cloud.ask_at(follower, asked.clone()).await.unwrap_err();
    assert_eq!((refusal.code, refusal.leader_node), (ErrorCode::NotLeader, Some(leader)));

    let mut client = cloud.client(leader);
    let mut refused = async |change: fn(&mut pb::Request)| {
        let mut message = pb::Request::from(asked.clone());
        change(&mut message);
        let status = client.execute(message).await.unwrap_err();
        let refusal = Refusal::from_status(&status).unwrap();
        (refusal.code, refusal.field.map(|field| field.as_str().to_owned()).unwrap_or_default())
    };
    assert_eq!(refused(|m| m.deadline_ms = 0).await, (ErrorCode::InvalidArgument, "deadline_ms".to_owned()));
    assert_eq!(refused(|m| m.request_id.clear()).await, (ErrorCode::InvalidArgument, "request_id".to_owned()));
    assert_eq!(refused(|m| m.capability = None).await, (ErrorCode::InvalidArgument, "capability".to_owned()));
    assert_eq!(refused(|m| m.operation = None).await, (ErrorCode::InvalidArgument, "operation".to_owned()));

    let capability = patient.writing(&cloud, &[(record(1), 1)]);
    let in_pieces = Operation::Put(patient::put(record(1), 1, 24_000, "s", PutBody::InPieces));
    let asked = patient::request(patient::sign(&cloud, &capability), in_pieces);
    let refusal = cloud.ask_at(leader, asked).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::InvalidArgument, "pieces have no place in a unary call");
}
