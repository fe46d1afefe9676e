//! How one question is put and answered: by a person at a terminal, or by a test's script.

use crate::Result;

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
    /// Nothing of it is shown once it may be a secret, pasted at the wrong question.
    pub(crate) is_guarded: bool,
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

    /// Shows no answer that may be a secret.
    #[must_use]
    pub(crate) fn guarded(mut self) -> Self {
        self.is_guarded = true;
        self
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
