//! Limits of a unit.

use super::on_unit;
use crate::{
    doctor::{
        Judged, Problem, Remedy, Verdict,
        service::limits::{Least, limits},
    },
    host::{Install, Service},
    service::systemd::time_span::time_span,
};

/// Limits of a unit.
const SIZES: [Least; 7] = [
    ("TasksMax", 64, "jobs cannot start processes"),
    ("LimitNPROC", 64, "jobs cannot start processes"),
    ("LimitNOFILE", 1024, "jobs cannot open files"),
    ("MemoryMax", 512 << 20, "jobs are killed when they need more memory"),
    ("MemoryLimit", 512 << 20, "jobs are killed when they need more memory"),
    ("LimitAS", 4 << 30, "programs of jobs cannot allocate memory"),
    ("LimitFSIZE", 1 << 30, "jobs cannot write large files"),
];

/// Time limits of a unit; the longest job by default must fit in.
const TIMES: [(&str, &str); 2] = [
    ("RuntimeMaxSec", "the agent is killed with its job after this time"),
    ("LimitCPU", "jobs are killed after this time"),
];

/// Whether a job fits into the limits of a unit.
pub(super) fn judge(install: &Install, service: &Service) -> Judged {
    let mut problems = Vec::new();
    for (key, least, what) in limits(install, &SIZES, &TIMES) {
        let Some(line) = service.directive("Service", key) else { continue };
        // In `soft:hard` the soft limit applies first.
        let soft = line.value.split(':').next().unwrap_or_default();
        let limit = match TIMES.iter().any(|(time, _)| *time == key) {
            true => time_span(soft).map(|limit| limit.as_secs()),
            false => number(soft),
        };
        if limit.is_some_and(|limit| limit < least) {
            problems.push(
                Problem::warn(format!("{key}={}: {what}", line.value))
                    .seen(format!("{}:{}", line.file.display(), line.line))
                    .cure(Remedy::by_hand("Raise the limit, or remove it.").command(on_unit(
                        "systemctl edit",
                        install,
                        service,
                    ))),
            );
        }
    }
    Ok(Verdict::of(problems, "no limit is too small for a job"))
}

/// A number with systemd's suffixes; `None` where there is no limit, or a share of the host.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn limits_below_the_least_warn() {
        for (key, value, expected) in [
            ("TasksMax", "10", Status::Warn),
            ("TasksMax", "infinity", Status::Pass),
            ("TasksMax", "80%", Status::Pass),
            ("MemoryMax", "64M", Status::Warn),
            ("MemoryMax", "8G", Status::Pass),
            ("LimitNOFILE", "256:4096", Status::Warn),
            ("RuntimeMaxSec", "1h", Status::Warn),
            ("RuntimeMaxSec", "10minutes", Status::Warn),
            ("RuntimeMaxSec", "1month", Status::Pass),
            ("RuntimeMaxSec", "infinity", Status::Pass),
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", key, value);
            assert_eq!(status(&survey, "service/limits-sensible"), expected, "{key}={value}");
        }
    }
}
