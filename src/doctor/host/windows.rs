//! Settings of Windows that jobs or the desktop session need.

use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Survey, Unseen, Windows},
    service::task_scheduler::OnTask,
};

fn windows(survey: &Survey) -> Result<&Windows, Unseen> {
    survey
        .host
        .windows
        .as_ref()
        .ok_or_else(|| Unseen::not_applicable("this host does not run Windows"))
}

pub(super) const NOT_CONTROLLER: Check = Check {
    name: "host/not-domain-controller",
    holds: "The host is not a domain controller",
    why: "A domain controller has no local accounts, so the agent's account cannot be created. \
          Jobs would get rights over the domain.",
    found: "The doctor reads the host's role in its domain.",
    cure: "Run the agent on a member server.",
    after: &[],
    judge: Judge::Host(not_controller),
};

fn not_controller(survey: &Survey) -> Judged {
    let windows = windows(survey)?;
    if *windows.known(windows.domain_controller.as_ref())? {
        return Ok(Problem::fail("this host is a domain controller")
            .seen("Win32_ComputerSystem: DomainRole is that of a domain controller")
            .cure(Remedy::by_hand("Run the agent on a member server."))
            .into());
    }
    Ok(Verdict::Holds("this host is not a domain controller".to_owned()))
}

pub(super) const LONG_PATHS: Check = Check {
    name: "host/long-paths",
    holds: "Windows allows paths of more than 260 characters",
    why: "Checkout and cleanup fail on longer paths, such as those in node_modules.",
    found: "The doctor reads LongPathsEnabled in the registry.",
    cure: "Set LongPathsEnabled to 1.",
    after: &[],
    judge: Judge::Host(long_paths),
};

fn long_paths(survey: &Survey) -> Judged {
    let windows = windows(survey)?;
    if *windows.known(windows.long_paths.as_ref())? {
        return Ok(Verdict::Holds("LongPathsEnabled is 1".to_owned()));
    }
    Ok(Problem::warn("Windows refuses paths of more than 260 characters")
        .seen(r"LongPathsEnabled is 0 in HKLM\SYSTEM\CurrentControlSet\Control\FileSystem")
        .cure(
            Remedy::by_hand("Enable long paths.")
                .command(Command::fixed(
                r"reg add HKLM\SYSTEM\CurrentControlSet\Control\FileSystem /v LongPathsEnabled /t REG_DWORD /d 1 /f",
            )),
        )
        .into())
}

pub(super) const DESKTOP: Check = Check {
    name: "host/desktop-session",
    holds: "Windows can keep the desktop session of the agent open",
    why: "Without Remote Desktop or the saved credential, the agent's session is lost after a \
          logoff or a reboot. An agent with a desktop runs in a Remote Desktop session to the host \
          itself.",
    found: "The doctor reads the Remote Desktop policy and looks for the saved credential \
            TERMSRV/localhost.",
    cure: "Enable Remote Desktop and save the credential again.",
    after: &[],
    judge: Judge::Host(desktop),
};

fn desktop(survey: &Survey) -> Judged {
    let windows = windows(survey)?;
    if !survey.installs.iter().any(|install| keeper(install).is_some()) {
        return Err(Unseen::not_applicable("no agent on this host runs with a desktop"));
    }
    let mut problems = Vec::new();
    if *windows.known(windows.remote_desktop_off.as_ref())? {
        problems.push(
            Problem::fail("Remote Desktop is disabled, and the agent's session needs it")
                .seen(r"fDenyTSConnections is 1 in HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server")
                .cure(Remedy::by_hand("Enable Remote Desktop.").command(Command::fixed(
                    r#"reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 0 /f"#,
                ))),
        );
    }
    if windows.credential_guard == Some(true) {
        problems.push(
            Problem::fail("Credential Guard keeps the agent's session from being opened")
                .seen("Win32_DeviceGuard: SecurityServicesRunning has 1; Remote Desktop uses no saved credential")
                .cure(Remedy::by_hand(
                    "Have the administrator of its policy switch Credential Guard off for this host, or run the \
                     agent without a desktop.",
                )),
        );
    }
    if windows.saved_credential == Some(false) {
        let kept = survey.installs.iter().find(|install| keeper(install).is_some());
        problems.push(
            Problem::fail("Windows no longer has the credential of the agent's session")
                .seen("the agent's account has no saved credential TERMSRV/localhost")
                .cure(kept.map_or_else(|| Remedy::by_hand(SAVE), saved)),
        );
    }
    Ok(Verdict::of(problems, "Remote Desktop is enabled, and the credential is saved"))
}

