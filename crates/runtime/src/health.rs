//! Liveness and readiness, by named checks that components register.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The checks of a process. It is ready when every one passes and no shutdown has begun.
#[derive(Clone, Debug, Default)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<&'static str, Option<&'static str>>>>,
}

/// One component's say in readiness. It counts from registration until the process ends.
#[derive(Clone, Debug)]
pub struct Check {
    name: &'static str,
    health: Health,
}

impl Health {
    /// A check that does not pass yet. `name` is shown on the admin port; registering it again returns it to not passing.
    pub fn register(&self, name: &'static str) -> Check {
        let check = Check { name, health: self.clone() };
        check.fail("starting");
        check
    }

    /// Every check, by name, with the reason why it does not pass.
    pub fn report(&self) -> BTreeMap<&'static str, Option<&'static str>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, name: &'static str, reason: Option<&'static str>) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(name, reason);
    }
}

impl Check {
    /// The component can do its work.
    pub fn pass(&self) {
        self.health.set(self.name, None);
    }

    /// The component cannot do its work; why, in a constant.
    pub fn fail(&self, reason: &'static str) {
        self.health.set(self.name, Some(reason));
    }
}
