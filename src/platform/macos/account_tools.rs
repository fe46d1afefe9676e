//! A hidden service account, made and removed with `dscl`.

use crate::{
    Code, Error, Result,
    platform::command::{Answer, Call, Commands},
    text::shown,
};
use std::{collections::BTreeSet, path::Path};

/// Numbers below 500 are not shown at the login window; the system's own end at 400.
const NUMBERS: std::ops::Range<u32> = 420..500;

/// `dscl` of a record that is not there: `eDSRecordNotFound`, as an exit code.
const NOT_FOUND: i32 = 56;

/// `eDSPermissionError`: root itself may not, where the terminal lacks Full Disk Access.
const DENIED: &str = "-14120";

/// What lets root do what Privacy & Security keeps from the programs of a terminal.
pub const FULL_DISK_ACCESS: &str =
    "give the terminal Full Disk Access (System Settings, Privacy & Security), and run again";

/// Has the directory forget the accounts that it did not find: it goes on saying so for a while after
/// one was made.
///
/// # Errors
/// When it cannot be told.
pub fn forget_absent(commands: &dyn Commands) -> Result<()> {
    commands.run(&Call::new("dscacheutil", ["-flushcache"])).map(drop)
}

/// Creates the account and a group of its name, with a home, a real shell and no password. What
/// an earlier run made and could not end is taken on.
///
/// # Errors
/// When no number is free, or the directory refuses.
pub fn create(commands: &dyn Commands, name: &str, home: &Path, shell: &Path) -> Result<()> {
    let number = free_number(commands)?;
    let (number, home) = (number.to_string(), shown(home));
    let group = format!("/Groups/{name}");
    let user = format!("/Users/{name}");
    let shell = shown(shell);
    let steps: [&[&str]; 11] = [
        &["-create", &group],
        &["-create", &group, "PrimaryGroupID", &number],
        &["-create", &group, "Password", "*"],
        &["-create", &user],
        &["-create", &user, "UniqueID", &number],
        &["-create", &user, "PrimaryGroupID", &number],
        &["-create", &user, "RealName", "CircleCI runner"],
        &["-create", &user, "UserShell", &shell],
        &["-create", &user, "NFSHomeDirectory", &home],
        &["-create", &user, "IsHidden", "1"],
        // No password fits this.
        &["-create", &user, "Password", "*"],
    ];
    for step in steps {
        dscl(commands, step)?;
    }
    commands.run(&Call::new("createhomedir", ["-c", "-u", name])).map(drop)
}

/// Creates a group with this number and no password.
///
/// # Errors
/// When the directory refuses.
pub fn create_group(commands: &dyn Commands, name: &str, gid: u32) -> Result<()> {
    let (group, number) = (format!("/Groups/{name}"), gid.to_string());
    let steps: [&[&str]; 3] = [
        &["-create", &group],
        &["-create", &group, "PrimaryGroupID", &number],
        &["-create", &group, "Password", "*"],
    ];
    steps.iter().try_for_each(|step| dscl(commands, step).map(drop))
}

/// Removes the account and its group; its home is the caller's to remove.
///
/// # Errors
/// When the directory refuses.
pub fn remove(commands: &dyn Commands, name: &str) -> Result<()> {
    for record in [format!("/Users/{name}"), format!("/Groups/{name}")] {
        let read = ["-read", &record, "RecordName"];
        let answer = dscl_answer(commands, &read)?;
        match answer.code {
            Some(0) => drop(dscl(commands, &["-delete", &record])?),
            Some(NOT_FOUND) => {}
            // That it could not be asked does not mean that it is gone.
            _ => return Err(answer.failure(&call(&read))),
        }
    }
    Ok(())
}

/// A number that neither a user nor a group has.
fn free_number(commands: &dyn Commands) -> Result<u32> {
    let mut used = BTreeSet::new();
    for (list, key) in [("/Users", "UniqueID"), ("/Groups", "PrimaryGroupID")] {
        let answer = dscl(commands, &["-list", list, key])?;
        used.extend(answer.stdout.lines().filter_map(|line| {
            let (_, number) = line.rsplit_once(char::is_whitespace)?;
            number.parse::<u32>().ok()
        }));
    }
    NUMBERS.clone().find(|number| !used.contains(number)).ok_or_else(|| {
        let (first, last) = (NUMBERS.start, NUMBERS.end - 1);
        Error::new(Code::HostUnfit, format!("no account number from {first} to {last} is free"))
            .help("name an account that is there: --user NAME")
    })
}

