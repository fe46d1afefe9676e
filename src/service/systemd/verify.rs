//! What systemd itself objects to in units: one call of `systemd-analyze verify` for all of them,
//! and the one reader of its answer.

use crate::{
    Code, Error, Result,
    host::Objection,
    platform::command::{Answer, Call, Commands},
};
use console::strip_ansi_codes;
use std::{path::Path, time::Duration};

/// What systemd objects to in the files of these units and of those that belong to them. It reads
/// them as it would to start them, and starts nothing.
///
/// Units of an image are not for this: systemd would follow a link in the image on the host.
///
/// # Errors
/// When the program is not there, does not answer within `limit`, or says more than is kept.
pub(super) fn objections(
    commands: &dyn Commands,
    units: &[String],
    limit: Duration,
) -> Result<Vec<Objection<String>>> {
    if units.is_empty() {
        return Ok(Vec::new());
    }
    let args = ["verify", "--man=no", "--"].into_iter().chain(units.iter().map(String::as_str));
    let call = Call::new("systemd-analyze", args).within(limit);
    let answer = plain(commands.answer(&call)?);
    if answer.is_cut() {
        let message = format!("`{}` says too much to be read whole", call.program());
        return Err(Error::new(Code::StepFailed, message));
    }
    match was_verified(&answer) {
        true => Ok(answer.stderr.lines().filter_map(parse).collect()),
        false => Err(answer.failure(&call)),
    }
}

/// Whether systemd takes this as the name of a service: it looks at nothing else that is asked for
/// beside one that it does not take.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    name.len() <= 255 && name.ends_with(".service") && name.bytes().all(fits)
}

/// An answer without colour, which version 247 writes to a pipe as well.
fn plain(answer: Answer) -> Answer {
    Answer { stderr: strip_ansi_codes(&answer.stderr).into_owned(), ..answer }
}

/// Whether units were looked at: an exit code other than 0 is also that of a unit with a fault, of
/// which there is a line that begins with the unit's name or file.
fn was_verified(answer: &Answer) -> bool {
    let is_about_unit = |line: &str| {
        let subject = line.split(':').next().unwrap_or_default();
        subject.contains('.') && !subject.contains(char::is_whitespace)
    };
    answer.code == Some(0) || answer.code.is_some() && answer.stderr.lines().any(is_about_unit)
}

/// `FILE:LINE: MESSAGE`; a name of a file may hold a colon.
fn parse(line: &str) -> Option<Objection<String>> {
    line.match_indices(':').find_map(|(at, _)| {
        let (number, message) = line.get(at + 1..)?.split_once(": ")?;
        let file = Path::new(line.get(..at)?);
        file.is_absolute().then_some(())?;
        Some(Objection {
            file: file.to_owned(),
            line: number.parse().ok()?,
            message: message.to_owned(),
        })
    })
}

#[cfg(test)]
#[cfg(unix)] // Paths are whole only there.
mod tests {
    use super::*;

    fn answer(code: i32, stderr: &str) -> Answer {
        Answer { code: Some(code), stderr: stderr.to_owned(), ..Answer::default() }
    }

    /// As version 247, 252 and 257 write them.
    #[test]
    fn a_line_is_read_with_its_place() {
        for (line, file, number, message) in [
            (
                "/etc/systemd/system/a.service:7: Unknown key name 'X' in section 'Unit', ignoring.",
                "/etc/systemd/system/a.service",
                7,
                "Unknown key name 'X' in section 'Unit', ignoring.",
            ),
            (
                "/etc/systemd/system/a:1:.service:12: Failed to parse time value, ignoring: 5x: y",
                "/etc/systemd/system/a:1:.service",
                12,
                "Failed to parse time value, ignoring: 5x: y",
            ),
        ] {
            let objection = parse(line).unwrap();
            assert_eq!(objection.file, Path::new(file));
            assert_eq!((objection.line, objection.message.as_str()), (number, message));
        }
        let coloured = "\u{1b}[0;1;31m/etc/systemd/system/a.service:7: Missing '='\u{1b}[0m";
        let plain = plain(answer(1, coloured));
        assert!(was_verified(&plain) && parse(&plain.stderr).is_some());
        for other in [
            "a.service: Command /opt/x is not executable: No such file or directory",
            "/etc/x: 7 things",
            "relative:7: x",
            "",
            "::: ",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn only_names_that_systemd_takes_are_asked_for() {
        assert!(is_name("circleci-x@a:b_c\\x2d.service"));
        for other in ["circleci bad.service", "circleci;x$(id).service", "a\n.service", "a.socket"]
        {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn a_fault_of_a_unit_is_an_answer_and_one_of_the_call_is_none() {
        assert!(was_verified(&answer(0, "")));
        assert!(was_verified(&answer(1, "a.service: Command /opt/x is not executable: no\n")));
        assert!(was_verified(&answer(1, "/etc/systemd/system/a.service:7: Missing '='\n")));
        assert!(!was_verified(&answer(1, "Failed to initialize manager: no such file\n")));
        assert!(!was_verified(&answer(1, "systemd-analyze: unrecognized option '--man=no'\n")));
        assert!(!was_verified(&answer(1, "")));
        assert!(!was_verified(&Answer { code: None, ..answer(0, "a.service: x") }));
    }
}
