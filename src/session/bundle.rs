//! Bundles: what goes into one, and the one that an install takes its binary from.

use super::{Session, network};
use crate::{
    Code, Error, Result,
    agent::VersionChoice,
    platform::{Platform, exposure::others_can_write, input},
    release::{Artifact, Bundle, Client},
    settings::{Settings, Spec},
    text::shown,
};
use std::path::Path;

impl Session {
    /// What the bucket has of the agent for these platforms, and the client that fetches it.
    ///
    /// # Errors
    /// When the bucket cannot be asked, or lacks one of them.
    pub fn plan_bundle(
        &self,
        spec: &Spec,
        settings: &Settings,
        platforms: &[Platform],
    ) -> Result<(Client, Vec<Artifact>)> {
        let ca = self.ca(spec, settings)?;
        let (network, _) = network::of_download(spec, settings, ca, self.root.is_host());
        let client = Client::new(spec.agent, network);
        let offered = platforms.iter().map(|platform| {
            let version = match &spec.version {
                VersionChoice::Exact(version) => version.clone(),
                VersionChoice::Latest => client.newest(*platform)?,
            };
            client.artifact(&version, *platform, None)
        });
        let artifacts = offered.collect::<Result<Vec<Artifact>>>()?;
        Ok((client, artifacts))
    }
}

/// Opens the bundle of an install.
///
/// # Errors
/// When others could have written it, and as [`Bundle::open`].
pub(super) fn open(path: &Path) -> Result<Bundle> {
    let named = |error: Error| error.context(format!("--bundle {}", shown(path)));
    let unreadable =
        |error: std::io::Error| named(Error::new(Code::ValueInvalid, error.to_string()));
    let file = input::open(path).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    if !meta.is_file() {
        return Err(named(Error::new(Code::ValueInvalid, "this is no regular file")));
    }
    // Its checksums are its own: who writes it chooses what root runs.
    if others_can_write(&meta) {
        let why = "other users of this host can write this file";
        // Without the path: where others can lead it elsewhere, root would change another file.
        return Err(named(Error::new(Code::UntrustedPath, why))
            .help("let its owner alone write it: chmod go-w FILE"));
    }
    Bundle::open(file).map_err(named)
}
