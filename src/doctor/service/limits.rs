//! Limits of the unit that no job fits into.

use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{on_service, service},
    },
    host::{Install, Service, Survey, Unseen},
    values::Manager,
};

/// A limit, the least that jobs get along with, and what happens below.
type Least = (&'static str, u64, &'static str);

/// Limits of a unit.
const OF_UNITS: [Least; 7] = [
    ("TasksMax", 64, "jobs cannot start processes"),
    ("LimitNPROC", 64, "jobs cannot start processes"),
    ("LimitNOFILE", 1024, "jobs cannot open files"),
    ("MemoryMax", 512 << 20, "jobs are killed when they need more memory"),
    ("MemoryLimit", 512 << 20, "jobs are killed when they need more memory"),
    ("LimitAS", 4 << 30, "programs of jobs cannot allocate memory"),
    ("LimitFSIZE", 1 << 30, "jobs cannot write large files"),
];

/// Limits of a unit in seconds, below which the longest job of an agent's default does not end.
const TIMES_OF_UNITS: [(&str, &str); 2] = [
    ("RuntimeMaxSec", "the agent is killed with its job after this time"),
    ("LimitCPU", "jobs are killed after this time"),
];

/// Limits of a plist.
const OF_PLISTS: [Least; 4] = [
    ("NumberOfProcesses", 64, "jobs cannot start processes"),
    // What macOS itself gives each process.
    ("NumberOfFiles", 256, "jobs cannot open files"),
    ("FileSize", 1 << 30, "jobs cannot write large files"),
    ("Data", 512 << 20, "programs of jobs cannot allocate memory"),
];

/// Limits of a plist in seconds.
const TIMES_OF_PLISTS: [(&str, &str); 1] = [("CPU", "jobs are killed after this time")];

/// All limits for an agent.
fn limits<'a>(
    install: &Install,
    sizes: &'a [Least],
    times: &'a [(&'static str, &'static str)],
) -> impl Iterator<Item = Least> + Clone + 'a {
    let job = install.agent.profile().drain.longest_job.as_secs();
    let times = times.iter().map(move |(key, what)| (*key, job, *what));
    sizes.iter().copied().chain(times)
}

pub(super) const SENSIBLE: Check = Check {
    name: "service/limits-sensible",
    holds: "The resource limits of the service are large enough for a job",
    why: "A limit that is large enough for a daemon stops a build: it applies to the agent and all \
          of its jobs together.",
    found: "The doctor compares the limits of the unit or the plist with the least that jobs need.",
    cure: "Raise the limit, or remove it.",
    after: &["service/loaded"],
    judge: Judge::Agent(sensible),
};

fn sensible(_: &Survey, install: &Install) -> Judged {
    let service = service(install)?;
    if service.manager == Manager::Launchd {
        return Ok(launchds(service, install));
    }
    if service.manager != Manager::Systemd {
        return Err(Unseen::not_applicable("the service is not a systemd unit"));
    }
    let mut problems = Vec::new();
    for (key, least, what) in limits(install, &OF_UNITS, &TIMES_OF_UNITS) {
        let Some(line) = service.directive("Service", key) else { continue };
        // Of `soft:hard` the soft one is felt first.
        let soft = line.value.split(':').next().unwrap_or_default();
        if number(soft).is_some_and(|number| number < least) {
            problems.push(
                Problem::warn(format!("{key}={}: {what}", line.value))
                    .seen(format!("{}:{}", line.file.display(), line.line))
                    .cure(Remedy::by_hand("Raise the limit, or remove it.").command(on_service(
                        "systemctl edit",
                        install,
                        service,
                    ))),
            );
        }
    }
    Ok(Verdict::of(problems, "no limit is too small for a job"))
}

/// Limits of a plist, of each kind.
fn launchds(service: &Service, install: &Install) -> Verdict {
    let limits = limits(install, &OF_PLISTS, &TIMES_OF_PLISTS);
    let sections = ["SoftResourceLimits", "HardResourceLimits"].into_iter();
    let all = sections.flat_map(|section| limits.clone().map(move |limit| (section, limit)));
    let felt = all.filter_map(|(section, (key, least, what))| {
        let value = service.value(section, key)?;
        let problem = Problem::warn(format!("{section} {key} {value}: {what}"));
        value.parse::<u64>().is_ok_and(|value| value < least).then(|| {
            let file = service.file().map(|file| file.path.display().to_string());
            problem
                .seen(file.unwrap_or_default())
                .cure(Remedy::by_hand("Raise the limit, or remove it."))
        })
    });
    Verdict::of(felt.collect(), "no limit is too small for a job")
}

/// A number with systemd's suffixes; `None` where there is no limit, or a share of the host.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit {
        "" | "s" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        "T" => 1 << 40,
        "min" | "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, sample::*};

    #[test]
    fn limits_of_a_plist_warn_too() {
        for (key, value, expected) in [
            ("NumberOfFiles", "64", Status::Warn),
            ("NumberOfFiles", "4096", Status::Pass),
            ("CPU", "600", Status::Warn),
        ] {
            let mut survey = healthy();
            service_of(&mut survey).manager = crate::values::Manager::Launchd;
            directive(&mut survey, "SoftResourceLimits", key, value);
            assert_eq!(status(&survey, "service/limits-sensible"), expected, "{key} {value}");
        }
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
        ] {
            let mut survey = healthy();
            directive(&mut survey, "Service", key, value);
            assert_eq!(status(&survey, "service/limits-sensible"), expected, "{key}={value}");
        }
    }
}
