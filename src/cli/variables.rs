//! Environment variables: `RUNNERUP_` and the option in upper case. An empty one counts as not
//! given, because that is what a pipeline makes of a secret or parameter that it does not have.

use crate::{Code, Error, Result, spec::values::truth};
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
