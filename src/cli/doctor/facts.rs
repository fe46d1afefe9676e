//! Facts that travel: saved without a secret, judged anywhere.

use crate::{
    Code, Error, Result,
    cli::Output,
    facts::survey::{SCHEMA_VERSION, Survey},
};
use std::{
    fs::{self, File, OpenOptions},
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
    let failed = |error: std::io::Error| {
        Error::new(Code::HostUnfit, format!("{} cannot be written: {error}", file.display()))
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let temporary = file.with_file_name(name);
    let written = create(&temporary)
        .and_then(|mut open| open.write_all(facts.as_bytes()).and_then(|()| open.sync_all()))
        .and_then(|()| fs::rename(&temporary, file));
    if let Err(error) = written {
        // What cannot be removed either is told by the error that comes first.
        let _ = fs::remove_file(&temporary);
        return Err(failed(error));
    }
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
        File::open(file).and_then(|open| open.take(LIMIT).read_to_string(&mut text))
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

fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
