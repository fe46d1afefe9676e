//! Keys of the configuration: known, in their section, and of their type.

use crate::{
    agent::{
        Config,
        config::{Holds, truth},
        profiles,
    },
    doctor::{Check, Judge, Judged, Problem, Remedy, Verdict, lookup::edit_config, sources},
    host::{ConfigFile, Install, Reason, Setting, Survey, Written},
    text::nearest,
};

pub(super) const KNOWN: Check = Check {
    name: "config/keys-known",
    holds: "Every key of the configuration is a known key in its correct section",
    why: "The agent ignores a key that it does not know, so the setting has no effect. If the name \
          or the token is missing because of this, the agent ends at once.",
    found: "The doctor compares each key with the keys that the agents are known to read.",
    cure: "Correct the key, or move it to the section that the finding names.",
    after: &["config/parses"],
    judge: Judge::Agent(known),
};

fn known(survey: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let strange = config.settings.iter().filter(|setting| Config::holds(&setting.path).is_none());
    let problems = strange.map(|setting| strange_key(survey, install, config, setting)).collect();
    Ok(Verdict::of(problems, format!("all {} keys are known", config.settings.len())))
}

fn strange_key(
    survey: &Survey,
    install: &Install,
    config: &ConfigFile,
    setting: &Setting,
) -> Problem {
    let path = setting.path.as_str();
    let last = path.rsplit('.').next().unwrap_or(path);
    let misplaced = Config::KEYS.iter().find(|key| key.rsplit('.').next() == Some(last));
    let meant = misplaced.copied().or_else(|| nearest(path, &Config::KEYS)).or_else(|| {
        // The section is wrong too: only the last part of the key is compared.
        let lasts: Vec<&str> =
            Config::KEYS.iter().filter_map(|key| key.rsplit('.').next()).collect();
        let last = nearest(last, &lasts)?;
        Config::KEYS.iter().copied().find(|key| key.rsplit('.').next() == Some(last))
    });
    let meant = meant.or_else(|| usual(last)).or_else(|| nearest(path, &Config::SECTIONS));
    let text = match meant {
        Some(meant) => ["Did you mean ", meant, "?"],
        None => ["Remove the key: no agent reads it.", "", ""],
    };
    let remedy = Remedy::by_hand(text).command(edit_config(survey, install));
    // A key that the agent requires is missing then.
    let is_needed = matches!(meant, Some("api.auth_token" | "runner.name"))
        && meant.is_some_and(|meant| config.setting(meant).is_none());
    let summary = format!("no agent reads the key {path}");
    let problem = if is_needed { Problem::fail(summary) } else { Problem::warn(summary) };
    problem.seen(setting.place(config)).cure(remedy)
}

/// The key that people mean by a name that other runners have for it.
fn usual(last: &str) -> Option<&'static str> {
    Some(match last {
        "workdir" | "work_dir" | "work_folder" => "runner.working_directory",
        "token" | "runner_token" => "api.auth_token",
        _ => return None,
    })
}

pub(super) const OF_THIS_AGENT: Check = Check {
    name: "config/keys-of-this-agent",
    holds: "No key of the configuration is for the other agent",
    why: "A key for the other agent has no effect. The two agents share a format, but not all \
          keys.",
    found: "The doctor compares each key with the keys of the agent that the service runs.",
    cure: "Remove the key.",
    after: &["config/parses"],
    judge: Judge::Agent(of_this_agent),
};

fn of_this_agent(_: &Survey, install: &Install) -> Judged {
    let config = install.config()?;
    let profile = install.agent.profile();
    let mut problems = Vec::new();
    for setting in config.settings.iter().filter(|setting| !profile.reads(&setting.path)) {
        let readers = profiles().filter(|other| other.reads(&setting.path));
        let readers: Vec<&str> = readers.map(|other| other.name).collect();
        if readers.is_empty() {
            continue;
        }
        let (path, readers) = (&setting.path, readers.join(" and "));
        problems.push(
            Problem::warn(format!("{path} has no effect: only {readers} reads it"))
                .seen(setting.place(config))
                .cure(Remedy::by_hand("Remove the key.")),
        );
    }
    Ok(Verdict::of(problems, format!("{} reads all keys", install.agent)))
}

