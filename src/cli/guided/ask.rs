//! How one question is put and answered: by a person at a terminal, or by a test's script.

use crate::{Result, agent::Token, text::may_be_secret};

/// From so many bytes on what begins as the known token does is hidden while it is typed.
const FIRST: usize = 4;

/// A known token of so many bytes is found within an answer too.
const LONG: usize = 8;

/// A question, ready to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// The question, without default.
    pub(crate) title: String,
    /// What it means, one paragraph an entry.
    pub(crate) meaning: Vec<String>,
    /// What Enter alone answers.
    pub(crate) default: Option<String>,
    /// The answers there are to choose from, each with its meaning; empty where any text is one.
    pub(crate) choices: Vec<(&'static str, String)>,
    /// Ways out of the question besides its answers.
    pub(crate) exits: &'static [Exit],
    /// Nothing of the answer is shown.
    pub(crate) is_hidden: bool,
    /// The token that is known already: it is no answer to another question.
    pub(crate) token: Option<Token>,
}

/// A way out of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// To the question before.
    Back,
    /// No more of this.
    Quit,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// An answer; the default where Enter alone was typed.
    Answer(String),
    /// To the question before.
    Back,
    /// No more of this.
    Quit,
}

/// Puts questions.
pub(crate) trait Ask {
    /// Says something, with no answer wanted.
    fn say(&mut self, text: &str);
    /// Says why an answer cannot be taken.
    fn refuse(&mut self, text: &str);
    /// Puts a question. With `is_again` the meaning was read already.
    fn ask(&mut self, prompt: &Prompt, is_again: bool) -> Result<Reply>;
    /// The answer was taken: the question gives way to one row that keeps both.
    fn taken(&mut self, prompt: &Prompt, answer: &str);
    /// The question before is put again: it, and the one that was just put, give way.
    fn back(&mut self);
}

impl Prompt {
    /// A question for a text.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds a paragraph of what it means.
    #[must_use]
    pub(crate) fn meaning(mut self, text: impl Into<String>) -> Self {
        self.meaning.push(text.into());
        self
    }

    /// What Enter alone answers.
    #[must_use]
    pub(crate) fn preset(mut self, text: impl Into<String>) -> Self {
        self.default = Some(text.into());
        self
    }

    /// Adds an answer to choose.
    #[must_use]
    pub(crate) fn choice(mut self, answer: &'static str, meaning: impl Into<String>) -> Self {
        self.choices.push((answer, meaning.into()));
        self
    }

    /// Adds the ways out of it.
    #[must_use]
    pub(crate) fn exits(mut self, exits: &'static [Exit]) -> Self {
        self.exits = exits;
        self
    }

    /// What a choice is called where it is not typed.
    pub(crate) fn label(choice: &str) -> &str {
        match choice {
            "y" => "Yes",
            "n" => "No",
            "e" => "Explain",
            choice => choice,
        }
    }

    /// A question for yes or no.
    pub(crate) fn yes_or_no(title: impl Into<String>, default: bool) -> Self {
        Self::new(title).preset(if default { "y" } else { "n" }).choice("y", "").choice("n", "")
    }

    /// Shows nothing of the answer.
    #[must_use]
    pub(crate) fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Knows the token, which may be pasted at this question too.
    #[must_use]
    pub(crate) fn knowing(mut self, token: Option<&Token>) -> Self {
        self.token = token.cloned();
        self
    }

    /// Whether what was typed so far is not shown: the answer is a secret, or it may be one, pasted
    /// at the wrong question.
    pub(crate) fn hides(&self, typed: &str) -> bool {
        let begins = |token: &Token| typed.len() >= FIRST && token.expose().starts_with(typed);
        self.is_hidden || self.is_misplaced(typed) || self.token.as_ref().is_some_and(begins)
    }

    /// Whether an answer may be a secret that this question is not for.
    pub(crate) fn is_misplaced(&self, answer: &str) -> bool {
        let is_token = |token: &Token| {
            let token = token.expose();
            answer == token || token.len() >= LONG && answer.contains(token)
        };
        let is_secret = || may_be_secret(answer) || self.token.as_ref().is_some_and(is_token);
        !self.is_hidden && self.default.as_deref() != Some(answer) && is_secret()
    }

    /// The choice that an answer means: its first letters, in any case.
    pub(crate) fn chosen(&self, answer: &str) -> Option<&'static str> {
        let answer = answer.to_lowercase();
        self.choices.iter().map(|(choice, _)| *choice).find(|choice| {
            !answer.is_empty()
                && (answer == *choice || answer == Self::label(choice).to_lowercase())
        })
    }
}
