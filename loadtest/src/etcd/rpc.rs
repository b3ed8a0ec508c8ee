//! The few messages of etcd's API that are used, with the field numbers of its `rpc.proto` and `kv.proto`
//! (packages etcdserverpb and mvccpb; fields that are neither sent nor read are left out, as protobuf allows).

use bytes::Bytes;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct ResponseHeader {
    #[prost(uint64, tag = "2")]
    pub(super) member_id: u64,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct RangeRequest {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) range_end: Bytes,
    #[prost(int64, tag = "3")]
    pub(super) limit: i64,
    /// False asks for a linearizable read.
    #[prost(bool, tag = "7")]
    pub(super) serializable: bool,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct KeyValue {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) value: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct RangeResponse {
    #[prost(message, repeated, tag = "2")]
    pub(super) kvs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct PutRequest {
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct PutResponse {}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct StatusRequest {}

#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct StatusResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) header: Option<ResponseHeader>,
    #[prost(string, tag = "2")]
    pub(super) version: String,
    #[prost(uint64, tag = "4")]
    pub(super) leader: u64,
}

/// A request, its answer, and the path of the call.
pub(super) trait Call: prost::Message + Send + Sync + 'static {
    type Answer: prost::Message + Default + Send + Sync + 'static;
    const PATH: &'static str;
}

impl Call for RangeRequest {
    type Answer = RangeResponse;
    const PATH: &'static str = "/etcdserverpb.KV/Range";
}

impl Call for PutRequest {
    type Answer = PutResponse;
    const PATH: &'static str = "/etcdserverpb.KV/Put";
}

impl Call for StatusRequest {
    type Answer = StatusResponse;
    const PATH: &'static str = "/etcdserverpb.Maintenance/Status";
}

/// One unary call.
pub(super) async fn call<C: Call>(channel: &Channel, request: C) -> Result<C::Answer, Box<tonic::Status>> {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.map_err(|lost| tonic::Status::from_error(lost.into()))?;
    let path = http::uri::PathAndQuery::from_static(C::PATH);
    let answer = grpc.unary(tonic::Request::new(request), path, ProstCodec::<C, C::Answer>::default()).await?;
    Ok(answer.into_inner())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    /// Bytes as etcd's own clients write them, put together by hand from its field numbers and wire types.
    #[test]
    fn requests_have_etcds_field_numbers() {
        let put = PutRequest { key: Bytes::from_static(b"k"), value: Bytes::from_static(b"vv") };
        assert_eq!(put.encode_to_vec(), b"\x0a\x01k\x12\x02vv");
        let range = RangeRequest {
            key: Bytes::from_static(b"a"),
            range_end: Bytes::from_static(b"b"),
            limit: 20,
            serializable: true,
        };
        assert_eq!(range.encode_to_vec(), b"\x0a\x01a\x12\x01b\x18\x14\x38\x01");
    }

    #[test]
    fn answers_read_past_fields_that_are_not_used() {
        // header {cluster_id 1, member_id 2, revision 3, raft_term 4}, one pair with every field, more, count.
        let bytes = b"\x0a\x08\x08\x01\x10\x02\x18\x03\x20\x04\x12\x0f\x0a\x01k\x10\x05\x18\x06\x20\x07\x2a\x02vv\x30\x08\x18\x01\x20\x09";
        let range = RangeResponse::decode(&bytes[..]).unwrap();
        assert_eq!(range.kvs, [KeyValue { key: Bytes::from_static(b"k"), value: Bytes::from_static(b"vv") }]);
        let status =
            StatusResponse::decode(&b"\x0a\x04\x08\x01\x10\x07\x12\x033.4\x18\x63\x20\x07\x28\x01"[..]).unwrap();
        assert_eq!(status.header, Some(ResponseHeader { member_id: 7 }));
        assert_eq!((status.version.as_str(), status.leader), ("3.4", 7));
    }
}
