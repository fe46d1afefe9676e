//! Permissions: the binary, the configuration, and what the agent and its jobs use.

mod account;
mod apart;
mod binary;
mod config;
mod folders;
mod icacls;
mod mounts;
mod needs_root;
mod program;
mod rights;
mod strange;
mod sudo;
mod trust;
mod windows;

pub(super) use binary::updates_itself;

use super::Check;

/// The binary.
pub(super) const BINARY: &[&Check] = &[
    &windows::DEFENDER,
    &binary::EXECUTABLE,
    &program::IS_PROGRAM,
    &program::ARCHITECTURE,
    &binary::FILESYSTEM,
    &program::AS_VERIFIED,
    &binary::NOT_WRITABLE,
    &binary::UPDATABLE,
    &program::SELINUX,
    &program::QUARANTINE,
    &program::GATEKEEPER,
];

/// What the agent and its jobs use.
pub(super) const GROUND: &[&Check] = &[
    &windows::ACCOUNT_OPEN,
    &config::READABLE,
    &config::PRIVATE,
    &config::NOT_WRITABLE,
    &mounts::PLANNED,
    &apart::APART,
    &folders::WORKDIR,
    &folders::CLEAN,
    &folders::TEMPORARY,
    &mounts::NAMES,
    &folders::LOG,
    &needs_root::NEEDS_ROOT,
    &sudo::SUDO,
    &account::POWER,
    &account::HOME,
    &trust::DEFINITION,
    &trust::ENVIRONMENT,
    &account::PRIVACY,
];
