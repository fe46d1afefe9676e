//! Commands and directives that end the host: seen in the published one-shot runners of CI services,
//! whose virtual machine goes away with its only job.

use super::systemd::unit_text::{split, take_signs};
use crate::host::{Directive, EndedBy, Ending, HostEnd, Service};
use std::path::Path;

/// Programs that run the command behind their own words.
const PREFIXES: [&str; 20] = [
    "sudo",
    "doas",
    "env",
    "nohup",
    "exec",
    "command",
    "builtin",
    "eval",
    "timeout",
    "nice",
    "ionice",
    "chrt",
    "setsid",
    "stdbuf",
    "flock",
    "systemd-run",
    "time",
    "xargs",
    "trap",
    "start",
];

/// Shells, which read a script after `-c`, `/c` or `-Command`.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "cmd", "powershell", "pwsh"];

/// Words of a script that a command may follow.
const KEYWORDS: [&str; 11] =
    ["then", "do", "else", "elif", "if", "while", "until", "!", "{", "time", "&"];

/// Command lines of providers, and the words by which they stop or delete a machine.
const PROVIDERS: [(&str, &[&str]); 12] = [
    ("aws", &["terminate-instances", "stop-instances", "terminate-instance-in-auto-scaling-group"]),
    ("gcloud", &["delete", "stop", "delete-instances", "suspend"]),
    ("az", &["delete", "deallocate", "stop"]),
    ("doctl", &["delete", "shutdown", "power-off"]),
    ("hcloud", &["delete", "shutdown", "poweroff"]),
    ("openstack", &["delete", "stop"]),
    ("oci", &["terminate"]),
    ("linode-cli", &["delete", "shutdown"]),
    ("virsh", &["destroy", "shutdown"]),
    ("tart", &["stop", "delete"]),
    ("orb", &["stop", "delete"]),
    ("multipass", &["stop", "delete"]),
];

/// What a service's definition itself does to the host when the agent ends or is stopped, and what
/// scripts and units do that it names, as far as a probe read them.
pub(crate) fn host_ends(service: &Service) -> Vec<HostEnd> {
    let file = service.file().map(|walk| walk.path.clone()).unwrap_or_default();
    let named = service.host_ends.ok().map_or(&[][..], Vec::as_slice);
    of_definition(&service.directives, &service.command, &file, named)
}

/// The same of a definition by its parts: its lines, the words of its command, its file, and what
/// `named` scripts and units do.
pub(crate) fn of_definition<Value: AsRef<str>, Word: AsRef<str>>(
    lines: &[Directive<Value>],
    words: &[Word],
    file: &Path,
    named: &[HostEnd],
) -> Vec<HostEnd> {
    let is_taken_back = |at: usize, line: &Directive<Value>| {
        lines[at..].iter().any(|later| {
            (&later.section, &later.key) == (&line.section, &line.key)
                && later.value.as_ref().is_empty()
        })
    };
    let counting = lines.iter().enumerate().filter(|(at, line)| !is_taken_back(*at, line));
    let of_line = |(_, line): (usize, &Directive<Value>)| {
        let (by, ending) = of_directive(&line.section, &line.key, line.value.as_ref())?;
        Some(HostEnd { by, ending, file: line.file.clone(), line: line.line })
    };
    let mut ends: Vec<HostEnd> = counting.filter_map(of_line).collect();
    if ends.is_empty() {
        let of_command =
            |ending| HostEnd { by: EndedBy::Command, ending, file: file.into(), line: 1 };
        ends.extend(of_words(words).map(of_command));
    }
    for end in named {
        if !ends.iter().any(|other| other.by == end.by && other.line == end.line) {
            ends.push(end.clone());
        }
    }
    ends
}

/// What one directive of a unit does.
pub(crate) fn of_directive(section: &str, key: &str, value: &str) -> Option<(EndedBy, Ending)> {
    let by = EndedBy::of_key(key).filter(|_| matches!(section, "Unit" | "Service"))?;
    let ending = match by {
        EndedBy::Command | EndedBy::ExecStop | EndedBy::ExecStopPost => of_words(&command(value)),
        EndedBy::OnSuccess | EndedBy::OnFailure => value.split_whitespace().find_map(of_target),
        _ => of_action(value),
    };
    Some((by, ending?))
}

/// The words of a command of a unit, without the signs in front of its program.
pub(crate) fn command(value: &str) -> Vec<String> {
    let mut words = split(value);
    take_signs(&mut words);
    words
}

