//! What definitions of services have in common.

use crate::spec::Spec;
use std::time::Duration;

/// How long the service may take to stop: the longest job, and what its agent needs beyond that.
pub(crate) fn drain(spec: &Spec) -> Duration {
    spec.agent.profile().drain_time(Duration::from_secs(spec.max_run_time.seconds()))
}
