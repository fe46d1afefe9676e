//! What sudo lets an account do, and what that means for one command prefix.

use super::{AccountFacts, PathWalk, Scrubbed, Starting};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What sudo lets an account do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sudo {
    /// sudo is installed.
    pub installed: bool,
    /// Rules, as `sudo -l` writes them, in its order: the last one that fits counts.
    pub rules: Vec<String>,
    /// Where each rule stands, `FILE:LINE`; empty where that is not known.
    pub places: Vec<String>,
    /// Any command as root without a password.
    pub passwordless: bool,
    /// sudo wants a terminal.
    pub wants_terminal: bool,
    /// `Defaults !authenticate`: no rule asks for a password.
    pub asks_nobody: bool,
    /// `Defaults noexec`: no command may start another one.
    pub no_exec: bool,
    /// `Defaults>ACCOUNTS`, in its order: such a setting goes before those for everybody.
    pub by_target: Vec<TargetDefault>,
    /// What sudo says of its files: lines that it cannot read, files that it leaves out.
    pub complaints: Vec<Scrubbed>,
    /// The way to sudo itself.
    pub program: Option<PathWalk>,
    /// Files that sudo leaves out because of their names, with rules for the account.
    pub ignored: Vec<Ignored>,
}

/// `Defaults>ACCOUNTS authenticate`: whether commands that run as these accounts need a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDefault {
    /// The accounts, aliases resolved, with commas between them.
    pub accounts: String,
    /// `!authenticate`.
    pub asks_nobody: bool,
}

/// A file in a folder of sudo's rules whose name has a dot or ends in `~`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// The way to the file.
    pub walk: PathWalk,
    /// A name that sudo would read, and that is free.
    pub readable: PathBuf,
    /// Its rules for the account, as `sudo -l` would write them.
    pub rules: Vec<String>,
}

/// What sudo answers to the account's own question, whether it may run a command as another account.
/// Asking runs nothing and opens no session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SudoAnswer {
    /// It may, by the account's own rules; a rule may still ask for a password.
    pub allowed: bool,
    /// Why sudo would not do it.
    pub refusal: Option<Refusal>,
    /// sudo's words.
    pub words: Vec<Scrubbed>,
}

/// Why sudo refuses, whatever its rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// sudo did not become root when it was started.
    NotRoot,
    /// `requiretty`.
    Terminal,
    /// The account stage of PAM: expired, locked, or not admitted.
    Account,
    /// Its files cannot be used at all.
    Files,
    /// There is no such account.
    UnknownUser,
    /// A rule without `NOPASSWD`.
    Password,
    /// Another reason.
    Other,
}

