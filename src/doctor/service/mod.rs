//! The service: its definition and its state.

mod command;
mod daemon;
mod defined;
pub(super) mod drop_in;
mod known;
mod launchd;
mod limits;
mod log;
mod result;
mod sandbox;
mod state;
mod task;
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
    &task::TRIGGERED,
    &task::UNLIMITED,
    &task::UNCONDITIONAL,
    &task::ONE_INSTANCE,
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
    &result::SESSION_KEPT,
    &result::LOGS_ON,
    &state::RUNNING,
    &state::NOT_LOOPING,
    &state::HEALTHY,
    &log::EXPLAINED,
];
