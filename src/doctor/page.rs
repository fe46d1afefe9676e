//! `docs/checks.md`, generated from the catalogue.

use super::{CHECKS, Topic};
use std::fmt::Write;

/// Failures that no check can find from the host, and why. The first column is a row of
/// docs/agents.md.
const BEYOND: &[(&str, &str, &str)] = &[
    (
        "B06",
        "`platform: parameter not set` in the published download script",
        "A script that was run elsewhere leaves no trace. `runnerup install` does not need it.",
    ),
    (
        "B08",
        "a version that lost its last character",
        "The error is in a playbook. `permissions/binary-is-program` finds its effect, a web page that was saved as a binary.",
    ),
    (
        "B13",
        "the lock of apt is held while an image boots",
        "The lock is released when the doctor runs. `agent/installed` finds its effect, a missing agent.",
    ),
    (
        "B14",
        "a package repository cannot be reached",
        "The doctor contacts only the endpoints of an agent. `agent/installed` finds the effect, a missing agent.",
    ),
    (
        "B15",
        "a Windows installer stopped halfway",
        "What it leaves looks like any incomplete install. The checks of service, binary and configuration find each part.",
    ),
    (
        "B16",
        "TLS 1.2 is disabled in PowerShell",
        "Only the published script uses the TLS of PowerShell; the agents do not.",
    ),
    ("B17", "an installer waits for Notepad", "Only the published script does this."),
    (
        "B21",
        "`systemctl reload` of a unit without `ExecReload`",
        "systemd reports the error of this one command at once, and it leaves nothing behind.",
    ),
    (
        "N11",
        "a job changes the default route",
        "The change is inside a job and ends with it. `agent/job-moves` finds a job that hangs because of it.",
    ),
    (
        "N12",
        "an incident at CircleCI",
        "`connectivity/api-answers` distinguishes it from a failure of the host. Nothing on the host can end it.",
    ),
    (
        "N13",
        "a server without internet access lacks `canary.txt` or the task agent's download",
        "This appears only when a task is claimed, and the doctor never claims one.",
    ),
    (
        "P14",
        "a locked login keychain",
        "Only a job that signs needs the keychain, and the doctor runs in another session than the job.",
    ),
    (
        "Q12",
        "a server release that does not fit the agent",
        "The server does not tell a runner its release. `agent/supported` names the releases that pin the installed version.",
    ),
    (
        "Q14",
        "a hand-written loop around the agent that `set -e` ends",
        "Nothing on the host names the script as the supervisor. `service/defined` requires a service of the system.",
    ),
    (
        "Q23",
        "an autoscaler that counts processes by name",
        "The autoscaler runs on another host. `agent/job-moves` shows how to detect a job: by the agent's process tree.",
    ),
    (
        "Q02",
        "a resource class of another organization",
        "Only the page of the job shows it. `queue/class-exists` finds what the given token can see.",
    ),
    ("Q04", "jobs of forked repositories", "This is a setting of the project, not of the host."),
    ("Q05", "a config policy", "This is a setting of the organization, not of the host."),
    (
        "Q06",
        "no permission to create a resource class",
        "This depends on the user's own token. CircleCI reports it when the class is created.",
    ),
    (
        "Q24",
        "a container without the variable for its token",
        "The container ends and is gone. `config/environment-read` checks the names of variables in a running one.",
    ),
    ("Q25", "an obsolete container image", "The container registry is not on the host."),
    (
        "E01",
        "`circleci: command not found` in a job",
        "Only the job's own configuration says whether it needs the CLI. `host/job-tools` checks what every job needs.",
    ),
    (
        "E04",
        "a rerun with SSH that cannot connect",
        "Firewalls between the user and port 54782 decide. `config/values-valid` checks the address, `host/ssh-rerun-port` the process that listens.",
    ),
    (
        "E05",
        "`permission denied` on docker's socket",
        "Access to docker equals root, so the owner of the host must decide. `permissions/power-known` shows who has it.",
    ),
    ("E03", "checkout with the wrong SSH key", "The project decides which key a job gets."),
    (
        "E06",
        "a job's own container ends",
        "The container belongs to the job. `host/no-oom-kills` finds a lack of memory.",
    ),
];

/// The whole page, in Markdown.
pub fn page() -> String {
    let mut text = String::from(
        "# Checks\n\n\
         Generated from the catalogue in `src/doctor/` by `runnerup doctor --list --markdown`; a \
         test keeps it current.\n\
         A check only reads; it changes nothing. `runnerup doctor --only NAME` runs one check, \
         `--skip NAME` leaves it out. The name of a topic selects all checks of the topic.\n\
         \"Explained by\" names other checks: if one of them fails, this check is skipped, because \
         it would report the same cause again.\n",
    );
    for topic in Topic::ALL {
        let _ = write!(text, "\n## {}\n", topic.name());
        for check in CHECKS.iter().filter(|check| check.topic() == topic.name()) {
            let _ = write!(text, "\n### `{}`\n\n{}.\n\n", check.name, check.holds);
            let _ = writeln!(text, "- Why: {}", check.why);
            let _ = writeln!(text, "- How it is checked: {}", check.found);
            let _ = writeln!(text, "- Fix: {}", check.cure);
            if !check.after.is_empty() {
                let causes: Vec<_> = check.after.iter().map(|name| format!("`{name}`")).collect();
                let _ = writeln!(text, "- Explained by: {}", causes.join(", "));
            }
        }
    }
    text.push_str(
        "\n## Failures that no check finds\n\n\
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
