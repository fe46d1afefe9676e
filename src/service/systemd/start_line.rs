//! The command of a unit as systemd runs it: specifiers and variables filled in.

use super::{
    environment_line::is_name,
    specifiers::Specifiers,
    unit_text::{command, value},
    words::split,
};
use crate::{
    host::Directive,
    service::{StartLine, StartQuery},
};
use std::path::PathBuf;

/// Words and folder of the main command.
pub(super) fn of(query: &mut StartQuery<'_>) -> StartLine {
    let specifiers = Specifiers { unit: query.service, of_host: query.specifier };
    let fill = |text: &str| specifiers.fill(text).unwrap_or_else(|_| text.to_owned());
    let words: Vec<String> = command(query.directives).iter().map(|word| fill(word)).collect();
    let folder = value(query.directives, "Service", "WorkingDirectory");
    let folder = folder.map(|folder| fill(folder.trim_start_matches('-')));
    let folder = Some(folder.map_or_else(|| PathBuf::from("/"), PathBuf::from));
    StartLine { words: with_variables(&words, query.variable), folder }
}

/// Where systemd looks for a program that is named without a folder: `ExecSearchPath=`, or those that
/// it was built with (`systemd.exec(5)`, since 239).
pub(super) fn program_folders(directives: &[Directive<String>]) -> Vec<PathBuf> {
    const BUILT_IN: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let own = value(directives, "Service", "ExecSearchPath");
    own.unwrap_or(BUILT_IN).split(':').map(PathBuf::from).collect()
}

/// The words with variables filled in as systemd does: `${A}` within a word, `$A` as words of its
/// own, `$$` for a `$`. The program itself is never one.
fn with_variables(
    words: &[String],
    variable: &mut dyn FnMut(&str) -> Option<String>,
) -> Vec<String> {
    let mut filled: Vec<String> = words.first().cloned().into_iter().collect();
    for word in words.iter().skip(1) {
        if let Some(name) = word.strip_prefix('$').filter(|name| is_name(name)) {
            let text = variable(name).unwrap_or_default();
            filled.extend(split(&text));
            continue;
        }
        let mut text = String::new();
        let mut rest = word.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            let braced = after.strip_prefix('{').and_then(|after| after.split_once('}'));
            rest = after;
            match braced.filter(|(name, _)| is_name(name)) {
                Some((name, behind)) => {
                    text.push_str(&variable(name).unwrap_or_default());
                    rest = behind;
                }
                None => {
                    text.push('$');
                    rest = rest.strip_prefix('$').unwrap_or(rest);
                }
            }
        }
        text.push_str(rest);
        filled.push(text);
    }
    filled
}
