//! Upgrades that restart the agent, or the host, by themselves.

use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict, service::unit},
    host::{Install, Provenance, Survey},
};

pub(in crate::doctor) const SPARE: Check = Check {
    name: "host/upgrades-spare-agent",
    holds: "Package upgrades neither restart the agent nor the host by themselves",
    why: "needrestart in automatic mode restarts the agent after an upgrade of a library, and \
          unattended-upgrades may reboot the host: a job that runs then is lost, or the upgrade waits \
          until it ends.",
    found: "The doctor reads the settings of needrestart and of unattended-upgrades where these \
            programs are installed.",
    cure: "Name the agent's unit in $nrconf{override_rc}, and set Automatic-Reboot to false.",
    after: &[],
    judge: Judge::Agent(spare),
};

fn spare(survey: &Survey, install: &Install) -> Judged {
    let service = unit(install)?;
    let upgrades = survey.host.upgrades.known()?;
    let mut problems = Vec::new();
    if let Some(place) = upgrades.restarts.as_ref().filter(|_| !upgrades.spare(&service.name)) {
        let remedy = Remedy::by_hand(
            "Have needrestart leave the unit alone, in a file of /etc/needrestart/conf.d.",
        );
        let remedy = remedy.command(spared(&service.name, install));
        problems.push(
            Problem::warn(format!("needrestart restarts {} after upgrades", service.name))
                .seen(format!("{}:{}: $nrconf{{restart}} = 'a'", place.file.display(), place.line))
                .cure(remedy),
        );
    }
    if let Some(place) = &upgrades.reboots {
        problems.push(
            Problem::warn("unattended-upgrades reboots the host by itself")
                .seen(format!("{}:{}", place.file.display(), place.line))
                .cure(
                    Remedy::by_hand(
                        "Set Unattended-Upgrade::Automatic-Reboot to \"false\", and reboot the host \
                         when no job runs.",
                    )
                    .command(Command::fixed("sudoedit").path(&place.file, Provenance::Root)),
                ),
        );
    }
    Ok(Verdict::of(problems, "no upgrade restarts it"))
}

/// Writes the override.
fn spared(unit: &str, install: &Install) -> Command {
    let stem = unit.strip_suffix(".service").unwrap_or(unit);
    let is_plain = stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_plain {
        return Command::left_out();
    }
    let line = format!("$nrconf{{override_rc}}{{qr(^{stem}\\.service$)}} = 0;");
    Command::fixed("echo")
        .trusted_value(&line, install.named_by)
        .then("| sudo tee /etc/needrestart/conf.d/90-circleci.conf")
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Place, Seen, Upgrades},
    };

    #[test]
    fn what_upgrades_do_by_themselves_warns() {
        let with = |upgrades: Upgrades| {
            let mut survey = healthy();
            survey.host.upgrades = Seen::Known(upgrades);
            finding(&survey, "host/upgrades-spare-agent")
        };
        let place = || Some(Place { file: "/etc/needrestart/needrestart.conf".into(), line: 3 });
        let found = with(Upgrades { restarts: place(), ..Upgrades::default() });
        assert_eq!(found.status, Status::Warn);
        assert_eq!(
            found.remedy.unwrap().commands(),
            ["echo '$nrconf{override_rc}{qr(^circleci\\.service$)} = 0;' \
                 | sudo tee /etc/needrestart/conf.d/90-circleci.conf"]
        );
        let spared = vec!["^circleci".to_owned()];
        let found = with(Upgrades { restarts: place(), spared, ..Upgrades::default() });
        assert_eq!(found.status, Status::Pass);
        let found = with(Upgrades { reboots: place(), ..Upgrades::default() });
        assert_eq!(found.status, Status::Warn);
        assert_eq!(with(Upgrades::default()).status, Status::Pass);
    }
}
