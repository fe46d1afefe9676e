//! Facts that travel: saved without a secret, judged anywhere.

use crate::{
    Code, Error, Result,
    cli::Output,
    facts::survey::{SCHEMA_VERSION, Survey},
    platform::{fs::Root, input},
};
use std::{
    io::{Read, Write},
    path::Path,
};

/// Most bytes of saved facts that are read.
const LIMIT: u64 = 64 << 20;

/// Writes the survey, for the caller alone, without any known secret.
pub(super) fn save(file: &Path, survey: &Survey, out: &Output) -> Result<()> {
    let facts = out.json(survey)?;
    if file == Path::new("-") {
        return out.json_result(&facts);
    }
    place(file, facts.as_bytes()).map_err(|error| {
        error.recode(Code::HostUnfit).context(format!("{} cannot be written", file.display()))
    })?;
    out.note(&format!("facts saved: runnerup doctor --facts {}", file.display()));
    Ok(())
}

/// Reads saved facts.
pub(super) fn load(file: &Path) -> Result<Survey> {
    let unusable = |why: String| {
        Error::new(Code::FactsInvalid, format!("{}: {why}", file.display()))
            .help("on the host: sudo runnerup doctor --save-facts host.json")
    };
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LIMIT).read_to_string(&mut text)
    } else {
        input::open(file).and_then(|open| open.take(LIMIT).read_to_string(&mut text))
    };
    read.map_err(|error| unusable(error.to_string()))?;
    let survey: Survey =
        serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    if survey.schema_version != SCHEMA_VERSION {
        let version = survey.schema_version;
        return Err(unusable(format!("facts of the form {version}, not {SCHEMA_VERSION}")));
    }
    Ok(survey)
}

/// Puts a file in place, whole or not at all. Its folder may belong to others, who can put any
/// name there before or meanwhile: the temporary has a name that nobody knows before, and only
/// what was made here is taken away again.
fn place(file: &Path, content: &[u8]) -> Result<()> {
    let lost = |error: std::io::Error| Error::new(Code::HostUnfit, error.to_string());
    let root = Root::open(Path::new("/"))?;
    let spot = root.find(&std::path::absolute(file).map_err(lost)?)?;
    let spot = spot.ok_or_else(|| Error::new(Code::HostUnfit, "its folder is not there"))?;
    let random = getrandom::u64().map_err(std::io::Error::other).map_err(lost)?;
    let temporary = spot.sibling(format!(".runnerup-{random:016x}"))?;
    let mut open = temporary.create(0o600)?;
    let made = temporary.look()?;
    let written = open.write_all(content).and_then(|()| open.sync_all()).map_err(lost);
    written.and_then(|()| temporary.rename_to(&spot)).inspect_err(|_| {
        let now = temporary.look().ok().flatten();
        if now.zip(made).is_some_and(|(now, made)| now.is_same_file(&made)) {
            // What cannot be removed either is told by the error that comes first.
            let _ = temporary.remove();
        }
    })
}
