//! What a unit names for its start, looked for as it must be: `systemd.exec(5)`.

use super::{
    program_path,
    reader::{self, Part},
    scrub::Scrub,
};
use crate::{
    agent,
    host::{Access, Directive, Lack, PathWalk, Provenance, StartLack, StartNeed},
    platform::{
        accounts,
        command::{Call, Commands},
        fs::{Kind, Root, WalkEnd},
    },
    service::{host_end::command, systemd::meant::is_quoted_whole},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Folders whose content another unit may make before this one starts.
const MADE_ANEW: [&str; 4] = ["/run", "/proc", "/sys", "/dev"];

/// Most things that are looked for.
const NEEDS: usize = 200;

/// Directives with paths that are mounted into the sandbox of the unit.
const MOUNTED: [&str; 7] = [
    "ReadWritePaths",
    "ReadOnlyPaths",
    "InaccessiblePaths",
    "ExecPaths",
    "NoExecPaths",
    "BindPaths",
    "BindReadOnlyPaths",
];

/// Folders that systemd makes for a unit, each with where it makes them.
const MADE: [(&str, &str); 5] = [
    ("RuntimeDirectory", "/run"),
    ("StateDirectory", "/var/lib"),
    ("CacheDirectory", "/var/cache"),
    ("LogsDirectory", "/var/log"),
    ("ConfigurationDirectory", "/etc"),
];

/// A search for what a unit names.
pub(super) struct Search<'a> {
    pub(super) root: &'a Root,
    pub(super) commands: Option<&'a dyn Commands>,
    pub(super) limit: Duration,
    pub(super) until: Instant,
    pub(super) scrub: &'a Scrub,
    /// Who could have written the unit.
    pub(super) named_by: Provenance,
    /// The number of the account that it runs as.
    pub(super) agent: Option<u32>,
    /// Folders of programs that are named without one.
    pub(super) programs: Vec<PathBuf>,
}

