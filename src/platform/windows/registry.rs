//! Values of the registry, through `reg`, whose answers are the same in every language.

use crate::{
    Code, Error, Help, Result,
    platform::command::{Call, Commands},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Kinds whose data `reg` takes as it prints it.
const KINDS: [&str; 6] =
    ["REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_DWORD", "REG_QWORD", "REG_BINARY"];

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Place {
    /// The key, such as `HKLM\SOFTWARE\Policies`.
    pub key: String,
    /// The value's name in it.
    pub name: String,
}

/// A value, in the words that `reg` prints and takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Value {
    /// Such as `REG_DWORD`.
    pub kind: String,
    /// Such as `0x1`.
    pub data: String,
}

impl Place {
    /// The place of `name` in `key`.
    pub fn new(key: impl Into<String>, name: impl Into<String>) -> Self {
        Self { key: key.into(), name: name.into() }
    }
}

impl Value {
    /// A number of 32 bits.
    pub fn number(number: u32) -> Self {
        Self { kind: "REG_DWORD".to_owned(), data: format!("0x{number:x}") }
    }

    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { kind: "REG_SZ".to_owned(), data: text.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r"{}\{}", self.key, self.name)
    }
}

/// The value at a place, if there is one.
///
/// # Errors
/// [`Code::InTheWay`] when it is one that could not be put back as it is.
pub fn read(commands: &dyn Commands, place: &Place) -> Result<Option<Value>> {
    let call = Call::new("reg", ["query", &place.key, "/v", &place.name]);
    let answer = commands.answer(&call)?;
    match answer.code {
        Some(0) => parse(&answer.stdout, place).map(Some),
        // It says no more; an administrator may read whatever is there.
        Some(1) => Ok(None),
        _ => Err(answer.failure(&call)),
    }
}

/// Sets a value; the keys on the way are made.
///
/// # Errors
/// When the system refuses.
pub fn set(commands: &dyn Commands, place: &Place, value: &Value) -> Result<()> {
    let Place { key, name } = place;
    let args = ["add", key, "/v", name, "/t", &value.kind, "/d", &value.data, "/f"];
    commands.run(&Call::new("reg", args)).map(drop)
}

/// Removes a value; none there is fine.
///
/// # Errors
/// When the system refuses.
pub fn remove(commands: &dyn Commands, place: &Place) -> Result<()> {
    let call = Call::new("reg", ["query", &place.key, "/v", &place.name]);
    let answer = commands.answer(&call)?;
    match answer.code {
        Some(0) => {}
        Some(1) => return Ok(()),
        _ => return Err(answer.failure(&call)),
    }
    let call = Call::new("reg", ["delete", &place.key, "/v", &place.name, "/f"]);
    commands.run(&call).map(drop)
}

/// The key itself, or the nearest one above it that is there.
///
/// # Errors
/// When `reg` cannot be asked.
pub fn nearest_key(commands: &dyn Commands, key: &str) -> Result<String> {
    let mut key = key;
    while listed(commands, key)?.is_none() {
        match key.rsplit_once('\\') {
            Some((above, _)) => key = above,
            None => break,
        }
    }
    Ok(key.to_owned())
}

/// Removes `key` and the keys above it, up to `nearest`, which stays: each only while it is empty.
///
/// # Errors
/// When the system refuses.
pub fn remove_keys(commands: &dyn Commands, key: &str, nearest: &str) -> Result<()> {
    let mut key = key;
    while key.len() > nearest.len() && key.starts_with(nearest) {
        match listed(commands, key)? {
            Some(inside) if !inside.is_empty() => return Ok(()),
            Some(_) => drop(commands.run(&Call::new("reg", ["delete", key, "/f"]))?),
            None => {}
        }
        let Some((above, _)) = key.rsplit_once('\\') else { return Ok(()) };
        key = above;
    }
    Ok(())
}

/// The lines that tell of values and keys in a key; `None`: there is no such key.
fn listed(commands: &dyn Commands, key: &str) -> Result<Option<Vec<String>>> {
    let call = Call::new("reg", ["query", key]);
    let answer = commands.answer(&call)?;
    match answer.code {
        Some(0) => {}
        Some(1) => return Ok(None),
        _ => return Err(answer.failure(&call)),
    }
    let whole = key.replacen("HKLM", "HKEY_LOCAL_MACHINE", 1);
    let whole = whole.replacen("HKCU", "HKEY_CURRENT_USER", 1);
    // A key with values in it is named first.
    let tells = |line: &&str| !line.is_empty() && !line.eq_ignore_ascii_case(&whole);
    Ok(Some(answer.stdout.lines().map(str::trim).filter(tells).map(str::to_owned).collect()))
}

