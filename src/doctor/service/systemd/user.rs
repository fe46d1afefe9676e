//! The account of a unit.

use super::{
    OnUnit,
    in_force::{is_misread, sandbox, word},
    mend::without_sign,
    on_unit,
};
use crate::{
    doctor::{Judged, Problem, Remedy, Verdict, change::on_account},
    host::{AccountFacts, Install, Service, Survey, Unseen},
    service::systemd::{elevation::Elevation, sandbox::is_set, unit_text::last_command},
};

/// Whether the account of a unit exists, and is not root.
pub(super) fn judge(survey: &Survey, install: &Install, service: &Service) -> Judged {
    let named = word(service, "User", |unit| &unit.user);
    if let (Some(name), Some(elevation)) = (named, Elevation::of_unit(&service.directives))
        && install.user.as_deref() == Some("root")
        && name != "root"
    {
        return raised(name, elevation, install, service);
    }
    let is_dynamic = is_set(&sandbox(service), "DynamicUser");
    let made = || Ok(Verdict::Holds("systemd makes the account while the service runs".to_owned()));
    let Some(name) = named else {
        if is_dynamic {
            return made();
        }
        if let Some(verdict) = as_root(install, service)? {
            return Ok(verdict);
        }
        let remedy =
            Remedy::by_hand("Give the service its own account: User=circleci under [Service].")
                .command(on_unit(OnUnit::Edit, install, service));
        return Ok(Problem::warn(
            "the service has no account, so the agent and its jobs run as root",
        )
        .seen("the unit has no User=")
        .cure(remedy)
        .into());
    };
    if is_misread(service, "User") {
        return Err(Unseen::not_examined("User= is not what it is meant to be"));
    }
    let number: Option<u32> = name.parse().ok();
    let has_number = |account: &&AccountFacts| number.is_some() && account.uid() == number;
    let account = survey.account(name).or_else(|| survey.host.accounts.iter().find(has_number));
    if let (None, Some(why)) = (account, &survey.host.accounts_unread) {
        return Err(Unseen::probe_failed(why.clone()));
    }
    match account {
        None if survey.host.image => {
            Err(Unseen::not_examined("an image gets its accounts at its first boot"))
        }
        Some(account) => Ok(Verdict::Holds(account.to_string())),
        None if is_dynamic => made(),
        None => {
            let line = service.directive("Service", "User");
            let place = line.map(|line| format!("{}:{}", line.file.display(), line.line));
            let remedy = Remedy::by_hand("Create the account, or correct User=.");
            // A number is no name for an account.
            let remedy = match number {
                Some(_) => remedy,
                None => remedy.command(on_account(
                    "useradd --system --create-home --shell /bin/bash",
                    name,
                    install.named_by,
                )),
            };
            Ok(Problem::fail(format!(
                "the service must run as {name}, an account that does not exist"
            ))
            .seen(place.unwrap_or_default())
            .cure(remedy)
            .into())
        }
    }
}

/// Of an agent that runs as root: that it starts jobs as another account.
///
/// # Errors
/// When it is not known whom they run as.
fn as_root(install: &Install, service: &Service) -> Result<Option<Verdict>, Unseen> {
    if install.task_user.as_deref().is_some_and(|user| user != "root") {
        return Ok(Some(Verdict::Holds(
            "the service runs as root and starts jobs as another account".to_owned(),
        )));
    }
    match &service.launch.unread {
        Some(why) if install.task_user.is_none() => Err(Unseen::not_examined(why)),
        _ => Ok(None),
    }
}

/// Of a unit that names an account, and whose command has a sign by which root runs it.
fn raised(name: &str, elevation: Elevation, install: &Install, service: &Service) -> Judged {
    if let Some(verdict) = as_root(install, service)? {
        return Ok(verdict);
    }
    let (sign, more) = match elevation {
        Elevation::Full => ("+", ", outside of the sandbox of the unit"),
        Elevation::Credentials => ("!", ""),
    };
    let problem = Problem::fail(format!(
        "the agent and its jobs run as root in spite of User={name}: {sign} stands in front of the \
         command{more}"
    ));
    let Some(line) = last_command(&service.directives) else { return Ok(problem.into()) };
    let seen = format!("{}:{}: ExecStart={}", line.file.display(), line.line, line.value);
    Ok(problem.seen(seen).cure(without_sign(line, install, service)).into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::Survey,
    };

    #[test]
    fn a_dynamic_account_is_made_by_systemd() {
        let mut survey = healthy();
        directive(&mut survey, "Service", "User", "ci-dynamic");
        assert_eq!(status(&survey, "service/user-exists"), Status::Fail);
        directive(&mut survey, "Service", "DynamicUser", "yes");
        assert_eq!(status(&survey, "service/user-exists"), Status::Pass);
    }

    /// A unit whose command has a sign in front, and whose agent so runs as root.
    fn with(sign: &str, file: &str) -> Survey {
        let mut survey = healthy();
        for line in &mut service_of(&mut survey).directives {
            if line.key == "ExecStart" {
                line.value = format!("{sign}{}", line.value).as_str().into();
                line.file = file.into();
            }
        }
        agent(&mut survey).user = Some("root".into());
        agent(&mut survey).task_user = Some("root".into());
        survey
    }

    #[test]
    fn a_sign_that_has_root_run_the_agent_is_told() {
        for (sign, words) in [("+", "outside of the sandbox"), ("!", "! stands in front")] {
            let found = finding(&with(sign, UNIT), "service/user-exists");
            assert_eq!(found.status, Status::Fail);
            assert!(found.summary.contains("in spite of User=circleci"), "{}", found.summary);
            assert!(found.summary.contains(words), "{}", found.summary);
            let remedy = found.remedy.unwrap();
            assert!(remedy.commands()[0].starts_with("sudo sed -i"), "{:?}", remedy.commands());
        }
        // A file of a package is not edited.
        let found = finding(&with("+", "/usr/lib/systemd/system/a.service"), "service/user-exists");
        assert!(found.remedy.unwrap().commands()[0].starts_with("sudo systemctl edit"));
        // The command prefix steps down.
        let mut survey = with("+", UNIT);
        agent(&mut survey).task_user = Some("builder".into());
        assert_eq!(status(&survey, "service/user-exists"), Status::Pass);
    }
}
