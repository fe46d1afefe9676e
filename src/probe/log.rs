//! The last lines of an agent's log.

use super::{
    reader::{self, Part},
    scrub::Scrub,
    start_log,
};
use crate::{
    Code, Error, Result,
    host::{LogLine, Provenance, Scrubbed, Seen},
    platform::{
        command::{Call, Commands},
        fs::Root,
        privilege::is_privileged,
    },
};
use std::{path::Path, time::Duration};

/// How many lines are kept.
const LINES: usize = 40;

/// Most bytes of a log file that are read, from its end.
const LIMIT: u64 = 64 << 10;

/// The last lines, and when the last one was written, in seconds since 1970.
pub(super) type Log = (Seen<Vec<LogLine>>, Option<i64>);

/// From the file that `named_by` named. Its lines are shown, so it must be the account's own.
pub(super) fn of_file(root: &Root, path: &Path, named_by: Provenance, scrub: &Scrub) -> Log {
    match tail(root, path, named_by) {
        Ok((text, written)) => (Seen::Known(last_lines(&text, scrub)), Some(written)),
        Err(error) => (Seen::not(error.message()), None),
    }
}

fn tail(root: &Root, path: &Path, named_by: Provenance) -> Result<(String, i64)> {
    let walk = reader::walk(root, path, named_by, None)?;
    let meta = walk.end.ok_or_else(|| {
        Error::new(Code::InTheWay, format!("the log {} is not there", path.display()))
    })?;
    reader::may_echo(root, &walk, named_by)?;
    let content = reader::read(root, &walk, Part::Tail(LIMIT), named_by)?;
    let text = String::from_utf8_lossy(&content.bytes).into_owned();
    Ok((text, meta.identity.2 / 1_000_000_000))
}

/// From the journal, for an agent that writes to its standard output.
/// With what systemd itself says of starts that failed; `programs` are those that the unit runs.
pub(super) fn of_unit(
    commands: &dyn Commands,
    unit: &str,
    programs: &[String],
    limit: Duration,
    scrub: &Scrub,
) -> (Log, Vec<Scrubbed>) {
    let count = LINES.to_string();
    let args =
        ["--no-pager", "--quiet", "--output", "short-unix", "--lines", &count, "--unit", unit];
    match commands.run(&Call::new("journalctl", args).within(limit)) {
        Ok(answer) => {
            let last = answer.stdout.lines().last().and_then(|line| line.split('.').next());
            let written = last.and_then(|seconds| seconds.parse().ok());
            // `1700000000.123456 host program[1]: words`
            let words = answer
                .stdout
                .lines()
                .map(|line| line.split_once("]: ").map_or(line, |(_, words)| words));
            let text: Vec<&str> = words.collect();
            let starts = start_log::of(&answer.stdout, unit, programs);
            let starts = starts.iter().map(|line| Scrubbed::text(line, scrub)).collect();
            ((Seen::Known(last_lines(&text.join("\n"), scrub)), written), starts)
        }
        // Of root's journals journalctl shows nothing to others, and ends with 1.
        Err(_) if !is_privileged() => {
            ((Seen::not("root and its journal's group alone may read it"), None), Vec::new())
        }
        Err(error) => ((Err::<Vec<LogLine>, _>(error).into(), None), Vec::new()),
    }
}

fn last_lines(text: &str, scrub: &Scrub) -> Vec<LogLine> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let kept = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    // A secret of the configuration may be made of known texts.
    kept.iter().map(|line| LogLine::of(Scrubbed::text(line, scrub).as_str())).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_log_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text: String =
            (0..20_000).map(|n| format!("12:00:{:02} line {n}: no such host\n", n % 60)).collect();
        std::fs::write(folder.path().join("log"), text).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let account = Provenance::Account(rustix::process::geteuid().as_raw());
        let (lines, written) = of_file(&root, Path::new("/log"), account, &Scrub::default());
        let lines = lines.ok().unwrap();
        assert_eq!(
            (lines.len(), lines.last().unwrap().as_str()),
            (LINES, "12:00:19 … no such host")
        );
        assert!(written.is_some());
    }
}
