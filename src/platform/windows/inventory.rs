//! One look at all that only Windows itself can say of agents: one start of PowerShell, which
//! takes a second, and one JSON document. A part that fails says so and hides no other.

use super::powershell::{self, literal};
use crate::{
    Code,
    platform::command::{Call, Commands},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;

const SCRIPT: &str = include_str!("inventory.ps1");

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventoryQuery {
    /// Tasks, by folder and name without the first backslash.
    pub tasks: Vec<String>,
    /// Local accounts, by name or number.
    pub users: Vec<String>,
    /// Files and folders whose access lists matter.
    pub paths: Vec<String>,
}

/// All that was said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Inventory {
    /// Registered tasks, of those that were asked for.
    pub tasks: Part<Task>,
    /// Every process.
    pub processes: Part<Process>,
    /// Accounts, of those that were asked for.
    pub accounts: Part<Account>,
    /// The system; one.
    pub system: Part<System>,
    /// Drives.
    pub volumes: Part<Volume>,
    /// Access lists, of the paths that are there.
    pub rights: Part<Rights>,
    /// What Defender has found, by path.
    pub threats: Part<String>,
    /// Whether this process is elevated; one.
    pub elevated: Part<bool>,
}

/// A part: what was seen, or why nothing was.
#[derive(Debug, Deserialize)]
#[serde(from = "Said", bound = "T: DeserializeOwned")]
pub struct Part<T>(Result<Vec<T>, String>);

/// A part as it was said. Each is read by itself: one of another form hides no other either.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Said {
    ok: Option<serde_json::Value>,
    error: Option<String>,
}

/// A task as its scheduler sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    /// Its folder and name.
    pub name: String,
    /// `Ready`, `Running`, `Disabled`, `Queued` or `Unknown`.
    pub state: String,
    /// How its last run ended.
    pub result: u32,
    /// When it last began, in seconds since 1970.
    pub last_run: Option<i64>,
    /// When it is to begin again.
    pub next_run: Option<i64>,
}

/// A process.
#[derive(Debug, Clone, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's, or that of what had the number before.
    pub parent: u32,
    /// Its program's name.
    pub name: String,
    /// Its program, where that may be known.
    pub path: Option<String>,
    /// When it was started.
    pub started: Option<i64>,
}

/// A local account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub sid: String,
    /// It may not log on.
    pub disabled: bool,
    /// Too many wrong passwords were given.
    pub locked: bool,
    /// When it expires.
    pub expires: Option<i64>,
    /// When its password does.
    pub password_expires: Option<i64>,
    /// Its password has to be changed first.
    pub must_change: bool,
    /// It is in the group of administrators itself.
    pub administrator: bool,
    /// How many credentials it keeps.
    pub credentials: u32,
}

/// The system.
#[derive(Debug, Clone, Deserialize)]
pub struct System {
    /// Such as `Microsoft Windows Server 2019 Standard`.
    pub name: Option<String>,
    /// Its build number.
    pub build: u32,
    /// Its role in a domain; 4 and 5: a controller.
    pub role: u32,
    /// `LongPathsEnabled`.
    pub long_paths: bool,
    /// `fDenyTSConnections`.
    pub desktop_off: bool,
    /// The proxy of WinHTTP.
    pub winhttp: Option<String>,
    /// Credential Guard runs; `None`: Windows does not say.
    #[serde(default)]
    pub credential_guard: Option<bool>,
    /// The time service: `Running`, `Stopped`…
    pub clock: String,
    /// How it is started: `Automatic`, `Manual`, `Disabled`.
    pub clock_start: String,
    /// Bytes of memory.
    pub memory: u64,
    /// Free ones.
    pub free: u64,
    /// Bytes in paging files.
    pub swap: u64,
}

/// A drive.
#[derive(Debug, Clone, Deserialize)]
pub struct Volume {
    /// Such as `C:`.
    pub drive: String,
    /// Bytes in all; none of a drive without a file system.
    pub bytes: Option<u64>,
    /// Free ones.
    pub free: Option<u64>,
}

/// The access list of a path.
#[derive(Debug, Clone, Deserialize)]
pub struct Rights {
    /// The path.
    pub path: String,
    /// The number of its owner.
    pub owner: String,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// A rule of an access list.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// Whom it is for, by number.
    pub sid: String,
    /// By name, where the number has one.
    pub name: Option<String>,
    /// It gives, and takes not away.
    pub allows: bool,
    /// An access mask.
    pub rights: u32,
    /// The folder above gave it.
    pub inherited: bool,
    /// It is only for what is in the folder.
    pub below: bool,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self(Err("nothing was said of it".to_owned()))
    }
}

impl<T: DeserializeOwned> From<Said> for Part<T> {
    fn from(output: Said) -> Self {
        Self(match (output.ok, output.error) {
            (_, Some(why)) => Err(why),
            (None, None) => return Self::default(),
            (Some(all), None) => serde_json::from_value(all)
                .map_err(|error| format!("PowerShell said something else: {error}")),
        })
    }
}

impl<T> Part<T> {
    /// What was seen.
    ///
    /// # Errors
    /// Why nothing was.
    pub fn seen(&self) -> Result<&[T], String> {
        self.0.as_deref().map_err(Clone::clone)
    }
}

