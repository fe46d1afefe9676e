//! What definitions of services have in common.

use crate::settings::Spec;
use std::time::Duration;

/// What a person reads of the service beside its name.
pub(crate) fn description(spec: &Spec) -> String {
    match spec.instance.as_ref() {
        Some(name) => format!("CircleCI self-hosted runner {name}"),
        None => "CircleCI self-hosted runner".to_owned(),
    }
}

/// How long the service may take to stop: the longest job, and what its agent needs beyond that.
pub(crate) fn drain(spec: &Spec) -> Duration {
    spec.agent.profile().drain_time(Duration::from_secs(spec.max_run_time.seconds()))
}
