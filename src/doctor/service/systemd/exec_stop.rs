//! A command of the unit that signals the agent at a stop: systemd signals it again behind that, and an
//! agent ends its job at the second signal (docs/agents.md, Configuration).

use super::drop_in::drop_in;
use crate::{
    doctor::Problem,
    host::{Directive, Install, Service},
};

/// Programs that send signals.
const SIGNALLING: [&str; 4] = ["kill", "pkill", "killall", "skill"];

/// Words of a script that waits until the agent has ended, so that systemd has nothing left to signal.
const WAITING: [&str; 5] = ["wait", "while", "until", "--pid", "-0"];

/// The problem of a line that signals the agent and does not wait for it, as many units of servers have
/// `ExecStop=/bin/kill -s TERM $MAINPID`.
pub(super) fn problem(install: &Install, service: &Service) -> Option<Problem> {
    let line = service.directives("Service", "ExecStop").find(|line| signals(&line.value))?;
    let lines = "[Service]\nExecStop=\n";
    let text = "Set ExecStop= to nothing in [Service]: systemd sends the signal itself.";
    Some(
        Problem::fail("a stop signals the agent twice, which ends the running job")
            .seen(place(line))
            .cure(drop_in(text, install, "exec-stop", lines)),
    )
}

fn place(line: &Directive) -> String {
    format!("{}:{}: ExecStop={}", line.file.display(), line.line, line.value)
}

fn signals(command: &str) -> bool {
    let words: Vec<&str> = command
        .split([' ', '\t', '"', '\'', ';', '&', '|'])
        .filter(|word| !word.is_empty())
        .collect();
    let name = |word: &&str| {
        let word = word.trim_start_matches(['-', '+', '!', '@', ':']);
        word.rsplit('/').next().unwrap_or(word).to_owned()
    };
    let is_signal = words.iter().any(|word| SIGNALLING.contains(&name(word).as_str()));
    let waits = words.iter().any(|word| WAITING.iter().any(|wait| word.starts_with(wait)));
    is_signal && !waits
}

#[cfg(test)]
mod tests {
    use super::signals;
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn a_second_signal_is_found_and_a_script_that_waits_is_not() {
        for command in [
            "/bin/kill -s TERM $MAINPID",
            "-/usr/bin/kill -9 $MAINPID",
            "/bin/sh -c \"/bin/kill -TERM $MAINPID\"",
            "/usr/bin/pkill -u circleci",
            "killall circleci-launch-agent",
        ] {
            assert!(signals(command), "{command}");
        }
        for command in [
            "/bin/sh -c \"kill -TERM $MAINPID; while kill -0 $MAINPID; do sleep 1; done\"",
            "/bin/sh -c \"kill $MAINPID; tail --pid=$MAINPID -f /dev/null\"",
            "/usr/local/bin/notify-chat stopped",
            "/opt/skills/report",
        ] {
            assert!(!signals(command), "{command}");
        }
        let mut survey = healthy();
        directive(&mut survey, "Service", "ExecStop", "/bin/kill -s TERM $MAINPID");
        let found = finding(&survey, "service/stop-waits");
        assert_eq!(found.status, Status::Fail);
        assert!(found.evidence.contains("ExecStop=/bin/kill"), "{}", found.evidence);
        directive(&mut survey, "Service", "ExecStop", "");
        assert_eq!(status(&survey, "service/stop-waits"), Status::Pass);
    }
}
