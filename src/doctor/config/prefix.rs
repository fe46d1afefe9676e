//! The command prefix, through which the agent starts each job.

use super::prefix_shell::lost;
use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        change::{Change, Mode, Purpose, Site},
        lookup::{account, described, edit, octal},
        sources,
    },
    host::{Access, Install, PathRole, Resolved, Source, Survey, Unseen, prefix_lacks_end},
    platform::fs::Kind,
};

pub(super) const ENDS_OPTIONS: Check = Check {
    name: "config/prefix-ends-options",
    holds: "A command prefix with sudo ends with --",
    why: "Without -- sudo reads the options of the task agent as its own options and prints its \
          usage. The job never starts.",
    found: "The doctor reads the last words of runner.command_prefix.",
    cure: "Add \"--\" as the last word of the prefix.",
    after: &["config/types-right"],
    judge: Judge::Agent(ends_options),
};

fn ends_options(survey: &Survey, install: &Install) -> Judged {
    let settings = install.settings();
    let given = settings.get("runner.command_prefix")?;
    let source = given.as_ref().map(|given| given.source.clone()).unwrap_or(Source::Default);
    let prefix = given.and_then(Resolved::into_list).unwrap_or_default();
    if prefix.is_empty() {
        return Err(Unseen::not_applicable("there is no command prefix"));
    }
    if !prefix_lacks_end(&prefix) {
        return Ok(Verdict::Holds(format!("runner.command_prefix: {}", prefix.join(" "))));
    }
    let text = "Add \"--\" as the last word of runner.command_prefix.";
    let remedy = sources::change(survey, install, &source, text);
    Ok(Problem::fail("the command prefix does not end with --")
        .seen(format!("{source}: runner.command_prefix is {}", prefix.join(" ")))
        .cure(remedy)
        .into())
}

pub(super) const RUNS: Check = Check {
    name: "config/prefix-runs",
    holds: "The program of the command prefix exists, and the account can run it",
    why: "Every job fails if the program of the command prefix is missing or not executable. The \
          agent starts every job through it.",
    found: "The doctor looks for the first word of runner.command_prefix as the agent does.",
    cure: "Install the program, correct its path, or make it executable.",
    after: &["config/types-right"],
    judge: Judge::Agent(runs),
};

fn runs(survey: &Survey, install: &Install) -> Judged {
    let Some(named) = install.named(PathRole::CommandPrefix) else {
        return Err(Unseen::not_applicable("there is no command prefix"));
    };
    let walk = named.walk.known()?;
    let site = Site { walk, named_by: named.named_by, purpose: Purpose::Data };
    let path = walk.path.display();
    let account = account(survey, install)?;
    let denied = walk.denies(account, Access::Execute);
    if !walk.is(Kind::File) && denied.is_none() {
        let remedy =
            Remedy::by_hand("Install the program, or correct the path in runner.command_prefix.");
        return Ok(Problem::fail(format!(
            "the program of the command prefix, {path}, does not exist"
        ))
        .seen(walk.stopped.as_ref().map_or_else(|| described(walk, survey), ToString::to_string))
        .cure(remedy)
        .into());
    }
    match denied {
        None => Ok(Verdict::Holds(format!("{} can execute {path}", account.name))),
        Some(denied) => {
            let remedy = Remedy::by_hand("Allow the account to run the program.");
            let change = Change::new(survey, install);
            // `doctor --fix` changes no program for jobs: a person installed it.
            let remedy = match denied.path == walk.path {
                true => change.permissions(remedy, site, None, Mode::Open),
                false => change.pass(remedy, site, &denied.path, account),
            };
            let remedy = remedy.without_steps();
            Ok(Problem::fail(format!(
                "{} cannot execute the program of the command prefix, {path}",
                account.name
            ))
            .seen(format!("{} has mode {}", denied.path.display(), octal(&denied.meta)))
            .cure(remedy)
            .into())
        }
    }
}

