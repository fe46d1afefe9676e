//! `docs/checks.md`, generated from the catalogue.

use super::{CHECKS, Topic};
use std::fmt::Write;

/// What the doctor cannot find from the host, and why: rows of the facts on failures.
const BEYOND: &[(&str, &str, &str)] = &[
    (
        "B06",
        "`platform: parameter not set` in the published download script",
        "A script that was run elsewhere leaves no trace; `runnerup install` does not need it.",
    ),
    (
        "B08",
        "a version that lost its last character",
        "The mistake stands in someone's playbook; its effect, a page saved as a binary, is found by `permissions/binary-is-program`.",
    ),
    (
        "B13",
        "apt's lock held while an image boots",
        "It is over when anyone looks; what it leaves, a missing agent, is found by `agent/installed`.",
    ),
    (
        "B14",
        "a package repository that cannot be reached",
        "The doctor asks only what an agent asks; what is missing then is found by `agent/installed`.",
    ),
    (
        "B15",
        "a Windows installer that stopped halfway",
        "Its leftovers look like any incomplete install, which the checks of service, binary and configuration find one by one.",
    ),
    (
        "B16",
        "TLS 1.2 switched off in PowerShell",
        "It concerns the published script alone; neither agent uses PowerShell's TLS.",
    ),
    ("B17", "an installer that waits for Notepad", "It concerns the published script alone."),
    (
        "B21",
        "`systemctl reload` of a unit without `ExecReload`",
        "It is an error of one command, told by systemd at once, and leaves nothing behind.",
    ),
    (
        "N11",
        "a job that changes the default route",
        "It happens inside a job and is gone with it; `agent/job-moves` sees a job that hangs of it.",
    ),
    (
        "N12",
        "an incident of the service",
        "Told apart from the host's own trouble by `connectivity/api-answers`; its end is not in the host's hands.",
    ),
    (
        "Q02",
        "a resource class of another organisation",
        "Only the job's own page says it; `queue/class-exists` sees what the given token may see.",
    ),
    ("Q04", "jobs of forked repositories", "A setting of the project, not of the host."),
    ("Q05", "a config policy", "A setting of the organisation, not of the host."),
    (
        "Q06",
        "no right to create a resource class",
        "A matter of the person's own token, told when the class is made.",
    ),
    (
        "Q24",
        "a container without its token's variable",
        "The container is gone when it ends; the name of the variable is checked by `config/environment-read` where one runs.",
    ),
    ("Q25", "an obsolete container image", "The registry is not the host's."),
    (
        "E01",
        "`circleci: command not found` in a job",
        "Whether a job needs the CLI stands in its own configuration; `host/job-tools` says what jobs always need.",
    ),
    ("E03", "checkout with the wrong SSH key", "Which key a job gets is decided by the project."),
    (
        "E06",
        "a job's own container ends",
        "It is the job's own; out of memory is seen by `host/no-oom-kills`.",
    ),
];

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut text = String::from(
        "# Checks\n\n\
         Generated from the catalogue in `src/doctor/` by `runnerup doctor --list --markdown`; a \
         test keeps it current.\n\
         A check looks at facts and changes nothing. `runnerup doctor --only NAME` runs one, \
         `--skip NAME` leaves it out; a topic's name stands for all of its checks.\n",
    );
    for topic in Topic::ALL {
        let _ = write!(text, "\n## {}\n", topic.name());
        for check in CHECKS.iter().filter(|check| check.topic() == topic.name()) {
            let _ = write!(text, "\n### `{}`\n\n{}.\n\n", check.name, check.holds);
            let _ = writeln!(text, "- Why: {}", check.why);
            let _ = writeln!(text, "- Found: {}", check.found);
            let _ = writeln!(text, "- Cured: {}", check.cure);
            if !check.after.is_empty() {
                let causes: Vec<_> = check.after.iter().map(|name| format!("`{name}`")).collect();
                let _ = writeln!(text, "- Not told twice when this fails: {}", causes.join(", "));
            }
        }
    }
    text.push_str(
        "\n## Not to be found from the host\n\n\
         | failure | what people see | why no check finds it |\n| --- | --- | --- |\n",
    );
    for (id, seen, why) in BEYOND {
        let _ = writeln!(text, "| {id} | {seen} | {why} |");
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_docs_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/checks.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == super::page(), "run: runnerup doctor --list --markdown >docs/checks.md");
    }
}
