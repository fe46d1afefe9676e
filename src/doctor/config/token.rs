//! The resource class token.

use crate::{
    doctor::{
        Check, Judge, Judged, Problem, Remedy, Verdict,
        lookup::restarted,
        sources::{self, from, unset},
    },
    host::{Around, Install, Source, Survey, TokenPlace, Unseen},
};

/// How a token is replaced: docs/agents.md, Token.
pub(in crate::doctor) const RENEW: &str = "Create a token for the resource class (circleci runner token create NAMESPACE/CLASS NICKNAME), \
     write it to the configuration, and start the agent again.";

pub(super) const SET: Check = Check {
    name: "config/token-set",
    holds: "The agent has a token that is not a placeholder",
    why: "Without the token of its resource class the server refuses the agent with 401, and the \
          agent claims no job.",
    found: "The doctor compares api.auth_token, or the flag or variable that counts in its place, \
            with what people put where a token belongs: placeholders, JSON, references to a secret \
            store, paths, tokens of persons. It never keeps or shows the token.",
    cure: "Create a token for the resource class, write it to the place that the finding names, and \
           start the agent again.",
    after: &["config/keys-known"],
    judge: Judge::Agent(is_set),
};

fn is_set(survey: &Survey, install: &Install) -> Judged {
    let (summary, seen, source) = match install.token()? {
        None => {
            ("the agent has no token".to_owned(), unset(install, "api.auth_token"), Source::Default)
        }
        Some((shape, source)) => match &shape.unusable {
            None => {
                return Ok(Verdict::Holds(format!(
                    "a token of {} characters, {}{}",
                    shape.length,
                    shape.alphabet,
                    from(&source)
                )));
            }
            Some(why) => {
                ("the agent has no usable token".to_owned(), format!("{source}: {why}"), source)
            }
        },
    };
    Ok(Problem::fail(summary).seen(seen).cure(renew(survey, install, &source)).into())
}

pub(super) const SHAPE: Check = Check {
    name: "config/token-shape",
    holds: "The token has the format of a resource class token",
    why: "The server refuses a personal API token or an incomplete token with 401.",
    found: "The doctor checks length and characters: as far as is known, a token is 80 letters and \
            digits.",
    cure: "Copy the complete token, or create a new one.",
    after: &["config/token-set"],
    judge: Judge::Agent(shape),
};

fn shape(survey: &Survey, install: &Install) -> Judged {
    let (shape, source) =
        install.token()?.ok_or_else(|| Unseen::not_examined("the agent has no token"))?;
    match &shape.unusual {
        None => Ok(Verdict::Holds("the token has 80 letters and digits".to_owned())),
        Some(why) => Ok(Problem::warn(why.clone())
            .seen(format!("{source}: {} characters, {}", shape.length, shape.alphabet))
            .cure(renew(survey, install, &source))
            .into()),
    }
}

pub(super) const ONLY_IN_CONFIG: Check = Check {
    name: "config/token-only-in-config",
    holds: "No command line and no unit file contains the token",
    why: "Every user of the host can read command lines and unit files, and a user who has the \
          token can claim the jobs of the resource class.",
    found: "The doctor searches the service's command, its Environment= lines and the agent's \
            command line for token options and token variables.",
    cure: "Move the token to the configuration, or to a file that only root and the account can \
           read, and create a new token.",
    after: &[],
    judge: Judge::Agent(only_in_config),
};

