//! A program that a service names without its folder.

use super::unit::Unit;
use crate::platform::fs::Root;
use std::path::{Path, PathBuf};

/// The first of these folders that has it, with the name; `None` where none has.
pub(super) fn find(root: &Root, name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let is_there = |path: &PathBuf| root.walk(path).is_ok_and(|walk| walk.end.is_some());
    folders.iter().map(|folder| folder.join(name)).find(is_there)
}

/// Puts the path of a bare name in its place, as the manager of the unit does.
pub(super) fn fill(root: &Root, unit: &Unit, words: &mut [String]) {
    let Some(program) = words.first_mut().filter(|word| is_bare(word)) else { return };
    let folders = unit.manager.profile().program_folders(&unit.directives);
    if let Some(path) = find(root, program, &folders) {
        *program = path.display().to_string();
    }
}

/// Whether a word has no folder.
pub(super) fn is_bare(word: &str) -> bool {
    !word.is_empty() && Path::new(word).components().count() == 1 && !word.contains(['/', '\\'])
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::service::systemd::unit_text::parse;
    use std::fs;

    #[test]
    fn a_bare_name_is_looked_for_as_systemd_does() {
        let (folder, root) = crate::platform::fs::empty_root();
        for path in ["usr/local/bin/agent", "usr/bin/agent", "srv/bin/agent"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        for (lines, program, expected) in [
            ("", "agent", "/usr/local/bin/agent"),
            ("ExecSearchPath=/opt/bin:/srv/bin", "agent", "/srv/bin/agent"),
            ("ExecSearchPath=/opt/bin", "agent", "agent"),
            ("", "bin/agent", "bin/agent"),
            ("", "other", "other"),
        ] {
            let directives = parse(&format!("[Service]\n{lines}\n"), Path::new("/u"));
            let unit = Unit { directives, ..Unit::default() };
            let mut words = [program.to_owned(), "--config".to_owned()];
            fill(&root, &unit, &mut words);
            assert_eq!(words[0], expected, "{lines} {program}");
        }
    }
}
