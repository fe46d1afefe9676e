//! What a wrapper script of a command prefix does with what it is given.

use super::reader::{self, Part};
use crate::{
    host::{PathWalk, Provenance, StepDown, StepTool, Wrapper},
    platform::fs::Root,
};

/// Most bytes of a script that are read.
const LIMIT: u64 = 64 << 10;

/// Looks at a program; `None` where it is no shell script.
pub(super) fn examine(root: &Root, walk: &PathWalk, named_by: Provenance) -> Option<Wrapper> {
    let content = reader::read(root, walk, Part::Head(LIMIT), named_by).ok()?;
    let text = String::from_utf8_lossy(&content.bytes);
    let first = text.lines().next()?.strip_prefix("#!")?;
    let is_shell = ["sh", "bash", "dash", "zsh", "ksh"]
        .iter()
        .any(|shell| first.split(['/', ' ']).any(|word| word == *shell));
    is_shell.then(|| of(&text))
}

fn of(text: &str) -> Wrapper {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let last = lines.clone().next_back().unwrap_or_default();
    let steps_down = StepDown::of_script(text);
    // systemd-run waits for the job, gives its exit code, and a trap stops it: the wrapper that
    // older documentation of CircleCI has.
    let is_waited_for = steps_down.as_ref().is_some_and(|step| step.tool == StepTool::SystemdRun)
        && last.contains("$@")
        && text.contains("--wait")
        && text.contains("trap ");
    Wrapper {
        passes_arguments: text.contains("\"$@\"") || text.contains("\"${@"),
        ends_in_exec: last.starts_with("exec ")
            || last.contains(" exec ")
            || is_waited_for
            || hands_on_code(lines),
        steps_down,
    }
}

/// Whether a script ends with the exit code of its job: `"$@"; rc=$?; exit $rc`, as wrappers do that
/// clean up behind a job.
fn hands_on_code<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let statements: Vec<&str> = lines
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect();
    let Some(job) = statements.iter().rposition(|one| one.contains("\"$@\"")) else { return false };
    let (Some(next), Some(last)) = (statements.get(job + 1), statements.last()) else {
        return false;
    };
    let Some(code) = last.strip_prefix("exit ").map(|code| code.trim().trim_matches('"')) else {
        return false;
    };
    // `$?` is the job's only right behind it.
    if code == "$?" {
        return statements.len() == job + 2;
    }
    let name = code.trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
    code.starts_with('$') && next.strip_suffix("=$?") == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_that_does_it_right_is_known() {
        let good = of("#!/bin/sh\n# x\nset -e\nexec nice \"$@\"\n");
        assert!(good.passes_arguments && good.ends_in_exec);
        let bad = of("#!/bin/bash\nset -e\nnice $@\necho done\n");
        assert!(!bad.passes_arguments && !bad.ends_in_exec);
        let official = "#!/bin/bash\nabort() { systemctl stop \"$unit\"; }\ntrap abort EXIT\n\
            systemd-run \\\n  --pipe --wait \\\n  --uid \"$(id -u ci)\" -- \"$@\"\n";
        let official = of(official);
        assert!(official.passes_arguments && official.ends_in_exec);
        assert!(official.steps_down.unwrap().tool.needs_root());
    }

    #[test]
    fn a_wrapper_may_clean_up_behind_the_job_and_hand_on_its_code() {
        for (text, expected) in [
            ("\"$@\"; rc=$?; exit $rc\n", true),
            ("sudo -nu ci -- \"$@\"\nrc=$?\nrm -f /tmp/x\nexit \"${rc}\"\n", true),
            ("\"$@\"\nexit $?\n", true),
            ("\"$@\"\nrm -f /tmp/x\nexit $?\n", false),
            ("\"$@\"\nrc=$?\nexit $code\n", false),
            ("\"$@\"\nexit 0\n", false),
            ("\"$@\"\n", false),
        ] {
            assert_eq!(of(&format!("#!/bin/sh\n{text}")).ends_in_exec, expected, "{text}");
        }
    }
}