fn only_in_config(_: &Survey, install: &Install) -> Judged {
    let mut problems = Vec::new();
    let remedy = || {
        Remedy::by_hand(
            "Create a new token (circleci runner token create NAMESPACE/CLASS NICKNAME), write it \
             to the configuration only, and delete the old one.",
        )
    };
    for place in install.token_places() {
        let (summary, seen) = match place {
            TokenPlace::Command => (
                "the command line of the service contains the token",
                format!(
                    "command of the service: {}",
                    install
                        .service
                        .as_ref()
                        .map(|service| service.command.join(" "))
                        .unwrap_or_default()
                ),
            ),
            TokenPlace::Definition { file, line } => (
                "the definition of the service, which every user can read, contains the token",
                format!("{}:{line}", file.display()),
            ),
            // The definition of the service puts it there, and is reported already.
            TokenPlace::Process if !problems.is_empty() => continue,
            TokenPlace::Process => (
                "the command line of the running agent contains the token",
                install
                    .main_process()
                    .map(|process| format!("process {}: {}", process.pid, process.command))
                    .unwrap_or_default(),
            ),
        };
        problems.push(Problem::fail(summary).seen(seen).cure(remedy()));
    }
    if problems.is_empty() && install.service.is_none() {
        install.processes.known()?;
    }
    Ok(Verdict::of(problems, "no command line and no unit file contains the token"))
}

fn renew(survey: &Survey, install: &Install, source: &Source) -> Remedy {
    let around = install.token().ok().flatten().and_then(|(shape, _)| shape.around);
    let text = match around {
        None => RENEW,
        Some(Around::Quotes) => {
            "Remove the quotes that are a part of the value, then start the agent again: what is \
             between them has the form of a token."
        }
        Some(Around::Name) => {
            "Remove the name in front of the token, then start the agent again: what follows it has \
             the form of one."
        }
        Some(Around::Blanks) => {
            "Remove the blanks and line breaks around the token, then start the agent again."
        }
    };
    let remedy = sources::change(survey, install, source, text);
    // A start before a person has written the token would fail again.
    restarted(remedy, install).without_steps()
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Status, fixtures::*},
        host::{Around, Seen, TokenPlace},
    };

    #[test]
    fn a_placeholder_and_a_missing_token_fail() {
        let mut survey = healthy();
        config_of(&mut survey).token.as_mut().unwrap().unusable = Some("a placeholder".into());
        assert_eq!(status(&survey, "config/token-set"), Status::Fail);
        config_of(&mut survey).token = None;
        assert_eq!(status(&survey, "config/token-set"), Status::Fail);
    }

    #[test]
    fn a_token_with_something_around_it_is_not_made_anew() {
        let mut survey = healthy();
        let token = config_of(&mut survey).token.as_mut().unwrap();
        (token.unusable, token.around) = (Some("it has quotes".into()), Some(Around::Quotes));
        let text = finding(&survey, "config/token-set").remedy.unwrap().text().to_owned();
        assert!(text.contains("Remove the quotes") && !text.contains("Create"), "{text}");
    }

    #[test]
    fn a_token_of_another_shape_is_a_warning() {
        let mut survey = healthy();
        config_of(&mut survey).token.as_mut().unwrap().unusual = Some("40 characters".into());
        assert_eq!(status(&survey, "config/token-shape"), Status::Warn);
    }

    #[test]
    fn a_token_that_nothing_is_known_of_is_not_said_to_be_hidden() {
        let mut survey = healthy();
        agent(&mut survey).service = None;
        assert_eq!(status(&survey, "config/token-only-in-config"), Status::Pass);
        agent(&mut survey).processes = Seen::default();
        assert_eq!(status(&survey, "config/token-only-in-config"), Status::Skip);
    }

    #[test]
    fn a_token_in_a_unit_or_command_fails() {
        let mut survey = healthy();
        directive(&mut survey, "Service", "Environment", "LAUNCH_AGENT_API_AUTH_TOKEN=***");
        assert_eq!(status(&survey, "config/token-only-in-config"), Status::Fail);
        let mut survey = healthy();
        service_of(&mut survey).command.push("--api.auth_token=***".into());
        assert_eq!(status(&survey, "config/token-only-in-config"), Status::Fail);
        // Where the places are known, texts are not searched.
        agent(&mut survey).token_in = Some(Vec::new());
        assert_eq!(status(&survey, "config/token-only-in-config"), Status::Pass);
        for place in [
            TokenPlace::Command,
            TokenPlace::Definition { file: UNIT.into(), line: 3 },
            TokenPlace::Process,
        ] {
            agent(&mut survey).token_in = Some(vec![place]);
            assert_eq!(status(&survey, "config/token-only-in-config"), Status::Fail);
        }
    }
}
