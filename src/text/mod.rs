//! Text: YAML with places, what was probably meant, and what must not be printed. Knows nothing of
//! runners.

mod command;
mod effect;
mod nearest;
mod paths;
mod secrets;
mod shell;
#[cfg(test)]
pub(crate) mod sources;
pub mod url;
pub mod yaml;

pub use command::Command;
pub(crate) use effect::Effect;
pub use nearest::nearest;
pub use paths::{has_drive, inner, is_whole, shown};
pub(crate) use secrets::may_be_secret;
pub use secrets::{Found, Secrets};
pub(crate) use shell::{Shell, is_plain, is_sound, is_whole_path};

/// What stands in place of a secret.
pub const REDACTED: &str = "***";

/// The characters that YAML and JSON write with a backslash and a letter, or a sign, between double
/// quotes.
pub(crate) fn backslashed(c: char) -> Option<&'static str> {
    Some(match c {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => return None,
    })
}
