use renkei_placement::JOBS_MAX;

use super::job::{InvalidJob, job_from, job_message};
use crate::admin::{JobProgress, JobsReply};
use crate::bounds::{InvalidSize, at_most};
use crate::limits::WAITS_FOR_MAX_BYTES;
use crate::pb::admin::v1 as pb;

/// Jobs that do not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJobsReply {
    /// More jobs than a plan has, or more words than a message takes.
    #[error("jobs of a plan")]
    Size(#[source] InvalidSize),
    /// One of the jobs.
    #[error("job of a plan")]
    Job(#[from] InvalidJob),
}

impl TryFrom<pb::JobProgress> for JobProgress {
    type Error = InvalidJobsReply;

    fn try_from(message: pb::JobProgress) -> Result<Self, InvalidJobsReply> {
        let pb::JobProgress { done, of, waits_for } = message;
        at_most(waits_for.len(), WAITS_FOR_MAX_BYTES).map_err(InvalidJobsReply::Size)?;
        Ok(Self { done, of, waits_for })
    }
}

impl From<JobProgress> for pb::JobProgress {
    fn from(progress: JobProgress) -> Self {
        let JobProgress { done, of, waits_for } = progress;
        Self { done, of, waits_for }
    }
}

impl TryFrom<pb::JobsReply> for JobsReply {
    type Error = InvalidJobsReply;

    fn try_from(message: pb::JobsReply) -> Result<Self, InvalidJobsReply> {
        let pb::JobsReply { stamp, jobs, progress } = message;
        at_most(jobs.len(), JOBS_MAX).map_err(InvalidJobsReply::Size)?;
        Ok(Self {
            stamp,
            jobs: jobs.into_iter().map(job_from).collect::<Result<_, _>>()?,
            progress: progress.map(JobProgress::try_from).transpose()?,
        })
    }
}

impl From<JobsReply> for pb::JobsReply {
    fn from(reply: JobsReply) -> Self {
        let JobsReply { stamp, jobs, progress } = reply;
        Self { stamp, jobs: jobs.into_iter().map(job_message).collect(), progress: progress.map(Into::into) }
    }
}
