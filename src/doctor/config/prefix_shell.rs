//! A shell in the command prefix, which is given the words of each job behind its own text.

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "ksh", "zsh"];

/// How the shell of a prefix loses words of a job's command; `None` where it has none, or passes all.
///
/// `sh -c TEXT NAME ARGUMENT…`: the text alone is run, and knows the words behind it as `$0`, `$1` and so
/// on (POSIX, sh).
pub(super) fn lost<Word: AsRef<str>>(prefix: &[Word]) -> Option<&'static str> {
    let prefix: Vec<&str> = prefix.iter().map(AsRef::as_ref).collect();
    let is_shell = |word: &str| word.rsplit('/').next().is_some_and(|name| SHELLS.contains(&name));
    let shell = prefix.iter().position(|word| is_shell(word))?;
    let rest = prefix.get(shell + 1..)?;
    let takes_text =
        |word: &&str| word.starts_with('-') && !word.starts_with("--") && word.contains('c');
    let at = rest.iter().take_while(|word| word.starts_with(['-', '+'])).position(takes_text)?;
    let behind = rest.get(at + 1..).unwrap_or_default();
    let own: Vec<&str> = behind.iter().copied().skip_while(|word| word.starts_with('-')).collect();
    let passes = |text: &str| ["$@", "${@", "$*", "${*"].iter().any(|all| text.contains(all));
    let has_first = |text: &str| text.contains("$0") || text.contains("${0");
    match own.as_slice() {
        [] => Some(
            "a shell after -c runs the first word of a job's command alone, without its arguments",
        ),
        // A text may take them one by one.
        [text, ..] if !passes(text) && !text.contains("$1") => {
            Some("the text after -c does not run the job: it has no \"$@\"")
        }
        [text] if !has_first(text) => Some(
            "the first word of a job's command becomes the name of the shell, $0, and is not in \"$@\"",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_is_given_must_reach_the_job() {
        for (words, expected) in [
            (vec!["bash", "-lc"], true),
            (vec!["sh", "-c", "exec \"$@\""], true),
            (vec!["sh", "-c", "exec \"$@\"", "job"], false),
            (vec!["sh", "-c", "exec \"$0\" \"$@\""], false),
            (vec!["sudo", "-niHu", "ci", "--", "/bin/bash", "-l", "-c", "true", "x"], true),
            (vec!["nice", "/bin/bash", "-c", "umask 027; exec \"$@\"", "bash"], false),
            (vec!["sudo", "-niHu", "ci", "--"], false),
            (vec!["bash", "/opt/wrap"], false),
            (vec!["/opt/sh"], false),
            (vec![], false),
        ] {
            assert_eq!(lost(&words).is_some(), expected, "{words:?}");
        }
    }
}