/// Asks.
///
/// # Errors
/// Why there is no answer: PowerShell failed, hung, or printed something else.
pub fn ask(
    commands: &dyn Commands,
    wanted: &InventoryQuery,
    limit: Duration,
) -> Result<Inventory, String> {
    let answer = commands.answer(&call(wanted).within(limit));
    let answer = answer.map_err(|error| match error.code() {
        // The whole script is no word to tell a person.
        Code::CommandTimeout => format!("PowerShell did not end within {} s", limit.as_secs()),
        code => format!("PowerShell cannot be run: {code:?}"),
    })?;
    let output = answer.stdout.trim_start_matches('\u{feff}').trim();
    match serde_json::from_str(output) {
        Ok(told) => Ok(told),
        Err(_) if output.is_empty() && answer.stderr.trim().is_empty() => {
            Err("PowerShell said nothing".to_owned())
        }
        Err(_) if powershell::is_constrained(&answer) => Err(powershell::CONSTRAINED.to_owned()),
        Err(_) if output.is_empty() => {
            let line = answer.stderr.trim().lines().next().unwrap_or_default();
            Err(format!("PowerShell failed: {line}"))
        }
        Err(error) => Err(format!("PowerShell said something else: {error}")),
    }
}

fn call(wanted: &InventoryQuery) -> Call {
    let list = |name: &str, words: &[String]| {
        let words: Vec<_> = words.iter().map(|word| literal(word)).collect();
        format!("${name} = @({})\n", words.join(", "))
    };
    let wants = list("names", &wanted.tasks)
        + &list("users", &wanted.users)
        + &list("paths", &wanted.paths);
    powershell::call(&format!("{wants}{SCRIPT}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::{Recorded, Script};

    /// Made in the form that the script prints; no Windows was there to print it.
    pub(crate) const MADE: &str = include_str!("inventory-made.json");

    fn output(code: i32, text: &str) -> Result<Inventory, String> {
        let recorded = Recorded::answering(code, text);
        ask(&recorded, &InventoryQuery::default(), Duration::from_secs(10))
    }

    #[test]
    fn one_document_holds_all_parts() {
        let told = output(0, &format!("\u{feff}{MADE}\r\n")).unwrap();
        assert_eq!(told.tasks.seen().unwrap()[0].result, 0x41301);
        assert_eq!(told.processes.seen().unwrap().len(), 5);
        assert!(told.accounts.seen().unwrap()[0].administrator);
        assert_eq!(told.system.seen().unwrap()[0].build, 17763);
        assert_eq!(told.rights.seen().unwrap()[0].rules.len(), 4);
        assert!(told.threats.seen().unwrap_err().contains("not recognized"));
        assert_eq!(told.elevated.seen().unwrap(), [true]);
    }

    #[test]
    fn a_part_that_failed_hides_no_other() {
        let told = output(0, r#"{"tasks":{"error":"Access denied"},"processes":{"ok":[]},"accounts":{},"system":{"ok":null},"volumes":{"ok":[{"drive":7}]},"threats":{"ok":["C:\\x.exe"]}}"#).unwrap();
        assert_eq!(told.tasks.seen().unwrap_err(), "Access denied");
        assert!(told.processes.seen().unwrap().is_empty());
        assert!(told.accounts.seen().is_err() && told.system.seen().is_err());
        assert!(told.rights.seen().is_err());
        assert!(told.volumes.seen().unwrap_err().contains("something else"));
        assert_eq!(told.threats.seen().unwrap(), [r"C:\x.exe"]);
    }

    #[test]
    fn an_answer_that_is_none_says_why() {
        for (code, text, why) in [
            (0, "", "said nothing"),
            (0, "PS C:\\>", "something else"),
            (0, "7", "something else"),
            (1, "It is blocked by policy.\nmore", "failed: It is blocked by policy."),
            (
                1,
                "x\n+ FullyQualifiedErrorId : PropertySetterNotSupportedInConstrainedLanguage",
                "keeps",
            ),
            (Script::HANGS, "", "did not end within 10 s"),
        ] {
            let error = output(code, text).unwrap_err();
            assert!(error.contains(why) && !error.contains("Get-ScheduledTask"), "{error}");
        }
    }

    #[test]
    fn what_is_asked_for_stands_before_the_script_and_is_quoted() {
        let recorded = Recorded::default();
        let wanted = InventoryQuery {
            tasks: vec!["it's".into()],
            users: vec!["ci".into()],
            paths: vec![r"C:\a b".into(), r"C:\c".into()],
        };
        let _ = ask(&recorded, &wanted, Duration::from_secs(1));
        let calls = recorded.calls();
        assert_eq!(calls.len(), 1);
        let script = calls[0].replace(r"'\''", "'");
        for part in ["$names = @('it''s')", "$users = @('ci')", r"$paths = @('C:\a b', 'C:\c')"] {
            assert!(script.contains(part), "{part}: {script}");
        }
        // A quote of the kind that arguments are quoted with is not in it.
        assert!(!SCRIPT.contains('"') && SCRIPT.is_ascii());
    }
}
