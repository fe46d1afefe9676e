//! Whether this process has the rights of an administrator: membership in the group is not enough,
//! because User Account Control takes those rights from every process that was not started with
//! "Run as administrator".

use super::{powershell, rights::ADMINISTRATORS};
use crate::{Code, Error, Result, platform::command::Commands};
use std::time::Duration;

/// PowerShell takes seconds to start on a busy host; no command is to wait longer for this answer.
const LIMIT: Duration = Duration::from_secs(30);

/// PowerShell that sets `$elevated`. The group is named by its SID: its name is translated.
pub(super) fn question() -> String {
    format!(
        "$me = [Security.Principal.WindowsPrincipal]\
         [Security.Principal.WindowsIdentity]::GetCurrent(); \
         $elevated = $me.IsInRole([Security.Principal.SecurityIdentifier]'{}'); ",
        &ADMINISTRATORS[1..]
    )
}

/// Whether this process is elevated.
///
/// # Errors
/// When the system does not answer.
pub fn is_elevated(commands: &dyn Commands) -> Result<bool> {
    let script = format!("{}\"$elevated\"", question());
    let answer = powershell::run_within(commands, &script, LIMIT)?;
    match answer.trim() {
        "True" => Ok(true),
        "False" => Ok(false),
        other => Err(Error::new(
            Code::StepFailed,
            format!("PowerShell was asked whether this is elevated, and answered {other:?}"),
        )),
    }
}

/// What a person without these rights is told.
pub fn needs_administrator() -> Error {
    Error::new(Code::NeedsRoot, "this needs the rights of an administrator")
        .help("run it again in a window that was opened with \"Run as administrator\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::{Recorded, Script, typed};

    #[test]
    fn the_answer_counts_and_no_other_word() {
        let is = |code, output: &str| is_elevated(&Recorded::answering(code, output));
        assert!(is(0, "True\r\n").unwrap() && !is(0, "False\r\n").unwrap());
        assert!(is(0, "").unwrap_err().message().contains("answered"));
        assert!(is(1, "It is blocked by policy.").unwrap_err().message().contains("blocked"));
        assert_eq!(is(Script::HANGS, "").unwrap_err().code(), Code::CommandTimeout);
    }

    #[test]
    fn the_look_asks_the_same_group() {
        let asked = Recorded::default();
        let _ = super::super::inventory::ask(
            &asked,
            &super::super::inventory::InventoryQuery::default(),
            LIMIT,
        );
        let call = typed(&powershell::call(&question()));
        for word in ["IsInRole(", "S-1-5-32-544"] {
            assert!(call.contains(word) && asked.calls()[0].contains(word), "{word}");
        }
    }
}
