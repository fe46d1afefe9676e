//! The programs that remedies name, and the systems that have them.

use crate::platform::Os;

const LINUX: &[Os] = &[Os::Linux];
const MAC: &[Os] = &[Os::Darwin];
const UNIX: &[Os] = &[Os::Linux, Os::Darwin];
const WINDOWS: &[Os] = &[Os::Windows];
const ALL: &[Os] = &[Os::Linux, Os::Darwin, Os::Windows];

/// Every program, and the systems that have it.
const PROGRAMS: &[(&str, &[Os])] = &[
    // A variable of PowerShell that a task is put into.
    ("$task", WINDOWS),
    ("Add-MpPreference", WINDOWS),
    ("Enable-ScheduledTask", WINDOWS),
    ("Get-Content", WINDOWS),
    ("Get-LocalGroupMember", WINDOWS),
    ("Get-NetTCPConnection", WINDOWS),
    ("Get-ScheduledTask", WINDOWS),
    ("Set-LocalUser", WINDOWS),
    ("apk", LINUX),
    ("apt-get", LINUX),
    ("ausearch", LINUX),
    ("btrfs", LINUX),
    ("cat", UNIX),
    ("chage", LINUX),
    ("chmod", UNIX),
    ("chown", UNIX),
    ("chsh", UNIX),
    ("cmdkey", WINDOWS),
    ("createhomedir", MAC),
    ("curl", ALL),
    ("dd", UNIX),
    ("dnf", LINUX),
    ("dpkg", LINUX),
    ("dscacheutil", MAC),
    ("du", UNIX),
    ("echo", LINUX),
    ("getent", LINUX),
    ("groupadd", LINUX),
    ("icacls", WINDOWS),
    ("id", UNIX),
    ("install", UNIX),
    ("ip", LINUX),
    ("journalctl", LINUX),
    ("launchctl", MAC),
    ("ls", UNIX),
    ("lsof", MAC),
    ("mkhomedir_helper", LINUX),
    ("mount", LINUX),
    ("mv", UNIX),
    ("net", WINDOWS),
    ("netsh", WINDOWS),
    ("netstat", MAC),
    ("notepad", WINDOWS),
    ("nslookup", WINDOWS),
    ("openssl", UNIX),
    ("plutil", MAC),
    ("pmset", MAC),
    ("ps", UNIX),
    ("reg", WINDOWS),
    ("restorecon", LINUX),
    ("rm", UNIX),
    ("runnerup", ALL),
    ("schtasks", WINDOWS),
    ("scutil", MAC),
    ("sed", LINUX),
    ("sepolicy", LINUX),
    ("sh", UNIX),
    ("sntp", MAC),
    ("spctl", MAC),
    ("ss", LINUX),
    ("sudo", UNIX),
    ("sudoedit", UNIX),
    ("systemctl", LINUX),
    ("systemd-analyze", LINUX),
    ("systemsetup", MAC),
    ("tail", UNIX),
    ("timedatectl", LINUX),
    ("useradd", LINUX),
    ("visudo", UNIX),
    ("w32tm", WINDOWS),
    // A loop of the shell, until launchd has let go of a job.
    ("while", MAC),
    ("xattr", MAC),
    ("xcode-select", MAC),
    ("yum", LINUX),
    ("zypper", LINUX),
];

/// The program that a command runs, behind `sudo`; `sudo` itself where an option follows it.
pub(super) fn first(line: &str) -> &str {
    let behind = line.strip_prefix("sudo ").filter(|rest| !rest.starts_with('-'));
    behind.unwrap_or(line).split_whitespace().next().unwrap_or_default()
}

/// Options of programs that several systems have, and not all of them with the option.
const OPTIONS: [(&str, &str, &[Os]); 6] = [
    ("chsh", "--shell", LINUX),
    ("du", "--inodes", LINUX),
    ("du", "--max-depth", LINUX),
    ("mount", "-o", LINUX),
    ("ps", "--forest", LINUX),
    ("rm", "--one-file-system", LINUX),
];

