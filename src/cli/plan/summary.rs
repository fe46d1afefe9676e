//! A plan on one screen: its steps by what they mean. Folders are one line.

use super::group::Group;
use crate::{
    cli::text::{Line, Text},
    plan::Plan,
    record::Step,
    text::shown,
};
use std::path::{Path, PathBuf};

/// The width of the groups' names, so that sentences stand in a column.
const WIDTH: usize = 15;

/// The plan's steps by what they mean.
pub(super) fn summary(plan: &Plan) -> Text {
    let mut text = Text::from("Plan");
    for group in Group::ALL {
        let steps: Vec<&Step> = plan.steps.iter().filter(|step| Group::of(step) == group).collect();
        let sentences = match group {
            Group::Folders => folders(&steps),
            _ => steps.iter().map(|step| format!("{step}")).collect(),
        };
        for (at, sentence) in sentences.into_iter().enumerate() {
            let name = if at == 0 { group.name() } else { "" };
            text.line(Line::new().text(format!("  {name:WIDTH$}{sentence}")).hang(WIDTH + 2));
        }
    }
    let count = plan.steps.len();
    if count > 0 {
        text.line(format!(
            "  {count} steps in all; -v, and Explain at the question, show each of them."
        ));
    }
    text
}

/// New folders as one sentence, without those that only lead to another; each other change by itself.
fn folders(steps: &[&Step]) -> Vec<String> {
    let mut made: Vec<&Path> = Vec::new();
    let mut sentences = Vec::new();
    for step in steps {
        match step {
            Step::Folder(folder) => made.push(&folder.path),
            other => sentences.push(format!("{other}")),
        }
    }
    let leads_on = |path: &Path| made.iter().any(|other| *other != path && other.starts_with(path));
    let ends: Vec<String> =
        made.iter().filter(|path| !leads_on(path)).map(|path| shown(PathBuf::from(path))).collect();
    if !ends.is_empty() {
        sentences.insert(0, format!("make {}", ends.join(", ")));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Folder;

    #[test]
    fn folders_are_one_line_and_what_leads_to_one_is_not_named() {
        let folder = |path: &str| {
            Step::Folder(Folder {
                path: path.into(),
                owner: None,
                mode: 0o755,
                data: false,
                shared: false,
            })
        };
        let paths = ["/opt", "/opt/circleci", "/var/opt", "/var/opt/circleci"];
        let mut steps: Vec<Step> = paths.into_iter().map(folder).collect();
        steps.push(Step::Enable { service: "circleci.service".into() });
        let all: Vec<&Step> = steps.iter().collect();
        assert_eq!(
            folders(&all),
            ["make /opt/circleci, /var/opt/circleci", "start circleci.service with the host"]
        );
        let groups: Vec<Group> = steps.iter().map(Group::of).collect();
        assert_eq!(groups.last(), Some(&Group::Service));
        assert!(groups.iter().take(4).all(|group| *group == Group::Folders));
    }
}
