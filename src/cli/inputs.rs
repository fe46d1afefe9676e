//! From what was given to [`Settings`], first the options, then variables, then the answers file.

use super::{Output, variables};
use crate::{
    Code, Error, Result,
    agent::Token,
    spec::{
        Given, NAMES, Settings, Source,
        answers::{self, Answer},
        token_from_file,
    },
    yaml,
};
use clap::ArgMatches;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Settings that are about this one run; they make no sense in a file.
const OF_THE_RUN: [&str; 4] = ["yes", "dry-run", "json", "answers"];

/// The variable with the token.
pub(super) const TOKEN_VARIABLE: &str = "RUNNERUP_TOKEN";

/// The key of the token, where answers come through standard input.
pub(super) const TOKEN_KEY: &str = "token";

/// What was given.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Everything but the token.
    pub settings: Settings,
    /// The token and where it came from.
    pub token: Option<(Token, Source)>,
}

impl Inputs {
    /// Reads options, variables and the answers file; then the token. What of it is secret is
    /// kept from being printed from then on.
    ///
    /// # Errors
    /// A usage error that names the source.
    pub fn read(matches: &ArgMatches, out: &Output) -> Result<Self> {
        let mut settings = Settings::default();
        for name in NAMES {
            if let Some(given) = option(matches, name) {
                add(&mut settings, name, given, Source::Flag)?;
            }
        }
        for name in NAMES {
            if let Some(text) = variables::text(name)? {
                let source = Source::Variable(variables::name_of(name));
                add(&mut settings, name, Answer::Text(text), source)?;
            }
        }
        let mut token = None;
        if let Some(path) = settings.text("answers") {
            let path = PathBuf::from(path);
            let source = Source::Answers(shown(&path));
            for (name, answer) in read_answers(&path)? {
                match name.as_str() {
                    TOKEN_KEY => token = Some((answered_token(&path, answer)?, source.clone())),
                    _ if is_of_the_run(&name) => {
                        return Err(of_the_run(&name, &source));
                    }
                    _ => add(&mut settings, &name, answer, source.clone())?,
                }
            }
        }
        if let Some(proxy) = settings.text("proxy") {
            out.secrets().add_login(&proxy);
        }
        let token = find_token(&settings, token)?;
        if let Some((token, _)) = &token {
            out.secrets().add(token.expose());
        }
        Ok(Self { settings, token })
    }
}

fn option(matches: &ArgMatches, name: &str) -> Option<Answer> {
    let id = name.replace('-', "_");
    if let Ok(text) = matches.try_get_one::<String>(&id) {
        return text.cloned().map(Answer::Text);
    }
    if let Ok(path) = matches.try_get_one::<PathBuf>(&id) {
        return path.map(|path| Answer::Text(path.display().to_string()));
    }
    let on = matches.try_get_one::<bool>(&id).ok().flatten().copied().unwrap_or_default();
    on.then_some(Answer::Flag(true))
}

fn add(settings: &mut Settings, name: &str, answer: Answer, source: Source) -> Result<()> {
    let given = match answer {
        Answer::Flag(on) => Given::one(on.to_string(), source),
        Answer::Text(text) if name == "command-prefix" => {
            let words = shlex::split(&text).ok_or_else(|| {
                Error::new(
                    Code::ValueInvalid,
                    format!("--{name} ({source}): {text:?} has a quote that does not end"),
                )
            })?;
            Given::list(words, source)
        }
        Answer::Text(text) => Given::one(text, source),
        Answer::List(items) if matches!(name, "command-prefix" | "no-proxy") => {
            Given::list(items, source)
        }
        Answer::List(_) => {
            return Err(Error::new(
                Code::AnswersInvalid,
                format!("{source}: {name} takes one value, not a list"),
            ));
        }
    };
    settings.add(name, given)
}

fn read_answers(path: &Path) -> Result<BTreeMap<String, Answer>> {
    let source = shown(path);
    let mut bytes = Vec::new();
    let limit = yaml::MAX_BYTES as u64 + 1;
    let read = if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        Error::new(Code::AnswersInvalid, format!("{source} cannot be read: {error}"))
    })?;
    answers::parse(&bytes, &source)
}

/// Only the pipe that `elevate` writes may carry the token.
fn answered_token(path: &Path, answer: Answer) -> Result<Token> {
    if path != Path::new("-") {
        return Err(Error::new(
            Code::TokenSource,
            format!(
                "{} holds the token; answers files are shared and kept in repositories",
                shown(path)
            ),
        )
        .help("put it into a file of its own, and `token-file: FILE` into the answers"));
    }
    match answer {
        Answer::Text(text) => text.parse(),
        _ => Err(Error::new(Code::ValueInvalid, "the token on standard input is not a text")),
    }
}

/// Whether a setting is about one run, and so no answer.
pub(super) fn is_of_the_run(name: &str) -> bool {
    OF_THE_RUN.contains(&name)
}

fn of_the_run(name: &str, source: &Source) -> Error {
    Error::new(Code::AnswersInvalid, format!("{source}: {name} is about one run, not an answer"))
        .help(format!("leave it out, and give --{name} or {}", variables::name_of(name)))
}

/// An option first, then the variables, then the answers file, as for any setting.
fn find_token(
    settings: &Settings,
    answered: Option<(Token, Source)>,
) -> Result<Option<(Token, Source)>> {
    let source = settings.source("token-file");
    let file = settings.text("token-file").map(PathBuf::from);
    // The variable is looked at only where nothing before it counts.
    if source != Source::Flag
        && let Some(token) = token_variable()?
    {
        if let Source::Variable(other) = source {
            return Err(Error::new(
                Code::Contradiction,
                format!("the variables {TOKEN_VARIABLE} and {other} are both set"),
            )
            .help("unset one of them"));
        }
        return Ok(Some((token, Source::Variable(TOKEN_VARIABLE.to_owned()))));
    }
    match (file, answered) {
        (Some(file), _) if is_stdin(&file) && is_stdin_answers(settings) => Err(Error::new(
            Code::Contradiction,
            "--answers and --token-file both read standard input",
        )
        .help("give one of them as a file")),
        (Some(file), _) => Ok(Some((token_from_file(&file)?, source))),
        (None, answered) => Ok(answered),
    }
}

fn token_variable() -> Result<Option<Token>> {
    match std::env::var_os(TOKEN_VARIABLE).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => token_text(value)
            .and_then(|text| text.parse())
            .map(Some)
            .map_err(|error: Error| error.context(format!("variable {TOKEN_VARIABLE}"))),
    }
}

fn token_text(value: OsString) -> Result<String> {
    value.into_string().map_err(|_| Error::new(Code::ValueInvalid, "the token is not text"))
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn is_stdin_answers(settings: &Settings) -> bool {
    settings.text("answers").is_some_and(|path| is_stdin(Path::new(&path)))
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}