/// Whether a system has the program of a command, and the options that it is given.
pub(super) fn has(line: &str, os: Os) -> bool {
    let program = first(line);
    let lacks = |(name, option, systems): &(&str, &str, &[Os])| {
        *name == program
            && !systems.contains(&os)
            && line
                .split_whitespace()
                .any(|word| word == *option || word.starts_with(&format!("{option}=")))
    };
    is_of(program, os) && !OPTIONS.iter().any(lacks)
}

/// Whether a system has a program.
pub(super) fn is_of(program: &str, os: Os) -> bool {
    PROGRAMS.iter().any(|(name, systems)| *name == program && systems.contains(&os))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Command,
        agent::{Kind, Layout},
        doctor::fixtures::*,
        host::Provenance,
        service::{Verb, launchd::OnJob, systemd::OnUnit, task_scheduler::OnTask},
        values::Manager,
    };

    /// Programs that only show something, and what one of their words must be for that; no word: they
    /// do in every case.
    const SHOWING: [(&str, &[&str]); 36] = [
        ("Get-Content", &[]),
        ("Get-LocalGroupMember", &[]),
        ("Get-NetTCPConnection", &[]),
        ("Get-ScheduledTask", &[]),
        ("ausearch", &[]),
        ("cat", &[]),
        ("chage", &["--list"]),
        ("curl", &[]),
        ("dpkg", &["--audit"]),
        ("dscacheutil", &["-q"]),
        ("du", &[]),
        ("getent", &[]),
        ("id", &[]),
        ("ip", &["route"]),
        ("journalctl", &[]),
        ("launchctl", &["print"]),
        ("ls", &[]),
        ("lsof", &[]),
        ("net", &["localgroup"]),
        ("netsh", &["show"]),
        ("netstat", &[]),
        ("nslookup", &[]),
        ("openssl", &["s_client"]),
        ("plutil", &["-lint"]),
        ("ps", &[]),
        ("runnerup", &["doctor", "explain"]),
        ("schtasks", &["/Query"]),
        ("scutil", &["--dns"]),
        ("spctl", &["-a"]),
        ("ss", &[]),
        ("sudo", &["-l"]),
        ("systemctl", &["cat", "show", "status"]),
        ("systemd-analyze", &["verify"]),
        ("tail", &[]),
        ("timedatectl", &["status"]),
        ("visudo", &["-c"]),
    ];

    fn only_shows(line: &str) -> bool {
        let mut of_program = SHOWING.iter().filter(|(name, _)| *name == first(line));
        let has = |word: &&str| line.split(' ').any(|other| other == *word);
        of_program.any(|(_, words)| words.is_empty() || words.iter().any(has))
            && !line.contains("--fix")
    }

    /// What makes a command, before its words.
    const MADE: [(&str, &str); 5] = [
        ("fixed(", ""),
        ("root(", "sudo "),
        ("granting(", "sudo "),
        ("on_account(", "sudo "),
        ("plutil(file, ", "sudo "),
    ];

    /// The commands that a source makes, each with the place of its first word.
    fn made(source: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (made, before) in MADE {
            for (at, _) in source.match_indices(made) {
                let rest = source[at + made.len()..].trim_start();
                let words = rest
                    .strip_prefix('"')
                    .or(rest.strip_prefix("r\""))
                    .or(rest.strip_prefix("r#\""));
                let Some(words) = words.and_then(|rest| rest.split('"').next()) else { continue };
                found.push((at, format!("{before}{words}")));
            }
        }
        for (made, line) in typed() {
            let places = source.match_indices(&made);
            let is_part = |at: usize| {
                !made.ends_with(['(', ')'])
                    && source[at + made.len()..].starts_with(char::is_alphanumeric)
            };
            found.extend(places.filter(|(at, _)| !is_part(*at)).map(|(at, _)| (at, line.clone())));
        }
        found.sort();
        found
    }

    /// What makes a command on a service or an install, and the command.
    fn typed() -> Vec<(String, String)> {
        let by = Provenance::Root;
        let line = |command: Command, name: &str| {
            command.into_line().unwrap().strip_suffix(name).unwrap().trim_end().to_owned()
        };
        let unit = |what: OnUnit| line(what.of("x.service", by), "x.service");
        let job = |what: OnJob| line(what.of("system", "x", by), "system/x");
        let task = |what: OnTask| line(what.of("x", by), "x");
        let units = OnUnit::ALL.map(|what| (format!("OnUnit::{what:?}"), unit(what)));
        let jobs = OnJob::ALL.map(|what| (format!("OnJob::{what:?}"), job(what)));
        let tasks = OnTask::ALL.map(|what| (format!("OnTask::{what:?}"), task(what)));
        let install = ("Command::install()".to_owned(), line(Command::install(), ""));
        let bootstrap = ["bootstrap(", "bootstrap_in("]
            .map(|made| (made.to_owned(), "sudo launchctl bootstrap".to_owned()));
        units.into_iter().chain(jobs).chain(tasks).chain([install]).chain(bootstrap).collect()
    }

    /// The text between a bracket and the one that closes it.
    fn inside(text: &str) -> &str {
        let mut depth = 1;
        let mut is_text = false;
        let mut before = ' ';
        for (at, c) in text.char_indices() {
            match c {
                '"' if before != '\\' => is_text = !is_text,
                '(' if !is_text => depth += 1,
                ')' if !is_text => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return &text[..at];
            }
            before = c;
        }
        text
    }

    /// Sources in a folder, without their tests.
    fn sources(folder: &str) -> Vec<(String, String)> {
        let code = |text: String| text.split("#[cfg(test)]").next().unwrap().to_owned();
        let all = crate::text::sources::below(folder).into_iter();
        all.map(|(path, text)| (path.display().to_string(), code(text))).collect()
    }

    /// Sources of the commands of the service managers.
    fn profiles() -> Vec<(String, String)> {
        let mut all = sources("service");
        let made = ["profile.rs", "on_unit.rs", "on_job.rs", "on_task.rs"];
        all.retain(|(path, _)| made.iter().any(|made| path.ends_with(made)));
        all
    }

    /// The commands that a name stands for: a variable of this source, set before, or a function of
    /// any.
    fn named(name: &str, before: &str, sources: &[(String, String)]) -> Vec<String> {
        let lines = |text: &str| made(text).into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        let set = format!("let {name} = ");
        let count = before.matches(&set).count();
        let variables = before.rsplit(&set).take(count);
        let variables = variables.map(|rest| lines(rest.split(";\n").next().unwrap()));
        let function = format!("fn {name}(");
        let functions = sources.iter().filter_map(|(_, text)| text.split(&function).nth(1));
        let functions = functions.map(|rest| lines(rest.split("\n}").next().unwrap()));
        variables.chain(functions).find(|lines| !lines.is_empty()).unwrap_or_default()
    }

    /// Every command that a remedy is given with, and whether as one that only shows something.
    fn given() -> Vec<(String, String, bool)> {
        let checks = sources("doctor");
        let sources = [checks.clone(), profiles()].concat();
        let mut all = Vec::new();
        for (path, source) in &checks {
            for (how, is_look) in [(".inspect(", true), (".command(", false), (".in_turn(", false)]
            {
                for (at, _) in source.match_indices(how) {
                    let argument = inside(&source[at + how.len()..]);
                    let mut lines: Vec<String> =
                        made(argument).into_iter().map(|(_, line)| line).collect();
                    let name = argument.trim_start_matches(|c: char| c.is_whitespace() || c == '[');
                    let name = name.rsplit("::").next().unwrap();
                    let name =
                        name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                    if lines.is_empty() && !is_passed_on(argument) {
                        lines = named(name, &source[..at], &sources);
                        assert!(!lines.is_empty(), "{path}: {argument}");
                    }
                    all.extend(lines.into_iter().map(|line| (path.clone(), line, is_look)));
                }
            }
        }
        all
    }

    /// An editor of a file, which [`super::super::lookup::edit`] chooses, a fix by this program, or no
    /// command of a remedy.
    fn is_passed_on(argument: &str) -> bool {
        let starts = [
            "edit(",
            "edit_config(",
            "edit_source(",
            "lookup::edit_config(",
            "self.fix()",
            "owner.path(",
        ];
        argument == "install, service" || starts.iter().any(|start| argument.starts_with(start))
    }

    /// The commands of the service managers, and whether their verb is one that only shows something.
    fn of_managers() -> Vec<(String, String, bool)> {
        let mut all = Vec::new();
        for os in ALL {
            let mut survey = healthy();
            let service = service_of(&mut survey);
            service.manager = Manager::usual(*os);
            service.name = Layout::of(Kind::LaunchAgent, *os, None).service;
            let install = &survey.installs[0];
            let service = install.service.as_ref().unwrap();
            for verb in Verb::ALL {
                let commands = service.manager.profile().commands(verb, install, service);
                let lines = commands.into_iter().filter_map(Command::into_line);
                all.extend(lines.map(|line| (os.to_string(), line, verb.only_shows())));
            }
        }
        assert!(all.len() > 12, "{all:#?}");
        all
    }

    /// What the report names as the next thing to do is a command that removes the problem.
    #[test]
    fn a_command_that_only_shows_something_is_given_as_one() {
        let given = [given(), of_managers()].concat();
        assert!(given.len() > 80, "{}", given.len());
        let wrong: Vec<_> =
            given.iter().filter(|(_, line, is_look)| only_shows(line) != *is_look).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn every_program_that_a_remedy_names_is_in_the_table() {
        let mut names = Vec::new();
        for (path, source) in [sources("doctor"), profiles()].concat() {
            for (_, line) in made(&source) {
                let name = first(&line).to_owned();
                let is_known = PROGRAMS.iter().any(|(known, _)| *known == name);
                assert!(is_known, "{path}: {line}");
                names.push(name);
            }
        }
        let unused = PROGRAMS.iter().filter(|(name, _)| !names.iter().any(|other| other == name));
        // What is edited on Windows is so called there alone.
        assert_eq!(unused.map(|(name, _)| *name).collect::<Vec<_>>(), ["notepad"]);
    }

    /// BSD's programs have hardly any option that is a word.
    #[test]
    fn a_long_option_of_a_program_that_a_mac_has_is_known_to_be_there() {
        const THERE: [(&str, &str); 1] = [("curl", "--proto")];
        let mut wrong = Vec::new();
        for (path, source) in [sources("doctor"), profiles()].concat() {
            for (_, line) in made(&source) {
                let program = first(&line).to_owned();
                let is_shared = is_of(&program, Os::Darwin) && is_of(&program, Os::Linux);
                if !is_shared || program == "runnerup" {
                    continue;
                }
                for word in line.split_whitespace().filter(|word| word.starts_with("--")) {
                    let option = word.split('=').next().unwrap();
                    let is_known = THERE.contains(&(program.as_str(), option))
                        || OPTIONS
                            .iter()
                            .any(|(name, other, _)| (*name, *other) == (program.as_str(), option));
                    if !is_known {
                        wrong.push(format!("{path}: {line}"));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(!has("sudo ps -f --forest -g 1", Os::Darwin) && has("sudo ps -f -g 1", Os::Darwin));
        assert!(
            !has("sudo du -x --inodes -d 2 /", Os::Darwin)
                && has("sudo du -x --inodes /", Os::Linux)
        );
    }

    #[test]
    fn programs_stand_in_order() {
        assert!(PROGRAMS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
