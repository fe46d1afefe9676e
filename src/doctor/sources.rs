//! Where settings come from, for the findings and the remedies of checks.

use super::{
    Command, Remedy,
    lookup::{edit, edit_config},
};
use crate::host::{ConfigFile, Install, PathWalk, Source, Survey};

/// The command that edits what gives a setting: the configuration, or the file of the definition or
/// of the variables; none where that is no file whose way is known.
pub(super) fn edit_source(survey: &Survey, install: &Install, source: &Source) -> Command {
    match source {
        Source::File { .. } | Source::Default => edit_config(survey, install),
        Source::Flag { at: None, .. } => Command::left_out(),
        Source::Flag { at: Some(at), .. } | Source::Variable { at, .. } => {
            let file = at.rsplit_once(':').map_or(at.as_str(), |(file, _)| file);
            let definitions = install.service.iter().flat_map(|service| &service.definitions);
            let definitions = definitions.map(|definition| &definition.walk);
            let files = install.paths.iter().filter(|named| named.role.is_environment());
            let files = files.filter_map(|named| named.walk.ok());
            let is_it = |walk: &&PathWalk| walk.path.as_os_str() == file;
            match definitions.chain(files).find(is_it) {
                Some(walk) => edit(survey, walk, install.named_by),
                None => Command::left_out(),
            }
        }
    }
}

/// What a person does about a value, where it is given.
pub(super) fn change(
    survey: &Survey,
    install: &Install,
    source: &Source,
    text: &'static str,
) -> Remedy {
    let remedy = Remedy::by_hand(text).command(edit_source(survey, install, source));
    match source {
        Source::File { .. } | Source::Default => remedy,
        Source::Flag { .. } => {
            remedy.and("A flag in the command of the service gives the value: change it there.")
        }
        Source::Variable { .. } => {
            remedy.and("A variable gives the value: change it where the finding says.")
        }
    }
}

/// Where a setting comes from that the file does not give, behind what it is.
pub(super) fn from(source: &Source) -> String {
    match source {
        Source::File { .. } | Source::Default => String::new(),
        Source::Flag { .. } | Source::Variable { .. } => format!(", from {source}"),
    }
}

/// That nothing gives a key, for evidence.
pub(super) fn unset(install: &Install, key: &str) -> String {
    let setting = |config: &ConfigFile| {
        let setting = config.setting(key)?;
        Some(format!("{}: {key} has no value", setting.place(config)))
    };
    match install.config() {
        Ok(config) => setting(config)
            .unwrap_or_else(|| format!("{} has no key {key}", config.walk.path.display())),
        Err(_) => format!("neither a flag nor a variable gives {key}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::Kind,
        doctor::{Status, fixtures::*},
        host::{TokenShape, Variable},
    };

    fn flag(survey: &mut Survey, words: &[&str]) {
        let service = service_of(survey);
        for command in [&mut service.command, &mut service.launch.command] {
            command.extend(words.iter().map(|word| (*word).into()));
        }
    }

    #[test]
    fn a_value_of_a_flag_is_judged_and_told_with_the_line_of_the_unit() {
        let mut survey = healthy();
        set(&mut survey, "runner.name", None);
        flag(&mut survey, &["--runner.name", "mini-2"]);
        assert_eq!(status(&survey, "config/name-valid"), Status::Pass);
        assert!(finding(&survey, "config/name-valid").summary.contains("--runner.name"));
        let mut survey = healthy();
        set(&mut survey, "runner.name", None);
        flag(&mut survey, &["--runner.name=Big Mac", "--runner.command_prefix=sudo,-niHu,build"]);
        for check in ["config/name-valid", "config/prefix-ends-options"] {
            let found = finding(&survey, check);
            assert_eq!(found.status, Status::Fail, "{check}");
            assert!(found.evidence.contains(&format!("{UNIT}:7: --runner.")), "{}", found.evidence);
            let remedy = found.remedy.unwrap();
            assert_eq!(remedy.commands(), [format!("sudoedit {UNIT}")], "{check}");
            assert!(remedy.text().contains("flag"), "{}", remedy.text());
        }
    }

    #[test]
    fn every_value_of_a_variable_is_judged() {
        for (name, value, check) in [
            ("RUNNER_NAME", "a b", "config/name-valid"),
            ("RUNNER_MODE", "single", "config/values-valid"),
            ("RUNNER_MAX_RUN_TIME", "5d", "config/durations-valid"),
            ("API_URL", "https://app.circleci.com", "config/values-valid"),
            ("RUNNER_WORK_DIR", "/w/$USER", "config/workdir-per-job"),
            ("RUNNER_CLEANUP_WORK_DIR", "ja", "config/types-right"),
            ("RUNNER_COMMAND_PREFIX", "[sudo, -niHu, ci]", "config/prefix-ends-options"),
        ] {
            let mut survey = healthy();
            agent(&mut survey).environment.push(Variable {
                name: format!("LAUNCH_AGENT_{name}"),
                value: Some(value.into()),
                secret: None,
                source: "/etc/circleci.env:3".into(),
                written_by: Default::default(),
            });
            let found = finding(&survey, check);
            assert_eq!(found.status, Status::Fail, "{check}");
            assert!(found.evidence.contains("/etc/circleci.env:3"), "{}", found.evidence);
        }
    }

    #[test]
    fn the_token_of_a_flag_or_variable_is_judged_by_its_shape() {
        let mut survey = healthy();
        flag(&mut survey, &["--api.auth_token", "***"]);
        let why = Some("the token is not a token: it is JSON".to_owned());
        agent(&mut survey).token_given = Some(TokenShape { unusable: why, ..Default::default() });
        let found = finding(&survey, "config/token-set");
        assert_eq!(found.status, Status::Fail);
        assert!(found.evidence.contains("--api.auth_token: the token is not a token"), "{found:?}");
    }

    #[test]
    fn a_flag_that_overrides_the_file_is_told() {
        let mut survey = healthy();
        flag(&mut survey, &["--runner.name", "other"]);
        assert_eq!(status(&survey, "config/environment-overrides"), Status::Warn);
        let mut survey = healthy();
        flag(&mut survey, &["--runner.name", "build-1"]);
        assert_eq!(status(&survey, "config/environment-overrides"), Status::Pass);
    }

    /// The file of its package says so.
    #[test]
    fn machine_runner_may_log_to_its_standard_error() {
        for (file, expected) in [
            ("-", Status::Pass),
            ("", Status::Pass),
            ("/dev/stderr", Status::Pass),
            ("x", Status::Fail),
        ] {
            let mut survey = healthy();
            agent(&mut survey).agent = Kind::MachineRunner;
            set(&mut survey, "logging.file", Some(file));
            assert_eq!(status(&survey, "config/values-valid"), expected, "{file:?}");
        }
    }

    #[test]
    fn of_the_web_application_no_server_is_claimed() {
        let mut survey = healthy();
        for url in ["https://app.circleci.com", "circleci.com"] {
            set(&mut survey, "api.url", Some(url));
            assert_eq!(status(&survey, "agent/supported"), Status::Skip, "{url}");
        }
    }
}
