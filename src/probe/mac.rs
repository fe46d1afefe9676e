//! What only macOS has.

use super::{IMAGE, ProbeContext};
use crate::{
    agent::profiles,
    host::{Clock, Host, Mac, Memory, Mount, Process, Provenance, Seen},
    platform::{
        Os, Platform, accounts,
        command::{Call, Commands},
        fs::{Meta, Root},
    },
    service::launchd,
};
use std::path::Path;

/// Says which macOS it is, also of one that does not run.
const VERSION: &str = "/System/Library/CoreServices/SystemVersion.plist";

/// How much macOS keeps of the name of a program: `MAXCOMLEN`.
const NAME: usize = 16;

/// There where Rosetta 2 is installed.
const ROSETTA: &str = "/Library/Apple/usr/libexec/oah/libRosettaRuntime";

/// The system of this host, or of the image.
pub(super) fn os(root: &Root) -> Os {
    let here = Platform::of_this_host().map(Platform::os).unwrap_or_default();
    let has = |path: &str| root.walk(Path::new(path)).is_ok_and(|walk| walk.end.is_some());
    match root.is_host() {
        true => here,
        false if has(VERSION) => Os::Darwin,
        false if has("/Windows/System32") => Os::Windows,
        false => Os::Linux,
    }
}

/// What a Mac says of itself, where other systems are asked in other ways.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    mac: Mac,
    memory: Seen<Memory>,
    mounts: Vec<Mount>,
    clock: Seen<Clock>,
    is_host: bool,
}

/// What macOS says of itself; `None` elsewhere.
pub(super) fn facts(context: &ProbeContext, groups: &[String]) -> Option<Answers> {
    if context.os != Os::Darwin {
        return None;
    }
    let rosetta = context.root.walk(Path::new(ROSETTA)).ok().and_then(|walk| walk.end);
    let mut answers = Answers {
        mac: Mac {
            version: version(&context.root).unwrap_or_default(),
            rosetta: rosetta.is_some(),
            missing_groups: missing(&context.root, groups),
            ..Mac::default()
        },
        memory: Seen::not_applicable(IMAGE),
        mounts: Vec::new(),
        clock: Seen::not_applicable(IMAGE),
        is_host: context.is_host,
    };
    if context.is_host {
        let ask = |program: &'static str, args: &[&str]| output(&context.commands, program, args);
        answers.mac.console_user = console_user(&context.root);
        answers.mac.disabled = disabled(&context.commands);
        answers.mac.sleeps_after = ask("pmset", &["-g"]).as_deref().and_then(sleeps_after);
        answers.mounts = ask("mount", &[]).as_deref().map(mounts).unwrap_or_default();
        answers.memory = memory(ask("sysctl", &["-n", "hw.memsize"]), ask("vm_stat", &[]));
        answers.clock = clock(ask("systemsetup", &["-getusingnetworktime"]).as_deref());
    }
    Some(answers)
}

impl Answers {
    /// Puts it where the checks look for it.
    pub(super) fn into_host(self, host: &mut Host) {
        host.system = format!("macOS {}", self.mac.version);
        host.memory = self.memory;
        host.mounts = self.mounts;
        host.clock = self.clock;
        host.mac = Some(self.mac);
        if self.is_host {
            // Both are read from /proc elsewhere.
            host.listening = Seen::not_applicable("macOS is not asked for it");
            host.routes = Seen::not_applicable("macOS is not asked for it");
            // configd answers for names; the file is a copy that need not be there.
            if host.resolver.ok().is_some_and(|resolver| resolver.failure.is_some()) {
                host.resolver = Seen::not_applicable("macOS keeps it elsewhere");
            }
        }
    }
}

/// Where Open Directory keeps the groups of a Mac, each in a file of its name.
const GROUPS: &str = "/var/db/dslocal/nodes/Default/groups";

