//! The settings of an agent as it takes them: of each key the value that counts, where that comes
//! from, and who could have written it.
//!
//! A flag counts before a variable, a variable before the file, and where none gives a key the agent
//! has a default of its own. What could not be read may hold the key: asking for it says so.

mod of_install;

use super::{ConfigFile, ConfigState, Provenance, Scrubbed, Unseen, Written};
use crate::{
    agent::{Config, Flag, Kind, Origin, config::Holds, flags, program},
    text::yaml::{self, Value as Yaml, truth},
};
use std::{borrow::Cow, fmt};

/// Where an agent takes its settings from.
#[derive(Debug, Clone)]
pub struct Settings<'a, T = Scrubbed> {
    /// Which agent.
    pub agent: Kind,
    /// The command that starts it, word by word.
    pub command: &'a [T],
    /// Where the command is defined, as `FILE:LINE`.
    pub defined: Option<String>,
    /// Who could have written the command.
    pub command_by: Provenance,
    /// The variables that it is given, the last of a name counts.
    pub variables: Vec<Given<'a>>,
    /// Its configuration; `None` where it has none.
    pub file: Result<Option<&'a ConfigFile<T>>, Unseen>,
}

/// A variable that an agent is given.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value; `None` where it is not told.
    pub value: Option<&'a str>,
    /// Where it is set.
    pub at: &'a str,
    /// Who could have set it.
    pub by: Provenance,
}

/// The value of a key that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The key.
    pub key: &'static str,
    /// What it is.
    pub value: Value<'a>,
    /// Where it comes from.
    pub source: Source,
    /// Who could have written it.
    pub by: Provenance,
}

/// What a setting holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A list.
    List(Vec<Cow<'a, str>>),
    /// Something that is not told: the token.
    Hidden,
    /// Something that the key does not take.
    Other,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command.
    Flag {
        /// Where the command is defined.
        at: Option<String>,
        /// The flag, such as `--runner.name`.
        name: String,
    },
    /// A variable of the service.
    Variable {
        /// Where it is set.
        at: String,
        /// Its name.
        name: String,
    },
    /// The configuration.
    File {
        /// `FILE:LINE:COLUMN`.
        at: String,
    },
    /// The agent itself.
    Default,
}

