//! The account of a unit.

use super::{
    OnUnit,
    in_force::{is_misread, word},
    on_unit,
};
use crate::{
    doctor::{Judged, Problem, Remedy, Verdict, change::on_account},
    host::{AccountFacts, Install, Service, Survey, Unseen},
};

/// Whether the account of a unit exists, and is not root.
pub(super) fn judge(survey: &Survey, install: &Install, service: &Service) -> Judged {
    let Some(name) = word(service, "User", |unit| &unit.user) else {
        let steps_down = install.task_user.as_deref().is_some_and(|user| user != "root");
        if steps_down {
            return Ok(Verdict::Holds(
                "the service runs as root and starts jobs as another account".to_owned(),
            ));
        }
        if install.task_user.is_none()
            && let Some(why) = &service.launch.unread
        {
            return Err(Unseen::not_examined(why));
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
