//! What systemd itself logs of a start that fails. A job can write a line with any name in front, so
//! that only lines of the first process count, and those of a child before it becomes the agent, whose
//! words are all systemd's or the unit's.

/// Most lines that are kept.
const KEPT: usize = 3;

/// What the first process says of a unit, behind the unit's name.
const OF_MANAGER: [&str; 6] = [
    "Main process exited, ",
    "Control process exited, ",
    "Failed to ",
    "Start request repeated too quickly",
    "Job ",
    "Found ordering cycle",
];

/// What a child says that could not become a program.
const OF_CHILD: &str = "Failed at step ";

/// The end of a child's line.
const REASONS: [&str; 7] = [
    "No such file or directory",
    "Permission denied",
    "Not a directory",
    "Exec format error",
    "No such process",
    "Operation not permitted",
    "Invalid argument",
];

/// The lines of a unit's last starts in a journal that `journalctl --output short-unix` shows, the
/// last ones; `programs` are those that the unit runs.
pub(super) fn of(journal: &str, unit: &str, programs: &[String]) -> Vec<String> {
    let line = |line: &str| {
        let (head, text) = line.split_once("]: ")?;
        let (name, pid) = head.rsplit_once('[')?;
        let text = text.strip_prefix(unit)?.strip_prefix(": ")?;
        let is_managers = pid == "1" && OF_MANAGER.iter().any(|begin| text.starts_with(begin));
        let is_childs = || {
            let rest = text.strip_prefix(OF_CHILD)?;
            let (step, rest) = rest.split_once(" spawning ")?;
            let (program, reason) = rest.rsplit_once(": ")?;
            let is_step = step.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
            let is_known = programs.iter().any(|known| known == program);
            (is_step && step.len() < 30 && is_known && REASONS.contains(&reason)).then_some(())
        };
        let is_child = name.ends_with(')') && is_childs().is_some();
        // The result follows from what stands above it.
        let is_result = text.starts_with("Failed with result");
        (!is_result && (is_managers || is_child)).then(|| text.to_owned())
    };
    let mut lines: Vec<String> = Vec::new();
    for line in journal.lines().filter_map(line) {
        lines.retain(|other| *other != line);
        lines.push(line);
    }
    lines.split_off(lines.len().saturating_sub(KEPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_managers_own_words_are_kept_and_no_others() {
        // systemd 252, as a host with a missing folder logs it.
        let journal = "\
1700000000.1 vm systemd[1]: Started circleci.service - CircleCI runner.
1700000000.2 vm (ch-agent)[230]: circleci.service: Changing to the requested working directory failed: No such file or directory
1700000000.2 vm (ch-agent)[230]: circleci.service: Failed at step CHDIR spawning /opt/circleci/agent: No such file or directory
1700000000.3 vm systemd[1]: circleci.service: Main process exited, code=exited, status=200/CHDIR
1700000000.3 vm systemd[1]: circleci.service: Failed with result 'exit-code'.
1700000000.4 vm (job)[231]: circleci.service: Failed at step PASSWORD spawning hunter2: No such file or directory
1700000000.4 vm systemd[232]: circleci.service: Failed to keep hunter2
1700000000.4 vm circleci[233]: hunter2
";
        assert_eq!(
            of(journal, "circleci.service", &["/opt/circleci/agent".to_owned()]),
            [
                "Failed at step CHDIR spawning /opt/circleci/agent: No such file or directory",
                "Main process exited, code=exited, status=200/CHDIR",
            ]
        );
    }
}
