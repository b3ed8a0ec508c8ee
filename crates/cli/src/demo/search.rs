//! The demo's search for plaintext: what was planted, and the control.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;

use super::corpus;
use crate::control::Control;
use crate::failure::Failure;
use crate::scan::{MIN_TOKEN_BYTES, Tokens, scan};

/// Texts that were planted, and unencrypted databases of the same documents.
#[derive(Debug)]
pub(super) struct Search {
    planted: BTreeSet<String>,
    control: Option<Control>,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) hits: u64,
    pub(super) control_hits: u64,
    pub(super) databases: u64,
    pub(super) pairs: u64,
    pub(super) bytes: u64,
}

impl Search {
    /// Plants who acts, and the beginning of every idempotency key.
    pub(super) fn begin(actor: &str) -> Result<Self, Failure> {
        let planted = [actor.to_owned(), corpus::KEY_PREFIX.to_owned()].into();
        let control = Control::create().map_err(|source| Failure::Control { source })?;
        Ok(Self { planted, control: Some(control) })
    }

    /// Plants texts of documents, also of those that are refused: a refusal must not quote them.
    pub(super) fn plant<'a>(&mut self, documents: impl Iterator<Item = &'a Bytes>) {
        self.planted.extend(documents.flat_map(corpus::texts));
    }

    /// Plants what persons would be recognised by; what is too short would be found everywhere.
    pub(super) fn plant_persons<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        self.planted.extend(texts.filter(|text| text.len() >= MIN_TOKEN_BYTES).map(str::to_owned));
    }

    /// Stores a document where nothing is encrypted.
    pub(super) fn control(&mut self, document: &Bytes) -> Result<(), Failure> {
        let stored = self.control.as_mut().map(|control| control.store(document));
        stored.transpose().map(|_| ()).map_err(|source| Failure::Control { source })
    }

    /// What was planted, one a line.
    pub(super) fn planted(&self) -> String {
        self.planted.iter().map(|text| format!("{text}\n")).collect()
    }

    /// Looks through the directory, where no process may run, and through the control, which goes with it.
    pub(super) async fn carry_out(&mut self, dir: &Path) -> Result<Found, Failure> {
        let tokens =
            Tokens::new(self.planted.iter().map(String::as_str)).map_err(|source| Failure::Tokens { source })?;
        let (control, dir) = (self.control.take(), dir.to_owned());
        let searched = tokio::task::spawn_blocking(move || {
            let control = control.map(|control| control.scan(&tokens)).transpose();
            let control = control.map_err(|source| Failure::Control { source })?;
            let findings = scan(&dir, &tokens, None).map_err(|source| Failure::Scan { dir, source })?;
            Ok(Found {
                hits: findings.total,
                control_hits: control.map_or(0, |control| control.total),
                databases: findings.databases,
                pairs: findings.pairs,
                bytes: findings.bytes,
            })
        });
        searched.await.expect("the search does not panic, and nobody aborts it")
    }
}