/// What the rules mean for any command as one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling<'a> {
    /// Without a password, by this rule.
    Allowed(At<'a>),
    /// The last rule that fits wants a password.
    Password(At<'a>),
    /// The last rule that fits forbids everything.
    Forbidden(At<'a>),
    /// The rule allows no variables in the command line.
    NoVariables(At<'a>),
    /// The rule keeps a job's program from starting any other.
    NoExec(At<'a>),
    /// Only some commands.
    Commands(Vec<At<'a>>),
    /// Without a password, if one of these is for the very command, which sudo itself knows.
    Perhaps(Vec<At<'a>>),
    /// Only as other accounts.
    OtherAccounts(Vec<At<'a>>),
    /// There is no rule.
    NoRule,
    /// It hangs on something that is not known here, such as a netgroup.
    Unknown,
}

/// A rule and where it stands, as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<'a> {
    /// As `sudo -l` writes it.
    pub rule: &'a str,
    /// `FILE:LINE`, where that is known.
    pub place: Option<&'a str>,
}

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place}: {}", self.rule),
            None => f.write_str(self.rule),
        }
    }
}

/// The account that a command is to be run as.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its name, or its number behind `#`.
    pub name: &'a str,
    /// What is known of it.
    pub account: Option<&'a AccountFacts>,
    /// The command line sets variables.
    pub sets_variables: bool,
    /// What it is asked to start.
    pub starts: Starting<'a>,
}

impl Sudo {
    /// The file that sudo leaves out and that would allow what its rules do not.
    pub fn would_allow(&self, target: Target<'_>) -> Option<&Ignored> {
        self.ignored.iter().find(|file| {
            let rules = self.rules.iter().chain(&file.rules).cloned().collect();
            let with = Self { rules, places: Vec::new(), ..self.clone() };
            matches!(with.ruling(target), Ruling::Allowed(_))
        })
    }

    /// Any command as root without a password.
    pub fn is_passwordless(&self) -> bool {
        let starts = Starting::Any;
        let root = Target { name: "root", account: None, sets_variables: false, starts };
        matches!(self.ruling(root), Ruling::Allowed(_) | Ruling::NoExec(_))
    }

    /// Whether no rule without a tag of its own asks for a password for commands as an account.
    fn asks_nobody_as(&self, target: Target<'_>) -> bool {
        let mut own = self.by_target.iter().rev();
        let own = own.find(|default| fits(&default.accounts, target) == Some(true));
        own.map_or(self.asks_nobody, |default| default.asks_nobody)
    }

    /// What the rules say of any command as an account: the last one that fits counts.
    pub fn ruling(&self, target: Target<'_>) -> Ruling<'_> {
        let mut last: Option<Ruling<'_>> = None;
        let (mut commands, mut others, mut is_unsure) = (Vec::new(), Vec::new(), false);
        // Those that may be for the very command, behind the last one that is.
        let (mut open, mut is_open_free): (Vec<At<'_>>, bool) = (Vec::new(), true);
        for (number, rule) in self.rules.iter().enumerate() {
            let place = self.places.get(number).map(String::as_str).filter(|at| !at.is_empty());
            let at = At { rule, place };
            let Some((accounts, rest)) = split(rule) else { continue };
            match fits(accounts, target) {
                Some(true) => {}
                Some(false) => {
                    others.push(at);
                    continue;
                }
                None => {
                    is_unsure = true;
                    continue;
                }
            }
            for part in parts(rest) {
                let free = part.free.unwrap_or_else(|| self.asks_nobody_as(target));
                let noexec = part.noexec.unwrap_or(self.no_exec);
                let (is_negated, command) = match part.command.strip_prefix('!') {
                    Some(command) => (true, command.trim_start()),
                    None => (false, part.command),
                };
                // `ALL` implies SETENV; whether a variable needs it otherwise, sudo knows.
                let is_all = command == "ALL";
                let lacks_setenv = target.sets_variables
                    && (part.setenv == Some(false) || !is_all && part.setenv.is_none());
                let is_for = if is_all { Some(true) } else { target.starts.is_for(command) };
                let found = match is_for {
                    Some(false) if !is_negated && commands.last() != Some(&at) => {
                        commands.push(at);
                        continue;
                    }
                    Some(false) => continue,
                    Some(true) if is_negated => Ruling::Forbidden(at),
                    Some(true) if !free => Ruling::Password(at),
                    Some(true) if lacks_setenv && part.setenv.is_some() => Ruling::NoVariables(at),
                    Some(true) if noexec => Ruling::NoExec(at),
                    Some(true) if !lacks_setenv => Ruling::Allowed(at),
                    Some(true) | None => {
                        is_open_free &= free && !is_negated && !noexec && !lacks_setenv;
                        open.push(at);
                        continue;
                    }
                };
                last = Some(found);
                open.clear();
                is_open_free = true;
            }
        }
        match last {
            _ if open.is_empty() => {}
            None if is_open_free && !is_unsure => return Ruling::Perhaps(open),
            Some(Ruling::Allowed(at)) if is_open_free => return Ruling::Allowed(at),
            _ => return Ruling::Unknown,
        }
        match last {
            Some(last) => last,
            None if is_unsure => Ruling::Unknown,
            None if !commands.is_empty() => Ruling::Commands(commands),
            None if !others.is_empty() => Ruling::OtherAccounts(others),
            None => Ruling::NoRule,
        }
    }
}

/// `(ACCOUNTS : GROUPS) COMMANDS`.
fn split(rule: &str) -> Option<(&str, &str)> {
    let (accounts, rest) = rule.strip_prefix('(')?.split_once(')')?;
    Some((accounts.split(" : ").next().unwrap_or(accounts), rest.trim()))
}

/// Whether a list of accounts has one; the last item that fits counts. `None`: that is not known.
fn fits(accounts: &str, target: Target<'_>) -> Option<bool> {
    let uid = target.account.and_then(AccountFacts::uid);
    let uid = uid.or(if target.name == "root" { Some(0) } else { None });
    let number = target.name.strip_prefix('#').and_then(|number| number.parse().ok());
    let uid = uid.or(number);
    let mut found = Some(false);
    for item in accounts.split(',').map(str::trim) {
        let (is_negated, item) = match item.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, item),
        };
        let fits = if item == "ALL" || item == target.name {
            Some(true)
        } else if let Some(other) = item.strip_prefix('#') {
            uid.map(|uid| other.parse() == Ok(uid))
        } else if let Some(group) = item.strip_prefix('%') {
            let name = |group: &(u32, String), wanted: &str| match wanted.strip_prefix('#') {
                Some(gid) => gid.parse() == Ok(group.0),
                None => group.1 == wanted,
            };
            target.account.map(|account| account.groups.iter().any(|own| name(own, group)))
        } else if item.starts_with('+') {
            None
        } else {
            Some(target.account.is_some_and(|account| account.name == item))
        };
        match fits {
            Some(true) => found = Some(!is_negated),
            Some(false) => {}
            None => found = None,
        }
    }
    found
}

/// A command of a rule with the tags that hold for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part<'a> {
    command: &'a str,
    /// `NOPASSWD`, `PASSWD`.
    free: Option<bool>,
    noexec: Option<bool>,
    setenv: Option<bool>,
}

