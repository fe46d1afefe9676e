//! From what was given to [`Settings`], first the options, then variables, then the answers file.

use super::{Output, variables};
use crate::{
    Code, Error, Help, Result,
    agent::Token,
    platform::input,
    settings::{
        SettingValue, Settings, Source,
        answers::{self, Answer},
        table::{Form, definition, names},
        token_from_file,
    },
    text::{REDACTED, yaml},
};
use clap::ArgMatches;
use secrecy::{ExposeSecret, SecretString};
use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The variable with the token.
pub(super) const TOKEN_VARIABLE: &str = "RUNNERUP_TOKEN";

/// The key of the token, where answers come through standard input.
pub(super) const TOKEN_KEY: &str = "token";

/// What was given.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Everything; `token-file` stands for the token, wherever it came from.
    pub settings: Settings,
    /// The token itself.
    pub token: Option<Token>,
}

impl Inputs {
    /// Reads options, variables and the answers file; then the token. What of it is secret is
    /// kept from being printed from then on.
    ///
    /// # Errors
    /// A usage error that names the source.
    pub fn read(matches: &ArgMatches, out: &Output) -> Result<Self> {
        let mut inputs = Self::default();
        inputs.add_options(matches)?;
        inputs.add_variables()?;
        for (name, meant) in variables::unknown() {
            let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            out.warning(&format!("the variable {name} means nothing to runnerup{meant}"));
        }
        if let Some(path) = inputs.settings.text("answers") {
            inputs.add_answers(Path::new(&path), &read_answers(Path::new(&path))?)?;
        }
        if let Some(proxy) = inputs.settings.text("proxy") {
            out.secrets().add_login(&proxy);
        }
        inputs.read_token_file()?;
        if let Some(token) = &inputs.token {
            out.secrets().add(token.expose());
        }
        Ok(inputs)
    }

    fn add_options(&mut self, matches: &ArgMatches) -> Result<()> {
        for name in names() {
            if let Some(given) = option(matches, name) {
                add(&mut self.settings, name, given, Source::Flag)?;
            }
        }
        Ok(())
    }

    fn add_variables(&mut self) -> Result<()> {
        let token = variables::text(TOKEN_KEY)?.map(SecretString::from);
        if token.is_some() && variables::text("token-file")?.is_some() {
            let (one, other) = (TOKEN_VARIABLE, variables::name_of("token-file"));
            return Err(Error::new(
                Code::Contradiction,
                format!("the variables {one} and {other} are both set"),
            )
            .help(Help::words(format!("unset {one}"))));
        }
        // Read only where no option goes before it.
        if let Some(text) = token.filter(|_| !self.settings.has("token-file")) {
            let token = text.expose_secret().parse();
            let token = token
                .map_err(|error: Error| error.context(format!("variable {TOKEN_VARIABLE}")))?;
            self.take_token(token, Source::Variable(TOKEN_VARIABLE.to_owned()))?;
        }
        for name in names() {
            if let Some(text) = variables::text(name)? {
                let source = Source::Variable(variables::name_of(name));
                add(&mut self.settings, name, Answer::Text(text), source)?;
            }
        }
        Ok(())
    }

    fn add_answers(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let source = Source::Answers(shown(path));
        for (name, answer) in answers::parse(bytes, &shown(path))? {
            if is_of_the_run(&name) {
                return Err(of_the_run(&name, &source));
            } else if name != TOKEN_KEY {
                add(&mut self.settings, &name, answer, source.clone())?;
            } else if !self.settings.has("token-file") {
                self.take_token(answered_token(path, answer)?, source.clone())?;
            }
        }
        Ok(())
    }

    fn take_token(&mut self, token: Token, source: Source) -> Result<()> {
        self.settings.add("token-file", SettingValue::one(REDACTED, source))?;
        self.token = Some(token);
        Ok(())
    }

    fn read_token_file(&mut self) -> Result<()> {
        let Some(file) = self.settings.text("token-file").filter(|_| self.token.is_none()) else {
            return Ok(());
        };
        if file == "-" && self.settings.text("answers").as_deref() == Some("-") {
            return Err(Error::new(
                Code::Contradiction,
                "--answers and --token-file both read standard input",
            )
            .help("give one of them as a file"));
        }
        self.token = Some(token_from_file(Path::new(&file))?);
        Ok(())
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
    let form = definition(name).map(|setting| setting.form);
    let given = match answer {
        Answer::Flag(on) => SettingValue::one(on.to_string(), source),
        Answer::Text(text) if form == Some(Form::Words) => {
            let words = shlex::split(&text).ok_or_else(|| {
                Error::new(
                    Code::ValueInvalid,
                    format!("--{name} ({source}): a quote in it does not end"),
                )
            })?;
            SettingValue::list(words, source)
        }
        Answer::Text(text) => SettingValue::one(text, source),
        Answer::List(items) if matches!(form, Some(Form::Words | Form::List)) => {
            SettingValue::list(items, source)
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

fn read_answers(path: &Path) -> Result<Vec<u8>> {
    let source = shown(path);
    let mut bytes = Vec::new();
    let limit = yaml::MAX_BYTES as u64 + 1;
    let read = if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        input::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|error| {
        Error::new(Code::AnswersInvalid, format!("{source} cannot be read: {error}"))
    })?;
    Ok(bytes)
}

/// Only the pipe that `elevate` writes may carry the token.
fn answered_token(path: &Path, answer: Answer) -> Result<Token> {
    if !is_stdin(path) {
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
    definition(name).is_some_and(|setting| setting.is_of_the_run)
}

fn of_the_run(name: &str, source: &Source) -> Error {
    Error::new(Code::AnswersInvalid, format!("{source}: {name} is about one run, not an answer"))
        .help(Help::words(format!(
            "leave it out, and give --{name} or {}",
            variables::name_of(name)
        )))
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() }
}