pub(super) const TYPES: Check = Check {
    name: "config/types-right",
    holds: "Every key has a value of the correct type",
    why: "An agent ends at once if it finds, for example, a list instead of a text, or another \
          word instead of true or false.",
    found: "The doctor compares the type of each value with the type that its key takes.",
    cure: "Write the value as the finding shows.",
    after: &["config/parses"],
    judge: Judge::Agent(types),
};

fn types(survey: &Survey, install: &Install) -> Judged {
    let mut problems = Vec::new();
    let config = match install.config() {
        Err(unseen) if unseen.reason != Reason::NotApplicable => return Err(unseen),
        config => config.ok(),
    };
    for (config, setting) in config.into_iter().flat_map(|c| c.settings.iter().map(move |s| (c, s)))
    {
        let path = setting.path.as_str();
        let wanted = match (Config::holds(path), &setting.value) {
            (None, _) | (_, Written::Nothing) => continue,
            (Some(Holds::Section), _) => "a mapping",
            (_, Written::Hidden) => continue,
            (Some(Holds::Truth), Written::Text { text, .. }) if truth(text.as_str()).is_some() => {
                continue;
            }
            (Some(Holds::Truth), _) => "true or false",
            (Some(Holds::List), Written::List(_)) => continue,
            (Some(Holds::List), _) => "a list, such as [\"nice\", \"-n\", \"5\"]",
            (Some(Holds::Text), Written::Text { .. }) => continue,
            (Some(Holds::Text), Written::List(_) | Written::Map) => "a text",
        };
        problems.push(
            Problem::fail(format!("{path} must be {wanted}"))
                .seen(setting.place(config))
                .cure(Remedy::by_hand(["Write ", wanted, " there."])),
        );
    }
    let settings = install.settings();
    let keys = install.agent.profile().keys.iter().map(|key| key.path);
    for key in keys.filter(|key| Config::holds(key) == Some(Holds::Truth)) {
        let Some(given) = settings.given(key)?.filter(|given| !given.is_in_file()) else {
            continue;
        };
        if given.text().is_some() && given.truth().is_none() {
            let text = "Write true or false there.";
            problems.push(
                Problem::fail(format!("{key} must be true or false"))
                    .seen(given.source.to_string())
                    .cure(sources::change(survey, install, &given.source, text)),
            );
        }
    }
    Ok(Verdict::of(problems, "every value has the type of its key"))
}

#[cfg(test)]
mod tests {
    use crate::{
        agent::Kind,
        doctor::{Status, fixtures::*},
        host::{Setting, Written},
    };

    #[test]
    fn a_misspelt_key_comes_with_the_right_one() {
        let mut survey = healthy();
        set(&mut survey, "runner.max_runtime", Some("5h"));
        let found = finding(&survey, "config/keys-known");
        assert_eq!(found.status, Status::Warn);
        assert!(found.remedy.unwrap().text().contains("runner.max_run_time"));
        set(&mut survey, "runner.name", None);
        set(&mut survey, "runner.nmae", Some("x"));
        assert_eq!(status(&survey, "config/keys-known"), Status::Fail);
    }

    #[test]
    fn a_misplaced_key_comes_with_its_section() {
        let mut survey = healthy();
        set(&mut survey, "runner.auth_token", Some("x"));
        let found = finding(&survey, "config/keys-known");
        assert!(found.remedy.unwrap().text().contains("api.auth_token"));
    }

    #[test]
    fn keys_of_the_other_agent_are_told() {
        let mut survey = healthy();
        agent(&mut survey).agent = Kind::MachineRunner;
        assert_eq!(status(&survey, "config/keys-of-this-agent"), Status::Warn);
    }

    #[test]
    fn kinds_of_values_are_told_apart() {
        let mut survey = healthy();
        set(&mut survey, "runner.cleanup_working_directory", Some("enabled"));
        assert_eq!(status(&survey, "config/types-right"), Status::Fail);
        let mut survey = healthy();
        let value = Written::List(vec!["a".into()]);
        let setting = Setting { path: "runner.mode".into(), line: 1, column: 1, value };
        config_of(&mut survey).settings.push(setting);
        assert_eq!(status(&survey, "config/types-right"), Status::Fail);
        let mut survey = healthy();
        set(&mut survey, "runner.command_prefix", Some("sudo"));
        assert_eq!(status(&survey, "config/types-right"), Status::Fail);
        let mut survey = healthy();
        set(&mut survey, "logging", Some("info"));
        assert_eq!(status(&survey, "config/types-right"), Status::Fail);
        assert_eq!(status(&survey, "config/keys-known"), Status::Pass);
    }
}
