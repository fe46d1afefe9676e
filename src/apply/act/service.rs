//! Services: enabled, started, drained and stopped.

use super::Tools;
use crate::{
    Result,
    apply::target::{State, Target},
};
use std::time::Duration;

/// A start that is rolled back has run no job that is worth waiting for.
const ROLLBACK_DRAIN: Duration = Duration::from_secs(60);

pub(super) fn before(tools: &Tools<'_>, target: &Target) -> Result<State> {
    let Some(services) = tools.host.services else { return Ok(State::Absent) };
    let is_so = match target {
        Target::Enabled(name) => services.status(name)?.enabled,
        Target::Running(name) => services.status(name)?.active,
        _ => false,
    };
    Ok(if is_so { State::Present } else { State::Absent })
}

pub(super) fn enable(tools: &Tools<'_>, name: &str) -> Result<()> {
    tools.host.services.map_or(Ok(()), |services| services.enable(name))
}

pub(super) fn start(tools: &Tools<'_>, name: &str, drain: Duration) -> Result<()> {
    let Some(services) = tools.host.services else { return Ok(()) };
    stop(tools, name, drain)?;
    if services.status(name)?.needs_reload {
        services.reload()?;
    }
    services.start(name)
}

pub(super) fn stop(tools: &Tools<'_>, name: &str, drain: Duration) -> Result<()> {
    let Some(services) = tools.host.services else { return Ok(()) };
    if !services.status(name)?.active {
        return Ok(());
    }
    services.stop(name, drain)?;
    let what = format!("{name} to finish the job it runs (at most {} s)", drain.as_secs());
    tools.host.wait_until(&what, drain, || Ok(!services.status(name)?.active))
}

pub(super) fn restore(tools: &Tools<'_>, target: &Target, name: &str, to: &State) -> Result<()> {
    let Some(services) = tools.host.services else { return Ok(()) };
    let status = services.status(name)?;
    match (target, to) {
        (Target::Enabled(_), State::Present) if !status.enabled => services.enable(name),
        (Target::Enabled(_), State::Absent) if status.enabled => services.disable(name),
        // One that drains is started again when it has: the stop was taken back meanwhile.
        (Target::Running(_), State::Present) if !status.active || status.stopping => {
            services.start(name)
        }
        (Target::Running(_), State::Absent) if status.active => {
            services.stop(name, ROLLBACK_DRAIN)?;
            // A roll-back goes on whatever the person types.
            tools.host.wait_out("the roll-back's stop", ROLLBACK_DRAIN, || {
                Ok(!services.status(name)?.active)
            })
        }
        _ => Ok(()),
    }
}
