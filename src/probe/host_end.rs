//! Scripts and units that a service names, and what they do to the host when it ends. Of their text
//! nothing is kept.

use super::{launchd, reader, tasks, unit::Unit, units};
use crate::{
    Code,
    host::{Directive, EndedBy, Ending, HostEnd, Provenance},
    platform::fs::{Kind, Root},
    service::{
        host_end::{
            Part, command, handlers, of_definition, of_directive, of_foreign, of_target, of_text,
            parts,
        },
        systemd::{drop_ins::FOLDERS, unit_text::parse},
    },
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most bytes of a script that are read.
const LIMIT: u64 = 64 << 10;

/// How long folders of drop-ins may take to be listed for a plan.
const TIME: Duration = Duration::from_secs(1);

/// Most units and scripts that are looked at for one service, and how deep they may name one another.
const NAMED: usize = 32;
const DEPTH: usize = 6;

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
    let mut search = Search { root, left: NAMED, seen: BTreeSet::new() };
    let mut found = Vec::new();
    if !words.is_empty() {
        // Of the agent itself, and of what stands in front of it, all is not known.
        let ending = search.command(words, named_by, 0).filter(|ending| *ending != Ending::Unread);
        let line = directives.iter().rev().find(|line| line.key == "ExecStart");
        found.extend(ending.map(|ending| end(EndedBy::Command, ending, line)));
    }
    for line in directives.iter().take(1000) {
        let Some(by) = EndedBy::of_key(&line.key) else { continue };
        // Each line is looked at for itself.
        search.seen.clear();
        let ending = match by {
            EndedBy::ExecStop | EndedBy::ExecStopPost => {
                search.command(&command(&line.value), named_by, 0)
            }
            _ => handlers(line).and_then(|(_, units)| {
                let ending = units.into_iter().find_map(|unit| search.unit(unit, named_by, 0));
                ending.filter(|ending| *ending != Ending::Unread)
            }),
        };
        found.extend(ending.map(|ending| end(by, ending, Some(line))));
    }
    found.truncate(NAMED);
    found
}

fn end(by: EndedBy, ending: Ending, line: Option<&Directive<String>>) -> HostEnd {
    let file = line.map(|line| line.file.clone()).unwrap_or_default();
    HostEnd { by, ending, file, line: line.map_or(1, |line| line.line) }
}

/// What commands do to the host, through the scripts and units that they name.
struct Search<'a> {
    root: &'a Root,
    /// Files that may still be read.
    left: usize,
    /// Files that were looked for.
    seen: BTreeSet<PathBuf>,
}

impl Search<'_> {
    /// What a command does; [`Ending::Unread`] where that is not known.
    fn command(&mut self, words: &[String], by: Provenance, depth: usize) -> Option<Ending> {
        self.parts(parts(words), by, depth)
    }

    fn parts(&mut self, parts: Vec<Part>, by: Provenance, depth: usize) -> Option<Ending> {
        let mut unknown = None;
        for part in parts {
            let ending = match part {
                Part::Ends(ending) => Some(ending),
                _ if depth > DEPTH => Some(Ending::Unread),
                Part::Starts(units) => {
                    let mut units = units.iter();
                    units.find_map(|unit| self.unit(unit, by, depth + 1))
                }
                Part::Runs(files) => self.first(&files, by, depth + 1),
            };
            match ending {
                Some(Ending::Unread) => unknown = ending,
                Some(_) => return ending,
                None => {}
            }
        }
        unknown
    }

    /// What the only file does, or the first that can be executed.
    fn first(&mut self, files: &[String], by: Provenance, depth: usize) -> Option<Ending> {
        let root = self.root;
        let is_program = |file: &&String| {
            let end = root.walk(Path::new(file)).ok().and_then(|walk| walk.end);
            end.is_some_and(|end| end.kind == Kind::File && !end.has_none(0o111))
        };
        let file = match files {
            [file] => Some(file),
            // No more are looked at than may be read of them all.
            files => files.iter().take(self.left).find(is_program),
        };
        self.file(Path::new(file?), by, depth)
    }

    fn file(&mut self, path: &Path, by: Provenance, depth: usize) -> Option<Ending> {
        if !path.is_absolute() || !self.seen.insert(path.to_owned()) {
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else { return Some(Ending::Unread) };
        self.left = left;
        let (walk, content) = match reader::read_at(self.root, path, reader::Part::Head(LIMIT), by)
        {
            Ok(read) => read,
            Err(error) => {
                return (error.code() == Code::UntrustedPath).then_some(Ending::Unread);
            }
        };
        let by = by.and(walk.written_by());
        let text = String::from_utf8_lossy(&content.bytes);
        match text.strip_prefix("#!").map(|text| text.lines().next().unwrap_or_default()) {
            Some(line) if !is_shell(line) => Some(of_foreign(&text)),
            None if content.bytes.contains(&0) => Some(Ending::Unread),
            _ if content.cut => self.parts(of_text(&text), by, depth).or(Some(Ending::Unread)),
            _ => self.parts(of_text(&text), by, depth),
        }
    }

    /// What a unit does that is started then.
    fn unit(&mut self, unit: &str, by: Provenance, depth: usize) -> Option<Ending> {
        if let Some(ending) = of_target(unit) {
            return Some(ending);
        }
        // A timer starts the service of its name.
        let unit =
            unit.strip_suffix(".timer").map_or(unit.to_owned(), |name| format!("{name}.service"));
        let template = unit.split_once('@').map(|(template, instance)| {
            let kind = instance.rsplit_once('.').map_or("service", |(_, kind)| kind);
            format!("{template}@.{kind}")
        });
        let names = [Some(unit), template];
        let mut files = FOLDERS.iter().flat_map(|folder| {
            names.iter().flatten().map(move |name| Path::new(folder).join(name))
        });
        if !self.seen.insert(files.clone().next()?) {
            return None;
        }
        let Some(left) = self.left.checked_sub(1) else { return Some(Ending::Unread) };
        self.left = left;
        let (walk, content) = files.find_map(|file| {
            reader::read_at(self.root, &file, reader::Part::Head(LIMIT), by).ok()
        })?;
        let by = by.and(walk.written_by());
        let directives = parse(&String::from_utf8_lossy(&content.bytes), &walk.path);
        let mut unknown = None;
        for line in directives.iter().take(1000) {
            let does =
                of_directive(&line.section, &line.key, &line.value).map(|(_, ending)| ending);
            let ending = match line.key.as_str() {
                _ if does.is_some() => does,
                "ExecStart" | "ExecStartPre" | "ExecStartPost" | "ExecStopPost" => {
                    self.command(&command(&line.value), by, depth)
                }
                "OnSuccess" if depth <= DEPTH => {
                    let mut units = line.value.split_whitespace();
                    units.find_map(|unit| self.unit(unit, by, depth + 1))
                }
                _ => None,
            };
            match ending {
                Some(Ending::Unread) => unknown = ending,
                Some(_) => return ending,
                None => {}
            }
        }
        unknown
    }
}

