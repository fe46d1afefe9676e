//! The configuration of the agent: file, keys, values, token, variables.

mod environment;
mod file;
mod keys;
mod prefix;
mod prefix_shell;
mod token;
mod values;
mod windows_paths;

pub(super) use token::RENEW;

use super::Check;

/// In the order of causes.
pub(super) const CHECKS: &[&Check] = &[
    &file::EXISTS,
    &file::PARSES,
    &keys::KNOWN,
    &keys::OF_THIS_AGENT,
    &keys::TYPES,
    &token::SET,
    &token::SHAPE,
    &token::ONLY_IN_CONFIG,
    &values::NAME,
    &values::DURATIONS,
    &values::OTHERS,
    &windows_paths::PATHS,
    &values::WORKDIR,
    &values::MODE,
    &prefix::ENDS_OPTIONS,
    &prefix::RUNS,
    &prefix::FORWARDS,
    &environment::READ,
    &environment::OVERRIDES,
];
