//! Facts that travel: saved without a secret, judged anywhere.

use crate::{
    Code, Error, Result,
    cli::{Output, place::place},
    host::{SCHEMA_VERSION, Survey},
    platform::{command::quoted, input},
};
use serde_json::error::Category;
use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

/// Most bytes of saved facts that are read.
const LIMIT: u64 = 16 << 20;

/// Writes the survey, for the caller alone, without any known secret.
pub(super) fn save(file: &Path, survey: &Survey, out: &Output) -> Result<()> {
    let facts = out.json(survey)?;
    if file == Path::new("-") {
        return out.json_result(&facts);
    }
    let write = |open: &mut File| {
        open.write_all(facts.as_bytes())
            .map_err(|error| Error::new(Code::HostUnfit, error.to_string()))
    };
    place(file, write).map_err(|error| {
        error.recode(Code::HostUnfit).context(format!("{} cannot be written", file.display()))
    })?;
    out.note_with("facts saved; they are judged anywhere by", judging(file));
    Ok(())
}

/// The command that judges saved facts, as it is typed.
fn judging(file: &Path) -> String {
    let name = file.display().to_string();
    // No option, whatever the file is called.
    let name = if name.starts_with('-') { format!("./{name}") } else { name };
    format!("runnerup doctor --facts {}", quoted(&name))
}

/// Reads saved facts.
pub(super) fn load(file: &Path) -> Result<Survey> {
    let unusable = |why: String| {
        Error::new(Code::FactsInvalid, format!("{}: {why}", file.display()))
            .help("on the host: sudo runnerup doctor --save-facts host.json")
    };
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LIMIT + 1).read_to_string(&mut text)
    } else {
        input::open(file).and_then(|open| open.take(LIMIT + 1).read_to_string(&mut text))
    };
    let length = read.map_err(|error| unusable(error.to_string()))?;
    if u64::try_from(length).is_ok_and(|length| length > LIMIT) {
        return Err(unusable(format!("larger than {} MiB, as no facts are", LIMIT >> 20)));
    }
    let survey: Survey = serde_json::from_str(&text).map_err(|error| unusable(fault(&error)))?;
    if survey.schema_version != SCHEMA_VERSION {
        let version = survey.schema_version;
        return Err(unusable(format!("facts of the form {version}, not {SCHEMA_VERSION}")));
    }
    match survey.excess() {
        Some(excess) => Err(unusable(excess)),
        None => Ok(survey),
    }
}

/// Leaves the agent of that name alone.
///
/// # Errors
/// [`Code::ValueInvalid`] where the facts have none of it.
pub(super) fn of_instance(survey: &mut Survey, name: &str) -> Result<()> {
    survey.installs.retain(|install| install.name == name);
    match survey.installs.is_empty() {
        true => Err(Error::new(
            Code::ValueInvalid,
            format!("--instance and --facts: {name:?} is no agent of these facts"),
        )),
        false => Ok(()),
    }
}

/// What is wrong with a text, and where. Its words are not told: they may be those of a file with
/// secrets that was named by mistake.
fn fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Io | Category::Eof => "the text ends too early",
        Category::Syntax => "this is not JSON",
        Category::Data => "this is not a saved-facts file of this version",
    };
    format!("line {}, column {}: {what}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{
        Seen,
        limits::{DIRECTIVES, SETTINGS},
    };

    const RECORDED: &str = include_str!("../../../tests/facts/linux-recorded.json");

    /// What is said of the recorded facts after a change of them.
    fn refused(change: impl FnOnce(&mut Survey)) -> Option<String> {
        let mut survey: Survey = serde_json::from_str(RECORDED).unwrap();
        change(&mut survey);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), serde_json::to_string(&survey).unwrap()).unwrap();
        load(file.path()).err().map(|error| error.message().to_owned())
    }

    #[test]
    fn facts_that_no_host_has_are_refused() {
        assert_eq!(refused(|_| {}), None);
        let why = refused(|survey| {
            let service = survey.installs[0].service.as_mut().unwrap();
            let directive = service.directives[0].clone();
            service.directives = vec![directive; DIRECTIVES + 1];
        });
        assert!(why.as_ref().is_some_and(|why| why.contains("2001 directives")), "{why:?}");
        let why = refused(|survey| {
            let Some(Seen::Known(config)) = &mut survey.installs[0].config else { panic!() };
            let setting = config.settings[0].clone();
            config.settings = vec![setting; SETTINGS + 1];
        });
        assert!(why.as_ref().is_some_and(|why| why.contains("1001 settings")), "{why:?}");
        let length = usize::try_from(LIMIT).unwrap();
        let why = refused(|survey| survey.installs[0].name = "x".repeat(length));
        assert!(why.as_ref().is_some_and(|why| why.contains("larger than 16 MiB")), "{why:?}");
    }

    #[test]
    fn no_word_of_a_document_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, place) in [
            (r#"{"schema_version": "hunter2"}"#, "line 1, column 28"),
            ("hunter2:\n", "line 1, column 1"),
            (r#"{"hunter2"#, "line 1, column 9"),
            (r#"{"hunter2": 1}"#, "line 1, column 14"),
        ] {
            std::fs::write(file.path(), text).unwrap();
            let error = load(file.path()).unwrap_err();
            assert!(error.message().contains(place), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_the_name_of_the_file_back() {
        for (file, expected) in [
            ("/root/host.json", "/root/host.json"),
            ("/root/my facts.json", "/root/my facts.json"),
            ("a'b;id", "a'b;id"),
            ("-x", "./-x"),
        ] {
            let words = shlex::split(&judging(Path::new(file))).unwrap();
            assert_eq!(words, ["runnerup", "doctor", "--facts", expected]);
        }
    }
}