/// The groups that do not exist. In an image the directory's files tell, and only those that root may
/// list.
fn missing(root: &Root, groups: &[String]) -> Vec<String> {
    let is_kept = |name: &str| {
        let file = Path::new(GROUPS).join(format!("{name}.plist"));
        !root.is_host() && root.walk(&file).map_or(true, |walk| walk.end.is_some())
    };
    let is_missing = |name: &&String| {
        accounts::group(root, name).is_ok_and(|gid| gid.is_none()) && !is_kept(name)
    };
    groups.iter().filter(is_missing).cloned().collect()
}

/// Whose the screen is; root's where nobody is logged in.
pub(super) fn console(root: &Root) -> Option<Meta> {
    let walk = root.walk(Path::new("/dev/console")).ok()?;
    walk.end.filter(|_| root.is_host())
}

/// Who is logged in at the screen.
pub(super) fn console_user(root: &Root) -> Option<String> {
    accounts::name_of(console(root)?.uid().filter(|uid| *uid != 0)?)
}

fn output(commands: &dyn Commands, program: &'static str, args: &[&str]) -> Option<String> {
    let answer = commands.answer(&Call::new(program, args.iter().copied())).ok()?;
    (answer.code == Some(0)).then_some(answer.stdout)
}

/// The line `sleep N` of `pmset -g`; `SleepDisabled 1` makes it void.
fn sleeps_after(output: &str) -> Option<u32> {
    let value = |name: &str| {
        output.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name)).then(|| words.next()?.parse::<u32>().ok())?
        })
    };
    match value("SleepDisabled") {
        Some(1) => Some(0),
        _ => value("sleep"),
    }
}

/// Lines such as `/dev/disk3s1s1 on / (apfs, sealed, local)`.
fn mounts(output: &str) -> Vec<Mount> {
    let mount = |line: &str| {
        let (_, rest) = line.split_once(" on /")?;
        let (point, options) = rest.rsplit_once(" (")?;
        let mut options = options.trim_end_matches(')').split(", ").map(str::to_owned);
        let kind = options.next()?;
        Some(Mount {
            point: format!("/{point}").into(),
            kind,
            options: options.collect(),
            order: None,
        })
    };
    output.lines().filter_map(mount).collect()
}

/// `hw.memsize`, and what `vm_stat` counts as soon to be had, in pages.
fn memory(size: Option<String>, pages: Option<String>) -> Seen<Memory> {
    let total = size.and_then(|size| size.trim().parse().ok());
    let (Some(total), Some(pages)) = (total, pages) else {
        return Seen::not("macOS did not say it");
    };
    let after = |text: &str| {
        let (_, rest) = pages.split_once(text)?;
        let digits = rest.trim_start().bytes().take_while(u8::is_ascii_digit).count();
        rest.trim_start()[..digits].parse::<u64>().ok()
    };
    let size = after("page size of ").unwrap_or(4096);
    let free = ["Pages free:", "Pages inactive:", "Pages speculative:", "Pages purgeable:"];
    let free: u64 = free.into_iter().filter_map(after).sum();
    // Swap grows with the need, as long as the disk has room.
    Seen::Known(Memory { total, available: free * size, swap: total })
}

/// `Network Time: On`; only root is told. A line `### Error:-99 …` may stand before it.
fn clock(output: Option<&str>) -> Seen<Clock> {
    let line = |text: &'_ str| -> Option<bool> {
        let mut values = text.lines().filter_map(|line| line.trim().strip_prefix("Network Time: "));
        values.next().map(|value| value.trim() == "On")
    };
    match output.and_then(line) {
        Some(true) => Seen::Known(Clock { synchronized: true, by: Some("timed".to_owned()) }),
        Some(false) => Seen::Known(Clock::default()),
        None => Seen::not("macOS tells only root"),
    }
}

fn version(root: &Root) -> Option<String> {
    let (_, content) = super::reader::read_at(
        root,
        Path::new(VERSION),
        super::reader::Part::Head(1 << 16),
        Provenance::Root,
    )
    .ok()?;
    let plist = plist::Value::from_reader(std::io::Cursor::new(content.bytes)).ok()?;
    Some(plist.as_dictionary()?.get("ProductVersion")?.as_string()?.to_owned())
}

