//! Messages about the directory: there and back, and refused at their edges.

use bytes::Bytes;
use prost::Message as _;
use renkei_access::{InvalidDirectory, NotServed, NotTaken};
use renkei_ids::{CloudId, DenyEpoch, DirectoryVersion};
use renkei_wire::directory::{CurrentReply, CurrentRequest, PublishReply, PublishRequest};
use renkei_wire::limits::{DIRECTORY_MAX_BYTES, DIRECTORY_MESSAGE_MAX_BYTES};
use renkei_wire::pb::directory::v1 as pb;
use renkei_wire::{ErrorCode, Refusal};

fn bytes(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

#[test]
fn messages_read_back_and_the_largest_fits_its_codec() {
    for len in [1, DIRECTORY_MAX_BYTES] {
        let message = pb::PublishRequest { directory: bytes(len) };
        assert!(message.encoded_len() <= DIRECTORY_MESSAGE_MAX_BYTES, "{}", message.encoded_len());
        assert_eq!(pb::PublishRequest::from(PublishRequest::try_from(message.clone()).unwrap()), message);
    }
    let message = pb::PublishReply { version: u64::MAX };
    assert_eq!(pb::PublishReply::from(PublishReply::try_from(message).unwrap()), message);
    for known in [0, 1, u64::MAX] {
        let message = pb::CurrentRequest { known };
        assert_eq!(pb::CurrentRequest::from(CurrentRequest::from(message)), message);
    }
    for (version, len) in [(0, 0), (7, 0), (u64::MAX, DIRECTORY_MAX_BYTES)] {
        let message = pb::CurrentReply { version, directory: bytes(len) };
        assert!(message.encoded_len() <= DIRECTORY_MESSAGE_MAX_BYTES, "{}", message.encoded_len());
        assert_eq!(pb::CurrentReply::from(CurrentReply::try_from(message.clone()).unwrap()), message);
    }
}

#[test]
fn messages_outside_their_limits_are_refused_by_field() {
    let publish = |len| {
        let refused = PublishRequest::try_from(pb::PublishRequest { directory: bytes(len) }).err().unwrap();
        let refusal = Refusal::from(refused);
        (refusal.code, refusal.field.unwrap().as_str().to_owned())
    };
    assert_eq!(publish(0), (ErrorCode::InvalidArgument, "directory".to_owned()));
    assert_eq!(publish(DIRECTORY_MAX_BYTES + 1), (ErrorCode::TooLarge, "directory".to_owned()));
    assert!(PublishReply::try_from(pb::PublishReply { version: 0 }).is_err());
    let current = |version, len| CurrentReply::try_from(pb::CurrentReply { version, directory: bytes(len) }).is_err();
    assert!(current(0, 1) && current(1, DIRECTORY_MAX_BYTES + 1));
}

#[test]
fn every_reason_has_the_code_that_says_what_to_do() {
    let (held, offered) = (DirectoryVersion(7), DirectoryVersion(6));
    let not_newer = Refusal::from(NotTaken::NotNewer { held, offered });
    assert_eq!((not_newer.code, not_newer.current_version), (ErrorCode::DirectoryNotNewer, Some(7)));
    let (held, offered) = (DenyEpoch(1), DenyEpoch(1));
    let cases = [
        (NotTaken::Invalid(InvalidDirectory::Forged), ErrorCode::DirectoryInvalid),
        (NotTaken::NotYetValid, ErrorCode::DirectoryNotYetValid),
        (NotTaken::Known, ErrorCode::DirectoryNotNewer),
        (NotTaken::DenyEpoch { held, offered }, ErrorCode::DirectoryNotNewer),
        (NotTaken::PseudonymEpoch(CloudId::from_bytes([1; 16])), ErrorCode::DirectoryNotNewer),
    ];
    for (not, code) in cases {
        assert_eq!(Refusal::from(not).code, code, "{not}");
    }
    let cases = [
        (NotServed::NotEnrolled, ErrorCode::InstitutionNotEnrolled),
        (NotServed::Denied, ErrorCode::InstitutionDenied),
        (NotServed::NoCell, ErrorCode::CellNotServing),
        (NotServed::OtherCell, ErrorCode::CellNotServing),
    ];
    for (not, code) in cases {
        assert_eq!(Refusal::from(not).code, code, "{not}");
    }
}
