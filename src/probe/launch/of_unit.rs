//! The command of a service's definition as its manager runs it, followed to the agent.

use super::{Run, Start, follow};
use crate::{
    host::{Launch, Provenance, Scrubbed},
    platform::{accounts, fs::Root},
    probe::{
        environment::Raw,
        program_path,
        reader::{self, Part},
        scrub::Scrub,
        unit::Unit,
    },
    service::{StartLine, StartQuery},
};
use std::path::{Path, PathBuf};

/// A service's command, and where it leads.
#[derive(Debug, Clone, Default)]
pub(in crate::probe) struct Command {
    /// Its words as the manager runs them.
    pub(in crate::probe) words: Vec<String>,
    pub(in crate::probe) run: Run,
    /// The working directory that the definition names.
    folder: Option<PathBuf>,
}

impl Command {
    /// The agent's working directory.
    pub(in crate::probe) fn folder(&self) -> Option<&Path> {
        self.run.folder.as_deref().or(self.folder.as_deref())
    }

    /// Whether the words of the agent's command line are certain: none of them comes out of a text
    /// that was read and not run.
    pub(in crate::probe) fn is_certain(&self) -> bool {
        let run = &self.run;
        let is_text = run.links.iter().any(|link| super::prefix::is_shell(&link.program));
        !run.words.is_empty() && run.unread.is_none() && !is_text
    }

    /// The way to the agent, as it is told.
    pub(in crate::probe) fn told(&self, scrub: &Scrub) -> Launch {
        Launch {
            command: Scrubbed::words(&self.run.words, scrub),
            links: self.run.links.clone(),
            unread: self.run.unread.as_ref().map(|why| scrub.text(why)),
        }
    }
}

/// The command of a definition; `variables` is what it sets.
pub(in crate::probe) fn of_unit(root: &Root, unit: &Unit, variables: &[Raw]) -> Command {
    let mut named_by = unit.provenance();
    let mut unread = None;
    let mut variable = |name: &str| match variables.iter().rev().find(|raw| raw.name == name) {
        Some(raw) => {
            named_by = named_by.and(raw.written_by);
            Some(raw.value.clone())
        }
        None => {
            unread.get_or_insert_with(|| format!("what ${{{name}}} stands for is not known"));
            None
        }
    };
    let of_file = unit.specifiers();
    let specifier = |letter| of_file(letter).or_else(|| of_host(root, letter));
    let profile = unit.manager.profile();
    let StartLine { mut words, folder } = profile.start_line(&mut StartQuery {
        service: &unit.name,
        directives: &unit.directives,
        words: unit.command(),
        specifier: &specifier,
        variable: &mut variable,
    });
    program_path::fill(root, unit, &mut words);
    if !profile.is_followed() {
        let run = Run { words: words.clone(), named_by, ..Run::default() };
        return Command { words, run, folder };
    }
    let start = Start { words: words.clone(), variables, folder: folder.clone(), named_by };
    let mut run = follow(root, &start);
    run.unread = run.unread.or(unread);
    Command { words, run, folder }
}

/// What a specifier stands for on this host, as far as its files tell.
fn of_host(root: &Root, letter: char) -> Option<String> {
    let line = |path: &str| {
        let (_, content) =
            reader::read_at(root, Path::new(path), Part::Head(4096), Provenance::Root).ok()?;
        let text = String::from_utf8_lossy(&content.bytes).into_owned();
        text.lines().next().map(|line| line.trim().to_owned())
    };
    match letter {
        'H' if root.is_host() => line("/proc/sys/kernel/hostname"),
        'H' => line("/etc/hostname"),
        'l' => of_host(root, 'H').map(|name| name.split('.').next().unwrap_or_default().to_owned()),
        'm' => line("/etc/machine-id"),
        's' => {
            let shell = accounts::find(root, "root").ok()??.shell;
            Some(shell.display().to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
#[cfg(unix)] // Paths are whole only there.
mod tests {
    use super::*;
    use crate::service::systemd::unit_text::parse;

    fn of(text: &str) -> Command {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir_all(folder.path().join("etc")).unwrap();
        std::fs::write(folder.path().join("etc/hostname"), "build-1.example\n").unwrap();
        let directives = parse(text, Path::new("/u"));
        let unit = Unit { name: "circleci@7.service".to_owned(), directives, ..Unit::default() };
        let variables = crate::probe::environment::of_unit(&root, &unit, None, Vec::new()).set;
        of_unit(&root, &unit, &variables)
    }

    #[test]
    fn a_command_is_filled_as_systemd_does() {
        let text = "[Service]\nWorkingDirectory=-/srv/%i\nEnvironment=\"A=a b\" C=/c.yaml\n\
            ExecStart=/opt/circleci-runner machine -c ${C} $A x${A}y $$5 %l-%i %%\n";
        let command = of(text);
        let expected = [
            "/opt/circleci-runner",
            "machine",
            "-c",
            "/c.yaml",
            "a",
            "b",
            "xa by",
            "$5",
            "build-1-7",
            "%",
        ];
        assert_eq!(command.words, expected);
        assert_eq!((command.run.words, command.run.unread), (command.words, None));
    }

    #[test]
    fn a_variable_that_is_not_known_makes_no_path() {
        let command = of("[Service]\nExecStart=/opt/circleci-runner machine -c ${C}\n");
        assert_eq!(command.run.unread.as_deref(), Some("what ${C} stands for is not known"));
    }
}
