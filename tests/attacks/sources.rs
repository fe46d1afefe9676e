//! Where a name can come from that root did not write, and hostile names to write there.

use runnerup::{
    agent::{self, Config},
    probe::KEPT_VARIABLES,
};
use serde_json::{Value, json};

/// A place that an account can write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A key of the configuration.
    Key(&'static str),
    /// The account in a command prefix of sudo.
    PrefixAccount,
    /// A variable of an environment file that belongs to the account.
    Variable(&'static str),
    /// A line of a drop-in that belongs to the account.
    Directive(&'static str),
    /// A link in the account's home, on which log and work folder lie.
    Home,
}

/// Directives that name something.
const DIRECTIVES: [&str; 12] = [
    "Environment",
    "EnvironmentFile",
    "ExecStart",
    "ExecStartPre",
    "Group",
    "LimitNOFILE",
    "PIDFile",
    "ReadWritePaths",
    "StandardOutput",
    "TimeoutStopSec",
    "User",
    "WorkingDirectory",
];

impl Source {
    /// All: a new key, or a new variable, is among them by itself.
    pub fn all() -> Vec<Self> {
        let keys = Config::KEYS.into_iter().map(Self::Key);
        let variables = agent::variables().chain(KEPT_VARIABLES).map(Self::Variable);
        let directives = DIRECTIVES.into_iter().map(Self::Directive);
        keys.chain([Self::PrefixAccount])
            .chain(variables)
            .chain(directives)
            .chain([Self::Home])
            .collect()
    }

    /// As a row of the table is called.
    pub fn name(self) -> String {
        match self {
            Self::Key(key) => format!("key {key}"),
            Self::PrefixAccount => "account in runner.command_prefix".to_owned(),
            Self::Variable(name) => format!("variable {name}"),
            Self::Directive(name) => format!("drop-in {name}"),
            Self::Home => "link in the home".to_owned(),
        }
    }

    /// The configuration that it is in, from a harmless one.
    pub fn config(self, harmless: &[(&str, Value)], value: &str) -> String {
        let mut entries: Vec<(&str, Value)> = harmless.to_vec();
        let mut set = |key: &'static str, value: Value| {
            entries.retain(|(known, _)| *known != key);
            entries.push((key, value));
        };
        match self {
            Self::Key("runner.command_prefix") => set("runner.command_prefix", json!([value])),
            Self::Key(key) => set(key, json!(value)),
            Self::PrefixAccount => {
                set("runner.command_prefix", json!(["sudo", "-niHu", value, "--"]));
            }
            Self::Home => {
                set("logging.file", json!("/home/circleci/way"));
                set("runner.working_directory", json!("/home/circleci/way/jobs"));
            }
            Self::Variable(_) | Self::Directive(_) => {}
        }
        yaml(&entries)
    }
}

/// A configuration with these keys, in the order of their sections.
pub fn yaml(entries: &[(&str, Value)]) -> String {
    let mut whole = json!({});
    for (key, value) in entries {
        let mut place = &mut whole;
        for part in key.split('.') {
            place = &mut place[part];
        }
        *place = value.clone();
    }
    // YAML takes JSON as it is, but for characters that nobody sees.
    let text = serde_json::to_string_pretty(&whole).unwrap();
    text.chars().map(escaped).collect()
}

fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ 0x7f..=0xffff => format!("\\u{code:04x}"),
        _ => c.to_string(),
    }
}

/// A hostile name. `{}` stands for the mark of the source that it is written to.
pub struct Hostile {
    pub what: &'static str,
    pub text: &'static str,
}

const fn hostile(what: &'static str, text: &'static str) -> Hostile {
    Hostile { what, text }
}

/// Names that lead to a victim of the source's own.
pub const MARKED: [Hostile; 12] = [
    hostile("file of root's", "/srv/victims/{}/secret.yaml"),
    hostile("certificate and key of root's", "/srv/victims/{}/site.pem"),
    hostile("folder of root's", "/srv/victims/{}"),
    hostile("file in a closed folder", "/root/secret/{}"),
    hostile("file of another account", "/home/mallory/{}"),
    hostile("new file where root's tasks are", "/etc/cron.d/{}"),
    hostile("new drop-in of a service of root's", "/etc/systemd/system/{}.service.d"),
    hostile("new folder deep in root's", "/srv/victims/{}/new/deeper"),
    hostile(
        "way up out of the account's folder",
        "/var/opt/circleci/workdir/../../../../srv/victims/{}",
    ),
    hostile(
        "commands",
        "/srv/x'; touch /root/{}; echo '$(touch /root/{})`touch /root/{}`&touch /root/{}&\"",
    ),
    hostile("option", "--reference=/srv/victims/{}/secret.yaml"),
    hostile(
        "characters for a terminal",
        "/srv/{}\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\nNext: touch /root/{}\r",
    ),
];

/// Names that every source shares: of the system, and for a network.
pub const SHARED: [Hostile; 4] = [
    hostile("password file", "/etc/shadow"),
    hostile("home of root", "/root"),
    hostile("programs of root", "/usr/sbin"),
    hostile("commands in a URL", "http://127.0.0.1:1/?a&touch${IFS}/root/pwned&"),
];

impl Hostile {
    /// For the source with this mark.
    pub fn for_mark(&self, mark: &str) -> String {
        self.text.replace("{}", mark)
    }
}

/// What a source's victims are called.
pub fn mark(number: usize) -> String {
    format!("v{number}x")
}

/// The numbers of the marks in a text.
pub fn marks(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('v') {
        let rest = &text[at + 1..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if rest[digits..].starts_with('x') {
            found.extend(rest[..digits].parse::<usize>().ok());
        }
    }
    found
}