/// `poweroff-force`, `reboot-immediate`: `systemd.unit(5)`.
fn of_action(value: &str) -> Option<Ending> {
    match value.split('-').next()? {
        "poweroff" | "halt" | "exit" => Some(Ending::PowerOff),
        "reboot" | "kexec" | "soft" => Some(Ending::Reboot),
        _ => None,
    }
}

fn of_target(unit: &str) -> Option<Ending> {
    of_action(unit.strip_suffix(".target")?)
}

/// What a command line does to the host.
pub(crate) fn of_words<Word: AsRef<str>>(words: &[Word]) -> Option<Ending> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    of(&words)
}

fn of(words: &[&str]) -> Option<Ending> {
    let (first, rest) = words.split_first()?;
    let has = |options: &[&str]| rest.iter().any(|word| options.contains(word));
    if rest.windows(2).any(|pair| matches!(pair, [">" | ">>" | "tee", "/proc/sysrq-trigger"]))
        || has(&[">/proc/sysrq-trigger"])
    {
        return Some(if has(&["b"]) { Ending::Reboot } else { Ending::PowerOff });
    }
    match name(first).as_str() {
        "shutdown" if has(&["-c", "-k", "/a", "--show"]) => None,
        "shutdown" if has(&["-r", "--reboot", "/r", "/g"]) => Some(Ending::Reboot),
        "shutdown" | "poweroff" | "halt" | "stop-computer" => Some(Ending::PowerOff),
        "reboot" | "restart-computer" => Some(Ending::Reboot),
        "init" | "telinit" if has(&["0"]) => Some(Ending::PowerOff),
        "init" | "telinit" if has(&["6"]) => Some(Ending::Reboot),
        "systemctl" | "loginctl" => rest.iter().find_map(|word| of_target(word)).or_else(|| {
            let verb = rest.iter().find(|word| !word.starts_with('-'))?;
            of_action(verb).filter(|_| *verb != "exit" && !verb.contains('@'))
        }),
        "osascript" if rest.iter().any(|word| word.contains("shut down")) => Some(Ending::PowerOff),
        "osascript" if rest.iter().any(|word| word.contains("restart")) => Some(Ending::Reboot),
        shell if SHELLS.contains(&shell) => {
            let at = rest.iter().position(|word| {
                let option = word.to_lowercase();
                option == "/c" || option == "-command" || is_command_option(&option)
            })?;
            of_script(&rest.get(at + 1..)?.join(" "))
        }
        prefix if PREFIXES.contains(&prefix) => (0..rest.len()).find_map(|at| {
            let script = rest.get(at).filter(|word| word.contains(' ')).copied();
            script.and_then(of_script).or_else(|| of(rest.get(at..).unwrap_or_default()))
        }),
        provider => {
            let (_, verbs) = PROVIDERS.iter().find(|(name, _)| *name == provider)?;
            has(verbs).then_some(Ending::Terminate)
        }
    }
}

/// `-c`, also among others as in `-lc`.
fn is_command_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        letters.len() <= 4
            && letters.contains('c')
            && letters.bytes().all(|b| b.is_ascii_lowercase())
    })
}

/// The name of a program without its folder and `.exe`.
fn name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program).to_lowercase();
    name.strip_suffix(".exe").map_or(name.clone(), str::to_owned)
}

/// What a script does to the host in any of its commands.
pub(crate) fn of_script(text: &str) -> Option<Ending> {
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    commands(&text).iter().find_map(|words| {
        let is_before = |word: &&&str| KEYWORDS.contains(*word) || is_assignment(word);
        let skipped = words.iter().map(String::as_str).collect::<Vec<_>>();
        let at = skipped.iter().take_while(is_before).count();
        of(skipped.get(at..).unwrap_or_default())
    })
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The simple commands of a script, each as its words. Comments are left out; what stands in quotes
/// is one word.
fn commands(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let mut quote = None;
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => quote = Some(sign),
            ('#', None) if word.is_empty() => while signs.next_if(|c| *c != '\n').is_some() {},
            (';' | '&' | '|' | '(' | ')' | '`' | '\n', None) => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                all.push(std::mem::take(&mut words));
            }
            (c, None) if c.is_whitespace() => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            (c, None) => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    all.push(words);
    all
}

