//! Paths that a person may allow for `--allow-path`.

use super::goes_up;
use crate::{
    Command, Help,
    platform::paths::is_system,
    text::{inner, is_whole},
};
use std::path::PathBuf;

/// A path that a person may allow: absolute, and not of the system.
///
/// # Errors
/// [`crate::Code::ValueInvalid`], with what is wrong.
pub fn allowed_path(text: &str) -> crate::Result<PathBuf> {
    let path = inner(text);
    let refuse = |why: &str| {
        let message = format!("--allow-path {text}: {why}");
        Err(crate::Error::new(crate::Code::ValueInvalid, message).help(Help::of_program(
            Command::fixed("runnerup doctor"),
            "names paths that can be allowed",
        )))
    };
    if !is_whole(&path) || goes_up(&path) {
        return refuse("it must be an absolute path without `..`");
    }
    if is_system(&path) {
        return refuse("it is a path of the system, which no account may own");
    }
    Ok(path)
}
