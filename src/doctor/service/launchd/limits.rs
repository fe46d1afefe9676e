//! Limits of a plist.

use crate::{
    doctor::{
        Problem, Remedy, Verdict,
        service::limits::{Least, limits},
    },
    host::{Install, Service},
};

/// Limits of a plist.
const SIZES: [Least; 4] = [
    ("NumberOfProcesses", 64, "jobs cannot start processes"),
    // The default of macOS.
    ("NumberOfFiles", 256, "jobs cannot open files"),
    ("FileSize", 1 << 30, "jobs cannot write large files"),
    ("Data", 512 << 20, "programs of jobs cannot allocate memory"),
];

/// Limits of a plist in seconds.
const TIMES: [(&str, &str); 1] = [("CPU", "jobs are killed after this time")];

/// Whether a job fits into the limits of a plist, of each kind.
pub(super) fn judge(install: &Install, service: &Service) -> Verdict {
    let limits = limits(install, &SIZES, &TIMES);
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

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        values::Manager,
    };

    #[test]
    fn limits_of_a_plist_warn_too() {
        for (key, value, expected) in [
            ("NumberOfFiles", "64", Status::Warn),
            ("NumberOfFiles", "4096", Status::Pass),
            ("CPU", "600", Status::Warn),
        ] {
            let mut survey = healthy();
            service_of(&mut survey).manager = Manager::Launchd;
            directive(&mut survey, "SoftResourceLimits", key, value);
            assert_eq!(status(&survey, "service/limits-sensible"), expected, "{key} {value}");
        }
    }
}
