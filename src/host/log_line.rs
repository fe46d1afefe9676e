//! A line of an agent's log, of which only known texts are kept. Jobs write into logs, and what
//! they write has secrets in forms without number: no list of such forms is complete.

use crate::agent::log_texts;
use serde::{Deserialize, Serialize};

/// Stands for what was left out.
const LEFT_OUT: &str = "…";

/// Most characters of a line that are looked at.
const LOOKED_AT: usize = 2000;

/// From this many bytes on nothing is added to what is kept.
const WIDTH: usize = 400;

/// Most signs between two known texts that are kept with them.
const GAP: usize = 4;

/// How a line begins when its time comes first: `0` is any digit. A longer form comes first.
const STAMPS: [&str; 5] = [
    "0000-00-00T00:00:00Z",
    "0000-00-00T00:00:00",
    "0000-00-00 00:00:00",
    "0000/00/00 00:00:00",
    "00:00:00",
];

/// A line of a log: its time, its level, the known texts in it, and `…` for all else.
///
/// There is no other way to make one: saved facts are reduced when they are read, too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct LogLine {
    text: String,
    is_known: bool,
}

impl LogLine {
    /// What is kept of a line.
    pub fn of(line: &str) -> Self {
        let end = line.char_indices().nth(LOOKED_AT).map_or(line.len(), |(at, _)| at);
        let line = line.get(..end).unwrap_or_default().trim();
        let mut kept = stamp(line);
        let mut text = line.get(..kept).unwrap_or_default().to_owned();
        let mut is_known = false;
        let mut at = kept;
        while at < line.len() && text.len() < WIDTH {
            let Some(end) = known(line, at) else {
                at += line.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                continue;
            };
            push_gap(&mut text, line.get(kept..at).unwrap_or_default());
            text.push_str(line.get(at..end).unwrap_or_default());
            is_known = true;
            (kept, at) = (end, end);
        }
        push_gap(&mut text, line.get(kept..).unwrap_or_default());
        Self { text: text.trim().to_owned(), is_known }
    }

    /// Whether it has a known text.
    pub const fn is_known(&self) -> bool {
        self.is_known
    }

