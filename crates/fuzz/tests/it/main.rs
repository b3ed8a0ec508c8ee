//! Every target as a property test: its seeds, its corpus, and mutations of both from a fixed seed. Inputs that failed once
//! are in the corpus, so that none of them fails again unseen.

mod corpus;
mod properties;
