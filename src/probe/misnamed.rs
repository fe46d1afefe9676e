//! Definitions of agents that their manager never reads, because of the names of their files.

use super::unit::{LIMIT, Unit};
use crate::{platform::fs::Root, values::Manager};

/// The services that were meant, each by the name that its file should have.
pub(super) fn find(root: &Root) -> Vec<Unit> {
    let mut found: Vec<Unit> = Vec::new();
    for manager in Manager::ALL {
        for unread in manager.profile().unread(root) {
            let mut unit = Unit::of_one_file(unread.service, manager);
            let mut left = LIMIT;
            unit.read(root, &unread.file, &mut left);
            if unit.runs_agent() && found.iter().all(|other| other.name != unit.name) {
                found.push(unit);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an editor, a careful hand and one that forgot the end name them.
    #[test]
    fn a_file_of_another_name_counts_by_what_it_runs() {
        let text = "[Service]\nExecStart=/opt/circleci/circleci-launch-agent --config /c.yaml\n";
        for (name, content, expected) in [
            ("circleci.service.txt", text, Some("circleci.service")),
            ("circleci.service.bak", text, Some("circleci.service")),
            ("runner.service~", text, Some("runner.service")),
            ("circleci", text, Some("circleci.service")),
            ("circleci.txt", text, Some("circleci.service")),
            ("circleci.txt", "notes on circleci-launch-agent\n", None),
            ("circleci.socket", text, None),
            (".circleci.service.swp", text, None),
        ] {
            let (folder, root) = crate::platform::fs::empty_root();
            let units = folder.path().join("etc/systemd/system");
            std::fs::create_dir_all(units.join("circleci.old")).unwrap();
            std::fs::write(units.join(name), content).unwrap();
            let found: Vec<String> = find(&root).into_iter().map(|unit| unit.name).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{name}");
        }
    }
}
