//! Limits of a unit.

use super::{
    OnUnit,
    in_force::{in_force, limit, place, time},
    on_unit,
};
use crate::{
    doctor::{
        Judged, Problem, Remedy, Verdict,
        service::limits::{Least, limits},
    },
    host::{Effective, Install, Limit, Service, SliceLimits},
};

/// Limits of a unit.
const SIZES: [Least; 8] = [
    ("TasksMax", 64, "jobs cannot start processes"),
    ("LimitNPROC", 64, "jobs cannot start processes"),
    ("LimitNOFILE", 1024, "jobs cannot open files"),
    ("MemoryMax", 1 << 30, "jobs are killed when they need more memory"),
    ("MemoryLimit", 1 << 30, "jobs are killed when they need more memory"),
    ("MemoryHigh", 1 << 30, "jobs are slowed down when they need more memory"),
    ("LimitAS", 4 << 30, "programs of jobs cannot allocate memory"),
    ("LimitFSIZE", 1 << 30, "jobs cannot write large files"),
];

/// Time limits of a unit; the longest job by default must fit in.
const TIMES: [(&str, &str); 2] = [
    ("RuntimeMaxSec", "the agent is killed with its job after this time"),
    ("LimitCPU", "jobs are killed after this time"),
];

/// Limits in bytes.
const BYTES: [&str; 5] = ["MemoryMax", "MemoryLimit", "MemoryHigh", "LimitAS", "LimitFSIZE"];

/// Whether a job fits into the limits of a unit, and of the slices that it runs in.
pub(super) fn judge(install: &Install, service: &Service) -> Judged {
    let mut problems = Vec::new();
    let unit = in_force(service);
    for (key, least, what) in limits(install, &SIZES, &TIMES) {
        let read = |text: &str| read(key, text);
        let told = unit.map_or(Limit::Unknown, |unit| told(unit, key));
        // The old name of another one.
        if key == "MemoryLimit" && unit.is_some() {
            continue;
        }
        let keys: &[&str] = if key == "MemoryMax" { &["MemoryMax", "MemoryLimit"] } else { &[key] };
        let found = limit(service, keys, told, read);
        if number(key, found).is_some_and(|number| number < least) {
            let remedy = Remedy::by_hand("Raise the limit, or remove it.");
            problems.push(
                Problem::warn(format!("{key}={}: {what}", shown(key, found)))
                    .seen(place(service, keys, found, read))
                    .cure(remedy.command(on_unit(OnUnit::Edit, install, service))),
            );
        }
    }
    for slice in unit.map_or(&[][..], |unit| unit.slices.as_slice()) {
        let found = [
            ("TasksMax", slice.tasks_max),
            ("MemoryMax", slice.memory_max),
            ("MemoryHigh", slice.memory_high),
        ];
        for (key, found) in found {
            let Some((_, least, what)) = SIZES.iter().find(|(size, _, _)| *size == key) else {
                continue;
            };
            if number(key, found).is_some_and(|number| number < *least) {
                problems.push(
                    Problem::warn(format!("{key}={} of {}: {what}", shown(key, found), slice.name))
                        .seen(format!("{} runs in {}: {}", service.name, slice.name, files(slice)))
                        .cure(Remedy::by_hand(
                            "Raise the limit of the slice, or have the service run in another one.",
                        )),
                );
            }
        }
    }
    Ok(Verdict::of(problems, "no limit is too small for a job"))
}

/// The files that define a slice.
fn files(slice: &SliceLimits) -> String {
    let files: Vec<_> = slice.fragment.iter().chain(&slice.drop_ins).collect();
    let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
    if files.is_empty() { "no file defines it".to_owned() } else { files.join(", ") }
}

