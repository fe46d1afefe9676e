//! The texts of scripts: each command of a shell's, and what another language's gives away.

use super::words::{Part, of};
use crate::host::Ending;

/// Words of a script that a command may follow.
const KEYWORDS: [&str; 11] =
    ["then", "do", "else", "elif", "if", "while", "until", "!", "{", "time", "&"];

/// Names in programs of any language by which providers' libraries end a machine.
const CALLS: [&str; 12] = [
    "terminate_instances",
    "TerminateInstances",
    "TerminateInstancesCommand",
    "terminate-instances",
    "stop_instances",
    "StopInstances",
    "StopInstancesCommand",
    "stop-instances",
    "begin_deallocate",
    "beginDeallocate",
    "terminate_instance_in_auto_scaling_group",
    "set_instance_health",
];

/// All that a shell's script does.
pub(crate) fn of_text(text: &str) -> Vec<Part> {
    parts(text, 0)
}

/// The same, `depth` commands deep.
pub(super) fn parts(text: &str, depth: usize) -> Vec<Part> {
    let text = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut all: Vec<Part> = Vec::new();
    for words in commands(&text) {
        let is_before = |word: &&&str| KEYWORDS.contains(*word) || is_assignment(word);
        let words = words.iter().map(String::as_str).collect::<Vec<_>>();
        let at = words.iter().take_while(is_before).count();
        for part in of(words.get(at..).unwrap_or_default(), depth) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
    }
    all
}

/// What a program in another language does, by the words in it; it may do anything.
pub(crate) fn of_foreign(text: &str) -> Ending {
    let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || sign == '-';
    let words = || text.split(|sign| !is_part(sign));
    match () {
        () if words().any(|word| CALLS.contains(&word)) => Ending::Terminate,
        () if words().any(|word| matches!(word, "poweroff" | "PowerOff")) => Ending::PowerOff,
        () if text.contains("shutdown -") || text.contains("shutdown now") => Ending::PowerOff,
        () => Ending::Unread,
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The simple commands of a script, each as its words. Comments are left out; what stands in quotes
/// is one word.
fn commands(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let mut quote = None;
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, quote) {
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.push(c),
            ('"' | '\'', None) => quote = Some(sign),
            ('#', None) if word.is_empty() => while signs.next_if(|c| *c != '\n').is_some() {},
            (';' | '&' | '|' | '(' | ')' | '`' | '\n', None) => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                all.push(std::mem::take(&mut words));
            }
            (c, None) if c.is_whitespace() => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            (c, None) => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    all.push(words);
    all
}
