//! The last question.

use super::Output;
use crate::{Result, plan::Plan};

/// Whether the person wants the plan.
pub(super) fn apply(_plan: &Plan, _out: &Output) -> Result<bool> {
    Ok(true)
}
