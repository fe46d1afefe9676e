//! Files of variables that a unit names, with patterns filled.

use crate::platform::fs::{Root, Spot};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Most names of a folder that are compared with a pattern.
const NAMES: usize = 1000;

/// How long such a folder may take to be listed.
const LISTED: Duration = Duration::from_millis(100);

/// The files that a path stands for: itself, or of a pattern those that match, in their order. A
/// pattern that nothing matches stands for itself.
pub(super) fn matching(root: &Root, path: &Path) -> Vec<PathBuf> {
    let itself = || vec![path.to_owned()];
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return itself() };
    let Some(folder) = path.parent().filter(|_| is_pattern(name)) else { return itself() };
    let spot = root.find(folder).ok().flatten();
    let listed = spot.and_then(|spot: Spot| spot.list_some(NAMES, Instant::now() + LISTED).ok());
    let names = listed.map(|listed| listed.names).unwrap_or_default();
    let mut found: Vec<String> = names
        .iter()
        .filter_map(|name| name.to_str().map(str::to_owned))
        .filter(|found| !found.starts_with('.') || name.starts_with('.'))
        .filter(|found| matches(name.as_bytes(), found.as_bytes()))
        .collect();
    found.sort();
    if found.is_empty() {
        return itself();
    }
    found.into_iter().map(|name| folder.join(name)).collect()
}

/// Whether a name is a pattern of `glob(7)`.
fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// `glob(7)`, of one name.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on when the last star takes one more.
    let (mut at, mut of, mut star) = (0, 0, None);
    while of < name.len() {
        let taken = match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
                continue;
            }
            Some(b'?') => Some(1),
            Some(b'[') => class(&pattern[at..], name[of]),
            Some(byte) => (*byte == name[of]).then_some(1),
            None => None,
        };
        match (taken, star) {
            (Some(length), _) => (at, of) = (at + length, of + 1),
            (None, Some((begin, from))) => {
                (at, of) = (begin + 1, from + 1);
                star = Some((begin, from + 1));
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The length of a class such as `[a-z]` that has a byte.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let end = pattern.iter().skip(2).position(|byte| *byte == b']')? + 2;
    let inner = &pattern[1..end];
    let (is_not, inner) = match inner {
        [b'!' | b'^', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut has = false;
    let mut rest = inner;
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        has |= match more {
            [b'-', last, after @ ..] => {
                rest = after;
                (*first..=*last).contains(&byte)
            }
            _ => *first == byte,
        };
    }
    (has != is_not).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_are_those_of_glob() {
        for (pattern, name, expected) in [
            ("*.env", "a.env", true),
            ("*.env", "a.environment", false),
            ("a*b*c", "a-b-b-c", true),
            ("?.env", "ab.env", false),
            ("[a-c]?.env", "bz.env", true),
            ("[!a-c].env", "b.env", false),
            ("[", "[", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_of_a_pattern_come_in_their_order() {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        for name in ["b.env", "a.env", ".c.env", "d.txt"] {
            std::fs::write(folder.path().join("etc").join(name), "").unwrap();
        }
        let found = matching(&root, Path::new("/etc/*.env"));
        assert_eq!(found, [Path::new("/etc/a.env"), Path::new("/etc/b.env")]);
        for path in ["/etc/none*", "/etc/x", "/none/*"].map(Path::new) {
            assert_eq!(matching(&root, path), [path]);
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_compared(pattern in "[ab*?\\[\\]!^-]{0,12}", name in "[ab-]{0,12}") {
            matches(pattern.as_bytes(), name.as_bytes());
        }
    }
}
