//! The logon session of the account, kept open over Remote Desktop to this very host: what its
//! keeper does, and what the account's own store and settings hold for that.
//!
//! The saved credential is the one place besides the scheduler that has to have the password, and
//! only the account itself can save it. `cmdkey` takes a password as an argument, which every
//! user can read. So the script that makes the password starts a second PowerShell as the
//! account, by a call of the system and not by a command line, and writes the password into its
//! standard input: a pipe that those two processes hold and nobody else can open. On no disk, in
//! no argument, in no variable of the environment.

use crate::platform::windows::powershell::literal;

/// The credential, as Remote Desktop looks for it.
const TARGET: &str = "TERMSRV/localhost";

/// Values of the account's own settings. What Remote Desktop asks of a certificate that nobody
/// issued is switched off for this account alone; the policy of that name would be everyone's.
const OWN_VALUES: [(&str, &str, u32); 2] = [
    (r"HKCU:\Software\Microsoft\Terminal Server Client", "AuthenticationLevelOverride", 0),
    // Or it covers the desktop at every logon.
    (r"HKCU:\Software\Microsoft\ServerManager", "DoNotOpenServerManagerAtLogon", 1),
];

/// The credential store of Windows; PowerShell has no words for it. 2 is the kind that `cmdkey
/// /add` saves, kept on this machine.
const VAULT: &str = "Add-Type -Namespace Runnerup -Name Vault -MemberDefinition '\
    [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)] public struct Credential { \
    public uint Flags; public uint Type; public string TargetName; public string Comment; \
    public long LastWritten; public uint BlobSize; public IntPtr Blob; public uint Persist; \
    public uint AttributeCount; public IntPtr Attributes; public string TargetAlias; \
    public string UserName; } \
    [DllImport(\"advapi32.dll\", CharSet = CharSet.Unicode, SetLastError = true)] \
    public static extern bool CredWriteW(ref Credential credential, uint flags); \
    [DllImport(\"advapi32.dll\", CharSet = CharSet.Unicode, SetLastError = true)] \
    public static extern bool CredDeleteW(string target, uint type, uint flags);'; ";

/// What the keeper runs, as arguments of PowerShell: as long as the account has no session, one
/// is opened; a client whose session is over would show that to nobody, and is ended first.
pub fn keeper_arguments(user: &str) -> String {
    let user = literal(user);
    format!(
        "-NoProfile -NonInteractive -Command \"$client = $null; while ($true) {{ \
         if (-not (query.exe session {user} 2>$null)) {{ \
         if ($client -and -not $client.HasExited) {{ $client.Kill() }}; \
         $client = Start-Process mstsc.exe '/v:localhost' -PassThru; Start-Sleep 20 }}; \
         Start-Sleep 1 }}\""
    )
}

/// Saves the credential of `$account`, whose password is `$password` and, in the clear, `$plain`.
pub(super) fn save() -> String {
    let values: String = OWN_VALUES
        .iter()
        .map(|(key, name, number)| {
            let (key, name) = (literal(key), literal(name));
            format!(
                "if (-not (Test-Path {key})) {{ New-Item -Force {key} | Out-Null }}; \
                 New-ItemProperty {key} {name} -Value {number} -PropertyType DWord -Force | \
                 Out-Null; "
            )
        })
        .collect();
    as_account(&format!(
        "{VAULT}$credential = New-Object Runnerup.Vault+Credential; \
         $credential.Type = 2; $credential.Persist = 2; $credential.TargetName = '{TARGET}'; \
         $credential.UserName = [Environment]::MachineName + '\\' + [Environment]::UserName; \
         $credential.BlobSize = 2 * $plain.Length; \
         $credential.Blob = [Runtime.InteropServices.Marshal]::StringToHGlobalUni($plain); \
         $saved = [Runnerup.Vault]::CredWriteW([ref]$credential, 0); \
         $code = [Runtime.InteropServices.Marshal]::GetLastWin32Error(); \
         [Runtime.InteropServices.Marshal]::ZeroFreeGlobalAllocUnicode($credential.Blob); \
         if (-not $saved) {{ throw \"the credential was not saved (error $code)\" }}; {values}"
    ))
}

/// Takes away what [`save`] made; what is not there is fine.
pub(super) fn forget() -> String {
    let values: String = OWN_VALUES
        .iter()
        .map(|(key, name, _)| {
            let (key, name) = (literal(key), literal(name));
            format!("Remove-ItemProperty {key} {name} -ErrorAction SilentlyContinue; ")
        })
        .collect();
    // 1168: there is none.
    as_account(&format!(
        "{VAULT}$gone = [Runnerup.Vault]::CredDeleteW('{TARGET}', 2, 0); \
         $code = [Runtime.InteropServices.Marshal]::GetLastWin32Error(); \
         if (-not $gone -and $code -ne 1168) \
         {{ throw \"the credential was not removed (error $code)\" }}; {values}"
    ))
}

