//! The vault of a cloud: one process, or three that replicate each other.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use renkei_runtime::Role;

use super::{Cloud, CloudError, READY_TIMEOUT, STOP_TIMEOUT, Site, process};
use crate::{LaunchError, Process, VaultCommandError, VaultSpec, vault, vault_config};

fn command(source: VaultCommandError) -> CloudError {
    CloudError::VaultCommand { source }
}

fn failed(source: LaunchError) -> CloudError {
    CloudError::Vault { source }
}

impl Cloud {
    /// Makes a vault of one replica beside the nodes: see [`add_vaults`](Self::add_vaults).
    pub fn add_vault(&mut self, memory_mib: u32, set: &[String]) -> Result<(), CloudError> {
        self.add_vaults(1, memory_mib, set)
    }

    /// Makes a vault of 1 or 3 replicas beside the nodes: its keys by `renkei-vault setup`, certificates and
    /// configurations, and has the nodes take its capabilities from their next start. `set` is more configuration for each
    /// replica, as in [`CloudSpec`](super::CloudSpec).
    pub fn add_vaults(&mut self, replicas: u32, memory_mib: u32, set: &[String]) -> Result<(), CloudError> {
        if !matches!(replicas, 1 | 3) {
            return Err(CloudError::VaultSize { replicas });
        }
        let sites =
            (1..=replicas).map(|id| Ok((id, Site::local()?))).collect::<Result<BTreeMap<_, _>, CloudError>>()?;
        let addresses: BTreeMap<_, _> = sites.iter().map(|(id, site)| (*id, site.listen)).collect();
        let peers = if replicas == 1 { BTreeMap::new() } else { addresses };
        let first_keys = self.dir.join("vault-1-keys");
        vault::make_keys(&first_keys, None).map_err(command)?;
        for (id, site) in sites {
            let name = format!("vault-{id}");
            let (data, keys) = (self.dir.join(&name), self.dir.join(format!("{name}-keys")));
            vault::make_keys(&keys, Some(&first_keys)).map_err(command)?;
            let config = vault_config(&VaultSpec {
                id,
                cloud: self.cloud,
                listen: site.listen,
                admin: site.admin,
                tls: self.issue(Role::Vault, &id.to_string())?,
                data: data.clone(),
                memory_mib,
                keys,
                raft: self.raft,
                peers: peers.clone(),
            });
            let spec = process(&self.dir, "renkei-vault", &name, &data, &config, set, site.admin)?;
            self.vaults.insert(id, site.service(spec));
        }
        let public = vault::public_key(&first_keys).map_err(command)?;
        for node in self.nodes.values_mut() {
            node.spec.args.extend(["--set".into(), format!("vault.keys=[\"{public}\"]").into()]);
        }
        Ok(())
    }

    /// Starts every replica of the vault that is not running, and waits until all are ready, [`READY_TIMEOUT`] each; the
    /// first time it has the vault begin.
    pub fn start_vault(&mut self) -> Result<(), CloudError> {
        let ids: Vec<_> = self.vaults.keys().copied().collect();
        let first = *ids.first().ok_or(CloudError::NoVault)?;
        for id in &ids {
            self.start_vault_replica(*id)?;
        }
        for id in ids {
            self.vault_replica(id)?.wait_ready(READY_TIMEOUT).map_err(failed)?;
        }
        if !self.vault_begun {
            self.found_vault(first)?;
        }
        Ok(())
    }

    /// Has the vault begin, by `renkei-vault found` on the host of this replica. Every replica must be running.
    pub fn found_vault(&mut self, at: u32) -> Result<(), CloudError> {
        let vault = self.vaults.get(&at).ok_or(CloudError::NoVault)?;
        vault::found(&vault.spec.args).map_err(command)?;
        self.vault_begun = true;
        Ok(())
    }

    /// Starts one replica of the vault, without waiting for it. One that runs is left alone.
    pub fn start_vault_replica(&mut self, id: u32) -> Result<(), CloudError> {
        self.vaults.get_mut(&id).ok_or(CloudError::NoVault)?.start().map_err(failed)
    }

    /// The process of the first replica, which has been started.
    pub fn vault(&mut self) -> Result<&mut Process, CloudError> {
        self.vault_replica(1)
    }

    /// The process of a replica that has been started.
    pub fn vault_replica(&mut self, id: u32) -> Result<&mut Process, CloudError> {
        self.vaults.get_mut(&id).ok_or(CloudError::NoVault)?.process.as_mut().ok_or(CloudError::VaultNotRunning)
    }

    /// Where the first replica serves; `None` where there is no vault.
    pub fn vault_address(&self) -> Option<SocketAddr> {
        self.vaults.get(&1).map(|vault| vault.listen)
    }

    /// Where each replica of the vault serves, by number.
    pub fn vault_addresses(&self) -> BTreeMap<u32, SocketAddr> {
        self.vaults.iter().map(|(id, vault)| (*id, vault.listen)).collect()
    }

    /// Stops every running replica, all at once, and waits.
    pub(super) fn stop_vaults(&mut self) -> Result<(), CloudError> {
        let mut running: Vec<_> = self.vaults.values_mut().filter_map(|vault| vault.process.take()).collect();
        running.iter_mut().try_for_each(|process| process.terminate().map_err(failed))?;
        running.iter_mut().try_for_each(|process| process.stop(STOP_TIMEOUT).map(|_| ()).map_err(failed))
    }
}