/// The commands of a rule; tags hold for those behind them too.
fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut free, mut noexec, mut setenv) = (None, None, None);
    let mut found = Vec::new();
    for item in items(text) {
        let mut command = item.trim();
        loop {
            let (word, rest) = command.split_once([' ', '\t']).unwrap_or((command, ""));
            match word {
                "NOPASSWD:" => free = Some(true),
                "PASSWD:" => free = Some(false),
                "NOEXEC:" => noexec = Some(true),
                "EXEC:" => noexec = Some(false),
                "SETENV:" => setenv = Some(true),
                "NOSETENV:" => setenv = Some(false),
                _ if is_tag(word) => {}
                _ => break,
            }
            command = rest.trim_start();
        }
        if !command.is_empty() {
            found.push(Part { command, free, noexec, setenv });
        }
    }
    found
}

/// Another tag, such as `LOG_OUTPUT:`, or an option, such as `CWD=/tmp`.
fn is_tag(word: &str) -> bool {
    let name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    word.strip_suffix(':').is_some_and(name)
        || word.split_once('=').is_some_and(|(key, _)| name(key))
}

/// Items between commas that are not escaped.
fn items(text: &str) -> Vec<&str> {
    let (mut found, mut from, mut is_escaped) = (Vec::new(), 0, false);
    for (at, sign) in text.char_indices() {
        if sign == ',' && !is_escaped {
            found.extend(text.get(from..at));
            from = at + 1;
        }
        is_escaped = sign == '\\' && !is_escaped;
    }
    found.extend(text.get(from..));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::accounts::AccountId;

    fn ruling(rules: &[&str], name: &str) -> String {
        let builder = AccountFacts {
            name: "builder".into(),
            id: AccountId::Unix { uid: 1001, gid: 1001 },
            groups: vec![(1001, "builder".into()), (27, "ops".into())],
            ..AccountFacts::default()
        };
        let sudo =
            Sudo { rules: rules.iter().map(ToString::to_string).collect(), ..Sudo::default() };
        let account = (name != "root").then_some(&builder);
        let starts = Starting::Any;
        let ruling = sudo.ruling(Target { name, account, sets_variables: true, starts });
        format!("{ruling:?}").split(['(', ' ']).next().unwrap().to_owned()
    }

    /// As sudo 1.9.5, 1.9.13 and 1.9.16 decided for each of them.
    #[test]
    fn the_last_rule_that_fits_counts() {
        for (rules, expected) in [
            (&["(ALL) NOPASSWD: ALL"][..], "Allowed"),
            (&["(root) NOPASSWD: ALL"], "OtherAccounts"),
            (&["(ALL) NOPASSWD: ALL", "(ALL) ALL"], "Password"),
            (&["(ALL) ALL", "(ALL) NOPASSWD: ALL"], "Allowed"),
            (&["(builder) NOPASSWD: /opt/circleci/circleci-agent"], "Commands"),
            (&["(ALL) NOPASSWD: ALL, !/bin/bash"], "Allowed"),
            (&["(ALL) NOPASSWD: ALL, !ALL"], "Forbidden"),
            (&["(ALL : ALL) NOPASSWD: ALL"], "Allowed"),
            (&["(ALL, !builder) NOPASSWD: ALL"], "OtherAccounts"),
            (&["(#1001) CWD=/tmp TIMEOUT=5 NOPASSWD: ALL"], "Allowed"),
            (&["(%ops) NOPASSWD: ALL"], "Allowed"),
            (&["(%#27) NOPASSWD: ALL"], "Allowed"),
            (&["(%wheel) NOPASSWD: ALL"], "OtherAccounts"),
            (&["(+builders) NOPASSWD: ALL"], "Unknown"),
            (&["(ALL) NOEXEC: NOPASSWD: ALL"], "NoExec"),
            (&["(ALL) NOSETENV: NOPASSWD: ALL"], "NoVariables"),
            (&["(ALL) NOPASSWD: /bin/ls, PASSWD: ALL"], "Password"),
            (&["(ALL) sha224:0GomF8mNN3wlDt1HD9Xldj== /bin/ls"], "Commands"),
            (&["(ALL) NOPASSWD: /bin/a\\,ALL"], "Commands"),
            (&[], "NoRule"),
        ] {
            assert_eq!(ruling(rules, "builder"), expected, "{rules:?}");
        }
        assert_eq!(ruling(&["(root) NOPASSWD: ALL"], "root"), "Allowed");
        assert_eq!(ruling(&["(#0) NOPASSWD: ALL"], "root"), "Allowed");
        assert_eq!(ruling(&["(builder) NOPASSWD: ALL"], "#1001"), "Allowed");
    }

    #[test]
    fn without_authentication_no_rule_asks() {
        let rules = vec!["(ALL) ALL".to_owned()];
        let sudo = Sudo { rules, asks_nobody: true, ..Sudo::default() };
        assert!(sudo.is_passwordless());
        assert!(!Sudo { asks_nobody: false, ..sudo }.is_passwordless());
    }

    #[test]
    fn the_default_keeps_programs_from_starting_others() {
        let ruling = |rule: &str| {
            let sudo = Sudo { rules: vec![rule.to_owned()], no_exec: true, ..Sudo::default() };
            let starts = Starting::Any;
            let target = Target { name: "root", account: None, sets_variables: false, starts };
            matches!(sudo.ruling(target), Ruling::NoExec(_))
        };
        assert!(ruling("(ALL) NOPASSWD: ALL"));
        assert!(!ruling("(ALL) NOPASSWD: EXEC: ALL"));
    }

    /// `Defaults>builder !authenticate`: for commands as that account, and as no other.
    #[test]
    fn a_setting_for_the_target_goes_before_that_for_everybody() {
        let default = |accounts: &str, asks_nobody| TargetDefault {
            accounts: accounts.to_owned(),
            asks_nobody,
        };
        let is_free = |by_target: Vec<TargetDefault>, asks_nobody| {
            let rules = vec!["(ALL) ALL".to_owned()];
            let sudo = Sudo { rules, by_target, asks_nobody, ..Sudo::default() };
            let starts = Starting::Any;
            let target = Target { name: "builder", account: None, sets_variables: false, starts };
            matches!(sudo.ruling(target), Ruling::Allowed(_))
        };
        assert!(is_free(vec![default("builder", true)], false));
        assert!(is_free(vec![default("ops, builder", true)], false));
        assert!(!is_free(vec![default("ops", true)], false));
        assert!(!is_free(vec![default("builder", false)], true));
        assert!(!is_free(vec![default("builder", true), default("builder", false)], false));
    }
}
