//! Sleep of a Mac.

use crate::{
    doctor::{Check, Command, Judge, Judged, Problem, Remedy, Verdict},
    host::{Survey, Unseen},
};

pub(super) const AWAKE: Check = Check {
    name: "host/stays-awake",
    holds: "The Mac does not sleep",
    why: "While a Mac sleeps, the agent claims no job, and a running job is lost because its \
          heartbeats stop. A Mac without user input goes to sleep.",
    found: "The doctor asks pmset after how many minutes the system sleeps.",
    cure: "Disable system sleep.",
    after: &[],
    judge: Judge::Host(awake),
};

fn awake(survey: &Survey) -> Judged {
    let mac = survey.host.mac.as_ref();
    let mac = mac.ok_or_else(|| Unseen::not_applicable("this host is not a Mac"))?;
    match mac.sleeps_after {
        None => Err(Unseen::not_examined("pmset did not report the sleep setting")),
        Some(0) => Ok(Verdict::Holds("this Mac never sleeps".to_owned())),
        Some(minutes) => Ok(Problem::warn(format!("this Mac sleeps after {minutes} minutes"))
            .seen(format!("pmset -g: sleep {minutes}"))
            .cure(
                Remedy::by_hand("Disable system sleep.").command(Command::root("pmset -a sleep 0")),
            )
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::Mac,
    };

    #[test]
    fn a_mac_that_sleeps_warns() {
        for (minutes, expected) in
            [(None, Status::Skip), (Some(0), Status::Pass), (Some(10), Status::Warn)]
        {
            let mut survey = healthy();
            survey.host.mac = Some(Mac { sleeps_after: minutes, ..Mac::default() });
            assert_eq!(status(&survey, "host/stays-awake"), expected, "{minutes:?}");
        }
    }
}
