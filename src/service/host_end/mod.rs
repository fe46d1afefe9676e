//! Commands and directives that end the host: seen in the published one-shot runners of CI services,
//! whose virtual machine goes away with its only job.

mod calls;
mod script;
mod words;

pub(crate) use script::{of_foreign, of_text};
pub(crate) use words::{Part, parts};

use super::systemd::unit_text::{split, take_signs};
use crate::host::{Directive, EndedBy, Ending, HostEnd, Service};
use std::path::Path;

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

/// What a target does that ends the host.
pub(crate) fn of_target(unit: &str) -> Option<Ending> {
    of_action(unit.strip_suffix(".target")?)
}

/// What a command line does to the host by itself, as far as that is known.
pub(crate) fn of_words<Word: AsRef<str>>(words: &[Word]) -> Option<Ending> {
    known(parts(words))
}

/// The same of any command of a script.
#[cfg(test)]
fn of_script(text: &str) -> Option<Ending> {
    known(of_text(text))
}

fn known(parts: Vec<Part>) -> Option<Ending> {
    parts.into_iter().find_map(|part| match part {
        Part::Ends(ending) => Some(ending).filter(|ending| *ending != Ending::Unread),
        Part::Starts(_) | Part::Runs(_) => None,
    })
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
