//! The release bucket.
