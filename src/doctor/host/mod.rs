//! The host: disk, memory, clock, programs.

mod mac;
mod resources;
mod system;
mod upgrades;
mod windows;

pub(super) use system::time_service;

use super::Check;

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[
    &system::CLOCK_RIGHT,
    &system::CLOCK_SYNCHRONIZED,
    &resources::DISK,
    &resources::INODES,
    &resources::MEMORY,
    &resources::OOM,
    &system::TOOLS,
    &system::SSH_PORT,
    &system::PACKAGES,
    &upgrades::SPARE,
    &mac::AWAKE,
    &windows::NOT_CONTROLLER,
    &windows::LONG_PATHS,
    &windows::DESKTOP,
];
