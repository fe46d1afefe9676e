//! Going on as root. The dialogue, the planning and the confirmation need no root; what changes
//! the host does, and it gets its settings through a pipe: sudo's arguments are seen by every
//! user and its environment is logged, so neither holds a secret.

use super::{
    Output, inputs, interrupt,
    options::{UninstallArgs, When},
};
use crate::{
    Code, Error, Help, Result,
    agent::Token,
    platform::{
        Os,
        command::{Commands, HostCommands, looked_in, quoted, search_path},
        privilege::is_administrator,
        windows::elevation::needs_administrator,
    },
    settings::{
        Settings, Source,
        table::{Definition, Form, names},
    },
    text::yaml,
};
use secrecy::zeroize::Zeroizing;
use std::{
    env,
    ffi::OsString,
    fmt::Write as _,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::OnceLock,
};

/// Variables that the network goes by here, and that sudo drops.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

/// Whether the change needs more rights than this process has. A folder given as `--root` needs
/// what its own mode says, and nothing more.
pub(super) fn is_needed(root: Option<&Path>) -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    root.is_none() && !*MAY.get_or_init(|| is_administrator(Os::HERE, &HostCommands))
}

/// Installs through sudo what was planned and confirmed, where there is a person to give the
/// password.
///
/// # Errors
/// [`Code::NeedsRoot`] with the exact command where there is nobody to ask.
pub(super) fn install(
    settings: &Settings,
    token: Option<&Token>,
    is_asking: bool,
    out: &Output,
) -> Result<ExitCode> {
    refuse_without_sudo()?;
    if !is_asking {
        return Err(needs_root("install", &variables_of(settings)));
    }
    let proxies = proxies_of(settings);
    if !proxies.is_empty() {
        out.warning(&format!(
            "{} does not reach root through sudo; if the download fails, give --proxy",
            proxies.join(", ")
        ));
    }
    let answers = answers(settings, token);
    through_sudo(&["install", "--yes", "--answers", "-"], Some(&answers), out)
}

/// Uninstalls through sudo what was planned and confirmed.
///
/// # Errors
/// As [`install`].
pub(super) fn uninstall(args: &UninstallArgs, out: &Output) -> Result<ExitCode> {
    refuse_without_sudo()?;
    if !out.is_asking(args.yes)? {
        return Err(needs_root("uninstall", &[]));
    }
    let mut words = vec!["uninstall", "--yes"];
    if let Some(instance) = args.instance.as_deref() {
        words.extend(["--instance", instance]);
    }
    words.extend(args.purge.then_some("--purge"));
    words.extend(args.force.then_some("--force"));
    through_sudo(&words, None, out)
}

/// On Windows no program goes on with more rights in the same window.
pub(super) fn refuse_without_sudo() -> Result<()> {
    match Os::HERE {
        Os::Windows => Err(needs_administrator()),
        Os::Linux | Os::Darwin => Ok(()),
    }
}

fn through_sudo(words: &[&str], answers: Option<&str>, out: &Output) -> Result<ExitCode> {
    let sudo = HostCommands.find("sudo").ok_or_else(|| {
        Error::new(Code::NeedsRoot, "this needs root, and sudo is not there")
            .help(Help::words(looked_in()))
            .help(Help::words(format!("as root: {}", command_of(words))))
    })?;
    out.line("This needs root: going on through sudo, which may ask for your password.");
    interrupt::delegated();
    let lost = |error: io::Error| Error::new(Code::NeedsRoot, format!("sudo was lost: {error}"));
    let mut child = Command::new(sudo)
        .arg("--")
        .arg(this_program())
        .args(words)
        .args(options(out))
        .env_clear()
        .env("PATH", search_path())
        // What the terminal can do; sudo decides what of it goes further.
        .envs(["TERM", "LANG", "LC_ALL", "NO_COLOR"].into_iter().filter_map(kept))
        .stdin(if answers.is_some() { Stdio::piped() } else { Stdio::inherit() })
        .spawn()
        .map_err(lost)?;
    if let (Some(answers), Some(mut pipe)) = (answers, child.stdin.take()) {
        match pipe.write_all(answers.as_bytes()) {
            // sudo was refused and has gone; its exit code tells.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written.map_err(lost)?,
        }
    }
    let status = child.wait().map_err(lost)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::from(Code::Interrupted.exit()), ExitCode::from))
}

