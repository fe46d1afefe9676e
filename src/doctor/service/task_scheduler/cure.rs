//! Cures that change a task.

use crate::{
    doctor::{Command, Remedy},
    host::{Install, Service},
    service::task_scheduler::{OnTask, named},
};

/// Changes a task through PowerShell, which keeps all else of it.
pub(super) fn changed(
    install: &Install,
    service: &Service,
    text: &'static str,
    change: &'static str,
) -> Remedy {
    changed_by(install, service, text, |command| command.then(change))
}

/// The same for a change that names something of the host.
pub(super) fn changed_by(
    install: &Install,
    service: &Service,
    text: &'static str,
    change: impl FnOnce(Command) -> Command,
) -> Remedy {
    if install.receipt.is_some() {
        return registered_anew(Remedy::by_hand(text), install, service);
    }
    let command = Command::fixed("$task = Get-ScheduledTask");
    let command = change(named(command, &service.name, install.named_by).then(";"));
    let set = match service.value("Principals/Principal", "LogonType") {
        // The scheduler wants the password again with each change of such a task.
        Some("Password" | "InteractiveTokenOrPassword") => {
            "; $who = Get-Credential $task.Principal.UserId; Set-ScheduledTask -InputObject $task \
             -User $who.UserName -Password ($who.GetNetworkCredential().Password)"
        }
        _ => "; Set-ScheduledTask -InputObject $task",
    };
    Remedy::by_hand(text).command(command.then(set))
}

/// With the commands that register a task of ours anew: nobody knows the password that a change of it
/// would ask for, and an install gives the account a new one only where the task is not registered. What
/// runs goes on meanwhile.
pub(super) fn registered_anew(remedy: Remedy, install: &Install, service: &Service) -> Remedy {
    registered_anew_as(remedy, install, &service.name)
}

/// The same for another task of the install.
pub(super) fn registered_anew_as(remedy: Remedy, install: &Install, name: &str) -> Remedy {
    let delete = OnTask::Delete.of(name, install.named_by).then("/F");
    remedy.in_turn([delete, Command::install()])
}
