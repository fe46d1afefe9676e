//! A unit of an agent: the files that define it, and what they say.

use super::{
    environment::Raw,
    reader::{self, Part},
    scrub::Scrub,
};
use crate::{
    Result,
    agent::Kind as Agent,
    host::{
        Definition, Directive, Misread, PathWalk, Provenance, Scrubbed, Seen, limits::DIRECTIVES,
    },
    platform::fs::{Kind, Root},
    service::systemd::{
        drop_ins::template_of,
        meant,
        specifiers::{Specifiers, instantiated},
        unit_text::{command, parse},
        untrusted::Search,
    },
    values::Manager,
};
use std::path::{Path, PathBuf};

/// Most bytes of a unit that are read, all of its files together: an account may have written some
/// of them.
pub(super) const LIMIT: u64 = 512 << 10;

/// Most files of a unit that are looked at.
pub(super) const FILES: usize = 100;

/// A unit, unread by anyone but us.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    pub(super) name: String,
    pub(super) manager: Manager,
    pub(super) definitions: Vec<Definition>,
    /// As in [`Service`](crate::host::Service).
    pub(super) strange_parts: Seen<Vec<PathWalk>>,
    pub(super) directives: Vec<Directive<String>>,
    /// What it runs, where no directive has to be split for that.
    pub(super) command: Option<Vec<String>>,
    /// Its environment, where that stands in no directive.
    pub(super) variables: Vec<Raw>,
}

impl Unit {
    /// Whether it is an agent's, by its name or by what it names.
    pub(super) fn is_agents(&self) -> bool {
        self.name.starts_with("circleci") || self.runs_agent()
    }

    /// Whether it names an agent's program.
    pub(super) fn runs_agent(&self) -> bool {
        self.directives.iter().any(|directive| {
            directive.key.starts_with("Exec") && Agent::named_in(&directive.value).is_some()
        })
    }

    /// One whose manager reads nothing but its own file.
    pub(super) fn of_one_file(name: String, manager: Manager) -> Self {
        Self { name, manager, strange_parts: Seen::Known(Vec::new()), ..Self::default() }
    }

    /// Looks for what else could have been written by others than root.
    pub(super) fn search(&self, root: &Root, search: &mut Search<'_>) -> Result<Vec<PathWalk>> {
        let is_read = |path: &PathBuf| {
            self.definitions.iter().any(|definition| definition.walk.path == *path)
        };
        let found = search.of(&self.name)?.into_iter().filter(|path| !is_read(path));
        found.take(FILES).map(|path| root.walk(&path)).collect()
    }

    pub(super) fn read(&mut self, root: &Root, path: &Path, left: &mut u64) {
        if self.definitions.len() >= FILES {
            let last = self.definitions.last_mut();
            last.into_iter().for_each(|last| {
                last.failure =
                    Some(format!("the unit has more than {FILES} files: the rest was not read"));
            });
            return;
        }
        let walk = root.walk(path);
        let mut definition = Definition {
            walk: PathWalk { path: path.to_owned(), ..PathWalk::default() },
            failure: None,
        };
        match walk.and_then(|walk| {
            definition.walk = walk;
            // Its folder is the manager's own: the name is nobody else's.
            reader::read(root, &definition.walk, Part::Head(*left), Provenance::Root)
        }) {
            Ok(content) => {
                *left = left.saturating_sub(content.bytes.len() as u64);
                let mut directives = parse(&String::from_utf8_lossy(&content.bytes), path);
                if template_of(&self.name).is_some() {
                    for directive in &mut directives {
                        directive.value =
                            instantiated(&directive.key, &directive.value, &self.name);
                    }
                }
                let room = DIRECTIVES.saturating_sub(self.directives.len());
                if content.cut || directives.len() > room {
                    definition.failure = Some(format!(
                        "the unit has more than {LIMIT} bytes or {DIRECTIVES} lines: the rest was \
                         not read"
                    ));
                }
                self.directives.extend(directives.into_iter().take(room));
            }
            // It is masked: an administrator took it away on purpose.
            Err(_) if definition.walk.leads_to_null() => {}
            Err(error) => definition.failure = Some(error.message().to_owned()),
        }
        self.definitions.push(definition);
    }