/// The settings and the token as an answers file. What an existing install has, root reads itself.
fn answers(settings: &Settings, token: Option<&Token>) -> Zeroizing<String> {
    // Room from the start: a text that grew would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(64 << 10));
    for Definition { name, form, .. } in
        settings.chosen().filter(|setting| setting.name != "token-file")
    {
        let values = settings.list(name).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = match (form, values.as_slice()) {
            (Form::Switch | Form::Value, [one]) => writeln!(text, "{name}: {}", as_answer(one)),
            (_, values) => {
                let values: Vec<_> = values.iter().map(|value| yaml::quoted(value)).collect();
                writeln!(text, "{name}: [{}]", values.join(", "))
            }
        };
    }
    if let Some(token) = token {
        let _ = writeln!(text, "{}: {}", inputs::TOKEN_KEY, yaml::quoted(token.expose()));
    }
    text
}

/// Switches are read without quotes.
fn as_answer(value: &str) -> String {
    match value {
        "true" | "false" => value.to_owned(),
        _ => yaml::quoted(value),
    }
}

fn needs_root(command: &str, variables: &[String]) -> Error {
    let keep = match variables {
        [] => String::new(),
        names => format!(" --preserve-env={}", names.join(",")),
    };
    let mut words: Vec<_> = env::args().skip(1).map(|arg| quoted(&arg)).collect();
    if words.is_empty() {
        words.push(command.to_owned());
    }
    let program = quoted(&this_program().display().to_string());
    Error::new(
        Code::NeedsRoot,
        format!("{command} needs root: accounts, services and the documented folders belong to it"),
    )
    .help(Help::words(format!("sudo{keep} -- {program} {}", words.join(" "))))
    .help("or --root DIR, to install into a folder of your own")
}

/// The variables that sudo must let through for the same settings; names only.
fn variables_of(settings: &Settings) -> Vec<String> {
    let variable = |name| match settings.source(name) {
        Source::Variable(variable) => Some(variable),
        _ => None,
    };
    let proxies = proxies_of(settings).into_iter().map(str::to_owned);
    names().filter_map(variable).chain(proxies).collect()
}

/// The variables that count for the network as long as no setting does.
fn proxies_of(settings: &Settings) -> Vec<&'static str> {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    match settings.has("proxy") {
        true => Vec::new(),
        false => PROXIES.into_iter().filter(is_set).collect(),
    }
}

fn command_of(words: &[&str]) -> String {
    let program = quoted(&this_program().display().to_string());
    words.iter().fold(program, |text, word| format!("{text} {}", quoted(word)))
}

fn this_program() -> PathBuf {
    env::current_exe().unwrap_or_else(|_| PathBuf::from("runnerup"))
}

fn options(out: &Output) -> Vec<&'static str> {
    let options = out.options();
    let mut words = vec![match options.color {
        When::Auto => "--color=auto",
        When::Always => "--color=always",
        When::Never => "--color=never",
    }];
    words.extend(options.quiet.then_some("--quiet"));
    words.extend(std::iter::repeat_n("-v", options.verbose.into()));
    words
}

fn kept(name: &'static str) -> Option<(&'static str, OsString)> {
    env::var_os(name).map(|value| (name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{
        SettingValue,
        answers::{Answer, parse},
    };

    #[test]
    fn the_answers_hold_what_was_given_and_nothing_else() {
        let mut settings = Settings::default();
        let mut add = |name, value: &str, source| {
            settings.add(name, SettingValue::one(value, source)).unwrap();
        };
        add("name", "a: #b\"", Source::Prompt);
        add("proxy", "http://u:p%40ss@proxy:3128", Source::Flag);
        add("no-start", "true", Source::Variable("RUNNERUP_NO_START".to_owned()));
        add("workdir", "/old", Source::Existing("receipt".to_owned()));
        add("yes", "false", Source::Flag);
        add("token-file", "token", Source::Flag);
        let prefix = ["sudo", "-niHu", "ci", "--"].map(str::to_owned);
        settings.add("command-prefix", SettingValue::list(prefix.clone(), Source::Flag)).unwrap();
        let token: Token = "0123456789".parse().unwrap();
        let text = answers(&settings, Some(&token));
        let read = parse(text.as_bytes(), "-").unwrap();
        let expected = [
            ("command-prefix", Answer::List(prefix.to_vec())),
            ("name", Answer::Text("a: #b\"".to_owned())),
            ("no-start", Answer::Flag(true)),
            ("proxy", Answer::Text("http://u:p%40ss@proxy:3128".to_owned())),
            ("token", Answer::Text("0123456789".to_owned())),
        ];
        assert_eq!(read, expected.map(|(name, answer)| (name.to_owned(), answer)).into());
    }
}