/// Sets `$sessions` to the numbers of the sessions that `$account` is logged on in.
pub(super) const SESSIONS: &str = "$sessions = @(Get-CimInstance Win32_Process | \
    Where-Object { $_.SessionId -ne 0 -and \
    (Invoke-CimMethod -InputObject $_ -MethodName GetOwner -ErrorAction SilentlyContinue).User \
    -eq $account } | Select-Object -ExpandProperty SessionId -Unique); ";

/// Logs `$account` off, unless `$agent` is there: it may run a job.
pub(super) fn log_off() -> String {
    format!("if (-not $agent) {{ {SESSIONS}$sessions | ForEach-Object {{ logoff.exe $_ }} }}; ")
}

/// Ends the clients that the keeper of `$account` left open; their sessions stay.
pub(super) const END_CLIENTS: &str = "Get-CimInstance Win32_Process -Filter \
    \"Name='mstsc.exe' AND SessionId=0\" | Where-Object \
    { (Invoke-CimMethod -InputObject $_ -MethodName GetOwner -ErrorAction SilentlyContinue).User \
    -eq $account } | ForEach-Object { Stop-Process -Id $_.ProcessId -Force -ErrorAction SilentlyContinue }; ";

/// Runs a script of one line as `$account`; it finds the password in `$plain`. The script itself
/// goes through standard input too: so it needs no quoting for a second command line.
fn as_account(work: &str) -> String {
    let work =
        format!("$ErrorActionPreference = 'Stop'; $plain = [Console]::In.ReadLine(); {work}");
    format!(
        "if ([Security.Principal.WindowsIdentity]::GetCurrent().IsSystem) \
         {{ throw 'the SYSTEM account cannot log on as another one: run this as an administrator' }}; \
         $start = New-Object Diagnostics.ProcessStartInfo; \
         $start.FileName = $PSHOME + '\\powershell.exe'; \
         $start.Arguments = '-NoProfile -NonInteractive -Command & \
         ([scriptblock]::Create([Console]::In.ReadLine()))'; \
         $start.UserName = $account; $start.Domain = '.'; \
         $start.Password = $password; $start.LoadUserProfile = $true; \
         $start.UseShellExecute = $false; $start.CreateNoWindow = $true; \
         $start.WorkingDirectory = $env:SystemRoot; \
         $start.RedirectStandardInput = $true; $start.RedirectStandardError = $true; \
         try {{ $child = [Diagnostics.Process]::Start($start) }} catch {{ \
         if ($_.Exception.GetBaseException().NativeErrorCode -ne 5) {{ throw }}; \
         throw \"Windows does not let this session log on as ${{account}} (access denied): over WinRM or ssh \
         it may not; run this in a desktop session of an administrator\" }}; \
         $child.StandardInput.WriteLine({work}); $child.StandardInput.WriteLine($plain); \
         $child.StandardInput.Close(); $said = $child.StandardError.ReadToEnd(); \
         $child.WaitForExit(); if ($child.ExitCode -ne 0) {{ throw \"as ${{account}}: $said\" }}; ",
        work = literal(&work)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_goes_through_a_pipe_and_no_argument() {
        for script in [save(), forget()] {
            let (before, after) = script.split_once("$child.StandardInput.WriteLine(").unwrap();
            let arguments = before.split("$start.Arguments = ").nth(1).unwrap();
            assert!(!arguments.split("; ").next().unwrap().contains("plain"), "{arguments}");
            assert!(after.contains("WriteLine($plain)"), "{after}");
            // One line: the rest is read as the password.
            assert!(!script.contains('\n') && !script.contains("cmdkey"), "{script}");
        }
    }

    #[test]
    fn what_is_saved_is_forgotten() {
        for (_, name, _) in OWN_VALUES {
            assert!(save().contains(name) && forget().contains(name));
        }
        assert!(save().contains("CredWriteW([ref]") && forget().contains("CredDeleteW(''TERMSRV"));
    }

    #[test]
    fn a_keeper_is_one_argument_with_no_quote_in_it() {
        let arguments = keeper_arguments("circleci");
        assert_eq!(arguments.matches('"').count(), 2, "{arguments}");
        assert!(arguments.contains("query.exe session 'circleci'"), "{arguments}");
    }
}