pub(super) const FORWARDS: Check = Check {
    name: "config/prefix-forwards",
    holds: "A wrapper script passes its arguments on unchanged and ends when the job ends",
    why: "A script that splits its arguments breaks paths with spaces. A script that goes on after \
          the job hides its exit code and keeps signals from it.",
    found: "The doctor searches a shell script in the command prefix, or the text after -c of a shell, \
            for \"$@\", and the last line of a script for exec.",
    cure: "Make this the last line of the script: exec \"$@\".",
    after: &["config/prefix-runs"],
    judge: Judge::Agent(forwards),
};

fn forwards(survey: &Survey, install: &Install) -> Judged {
    let settings = install.settings();
    let given = settings.get("runner.command_prefix").ok().flatten();
    let source = given.as_ref().map(|given| given.source.clone());
    let prefix = given.and_then(Resolved::into_list).unwrap_or_default();
    if let Some((why, source)) = lost(&prefix).zip(source) {
        let text =
            "Put the words of the job behind the text: \"exec \\\"$@\\\"\", \"job\" after -c.";
        return Ok(Problem::fail(why)
            .seen(format!("{source}: runner.command_prefix is {}", prefix.join(" ")))
            .cure(sources::change(survey, install, &source, text))
            .into());
    }
    let Some(wrapper) = &install.wrapper else {
        return Err(Unseen::not_applicable("the command prefix is not a shell script"));
    };
    let named = install.named(PathRole::CommandPrefix);
    let walk = named.and_then(|named| named.walk.known().ok());
    let shown = walk.map(|walk| walk.path.display().to_string()).unwrap_or_default();
    let problem = if !wrapper.passes_arguments {
        Problem::fail(format!("{shown} does not pass on its arguments unchanged"))
            .seen(format!("{shown} does not contain \"$@\""))
    } else if !wrapper.ends_in_exec {
        Problem::warn(format!("{shown} does not end when the job ends"))
            .seen(format!("the last line of {shown} does not begin with exec"))
    } else {
        return Ok(Verdict::Holds(format!("{shown} passes \"$@\" on and ends with exec")));
    };
    let remedy = Remedy::by_hand("Make this the last line of the script: exec \"$@\".");
    let remedy = match (named, walk) {
        // The configuration may name a program of the system.
        (Some(named), Some(walk)) if named.named_by.is_root() => {
            remedy.command(edit(survey, walk, named.named_by))
        }
        _ => remedy,
    };
    Ok(problem.cure(remedy).into())
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{PathRole, Seen, Setting, Wrapper, Written},
    };

    #[test]
    fn sudo_without_dashes_fails() {
        let mut survey = healthy();
        let words = ["sudo", "-niHu", "circleci"].map(Into::into).to_vec();
        let value = Written::List(words);
        let setting = Setting { path: "runner.command_prefix".into(), line: 7, column: 3, value };
        config_of(&mut survey).settings.push(setting);
        let found = finding(&survey, "config/prefix-ends-options");
        assert_eq!(found.status, Status::Fail);
        assert!(found.remedy.unwrap().text().contains("\"--\""));
    }

    #[test]
    fn a_wrapper_must_be_there_and_executable() {
        let mut survey = healthy();
        let mut wrapper = walk("/opt/wrap", file(0, 0o644));
        agent(&mut survey).paths.push(named(PathRole::CommandPrefix, wrapper.clone()));
        assert_eq!(status(&survey, "config/prefix-runs"), Status::Fail);
        wrapper.end = Some(file(0, 0o755));
        agent(&mut survey).paths.last_mut().unwrap().walk = Seen::Known(wrapper);
        assert_eq!(status(&survey, "config/prefix-runs"), Status::Pass);
        for (passes_arguments, ends_in_exec, expected) in
            [(true, true, Status::Pass), (true, false, Status::Warn), (false, true, Status::Fail)]
        {
            agent(&mut survey).wrapper =
                Some(Wrapper { passes_arguments, ends_in_exec, steps_down: None });
            assert_eq!(status(&survey, "config/prefix-forwards"), expected);
        }
    }
}
