//! A local account with a password that nobody knows.

use super::powershell::{literal, run};
use crate::{Result, platform::command::Commands};

/// Sets `$plain`, and `$password` as PowerShell wants it, to 256 random bits in characters of every
/// kind that a policy may ask for. No command is given it in the clear: where commands are logged,
/// their arguments are, and calls of methods are not.
pub(crate) const RANDOM_PASSWORD: &str = "$bytes = [byte[]]::new(32); \
    [Security.Cryptography.RandomNumberGenerator]::Create().GetBytes($bytes); \
    $plain = 'Aa1!' + [Convert]::ToBase64String($bytes); \
    $password = [Net.NetworkCredential]::new('', $plain).SecurePassword; ";

/// Creates the account as documented: a local administrator whose password never expires. The
/// password is made where it is used and kept nowhere.
///
/// # Errors
/// When the system refuses.
pub fn create(commands: &dyn Commands, name: &str) -> Result<()> {
    let name = literal(name);
    let script = format!(
        "{RANDOM_PASSWORD}\
         New-LocalUser -Name {name} -Password $password -PasswordNeverExpires \
         -UserMayNotChangePassword -AccountNeverExpires -Description 'CircleCI runner' | Out-Null; \
         Add-LocalGroupMember -SID S-1-5-32-544 -Member {name}"
    );
    run(commands, &script).map(drop)
}

/// Seconds that the account's part of the registry may stay loaded after its last process has ended.
const UNLOADS_WITHIN: u32 = 60;

/// Removes the account, with its profile where that was made with it. A profile whose part of the
/// registry is still loaded cannot be removed (0x80070020): it is waited for, and stays in the end.
///
/// # Errors
/// When the system refuses; after the account is removed, with what stays of its profile.
pub fn remove(commands: &dyn Commands, name: &str, with_home: bool) -> Result<()> {
    let name = literal(name);
    let profile = if with_home {
        format!(
            "$end = (Get-Date).AddSeconds({UNLOADS_WITHIN}); \
             while ($own = Get-CimInstance Win32_UserProfile | \
             Where-Object {{ $_.SID -eq $user.SID.Value }}) {{ \
             try {{ if ($own.Loaded) {{ throw 'a process of the account still uses it' }}; \
             $own | Remove-CimInstance; $left = $null; break }} catch {{ \
             $left = \"the profile $($own.LocalPath) stays: $($_.Exception.Message)\"; \
             if ((Get-Date) -gt $end) {{ break }}; Start-Sleep -Seconds 1 }} }}; "
        )
    } else {
        String::new()
    };
    let script = format!(
        "$user = Get-LocalUser | Where-Object {{ $_.Name -eq {name} }}; \
         if ($user) {{ $left = $null; {profile}Remove-LocalUser -SID $user.SID; \
         if ($left) {{ throw $left }} }}"
    );
    run(commands, &script).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::{Recorded, Script};

    #[test]
    fn an_account_gets_a_password_that_is_not_in_the_call() {
        let recorded = Recorded::default();
        create(&recorded, "circleci").unwrap();
        let calls = recorded.calls();
        assert_eq!(calls.len(), 1);
        assert!(calls[0].starts_with("powershell -NoProfile -NonInteractive -Command "));
        for part in ["RandomNumberGenerator", "-PasswordNeverExpires", "S-1-5-32-544"] {
            assert!(calls[0].contains(part), "{calls:?}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_systems_words() {
        let recorded = Recorded::answering(1, "Access is denied.");
        let error = create(&recorded, "circleci").unwrap_err();
        assert!(error.message().contains("Access is denied."), "{error}");
        let hangs = Recorded::answering(Script::HANGS, "");
        assert!(remove(&hangs, "circleci", true).unwrap_err().message().contains("did not end"));
    }

    #[test]
    fn a_profile_goes_only_where_it_was_made() {
        let recorded = Recorded::default();
        remove(&recorded, "circleci", true).unwrap();
        remove(&recorded, "circleci", false).unwrap();
        let calls = recorded.calls();
        assert!(calls[0].contains("Win32_UserProfile") && !calls[1].contains("Win32_UserProfile"));
        // Whatever becomes of the profile, the account goes, and what is left is told after that.
        let at = |part: &str| calls[0].find(part).unwrap_or_else(|| panic!("{part}: {calls:?}"));
        assert!(at("$own.Loaded") < at("Remove-CimInstance"));
        assert!(
            at("} catch {") < at("Remove-LocalUser") && at("Remove-LocalUser") < at("throw $left")
        );
    }
}
