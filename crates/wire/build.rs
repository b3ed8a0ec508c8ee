//! Compiles every file under `proto/` without an installed protoc: the workspace's only build script.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message as _;

/// Messages that hold something of a patient: their `Debug` is written by hand, in `src/pb.rs`, and shows nothing.
const REDACTED: [&str; 81] = [
    ".renkei.keyholder.v1.MintRequest",
    ".renkei.keyholder.v1.MintItem",
    ".renkei.keyholder.v1.Minted",
    ".renkei.keyholder.v1.TicketKeyReply",
    ".renkei.node.v1.SignedCapability",
    ".renkei.node.v1.Request",
    ".renkei.node.v1.GetRecord",
    ".renkei.node.v1.TimelinePosition",
    ".renkei.node.v1.ReadTimeline",
    ".renkei.node.v1.PutRecord",
    ".renkei.node.v1.DeleteRecord",
    ".renkei.node.v1.SetRules",
    ".renkei.node.v1.RevokeCapability",
    ".renkei.node.v1.AuditRef",
    ".renkei.node.v1.RecordEntry",
    ".renkei.node.v1.AuditRow",
    ".renkei.node.v1.BodyPiece",
    ".renkei.peer.v1.PeerFrame",
    ".renkei.record.v1.Patient",
    ".renkei.record.v1.Actor",
    ".renkei.record.v1.PutHead",
    ".renkei.record.v1.PutDocumentRequest",
    ".renkei.record.v1.ReplaceHead",
    ".renkei.record.v1.ReplaceDocumentRequest",
    ".renkei.record.v1.PutDocumentReply",
    ".renkei.record.v1.BulkPutRequest",
    ".renkei.record.v1.BulkPutReply",
    ".renkei.record.v1.GetDocumentRequest",
    ".renkei.record.v1.GetDocumentReply",
    ".renkei.record.v1.QueryTimelineRequest",
    ".renkei.record.v1.TimelineEntry",
    ".renkei.record.v1.TimelinePage",
    ".renkei.record.v1.DeleteDocumentRequest",
    ".renkei.record.v1.ListAuditRequest",
    ".renkei.record.v1.AuditEntry",
    ".renkei.registrar.v1.RegisterRequest",
    ".renkei.registrar.v1.SignedStatement",
    ".renkei.registrar.v1.InsurerStatement",
    ".renkei.registrar.v1.Registration",
    ".renkei.registrar.v1.Entry",
    ".renkei.registrar.v1.FiveItems",
    ".renkei.registrar.v1.Insured",
    ".renkei.registrar.v1.EndOfInsurance",
    ".renkei.registrar.v1.IssueToken",
    ".renkei.registrar.v1.RevokeToken",
    ".renkei.registrar.v1.RegisterReply",
    ".renkei.registrar.v1.RegisterResult",
    ".renkei.registrar.v1.Asking",
    ".renkei.registrar.v1.Actor",
    ".renkei.registrar.v1.CheckEligibilityRequest",
    ".renkei.registrar.v1.Eligibility",
    ".renkei.registrar.v1.BulkEligibilityRequest",
    ".renkei.registrar.v1.BulkEligibilityReply",
    ".renkei.registrar.v1.BulkResult",
    ".renkei.registrar.v1.CheckInRequest",
    ".renkei.registrar.v1.PresentedCard",
    ".renkei.registrar.v1.RenewRequest",
    ".renkei.registrar.v1.CheckedIn",
    ".renkei.registrar.v1.CloudTicket",
    ".renkei.registrar.v1.TicketKeyReply",
    ".renkei.record.v1.OpenTicketsRequest",
    ".renkei.transfer.v1.CopySlotsRequest",
    ".renkei.transfer.v1.CopyProgress",
    ".renkei.transfer.v1.MovedRow",
    ".renkei.vault.v1.OpenInsecureRequest",
    ".renkei.vault.v1.PutsRequest",
    ".renkei.vault.v1.DeletesRequest",
    ".renkei.vault.v1.InsecureOpening",
    ".renkei.vault.v1.OpenTicketsRequest",
    ".renkei.vault.v1.TicketOpening",
    ".renkei.vault.v1.Opened",
    ".renkei.vault.v1.ClassGrant",
    ".renkei.vault.v1.YearKey",
    ".renkei.vault.v1.PutItem",
    ".renkei.vault.v1.Replaced",
    ".renkei.vault.v1.PutGrant",
    ".renkei.vault.v1.DeleteItem",
    ".renkei.vault.v1.DeleteGrant",
    ".renkei.vault.v1.OpenStubsRequest",
    ".renkei.vault.v1.SealedStub",
    ".renkei.vault.v1.OpenedStub",
];

#[expect(clippy::disallowed_methods, reason = "cargo names the output folder in the environment and nowhere else")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", root.display());

    let mut protos = Vec::new();
    collect_protos(&root, &mut protos)?;
    // The order of files is part of the descriptor set, so it must not depend on the directory.
    protos.sort();

    let descriptors = protox::compile(&protos, [&root])?;
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::codec::CountingCodec")
        .skip_debug(REDACTED)
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}

fn collect_protos(folder: &Path, into: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_protos(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            into.push(path);
        }
    }
    Ok(())
}
