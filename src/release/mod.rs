//! The release bucket: which version there is, what it must hash to, and the one pass that
//! downloads, decodes, hashes and writes it.

mod attempt_error;
mod certificates;
mod checksums;
mod client;
mod decode;
mod download;
mod network;
mod pipeline;
mod retry;
mod stalls;
mod text;
mod transport;
mod write;

pub(crate) use certificates::read as read_certificates;
pub use checksums::checksum_for;
pub use client::{Artifact, Client, DownloadProgress, Fetched};
pub use network::Network;
pub use text::newest_version;
