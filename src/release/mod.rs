//! The release bucket: which version there is, what it must hash to, and the one pass that
//! downloads, decodes, hashes and writes it.

mod certificates;
mod checksums;
mod client;
mod decode;
mod download;
mod network;
mod pace;
mod pipeline;
mod retry;
mod text;
mod transport;
mod trouble;
mod write;

pub(crate) use certificates::read as read_certificates;
pub use checksums::checksum_for;
pub use client::{Artifact, Client, Fetched, Watch};
pub use network::Network;
pub use text::newest_version;
