//! What must be known before the command line is understood: how to say that it is not.

use super::{
    options::{Global, When},
    variables,
};
use crate::{Code, Error, Result, values::truth};
use std::ffi::OsString;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutputOptions {
    /// One JSON document.
    pub json: bool,
    /// Results and errors only.
    pub quiet: bool,
    /// How much to say.
    pub verbose: u8,
    /// Whether to colour.
    pub color: When,
}

impl OutputOptions {
    /// A guess from arguments and variables, wrong values passed over: good enough for errors.
    pub fn guess(args: &[OsString]) -> Self {
        let args: Vec<_> = args.iter().filter_map(|arg| arg.to_str()).collect();
        let given = |option: &str| variables::text(option).ok().flatten();
        let color = args.iter().enumerate().find_map(|(at, arg)| match *arg {
            "--color" => args.get(at + 1).copied(),
            _ => arg.strip_prefix("--color="),
        });
        Self {
            json: args.contains(&"--json")
                || given("json").is_some_and(|text| matches!(truth(&text), Ok(true))),
            color: color
                .map(str::to_owned)
                .or_else(|| given("color"))
                .and_then(|text| when(&text))
                .unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What the options say, and the variables where the options say nothing.
    pub fn of(global: &Global) -> Result<Self> {
        let color = match (global.color, variables::text("color")?) {
            (Some(color), _) => color,
            (None, None) => When::Auto,
            (None, Some(text)) => when(&text).ok_or_else(|| {
                let name = variables::name_of("color");
                Error::new(Code::ValueInvalid, format!("variable {name}: there is no {text:?}"))
                    .help("colour: auto, always, never")
            })?,
        };
        let verbose = match variables::text("verbose")? {
            Some(text) if global.verbose == 0 && !global.quiet => level(&text)?,
            _ => global.verbose,
        };
        Ok(Self {
            json: global.json || variables::switch("json")?,
            quiet: global.quiet || (verbose == 0 && variables::switch("quiet")?),
            verbose,
            color,
        })
    }
}

/// Refuses a token on the command line without looking at it: whatever came with it stays unsaid.
pub(super) fn refuse_token(args: &[OsString]) -> Result<()> {
    let is_token = |arg: &&str| *arg == "--token" || arg.starts_with("--token=");
    let args = args.iter().filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--");
    if args.into_iter().any(|arg| is_token(&arg)) {
        return Err(Error::new(
            Code::TokenSource,
            "there is no --token: every user of the host can see arguments, and shells keep them",
        )
        .help("put it into a file: install -m 600 /dev/stdin token   # paste, Enter, Ctrl-D")
        .help("then: runnerup install --token-file token")
        .help("if it was a real token, delete it and make another one"));
    }
    Ok(())
}

fn when(text: &str) -> Option<When> {
    clap::ValueEnum::from_str(text, false).ok()
}

fn level(text: &str) -> Result<u8> {
    match truth(text) {
        Ok(on) => Ok(u8::from(on)),
        Err(_) => text.parse().map_err(|_| {
            let name = variables::name_of("verbose");
            Error::new(Code::ValueInvalid, format!("variable {name}: {text:?} is not a number"))
                .help("0 to 3")
        }),
    }
}
