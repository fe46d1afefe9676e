//! Where binaries come from: the release bucket, or a bundle of what it has.

use super::{Artifact, Bundle, Client, DownloadProgress, Fetched};
use crate::Result;
use std::fs::File;

/// Where binaries come from.
#[derive(Debug)]
pub enum Supply {
    /// The release bucket.
    Bucket(Box<Client>),
    /// A file that was made of it.
    Bundle(Bundle),
}

impl Supply {
    /// Writes the verified binary into an empty file and syncs it.
    ///
    /// # Errors
    /// As [`Client::fetch`] and [`Bundle::fetch`].
    pub fn fetch(
        &self,
        artifact: &Artifact,
        into: File,
        watch: &dyn DownloadProgress,
    ) -> Result<Fetched> {
        match self {
            Self::Bucket(client) => client.fetch(artifact, into, watch),
            Self::Bundle(bundle) => bundle.fetch(artifact, into, watch),
        }
    }
}
