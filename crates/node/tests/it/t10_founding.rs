//! How a cloud begins.

use renkei_ids::NodeId;
use renkei_runtime::Role;
use renkei_wire::pb::admin::v1 as pb;
use renkei_wire::{ErrorCode, NodeAdminServiceClient, Outcome, Refusal};

use crate::cloud::TestCloud;
use crate::patient::{self, Patient};

#[tokio::test]
async fn a_cloud_is_founded_once_and_serves_every_slot() {
    let cloud = TestCloud::unfounded(3, &[]);
    let patient = Patient::new(1);
    let asked = patient::request(patient::sign(&cloud, &patient.capability(&cloud)), patient::timeline());
    let early = cloud.ask_at(NodeId(1), asked.clone()).await.unwrap_err();
    assert_eq!(early.code, ErrorCode::NotBootstrapped);

    let first = cloud.bootstrap(NodeId(1), 4, 3).await.unwrap();
    let again = cloud.bootstrap(NodeId(2), 4, 3).await.unwrap();
    assert_eq!((first.slot_epoch.0, again), (1, first), "the same founding through another node is done already");
    let other = cloud.bootstrap(NodeId(1), 5, 3).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::AlreadyBootstrapped);

    let map = cloud.map().await.unwrap();
    assert_eq!((map.groups.len(), map.nodes.len()), (4, 3));
    for n in (0..=u8::MAX).step_by(16) {
        let patient = Patient::new(n);
        let asked = patient::request(patient::sign(&cloud, &patient.capability(&cloud)), patient::timeline());
        let reply = cloud.ask(&asked, patient.slot()).await.unwrap();
        assert!(matches!(reply.outcome, Outcome::Page(page) if page.entries.is_empty()));
    }
}

#[tokio::test]
async fn one_node_is_a_cloud_and_only_operators_found_it() {
    let cloud = TestCloud::unfounded(1, &[]);
    let request = pb::BootstrapRequest::from(cloud.founding(2, 1));
    for role in [Role::Gateway, Role::Vault] {
        let tls = cloud.identity(role, "stranger");
        let mut admin = NodeAdminServiceClient::new(cloud.channel(&tls, NodeId(1)));
        let status = admin.bootstrap(request.clone()).await.unwrap_err();
        // A vault has no business with nodes and does not get past the handshake.
        let refusal = Refusal::from_status(&status).map(|refusal| refusal.code);
        assert_eq!(refusal.ok(), (role == Role::Gateway).then_some(ErrorCode::RoleNotAllowed));
    }
    cloud.bootstrap(NodeId(1), 2, 1).await.unwrap();
    let too_many = cloud.bootstrap(NodeId(1), 2, 3).await.unwrap_err();
    assert_eq!(too_many.code, ErrorCode::InvalidArgument);
}
