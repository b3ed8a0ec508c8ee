//! The wire against its written promises, and every conversion there and back.

mod baseline;
mod descriptors;
mod errors;
