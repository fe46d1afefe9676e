//! What service managers object to in the definitions of agents.

use super::{ProbeContext, candidate::Candidate, deadline::Probe, scrub::Scrub, units::Unit};
use crate::{
    host::{Objection, ProbeName, Provenance, Reason, Scrubbed, Seen},
    values::Manager,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Most definitions that are asked of: more are no agents of one host.
const UNITS: usize = 128;

/// Most objections of a unit that are kept.
const KEPT: usize = 50;

/// The files of a definition that its manager is asked of, by all the paths that it may name them by.
struct Files(BTreeMap<PathBuf, PathBuf>);

/// What each manager answered.
type Answers = Vec<(Manager, Seen<Vec<Objection<String>>>)>;

/// The definitions that managers were asked of, and the answer that is under way.
pub(super) struct Begun {
    asked: BTreeMap<String, Files>,
    answer: Probe<Answers>,
}

/// What the managers answered.
pub(super) struct Objections {
    asked: BTreeMap<String, Files>,
    answer: Seen<Answers>,
}

/// Asks the managers to read the definitions that nobody but root could have written.
pub(super) fn begin(context: &ProbeContext, candidates: &[Candidate]) -> Begun {
    let units = candidates.iter().filter_map(|candidate| candidate.unit.as_ref());
    let trusted = units.filter(|unit| unit.provenance() == Provenance::Root).take(UNITS);
    let trusted: Vec<&Unit> = trusted.collect();
    let asked = trusted.iter().map(|unit| (unit.name.clone(), Files::of(unit))).collect();
    let names = Manager::ALL.map(|manager| {
        let of_manager = trusted.iter().filter(|unit| unit.manager == manager);
        (manager, of_manager.map(|unit| unit.name.clone()).collect::<Vec<_>>())
    });
    let answer = context.start(ProbeName::UnitObjections, move |context| {
        let image = (!context.is_host).then_some(&*context.root);
        let ask = |(manager, names): &(Manager, Vec<String>)| {
            let profile = manager.profile();
            (*manager, profile.objections(&context.commands, names, image, context.limit))
        };
        names.iter().map(ask).collect()
    });
    Begun { asked, answer }
}

impl Begun {
    /// Waits for the answers.
    pub(super) fn done(self) -> Objections {
        Objections { asked: self.asked, answer: self.answer.seen() }
    }
}

impl Objections {
    /// Those to one definition.
    pub(super) fn of(&self, unit: &Unit, scrub: &Scrub) -> Seen<Vec<Objection>> {
        let answers = match &self.answer {
            Seen::Known(answers) => answers,
            Seen::Unseen(unseen) => return Seen::Unseen(unseen.clone()),
        };
        let answer = answers.iter().find(|(manager, _)| *manager == unit.manager);
        let all = match answer {
            Some((_, Seen::Known(all))) => all,
            Some((_, Seen::Unseen(unseen))) if unseen.reason == Reason::NotApplicable => {
                return Seen::Unseen(unseen.clone());
            }
            _ => &Vec::new(),
        };
        let Some(files) = self.asked.get(&unit.name) else {
            return Seen::not(
                "another account than root could have written a part of the definition, so its \
                 manager was not asked to read it",
            );
        };
        if let Some((_, Seen::Unseen(unseen))) = answer {
            return Seen::Unseen(unseen.clone());
        }
        let of_unit = all.iter().filter_map(|objection| {
            let file = files.named(&objection.file)?;
            let message = own_words(unit, file, &objection.message);
            Some(Objection {
                file: file.to_owned(),
                line: objection.line,
                message: Scrubbed::text(message, scrub),
            })
        });
        Seen::Known(of_unit.take(KEPT).collect())
    }
}

impl Files {
    fn of(unit: &Unit) -> Self {
        let walks = unit.definitions.iter().map(|definition| &definition.walk);
        let both = |path: &Path, walk: &Path| (path.to_owned(), walk.to_owned());
        Self(
            walks
                .flat_map(|walk| [both(&walk.path, &walk.path), both(&walk.real, &walk.path)])
                .filter(|(path, _)| path.is_absolute())
                .collect(),
        )
    }

    /// The file as the model names it. Of an image, systemd puts the image's folder in front.
    fn named(&self, shown: &Path) -> Option<&Path> {
        let is_it = |path: &Path| {
            path == shown || path.strip_prefix("/").is_ok_and(|inner| shown.ends_with(inner))
        };
        self.0.iter().find(|(path, _)| is_it(path)).map(|(_, named)| &**named)
    }
}

/// systemd's own words of a message: what it repeats of the line, which may be a secret, stands
/// behind a colon or between quotes. The names of the key and of the section are shown anyway.
fn own_words<'a>(unit: &Unit, file: &Path, message: &'a str) -> &'a str {
    let message = message.split(": ").next().unwrap_or_default();
    let lines = unit.directives.iter().filter(|directive| directive.file == file);
    let names: Vec<&str> = lines
        .flat_map(|directive| [directive.section.as_str(), directive.key.as_str()])
        .filter(|name| !name.is_empty() && !name.contains('\''))
        .collect();
    let mut from = 0;
    while let Some(open) = message.get(from..).and_then(|rest| rest.find('\'')) {
        let quoted = from + open + 1;
        let rest = message.get(quoted..).unwrap_or_default();
        // `Missing '='` repeats nothing.
        let is_known =
            |name: &&str| rest.strip_prefix(*name).is_some_and(|rest| rest.starts_with('\''));
        match names.iter().copied().chain(["="]).find(is_known) {
            Some(name) => from = quoted + name.len() + 1,
            None => return message.get(..quoted - 1).unwrap_or_default().trim_end(),
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host::{Definition, PathWalk},
        service::systemd::unit_text::parse,
        text::Secrets,
    };

    const UNIT: &str = "/etc/systemd/system/circleci.service";

    fn unit(text: &str) -> Unit {
        let walk = PathWalk { path: UNIT.into(), real: UNIT.into(), ..PathWalk::default() };
        Unit {
            definitions: vec![Definition { walk, failure: None }],
            directives: parse(text, Path::new(UNIT)),
            ..Unit::of_one_file("circleci.service".into(), Manager::default())
        }
    }

    fn objections(asked: &[&Unit], answer: &[(&str, &str)]) -> Objections {
        let objection = |(file, message): &(&str, &str)| Objection {
            file: file.into(),
            line: 2,
            message: (*message).to_owned(),
        };
        let answer = Seen::Known(answer.iter().map(objection).collect());
        Objections {
            asked: asked.iter().map(|unit| (unit.name.clone(), Files::of(unit))).collect(),
            answer: Seen::Known(vec![(Manager::default(), answer)]),
        }
    }

    #[test]
    fn nothing_that_a_line_holds_is_repeated() {
        let unit = unit("[Service]\nTimeoutStopSecs=5\nEnvironment=TOKEN=s'ecret\n");
        for (message, told) in [
            (
                "Unknown key name 'TimeoutStopSecs' in section 'Service', ignoring.",
                "Unknown key name 'TimeoutStopSecs' in section 'Service', ignoring.",
            ),
            ("Missing '=', ignoring line.", "Missing '=', ignoring line."),
            (
                "Invalid environment assignment, ignoring: s'ecret",
                "Invalid environment assignment, ignoring",
            ),
            (
                "Failed to resolve unit specifiers in 'TOKEN=s'ecret', ignoring: No",
                "Failed to resolve unit specifiers in",
            ),
            ("Failed to resolve 'Service-secret'", "Failed to resolve"),
            ("Failed to resolve ' ä", "Failed to resolve"),
        ] {
            assert_eq!(own_words(&unit, Path::new(UNIT), message), told);
        }
    }

    #[test]
    fn an_objection_is_told_of_the_unit_whose_file_it_names() {
        let unit = unit("[Service]\nX=5\n");
        let of = |file: &str| {
            let found = objections(&[&unit], &[(file, "Unknown key.")])
                .of(&unit, &Scrub(Secrets::default()));
            found.ok().unwrap().iter().map(|objection| objection.file.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(UNIT), [Path::new(UNIT)]);
        assert_eq!(of(&format!("/srv/image{UNIT}")), [Path::new(UNIT)]);
        assert!(of("/etc/systemd/system/other.service").is_empty());
    }

    #[test]
    fn a_unit_that_others_could_have_written_is_not_given_to_its_manager() {
        let unit = unit("[Service]\n");
        let found = objections(&[], &[]).of(&unit, &Scrub(Secrets::default()));
        assert!(found.known().unwrap_err().why.contains("another account than root"));
    }
}
