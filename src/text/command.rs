//! A command that a person is shown, to paste.

use super::{
    Effect,
    paths::shown,
    shell::{Shell, is_plain, is_sound, is_whole_path, written},
};
use serde::{Serialize, Serializer};
use std::path::Path;

/// A command line; left out where a value in it cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    text: String,
    is_refused: bool,
    effect: Effect,
}

impl Command {
    /// A command that is the same on every host; `text` is written as a shell takes it.
    pub fn fixed(text: &'static str) -> Self {
        Self { text: text.to_owned(), is_refused: false, effect: Effect::Nothing }
    }

    /// The same, run by root.
    pub fn root(text: &'static str) -> Self {
        Self { text: format!("sudo {text}"), ..Self::fixed(text) }
    }

    /// This program installs the agent that the command is advised for.
    pub(crate) fn install() -> Self {
        Self::root("runnerup install").with_effect(Effect::Install)
    }

    /// A command of root's that ends processes.
    pub(crate) fn ending(text: &'static str) -> Self {
        Self::root(text).with_effect(Effect::Processes)
    }

    /// The same with what it does to what runs. What starts or stops a service is made by the room of
    /// its manager.
    #[must_use]
    pub(crate) fn with_effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// No command at all, where one that helps would be unsafe.
    pub(crate) fn left_out() -> Self {
        Self::fixed("").refused()
    }

    /// A command that shows what is at a path, and who uses it, and changes nothing: any plain path
    /// of this host will do. Never for what a document tells.
    pub(crate) fn shows(text: &'static str, path: &Path) -> Self {
        match is_plain(&shown(path)) {
            true => Self::fixed(text).path_of_root(path),
            false => Self::left_out(),
        }
    }

    /// With more words that are the same on every host, or signs that a shell reads.
    #[must_use]
    pub fn then(mut self, text: &'static str) -> Self {
        self.text.push(' ');
        self.text.push_str(text);
        self
    }

    /// With a number.
    #[must_use]
    pub fn number(mut self, number: impl Into<u64>) -> Self {
        self.text.push_str(&format!(" {}", number.into()));
        self
    }

    /// With a path that root chose, as one word for the shell of the system that it is written for.
    #[must_use]
    pub(crate) fn path_of_root(self, path: &Path) -> Self {
        match path
            .to_str()
            .map(|_| shown(path))
            .filter(|text| is_sound(text) && is_whole_path(text))
        {
            Some(text) => {
                let shell = Shell::of_path(&text);
                self.quoted(&text, &text, shell)
            }
            None => self.refused(),
        }
    }

    /// A command of this program with the folder of the image that it is to act on.
    #[must_use]
    pub(crate) fn of_image(self, base: Option<&Path>) -> Self {
        match base {
            Some(base) => self.then("--root").path_of_root(base),
            None => self,
        }
    }

    /// Without a line.
    #[must_use]
    pub(crate) fn refused(self) -> Self {
        Self { is_refused: true, ..self }
    }

    /// With a word as it stands.
    #[must_use]
    pub(crate) fn plain(mut self, word: &str) -> Self {
        self.text.push(' ');
        self.text.push_str(word);
        self
    }

    /// With a word that holds a value, quoted for a shell; refused where that cannot be done.
    #[must_use]
    pub(crate) fn quoted(self, word: &str, value: &str, shell: Shell) -> Self {
        match written(word, value, shell) {
            Some(word) => self.plain(&word),
            None => self.refused(),
        }
    }

    /// The line, unless it has to be left out.
    pub fn line(&self) -> Option<&str> {
        (!self.is_refused).then_some(self.text.as_str())
    }

    /// The same, when nothing is added any more.
    pub(crate) fn into_line(self) -> Option<String> {
        self.into_parts().map(|(text, _)| text)
    }

    /// The line and what it does, when nothing is added any more.
    pub(crate) fn into_parts(self) -> Option<(String, Effect)> {
        (!self.is_refused).then_some((self.text, self.effect))
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