/// Reads `    NAME    KIND    DATA`.
fn parse(printed: &str, place: &Place) -> Result<Value> {
    let name = place.name.as_str();
    let is_name = |text: &str| text.eq_ignore_ascii_case(name);
    let found = printed.lines().find_map(|line| {
        let line = line.trim_end_matches('\r').strip_prefix("    ")?;
        let rest = line.get(name.len()..).filter(|_| line.get(..name.len()).is_some_and(is_name));
        let (kind, data) = rest?.strip_prefix("    ")?.split_once("    ")?;
        Some(Value { kind: kind.to_owned(), data: data.to_owned() })
    });
    // Other characters than these come out of `reg` in the console's code page, or not at all.
    let is_plain = |value: &Value| {
        KINDS.contains(&value.kind.as_str()) && value.data.bytes().all(|b| matches!(b, 32..=126))
    };
    found.filter(is_plain).ok_or_else(|| {
        Error::new(
            Code::InTheWay,
            format!("the registry value {place} holds what could not be put back as it is"),
        )
        .help(Help::words(format!("examine it: reg query \"{}\" /v \"{name}\"", place.key)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    const KEY: &str = r"HKLM\SOFTWARE\Policies\X";

    fn place() -> Place {
        Place::new(KEY, "On")
    }

    #[test]
    fn a_value_is_read_in_the_words_of_reg() {
        let output =
            "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\X\r\n    on    REG_DWORD    0x1\r\n\r\n";
        let script = Script::new(&[
            (r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", 0, output),
            (r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", 1, "ERROR: nothing"),
            (r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", 0, "    On    REG_SZ    \r\n"),
        ]);
        assert_eq!(read(&script, &place()).unwrap(), Some(Value::number(1)));
        assert_eq!(read(&script, &place()).unwrap(), None);
        assert_eq!(read(&script, &place()).unwrap(), Some(Value::text("")));
        script.assert_done();
    }

    #[test]
    fn what_could_not_be_put_back_is_in_the_way() {
        for output in
            ["    On    REG_SZ    \u{fffd}\r\n", "    On    REG_LINK    x\r\n", "On 1\r\n"]
        {
            let script = Script::new(&[(r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", 0, output)]);
            assert_eq!(read(&script, &place()).unwrap_err().code(), Code::InTheWay, "{output}");
        }
        let hangs =
            Script::new(&[(r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", Script::HANGS, "")]);
        assert!(read(&hangs, &place()).unwrap_err().message().contains("did not end"));
    }

    #[test]
    fn a_value_is_set_whole_and_removed_once() {
        let script = Script::new(&[
            (r"reg add 'HKLM\SOFTWARE\Policies\X' /v On /t REG_DWORD /d 0x1 /f", 0, ""),
            (r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", 0, "    On    REG_DWORD    0x1\r\n"),
            (r"reg delete 'HKLM\SOFTWARE\Policies\X' /v On /f", 0, ""),
            (r"reg query 'HKLM\SOFTWARE\Policies\X' /v On", 1, ""),
        ]);
        set(&script, &place(), &Value::number(1)).unwrap();
        remove(&script, &place()).unwrap();
        remove(&script, &place()).unwrap();
        script.assert_done();
        let refused = Script::new(&[(
            r"reg add 'HKLM\SOFTWARE\Policies\X' /v On /t REG_DWORD /d 0x1 /f",
            1,
            "ERROR: Access is denied.",
        )]);
        let error = set(&refused, &place(), &Value::number(1)).unwrap_err();
        assert!(error.message().contains("Access is denied."), "{error}");
    }

    #[test]
    fn keys_go_while_they_are_empty_and_not_further_than_they_were_made() {
        let script = Script::new(&[
            (r"reg query 'HKLM\A\B\C'", 1, ""),
            (r"reg query 'HKLM\A\B'", 1, ""),
            (r"reg query 'HKLM\A'", 0, "HKEY_LOCAL_MACHINE\\A\\Other\r\n"),
        ]);
        assert_eq!(nearest_key(&script, r"HKLM\A\B\C").unwrap(), r"HKLM\A");
        script.assert_done();
        let script = Script::new(&[
            (r"reg query 'HKLM\A\B\C'", 0, "\r\nHKEY_LOCAL_MACHINE\\A\\B\\C\r\n"),
            (r"reg delete 'HKLM\A\B\C' /f", 0, ""),
            (r"reg query 'HKLM\A\B'", 0, "    Other    REG_SZ    x\r\n"),
        ]);
        remove_keys(&script, r"HKLM\A\B\C", r"HKLM\A").unwrap();
        script.assert_done();
        remove_keys(&Script::new(&[]), r"HKLM\A", r"HKLM\A").unwrap();
    }
}
