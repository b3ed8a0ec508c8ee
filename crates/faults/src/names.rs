/// An enumeration whose values have names in plans, and which knows all of them.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$value_doc:meta])* $value:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$value_doc])* $value,)+
        }

        #[cfg(feature = "armed")]
        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The name in a plan.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }

            /// The one of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }
        }
    };
}

named! {
    /// Where a process can be made to die or to wait.
    Point {
        /// Entries of a log can be read, and wait for the writer thread.
        LogQueued = "log-queued",
        /// A batch of the log is about to be written.
        LogWrite = "log-write",
        /// A batch is synced, and nobody has been told.
        LogSynced = "log-synced",
        /// A batch is synced, and everybody has been told.
        LogTold = "log-told",
        /// A vote is synced, and nobody has been told.
        VoteSynced = "vote-synced",
        /// A purge is written, not synced.
        LogPurged = "log-purged",
        /// Raft's own task is about to have committed entries applied; the panic of openraft issue 2116 is one line further.
        CommittedSaved = "committed-saved",
        /// Entries are applied in memory and about to be committed to the state.
        ApplyCommit = "apply-commit",
        /// Entries are committed to the state, and nobody has been answered.
        ApplyCommitted = "apply-committed",
        /// Those who proposed the entries have been answered.
        ApplyAnswered = "apply-answered",
        /// A state is about to be flushed.
        StateFlush = "state-flush",
        /// A state is flushed.
        StateFlushed = "state-flushed",
        /// The files of a checkpoint are linked; it has no list of them yet.
        CheckpointLinked = "checkpoint-linked",
        /// A checkpoint is whole, under the name of one being made.
        CheckpointListed = "checkpoint-listed",
        /// A checkpoint has its name; the one before it is not deleted.
        CheckpointNamed = "checkpoint-named",
        /// A file that replaces another is written, not renamed.
        FileStaged = "file-staged",
        /// A received snapshot has the name of the next generation, which does not count.
        GenerationAdopted = "generation-adopted",
        /// The next generation is open and does not count.
        GenerationOpened = "generation-opened",
        /// The next generation counts; the files of the one before are not deleted.
        GenerationCounts = "generation-counts",
        /// A piece of a snapshot has been sent.
        SnapshotSent = "snapshot-sent",
        /// A snapshot's files have been announced here.
        SnapshotBegun = "snapshot-begun",
        /// A piece of a snapshot has been stored here.
        SnapshotStored = "snapshot-stored",
        /// A snapshot has come whole, and is not installed.
        SnapshotWhole = "snapshot-whole",
        /// Slots note what changes, and the controller has not been told. As all that follow of slots: on the leader.
        SlotsMoving = "slots-moving",
        /// Slots wait for rows of another group.
        SlotsAwaited = "slots-awaited",
        /// Slots are frozen.
        SlotsFrozen = "slots-frozen",
        /// Slots are promised to another group.
        SlotsPromised = "slots-promised",
        /// Slots are served, having come or stayed.
        SlotsOwned = "slots-owned",
        /// Slots are given away.
        SlotsGone = "slots-gone",
        /// Some of what slots left behind is removed.
        SlotsPurged = "slots-purged",
        /// Rows of moving slots are in the target's log, and the source knows.
        RowsSent = "rows-sent",
        /// Rows of moving slots are applied, and the source has not been told.
        RowsImported = "rows-imported",
        /// The controller has done what a step asks for, and the placement does not say so.
        StepDone = "step-done",
        /// The placement names the next step, and nothing of it is done.
        StepNamed = "step-named",
        /// A read's row is recorded, and its document not yet read.
        ReadRecorded = "read-recorded",
    }
}

named! {
    /// A rule that can be broken, to see that a test notices.
    Mutation {
        /// An answer leaves before its audit row is committed.
        AnswerBeforeCommit = "answer-before-commit",
        /// A proposal is made under whichever leadership there is.
        AnyLeadership = "any-leadership",
        /// A leader that restarts goes on leading, with the state that it has.
        LeaderRestored = "leader-restored",
        /// A leader serves before its own first entry is applied.
        ServesBeforeOwnEntry = "serves-before-own-entry",
        /// A read takes a second view of the state.
        TwoViews = "two-views",
        /// Who owns a slot is decided when a change is proposed, not when it is applied.
        OwnerCheckedAtProposal = "owner-checked-at-proposal",
        /// A slot's records are served by a group that has given it away.
        StaleEpochServed = "stale-epoch-served",
        /// A slot is promised to another group after its freeze has lapsed.
        LapsedFreezePromised = "lapsed-freeze-promised",
        /// The log is written and not synced.
        SyncSkipped = "sync-skipped",
        /// A snapshot is installed while committed entries wait to be applied.
        InstallUnsettled = "install-unsettled",
    }
}
