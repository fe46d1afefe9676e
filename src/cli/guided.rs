//! The dialogue.

use super::Output;
use crate::{Result, session::Sensed, spec::Settings};

/// Asks for what is missing.
pub(super) fn ask(_settings: &mut Settings, _sensed: &mut Sensed, _out: &Output) -> Result<bool> {
    Ok(true)
}
