//! Settings as they were given, each with where it came from. The first source that has a
//! setting wins: flag, variable, answers file, existing install, prompt, default.

use super::table::{Definition, SETTINGS, definition, names};
use crate::{Code, Error, Help, Result, text::yaml};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Where a setting's value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "from", content = "where")]
pub enum Source {
    /// An option on the command line.
    Flag,
    /// An environment variable, by name.
    Variable(String),
    /// An answers file, by path.
    Answers(String),
    /// What an existing install has, by the file that says so.
    Existing(String),
    /// The person, asked.
    Prompt,
    /// Nobody said; the default.
    Default,
}

/// A value as it was given. It may hold a password (a proxy's), and so it does not print.
#[derive(Clone)]
pub struct SettingValue {
    values: Vec<SecretString>,
    source: Source,
}

/// Settings from all sources.
#[derive(Debug, Clone, Default)]
pub struct Settings(BTreeMap<&'static str, SettingValue>);

impl SettingValue {
    /// One value.
    pub fn one(value: impl Into<String>, source: Source) -> Self {
        Self { values: vec![SecretString::from(value.into())], source }
    }

    /// A list of values.
    pub fn list(values: impl IntoIterator<Item = String>, source: Source) -> Self {
        Self { values: values.into_iter().map(SecretString::from).collect(), source }
    }

    /// Where it came from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}

impl Settings {
    /// Adds a setting, unless an earlier source has it.
    ///
    /// # Errors
    /// [`Code::Usage`] when there is no such setting.
    pub fn add(&mut self, name: &str, given: SettingValue) -> Result<()> {
        let definition = definition(name).ok_or_else(|| {
            let (source, shown) = (&given.source, yaml::shown(name));
            let error = Error::new(Code::Usage, format!("{source}: there is no setting {shown}"));
            match crate::text::nearest(name, &names().collect::<Vec<_>>()) {
                Some(near) => error.help(Help::words(format!("did you mean {near}?"))),
                None => error.help("runnerup install --help shows them all"),
            }
        })?;
        self.0.entry(definition.name).or_insert(given);
        Ok(())
    }

    /// Where a setting came from; [`Source::Default`] when nobody gave it.
    pub fn source(&self, name: &str) -> Source {
        self.0.get(name).map_or(Source::Default, |given| given.source.clone())
    }

    /// The settings that somebody chose for this run and for every other like it: not those that an
    /// existing install has, and not those about one run.
    pub fn chosen(&self) -> impl Iterator<Item = &'static Definition> {
        SETTINGS.iter().filter(|setting| {
            let source = self.source(setting.name);
            !setting.is_of_the_run && !matches!(source, Source::Default | Source::Existing(_))
        })
    }

    /// Whether someone gave the setting.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The setting as text; several values are joined by commas.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|given| {
            given.values.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>().join(",")
        })
    }

    /// The setting as a list.
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let expose = |value: &SecretString| value.expose_secret().to_owned();
        self.0.get(name).map(|given| given.values.iter().map(expose).collect())
    }

    /// The setting read by `read`; errors say which setting it is and where it came from.
    pub fn read<T>(&self, name: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let source = self.source(name);
        read(&text).map(Some).map_err(|error| error.context(format!("--{name} ({source})")))
    }

    /// The setting as a value of a type that reads itself.
    pub fn parse<T: FromStr<Err = Error>>(&self, name: &str) -> Result<Option<T>> {
        self.read(name, str::parse)
    }

    /// A setting that is true or false; `false` when nobody gave it.
    pub fn switch(&self, name: &str) -> Result<bool> {
        self.read(name, crate::values::truth).map(Option::unwrap_or_default)
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*** ({})", self.source)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("option"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Answers(path) => write!(f, "answers file {path}"),
            Self::Existing(path) => write!(f, "existing install, {path}"),
            Self::Prompt => f.write_str("your answer"),
            Self::Default => f.write_str("default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_source_wins_and_is_named_in_errors() {
        let mut settings = Settings::default();
        settings.add("timeout", SettingValue::one("soon", Source::Variable("X".into()))).unwrap();
        settings.add("timeout", SettingValue::one("30", Source::Prompt)).unwrap();
        let error = settings
            .read("timeout", |text| {
                text.parse::<u32>().map_err(|_| Error::new(Code::ValueInvalid, "not a number"))
            })
            .unwrap_err();
        assert_eq!(error.message(), "--timeout (variable X): not a number");
        assert_eq!(settings.source("mode"), Source::Default);
    }

    #[test]
    fn a_misspelt_setting_gets_a_suggestion() {
        let error =
            Settings::default().add("workdri", SettingValue::one("/x", Source::Flag)).unwrap_err();
        assert!(error.help_lines()[0].contains("workdir"), "{error:?}");
    }

    #[test]
    fn values_do_not_print() {
        let given = SettingValue::one("http://u:hush@proxy", Source::Flag);
        assert!(!format!("{given:?}").contains("hush"));
    }
}
