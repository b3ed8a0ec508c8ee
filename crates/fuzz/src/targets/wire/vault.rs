//! Messages between gateways and vaults.

use bytes::Bytes;
use renkei_wire::pb::node::v1::SignedCapability;
use renkei_wire::pb::vault::v1 as pb;
use renkei_wire::vault::{
    Batch, DeleteGrant, DeleteItem, InsecureOpening, OpenStubsReply, OpenStubsRequest, Opened, PutGrant, PutItem,
    Results, TicketOpening,
};

const READERS: [fn(&[u8]); 9] = [
    super::read::<pb::OpenInsecureRequest, Batch<InsecureOpening>>,
    super::read::<pb::PutsRequest, Batch<PutItem>>,
    super::read::<pb::DeletesRequest, Batch<DeleteItem>>,
    super::read::<pb::OpenStubsRequest, OpenStubsRequest>,
    super::read::<pb::OpenReply, Results<Opened>>,
    super::read::<pb::PutsReply, Results<PutGrant>>,
    super::read::<pb::DeletesReply, Results<DeleteGrant>>,
    super::read::<pb::OpenStubsReply, OpenStubsReply>,
    super::read::<pb::OpenTicketsRequest, Batch<TicketOpening>>,
];

pub(crate) fn run(bytes: &[u8]) {
    super::choose(bytes, &READERS);
}

fn filled(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn classes() -> Vec<pb::Class> {
    (1..=3).flat_map(|category| [1, 2].map(|part| pb::Class { category, part })).collect()
}

fn capability() -> Option<SignedCapability> {
    Some(SignedCapability { body: filled(80), signature: filled(64) })
}

fn requests() -> Vec<Vec<u8>> {
    let opening = pb::InsecureOpening {
        pseudonym: filled(32),
        institution: filled(16),
        purpose: 1,
        evidence: 1,
        classes: classes(),
        from_month: 24_000,
        to_month: 24_311,
        read: true,
        write: true,
        delete: true,
        audit: true,
    };
    let by_ticket = pb::TicketOpening {
        ticket: filled(900),
        institution: filled(16),
        home_cell: filled(16),
        reads: classes(),
        from_month: 24_000,
        to_month: 24_311,
        write: true,
        delete: true,
        audit: true,
    };
    let put = |replaces| pb::PutItem { opening: filled(153), category: 2, month: 24_000, replaces };
    let replaced = pb::Replaced { record_id: filled(16), version: 3 };
    let delete = pb::DeleteItem { opening: filled(153), record_id: filled(16), version: 1 };
    let stub = pb::SealedStub { capability_id: filled(16), stub: filled(90) };
    let (request_id, deadline_ms) = (filled(16), 1_000);
    vec![
        super::seed(
            0,
            &pb::OpenInsecureRequest { request_id: request_id.clone(), deadline_ms, items: vec![opening; 2] },
        ),
        super::seed(
            8,
            &pb::OpenTicketsRequest { request_id: request_id.clone(), deadline_ms, items: vec![by_ticket; 2] },
        ),
        super::seed(
            1,
            &pb::PutsRequest {
                request_id: request_id.clone(),
                deadline_ms,
                items: vec![put(None), put(Some(replaced))],
            },
        ),
        super::seed(2, &pb::DeletesRequest { request_id: request_id.clone(), deadline_ms, items: vec![delete] }),
        super::seed(3, &pb::OpenStubsRequest { request_id, deadline_ms, opening: filled(153), stubs: vec![stub; 2] }),
    ]
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let keys = vec![pb::YearKey { year: 2_026, key: filled(32) }];
    let grant = |class| pb::ClassGrant { class: Some(class), tag: filled(16), keys: keys.clone() };
    let opened = pb::Opened {
        pid: filled(16),
        capability: capability(),
        classes: classes().into_iter().map(grant).collect(),
        institution_tag: filled(16),
        binding_tag: filled(16),
        stub_key: filled(32),
        reference_key: filled(32),
        opening: filled(153),
        expires_ms: 9,
    };
    let granted = pb::PutGrant {
        pid: filled(16),
        record_id: filled(16),
        version: 1,
        capability: capability(),
        summary_class: filled(16),
        document_class: filled(16),
        binding_tag: filled(16),
        summary_key: filled(32),
        document_key: filled(32),
        write_tag_key: filled(32),
        stub_key: filled(32),
        reference_key: filled(32),
        expires_ms: 9,
    };
    let deleted = pb::DeleteGrant {
        pid: filled(16),
        capability: capability(),
        write_tag_key: filled(32),
        stub_key: filled(32),
        expires_ms: 9,
    };
    let stub = pb::OpenedStub { purpose: 5, evidence: 6, cell: filled(32), stub_key: filled(32) };
    let refusal = renkei_wire::pb::node::v1::Refusal { code: "budget_exhausted".into(), ..Default::default() };
    let open = [pb::open_result::Outcome::Opened(opened), pb::open_result::Outcome::Refusal(refusal)];
    let stubs = [pb::stub_result::Outcome::Opened(stub), pb::stub_result::Outcome::Hidden(pb::Hidden {})];
    let mut seeds = requests();
    seeds.extend([
        super::seed(
            4,
            &pb::OpenReply { results: open.map(|outcome| pb::OpenResult { outcome: Some(outcome) }).into() },
        ),
        super::seed(
            5,
            &pb::PutsReply {
                results: vec![pb::PutResult { outcome: Some(pb::put_result::Outcome::Granted(granted)) }],
            },
        ),
        super::seed(
            6,
            &pb::DeletesReply {
                results: vec![pb::DeleteResult { outcome: Some(pb::delete_result::Outcome::Granted(deleted)) }],
            },
        ),
        super::seed(
            7,
            &pb::OpenStubsReply { results: stubs.map(|outcome| pb::StubResult { outcome: Some(outcome) }).into() },
        ),
    ]);
    seeds
}
