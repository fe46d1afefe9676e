//! YAML for files that people write: a small tree with places, and text quoted where it must be.
//!
//! A tree of events rather than serde's data model, because a lint needs what that model drops:
//! the text of each value as it was written (`007`, `1.10`), whether it was quoted, and where it
//! stands. Anchors, aliases, merge keys and YAML's own tags are taken as the libraries of agents take
//! them, within limits; tags of others are refused.
//!
//! Nothing here puts a *value* into a message: it may be a token.

mod anchors;
#[cfg(test)]
mod fixtures;
mod quote;
mod read;
mod tags;

pub use quote::{quoted, scalar};
pub use read::{
    Document, Entry, Fault, MAX_BYTES, Node, Place, Value, document, parse, second, shown,
};
pub use tags::truth;
