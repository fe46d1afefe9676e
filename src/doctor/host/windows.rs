//! Settings of Windows that jobs or the desktop session need.

use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Survey, Unseen, Windows},
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
    let keeps = survey.installs.iter().filter_map(|install| install.service.as_ref());
    let keeps = keeps.flat_map(|keep| &keep.directives).any(|line| line.key == "SessionKeeper");
    if !keeps {
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
    if windows.saved_credential == Some(false) {
        problems.push(
            Problem::fail("Windows no longer has the credential of the agent's session")
                .seen("the agent's account has no saved credential TERMSRV/localhost")
                .cure(
                    Remedy::by_hand("Save the credential again as the agent's account.").command(
                        Command::fixed("cmdkey /add:TERMSRV/localhost /user:circleci /pass"),
                    ),
                ),
        );
    }
    Ok(Verdict::of(problems, "Remote Desktop is enabled, and the credential is saved"))
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
}
