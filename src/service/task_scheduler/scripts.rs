//! The scripts that register, start, watch and stop a scheduled task of ours.

use super::session;
use crate::{
    agent::Layout,
    platform::windows::{account_tools::RANDOM_PASSWORD, powershell::literal},
    text::shown,
};
use std::{path::PathBuf, time::Duration};

/// Ends the name of the task that keeps a session open.
pub(super) const KEEPER: &str = " session keeper";

/// `TASK_CREATE_OR_UPDATE` and `TASK_LOGON_PASSWORD`. The scheduler's own interface takes the
/// password: an argument of `Register-ScheduledTask` is logged where commands are.
const UPDATE: u32 = 6;
const BY_PASSWORD: u32 = 1;

/// Seconds that a session of the account may take to come up.
const LOGON: u32 = 120;

/// Sets `$user` to `$account` with its host in front where it is an account of this host, and has the
/// definition call it so: a bare name that is the host's name too stands for the host, and of a domain's
/// member it may be the domain's.
const QUALIFIED: &str = "$user = $account; \
    if (Get-LocalUser | Where-Object { $_.Name -eq $account }) { \
    $user = [Environment]::MachineName + '\\' + $account; \
    foreach ($node in $task.GetElementsByTagName('UserId')) { $node.InnerText = $user }; \
    $xml = $task.OuterXml }; ";

/// An expression: what `$agent` has started. The host of its console is no job, nor is the child of
/// another process that had its number before.
const JOBS: &str = "Get-CimInstance Win32_Process -Filter \"ParentProcessId=$($agent.ProcessId) \
    AND Name<>'conhost.exe' AND Name<>'WerFault.exe'\" | \
    Where-Object { $_.CreationDate -ge $agent.CreationDate }";

/// Where a task is defined.
pub(super) fn definition_path(task: &str) -> PathBuf {
    let definition = layout(task).definition;
    if is_keeper(task) { definition.with_file_name("session-keeper-task.xml") } else { definition }
}

/// The places of the task's instance.
pub(super) fn layout(task: &str) -> Layout {
    let task = task.strip_suffix(KEEPER).unwrap_or(task);
    Layout::of_task(task)
}

/// Registers a task by its definition. An account that logs on by password is given a new one
/// at the same time: nobody but the scheduler ever has it, and, where a session is kept open, the
/// account's own store.
pub(super) fn register(task: &str) -> String {
    let save = if is_keeper(task) { session::save() } else { String::new() };
    format!(
        "$xml = [IO.File]::ReadAllText({file}, [Text.Encoding]::Unicode); \
         $task = [xml]$xml; $account = $task.Task.Principals.Principal.UserId; {QUALIFIED}\
         if ($task.Task.Principals.Principal.LogonType -eq 'Password') {{ {RANDOM_PASSWORD}\
         Set-LocalUser -Name $account -Password $password; {save}\
         $scheduler = New-Object -ComObject Schedule.Service; $scheduler.Connect(); \
         $scheduler.GetFolder('\\').RegisterTask({name}, $xml, {UPDATE}, $user, $plain, \
         {BY_PASSWORD}) | Out-Null }} else \
         {{ Register-ScheduledTask -TaskName {name} -Xml $xml -Force | Out-Null }}; ",
        file = literal(&shown(definition_path(task))),
        name = literal(task),
    )
}

/// Takes a task away; with a keeper's, what the account saved for it, and the account's session.
pub(super) fn unregister(task: &str) -> String {
    let name = literal(task);
    let unregister = format!("Unregister-ScheduledTask -TaskName {name} -Confirm:$false");
    if !is_keeper(task) {
        return unregister;
    }
    // The task goes last: a run that is cut off finds it, and does all of it again.
    format!(
        "Stop-ScheduledTask -TaskName {name} -ErrorAction SilentlyContinue; {}\
         if (Get-LocalUser | Where-Object {{ $_.Name -eq $account }}) {{ {RANDOM_PASSWORD}\
         Set-LocalUser -Name $account -Password $password; {}{}{}{}}}; {unregister}",
        find_account(task),
        session::END_CLIENTS,
        session::forget(),
        find_agent(task),
        session::log_off(),
    )
}