    /// What is kept.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Where the time or the level at the begin of a line ends.
fn stamp(line: &str) -> usize {
    let has_form = |form: &str| {
        let mut signs = line.bytes();
        form.bytes().all(|byte| match (byte, signs.next()) {
            (b'0', Some(sign)) => sign.is_ascii_digit(),
            (byte, sign) => sign == Some(byte),
        })
    };
    let is_end = |at: usize| !line.get(at..).is_some_and(|rest| rest.starts_with(is_of_word));
    let levelled = || {
        let level = log_texts::LEVELS.iter().find(|level| line.starts_with(*level))?;
        let (seconds, _) = line.strip_prefix(level)?.strip_prefix('[')?.split_once(']')?;
        let is_number = seconds.bytes().all(|sign| sign.is_ascii_digit());
        (is_number && seconds.len() <= 8).then_some(level.len() + seconds.len() + 2)
    };
    let timed = STAMPS.iter().find(|form| has_form(form)).map(|form| form.len());
    timed.or_else(levelled).filter(|at| is_end(*at)).unwrap_or_default()
}

/// Where the longest known text ends that begins at `at`, as words of their own.
fn known(line: &str, at: usize) -> Option<usize> {
    let (before, rest) = line.split_at_checked(at)?;
    if before.ends_with(is_of_word) && rest.starts_with(is_of_word) {
        return None;
    }
    let fits = |text: &&str| {
        rest.split_at_checked(text.len()).is_some_and(|(words, after)| {
            words.eq_ignore_ascii_case(text)
                && !(words.ends_with(is_of_word) && after.starts_with(is_of_word))
        })
    };
    log_texts::all().filter(fits).map(str::len).max().map(|length| at + length)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Adds what stands between known texts: a few signs as they are, or that there was something.
fn push_gap(text: &mut String, gap: &str) {
    if gap.len() <= GAP && gap.chars().all(|c| " :;,=\"()-".contains(c)) {
        text.push_str(gap);
    } else {
        text.extend([" ", LEFT_OUT, " "]);
    }
}

impl From<String> for LogLine {
    fn from(line: String) -> Self {
        Self::of(&line)
    }
}

impl From<&str> for LogLine {
    fn from(line: &str) -> Self {
        Self::of(line)
    }
}

impl From<LogLine> for String {
    fn from(line: LogLine) -> Self {
        line.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kept(line: &str) -> String {
        LogLine::of(line).into()
    }

    #[test]
    fn nothing_of_a_job_is_kept() {
        for line in [
            "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC7/hunter+fatal0",
            "-----BEGIN PRIVATE KEY-----",
            "aws configure set aws_secret_access_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYhunter",
            "docker login -u me -p hunter",
            "sshpass -p hunter ssh host",
            "mysql -uroot -phunter",
            "redis-cli -a hunter",
            "DB_PASS hunter",
            "the password is hunter",
            "PIN=4711",
            "4711",
            "set secret hunter",
            "Cookie: session=hunter",
            "ENCRYPTION_KEY_B64 = hunter",
            r#"{"password":{"value":"hunter"}}"#,
            "password\thunter",
            "token%3Dhunter",
        ] {
            assert_eq!(kept(line), LEFT_OUT, "{line}");
            assert!(!LogLine::of(line).is_known(), "{line}");
            // The same with an agent's own words around it.
            let line = kept(&format!("20:04:58 f0666 error=\"{line}: connection refused\""));
            assert_eq!(line, "20:04:58 … error=… connection refused\"".replace("=…", "= …"));
        }
    }

    #[test]
    fn an_agents_own_words_are_kept() {
        for (line, expected) in [
            (
                "ERRO[0151] error running task    error=\"unexpected error claiming task: server \
                 supplied detail: invalid bearer token (401-Unauthorized)\"",
                "ERRO[0151] error running task    error=\"unexpected error claiming task: server \
                 supplied detail: invalid bearer token (401-Unauthorized)\"",
            ),
            ("INFO[0000] starting agent    name=\"lab\"", "INFO[0000] starting agent …"),
            (
                "Started circleci.service - CircleCI self-hosted runner.",
                "Started circleci.service …",
            ),
            (
                "2026-11-26T11:10:59Z ERROR Get \"https://x\": dial tcp: lookup h: no such host",
                "2026-11-26T11:10:59Z ERROR … dial tcp: lookup … no such host",
            ),
            ("http.response.status_code=4010 fatality", LEFT_OUT),
            ("http.response.status_code=401", "… status_code=401"),
            ("", ""),
        ] {
            assert_eq!(kept(line), expected);
        }
    }

    #[test]
    fn saved_lines_are_reduced_when_they_are_read() {
        let saved = r#""docker login -p hunter: connection refused""#;
        let line: LogLine = serde_json::from_str(saved).unwrap();
        assert_eq!(line.as_str(), "… connection refused");
        assert_eq!(serde_json::to_string(&line).unwrap(), "\"… connection refused\"");
    }

    proptest! {
        #[test]
        fn what_was_saved_is_read_back(
            words in prop::collection::vec(
                prop_oneof![
                    ".{0,8}",
                    prop::sample::select(log_texts::all().collect::<Vec<_>>()).prop_map(str::to_owned),
                ],
                0..80,
            ),
        ) {
            let once = LogLine::of(&words.join(" "));
            prop_assert_eq!(LogLine::of(once.as_str()), once);
        }

        #[test]
        fn a_word_that_is_not_known_is_left_out(before in ".{0,20}", after in ".{0,20}") {
            let line = kept(&format!("{before}hunter{after}"));
            prop_assert!(!line.contains("hunter"), "{}", line);
        }
    }
}
