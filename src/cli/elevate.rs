//! Going on as root.

use super::{Output, options::UninstallArgs};
use crate::{Code, Error, Result, agent::Token, spec::Settings};
use std::{path::Path, process::ExitCode};

/// Whether the change needs root, and this is not root.
pub(super) fn is_needed(root: Option<&Path>) -> bool {
    root.is_none() && !rustix::process::geteuid().is_root()
}

/// Goes on through sudo where there is a person to ask.
pub(super) fn install(_: &Settings, _: Option<&Token>, _: bool, _: &Output) -> Result<ExitCode> {
    Err(Error::new(Code::NeedsRoot, "installing needs root").help("sudo runnerup install ..."))
}

/// The same for `uninstall`.
pub(super) fn uninstall(_: &UninstallArgs, _: &Output) -> Result<ExitCode> {
    Err(Error::new(Code::NeedsRoot, "uninstalling needs root").help("sudo runnerup uninstall ..."))
}
