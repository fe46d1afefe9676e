//! Files by which an image starts an agent without a unit of its own. Nothing runs there that would
//! tell of it.

use super::reader::{self, Part};
use crate::{agent::Kind, host::Provenance, platform::fs::Root, text::shown};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Files, and folders of files; `*` stands for every folder of a folder. Each with what reads it.
const PLACES: [(&str, &str); 15] = [
    ("/etc/supervisord.conf", "supervisord"),
    ("/etc/supervisor/supervisord.conf", "supervisord"),
    ("/etc/supervisor/conf.d", "supervisord"),
    ("/etc/supervisord.d", "supervisord"),
    ("/etc/crontab", "cron"),
    ("/etc/cron.d", "cron"),
    ("/var/spool/cron/crontabs", "cron"),
    ("/var/spool/cron", "cron"),
    ("/etc/rc.local", "the boot's last script"),
    ("/etc/init.d", "System V init"),
    ("/etc/monit/conf.d", "monit"),
    ("/etc/containers/systemd", "Podman"),
    ("/etc/sv/*/run", "runit"),
    ("/etc/service/*/run", "runit"),
    ("/etc/s6-overlay/s6-rc.d/*/run", "s6"),
];

/// Most files of a folder that are looked into, and most bytes of one.
const FILES: usize = 64;
const LIMIT: u64 = 64 << 10;

/// How long a folder may take to be listed.
const LISTED: Duration = Duration::from_millis(100);

/// What names an agent there, in words.
pub(super) fn find(root: &Root, until: Instant) -> Vec<String> {
    let mut found = Vec::new();
    for (place, reader) in PLACES {
        if Instant::now() >= until {
            break;
        }
        for file in files(root, place).into_iter().filter(|file| names_agent(root, file)) {
            found.push(format!(
                "{} starts an agent: what {reader} keeps is not judged in an image",
                shown(&file)
            ));
        }
    }
    found
}

fn files(root: &Root, place: &str) -> Vec<PathBuf> {
    match place.split_once("/*/") {
        Some((folder, file)) => {
            listed(root, Path::new(folder)).into_iter().map(|path| path.join(file)).collect()
        }
        None => match listed(root, Path::new(place)) {
            files if files.is_empty() => vec![place.into()],
            files => files,
        },
    }
}

/// What is in a folder; nothing where it is none.
fn listed(root: &Root, folder: &Path) -> Vec<PathBuf> {
    let spot = root.walk(folder).ok().and_then(|walk| root.find(&walk.real).ok().flatten());
    let listed = spot.and_then(|spot| spot.list_some(FILES, Instant::now() + LISTED).ok());
    let mut names = listed.map_or_else(Vec::new, |listed| listed.names);
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether a line that is no comment has an agent's program as a word.
fn names_agent(root: &Root, file: &Path) -> bool {
    let Ok((_, content)) = reader::read_at(root, file, Part::Head(LIMIT), Provenance::Root) else {
        return false;
    };
    let text = String::from_utf8_lossy(&content.bytes);
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with(['#', ';']));
    let is_end = |sign: char| sign.is_whitespace() || "/=\"';&|()".contains(sign);
    lines.flat_map(|line| line.split(is_end)).any(|word| Kind::of_program(word).is_some())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_names_an_agent_is_told_with_what_reads_it() {
        let (folder, root) = crate::platform::fs::empty_root();
        for (path, text) in [
            (
                "etc/supervisor/conf.d/ci.conf",
                "command=/opt/circleci/circleci-launch-agent --config /c\n",
            ),
            (
                "etc/cron.d/tidy",
                "# circleci-runner\n@daily root rm -r /var/opt/circleci-launch-agent.log\n",
            ),
            ("etc/service/agent/run", "#!/bin/sh\nexec chpst -u ci circleci-runner machine\n"),
            ("etc/rc.local", "exit 0\n"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = find(&root, Instant::now() + Duration::from_secs(20));
        assert_eq!(
            found,
            [
                "/etc/supervisor/conf.d/ci.conf starts an agent: what supervisord keeps is not judged in an image",
                "/etc/service/agent/run starts an agent: what runit keeps is not judged in an image",
            ]
        );
    }
}
