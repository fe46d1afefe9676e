//! Programs that every job needs and Windows does not bring: found as jobs find them, on the
//! machine's own Path, whatever the Path of who runs this.

use super::registry::{self, Place};
use crate::platform::command::Commands;
use std::path::Path;

/// Where the machine's Path stands.
const ENVIRONMENT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment";

/// What a checkout and a cache need.
const NEEDED: [&str; 2] = ["git", "gzip"];

/// What the machine's Path is written with, and what it is where nobody moved Windows.
const VARIABLES: [(&str, &str); 4] = [
    ("%SystemRoot%", r"C:\Windows"),
    ("%SystemDrive%", "C:"),
    ("%ProgramFiles%", r"C:\Program Files"),
    ("%ProgramData%", r"C:\ProgramData"),
];

/// The programs that are not there; none where the Path cannot be read.
pub fn missing(commands: &dyn Commands) -> Vec<&'static str> {
    let place = Place::new(ENVIRONMENT, "Path");
    let path = registry::read(commands, &place).ok().flatten();
    path.map_or_else(Vec::new, |path| missing_on(&path.data, |file| Path::new(file).is_file()))
}

fn missing_on(path: &str, is_there: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let folders: Vec<_> = path.split(';').filter(|folder| !folder.is_empty()).map(whole).collect();
    let is_missing = |tool: &&str| {
        // What a package manager puts there may be a script.
        let names = ["exe", "cmd", "bat"].map(|end| format!("{tool}.{end}"));
        !folders.iter().any(|folder| {
            names.iter().any(|name| is_there(&format!(r"{}\{name}", folder.trim_end_matches('\\'))))
        })
    };
    NEEDED.into_iter().filter(is_missing).collect()
}

fn whole(folder: &str) -> String {
    let mut text = folder.trim_matches('"').to_owned();
    for (name, value) in VARIABLES {
        let begins = text.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name));
        if let Some(rest) = text.get(name.len()..).filter(|_| begins) {
            text = format!("{value}{rest}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    #[test]
    fn what_is_on_the_machines_path_is_found() {
        let path = "%SYSTEMROOT%\\system32;\"C:\\Program Files\\Git\\cmd\\\";;D:\\tools";
        let there = [r"C:\Program Files\Git\cmd\git.exe", r"C:\Windows\system32\gzip.cmd"];
        assert!(missing_on(path, |file| there.contains(&file)).is_empty());
        assert_eq!(missing_on(path, |file| file == there[0]), ["gzip"]);
        assert_eq!(missing_on("", |_| true), NEEDED);
    }

    /// Wine has a registry, too.
    #[test]
    #[cfg(windows)]
    fn the_machines_own_path_is_read() {
        use crate::platform::command::HostCommands;
        let path = registry::read(&HostCommands, &Place::new(ENVIRONMENT, "Path")).unwrap();
        assert!(path.unwrap().data.to_lowercase().contains("system32"));
        assert!(!super::super::is_domain_controller(&HostCommands));
    }

    #[test]
    fn a_path_that_cannot_be_read_misses_nothing() {
        let ask = format!("reg query '{ENVIRONMENT}' /v Path");
        assert!(missing(&Script::new(&[(&ask, 1, "")])).is_empty());
        assert!(missing(&Script::new(&[(&ask, Script::HANGS, "")])).is_empty());
        let output = "    Path    REG_EXPAND_SZ    Z:\\nowhere\r\n";
        assert_eq!(missing(&Script::new(&[(&ask, 0, output)])), NEEDED);
    }
}
