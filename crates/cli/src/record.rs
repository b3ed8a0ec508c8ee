//! What an institution does with documents, through its gateway.

mod audit;
mod delete;
mod get;
mod put;
mod timeline;

use std::fs;
use std::path::Path;

use bytes::Bytes;
use renkei_access::{SignedActor, SignedTicket};
use renkei_envelope::Pseudonym;
use renkei_runtime::{Address, Role};
use renkei_wire::limits::TICKET_MAX_BYTES;
use renkei_wire::record::{Acting, Actor, Patient};
use renkei_wire::{RecordServiceClient, limits};
use tonic::transport::Channel;
use zeroize::Zeroizing;

use crate::arguments::Visit;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::hex::unhex;

pub(crate) use audit::list as list_audit;
pub(crate) use delete::delete;
pub(crate) use get::{get, whole_document};
pub(crate) use put::{put, replace, upload};
pub(crate) use timeline::timeline;

/// Bytes of what a listing shows in one call. It ends behind the page that reaches this, and says where to go on.
const LISTED_MAX_BYTES: usize = 64 << 20;

/// A gateway, and what every request to it says.
struct Session {
    address: Address,
    client: RecordServiceClient<Channel>,
    patient: Patient,
    actor: Acting,
}

impl Session {
    /// Reads the files; nothing is sent yet.
    fn open(connection: Connection, visit: Visit) -> Result<Self, Failure> {
        let Visit { ticket, patient, gateway, signed_actor, actor, role } = visit;
        let patient = match (ticket, patient) {
            (Some(path), _) => Patient::Ticket(SignedTicket::from_bytes(limited(&path, TICKET_MAX_BYTES)?)),
            (None, Some(path)) => Patient::InsecurePseudonym(pseudonym(&path)?),
            (None, None) => return Err(Failure::Missing { what: "the patient's ticket", flag: "--ticket" }),
        };
        let actor = match (signed_actor, actor) {
            (Some(path), _) => Acting::Signed(SignedActor::from_bytes(limited(&path, limits::SIGNED_ACTOR_MAX_BYTES)?)),
            (None, Some(id)) => Acting::Believed(Actor { id, role }),
            (None, None) => return Err(Failure::Missing { what: "who acts", flag: "--signed-actor" }),
        };
        let caller = connection.open()?;
        let missing = Failure::Missing { what: "the gateway's address", flag: "--gateway" };
        let address = gateway.or_else(|| caller.endpoints.first().cloned()).ok_or(missing)?;
        let client = RecordServiceClient::new(caller.channel(&address, Role::Gateway))
            .max_decoding_message_size(limits::RECORD_MESSAGE_MAX_BYTES);
        Ok(Self { address, client, patient, actor })
    }
}

/// What a file holds, byte for byte, within what a request takes.
fn limited(path: &Path, most: usize) -> Result<Bytes, Failure> {
    let read = fs::read(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    if (1..=most).contains(&read.len()) { Ok(read.into()) } else { Err(Failure::Size { path: path.to_owned(), most }) }
}

fn pseudonym(path: &Path) -> Result<Pseudonym, Failure> {
    let text = fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })?;
    let text = Zeroizing::new(text);
    let bytes = unhex(text.trim()).map(Zeroizing::new);
    let pseudonym = bytes.and_then(|bytes| Pseudonym::try_from(&bytes[..]).ok());
    pseudonym.ok_or_else(|| Failure::Pseudonym { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_goes_as_it_is_within_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ticket");
        for (len, taken) in [(0, false), (1, true), (TICKET_MAX_BYTES, true), (TICKET_MAX_BYTES + 1, false)] {
            fs::write(&path, vec![7; len]).unwrap();
            assert_eq!(limited(&path, TICKET_MAX_BYTES).is_ok_and(|bytes| bytes.len() == len), taken, "{len}");
        }
    }

    #[test]
    fn a_pseudonym_is_64_digits_and_a_refusal_shows_none_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("patient");
        fs::write(&path, format!("{}\n", "5E".repeat(32))).unwrap();
        assert_eq!(pseudonym(&path).unwrap(), Pseudonym::from_bytes([0x5E; 32]));
        for odd in ["", "5e", &"5e".repeat(33), &"5x".repeat(32)] {
            fs::write(&path, odd).unwrap();
            let refused = pseudonym(&path).unwrap_err();
            assert!(matches!(refused, Failure::Pseudonym { .. }), "{odd}");
            assert!(odd.is_empty() || !refused.to_string().contains(odd));
        }
    }
}
