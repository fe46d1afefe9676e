//! The version of systemd.

use crate::{
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict},
    host::{Install, Survey, Unseen},
};

/// The first version that a unit of an agent is documented for.
const SYSTEMD: u32 = 235;

pub(in crate::doctor::service) const NEW_ENOUGH: Check = Check {
    name: "service/systemd-new-enough",
    holds: "systemd is new enough for the agent's unit",
    why: "systemd before version 235 ignores directives that the agent needs, and reports this \
          only in its log.",
    found: "The doctor runs `systemctl --version`.",
    cure: "Upgrade the operating system, or run the agent under another supervisor with `--service \
           none`.",
    after: &[],
    judge: Judge::Agent(new_enough),
};

fn new_enough(survey: &Survey, _: &Install) -> Judged {
    match survey.host.systemd {
        None => Err(Unseen::not_applicable("systemd does not run on this host")),
        Some(version) if version >= SYSTEMD => Ok(Verdict::Holds(format!("systemd {version}"))),
        Some(version) => Ok(Problem::fail(format!("systemd {version} is older than {SYSTEMD}"))
            .seen(format!("systemctl --version: systemd {version}"))
            .cure(Remedy::by_hand("Upgrade the operating system."))
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::{Status, fixtures::*};

    #[test]
    fn an_old_systemd_fails() {
        let mut survey = healthy();
        survey.host.systemd = Some(219);
        let found = finding(&survey, "service/systemd-new-enough");
        assert_eq!(found.status, Status::Fail);
        assert_eq!(found.evidence, "systemctl --version: systemd 219");
    }
}
