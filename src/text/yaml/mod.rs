//! YAML for files that people write: a small tree with places, and text quoted where it must be.
//!
//! A tree of events rather than serde's data model, because a lint needs what that model drops:
//! the text of each value as it was written (`007`, `1.10`), whether it was quoted, and where it
//! stands. Files are small and have a known shape, so what YAML has beyond that (aliases, tags,
//! several documents) is refused, and with it everything that could grow without bound.
//!
//! Nothing here puts a *value* into a message: it may be a token.

mod quote;
mod read;

pub use quote::{quoted, scalar};
pub use read::{Entry, Fault, MAX_BYTES, Node, Place, Value, parse, shown};
