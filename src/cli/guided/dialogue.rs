//! From question to question, forth and back; knows no terminal.

use super::{
    ask::{Ask, Exit, Prompt, Reply},
    questions::{Draft, Known, Question, Verdict},
};
use crate::{Error, Result, agent::Token};
use std::collections::BTreeMap;

const INTRODUCTION: &str = "Press Enter to accept the value in [ ]. Type < to go back. Choose from a list with the arrow keys and Enter. Esc quits. Nothing is changed before you have seen the plan and said yes.";

const DECLINED: &str = "Machine runner 3 is in CircleCI's package repositories, for Linux, macOS and Windows. Nothing was installed here.";

/// The questions that were answered, and what they came to.
#[derive(Debug, Default)]
pub(crate) struct Dialogue {
    draft: Draft,
    /// Questions in the order in which they were answered, each with the draft before it.
    answered: Vec<(usize, Draft)>,
    /// What was answered to each question last: proposed when it is put again.
    given: BTreeMap<usize, String>,
    /// The token that was given last; it is proposed without being shown.
    token: Option<Token>,
}

impl Dialogue {
    /// Whether there is a question to go back to.
    pub(crate) fn has_questions(&self) -> bool {
        !self.answered.is_empty()
    }

    /// Asks what is missing; where everything was answered before, from the last question on.
    /// `None`: the person quit.
    pub(super) fn hold(&mut self, known: &Known<'_>, ask: &mut dyn Ask) -> Result<Option<Draft>> {
        let (mut at, mut is_again) = (0, false);
        let mut is_first = self.answered.is_empty();
        if let Some(last) = self.answered.pop() {
            (at, self.draft) = last;
        }
        while let Some(question) = Question::ALL.get(at) {
            if !question.is_open(known, &self.draft) {
                at += 1;
                continue;
            }
            if std::mem::take(&mut is_first) {
                ask.say(INTRODUCTION);
            }
            let prompt = self.prompt(at, *question, known);
            let mut next = self.draft.clone();
            let mut answer = String::new();
            let verdict = match ask.ask(&prompt, is_again)? {
                Reply::Quit => return Ok(None),
                Reply::Back => Ok(Verdict::Back),
                Reply::Answer(text) => {
                    answer = text;
                    match &self.token {
                        Some(token) if *question == Question::Token && answer.is_empty() => {
                            next.token = Some(token.clone());
                            Ok(Verdict::Taken)
                        }
                        _ if prompt.choices.is_empty() && prompt.is_misplaced(&answer) => {
                            Err(question.misplaced())
                        }
                        _ => question.take(&answer, known, &mut next),
                    }
                }
            };
            is_again = false;
            match verdict {
                Ok(Verdict::Taken) => {
                    let shown = match (&next.token, *question) {
                        (Some(token), Question::Token) => {
                            self.token = Some(token.clone());
                            token.expose()
                        }
                        _ => {
                            self.given.insert(at, answer.clone());
                            &answer
                        }
                    };
                    ask.taken(&prompt, shown);
                    self.answered.push((at, std::mem::replace(&mut self.draft, next)));
                    at += 1;
                }
                Ok(Verdict::Back) => match self.answered.pop() {
                    Some(before) => {
                        ask.back();
                        (at, self.draft) = before;
                    }
                    None => {
                        ask.refuse("This is the first question.");
                        is_again = true;
                    }
                },
                Ok(Verdict::Declined) => {
                    ask.say(DECLINED);
                    return Ok(None);
                }
                Err(error) => {
                    ask.refuse(&reason(&error));
                    is_again = true;
                }
            }
        }
        Ok(Some(self.draft.clone()))
    }

    /// A question as it is put now: with the answer that it had before, and the ways out of it.
    fn prompt(&self, at: usize, question: Question, known: &Known<'_>) -> Prompt {
        let prompt = question.prompt(known, &self.draft).exits(match self.answered.is_empty() {
            true => &[Exit::Quit],
            false => &[Exit::Back, Exit::Quit],
        });
        let prompt = prompt.knowing(self.token.as_ref().or(known.token.as_ref()));
        match (self.given.get(&at), question) {
            (_, Question::Token) if self.token.is_some() => {
                prompt.meaning("Press Enter to keep the token that you gave.")
            }
            (Some(answer), _) => prompt.preset(answer.clone()),
            _ => prompt,
        }
    }
}

