//! The one place that makes a [`Scrubbed`].

use super::{environment, procfs::CommandLine, scrub::Scrub};
use crate::{
    host::Scrubbed,
    text::{REDACTED, may_be_secret},
};

impl Scrubbed {
    /// A text.
    pub(super) fn text(text: &str, scrub: &Scrub) -> Self {
        Self::after_scrub(scrub.text(text))
    }

    /// The words of a command line: what stands behind an option counts too.
    pub(super) fn words(words: &[String], scrub: &Scrub) -> Vec<Self> {
        scrub.words(words).into_iter().map(Self::after_scrub).collect()
    }

    /// The items of a list, which may be a command line with variables in front. What a variable
    /// holds is told where that is known to be harmless.
    pub(super) fn items(items: &[String], scrub: &Scrub) -> Vec<Self> {
        let mut shown = Self::words(items, scrub);
        for (shown, item) in shown.iter_mut().zip(items) {
            if item.contains('=') && !item.starts_with(['-', '/']) {
                *shown = Self::assignments(item, scrub);
            }
        }
        shown
    }

    /// The value of a `SetCredential=` directive: the name of the credential, which is a secret.
    pub(super) fn credential(value: &str) -> Self {
        let name = value.split_once(':').map_or("", |(name, _)| name);
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let is_shown = is_name && !may_be_secret(name);
        Self::after_scrub(if is_shown { format!("{name}:{REDACTED}") } else { REDACTED.into() })
    }

    /// A text of which nothing may be told.
    pub(super) fn nothing() -> Self {
        Self::after_scrub(REDACTED.to_owned())
    }

    /// The value of an `Environment=` directive.
    pub(super) fn assignments(value: &str, scrub: &Scrub) -> Self {
        Self::after_scrub(environment::shown(value, scrub))
    }

    /// The value of a variable, where it may be told.
    pub(super) fn variable(name: &str, value: &str, scrub: &Scrub) -> Option<Self> {
        environment::shown_value(name, value, scrub).map(Self::after_scrub)
    }

    /// What is left to tell of a process's command line; see [`summary`](super::processes::summary).
    pub(super) fn process(command: &CommandLine, scrub: &Scrub) -> Self {
        Self::after_scrub(super::processes::summary(command, scrub))
    }
}
