//! The words in front of each job.

use super::step_down::sudo_has_program;
use std::path::Path;

/// Programs that take options of their own up to `--`.
const WITH_OPTIONS: [&str; 3] = ["sudo", "runuser", "doas"];

/// Whether the program of a prefix would read the options of the task agent as its own.
pub fn prefix_lacks_end(words: &[impl AsRef<str>]) -> bool {
    let program = words.first().and_then(|word| Path::new(word.as_ref()).file_name()?.to_str());
    let takes_options = program.is_some_and(|program| WITH_OPTIONS.contains(&program));
    // `env CI=1 --` would look for a program of that name.
    let rest: Vec<&str> = words.iter().skip(1).map(AsRef::as_ref).collect();
    let is_over = program == Some("sudo") && sudo_has_program(&rest);
    takes_options && !is_over && words.last().is_none_or(|word| word.as_ref() != "--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_options_needs_an_end_of_them() {
        for (prefix, lacks) in [
            ("sudo -niHu alice --", false),
            ("sudo -niHu alice", true),
            ("/usr/bin/sudo", true),
            ("sudo CI=1 -nu alice", true),
            ("sudo -nHu alice env CI=1", false),
            ("sudo -niHu alice -- timeout 5h", false),
            ("runuser -u alice", true),
            ("/opt/circleci/launch-task", false),
            ("", false),
        ] {
            let words: Vec<&str> = prefix.split_whitespace().collect();
            assert_eq!(prefix_lacks_end(&words), lacks, "{prefix}");
        }
    }
}
