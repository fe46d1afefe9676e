//! What sudo lets an account do: by sudo's own word where root can ask it, and else by its files.

mod ask;
#[cfg(test)]
#[cfg(unix)]
mod file_tests;
mod files;
mod rules;

pub(super) use ask::answer;

use super::scrub::Scrub;
use crate::{
    host::{AccountFacts, Refusal, Scrubbed, Seen, Sudo, TargetDefault},
    platform::{
        command::{Call, Commands},
        fs::Root,
    },
};
use files::Asker;
use std::{path::Path, time::Duration};

/// Most lines of sudo's that are kept, and the longest, in characters.
const LINES: (usize, usize) = (8, 240);

/// What sudo lets the account do on this host.
pub(super) fn of_host(
    root: &Root,
    commands: &dyn Commands,
    account: &AccountFacts,
    limit: Duration,
    scrub: &Scrub,
) -> Seen<Sudo> {
    let name = &account.name;
    let Some(program) = commands.find("sudo") else { return Seen::Known(Sudo::default()) };
    let program = root.walk(&program).ok();
    if account.is_root() {
        let rules = vec!["(ALL) ALL".to_owned()];
        let passwordless = true;
        return Seen::Known(Sudo {
            installed: true,
            rules,
            passwordless,
            program,
            ..Sudo::default()
        });
    }
    if !crate::platform::privilege::is_privileged() {
        return Seen::not(format!("only root can ask what sudo lets {name} do"));
    }
    let call = Call::new("sudo", ["-n", "-l", "-U", name.as_str()]).within(limit);
    let answer = match commands.answer(&call) {
        Ok(answer) => answer,
        Err(error) => return Seen::broken(error.message()),
    };
    let hostname = crate::platform::machine::hostname();
    let in_files = files::read(root, &Asker { account, hostname: Some(&hostname) }).ok();
    let mut sudo = match refusal(&answer.stderr) {
        // sudo answers nobody without a terminal, not even root.
        Some(Refusal::Terminal) => in_files.clone().unwrap_or_default(),
        _ => listed(&answer.stdout),
    };
    sudo.installed = true;
    sudo.program = program;
    sudo.complaints = complaints(&answer.stderr, scrub);
    sudo.ignored = in_files.as_ref().map(|files| files.ignored.clone()).unwrap_or_default();
    if let Some(in_files) = in_files.filter(|in_files| in_files.rules == sudo.rules) {
        sudo.places = in_files.places;
    }
    sudo.passwordless = sudo.is_passwordless();
    Seen::Known(sudo)
}

/// The same of an image, by its files.
pub(super) fn of_image(root: &Root, account: &AccountFacts) -> Seen<Sudo> {
    let program = root.walk(Path::new("/usr/bin/sudo")).ok();
    if program.as_ref().is_none_or(crate::platform::fs::PathWalk::is_missing) {
        return Seen::Known(Sudo::default());
    }
    let read = files::read(root, &Asker { account, hostname: None });
    Seen::from(read.map(|sudo| {
        let passwordless = account.is_root() || sudo.is_passwordless();
        Sudo { installed: true, passwordless, program, ..sudo }
    }))
}

/// What `sudo -l` lists: settings that hold for the account, and its rules, which are the indented
/// lines that begin with an account in parentheses.
fn listed(output: &str) -> Sudo {
    let rules = output.lines().filter(|line| line.starts_with([' ', '\t']));
    let rules = rules.map(str::trim).filter(|line| line.starts_with('(')).map(str::to_owned);
    let mut sudo = Sudo { rules: rules.collect(), ..Sudo::default() };
    let settings = output.lines().skip_while(|line| !line.starts_with("Matching Defaults"));
    let settings = settings.skip(1).take_while(|line| line.starts_with([' ', '\t']));
    settings.flat_map(|line| line.split(',')).for_each(|word| set(&mut sudo, word.trim()));
    let bound = output.lines().skip_while(|line| !line.starts_with("Runas and Command-specific"));
    let bound = bound.skip(1).take_while(|line| line.starts_with([' ', '\t']));
    for text in bound.flat_map(|line| line.split("Defaults")) {
        let Some(text) = text.strip_prefix('>') else { continue };
        let mut words = text.split_whitespace();
        let mut accounts = String::new();
        for word in words.by_ref() {
            accounts.push_str(word);
            // More accounts follow.
            if !word.ends_with(',') {
                break;
            }
        }
        words.for_each(|word| set_for(&mut sudo, &accounts, word.trim_end_matches(',')));
    }
    sudo
}

/// A setting for commands that run as some accounts; the last one counts.
fn set_for(sudo: &mut Sudo, accounts: &str, word: &str) {
    let asks_nobody = match word {
        "!authenticate" => true,
        "authenticate" => false,
        _ => return,
    };
    sudo.by_target.push(TargetDefault { accounts: accounts.to_owned(), asks_nobody });
}

/// A setting, of which the last one counts.
fn set(sudo: &mut Sudo, word: &str) {
    match word {
        "requiretty" => sudo.wants_terminal = true,
        "!requiretty" => sudo.wants_terminal = false,
        "!authenticate" => sudo.asks_nobody = true,
        "authenticate" => sudo.asks_nobody = false,
        "noexec" => sudo.no_exec = true,
        "!noexec" => sudo.no_exec = false,
        _ => {}
    }
}