impl<'a, T: AsRef<str>> Settings<'a, T> {
    /// The value of a key that counts, the agent's default included; `None` where it has none.
    ///
    /// # Errors
    /// Why it is not known: the configuration could not be read, and nothing stronger gives the key.
    pub fn get(&self, key: &str) -> Result<Option<Resolved<'a>>, Unseen> {
        let given = self.given(key)?;
        Ok(given.or_else(|| {
            let value = Value::Text(self.agent.profile().default_of(key)?);
            Some(Resolved {
                key: as_known(key),
                value,
                source: Source::Default,
                by: Provenance::Root,
            })
        }))
    }

    /// The value that a flag, a variable or the file gives a key.
    ///
    /// # Errors
    /// As [`Settings::get`].
    pub fn given(&self, key: &str) -> Result<Option<Resolved<'a>>, Unseen> {
        for origin in self.agent.profile().precedence {
            let found = match origin {
                Origin::Flag => self.flag(key),
                Origin::Variable => self.variable(key),
                Origin::File => match &self.file {
                    Err(unseen) => return Err(unseen.clone()),
                    Ok(file) => file.and_then(|file| of_file(file, key)),
                },
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The text of a key, the default included; `None` also where it is not known.
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).ok().flatten()?.text()
    }

    /// Whether a key says true; `None` also where it is not known.
    pub fn truth(&self, key: &str) -> Option<bool> {
        self.get(key).ok().flatten()?.truth()
    }

    /// The list of a key; `None` also where it is not known.
    pub fn list(&self, key: &str) -> Option<Vec<Cow<'a, str>>> {
        self.get(key).ok().flatten()?.into_list()
    }

    /// The same, where an agent that found no configuration can run: flags and variables give it what
    /// it needs. Of any other one it is not known what is meant.
    #[must_use]
    pub(crate) fn if_enough(mut self) -> Self {
        let is_given = |key: &&str| self.flag(key).or_else(|| self.variable(key)).is_some();
        if matches!(self.file, Ok(None)) && !Config::NEEDED.iter().all(is_given) {
            self.file = Err(Unseen::not_examined("the agent finds no configuration"));
        }
        self
    }

    /// Who could have given a key its value, or have given it none.
    pub fn by(&self, key: &str) -> Provenance {
        match (self.given(key), &self.file) {
            (Ok(Some(given)), _) => given.by,
            (Ok(None), Ok(Some(file))) => file.written_by,
            (Ok(None), _) => self.command_by,
            (Err(_), _) => Provenance::Anybody,
        }
    }

    /// What a flag of the command gives; the last one counts.
    fn flag(&self, key: &str) -> Option<Resolved<'a>> {
        let key = as_known(key);
        let mut given = flags(self.agent, self.command).into_iter().rev();
        let (_, text) = given.find(|(flag, _)| *flag == Flag::Key(key))?;
        let source = Source::Flag { at: self.defined.clone(), name: format!("--{key}") };
        Some(Resolved { key, value: of_word(key, text), source, by: self.command_by })
    }

    /// What a variable gives: of the command itself (`env NAME=VALUE agent`), or of the service. One
    /// that is empty gives nothing.
    fn variable(&self, key: &str) -> Option<Resolved<'a>> {
        let name = self.agent.profile().variable(key)?;
        let before = program(self.command).unwrap_or_default();
        let in_command = self.command.iter().take(before).rev().find_map(|word| {
            let (of, value) = word.as_ref().split_once('=')?;
            (of == name).then_some(value)
        });
        let (value, at, by) = match in_command {
            Some(value) => (Some(value), self.defined.clone().unwrap_or_default(), self.command_by),
            None => {
                let given = self.variables.iter().rev().find(|given| given.name == name)?;
                (given.value, given.at.to_owned(), given.by)
            }
        };
        let value = match value {
            Some("") => return None,
            Some(text) => of_word(key, text),
            None => Value::Hidden,
        };
        let source = Source::Variable { at, name: name.to_owned() };
        Some(Resolved { key: as_known(key), value, source, by })
    }
}

/// A key by the name that lives as long as the program.
fn as_known(key: &str) -> &'static str {
    Config::KEYS.into_iter().find(|known| *known == key).unwrap_or_default()
}

fn of_file<'a, T: AsRef<str>>(file: &'a ConfigFile<T>, key: &str) -> Option<Resolved<'a>> {
    let setting = file.setting(key)?;
    let value = match &setting.value {
        Written::Nothing => return None,
        Written::Text { text, .. } => Value::Text(text.as_ref()),
        Written::List(items) => {
            Value::List(items.iter().map(|item| Cow::Borrowed(item.as_ref())).collect())
        }
        Written::Map => Value::Other,
        Written::Hidden => Value::Hidden,
    };
    Some(Resolved {
        key: as_known(key),
        value,
        source: Source::File { at: setting.place(file) },
        by: file.written_by,
    })
}

/// What a word of a command, or a variable, gives a key.
fn of_word<'a>(key: &str, text: &'a str) -> Value<'a> {
    match Config::holds(key) {
        _ if key == Config::TOKEN => Value::Hidden,
        Some(Holds::List) => Value::List(list(text)),
        _ => Value::Text(text),
    }
}

/// A list in a word: as YAML has it in one line, parted by commas, or by blanks.
fn list(text: &str) -> Vec<Cow<'_, str>> {
    let text = text.trim();
    if text.starts_with('[')
        && let Ok(Yaml::List(items)) = yaml::parse(text.as_bytes()).map(|node| node.value)
    {
        let item = |node: yaml::Node| match node.value {
            Yaml::Text { text, .. } => Some(Cow::Owned(text)),
            _ => None,
        };
        return items.into_iter().filter_map(item).collect();
    }
    match text.contains(',') {
        true => text.split(',').map(Cow::Borrowed).collect(),
        false => text.split_whitespace().map(Cow::Borrowed).collect(),
    }
}

