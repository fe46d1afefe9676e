//! The settings of an agent that is looked at, and the configuration that it reads where its command
//! names none, or one that is no whole path.

use super::{
    agent_words, candidate::Candidate, environment::Raw, processes::RawRunning, unit::Unit,
};
use crate::{
    agent::{Config, Flag, Kind, Token, flags, program},
    host::{Given, Provenance, Settings, Source, Unseen, counted},
    platform::{accounts, fs::Root},
    text::{inner, is_whole},
};
use std::path::{Path, PathBuf};

/// A configuration that an agent reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigPlace {
    pub(super) path: PathBuf,
    /// No command names it.
    pub(super) is_default: bool,
}

/// The configuration that a command of an agent makes it read in its working directory; `None` where
/// that is not known.
pub(super) fn config_place(
    agent: Kind,
    command: &[String],
    folder: Option<&Path>,
) -> Option<ConfigPlace> {
    let (path, is_default) = match agent_words::config(command) {
        Some(path) => (path, false),
        None => (agent.profile().default_config?.into(), true),
    };
    // Without its program the command is that of a wrapper, which may name one.
    if is_default && program(command).is_none() {
        return None;
    }
    let is_filled_in = path.to_string_lossy().contains('$');
    match is_whole(&path) {
        true => Some(ConfigPlace { path, is_default }),
        false if is_filled_in => None,
        false => Some(ConfigPlace { path: folder?.join(path), is_default }),
    }
}

/// The folder that a service starts its agent in; `None` where that is not known.
pub(super) fn folder(root: &Root, unit: &Unit, user: Option<&str>) -> Option<PathBuf> {
    let sections = ["Service", "", "Actions/Exec"];
    let is_it =
        |(section, key): (&str, &str)| key == "WorkingDirectory" && sections.contains(&section);
    let line = unit.directives.iter().rev().find(|line| is_it((&line.section, &line.key)));
    let value = line.map_or("", |line| line.value.trim_start_matches('-'));
    let path = inner(value);
    match value {
        "~" => Some(accounts::find(root, user.unwrap_or("root")).ok().flatten()?.home),
        // A specifier, or a variable.
        _ if value.contains(['%', '$']) => None,
        // A task begins in a folder of the system's.
        "" => unit.command().first().is_some_and(|word| word.starts_with('/')).then(|| "/".into()),
        _ => is_whole(&path).then_some(path),
    }
}

impl Candidate {
    /// Its settings, as it takes them.
    pub(super) fn settings(&self) -> Settings<'_, String> {
        let by_process = self.running.as_ref().map(RawRunning::named_by);
        let by_process = self.named_by.and(by_process.unwrap_or(Provenance::Anybody));
        let inner = self.running.as_ref().map(|running| running.read.words.as_slice());
        // What an agent behind a wrapper was given, only its process tells.
        let is_wrapped = !self.command.is_empty() && program(&self.command).is_none();
        let inner = inner.filter(|_| is_wrapped);
        let of_process = self.of_process.iter().map(|raw| given(raw, by_process));
        // What the service sets counts: it is what root has written.
        let of_service =
            self.variables.iter().map(|raw| given(raw, self.named_by.and(raw.written_by)));
        let unknown = self.started.run.unknown.iter();
        let unknown = unknown.map(|raw| Given { value: None, ..given(raw, self.named_by) });
        Settings {
            agent: self.agent,
            command: inner.unwrap_or(&self.command),
            defined: None,
            command_by: if inner.is_some() { by_process } else { self.named_by },
            variables: unknown.chain(of_process).chain(of_service).collect(),
            file: match &self.config {
                Some(config) => config.known().and_then(counted),
                None => Err(Unseen::not_examined("no configuration is known")),
            },
        }
        .if_enough()
    }

    /// The text of a key, and who could have written it; where nothing gives it, nothing.
    pub(super) fn setting(&self, key: &str) -> Option<(String, Provenance)> {
        let given = self.settings().given(key).ok().flatten()?;
        Some((given.text()?.to_owned(), given.by))
    }

    /// The token that a flag or a variable gives in place of the configuration's.
    pub(super) fn token_given(&self) -> Option<Token> {
        let settings = self.settings();
        let text = match settings.given(Config::TOKEN).ok().flatten()?.source {
            Source::Flag { .. } => {
                let mut given = flags(self.agent, settings.command).into_iter().rev();
                given.find(|(flag, _)| *flag == Flag::Key(Config::TOKEN)).map(|(_, text)| text)
            }
            Source::Variable { name, .. } => {
                let mut words = settings.command.iter().rev();
                let of_word = words.find_map(|word| word.strip_prefix(&name)?.strip_prefix('='));
                let mut given = settings.variables.iter().rev();
                of_word.or_else(|| given.find(|given| given.name == name)?.value)
            }
            Source::File { .. } | Source::Default => None,
        };
        text.map(Token::as_found)
    }
}