impl Search<'_> {
    /// What these directives need and cannot have.
    pub(super) fn lacks(&self, directives: &[Directive<String>]) -> Vec<StartLack> {
        let lines = Lines(directives);
        let mut found = Vec::new();
        let mut add = |line: &Directive<String>, need: StartNeed, lack: Option<Lack>| {
            found.extend(lack.map(|lack| StartLack {
                key: line.key.clone(),
                file: line.file.clone(),
                line: line.line,
                need,
                lack,
            }));
        };
        // Every other path is looked for below another root then.
        let other_root = lines.last("RootDirectory").or_else(|| lines.last("RootImage"));
        if let Some(line) = other_root {
            let path = PathBuf::from(line.value.trim_start_matches('-'));
            let lack = self.path(&path, |_| None);
            add(line, StartNeed::Path(path), lack);
            return found;
        }
        let made = lines.made();
        let keys = ["ExecCondition", "ExecStartPre", "ExecStart"];
        for line in keys.iter().flat_map(|key| lines.all(key)) {
            let signs = line.value.trim_start_matches(['@', ':', '+', '!', '|']);
            if signs.starts_with('-') {
                continue;
            }
            let Some(program) = command(&line.value).into_iter().next() else { continue };
            // The agent's own program is judged as such, and a command in quotes is told as one.
            let name = program.rsplit('/').next().unwrap_or(&program);
            let is_agents = agent::Kind::of_program(name).is_some();
            if line.key == "ExecStart" && (is_agents || is_quoted_whole(&line.value)) {
                continue;
            }
            let (path, lack) = self.program(&program);
            add(line, StartNeed::Program(path), lack);
        }
        if let Some(line) =
            lines.last("WorkingDirectory").filter(|line| line.value.starts_with('/'))
        {
            let path = PathBuf::from(&line.value);
            let lack = self.path(&path, |walk| self.folder(walk));
            add(line, StartNeed::Folder(path), lack);
        }
        let groups = lines.last("Group").into_iter().chain(lines.all("SupplementaryGroups"));
        for line in groups {
            for name in line.value.split_whitespace() {
                add(line, StartNeed::Group(name.to_owned()), self.group(name));
            }
        }
        for line in ["StandardOutput", "StandardError"].iter().filter_map(|key| lines.last(key)) {
            let ways = ["file:", "append:", "truncate:"].into_iter();
            let Some(file) = ways.filter_map(|way| line.value.strip_prefix(way)).next() else {
                continue;
            };
            let Some(folder) = Path::new(file).parent().map(Path::to_owned) else { continue };
            let lack = self.path(&folder, |walk| is_not(walk, Kind::Folder));
            add(line, StartNeed::Folder(folder), lack);
        }
        if let Some(line) = lines.last("StandardInput")
            && let Some(file) = line.value.strip_prefix("file:")
        {
            add(line, StartNeed::File(file.into()), self.path(Path::new(file), |_| None));
        }
        for line in
            ["LoadCredential", "LoadCredentialEncrypted"].iter().flat_map(|key| lines.all(key))
        {
            let (name, path) = line.value.split_once(':').unwrap_or((&line.value, ""));
            let is_default = |set: &&Directive<String>| {
                set.value.split_once(':').is_some_and(|(other, _)| other == name)
            };
            let has_default = ["SetCredential", "SetCredentialEncrypted"]
                .iter()
                .any(|key| lines.all(key).any(|line| is_default(&line)));
            if path.starts_with('/') && !has_default {
                add(line, StartNeed::File(path.into()), self.path(Path::new(path), |_| None));
            }
        }
        for line in MOUNTED.iter().flat_map(|key| lines.all(key)) {
            for word in line.value.split_whitespace().filter(|word| word.starts_with('/')) {
                let path = Path::new(word.split(':').next().unwrap_or(word));
                if !made.iter().any(|folder| path.starts_with(folder)) {
                    add(line, StartNeed::Path(path.to_owned()), self.path(path, |_| None));
                }
            }
        }
        for (key, above) in MADE {
            for line in lines.all(key) {
                for name in line.value.split_whitespace() {
                    let path = Path::new(above).join(name.split(':').next().unwrap_or(name));
                    let lack = self.path(&path, |walk| is_not(walk, Kind::Folder));
                    let is_other = |lack: &Lack| *lack == Lack::OtherKind;
                    add(line, StartNeed::Folder(path), lack.filter(is_other));
                }
            }
        }
        found.truncate(NEEDS);
        found
    }

    /// What is wrong with a path; nothing where that cannot be told.
    fn path(&self, path: &Path, more: impl FnOnce(&PathWalk) -> Option<Lack>) -> Option<Lack> {
        let text = path.to_str()?;
        let is_unknown = text.contains('%')
            || !path.is_absolute()
            || self.scrub.text(text) != text
            || MADE_ANEW.iter().any(|anew| path.starts_with(anew) && self.commands.is_none())
            || Instant::now() >= self.until;
        if is_unknown {
            return None;
        }
        let walk = reader::walk(self.root, path, self.named_by, self.agent).ok()?;
        match (&walk.end, &walk.stopped) {
            (Some(_), _) => more(&walk),
            (None, Some(WalkEnd::Missing(_) | WalkEnd::NoFolder(..))) => Some(Lack::Missing),
            (None, _) => None,
        }
    }

    fn folder(&self, walk: &PathWalk) -> Option<Lack> {
        let has_list = walk.passed.iter().any(|passed| passed.has_list);
        let account = self.agent.filter(|uid| *uid != 0 && !has_list);
        let is_closed = account.is_some_and(|uid| {
            walk.denies(&reader::account(self.root, uid), Access::Execute).is_some()
        });
        is_not(walk, Kind::Folder).or(is_closed.then_some(Lack::Closed))
    }

    /// Where a program is, and what is wrong with it.
    fn program(&self, name: &str) -> (PathBuf, Option<Lack>) {
        let path = match program_path::is_bare(name) {
            true => program_path::find(self.root, name, &self.programs),
            false => Some(PathBuf::from(name)),
        };
        let Some(path) = path else {
            let is_known = !name.contains(['%', '$']);
            return (PathBuf::from(name), is_known.then_some(Lack::Missing));
        };
        let lack = self.path(&path, |walk| {
            let has_bits = walk.end.is_some_and(|end| end.mode().is_none() || end.has_any(0o111));
            is_not(walk, Kind::File).or((!has_bits).then_some(Lack::NotExecutable))
        });
        let interpreter = || {
            let (walk, content) =
                reader::read_at(self.root, &path, Part::Head(256), self.named_by).ok()?;
            // What an account wrote names nothing that root looks for.
            let bytes = walk.written_by().is_root().then_some(content.bytes)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let line = text.strip_prefix("#!")?.split('\n').next()?;
            let interpreter = PathBuf::from(line.trim_start().split([' ', '\t']).next()?);
            let lack = self.path(&interpreter, |_| None)?;
            Some((interpreter, Some(lack)))
        };
        match lack {
            Some(lack) => (path, Some(lack)),
            None => interpreter().unwrap_or((path, None)),
        }
    }

    /// Groups of an image are made at its first boot; those of a host may come from a directory.
    fn group(&self, name: &str) -> Option<Lack> {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = !is_number && !name.contains('%') && !name.starts_with('-');
        let commands = self.commands.filter(|_| is_plain)?;
        if !matches!(accounts::group(self.root, name), Ok(None)) {
            return None;
        }
        let call = Call::new("getent", ["group", "--", name]).within(self.limit);
        match commands.answer(&call) {
            Ok(answer) if answer.code == Some(2) => Some(Lack::Missing),
            Ok(_) => None,
            Err(error) => (error.code() == crate::Code::ToolMissing).then_some(Lack::Missing),
        }
    }
}

fn is_not(walk: &PathWalk, kind: Kind) -> Option<Lack> {
    (!walk.is(kind)).then_some(Lack::OtherKind)
}