fn dscl(commands: &dyn Commands, args: &[&str]) -> Result<Answer> {
    let answer = dscl_answer(commands, args)?;
    if answer.code == Some(0) {
        return Ok(answer);
    }
    let output = format!("{}{}", answer.stderr, answer.stdout);
    let error = answer.failure(&call(args));
    Err(match output.contains(DENIED) {
        true => error.help(FULL_DISK_ACCESS),
        false => error,
    })
}

fn dscl_answer(commands: &dyn Commands, args: &[&str]) -> Result<Answer> {
    commands.answer(&call(args))
}

fn call(args: &[&str]) -> Call {
    Call::new("dscl", [&["."], args].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    const USERS: &str = "_amavisd   83\nci   501\nroot   0\n_other  420\n";

    #[test]
    fn an_account_gets_a_free_number_and_is_hidden() {
        let script = Script::new(&[
            ("dscl . -list /Users UniqueID", 0, USERS),
            ("dscl . -list /Groups PrimaryGroupID", 0, "admin 80\nx 421\n"),
            ("dscl . -create /Groups/circleci", 0, ""),
            ("dscl . -create /Groups/circleci PrimaryGroupID 422", 0, ""),
            ("dscl . -create /Groups/circleci Password '*'", 0, ""),
            ("dscl . -create /Users/circleci", 0, ""),
            ("dscl . -create /Users/circleci UniqueID 422", 0, ""),
            ("dscl . -create /Users/circleci PrimaryGroupID 422", 0, ""),
            ("dscl . -create /Users/circleci RealName 'CircleCI runner'", 0, ""),
            ("dscl . -create /Users/circleci UserShell /bin/zsh", 0, ""),
            ("dscl . -create /Users/circleci NFSHomeDirectory /Users/circleci", 0, ""),
            ("dscl . -create /Users/circleci IsHidden 1", 0, ""),
            ("dscl . -create /Users/circleci Password '*'", 0, ""),
            ("createhomedir -c -u circleci", 0, ""),
        ]);
        let (home, shell) = (Path::new("/Users/circleci"), Path::new("/bin/zsh"));
        create(&script, "circleci", home, shell).unwrap();
        script.assert_done();
    }

    #[test]
    fn what_is_not_there_is_not_removed() {
        let script = Script::new(&[
            ("dscl . -read /Users/circleci RecordName", 56, ""),
            ("dscl . -read /Groups/circleci RecordName", 0, "RecordName: circleci"),
            ("dscl . -delete /Groups/circleci", 0, ""),
        ]);
        remove(&script, "circleci").unwrap();
        script.assert_done();
    }

    #[test]
    fn what_cannot_be_asked_for_is_not_taken_for_gone() {
        let script =
            Script::new(&[("dscl . -read /Users/circleci RecordName", 70, "no directory")]);
        assert!(remove(&script, "circleci").unwrap_err().message().contains("no directory"));
    }

    #[test]
    fn root_that_may_not_is_told_of_full_disk_access() {
        let script = Script::new(&[
            ("dscl . -read /Users/circleci RecordName", 0, ""),
            (
                "dscl . -delete /Users/circleci",
                40,
                "<main> delete status: eDSPermissionError -14120",
            ),
        ]);
        let error = remove(&script, "circleci").unwrap_err();
        assert!(error.help_lines().join(" ").contains("Full Disk Access"), "{error:?}");
    }

    #[test]
    fn no_free_number_is_told() {
        let all = NUMBERS.map(|number| format!("u {number}\n")).collect::<String>();
        let script = Script::new(&[
            ("dscl . -list /Users UniqueID", 0, &all),
            ("dscl . -list /Groups PrimaryGroupID", 0, ""),
        ]);
        let error = create(&script, "c", Path::new("/Users/c"), Path::new("/bin/zsh")).unwrap_err();
        assert_eq!(error.code(), Code::HostUnfit);
    }
}