/// What systemd has in force.
fn told(unit: &Effective, key: &str) -> Limit {
    match key {
        "TasksMax" => unit.tasks_max,
        "LimitNPROC" => unit.processes,
        "LimitNOFILE" => unit.open_files,
        "MemoryMax" => unit.memory_max,
        "MemoryHigh" => unit.memory_high,
        "LimitAS" => unit.address_space,
        "LimitFSIZE" => unit.file_size,
        "RuntimeMaxSec" => unit.runtime_max,
        "LimitCPU" => match unit.cpu_seconds {
            Limit::Of(seconds) => Limit::Of(seconds.saturating_mul(1_000_000)),
            other => other,
        },
        _ => Limit::Unknown,
    }
}

/// A limit as a definition has it. In `soft:hard` the soft limit applies first.
fn read(key: &str, text: &str) -> Limit {
    let soft = text.split(':').next().unwrap_or_default().trim();
    match (is_time(key), soft) {
        (_, "infinity") => Limit::Infinity,
        (true, soft) => time(soft),
        (false, soft) => size(soft).map_or(Limit::Unknown, Limit::Of),
    }
}

fn is_time(key: &str) -> bool {
    TIMES.iter().any(|(time, _)| *time == key)
}

/// Of a time the seconds.
fn number(key: &str, limit: Limit) -> Option<u64> {
    if is_time(key) { limit.seconds() } else { limit.number() }
}

/// A limit as a person would write it.
fn shown(key: &str, limit: Limit) -> String {
    let number = number(key, limit).unwrap_or_default();
    let units = [(30, "G"), (20, "M"), (10, "K")];
    let unit = units.iter().find(|(bits, _)| number.is_multiple_of(1 << bits) && number > 0);
    match unit.filter(|_| BYTES.contains(&key)) {
        Some((bits, unit)) => format!("{}{unit}", number >> bits),
        None if is_time(key) => format!("{number}s"),
        None => number.to_string(),
    }
}

/// A number with systemd's suffixes; `None` where there is no limit, or a share of the host.
fn size(text: &str) -> Option<u64> {
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
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Effective, Limit, Seen, SliceLimits, Survey},
    };

    fn told(survey: &mut Survey, effective: Effective) {
        let Seen::Known(state) = &mut service_of(survey).state else { panic!("no state") };
        state.effective = Some(Box::new(effective));
    }

    #[test]
    fn what_is_in_force_counts_and_its_file_is_named() {
        let mut survey = healthy();
        told(&mut survey, Effective { tasks_max: Limit::Of(15), ..Effective::default() });
        let found = finding(&survey, "service/limits-sensible");
        assert_eq!(found.summary, "TasksMax=15: jobs cannot start processes");
        assert_eq!(found.evidence, "no file sets it: it is systemd's default");
        directive(&mut survey, "Manager", "DefaultTasksMax", "15");
        let line = service_of(&mut survey).directives.pop().unwrap();
        service_of(&mut survey).defaults.push(line);
        let found = finding(&survey, "service/limits-sensible");
        assert_eq!(found.evidence, format!("{UNIT}:40: DefaultTasksMax=15"));
        // What a line says and systemd does not do is no limit.
        let mut survey = healthy();
        directive(&mut survey, "Service", "MemoryMax", "64M # small");
        told(&mut survey, Effective { memory_max: Limit::Infinity, ..Effective::default() });
        assert_eq!(status(&survey, "service/limits-sensible"), Status::Pass);
    }

    #[test]
    fn the_limits_of_a_slice_are_the_services() {
        let mut survey = healthy();
        let slice = SliceLimits {
            name: "ci.slice".into(),
            fragment: Some("/etc/systemd/system/ci.slice".into()),
            memory_max: Limit::Of(256 << 20),
            ..SliceLimits::default()
        };
        told(&mut survey, Effective { slices: vec![slice], ..Effective::default() });
        let found = finding(&survey, "service/limits-sensible");
        assert!(found.summary.starts_with("MemoryMax=256M of ci.slice"), "{}", found.summary);
        assert!(found.evidence.ends_with("/etc/systemd/system/ci.slice"), "{}", found.evidence);
    }

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
