//! Scripts and units that a service names, and what they do to the host when it ends. Of their text
//! nothing is kept.

use super::{
    launchd,
    reader::{self, Part},
    tasks,
    unit::Unit,
    units,
};
use crate::{
    Code,
    host::{Directive, EndedBy, Ending, HostEnd, Provenance},
    platform::fs::Root,
    service::{
        host_end::{command, handlers, of_definition, of_script, of_words, scripts},
        systemd::{drop_ins::FOLDERS, unit_text::parse},
    },
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Most bytes of a script that are read.
const LIMIT: u64 = 64 << 10;

/// How long folders of drop-ins may take to be listed for a plan.
const TIME: Duration = Duration::from_secs(1);

/// Most units and scripts that are looked at for one service.
const NAMED: usize = 32;

/// What the service of a name does to the host when it ends or is stopped.
pub(super) fn of_service(root: &Root, name: &str) -> Vec<HostEnd> {
    let is_it = |unit: &Unit| unit.name == name;
    let unit = units::named(root, name, Instant::now() + TIME)
        .or_else(|| launchd::find(root).into_iter().find(is_it))
        .or_else(|| tasks::find(root).into_iter().find(is_it));
    let Some(unit) = unit else { return Vec::new() };
    let words = unit.command();
    let file = unit.definitions.first().map(|definition| definition.walk.path.clone());
    let named = examine(root, &unit.directives, &words, unit.provenance());
    of_definition(&unit.directives, &words, &file.unwrap_or_default(), &named)
}

/// What scripts and units do to the host that these directives name, which `named_by` wrote.
pub(super) fn examine(
    root: &Root,
    directives: &[Directive<String>],
    words: &[String],
    named_by: Provenance,
) -> Vec<HostEnd> {
    let of_command = (!words.is_empty()).then(|| {
        let ending = scripts(words).into_iter().find_map(|path| of_file(root, path, named_by));
        let line = directives.iter().rev().find(|line| line.key == "ExecStart");
        Some(end(EndedBy::Command, ending.filter(|ending| *ending != Ending::Unread)?, line))
    });
    let named = directives.iter().take(1000).filter_map(|line| {
        let by = EndedBy::of_key(&line.key)?;
        let ending = match by {
            EndedBy::ExecStop | EndedBy::ExecStopPost => {
                let words = command(&line.value);
                scripts(&words).into_iter().find_map(|path| of_file(root, path, named_by))
            }
            _ => {
                let (_, units) = handlers(line)?;
                units.into_iter().take(NAMED).find_map(|unit| of_unit(root, unit, named_by))
            }
        };
        Some(end(by, ending?, Some(line)))
    });
    of_command.flatten().into_iter().chain(named.take(NAMED)).collect()
}

fn end(by: EndedBy, ending: Ending, line: Option<&Directive<String>>) -> HostEnd {
    let file = line.map(|line| line.file.clone()).unwrap_or_default();
    HostEnd { by, ending, file, line: line.map_or(1, |line| line.line) }
}

/// What a script does; nothing is known of a program of another kind.
fn of_file(root: &Root, path: &str, named_by: Provenance) -> Option<Ending> {
    let path = Path::new(path);
    if !path.is_absolute() {
        return None;
    }
    match reader::read_at(root, path, Part::Head(LIMIT), named_by) {
        Ok((_, content)) => {
            let is_script = content.bytes.starts_with(b"#!") || !content.bytes.contains(&0);
            let text = String::from_utf8_lossy(&content.bytes);
            is_script.then(|| of_script(&text)).flatten()
        }
        Err(error) if error.code() == Code::UntrustedPath => Some(Ending::Unread),
        Err(_) => None,
    }
}

/// What a unit does that starts when the service has ended.
fn of_unit(root: &Root, unit: &str, named_by: Provenance) -> Option<Ending> {
    let template = unit.split_once('@').map(|(template, instance)| {
        let kind = instance.rsplit_once('.').map_or("service", |(_, kind)| kind);
        format!("{template}@.{kind}")
    });
    let names = [Some(unit.to_owned()), template];
    let mut files = FOLDERS
        .iter()
        .flat_map(|folder| names.iter().flatten().map(move |name| Path::new(folder).join(name)));
    let (walk, content) =
        files.find_map(|file| reader::read_at(root, &file, Part::Head(LIMIT), named_by).ok())?;
    let by = named_by.and(walk.written_by());
    let directives = parse(&String::from_utf8_lossy(&content.bytes), &walk.path);
    let commands = directives.iter().filter(|line| line.key == "ExecStart");
    let of_line = |line: &Directive<String>| {
        let words = command(&line.value);
        of_words(&words)
            .or_else(|| scripts(&words).into_iter().find_map(|path| of_file(root, path, by)))
    };
    commands.take(NAMED).find_map(of_line).filter(|ending| *ending != Ending::Unread)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;

    fn ends(unit: &str, others: &[(&str, &str)]) -> Vec<(EndedBy, Ending)> {
        let (folder, root) = crate::platform::fs::empty_root();
        for (path, text) in others {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let directives = parse(unit, Path::new("/etc/systemd/system/circleci.service"));
        let words = crate::service::systemd::unit_text::command(&directives);
        let found = examine(&root, &directives, &words, Provenance::Root);
        found.into_iter().map(|end| (end.by, end.ending)).collect()
    }

    #[test]
    fn scripts_and_units_that_are_named_are_read() {
        let script = [("/opt/stop.sh", "#!/bin/sh\nsync\nexec shutdown -h now\n")];
        assert_eq!(
            ends("[Service]\nExecStopPost=+/opt/stop.sh now\n", &script),
            [(EndedBy::ExecStopPost, Ending::PowerOff)]
        );
        assert_eq!(
            ends("[Service]\nExecStart=/bin/bash /opt/stop.sh\n", &script),
            [(EndedBy::Command, Ending::PowerOff)]
        );
        let units = [
            ("/usr/lib/systemd/system/off@.service", "[Service]\nExecStart=/bin/sh /o.sh"),
            ("/o.sh", "aws ec2 terminate-instances --instance-ids $ID"),
        ];
        assert_eq!(
            ends("[Unit]\nOnSuccess=off@%n.service\n", &units),
            [(EndedBy::OnSuccess, Ending::Terminate)]
        );
        assert_eq!(
            ends(
                "[Service]\nExecStop=/opt/none\nExecStopPost=/opt/stop.sh\n",
                &[("/opt/stop.sh", "#!/bin/sh\necho reboot\n")]
            ),
            []
        );
    }
}
