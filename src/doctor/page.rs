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
        "N13",
        "a closed-off server that lacks `canary.txt`, or the task agent's download",
        "What a server mirrors shows itself only when a task is claimed, and the doctor never claims one.",
    ),
    (
        "P14",
        "a locked login keychain",
        "Only a job that signs needs one, and a look from outside of its session sees another one than the job does.",
    ),
    (
        "Q12",
        "a server's release that the agent does not fit",
        "The server does not tell a runner its release; `agent/supported` names the releases that the installed version is pinned for.",
    ),
    (
        "Q14",
        "a loop of one's own around the agent that `set -e` ends",
        "What supervises is then a script that nothing on the host names; `service/defined` asks for a service of the system.",
    ),
    (
        "Q23",
        "an autoscaler that counts processes by name",
        "The count is taken by a program elsewhere; `agent/job-moves` shows how to see a job: by the agent's process tree.",
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
    (
        "E04",
        "rerun with SSH that cannot connect",
        "Who may reach port 54782 is decided by firewalls on the way; `config/values-valid` judges the address, `host/ssh-rerun-port` who listens.",
    ),
    (
        "E05",
        "`permission denied` on docker's socket",
        "Whether jobs should have docker, which is to have root, is the owner's choice; `permissions/power-known` says who has it.",
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