    /// The command line that it runs, word by word.
    pub(super) fn command(&self) -> Vec<String> {
        if let Some(command) = &self.command {
            return command.clone();
        }
        let filled = |word: String| self.filled(&word).replace("$$", "$");
        command(&self.directives).into_iter().map(filled).collect()
    }

    /// What specifiers stand for that differ from unit to unit, and are not in its name.
    pub(super) fn specifiers(&self) -> impl Fn(char) -> Option<String> {
        let file = self.definitions.first().map(|definition| definition.walk.path.clone());
        let name = self.name.clone();
        move |letter| match letter {
            'y' => Some(file.as_ref()?.display().to_string()),
            'Y' => Some(file.as_ref()?.parent()?.display().to_string()),
            'd' => Some(format!("/run/credentials/{name}")),
            _ => None,
        }
    }

    /// A value with its specifiers filled in, as far as they are known.
    pub(super) fn filled(&self, value: &str) -> String {
        let of_host = self.specifiers();
        let specifiers = Specifiers { unit: &self.name, of_host: &of_host };
        specifiers.fill(value).unwrap_or_else(|_| value.to_owned())
    }

    /// Its lines that systemd takes otherwise than they are meant, but for those about variables.
    pub(super) fn misread(&self) -> Vec<Misread> {
        let of_host = self.specifiers();
        let specifiers = Specifiers { unit: &self.name, of_host: &of_host };
        let misread = |line: &Directive<String>| {
            let what = meant::of_directive(line, &specifiers)?;
            let (file, line, key) = (line.file.clone(), line.line, line.key.clone());
            Some(Misread { file, line, key, variable: None, matters: true, what })
        };
        let in_force = self.directives.iter().enumerate().filter(|(at, line)| {
            let mut later = self.directives[at + 1..].iter();
            !later.any(|later| meant::takes_back(later, line))
        });
        in_force.filter_map(|(_, line)| misread(line)).take(FILES).collect()
    }

    /// Who could have written a file of the definition.
    pub(super) fn written_by(&self, file: &Path) -> Provenance {
        let of_file = self.definitions.iter().find(|definition| definition.walk.path == file);
        of_file.map_or(Provenance::Anybody, |definition| definition.walk.written_by())
    }

    /// Who could have written any part of the definition.
    pub(super) fn provenance(&self) -> Provenance {
        let definitions = self.definitions.iter().map(|definition| {
            let walk = &definition.walk;
            // No file, as a mask is none: who could put another one there still counts.
            let is_file = walk.end.is_some_and(|end| end.kind == Kind::File);
            if is_file { walk.written_by() } else { walk.replaceable_by }
        });
        let others = match &self.strange_parts {
            Seen::Known(parts) => parts.iter().map(PathWalk::made_by).collect(),
            Seen::Unseen(_) => vec![Provenance::Anybody],
        };
        definitions.chain(others).fold(Provenance::Root, Provenance::and)
    }

    /// Its directives as they may be told.
    pub(super) fn scrubbed(directives: Vec<Directive<String>>, scrub: &Scrub) -> Vec<Directive> {
        let value = |directive: &Directive<String>| match directive.key.as_str() {
            "Environment" => Scrubbed::assignments(&directive.value, scrub),
            "SetCredential" | "SetCredentialEncrypted" => Scrubbed::credential(&directive.value),
            // No directive: it may be the rest of one that held a secret.
            "" => Scrubbed::nothing(),
            _ => Scrubbed::text(&shortened(&directive.value), scrub),
        };
        let scrubbed = |directive: Directive<String>| Directive {
            value: value(&directive),
            file: directive.file,
            line: directive.line,
            section: directive.section,
            key: directive.key,
            kind: directive.kind,
        };
        directives.into_iter().map(scrubbed).collect()
    }
}

/// A long value tells nothing more than its beginning.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(2000) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}
