//! Microsoft Defender, and accounts that cannot log on.

use super::binary::binary;
use crate::{
    doctor::{
        Check, Command, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{account, task_account},
    },
    host::{Install, Survey, Unseen, same},
    platform::{Os, fs::Kind},
};
use std::path::Path;

pub(super) const DEFENDER: Check = Check {
    name: "permissions/defender-allows",
    holds: "Microsoft Defender has not removed the binary",
    why: "The task finds no program after Defender has moved the binary to quarantine. A binary \
          that is restored without an exclusion is removed again.",
    found: "The doctor reads the threats that Microsoft Defender has detected, and looks for the \
            binary.",
    cure: "Verify the checksum of the binary and exclude its folder in Defender.",
    after: &["service/loaded"],
    judge: Judge::Agent(defender),
};

fn defender(survey: &Survey, install: &Install) -> Judged {
    let windows = survey.host.windows.as_ref();
    let windows =
        windows.ok_or_else(|| Unseen::not_applicable("only Windows has Microsoft Defender"))?;
    let (_, walk) = binary(install)?;
    let path = walk.path.display().to_string();
    let found = windows.quarantined.known()?;
    if !found.iter().any(|removed| same(removed) == same(&path)) {
        return Ok(Verdict::Holds(
            "Microsoft Defender has found no threat in the binary".to_owned(),
        ));
    }
    let folder = path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder);
    let remedy = Remedy::by_hand(
        "Compare the checksum of the binary with that of the release. If it is the same, exclude the \
         folder from Defender and install again.",
    )
        .command(
            Command::fixed("Add-MpPreference -ExclusionPath")
                .path(Path::new(folder), install.named_by),
        )
        .command(Command::install());
    let (seen, problem) = match walk.is(Kind::File) {
        true => (
            "the binary exists",
            Problem::warn(format!("Microsoft Defender calls {path} a threat")),
        ),
        false => (
            "the binary does not exist",
            Problem::fail(format!("Microsoft Defender removed {path}")),
        ),
    };
    Ok(problem
        .seen(format!("threats that Defender has detected include {path}; {seen}"))
        .cure(remedy)
        .into())
}

pub(super) const ACCOUNT_OPEN: Check = Check {
    name: "permissions/account-open",
    holds: "The service account can log on",
    why: "The scheduler cannot start the agent if the account is disabled, locked or expired, or \
          if its password has expired. The failure appears at the next reboot or the next job.",
    found: "The doctor reads the state of the account from Windows.",
    cure: "Enable or unlock the account, and set the account and its password to never expire.",
    after: &["service/user-exists"],
    judge: Judge::Agent(account_open),
};

fn account_open(survey: &Survey, install: &Install) -> Judged {
    if survey.host.os != Os::Windows {
        return Err(Unseen::not_applicable("only Windows locks or expires accounts in this way"));
    }
    let account = account(survey, install)?;
    let name = &account.name;
    let Some(why) = &account.closed else {
        return Ok(Verdict::Holds(format!("{name} can log on")));
    };
    let remedy =
        Remedy::by_hand("Enable the account, and set it and its password to never expire.")
            .command(
                Command::fixed("net user")
                    .windows_user(name, "", install.named_by)
                    .then("/active:yes /expires:never"),
            )
            .command(
                Command::fixed("Set-LocalUser -Name")
                    .windows_user(name, "", install.named_by)
                    .then("-PasswordNeverExpires $true"),
            );
    Ok(Problem::fail(format!("nobody can log on as {name}"))
        .seen(format!("account {name}: {why}"))
        .cure(remedy)
        .into())
}

/// What jobs may do. The documented install, and that of runnerup, makes the account an administrator.
pub(super) fn power(survey: &Survey, install: &Install) -> Judged {
    let name = install.task_user.as_deref().or(install.user.as_deref());
    // Of an image, and of facts without accounts too: they are the same on every host.
    let is_admin = match name {
        Some("SYSTEM") => true,
        Some("LOCAL SERVICE" | "NETWORK SERVICE") => false,
        _ => task_account(survey, install)?
            .administrator
            .ok_or_else(|| Unseen::not_examined("the groups of the account are not known"))?,
    };
    let name = name.unwrap_or_default();
    if !is_admin {
        return Ok(Verdict::Holds(format!("{name} has no rights of root or of an administrator")));
    }
    let rights = match name {
        "SYSTEM" => "jobs run as SYSTEM".to_owned(),
        _ => format!("{name} is an administrator"),
    };
    if install.receipt.is_some() && name != "SYSTEM" {
        return Ok(Verdict::Holds(format!("{rights}, as documented")));
    }
    let problem = Problem::warn(format!("jobs have full control of this host: {rights}"));
    if name == "SYSTEM" {
        let text = "Run the task as an account of its own: `runnerup install` makes one. Or let only people \
                    whom you trust with this host start jobs on it.";
        return Ok(problem.seen("UserId of the task is SYSTEM").cure(Remedy::by_hand(text)).into());
    }
    Ok(problem
        .seen(rights)
        .cure(
            Remedy::by_hand(
                "Remove the account from the administrators, or let only people whom you trust with \
                 this host start jobs on it.",
            )
            // By its number: the name of the group is of the system's language.
            .inspect(Command::fixed("Get-LocalGroupMember -SID S-1-5-32-544")),
        )
        .into())
}
