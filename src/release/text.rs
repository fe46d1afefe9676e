//! `release.txt`: the newest version, on one line.

use crate::{
    Code, Error, Help, Result,
    agent::{Kind, Version},
};

/// Reads it. Trimmed, since it may or may not end in a newline; then its form must be right.
pub fn newest_version(agent: Kind, bytes: &[u8]) -> Result<Version> {
    let text = std::str::from_utf8(bytes).unwrap_or("").trim();
    Version::of(agent, text).map_err(|_| {
        Error::new(
            Code::ReleaseInvalid,
            format!("release.txt holds {}, not a version", description(bytes)),
        )
        .help(Help::words(format!(
            "name a version: --version {}, or --version server-4.6",
            agent.profile().versions.example
        )))
    })
}

/// What bytes that were to be text are instead, in a few words.
pub(super) fn description(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let start = text.get(..9).unwrap_or(text).to_ascii_lowercase();
    if text.is_empty() {
        return "nothing".to_owned();
    }
    if start.starts_with("<!doctype") || start.starts_with("<html") {
        return "a web page".to_owned();
    }
    if start.starts_with("<?xml") {
        return "an XML document".to_owned();
    }
    let first: String = text.lines().next().unwrap_or("").chars().take(40).collect();
    format!("{first:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_newline_more_or_less_does_not_matter() {
        for text in ["1.1.73189-8792751", "1.1.73189-8792751\n", " 1.1.73189-8792751\r\n"] {
            assert_eq!(
                newest_version(Kind::LaunchAgent, text.as_bytes()).unwrap().as_str(),
                "1.1.73189-8792751"
            );
        }
    }

    #[test]
    fn a_login_page_is_told_as_one() {
        let error = newest_version(Kind::LaunchAgent, b"<!DOCTYPE html><html>Log in").unwrap_err();
        assert_eq!(error.code(), Code::ReleaseInvalid);
        assert!(error.message().contains("a web page"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes: Vec<u8>) {
            let _ = newest_version(Kind::LaunchAgent, &bytes);
        }
    }
}
