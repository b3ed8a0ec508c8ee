//! Faults of a node in a build for tests: a plan in a file, followed for as long as the process runs.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_faults::{InvalidPlan, arm};
use renkei_ids::NodeId;
use renkei_runtime::{OnError, OnShutdown, Shell, TaskKind};
use serde::{Deserialize, Serialize};

/// How often the plan is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// `[faults]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Directory that holds the plan of this node as `node-<id>`; the plan that it follows is put beside it, with the
    /// ending `.armed`, also when somebody took that away.
    pub dir: Option<PathBuf>,
}

/// Why a plan of faults is not followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The plan makes no sense.
    #[error("reading the plan")]
    Invalid(#[from] InvalidPlan),
    /// A file of it.
    #[error("keeping to the files of the plan")]
    File(#[from] io::Error),
}

impl Faults {
    /// Takes the plan that is there now, and follows it.
    ///
    /// # Errors
    /// [`PlanError`].
    pub(crate) fn follow(&self, node: NodeId, shell: &Shell) -> Result<(), PlanError> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let file = dir.join(format!("node-{node}"));
        let mut followed = String::new();
        take(&file, &mut followed)?;
        let kind = TaskKind { name: "faults", on_error: OnError::StopProcess, on_shutdown: OnShutdown::Cancel };
        shell.tasks().spawn(kind, async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                take(&file, &mut followed)?;
            }
            #[expect(unreachable_code, reason = "gives the loop its error type")]
            Ok::<(), PlanError>(())
        });
        Ok(())
    }
}

fn take(file: &Path, followed: &mut String) -> Result<(), PlanError> {
    let plan = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        plan => plan?,
    };
    let armed = file.with_extension("armed");
    if plan != *followed || !armed.exists() {
        arm(&plan)?;
        std::fs::write(armed, &plan)?;
        *followed = plan;
    }
    Ok(())
}