const SAVE: &str = "Save the credential again, as the agent's account.";

/// The task that keeps the session of an agent open.
fn keeper(install: &Install) -> Option<&str> {
    install.service.as_ref()?.value("", "SessionKeeper")
}

/// The credential saved again. Of an account of ours nobody knows the password: its task gives it a new
/// one and saves it.
fn saved(install: &Install) -> Remedy {
    let remedy = Remedy::by_hand(SAVE);
    if install.receipt.is_some() {
        let text = "Register the task that keeps the session again: it saves the credential.";
        let task = keeper(install).unwrap_or_default();
        let delete = OnTask::Delete.of(task, install.named_by).then("/F");
        return Remedy::by_hand(text).in_turn([delete, Command::install()]);
    }
    let add = Command::fixed("cmdkey /add:TERMSRV/localhost");
    let user = install.user.as_deref().unwrap_or_default();
    remedy.command(add.windows_user_within("/user:", user, "", install.named_by).then("/pass"))
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Survey, Windows},
        platform::Os,
    };

    fn with(windows: Windows) -> Survey {
        let mut survey = healthy();
        survey.host.os = Os::Windows;
        survey.host.windows = Some(windows);
        survey
    }

    #[test]
    fn what_windows_lacks_is_told() {
        let survey = with(Windows {
            domain_controller: Some(true),
            long_paths: Some(false),
            ..Windows::default()
        });
        assert_eq!(status(&survey, "host/not-domain-controller"), Status::Fail);
        assert_eq!(status(&survey, "host/long-paths"), Status::Warn);
        let mut survey = with(Windows { remote_desktop_off: Some(true), ..Windows::default() });
        directive(&mut survey, "", "SessionKeeper", "CircleCI Launch Agent session keeper");
        assert_eq!(status(&survey, "host/desktop-session"), Status::Fail);
    }

    #[test]
    fn a_credential_that_windows_does_not_use_or_has_lost_is_told() {
        let desktop = |windows: Windows| {
            let mut survey = with(Windows { remote_desktop_off: Some(false), ..windows });
            directive(&mut survey, "", "SessionKeeper", "CircleCI Launch Agent session keeper");
            survey
        };
        let guarded = desktop(Windows { credential_guard: Some(true), ..Windows::default() });
        let found = finding(&guarded, "host/desktop-session");
        assert!(found.summary.contains("Credential Guard"), "{found:?}");
        let open = desktop(Windows { credential_guard: Some(false), ..Windows::default() });
        assert_eq!(status(&open, "host/desktop-session"), Status::Pass);
        let mut lost = desktop(Windows { saved_credential: Some(false), ..Windows::default() });
        let cure = |survey: &Survey| {
            let remedy = finding(survey, "host/desktop-session").remedy.unwrap();
            remedy.commands().join("\n")
        };
        let ours = cure(&lost);
        assert!(!ours.contains("cmdkey") && ours.ends_with("runnerup install"), "{ours}");
        agent(&mut lost).receipt = None;
        agent(&mut lost).user = Some("ci-jobs".into());
        assert!(cure(&lost).contains("/user:ci-jobs /pass"), "{}", cure(&lost));
    }
}
