//! The folder of receipts and of the lock: every user may make files in what is new below
//! `C:\ProgramData`, and whoever makes a folder there first owns it.

use super::{
    elevation,
    powershell::{self, literal},
    rights::{self, ADMINISTRATORS, SYSTEM, USERS},
};
use crate::{
    Code, Error, Help, Result,
    platform::command::{Call, Commands},
    text::shown,
};
use std::path::Path;

/// Lets only administrators change the folder and read what is made in it; all users may list it,
/// and read what is opened to them. `is_new`: this run made it.
///
/// # Errors
/// [`Code::NeedsRoot`] without elevation, [`Code::UntrustedPath`] when a user owns the folder, who
/// may have written receipts for this run to act on.
pub fn restrict(commands: &dyn Commands, folder: &Path, is_new: bool) -> Result<()> {
    let output = powershell::run(commands, &question(folder))?;
    let (is_elevated, owner) = output.trim().split_once(' ').unwrap_or((output.trim(), ""));
    if is_elevated != "True" {
        return Err(elevation::needs_administrator());
    }
    let is_administrators = [ADMINISTRATORS, SYSTEM].iter().any(|sid| sid[1..] == *owner);
    let shown = shown(folder);
    if !is_administrators {
        if !is_new {
            return Err(Error::new(
                Code::UntrustedPath,
                format!(
                    "{shown} belongs to the user {owner}, who could have written what is in it"
                ),
            )
            .help(Help::words(format!("look at it: icacls \"{shown}\" /t")))
            .help("if it is not known: move it away, and run again")
            .help(Help::words(format!(
                "if it is: icacls \"{shown}\" /setowner \"{ADMINISTRATORS}\" /t"
            ))));
        }
        let args = [shown.as_str(), "/setowner", ADMINISTRATORS, "/q"];
        commands.run(&Call::new("icacls", args))?;
    }
    commands.run(&rights::set(folder, None, 0o700, true))?;
    commands.run(&readable(folder)).map(drop)
}

/// For the folder itself: nothing that is made in it inherits this.
fn readable(folder: &Path) -> Call {
    Call::new(
        "icacls",
        [shown(folder), "/grant".to_owned(), format!("{USERS}:RX"), "/q".to_owned()],
    )
}

/// Prints whether this process is elevated, and the folder's owner as a SID.
fn question(folder: &Path) -> String {
    format!(
        "{}$list = Get-Acl -LiteralPath {}; \
         \"$elevated $($list.GetOwner([Security.Principal.SecurityIdentifier]).Value)\"",
        elevation::question(),
        literal(&shown(folder))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::{Script, typed};

    const FOLDER: &str = "C:/ProgramData/runnerup";
    const STRANGER: &str = "S-1-5-21-1-2-3-1001";

    fn asked() -> String {
        typed(&powershell::call(&question(Path::new(FOLDER))))
    }

    #[test]
    fn a_folder_of_administrators_is_closed_to_others_before_it_is_used() {
        let close = "icacls 'C:\\ProgramData\\runnerup' /inheritance:r /grant:r \
                     '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' /q";
        let list = "icacls 'C:\\ProgramData\\runnerup' /grant '*S-1-5-32-545:RX' /q";
        for owner in ["S-1-5-32-544", "S-1-5-18"] {
            let output = format!("True {owner}\r\n");
            let host = Script::new(&[(&asked(), 0, &output), (close, 0, ""), (list, 0, "")]);
            restrict(&host, Path::new(FOLDER), false).unwrap();
            host.assert_done();
        }
        let set_owner = "icacls 'C:\\ProgramData\\runnerup' /setowner '*S-1-5-32-544' /q";
        let output = format!("True {STRANGER}\r\n");
        let host = Script::new(&[
            (&asked(), 0, &output),
            (set_owner, 0, ""),
            (close, 0, ""),
            (list, 0, ""),
        ]);
        restrict(&host, Path::new(FOLDER), true).unwrap();
        host.assert_done();
    }

    #[test]
    fn a_folder_that_a_user_made_first_is_refused() {
        let output = format!("True {STRANGER}\r\n");
        let host = Script::new(&[(&asked(), 0, &output)]);
        let error = restrict(&host, Path::new(FOLDER), false).unwrap_err();
        assert_eq!(error.code(), Code::UntrustedPath);
        assert!(error.message().contains(STRANGER), "{error}");
    }

    #[test]
    fn without_elevation_nothing_is_changed() {
        let host = Script::new(&[(&asked(), 0, &format!("False {STRANGER}\r\n"))]);
        let error = restrict(&host, Path::new(FOLDER), true).unwrap_err();
        assert_eq!(error.code(), Code::NeedsRoot);
    }
}