/// The directives of a unit.
struct Lines<'a>(&'a [Directive<String>]);

impl<'a> Lines<'a> {
    /// Those of a key that count: an empty value takes earlier ones back.
    fn all(&self, key: &str) -> impl Iterator<Item = &'a Directive<String>> + use<'a> {
        let is_it = |line: &&Directive<String>| line.section == "Service" && line.key == key;
        let all: Vec<_> = self.0.iter().filter(is_it).collect();
        let from = all.iter().rposition(|line| line.value.is_empty()).map_or(0, |at| at + 1);
        all.into_iter().skip(from)
    }

    fn last(&self, key: &str) -> Option<&'a Directive<String>> {
        self.all(key).last()
    }

    /// The folders that systemd makes for the unit.
    fn made(&self) -> Vec<PathBuf> {
        let of = |(key, above): (&str, &'static str)| {
            let names = self.all(key).flat_map(|line| line.value.split_whitespace());
            names.map(move |name| Path::new(above).join(name)).collect::<Vec<_>>()
        };
        MADE.into_iter().flat_map(of).collect()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::service::systemd::unit_text::parse;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn lacks(lines: &str) -> Vec<(String, Lack)> {
        let (folder, root) = crate::platform::fs::empty_root();
        for (path, text, mode) in [
            ("/opt/ready.sh", "#!/bin/sh\n", 0o755),
            ("/opt/plain.sh", "#!/bin/sh\n", 0o644),
            ("/opt/dos.sh", "#!/bin/sh\r\n", 0o755),
            ("/bin/sh", "x", 0o755),
            ("/etc/creds/token", "x", 0o600),
            ("/var/lib/file", "x", 0o644),
        ] {
            let path = folder.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let search = Search {
            root: &root,
            commands: None,
            limit: Duration::from_secs(2),
            until: Instant::now() + Duration::from_secs(20),
            scrub: &Scrub::default(),
            named_by: Provenance::Root,
            agent: Some(0),
            programs: vec!["/usr/bin".into(), "/bin".into()],
        };
        let directives = parse(&format!("[Service]\n{lines}"), Path::new("/u"));
        search.lacks(&directives).into_iter().map(|lack| (lack.key, lack.lack)).collect()
    }

    #[test]
    fn what_a_start_needs_is_looked_for() {
        for (line, expected) in [
            ("ExecStartPre=/opt/none.sh", Some(Lack::Missing)),
            ("ExecStartPre=/opt/plain.sh", Some(Lack::NotExecutable)),
            // The interpreter's name ends in a carriage return.
            ("ExecStartPre=/opt/dos.sh", Some(Lack::Missing)),
            ("ExecStartPre=+/opt/ready.sh now", None),
            ("ExecStartPre=-/opt/none.sh", None),
            ("ExecStartPre=sh -c true", None),
            ("ExecStartPre=none-such-program", Some(Lack::Missing)),
            ("ExecStart=/opt/none.sh --config /c.yaml", Some(Lack::Missing)),
            ("ExecStart=/opt/plain.sh", Some(Lack::NotExecutable)),
            ("ExecStart=/opt/dos.sh", Some(Lack::Missing)),
            ("ExecStart=\"/opt/none.sh --config /c.yaml\"", None),
            ("ExecStart=/opt/none/circleci-launch-agent --config /c.yaml", None),
            ("WorkingDirectory=/opt/run", Some(Lack::Missing)),
            ("WorkingDirectory=-/opt/run", None),
            ("WorkingDirectory=~", None),
            ("WorkingDirectory=/opt/ready.sh", Some(Lack::OtherKind)),
            ("StandardOutput=append:/var/log/ci/a.log", Some(Lack::Missing)),
            ("StandardOutput=append:/opt/a.log", None),
            ("StandardInput=file:/opt/none", Some(Lack::Missing)),
            ("LoadCredential=token:/etc/creds/none", Some(Lack::Missing)),
            ("LoadCredential=token:/etc/creds/token", None),
            ("LoadCredential=token:/etc/creds/none\nSetCredential=token:x", None),
            ("ReadWritePaths=/srv/cache", Some(Lack::Missing)),
            ("ReadWritePaths=-/srv/cache /opt", None),
            ("ReadWritePaths=/srv/cache\nReadWritePaths=", None),
            ("StateDirectory=ci\nReadWritePaths=/var/lib/ci", None),
            ("StateDirectory=file", Some(Lack::OtherKind)),
            ("BindPaths=/srv/none:/mnt", Some(Lack::Missing)),
            ("BindReadOnlyPaths=/opt:/mnt", None),
            ("RootDirectory=/srv/none", Some(Lack::Missing)),
            ("WorkingDirectory=/opt/%i", None),
            // An image gets its groups at its first boot.
            ("Group=ci-runners", None),
        ] {
            let found: Vec<Lack> = lacks(line).into_iter().map(|(_, lack)| lack).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{line}");
        }
    }
}
