//! The service: its definition and its state.

mod command;
mod current;
mod defined;
mod definition;
mod in_front;
pub(super) mod launchd;
mod limits;
mod log;
mod rules;
mod state;
mod systemd;
mod task_scheduler;

pub(super) use rules::rules;
pub(super) use systemd::{lacks_program, path_as_meant, restart, unit};

use super::Check;

/// Checks of the definition.
pub(super) const DEFINITION: &[&Check] = &[
    &defined::DEFINED,
    &defined::LOADED,
    &systemd::NEW_ENOUGH,
    &systemd::AS_MEANT,
    &command::RIGHT,
    &defined::USER,
    &definition::ACCEPTED,
    &task_scheduler::TRIGGERED,
    &task_scheduler::UNLIMITED,
    &task_scheduler::UNCONDITIONAL,
    &task_scheduler::ONE_INSTANCE,
    &task_scheduler::PRIORITY,
    &task_scheduler::START_IN,
    &definition::MODE,
    &launchd::DOMAIN,
    &launchd::LITERAL,
    &launchd::STARTABLE,
    &launchd::OUTPUT,
    &launchd::UNHINDERED,
    &systemd::ENVIRONMENT_FILES,
    &systemd::REQUIREMENTS,
    &systemd::START_NEEDS,
    &systemd::NETWORK,
    &definition::RESTARTS,
    &definition::STOP,
    &systemd::HEALTH,
    &systemd::ALLOWS_JOBS,
    &limits::SENSIBLE,
    &systemd::OOM,
    &systemd::SCHEDULED,
];

/// Checks of the state, which depends on all other checks.
pub(super) const STATE: &[&Check] = &[
    &state::RELOADED,
    &current::CURRENT,
    &state::ENABLED,
    &task_scheduler::SESSION_KEPT,
    &task_scheduler::LOGS_ON,
    &state::RUNNING,
    &state::NOT_LOOPING,
    &state::HEALTHY,
    &log::EXPLAINED,
];
