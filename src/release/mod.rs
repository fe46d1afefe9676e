//! The release bucket: which version there is, what it must hash to, and the one pass that
//! downloads, decodes, hashes and writes it.

mod answers;
mod archive;
mod artifact;
mod attempt_error;
pub mod bundle;
mod certificates;
mod checksums;
mod client;
mod decode;
mod download;
mod manifest;
mod network;
mod parts;
mod pipeline;
mod ranges;
mod retry;
mod stalls;
mod supply;
mod text;
mod transport;
mod unpack;
mod write;

pub use artifact::Artifact;
pub use bundle::Bundle;
pub(crate) use certificates::read as read_certificates;
pub use checksums::checksum_for;
pub use client::{Client, DownloadProgress, Fetched};
pub use network::Network;
pub use supply::Supply;
pub use text::newest_version;
