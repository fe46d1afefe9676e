//! What an install gives a service manager.

use crate::record::Content;
use std::path::PathBuf;

/// What an install gives a service manager, as one value for all of them.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Logs of root's that are there before they are written, and what each is for.
    pub(crate) logs: Vec<(PathBuf, &'static str)>,
    /// The files that define the services.
    pub(crate) definitions: Vec<DefinitionFile>,
    /// The link to the definition that has an image start the service.
    pub(crate) link: Option<PathBuf>,
    /// The services, in the order in which they are enabled and started.
    pub(crate) services: Vec<String>,
}

/// A file that defines a service.
#[derive(Debug)]
pub(crate) struct DefinitionFile {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
    pub(crate) mode: u32,
    pub(crate) purpose: &'static str,
}