fn given(raw: &Raw, by: Provenance) -> Given<'_> {
    Given { name: &raw.name, value: Some(&raw.value), at: &raw.source, by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{ConfigFile, ConfigState, PathWalk, Seen};

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    #[cfg(unix)] // The paths are whole only there.
    fn a_configuration_is_looked_for_where_the_agent_looks() {
        let of = |kind, line: &str, folder: Option<&str>| {
            let place = config_place(kind, &words(line), folder.map(Path::new))?;
            Some((place.path.display().to_string(), place.is_default))
        };
        let agent = "/opt/circleci/circleci-launch-agent";
        let known = |path: &str, is_default| Some((path.to_owned(), is_default));
        for (arguments, folder, expected) in [
            (" --config /c.yaml", None, known("/c.yaml", false)),
            (" --config=c.yaml", Some("/w"), known("/w/c.yaml", false)),
            (" -c c.yaml", None, None),
            ("", Some("/w"), known("/w/launch-agent-config.yaml", true)),
            ("", None, None),
            (" --config ${CONFIG}", Some("/w"), None),
        ] {
            let line = format!("{agent}{arguments}");
            assert_eq!(of(Kind::LaunchAgent, &line, folder), expected, "{line}");
        }
        assert_eq!(of(Kind::LaunchAgent, "/opt/start.sh", Some("/w")), None);
        assert_eq!(of(Kind::MachineRunner, "/usr/bin/circleci-runner machine", Some("/w")), None);
    }

    #[test]
    #[cfg(unix)] // The paths are whole only there.
    fn the_folder_of_a_service_is_its_managers_or_unknown() {
        use crate::service::systemd::unit_text::parse;
        let (dir, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/passwd"), "ci:x:9:9::/home/ci:/bin/sh\n").unwrap();
        for (line, expected) in [
            ("", Some("/")),
            ("WorkingDirectory=/opt/circleci", Some("/opt/circleci")),
            ("WorkingDirectory=-/opt/circleci", Some("/opt/circleci")),
            ("WorkingDirectory=/a\nWorkingDirectory=/b", Some("/b")),
            ("WorkingDirectory=~", Some("/home/ci")),
            ("WorkingDirectory=/srv/%i", None),
        ] {
            let text =
                format!("[Service]\nExecStart=/opt/circleci/circleci-launch-agent\n{line}\n");
            let unit = Unit { directives: parse(&text, Path::new("/u")), ..Unit::default() };
            let found = folder(&root, &unit, Some("ci"));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{line}");
        }
    }

    #[test]
    fn a_token_of_a_flag_or_a_variable_is_the_one_that_counts() {
        let config = ConfigFile {
            walk: PathWalk::default(),
            state: ConfigState::Missing,
            settings: Vec::new(),
            token: None,
            written_by: Provenance::Root,
            is_default: true,
            second: None,
        };
        let of = |line: &str, variable: Option<&str>| {
            let line = format!("{line} --runner.name n");
            let raw = |value: &str| Raw {
                name: "LAUNCH_AGENT_API_AUTH_TOKEN".to_owned(),
                value: value.to_owned(),
                source: "/u:1".to_owned(),
                written_by: Provenance::Root,
            };
            let candidate = Candidate {
                command: words(&line),
                variables: variable.map(raw).into_iter().collect(),
                config: Some(Seen::Known(config.clone())),
                ..Candidate::default()
            };
            candidate.token_given().map(|token| token.expose().to_owned())
        };
        let agent = "/opt/circleci-launch-agent";
        let flag = format!("{agent} --api.auth_token flag");
        assert_eq!(of(&flag, Some("variable")).as_deref(), Some("flag"));
        assert_eq!(of(agent, Some("variable")).as_deref(), Some("variable"));
        let env = format!("env LAUNCH_AGENT_API_AUTH_TOKEN=word {agent}");
        assert_eq!(of(&env, Some("variable")).as_deref(), Some("word"));
        assert_eq!(of(agent, Some("")), None);
        assert_eq!(of(agent, None), None);
    }

    #[test]
    fn what_a_script_sets_to_something_unknown_is_given_and_not_known() {
        let raw = |value: &str| Raw {
            name: "LAUNCH_AGENT_RUNNER_NAME".to_owned(),
            value: value.to_owned(),
            source: "/opt/start.sh:3".to_owned(),
            written_by: Provenance::Root,
        };
        let mut candidate = Candidate { config: Some(Seen::not("x")), ..Candidate::default() };
        candidate.started.run.unknown.push(raw(""));
        let value = |candidate: &Candidate| {
            let settings = candidate.settings();
            let given = settings.given("runner.name").ok().flatten().unwrap();
            format!("{:?} {}", given.value, given.source)
        };
        assert!(value(&candidate).starts_with("Hidden"), "{}", value(&candidate));
        assert!(value(&candidate).contains("/opt/start.sh:3"));
        // The process tells what it became.
        candidate.of_process.push(raw("told"));
        assert!(value(&candidate).contains("told"), "{}", value(&candidate));
    }
}