/// Starts a task, registered anew where its definition has changed: a new password each time
/// would cost the account what its own store holds.
pub(super) fn start(task: &str) -> String {
    let name = literal(task);
    format!(
        "$task = {find}; {stale}if (-not $task -or $stale) {{ {register}}} else \
         {{ Enable-ScheduledTask -TaskName {name} | Out-Null }}; \
         {account}if (\"$((Get-ScheduledTask -TaskName {name}).Principal.LogonType)\" -eq 'Interactive') {{ \
         $end = (Get-Date).AddSeconds({LOGON}); \
         while (\"$((Get-ScheduledTask -TaskName {name}).State)\" -ne 'Running') {{ \
         if ((Get-Date) -gt $end) \
         {{ throw \"no session of $account came up within {LOGON} s; \
         is Remote Desktop to localhost allowed?\" }}; \
         {sessions}if ($sessions) {{ Start-ScheduledTask -TaskName {name} }}; \
         Start-Sleep -Seconds 3 }} }} else {{ Start-ScheduledTask -TaskName {name} }}",
        find = find_task(task),
        stale = stale(task),
        register = register(task),
        account = find_account(task),
        sessions = session::SESSIONS,
    )
}

/// Ends a task once its agent has no child, or the time is over. A session that it ran in is
/// logged off, for the next agent to get a fresh one; a keeper leaves the session as it is.
pub(super) fn stop(task: &str, drain: Duration) -> String {
    let name = literal(task);
    let disable = format!("Disable-ScheduledTask -TaskName {name} | Out-Null; ");
    let stop = format!("Stop-ScheduledTask -TaskName {name}; ");
    let account = find_account(task);
    if is_keeper(task) {
        return format!("{account}{disable}{stop}{}", session::END_CLIENTS);
    }
    format!(
        "{find}$end = (Get-Date).AddSeconds({seconds}); {disable}\
         while ($agent -and ({JOBS}) -and (Get-Date) -lt $end) \
         {{ Start-Sleep -Seconds 1 }}; {stop}\
         {find}if ($agent) {{ Stop-Process -Id $agent.ProcessId -Force -ErrorAction \
         SilentlyContinue; $agent = $null }}; {account}\
         if (\"$((Get-ScheduledTask -TaskName {name}).Principal.LogonType)\" -eq 'Interactive') \
         {{ {log_off}}}",
        // The scheduler ends what it started itself: the script around an agent, not the agent.
        find = find_agent(task),
        seconds = drain.as_secs(),
        log_off = session::log_off(),
    )
}

/// Prints how a task stands, as JSON; nothing when there is none.
pub(super) fn status(task: &str) -> String {
    let agent = if is_keeper(task) { "$agent = $null; ".to_owned() } else { find_agent(task) };
    format!(
        "$task = {}; if ($task) {{ $info = $task | Get-ScheduledTaskInfo; {agent}{}\
         @{{ state = \"$($task.State)\"; result = $info.LastTaskResult; \
         pid = $agent.ProcessId; stale = [bool]$stale }} | ConvertTo-Json -Compress }}",
        find_task(task),
        stale(task),
    )
}

fn is_keeper(task: &str) -> bool {
    task.ends_with(KEEPER)
}

/// An expression; `-TaskName` takes a pattern, and fails where there is none.
fn find_task(task: &str) -> String {
    format!("Get-ScheduledTask | Where-Object {{ $_.TaskName -eq {} }}", literal(task))
}

/// Sets `$stale` to whether the definition is newer than what was registered: the scheduler's own
/// file is written when a task is registered.
fn stale(task: &str) -> String {
    format!(
        "$own = Join-Path $env:SystemRoot ('System32\\Tasks\\' + {name}); \
         $stale = (Test-Path -LiteralPath {file}) -and (Test-Path -LiteralPath $own) -and \
         (Get-Item -LiteralPath {file}).LastWriteTime -gt (Get-Item -LiteralPath $own).LastWriteTime; ",
        name = literal(task),
        file = literal(&shown(definition_path(task))),
    )
}

/// Sets `$account` to the name of the account that the registered task runs as.
fn find_account(task: &str) -> String {
    format!("$account = ({}).Principal.UserId.Split('\\')[-1]; ", find_task(task))
}

/// Sets `$agent` to the process of the task's own binary.
fn find_agent(task: &str) -> String {
    format!(
        "$agent = Get-CimInstance Win32_Process | Where-Object {{ $_.ExecutablePath -eq {} }} | \
         Select-Object -First 1; ",
        literal(&shown(layout(task).binary))
    )
}
