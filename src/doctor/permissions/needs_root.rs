//! Programs of a command prefix that only root gets anything done with.

use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        lookup::{account, edit, edit_config},
    },
    host::{Install, PathRole, StepTool, Survey, Unseen},
};

pub(super) const NEEDS_ROOT: Check = Check {
    name: "permissions/prefix-allowed",
    holds: "The service account may use the program by which the command prefix changes accounts",
    why: "Every job fails at its start: su asks for a password, runuser refuses, and the system's \
          manager denies systemd-run to an account that is not root.",
    found: "The doctor reads the words of the command prefix, and of a shell script in it the line \
            that passes the arguments on.",
    cure: "Start jobs with sudo and a rule for it, as the service account itself, or run the service \
           as root.",
    after: &["config/types-right", "config/prefix-runs", "service/user-exists"],
    judge: Judge::Agent(needs_root),
};

fn needs_root(survey: &Survey, install: &Install) -> Judged {
    install.settings().get("runner.command_prefix")?;
    let step = install.steps_down().ok_or_else(|| {
        Unseen::not_applicable("the command prefix starts jobs as the service account")
    })?;
    let tool = step.tool.name();
    let account = account(survey, install)?;
    if account.is_root() || !step.tool.needs_root() {
        return Ok(Verdict::Holds(format!("{} may use {tool}", account.name)));
    }
    let has_capabilities = install.service.as_ref().is_some_and(|service| {
        service.value("Service", "AmbientCapabilities").is_some_and(|value| !value.is_empty())
    });
    if has_capabilities {
        return Err(Unseen::not_examined(
            "the unit gives capabilities, with which the program may work",
        ));
    }
    let why = match step.tool {
        StepTool::Su => "asks everybody but root for a password",
        StepTool::SystemdRun | StepTool::Machinectl => {
            "is denied by the system's manager to everybody but root"
        }
        _ => "needs root",
    };
    let of_script = install.wrapper.as_ref().filter(|wrapper| wrapper.steps_down.is_some());
    let named = install.named(PathRole::CommandPrefix);
    let walk = named.and_then(|named| named.walk.ok());
    let script = of_script.and(walk).map(|walk| walk.path.display().to_string());
    let where_it_is = script.map_or_else(
        || "runner.command_prefix".to_owned(),
        |script| format!("{script}, the command prefix,"),
    );
    let same = step.user.is_none() || step.user.as_ref() == Some(&account.name);
    let remedy = Remedy::by_hand(match same {
        true => {
            "Remove it from the command prefix: jobs run as the service account without it. Or run \
             the service as root, if the prefix has to start jobs elsewhere."
        }
        false => {
            "Start jobs with sudo and a rule for that account, remove the command prefix, or run \
             the service as root."
        }
    });
    let remedy = match (of_script, named, walk) {
        (Some(_), Some(named), Some(walk)) if named.named_by.is_root() => {
            remedy.command(edit(survey, walk, named.named_by))
        }
        (Some(_), _, _) => remedy,
        _ => remedy.command(edit_config(survey, install)),
    };
    Ok(Problem::fail(format!("{tool} {why}; the service is {}", account.name))
        .seen(format!(
            "{where_it_is} starts jobs with {tool}; needs root; the service is {}",
            account.name
        ))
        .cure(remedy)
        .into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Setting, StepDown, Wrapper, Written},
    };

    #[test]
    fn what_needs_root_fails_for_another_account() {
        for (prefix, expected) in [
            ("runuser -u builder --", Status::Fail),
            ("su - circleci -c", Status::Fail),
            ("systemd-run --pipe --wait --uid builder --", Status::Fail),
            ("nice -n 5 chroot /srv/jail", Status::Fail),
            ("setpriv --reuid=builder --", Status::Fail),
            ("sudo -n --", Status::Pass),
            ("nice -n 5", Status::NotApplicable),
            ("systemd-run --user --wait --", Status::NotApplicable),
        ] {
            let mut survey = healthy();
            let words = prefix.split(' ').map(Into::into).collect();
            let value = Written::List(words);
            let path = "runner.command_prefix".into();
            config_of(&mut survey).settings.push(Setting { path, line: 7, column: 3, value });
            assert_eq!(status(&survey, "permissions/prefix-allowed"), expected, "{prefix}");
            agent(&mut survey).user = Some("root".into());
            assert_ne!(status(&survey, "permissions/prefix-allowed"), Status::Fail, "{prefix}");
        }
    }

    #[test]
    fn a_wrapper_that_needs_root_is_no_better() {
        let mut survey = healthy();
        let steps_down = StepDown::of(&["systemd-run", "--wait", "--"]);
        agent(&mut survey).wrapper =
            Some(Wrapper { passes_arguments: true, ends_in_exec: true, steps_down });
        let found = finding(&survey, "permissions/prefix-allowed");
        assert!(found.status == Status::Fail, "{found:?}");
        assert!(found.evidence.ends_with("needs root; the service is circleci"), "{found:?}");
        directive(&mut survey, "Service", "AmbientCapabilities", "CAP_SETUID CAP_SETGID");
        assert_eq!(status(&survey, "permissions/prefix-allowed"), Status::Skip);
    }
}