impl<'a> Resolved<'a> {
    /// Its text; `None` where it is none.
    pub fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its list; `None` where it is none.
    pub fn into_list(self) -> Option<Vec<Cow<'a, str>>> {
        match self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether it says true or false. A flag or a variable may do so in numbers too.
    pub fn truth(&self) -> Option<bool> {
        let text = self.text()?;
        match text {
            "1" if !self.is_in_file() => Some(true),
            "0" if !self.is_in_file() => Some(false),
            text => truth(text),
        }
    }

    /// Whether the file gives it.
    pub fn is_in_file(&self) -> bool {
        matches!(self.source, Source::File { .. })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag { at: Some(at), name } | Self::Variable { at, name } => {
                write!(f, "{at}: {name}")
            }
            Self::Flag { at: None, name } => write!(f, "the flag {name}"),
            Self::File { at } => f.write_str(at),
            Self::Default => f.write_str("the agent's default"),
        }
    }
}

/// The configuration that counts: none where the agent looked for one that nobody named.
pub(crate) fn counted<T>(file: &ConfigFile<T>) -> Result<Option<&ConfigFile<T>>, Unseen> {
    match file.unjudged() {
        None => Ok(Some(file)),
        Some(_) if file.is_default && file.state == ConfigState::Missing => Ok(None),
        Some(why) => Err(Unseen::not_examined(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{PathWalk, Setting};

    fn file(settings: &[(&str, Written<String>)]) -> ConfigFile<String> {
        let setting = |(path, value): &(&str, Written<String>)| Setting {
            path: (*path).to_owned(),
            line: 7,
            column: 3,
            value: value.clone(),
        };
        ConfigFile {
            walk: PathWalk { path: "/c.yaml".into(), ..PathWalk::default() },
            state: ConfigState::Parsed,
            settings: settings.iter().map(setting).collect(),
            token: None,
            written_by: Provenance::Account(7),
            is_default: false,
            second: None,
        }
    }

    fn text(text: &str) -> Written<String> {
        Written::Text { text: text.to_owned(), plain: true }
    }

    fn settings<'a>(
        command: &'a [String],
        variables: &[(&'a str, &'a str)],
        file: Result<Option<&'a ConfigFile<String>>, Unseen>,
    ) -> Settings<'a, String> {
        let given = |(name, value): &(&'a str, &'a str)| Given {
            name,
            value: Some(value),
            at: "/env:2",
            by: Provenance::Account(8),
        };
        Settings {
            agent: Kind::LaunchAgent,
            command,
            defined: Some("/unit:4".to_owned()),
            command_by: Provenance::Root,
            variables: variables.iter().map(given).collect(),
            file,
        }
    }

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    const NAME: &str = "LAUNCH_AGENT_RUNNER_NAME";

    #[test]
    fn a_flag_counts_before_a_variable_and_that_before_the_file() {
        let file = file(&[("runner.name", text("file"))]);
        let plain = words("/x/circleci-launch-agent --config /c.yaml");
        let flagged = words("/x/circleci-launch-agent --runner.name flag");
        let assigned = words("env LAUNCH_AGENT_RUNNER_NAME=word /x/circleci-launch-agent");
        for (command, variables, value, source, by) in [
            (
                &flagged,
                &[(NAME, "variable")][..],
                "flag",
                "/unit:4: --runner.name",
                Provenance::Root,
            ),
            (
                &assigned,
                &[(NAME, "variable")],
                "word",
                "/unit:4: LAUNCH_AGENT_RUNNER_NAME",
                Provenance::Root,
            ),
            (
                &plain,
                &[(NAME, "a"), (NAME, "variable")],
                "variable",
                "/env:2: LAUNCH_AGENT_RUNNER_NAME",
                Provenance::Account(8),
            ),
            (&plain, &[(NAME, "")], "file", "/c.yaml:7:3", Provenance::Account(7)),
            (
                &plain,
                &[("CIRCLECI_RUNNER_NAME", "other")],
                "file",
                "/c.yaml:7:3",
                Provenance::Account(7),
            ),
        ] {
            let settings = settings(command, variables, Ok(Some(&file)));
            let given = settings.get("runner.name").unwrap().unwrap();
            assert_eq!((given.text(), given.by), (Some(value), by));
            assert_eq!(given.source.to_string(), source);
        }
    }

    #[test]
    fn what_nothing_gives_is_the_agents_default_or_nothing() {
        let plain = words("/x/circleci-launch-agent");
        let settings = settings(&plain, &[], Ok(None));
        assert_eq!(settings.text("runner.mode"), Some("continuous"));
        assert_eq!(settings.truth("runner.cleanup_working_directory"), Some(false));
        assert_eq!(settings.get("runner.mode").unwrap().unwrap().source, Source::Default);
        for key in ["runner.name", "runner.idle_timeout", "logging.level", "no.key"] {
            assert_eq!(settings.get(key).unwrap(), None, "{key}");
        }
        assert_eq!(settings.by("runner.name"), Provenance::Root);
    }

    #[test]
    fn an_agent_without_a_configuration_needs_name_and_token() {
        let name = words("/x/circleci-launch-agent --runner.name n");
        for (variables, is_enough) in
            [(&[("LAUNCH_AGENT_API_AUTH_TOKEN", "t")][..], true), (&[], false)]
        {
            let settings = settings(&name, variables, Ok(None)).if_enough();
            assert_eq!(settings.file.is_ok(), is_enough);
        }
    }

    #[test]
    fn a_file_that_could_not_be_read_may_hold_any_key() {
        let plain = words("/x/circleci-launch-agent --runner.mode single-task");
        let settings = settings(&plain, &[], Err(Unseen::not_examined("closed")));
        assert_eq!(settings.text("runner.mode"), Some("single-task"));
        assert_eq!(settings.get("runner.name").unwrap_err().why, "closed");
        assert_eq!(settings.by("runner.name"), Provenance::Anybody);
    }

    /// The list in YAML's form is from a public container file of machine runner 3.
    #[test]
    fn lists_and_truths_come_in_words_too() {
        const PREFIX: &str = "LAUNCH_AGENT_RUNNER_COMMAND_PREFIX";
        let plain = words("/x/circleci-launch-agent --runner.cleanup_working_directory");
        for (value, expected) in [
            ("sudo,-niHu,ci,--", vec!["sudo", "-niHu", "ci", "--"]),
            ("['/opt/wrapper.sh', \"a b\"]", vec!["/opt/wrapper.sh", "a b"]),
            ("sudo -niHu ci --", vec!["sudo", "-niHu", "ci", "--"]),
            ("/opt/wrapper", vec!["/opt/wrapper"]),
        ] {
            let settings = settings(&plain, &[(PREFIX, value)], Ok(None));
            assert_eq!(settings.list("runner.command_prefix").unwrap(), expected, "{value}");
            assert_eq!(settings.truth("runner.cleanup_working_directory"), Some(true));
        }
        let variables = [("LAUNCH_AGENT_RUNNER_DISABLE_AUTO_UPDATE", "1")];
        let by_number = settings(&plain, &variables, Ok(None));
        assert_eq!(by_number.truth("runner.disable_auto_update"), Some(true));
        let file = file(&[("runner.disable_auto_update", text("1"))]);
        let in_file = settings(&plain, &[], Ok(Some(&file)));
        assert_eq!(in_file.truth("runner.disable_auto_update"), None);
    }

    #[test]
    fn no_token_is_told() {
        let command = words("/x/circleci-launch-agent --api.auth_token hunter2");
        let settings = settings(&command, &[], Ok(None));
        let given = settings.get(Config::TOKEN).unwrap().unwrap();
        assert_eq!((given.value, given.by), (Value::Hidden, Provenance::Root));
    }
}
