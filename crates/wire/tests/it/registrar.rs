//! Messages of the registrar's service: there and back, and refused at their edges.

use bytes::Bytes;
use renkei_wire::pb::registrar::v1 as pb;
use renkei_wire::registrar::RegistrarTicketKey;

#[test]
fn a_ticket_key_reads_back_and_has_32_bytes() {
    let reply = |len| pb::TicketKeyReply { key: Bytes::from(vec![7; len]) };
    let key = RegistrarTicketKey::try_from(reply(32)).unwrap();
    assert_eq!(format!("{key:?} {:?}", reply(32)), "RegistrarTicketKey(..) registrar::v1::TicketKeyReply(..)");
    assert_eq!(pb::TicketKeyReply::from(key), reply(32));
    for len in [0, 31, 33] {
        assert!(RegistrarTicketKey::try_from(reply(len)).is_err(), "{len}");
    }
}
