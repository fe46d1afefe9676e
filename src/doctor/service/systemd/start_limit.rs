//! The start limit of a unit: systemd gives up after too many starts in too short a time.

use super::{OnUnit, drop_in::drop_in, on_unit};
use crate::{
    doctor::{Problem, Remedy},
    host::{Activity, Install, Limit, Service, ServiceState},
    service::systemd::time_span::time_span,
};

/// systemd's defaults: `systemd-system.conf(5)`.
const INTERVAL: u64 = 10_000_000;
const BURST: u64 = 5;
const PAUSE: u64 = 100_000;

/// The problem of a unit that systemd restarts always, and yet gives up when it ends quickly.
pub(super) fn gives_up(install: &Install, service: &Service) -> Option<Problem> {
    let effective = service.state.ok().and_then(|state| state.effective.as_deref());
    let in_force = |limit: fn(&crate::host::Effective) -> Limit| effective.map(limit);
    let interval = micros(
        in_force(|effective| effective.start_limit_interval),
        written(service, &["StartLimitIntervalSec", "StartLimitInterval"]),
        INTERVAL,
    );
    let pause = micros(
        in_force(|effective| effective.restart_pause),
        written(service, &["RestartSec"]),
        PAUSE,
    );
    let burst = match in_force(|effective| effective.start_limit_burst) {
        Some(Limit::Of(burst)) => burst,
        _ => written(service, &["StartLimitBurst"])
            .and_then(|text| text.parse().ok())
            .unwrap_or(BURST),
    };
    // The start after the last one that is allowed comes this long after the first.
    let is_limited = interval > 0 && burst > 0 && pause.saturating_mul(burst) < interval;
    if !is_limited {
        return None;
    }
    let lines = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestartSec=5\n";
    let cure = drop_in(
        "Set StartLimitIntervalSec=0 in [Unit], and RestartSec=5 in [Service].",
        install,
        "start-limit",
        lines,
    );
    let seconds = |micros: u64| match micros {
        u64::MAX => "infinity".to_owned(),
        micros => format!("{} s", micros as f64 / 1e6),
    };
    let summary = format!("systemd gives the agent up after {burst} quick ends");
    Some(
        Problem::warn(summary)
            .seen(format!(
                "at most {burst} starts within {}, and {} between an end and the next start",
                seconds(interval),
                seconds(pause)
            ))
            .cure(cure),
    )
}

fn written<'a>(service: &'a Service, keys: &[&str]) -> Option<&'a str> {
    let of_key = |key: &&str| service.value("Unit", key).or_else(|| service.value("Service", key));
    keys.iter().find_map(of_key)
}

/// Microseconds: what is in force, else what is written, else the default.
fn micros(in_force: Option<Limit>, written: Option<&str>, default: u64) -> u64 {
    match (in_force, written) {
        (Some(Limit::Of(micros)), _) => micros,
        (Some(Limit::Infinity), _) | (_, Some("infinity")) => u64::MAX,
        (_, None) => default,
        (_, Some(text)) => {
            time_span(text).and_then(|span| span.as_micros().try_into().ok()).unwrap_or(default)
        }
    }
}

/// Whether systemd has given a unit up. Its result stays that of the last end.
pub(super) fn has_given_up(service: &Service, state: &ServiceState) -> bool {
    let is_over = state.active == Activity::Failed;
    let is_limit = state.result == "start-limit-hit";
    let restarts = service.value("Service", "Restart") == Some("always") && state.restarts > 0;
    is_over && (is_limit || restarts)
}

/// What starts a unit again that was given up.
pub(super) fn started_anew(remedy: Remedy, install: &Install, service: &Service) -> Remedy {
    match install.named_by.is_root() {
        true => remedy.command(on_unit(OnUnit::ResetFailed, install, service)).command(on_unit(
            OnUnit::Start,
            install,
            service,
        )),
        false => remedy,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Activity, Effective, Limit, Seen},
    };

    #[test]
    fn a_limit_that_quick_ends_reach_is_told_before() {
        for (interval, burst, pause, expected) in [
            // actions/runner's issue 3929 has the first two.
            (Some("1d"), Some("3"), Some("5"), Status::Warn),
            (None, None, None, Status::Warn),
            (None, None, Some("5"), Status::Pass),
            (None, None, Some("1"), Status::Warn),
            (Some("0"), None, None, Status::Pass),
            (Some("500"), Some("5"), Some("2min"), Status::Pass),
            (Some("infinity"), Some("100"), Some("5"), Status::Warn),
            (Some("1h"), Some("0"), None, Status::Pass),
        ] {
            let mut survey = healthy();
            service_of(&mut survey)
                .directives
                .retain(|line| !line.key.starts_with("StartLimit") && line.key != "RestartSec");
            for (section, key, value) in [
                ("Unit", "StartLimitIntervalSec", interval),
                ("Unit", "StartLimitBurst", burst),
                ("Service", "RestartSec", pause),
            ] {
                if let Some(value) = value {
                    directive(&mut survey, section, key, value);
                }
            }
            let found = finding(&survey, "service/restarts");
            assert_eq!(found.status, expected, "{interval:?} {burst:?} {pause:?}");
            assert!(found.remedy.is_none_or(|remedy| remedy.fixable));
        }
    }

    #[test]
    fn what_is_in_force_counts() {
        let mut survey = healthy();
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.effective = Some(Box::new(Effective {
                start_limit_interval: Limit::Of(86_400_000_000),
                start_limit_burst: Limit::Of(3),
                restart_pause: Limit::Of(5_000_000),
                ..Effective::default()
            }));
        }
        let found = finding(&survey, "service/restarts");
        assert_eq!(found.status, Status::Warn);
        assert_eq!(found.summary, "systemd gives the agent up after 3 quick ends");
        assert_eq!(
            found.evidence,
            "at most 3 starts within 86400 s, and 5 s between an end and the next start"
        );
    }

    #[test]
    fn a_unit_that_was_given_up_is_said_to_be() {
        let mut survey = healthy();
        if let Seen::Known(state) = &mut service_of(&mut survey).state {
            state.active = Activity::Failed;
            state.sub = "failed".into();
            state.result = "exit-code".into();
            state.exit_status = Some(1);
            state.restarts = 5;
            state.main_pid = None;
            state.since = Some(TAKEN - 2);
        }
        let found = finding(&survey, "service/running");
        assert_eq!(found.status, Status::Fail);
        assert!(found.summary.contains("circleci.service was given up"), "{found:?}");
        assert_eq!(
            found.remedy.unwrap().commands().get(..2).unwrap(),
            [
                "sudo systemctl reset-failed circleci.service",
                "sudo systemctl start circleci.service"
            ]
        );
        // It is not started over and over any more.
        assert_ne!(status(&survey, "service/not-crash-looping"), Status::Fail);
    }
}