/// The files of a command that may be a script: its program, and the word behind a shell.
pub(crate) fn scripts(words: &[String]) -> Vec<&str> {
    let Some((first, rest)) = words.split_first() else { return Vec::new() };
    let program = name(first);
    let is_runner = SHELLS.contains(&&*program) || PREFIXES.contains(&&*program);
    let behind = rest.iter().filter(|_| is_runner).filter(|word| word.starts_with('/'));
    std::iter::once(first).chain(behind).map(String::as_str).collect()
}

/// The part of a directive that names units which start when the service has ended.
pub(crate) fn handlers<T: AsRef<str>>(line: &Directive<T>) -> Option<(EndedBy, Vec<&str>)> {
    let by = EndedBy::of_key(&line.key)?;
    matches!(by, EndedBy::OnSuccess | EndedBy::OnFailure)
        .then(|| (by, line.value.as_ref().split_whitespace().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_end_the_host_are_known() {
        use Ending::{PowerOff, Reboot, Terminate};
        for (line, expected) in [
            // The vendor's published autoscaling set-up.
            ("shutdown now -h", Some(PowerOff)),
            ("/sbin/shutdown -h now", Some(PowerOff)),
            ("+/usr/bin/systemctl poweroff", Some(PowerOff)),
            ("-/bin/systemctl --no-block isolate reboot.target", Some(Reboot)),
            ("/usr/bin/sudo -n /sbin/poweroff -f", Some(PowerOff)),
            ("/sbin/shutdown -r +1", Some(Reboot)),
            ("/sbin/init 0", Some(PowerOff)),
            ("/bin/sh -c 'sleep 5; shutdown -h now'", Some(PowerOff)),
            ("/bin/bash -lc \"test -e /run/keep || reboot\"", Some(Reboot)),
            ("/bin/sh -c 'echo o > /proc/sysrq-trigger'", Some(PowerOff)),
            // A published module for runners in an auto scaling group.
            (
                "/usr/bin/aws autoscaling terminate-instance-in-auto-scaling-group --instance-id i",
                Some(Terminate),
            ),
            ("/usr/bin/gcloud -q compute instances delete host --zone z", Some(Terminate)),
            ("/usr/bin/az vm deallocate --ids x", Some(Terminate)),
            ("/usr/bin/aws s3 rm s3://logs/delete", None),
            ("/sbin/shutdown -c", None),
            ("/bin/sh -c 'echo shutdown'", None),
            ("/usr/bin/logger agent shutdown now", None),
            ("/usr/bin/systemctl restart docker.service", None),
            ("/usr/bin/systemctl start poweroff-hook.service", None),
            ("/usr/bin/notify-send reboot", None),
        ] {
            assert_eq!(of_words(&command(line)), expected, "{line}");
        }
    }

    #[test]
    fn scripts_are_read_command_by_command() {
        for (text, expected) in [
            ("#!/bin/sh\n# then shutdown\n/opt/agent\nshutdown -h now\n", Some(Ending::PowerOff)),
            ("trap 'shutdown -h now' EXIT\n/opt/agent", Some(Ending::PowerOff)),
            ("if true; then\n  sudo reboot\nfi", Some(Ending::Reboot)),
            (
                "id=$(curl -s http://x/id)\naws ec2 terminate-instances \\\n  --instance-ids $id\n",
                Some(Ending::Terminate),
            ),
            ("agent --name x\r\nshutdown /s /t 0\r\n", Some(Ending::PowerOff)),
            ("echo \"the host is to shutdown now\"\n", None),
            ("# reboot\nexec /opt/agent\n", None),
        ] {
            assert_eq!(of_script(text), expected, "{text}");
        }
    }

    #[test]
    fn actions_of_units_are_known() {
        for (section, key, value, expected) in [
            ("Unit", "SuccessAction", "poweroff", Some((EndedBy::SuccessAction, Ending::PowerOff))),
            (
                "Unit",
                "FailureAction",
                "reboot-force",
                Some((EndedBy::FailureAction, Ending::Reboot)),
            ),
            ("Unit", "OnSuccess", "poweroff.target", Some((EndedBy::OnSuccess, Ending::PowerOff))),
            ("Service", "StartLimitAction", "none", None),
            (
                "Unit",
                "SuccessAction",
                "exit-force",
                Some((EndedBy::SuccessAction, Ending::PowerOff)),
            ),
            ("Install", "ExecStopPost", "reboot", None),
        ] {
            assert_eq!(of_directive(section, key, value), expected, "{key}={value}");
        }
    }
}
