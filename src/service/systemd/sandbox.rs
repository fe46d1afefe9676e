//! Directives by which a unit sees other folders than the host: `systemd.exec(5)`, "Sandboxing", and
//! `src/core/namespace.c` of systemd for what counts where several of them name a path.

use super::{truth::is_off, unit_text::split};
use crate::host::Directive;
use std::collections::BTreeMap;

/// The directives, which are also the names of properties.
pub(crate) const KEYS: [&str; 17] = [
    "BindPaths",
    "BindReadOnlyPaths",
    "CacheDirectory",
    "ConfigurationDirectory",
    "DynamicUser",
    "ExecPaths",
    "InaccessiblePaths",
    "LogsDirectory",
    "NoExecPaths",
    "PrivateTmp",
    "ProtectHome",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RuntimeDirectory",
    "StateDirectory",
    "TemporaryFileSystem",
];

/// Those of one value.
const SINGLE: [&str; 4] = ["DynamicUser", "PrivateTmp", "ProtectHome", "ProtectSystem"];

/// What `DynamicUser=` implies: of these `systemctl show` tells by itself.
const IMPLIED: [(&str, &str); 3] =
    [("PrivateTmp", "yes"), ("ProtectHome", "read-only"), ("ProtectSystem", "strict")];

/// The words of each directive, by its key.
pub(crate) type Words = BTreeMap<String, Vec<String>>;

/// What the lines of a unit set, where systemd was not asked; words with a specifier are left out.
pub(crate) fn of_lines<Value: AsRef<str>>(lines: &[Directive<Value>]) -> Words {
    let mut all = Words::new();
    for line in lines.iter().filter(|line| line.section == "Service") {
        let (key, value) = (line.key.as_str(), line.value.as_ref());
        if !KEYS.contains(&key) {
            continue;
        }
        let words = all.entry(key.to_owned()).or_default();
        if value.is_empty() || SINGLE.contains(&key) {
            words.clear();
        }
        words.extend(split(value).into_iter().filter(|word| !word.contains('%')));
    }
    if is_set(&all, "DynamicUser") {
        for (key, value) in IMPLIED {
            let words = all.entry(key.to_owned()).or_default();
            // A stricter one stays.
            let is_weaker = words.first().is_none_or(|word| match key {
                "ProtectSystem" => word != "strict" && word != "full",
                _ => is_off(word),
            });
            if is_weaker {
                *words = vec![value.to_owned()];
            }
        }
    }
    all
}

/// Whether a directive with a truth is on.
pub(crate) fn is_set(words: &Words, key: &str) -> bool {
    words.get(key).and_then(|words| words.first()).is_some_and(|word| !is_off(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Words {
        let text = format!("[Service]\n{text}");
        of_lines(&super::super::unit_text::parse(&text, std::path::Path::new("/u")))
    }

    #[test]
    fn lists_are_put_together_and_the_last_value_counts() {
        let words = of("ReadWritePaths=/a\nReadWritePaths=\nReadWritePaths=-/b \"/c d\" /%i\n\
                        ProtectHome=yes\nProtectHome=no\nUser=x\n");
        assert_eq!(words["ReadWritePaths"], ["-/b", "/c d"]);
        assert_eq!(words["ProtectHome"], ["no"]);
        assert!(!is_set(&words, "ProtectHome") && !words.contains_key("User"));
    }

    /// As `systemctl show` of 247, 252 and 257 tells them.
    #[test]
    fn a_dynamic_account_implies_a_sandbox() {
        let words = of("DynamicUser=yes\nProtectSystem=full\nProtectHome=tmpfs\n");
        let word = |key: &str| words[key][0].as_str();
        assert_eq!((word("ProtectSystem"), word("ProtectHome")), ("full", "tmpfs"));
        let words = of("DynamicUser=1\nProtectHome=no\n");
        let word = |key: &str| words[key][0].as_str();
        assert_eq!(
            (word("ProtectSystem"), word("ProtectHome"), word("PrivateTmp")),
            ("strict", "read-only", "yes")
        );
        assert!(!of("DynamicUser=no\n").contains_key("ProtectHome"));
    }
}