/// Why sudo refuses, by its own words of every version from 1.8 on.
pub(super) fn refusal(words: &str) -> Option<Refusal> {
    let has = |texts: &[&str]| texts.iter().any(|text| words.contains(text));
    let known = [
        (&["no new privileges", "setuid bit set", "effective uid is not 0"][..], Refusal::NotRoot),
        (&["must have a tty"], Refusal::Terminal),
        (
            &[
                "account validation failure",
                "PAM account management",
                "Account expired",
                "account is locked",
            ],
            Refusal::Account,
        ),
        (
            &[
                "no valid sudoers sources",
                "error initializing audit plugin",
                "unable to open /etc/sudoers",
            ],
            Refusal::Files,
        ),
        (&["unknown user", "unknown uid"], Refusal::UnknownUser),
        (&["a password is required", "a terminal is required"], Refusal::Password),
    ];
    known.into_iter().find(|(texts, _)| has(texts)).map(|(_, refusal)| refusal)
}

/// What sudo says of its own files: never a line of such a file.
fn complaints(words: &str, scrub: &Scrub) -> Vec<Scrubbed> {
    let is_one = |line: &&str| {
        let line = line.trim_start_matches(">>> ").trim_start_matches("sudo: ");
        line.starts_with('/') && line.contains(": ")
            || ["is world writable", "is owned by", "is group writable", "parse error"]
                .iter()
                .any(|text| line.contains(text))
    };
    told(words.lines().filter(is_one), scrub)
}

/// Lines of sudo's, as evidence; that a host has no name is another matter.
fn told<'a>(lines: impl Iterator<Item = &'a str>, scrub: &Scrub) -> Vec<Scrubbed> {
    let lines = lines.filter(|line| !line.contains("unable to resolve host"));
    let told = |line: &str| Scrubbed::text(line.trim(), scrub).cut(LINES.1);
    lines.filter(|line| !line.trim().is_empty()).take(LINES.0).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudos_own_words_are_read() {
        let output = "Matching Defaults entries for ci on h:\n    env_reset, requiretty,\n    mail_badpass\n\n\
                    User ci may run the following commands on h:\n    (ALL) NOPASSWD: ALL\n    (root) /bin/ls\n";
        let sudo = listed(output);
        assert_eq!(sudo.rules, ["(ALL) NOPASSWD: ALL", "(root) /bin/ls"]);
        assert!(sudo.is_passwordless() && sudo.wants_terminal);
        let few =
            listed("User ci may run the following commands on h:\n    (ALL) NOPASSWD: /bin/ls\n");
        assert!(!few.is_passwordless() && !few.wants_terminal);
        assert!(listed("User ci is not allowed to run sudo on h.\n").rules.is_empty());
    }

    /// A later setting for the account wins, and one for another account or command is none of it.
    #[test]
    fn the_last_setting_for_the_account_counts() {
        let output = "Matching Defaults entries for ci on h:\n    requiretty, !requiretty\n\n\
            Runas and Command-specific defaults for ci:\n    Defaults>b requiretty    Defaults!/bin/ls !authenticate\n\n\
            User ci may run the following commands on h:\n    (root) ALL\n";
        let sudo = listed(output);
        assert!(!sudo.wants_terminal && !sudo.asks_nobody && sudo.rules == ["(root) ALL"]);
        assert!(sudo.by_target.is_empty());
    }

    #[test]
    fn settings_for_the_account_that_a_command_runs_as_are_kept() {
        let output = "Runas and Command-specific defaults for ci:\n    Defaults>a, b requiretty, !authenticate\n    \
            Defaults!/bin/ls !authenticate    Defaults>c authenticate\n\n\
            User ci may run the following commands on h:\n    (ALL) ALL\n";
        let found = listed(output).by_target;
        let found: Vec<_> =
            found.iter().map(|one| (one.accounts.as_str(), one.asks_nobody)).collect();
        assert_eq!(found, [("a,b", true), ("c", false)]);
    }

    #[test]
    fn refusals_of_all_versions_are_known() {
        for (words, expected) in [
            ("sudo: The \"no new privileges\" flag is set, which prevents", Refusal::NotRoot),
            (
                "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set",
                Refusal::NotRoot,
            ),
            ("sudo: effective uid is not 0, is /usr/bin/sudo on a file system", Refusal::NotRoot),
            ("sudo: sorry, you must have a tty to run sudo", Refusal::Terminal),
            (
                "sudo: account validation failure, is your account locked?\nsudo: a password is required",
                Refusal::Account,
            ),
            ("sudo: PAM account management error: Permission denied", Refusal::Account),
            ("sudo: no valid sudoers sources found, quitting", Refusal::Files),
            ("sudo: unknown user: builder", Refusal::UnknownUser),
            ("sudo: a password is required", Refusal::Password),
        ] {
            assert_eq!(refusal(words), Some(expected), "{words}");
        }
        assert_eq!(refusal("sudo: unable to resolve host h: Name or service not known"), None);
    }

    #[test]
    fn a_complaint_is_of_sudos_words_and_never_a_line_of_its_files() {
        let words = "/etc/sudoers.d/90-x:3:9: syntax error\nsecret = hunter2 (\n        ^~~\n\
            sudo: /etc/sudoers.d/y is world writable\nsudo: unable to resolve host h: x\n\
            sudo: a password is required\n>>> /etc/sudoers: syntax error near line 3 <<<\n";
        let told: Vec<_> =
            complaints(words, &Scrub::default()).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "/etc/sudoers.d/90-x:3:9: syntax error",
                "sudo: /etc/sudoers.d/y is world writable",
                ">>> /etc/sudoers: syntax error near line 3 <<<",
            ]
        );
    }
}
