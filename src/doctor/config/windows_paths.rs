//! Paths of a configuration on Windows.

use crate::{
    doctor::{Check, Judge, Judged, Problem, Verdict, sources::change},
    host::{Install, Survey, Unseen},
    platform::Os,
    values::windows_path::{WindowsPathFault, WindowsPlace, judge},
};

const WORK_KEY: &str = "runner.working_directory";
const KEYS: [&str; 3] = [WORK_KEY, "logging.file", "runner.task_agent_directory"];

pub(super) const PATHS: Check = Check {
    name: "config/windows-paths",
    holds: "Each path of the configuration means one place to Windows",
    why: "Windows takes a path without its backslash, with a name of a device or with a dot at its end for \
          another place than the one that was meant. Between double quotes YAML reads `\\t` and `\\n` as a tab \
          and a line break. A work folder is emptied, wherever it is.",
    found: "The doctor judges each path of the configuration by the rules of Windows.",
    cure: "Write the whole path, with its drive, without quotes or between single ones.",
    after: &["config/parses"],
    judge: Judge::Agent(paths),
};

fn paths(survey: &Survey, install: &Install) -> Judged {
    if survey.host.os != Os::Windows {
        return Err(Unseen::not_applicable("the host does not run Windows"));
    }
    let settings = install.settings();
    let mut problems = Vec::new();
    for key in KEYS {
        let Some(given) = settings.given(key)? else { continue };
        let Some(text) = given.text() else { continue };
        let (problem, text) = match judge(text) {
            // Of a path without a drive config/values-valid tells.
            Ok(WindowsPlace::Drive)
            | Err(WindowsPathFault::Relative | WindowsPathFault::RootRelative) => continue,
            Ok(WindowsPlace::Share) if key != WORK_KEY => continue,
            Ok(WindowsPlace::Share) => (
                Problem::warn(format!("{key} is on another host, where cmd.exe cannot start")),
                "Name a folder of a drive of this host.",
            ),
            Ok(WindowsPlace::Root) => {
                let cleans = settings.truth("runner.cleanup_working_directory") == Some(true);
                let summary = match cleans && key == WORK_KEY {
                    true => format!("{key} is all of a drive, which is emptied after each job"),
                    false => format!("{key} is all of a drive"),
                };
                (Problem::fail(summary), "Name a folder of its own.")
            }
            Err(fault @ WindowsPathFault::Control(_)) => (
                Problem::fail(format!("{key} {fault}")),
                "Write the path without quotes or between single ones: between double quotes YAML reads \
                 a backslash and the letter behind it as one character.",
            ),
            Err(fault) => {
                (Problem::fail(format!("{key} {fault}")), "Write another path, with its drive.")
            }
        };
        let remedy = change(survey, install, &given.source, text);
        problems.push(problem.seen(given.source.to_string()).cure(remedy));
    }
    Ok(Verdict::of(problems, "each path means one place"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Status, fixtures::*};

    const CHECK: &str = "config/windows-paths";

    fn with(key: &str, value: &str) -> (Status, String) {
        let mut survey = healthy();
        survey.host.os = Os::Windows;
        set(&mut survey, WORK_KEY, Some(r"C:\Program Files\CircleCI\Workdir"));
        set(&mut survey, key, Some(value));
        let found = finding(&survey, CHECK);
        (found.status, found.summary)
    }

    #[test]
    fn a_path_that_means_another_place_is_told() {
        for (value, words) in [
            ("C:\temp\new", "a tab"),
            ("C:\new", "a line break"),
            ("C:work", "no backslash behind the drive"),
            (r"C:\", "all of a drive, which is emptied"),
            (r"C:\work\NUL", "a device"),
            (r"C:\work.", "drops a dot"),
            (r"\\host", "no share"),
        ] {
            let (status, summary) = with(WORK_KEY, value);
            assert_eq!(status, Status::Fail, "{value:?}");
            assert!(summary.contains(words), "{value:?}: {summary}");
        }
        assert_eq!(with(WORK_KEY, r"\\host\share\work").0, Status::Warn);
        assert_eq!(with("logging.file", "C:\new.log").0, Status::Fail);
    }

    #[test]
    fn a_path_of_windows_is_right_and_others_are_not_judged_here() {
        for value in [r"C:\work\%s", "D:/work", r"\\?\C:\work", "work", r"\work"] {
            assert_eq!(with(WORK_KEY, value).0, Status::Pass, "{value}");
        }
        assert_eq!(with("logging.file", r"\\host\logs\a.log").0, Status::Pass);
        assert_eq!(status(&healthy(), CHECK), Status::NotApplicable);
    }
}
