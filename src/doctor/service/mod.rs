//! The service: its definition and its state.

mod command;
mod daemon;
mod defined;
mod drop_in;
mod known;
mod launchd;
mod limits;
mod log;
mod sandbox;
mod state;
mod unit;

use super::Check;

/// What does not depend on what the agent does.
pub(super) const DEFINITION: &[&Check] = &[
    &defined::DEFINED,
    &defined::LOADED,
    &defined::NEW_ENOUGH,
    &command::RIGHT,
    &defined::USER,
    &known::DIRECTIVES,
    &unit::MODE,
    &launchd::DOMAIN,
    &launchd::OUTPUT,
    &launchd::UNHINDERED,
    &unit::ENVIRONMENT_FILES,
    &unit::NETWORK,
    &unit::RESTARTS,
    &unit::STOP,
    &unit::HEALTH,
    &sandbox::ALLOWS_JOBS,
    &limits::SENSIBLE,
];

/// What comes of all else.
pub(super) const STATE: &[&Check] = &[
    &state::RELOADED,
    &state::ENABLED,
    &state::RUNNING,
    &state::NOT_LOOPING,
    &state::HEALTHY,
    &log::EXPLAINED,
];
