//! Notes that a person should read before confirming an install.

use super::{desired::is_declared, desktop};
use crate::{
    host::Facts,
    platform::Os,
    record::{Step, Target},
    settings::Spec,
    text::shown,
    values::{Manager, static_prefix},
};

/// The notes for these steps on this host.
pub(super) fn of(spec: &Spec, facts: &Facts, steps: &[Step]) -> Vec<String> {
    let mut notes = Vec::new();
    let user = spec.user.as_str();
    if let Some(unfinished) = facts.unfinished.as_ref() {
        let at = unfinished.under_way.as_deref().unwrap_or("between two steps");
        notes.push(format!(
            "a run of `{}` that began {} was cut off after {} steps ({at}); this run continues from there",
            unfinished.command, unfinished.at, unfinished.done
        ));
    }
    if let Some(warning) = spec.token.as_ref().and_then(crate::agent::Token::shape_warning) {
        notes.push(warning);
    }
    notes.extend(spec.service.profile().foreign_parts(spec, facts));
    if !facts.is_host && spec.name.needs_hostname() {
        notes.push(format!(
            "every host that is made of this image gets the runner's name of {}; runners of one name \
             overwrite each other",
            facts.hostname
        ));
    }
    let profile = spec.agent.profile();
    if let (None, Some(end)) = (&spec.url, profile.end_on_cloud) {
        notes.push(format!(
            "{} is no longer supported on CircleCI cloud (since {}); \
             give --url for a CircleCI server, or use machine runner 3",
            profile.title, end.day
        ));
    }
    if spec.passwordless_sudo {
        notes.push(format!(
            "--passwordless-sudo: everyone who can run a job on this host can become root (as {user})"
        ));
    }
    if user == "root" {
        notes.push(
            "jobs run as root: everyone who can run a job here has full control of the host"
                .to_owned(),
        );
    }
    if spec.platform.os() == Os::Windows {
        notes.extend(windows_notes(spec, facts));
    } else if spec.platform.os() == Os::Darwin {
        notes.extend(macos_notes(spec, facts));
    } else if is_declared(facts) {
        notes.push(format!(
            "accounts cannot be created in this root: at its first boot the image creates {user} by \
             sysusers.d, and sets owners by tmpfiles.d"
        ));
    }
    let moved =
        facts.receipt.iter().flat_map(|receipt| &receipt.records).filter(|record| {
            record.data && !steps.iter().any(|step| step.target() == record.target)
        });
    for record in moved {
        if let Target::Folder(path) = &record.target
            && !static_prefix(spec.workdir.as_str()).starts_with(path)
        {
            notes.push(format!("{} is no longer used, but is not removed", record.target));
        }
    }
    if spec.service == Manager::None {
        notes.push(match facts.is_host {
            true => format!("no service is registered; to run the agent: {}", by_hand(spec)),
            // The paths are those of the host that the image becomes.
            false => format!(
                "no service is registered in the image; give --service {} if it has that",
                Manager::usual(spec.platform.os())
            ),
        });
    }
    notes
}

fn by_hand(spec: &Spec) -> String {
    let prefix = match spec.platform.os() {
        Os::Linux => format!("sudo -u {} ", spec.user),
        Os::Darwin => "sudo ".to_owned(),
        Os::Windows => String::new(),
    };
    let (binary, config) = (shown(&spec.layout.binary), shown(&spec.layout.config));
    let arguments: Vec<&str> = spec.agent.profile().arguments(&config).collect();
    format!("{prefix}{binary} {}", arguments.join(" "))
}

fn windows_notes(spec: &Spec, facts: &Facts) -> Vec<String> {
    let user = spec.user.as_str();
    if is_declared(facts) {
        return vec![format!(
            "accounts cannot be created in this root: create {user} before the first boot"
        )];
    }
    let mut notes = Vec::new();
    if facts.account(user).is_none() {
        notes.push(format!(
            "{user} becomes a local administrator, as documented: everyone who can run a job here has \
             full control of the host; with --no-create-user you can give an account with fewer \
             rights"
        ));
    }
    notes.extend(desktop::notes(spec, facts));
    if facts.is_host && !facts.job_tools_missing.is_empty() {
        notes.push(format!(
            "jobs need {}, which the machine's Path does not have; install them, for example by \
             Chocolatey (choco install -y git --params \"/GitAndUnixToolsOnPath\"), and restart the \
             agent",
            facts.job_tools_missing.join(" and ")
        ));
    }
    notes
}

fn macos_notes(spec: &Spec, facts: &Facts) -> Vec<String> {
    let mut notes = Vec::new();
    let user = spec.user.as_str();
    if facts.account(user).is_none_or(|account| account.uid().is_none_or(|uid| uid < 500))
        && user != "root"
    {
        notes.push(format!(
            "{user} has no desktop: jobs that need one, such as simulators, need a user who is \
             logged in; give that user with --user"
        ));
    }
    if is_declared(facts) {
        notes.push(format!(
            "accounts cannot be created in this root: create {user} before the first boot"
        ));
    }
    if spec.ca_file.is_some() {
        notes.push(format!(
            "the agent trusts the authorities of the System keychain; SSL_CERT_FILE applies only to \
             programs of jobs. To add the authority: sudo security add-trusted-cert -d -r trustRoot -k \
             /Library/Keychains/System.keychain {}",
            shown(&spec.layout.ca)
        ));
    }
    notes
}
