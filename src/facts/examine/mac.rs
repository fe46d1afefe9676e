//! What only macOS has.

use super::Ground;
use crate::{
    agent::{Os, Platform},
    facts::survey::{Mac, Process},
    platform::{
        accounts,
        command::{Call, Commands},
        fs::Root,
        macos::launchd,
    },
};
use std::path::Path;

/// Says which macOS it is, also of one that does not run.
const VERSION: &str = "/System/Library/CoreServices/SystemVersion.plist";

/// There where Rosetta 2 is installed.
const ROSETTA: &str = "/Library/Apple/usr/libexec/oah/libRosettaRuntime";

/// The system of this host, or of the image.
pub(super) fn os(root: &Root) -> Os {
    let here = Platform::of_this_host().map(Platform::os).unwrap_or_default();
    let has = |path: &str| root.trail(Path::new(path)).is_ok_and(|trail| trail.end.is_some());
    match root.is_host() {
        true => here,
        false if has(VERSION) => Os::Darwin,
        false if has("/Windows/System32") => Os::Windows,
        false => Os::Linux,
    }
}

/// What macOS says of itself; `None` elsewhere.
pub(super) fn facts(ground: &Ground) -> Option<Mac> {
    if ground.os != Os::Darwin {
        return None;
    }
    let look = |path: &str| ground.root.trail(Path::new(path)).ok().and_then(|trail| trail.end);
    let console = look("/dev/console").filter(|_| ground.is_host);
    Some(Mac {
        version: version(&ground.root).unwrap_or_default(),
        rosetta: look(ROSETTA).is_some(),
        console_user: console.and_then(|meta| accounts::name_of(meta.uid)),
        disabled: if ground.is_host { disabled(&ground.commands) } else { Vec::new() },
    })
}

fn version(root: &Root) -> Option<String> {
    let (_, content) =
        super::ground::read_at(root, Path::new(VERSION), super::ground::Part::Head(1 << 16))
            .ok()?;
    let plist = plist::Value::from_reader(std::io::Cursor::new(content.bytes)).ok()?;
    Some(plist.as_dictionary()?.get("ProductVersion")?.as_string()?.to_owned())
}

fn disabled(commands: &dyn Commands) -> Vec<String> {
    let answer = commands.answer(&Call::new("launchctl", ["print-disabled", "system"]));
    let shown = answer.map(|answer| answer.stdout).unwrap_or_default();
    launchd::disabled(&shown).map(str::to_owned).collect()
}

/// Every process, as `ps` lists them where there is no `/proc`.
pub(super) fn processes(commands: &dyn Commands, now: i64) -> Vec<Process> {
    let columns = "pid=,ppid=,uid=,stat=,etime=,comm=";
    let listed = commands.answer(&Call::new("ps", ["-axo", columns]));
    let text = listed.map(|answer| answer.stdout).unwrap_or_default();
    text.lines().filter_map(|line| process(line, now)).collect()
}

fn process(line: &str, now: i64) -> Option<Process> {
    let mut rest = line.trim_start();
    let mut next = || {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        Some(word)
    };
    let (pid, parent, uid) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let (state, age) = (next()?.chars().next()?, seconds(next()?)?);
    let name = Path::new(rest.trim_end()).file_name()?.to_string_lossy().into_owned();
    Some(Process {
        pid,
        parent,
        uid,
        name,
        command: rest.trim_end().to_owned(),
        started: now - age,
        state,
        in_service: false,
    })
}

/// `[[days-]hours:]minutes:seconds`.
fn seconds(text: &str) -> Option<i64> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let clock =
        clock.split(':').try_fold(0_i64, |sum, part| Some(sum * 60 + part.parse::<i64>().ok()?))?;
    Some(days.parse::<i64>().ok()? * 86_400 + clock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    #[test]
    fn ps_is_read() {
        let said = "    1     0     0 Ss   02-03:04:05 /sbin/launchd\n  412     1   501 S+      \
                    01:02 /opt/circleci/circleci-launch-agent\n  500   412   501 Z       00:00 (x y)\n";
        let script = Script::new(&[("ps -axo pid=,ppid=,uid=,stat=,etime=,comm=", 0, said)]);
        let found = processes(&script, 1_000_000);
        let names: Vec<_> = found.iter().map(|own| own.name.as_str()).collect();
        assert_eq!(names, ["launchd", "circleci-launch-agent", "(x y)"]);
        assert_eq!(found[0].started, 1_000_000 - (2 * 86_400 + 3 * 3600 + 4 * 60 + 5));
        assert_eq!((found[1].parent, found[1].uid, found[2].state), (1, 501, 'Z'));
    }

    #[test]
    fn an_image_of_macos_is_told_by_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        assert_eq!(os(&root), Os::Linux);
        let file = folder.path().join(&VERSION[1..]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = "<plist version=\"1.0\"><dict><key>ProductVersion</key><string>14.5</string></dict></plist>";
        std::fs::write(file, text).unwrap();
        assert_eq!((os(&root), version(&root).as_deref()), (Os::Darwin, Some("14.5")));
    }
}
