//! Quarantine and Gatekeeper.

use crate::{
    Result,
    platform::command::{Call, Commands},
    text::shown,
};
use std::path::Path;

/// The attribute that keeps a downloaded program from being run unasked.
pub const QUARANTINE: &str = "com.apple.quarantine";

/// Whether a program is kept from being run.
///
/// # Errors
/// When that cannot be asked.
pub fn is_quarantined(commands: &dyn Commands, binary: &Path) -> Result<bool> {
    let asked = commands.answer(&Call::new("xattr", ["-p", QUARANTINE, &shown(binary)]))?;
    Ok(asked.code == Some(0))
}

/// Takes a binary that was verified out of quarantine; one that is not in it stays as it is.
///
/// # Errors
/// When it is in quarantine and cannot be taken out.
pub fn release(commands: &dyn Commands, binary: &Path) -> Result<()> {
    if !is_quarantined(commands, binary)? {
        return Ok(());
    }
    commands.run(&Call::new("xattr", ["-d", QUARANTINE, &shown(binary)])).map(drop)
}

/// What Gatekeeper says of a binary, such as `accepted, source=Notarized Developer ID`; `None`
/// where it cannot be asked.
pub fn verdict(commands: &dyn Commands, binary: &Path) -> Option<String> {
    let path = shown(binary);
    let answer =
        commands.answer(&Call::new("spctl", ["-a", "-vvv", "-t", "install", &path])).ok()?;
    let text = format!("{}{}", answer.stderr, answer.stdout);
    let output = text.lines().filter_map(|line| {
        let word = line.strip_prefix(&path).map_or(line, |rest| rest.trim_start_matches(':'));
        let word = word.trim();
        (!word.is_empty()).then(|| word.to_owned())
    });
    Some(output.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::command::Script;

    #[test]
    fn only_what_is_in_quarantine_is_taken_out() {
        let path = Path::new("/opt/circleci/agent");
        let free = Script::new(&[("xattr -p com.apple.quarantine /opt/circleci/agent", 1, "")]);
        release(&free, path).unwrap();
        free.assert_done();
        let held = Script::new(&[
            ("xattr -p com.apple.quarantine /opt/circleci/agent", 0, "0081;;Safari;"),
            ("xattr -d com.apple.quarantine /opt/circleci/agent", 0, ""),
        ]);
        release(&held, path).unwrap();
        held.assert_done();
    }

    #[test]
    fn a_verdict_is_one_line() {
        let script = Script::new(&[(
            "spctl -a -vvv -t install /opt/agent",
            0,
            "/opt/agent: accepted\nsource=Notarized Developer ID\norigin=Circle\n",
        )]);
        let verdict = verdict(&script, Path::new("/opt/agent")).unwrap();
        assert_eq!(verdict, "accepted, source=Notarized Developer ID, origin=Circle");
    }
}
