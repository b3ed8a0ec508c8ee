//! How the meta group says no.

/// Why a change was refused. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The cloud is founded already, in another shape.
    #[error("the cloud is founded already")]
    AlreadyFounded,
    /// The cloud is not founded yet.
    #[error("the cloud is not founded")]
    NotFounded,
    /// The founding names no nodes, too many, one twice, or more replicas than nodes.
    #[error("the founding cannot be carried out")]
    InvalidFounding,
    /// The version would go back.
    #[error("the version can only grow")]
    VersionGoesBack,
    /// There is no such node.
    #[error("there is no such node")]
    UnknownNode,
    /// There is no such group, replica or slot where the job says.
    #[error("the job names what is not there")]
    UnknownSubject,
    /// There is no such job.
    #[error("there is no such job")]
    UnknownJob,
    /// The job is not where the caller believes, or cannot go there.
    #[error("the job is at another step")]
    WrongStep,
    /// Another job is under way: there is one at a time.
    #[error("another job is under way")]
    JobUnderWay,
    /// A limit of nodes or groups is reached.
    #[error("a limit of the cloud is reached")]
    LimitReached,
    /// The command does not read.
    #[error("the command does not read")]
    Malformed,
    /// The placement has changed since the plan was made.
    #[error("the placement has changed since the plan was made")]
    PlanOutdated,
    /// No node may take a replica: each that is not drained hosts the group already.
    #[error("no node may take the replica")]
    NowhereToGo,
    /// The node has claimed another disk, or none is named that it could go on with.
    #[error("the node works on another disk")]
    OtherDisk,
}