/// Whether the first line of a script names a shell.
fn is_shell(line: &str) -> bool {
    let names = line.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let mut names = names.filter(|name| *name != "env" && !name.starts_with('-'));
    names.next().is_some_and(|name| name == "busybox" || name.ends_with("sh"))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

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
        // What runs once the service has ended, units that are started then among it, and what they
        // run.
        let teardown = [
            (
                "/etc/systemd/system/teardown.service",
                "[Service]\nType=oneshot\nExecStart=/opt/down a",
            ),
            ("/opt/down", "#!/bin/sh\n[ -e /run/keep ] && exit\nsudo /opt/really\n"),
            ("/opt/really", "#!/bin/bash\nkill -s RTMIN+4 1\n"),
            ("/etc/systemd/system/gone.service", "[Unit]\nSuccessAction=reboot\n[Service]\n"),
        ];
        for (unit, expected) in [
            ("ExecStopPost=/usr/bin/systemctl --no-block start teardown.service", Ending::PowerOff),
            ("ExecStopPost=-/bin/sh -c 'systemctl start teardown.timer'", Ending::PowerOff),
            ("ExecStop=+/usr/bin/systemctl start gone", Ending::Reboot),
            ("ExecStopPost=/usr/bin/systemctl isolate rescue.target", Ending::Isolate),
        ] {
            let found: Vec<Ending> = ends(&format!("[Service]\n{unit}\n"), &teardown)
                .into_iter()
                .map(|(_, ending)| ending)
                .collect();
            assert_eq!(found, [expected], "{unit}");
        }
        assert_eq!(
            ends(
                "[Service]\nExecStop=/opt/none\nExecStopPost=/opt/stop.sh\n",
                &[("/opt/stop.sh", "#!/bin/sh\necho reboot\n")]
            ),
            []
        );
    }

    /// What nobody can tell from its text may end the host.
    #[test]
    fn a_program_that_is_not_known_is_said_to_be_so() {
        let files = [
            ("/opt/program", "\u{7f}ELF\0\0"),
            ("/opt/teardown.py", "#!/usr/bin/env python3\nimport cloud\ncloud.me().retire()\n"),
            ("/opt/boto.py", "#!/usr/bin/python3\nec2.terminate_instances(InstanceIds=[i])\n"),
            ("/usr/local/bin/retire", "\u{7f}ELF\0\0"),
            ("/opt/calls.sh", "#!/bin/sh\nset -e\nretire --now\n"),
            ("/opt/variable.sh", "#!/bin/sh\n$RETIRE --now\n"),
            ("/opt/notify.sh", "#!/bin/sh\nset -e\ncurl -s -d \"$1\" https://hooks.slack.com/x\n"),
        ];
        let (folder, root) = crate::platform::fs::empty_root();
        for (path, text) in files {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for (command_line, expected) in [
            ("/opt/program --end", Some(Ending::Unread)),
            ("/usr/bin/env A=b /opt/program", Some(Ending::Unread)),
            ("/opt/teardown.py", Some(Ending::Unread)),
            ("/usr/bin/python3 /opt/teardown.py", Some(Ending::Unread)),
            ("/usr/bin/python3 -c 'import x; x.y()'", Some(Ending::Unread)),
            ("/opt/boto.py", Some(Ending::Terminate)),
            ("/opt/calls.sh", Some(Ending::Unread)),
            ("/bin/bash /opt/variable.sh", Some(Ending::Unread)),
            ("/usr/bin/curl -X DELETE http://broker/vms/7", Some(Ending::Unread)),
            ("/opt/notify.sh stopped", None),
            ("/usr/bin/rm -rf /opt/program", None),
            ("/bin/kill -s TERM $MAINPID", None),
            ("/usr/bin/docker stop ci", None),
            ("/usr/local/bin/runnerup status", None),
            ("/opt/circleci/circleci-runner drain", None),
        ] {
            let lines =
                parse(&format!("[Service]\nExecStopPost={command_line}\n"), Path::new("/u"));
            let found = examine(&root, &lines, &[], Provenance::Root);
            let ending = found.first().map(|end| end.ending);
            assert_eq!(ending, expected, "{command_line}");
        }
    }
}
