//! Environment variables: `RUNNERUP_` and the option in upper case. An empty one counts as not
//! given, because that is what a pipeline makes of a secret or parameter that it does not have.

use crate::{Code, Error, Result, settings::table::names, text::nearest, values::truth};
use std::env::{self, VarError};

/// The variable of an option: `max-run-time` → `RUNNERUP_MAX_RUN_TIME`.
pub fn name_of(option: &str) -> String {
    format!("RUNNERUP_{}", option.to_ascii_uppercase().replace('-', "_"))
}

/// The value that the variable of an option has.
pub fn text(option: &str) -> Result<Option<String>> {
    let name = name_of(option);
    match env::var(&name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Error::new(Code::ValueInvalid, format!("the variable {name} is not text")))
        }
    }
}

/// The same for an option that is true or false.
pub fn switch(option: &str) -> Result<bool> {
    let Some(text) = text(option)? else { return Ok(false) };
    truth(&text).map_err(|error| error.context(format!("variable {}", name_of(option))))
}

/// What an option of a command can hold that variables fill in.
pub trait Fill {
    /// Takes the value of the variable of this option, where the option was not given.
    ///
    /// # Errors
    /// A usage error that names the variable.
    fn fill(&mut self, option: &str) -> Result<()>;
}

impl<T: From<String>> Fill for Option<T> {
    fn fill(&mut self, option: &str) -> Result<()> {
        if self.is_none() {
            *self = text(option)?.map(T::from);
        }
        Ok(())
    }
}

/// Several values have commas between them.
impl Fill for Vec<String> {
    fn fill(&mut self, option: &str) -> Result<()> {
        if self.is_empty() {
            let listed = text(option)?;
            self.extend(listed.iter().flat_map(|text| text.split(',')).map(str::to_owned));
        }
        Ok(())
    }
}

/// An option without a value: its variable is true or false.
impl Fill for bool {
    fn fill(&mut self, option: &str) -> Result<()> {
        *self = *self || switch(option)?;
        Ok(())
    }
}

/// Options besides the settings of an install.
const OTHERS: [&str; 21] = [
    "token",
    "out",
    "quiet",
    "verbose",
    "color",
    "purge",
    "force",
    "only",
    "skip",
    "offline",
    "config",
    "endpoint",
    "resource-class",
    "api-token-file",
    "fix",
    "allow",
    "allow-path",
    "save-facts",
    "facts",
    "strict",
    "watch",
];

/// Variables that look like ours and are not, with the one that may be meant.
pub fn unknown() -> Vec<(String, Option<String>)> {
    let known: Vec<_> = names().chain(OTHERS).map(name_of).collect();
    let names: Vec<_> = known.iter().map(String::as_str).collect();
    env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("RUNNERUP_") && !known.contains(name))
        .map(|name| {
            let meant = nearest(&name, &names).map(str::to_owned);
            (name, meant)
        })
        .collect()
}