fn reason(error: &Error) -> String {
    let mut text = error.message().to_owned();
    if let Some(first) = text.get(..1) {
        text = format!("{}{}", first.to_uppercase(), &text[1..]);
    }
    std::iter::once(text).chain(error.help_lines()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        platform::Os,
        settings::{SettingValue, Settings, Source},
    };
    use std::collections::VecDeque;

    /// Answers in order, and notes all that was said.
    struct Script {
        answers: VecDeque<Reply>,
        log: Vec<String>,
    }

    impl Ask for Script {
        fn say(&mut self, text: &str) {
            self.log.push(text.to_owned());
        }

        fn refuse(&mut self, text: &str) {
            self.log.push(format!("! {text}"));
        }

        fn ask(&mut self, prompt: &Prompt, is_again: bool) -> Result<Reply> {
            self.log.push(format!("{}{}", prompt.title, if is_again { " (again)" } else { "" }));
            let reply = self.answers.pop_front().unwrap_or(Reply::Quit);
            Ok(match reply {
                Reply::Answer(text) if text.is_empty() => {
                    Reply::Answer(prompt.default.clone().unwrap_or_default())
                }
                reply => reply,
            })
        }

        fn taken(&mut self, _prompt: &Prompt, _answer: &str) {}

        fn back(&mut self) {}
    }

    const TOKEN: &str =
        "0123456789abcdefghijklmnopqrstuvwxyzABCD0123456789abcdefghijklmnopqrstuvwxyzABCD";

    fn settings(given: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (name, value) in given {
            settings.add(name, SettingValue::one(*value, Source::Flag)).unwrap();
        }
        settings
    }

    fn known(settings: &Settings) -> Known<'_> {
        Known {
            settings,
            hostname: "build_1.example".to_owned(),
            os: Os::Linux,
            instance: None,
            installed: None,
            token: None,
            is_installed: false,
            can_start: true,
            console_user: None,
        }
    }

    /// `<` and `q` as at a terminal.
    fn hold(known: &Known<'_>, answers: &[&str]) -> (Option<Draft>, Vec<String>) {
        let reply = |text: &&str| match *text {
            "<" => Reply::Back,
            "q" => Reply::Quit,
            text => Reply::Answer(text.to_owned()),
        };
        let mut script = Script { answers: answers.iter().map(reply).collect(), log: Vec::new() };
        let draft = Dialogue::default().hold(known, &mut script).unwrap();
        assert!(script.answers.is_empty() || draft.is_none(), "left: {:?}", script.answers);
        (draft, script.log)
    }

    fn given(draft: &Draft) -> Vec<(&str, &str)> {
        draft.settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    #[test]
    fn enter_all_along_gives_the_defaults() {
        let settings = Settings::default();
        let answers = ["server", "ci.example.com", "", TOKEN, "", "", "", "", ""];
        let (draft, _) = hold(&known(&settings), &answers);
        let draft = draft.unwrap();
        assert_eq!(
            given(&draft),
            [
                ("cleanup-workdir", "true"),
                ("no-start", "false"),
                ("url", "https://ci.example.com"),
                ("user", "circleci"),
                ("version", "server-4.7"),
                ("workdir", "/var/opt/circleci/workdir"),
            ]
        );
        assert_eq!(draft.token.unwrap().expose(), TOKEN);
    }

    #[test]
    fn only_what_is_missing_is_asked() {
        let all = [
            ("url", "https://ci.example.com"),
            ("name", "a"),
            ("user", "ci"),
            ("workdir", "/w"),
            ("cleanup-workdir", "true"),
            ("no-start", "true"),
        ];
        let settings = settings(&all);
        let known = Known { token: Some(TOKEN.parse().unwrap()), ..known(&settings) };
        assert_eq!(hold(&known, &[]), (Some(Draft::default()), Vec::new()));

        let nothing = Settings::default();
        let installed = Known { is_installed: true, ..tests::known(&nothing) };
        let (draft, log) = hold(&installed, &[TOKEN]);
        assert!(draft.unwrap().token.is_some());
        assert_eq!(log[1..], ["What is the token of the resource class?"]);
    }

    #[test]
    fn cloud_takes_four_answers_and_gets_machine_runner() {
        let settings = Settings::default();
        let (draft, log) = hold(&known(&settings), &["", TOKEN, "", ""]);
        assert_eq!(given(&draft.unwrap()), [("user", "circleci")]);
        assert!(!log.concat().contains("launch-agent"), "{log:?}");
        // A server that launch-agent is not for gets it too.
        let answers = ["server", "ci.example.com", "4.8", TOKEN, "", "", "", "", ""];
        let (draft, _) = hold(&known(&settings), &answers);
        let draft = draft.unwrap();
        assert_eq!(draft.settings["workdir"], "/var/lib/circleci-runner/workdir");
        let (_, log) = hold(&known(&settings), &["server", "ci.example.com", "2.19", "q"]);
        assert!(log.iter().any(|line| line.starts_with("! No launch-agent version")), "{log:?}");
    }

    #[test]
    fn launch_agent_on_cloud_goes_on_only_when_that_is_meant() {
        let settings = settings(&[("agent", "launch-agent")]);
        for no in ["", "n", "No"] {
            let (draft, log) = hold(&known(&settings), &["cloud", no]);
            assert_eq!(draft, None);
            assert!(log.last().unwrap().contains("Machine runner 3"), "{log:?}");
        }
        let (draft, log) = hold(&known(&settings), &["cloud", "yes", TOKEN, "", ""]);
        assert!(!draft.unwrap().settings.contains_key("url"));
        assert!(!log.iter().any(|line| line.contains("URL")), "{log:?}");
    }

    #[test]
    fn wrong_answers_are_asked_again_with_the_reason() {
        let settings = settings(&[("url", "https://ci.example.com"), ("version", "latest")]);
        let answers = [
            "AUTH_TOKEN",
            TOKEN,
            "a b",
            "a",
            "Build",
            "0",
            "build",
            "workdir",
            "/srv/w",
            "perhaps",
            "n",
            "n",
        ];
        let (draft, log) = hold(&known(&settings), &answers);
        let draft = draft.unwrap();
        assert_eq!(
            given(&draft),
            [
                ("cleanup-workdir", "false"),
                ("name", "a"),
                ("no-start", "true"),
                ("user", "build"),
                ("workdir", "/srv/w"),
            ]
        );
        let refused: Vec<_> = log.iter().filter(|line| line.starts_with('!')).collect();
        assert_eq!(refused.len(), 6, "{refused:#?}");
        assert!(refused[0].contains("The token is a placeholder"), "{refused:#?}");
        assert!(refused[2].contains("use build"), "{refused:#?}");
        assert_eq!(log.iter().filter(|line| line.ends_with("(again)")).count(), 6);
    }

    /// Enter alone was told about an empty host, and a token was taken for the name of one.
    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        let settings = settings(&[("version", "latest"), ("name", "a"), ("user", "ci")]);
        let bad = ["", TOKEN, "CCIPAT_x", "https://CCIPAT_x/", "a b", "https://"];
        let answers: Vec<&str> =
            ["server"].into_iter().chain(bad).chain(["ci.example.com", "q"]).collect();
        let (_, log) = hold(&known(&settings), &answers);
        let refused: Vec<_> = log.iter().filter(|line| line.starts_with('!')).collect();
        assert_eq!(refused.len(), bad.len(), "{refused:#?}");
        assert!(refused[0].contains("An address is needed"), "{refused:#?}");
        for line in refused {
            assert!(line.contains("https://circleci.example.com"), "{line}");
            assert!(!line.contains(&TOKEN[..12]) && !line.contains("CCIPAT"), "{line}");
        }
        assert_eq!(log.last().unwrap(), "What is the token of the resource class?");
    }

    /// The name took it, and the other questions repeated it in what was wrong with it.
    #[test]
    fn a_token_is_taken_and_repeated_at_no_other_question() {
        let settings = settings(&[("url", "https://ci.example.com"), ("version", "latest")]);
        for token in [TOKEN, "hush-hush"] {
            let other = "7c1a09be42d85f63e0b7149ad3c85f26";
            let before = if token == TOKEN { vec![TOKEN] } else { vec![token, "y"] };
            let then = [token, other, "a", token, "CCIPAT_x", "ci", token, "/w", token, "y", "y"];
            let (draft, log) = hold(&known(&settings), &[&before[..], &then].concat());
            assert_eq!(
                given(&draft.unwrap()),
                [
                    ("cleanup-workdir", "true"),
                    ("name", "a"),
                    ("no-start", "false"),
                    ("user", "ci"),
                    ("workdir", "/w"),
                ]
            );
            let told = log.concat();
            assert!(!told.contains(token) && !told.contains(other), "{log:#?}");
            assert!(!told.contains("CCIPAT"), "{log:#?}");
            let refused = log.iter().filter(|line| line.contains("That may be a token"));
            assert_eq!(refused.count(), 5, "{log:#?}");
        }
    }

    #[test]
    fn back_puts_the_question_again_and_stops_at_the_first() {
        let settings = settings(&[("version", "latest")]);
        let answers = [
            "<",
            "server",
            "<",
            "cloud",
            "<",
            "server",
            "a.example.com",
            "<",
            "b.example.com",
            TOKEN,
            "x",
            "<",
            "y",
            "",
            "",
            "",
            "",
        ];
        let (draft, log) = hold(&known(&settings), &answers);
        let draft = draft.unwrap();
        assert_eq!(draft.settings["url"], "https://b.example.com");
        assert_eq!(draft.settings["name"], "y");
        assert!(log.contains(&"! This is the first question.".to_owned()), "{log:?}");
    }

    #[test]
    fn an_answer_taken_back_leaves_nothing_behind() {
        let settings = settings(&[("version", "latest")]);
        let there = ["server", "a.example.com", "<", "<"];
        let then = ["cloud", TOKEN, "", ""];
        let (draft, _) = hold(&known(&settings), &[&there[..], &then].concat());
        assert!(!draft.unwrap().settings.contains_key("url"));
    }

    #[test]
    fn an_odd_token_is_used_only_when_it_is_meant() {
        let settings = settings(&[("url", "https://ci.example.com")]);
        let answers = ["short-one", "n", "short-one", "y", "", "", "", "", ""];
        let (draft, log) = hold(&known(&settings), &answers);
        assert_eq!(draft.unwrap().token.unwrap().expose(), "short-one");
        assert!(!log.iter().any(|line| line.contains("short-one")), "{log:?}");
    }

    #[test]
    fn a_mac_is_asked_for_a_desktop_and_offered_who_is_there() {
        let nothing = settings(&[("url", "https://ci.example.com"), ("version", "latest")]);
        let mac = |console_user: Option<&str>| Known {
            os: Os::Darwin,
            console_user: console_user.map(str::to_owned),
            ..known(&nothing)
        };
        let user = |draft: Option<Draft>| {
            let draft = draft.unwrap();
            let made = !draft.settings.contains_key("no-create-user");
            (draft.settings["user"].clone(), made)
        };
        let (draft, log) = hold(&mac(Some("jo")), &[TOKEN, "", "y", "", "", "", ""]);
        assert_eq!(user(draft), ("jo".to_owned(), false));
        assert!(log.contains(&"Do jobs need a desktop?".to_owned()), "{log:?}");
        let (draft, _) = hold(&mac(Some("jo")), &[TOKEN, "", "", "", "", "", ""]);
        assert_eq!(user(draft), ("circleci".to_owned(), true));
        // Taken back, it proposes the account again.
        let (draft, _) = hold(&mac(Some("jo")), &[TOKEN, "", "y", "<", "n", "", "", "", ""]);
        assert_eq!(user(draft), ("circleci".to_owned(), true));
        // With nobody at the screen there is nothing to propose.
        let (draft, log) = hold(&mac(None), &[TOKEN, "", "y", "", "mo", "", "", ""]);
        assert_eq!(user(draft), ("mo".to_owned(), false));
        assert!(log.iter().any(|line| line.starts_with('!')), "{log:?}");
    }

    #[test]
    fn quitting_anywhere_leaves_nothing() {
        let settings = Settings::default();
        let answers = ["server", "ci.example.com", "", TOKEN, "", "", "", "", ""];
        for questions in 0..answers.len() {
            let answers: Vec<_> = answers[..questions].iter().copied().chain(["q"]).collect();
            assert_eq!(hold(&known(&settings), &answers).0, None);
        }
    }
}