fn disabled(commands: &dyn Commands) -> Vec<String> {
    let answer = commands.answer(&Call::new("launchctl", ["print-disabled", "system"]));
    let shown = answer.map(|answer| answer.stdout).unwrap_or_default();
    launchd::disabled(&shown).map(str::to_owned).collect()
}

/// Every process, as `ps` lists them where there is no `/proc`: each by the name of the file that the
/// kernel runs. Its `comm` is what the process was called by whoever started it.
pub(super) fn processes(commands: &dyn Commands, now: i64) -> Vec<Process<String>> {
    let columns = "pid=,ppid=,uid=,stat=,etime=,ucomm=";
    let listed = commands.answer(&Call::new("ps", ["-axo", columns]));
    let text = listed.map(|answer| answer.stdout).unwrap_or_default();
    text.lines().filter_map(|line| process(line, now)).collect()
}

fn process(line: &str, now: i64) -> Option<Process<String>> {
    let mut rest = line.trim_start();
    let mut next = || {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        Some(word)
    };
    let (pid, parent, uid) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let (state, age) = (next()?.chars().next()?, seconds(next()?)?);
    let name = rest.trim_end();
    // The kernel keeps the beginning.
    let is_cut = |program: &&str| name.len() == NAME && program.starts_with(name);
    let name = profiles().map(|profile| profile.program).find(is_cut).unwrap_or(name);
    Some(Process {
        pid,
        parent,
        uid,
        name: name.to_owned(),
        command: name.to_owned(),
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
        let output = "    1     0     0 Ss   02-03:04:05 launchd         \n  412     1   501 S+      \
                    01:02 circleci-launch-\n  500   412   501 Z       00:00 (x y)\n";
        let script = Script::new(&[("ps -axo pid=,ppid=,uid=,stat=,etime=,ucomm=", 0, output)]);
        let found = processes(&script, 1_000_000);
        let names: Vec<_> = found.iter().map(|process| process.name.as_str()).collect();
        assert_eq!(names, ["launchd", "circleci-launch-agent", "(x y)"]);
        assert_eq!(found[0].started, 1_000_000 - (2 * 86_400 + 3 * 3600 + 4 * 60 + 5));
        assert_eq!((found[1].parent, found[1].uid, found[2].state), (1, 501, 'Z'));
    }

    #[test]
    fn what_macos_says_of_itself_is_read() {
        let power = "Currently in use:\n standby 1\n sleep                10 (sleep prevented by \
                     powerd)\n displaysleep         5\n";
        assert_eq!((sleeps_after(power), sleeps_after(" displaysleep 5")), (Some(10), None));
        let read = mounts(
            "/dev/disk3s1s1 on / (apfs, sealed, local, read-only)\n/dev/disk4 on /Volumes/a (b) \
             (hfs, local, noexec)\n",
        );
        assert_eq!((read[0].point.to_str(), read[0].kind.as_str()), (Some("/"), "apfs"));
        assert_eq!(read[1].point.to_str(), Some("/Volumes/a (b)"));
        assert!(read[1].has("noexec") && !read[0].has("noexec"));
        let pages = "Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:   100.\n\
                     Pages active:  900.\nPages inactive:  50.\n";
        let seen = memory(Some("17179869184\n".to_owned()), Some(pages.to_owned()));
        let seen = seen.ok().unwrap();
        assert_eq!((seen.total, seen.available), (17_179_869_184, 150 * 16384));
        assert!(memory(None, None).ok().is_none());
        assert!(clock(Some("Network Time: On\n")).ok().unwrap().synchronized);
        assert!(!clock(Some("Network Time: Off")).ok().unwrap().synchronized);
        assert!(clock(None).ok().is_none());
        let with_error = "### Error:-99 File:/AppleInternal/x.m Line:379\nNetwork Time: On\n";
        assert!(clock(Some(with_error)).ok().unwrap().synchronized);
        let off = " SleepDisabled\t\t1\n sleep                10\n";
        assert_eq!(sleeps_after(off), Some(0));
        assert_eq!(sleeps_after(" SleepDisabled 0\n sleep 10\n"), Some(10));
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
