//! Every limit of the wire, in one place. Bytes unless the name says otherwise; each is the largest value still taken.

use std::time::Duration;

/// Shortest deadline that a request may leave to a node.
pub const DEADLINE_MIN: Duration = Duration::from_millis(1);
/// Longest deadline that a request may leave to a node: what waits longer holds admitted bytes for nothing.
pub const DEADLINE_MAX: Duration = Duration::from_secs(60);
/// Sealed actor of a request.
pub const ACTOR_MAX_BYTES: usize = 1_024;
/// Ciphertext of a summary.
pub const SUMMARY_MAX_BYTES: usize = 65_536;
/// Ciphertext of a whole body, however it travels: 10 MiB of document, and room for sealing and incompressible data.
pub const BODY_MAX_BYTES: usize = 11_534_336;
/// Ciphertext of a body inside its own message; a larger one travels in pieces on the stream.
pub const WHOLE_BODY_MAX_BYTES: usize = 1 << 20;
/// Data of one piece of a body, or of one frame between nodes: what a stream sends before another call gets its turn.
pub const PIECE_MAX_BYTES: usize = 256 * 1_024;
/// Encoded rules of one patient: 256 rules, the longest of which takes 55 bytes.
pub const RULES_MAX_BYTES: usize = 16_384;
/// Entries of one timeline page.
pub const TIMELINE_MAX_ENTRIES: u16 = 200;
/// Size up to which a body may be asked for beside its timeline entry.
pub const INLINE_BODY_MAX_BYTES: u16 = 16_384;
/// Summaries and bodies of one timeline page together, and of one batch of frames. Node and gateway stop filling here.
pub const PAGE_MAX_BYTES: usize = 1 << 20;
/// Rows of one audit page.
pub const AUDIT_MAX_ROWS: u16 = 500;
/// Hashed content of one audit row: a sealed stub, a sealed actor and the ids of a page of records.
pub const AUDIT_CONTENT_MAX_BYTES: usize = 8_192;
/// Fields of one message, before anything is known of it: a slot map of 4,096 ranges, and as many again.
pub const FIELDS_MAX: usize = 8_192;
/// Frames in one message of a stream.
pub const FRAMES_MAX: usize = 256;
/// Shard groups that a bootstrap founds.
pub const BOOTSTRAP_MAX_GROUPS: u32 = 64;
/// Nodes that one admin message names.
pub const ADMIN_MAX_NODES: usize = 64;
/// Replicas that one status or digest names, and members of one group.
pub const ADMIN_MAX_REPLICAS: usize = 1_024;
/// Words about what a placement job waits for.
pub const WAITS_FOR_MAX_BYTES: usize = 512;
/// Text of a node's address: a DNS name of 253, a colon and a port.
pub const ADDRESS_MAX_BYTES: usize = 259;
/// Items of one call to the vault, and so of one entry of its log.
pub const VAULT_MAX_ITEMS: usize = 64;
/// Calendar years that the period of one opening touches.
pub const VAULT_MAX_YEARS: u16 = 32;
/// An opening as the vault sealed it.
pub const OPENING_MAX_BYTES: usize = 1_024;
/// Stubs of one call to the vault: those of a whole audit page.
pub const VAULT_MAX_STUBS: usize = AUDIT_MAX_ROWS as usize;

/// Items of one call to the registrar, and so of one entry of its log.
pub const REGISTRAR_MAX_ITEMS: usize = 64;
/// Clouds of one footprint.
pub const REGISTRAR_MAX_CLOUDS: usize = 64;
/// What an insurer, a card or its authority signs: two entries of a person are 4 KiB.
pub const STATEMENT_MAX_BYTES: usize = 8_192;

/// A document as an institution sends it.
pub const DOCUMENT_MAX_BYTES: usize = 10_485_760;
/// Idempotency key that an institution chooses.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 64;
/// Name of an actor inside the institution.
pub const ACTOR_ID_MAX_BYTES: usize = 64;
/// Role of an actor inside the institution.
pub const ACTOR_ROLE_MAX_BYTES: usize = 32;
/// An actor as its institution signed it.
pub const SIGNED_ACTOR_MAX_BYTES: usize = renkei_access::ACTOR_MAX_BYTES;
/// A ticket.
pub const TICKET_MAX_BYTES: usize = renkei_access::TICKET_MAX_BYTES;
/// A directory, signatures included.
pub const DIRECTORY_MAX_BYTES: usize = renkei_access::DIRECTORY_MAX_BYTES;
/// A sealed continuation token.
pub const CONTINUATION_MAX_BYTES: usize = 256;
/// Summaries of one timeline page as an institution gets it, both forms together. A gateway ends the page here.
pub const RECORD_PAGE_MAX_BYTES: usize = 2 << 20;
/// One message of `RecordService`, either way: what clients of other makes take unless told otherwise.
pub const RECORD_MESSAGE_MAX_BYTES: usize = 4 << 20;

/// One message of `VaultService`, either way: 64 openings of 6 classes and 32 years are 600 KiB, 500 stubs as much.
pub const VAULT_MESSAGE_MAX_BYTES: usize = 2 << 20;
/// One message of `KeyholderService`, either way: 64 points with what belongs to each are 8 KiB.
pub const KEYHOLDER_MESSAGE_MAX_BYTES: usize = 16 * 1_024;
/// One message of `RegistrarService`, either way: 64 statements with their signatures, or the tickets of 64 clouds.
pub const REGISTRAR_MESSAGE_MAX_BYTES: usize = 1 << 20;
/// One message of `DirectoryService`, either way.
pub const DIRECTORY_MESSAGE_MAX_BYTES: usize = DIRECTORY_MAX_BYTES + 1_024;
/// One message of `NodeService`, either way, for the limit of the codec.
///
/// tonic has one limit for each service, so the unary calls and the stream share it. The largest message is a batch of
/// frames that was filled to just under [`PAGE_MAX_BYTES`] before its last frame, a put with its whole body, came.
pub const NODE_MESSAGE_MAX_BYTES: usize = 2 * PAGE_MAX_BYTES + 256 * 1_024;
/// One message of `PeerService`: [`PEER_BATCH_MAX_BYTES`] of data and the heads of [`FRAMES_MAX`] frames.
pub const PEER_MESSAGE_MAX_BYTES: usize = PEER_BATCH_MAX_BYTES + 64 * 1_024;
/// Data of all frames in one message between nodes.
pub const PEER_BATCH_MAX_BYTES: usize = 1 << 20;
/// One message of `TransferService`: a chunk of rows, or the largest row, and the heads of the rows.
pub const TRANSFER_MESSAGE_MAX_BYTES: usize = BODY_MAX_BYTES + 256 * 1_024;
/// One message of `NodeAdminService`, of `VaultAdminService` and of `RegistrarAdminService`.
pub const ADMIN_MESSAGE_MAX_BYTES: usize = 1 << 20;
