//! What definitions of services have in common.

use crate::spec::Spec;
use std::time::Duration;

/// What the service is given beyond the longest job, to end by itself (docs/agents.md,
/// Places: 5 h of `max_run_time`, 18300 s until the stop is forced).
const GRACE: Duration = Duration::from_secs(300);

/// How long the service may take to stop: the longest job and five minutes.
pub(crate) fn drain(spec: &Spec) -> Duration {
    Duration::from_secs(spec.max_run_time.seconds()).saturating_add(GRACE)
}
