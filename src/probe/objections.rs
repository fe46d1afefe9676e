//! What systemd objects to in the units of agents.

use super::{ProbeContext, candidate::Candidate, deadline::Probe, scrub::Scrub, units::Unit};
use crate::{
    host::{Objection, ProbeName, Provenance, Scrubbed, Seen},
    platform::{Os, command::Commands},
    service::systemd::verify::{self, PROGRAM, objections},
    values::Manager,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Most units that systemd is asked of: more are no agents of one host.
const UNITS: usize = 128;

/// Most objections of a unit that are kept.
const KEPT: usize = 50;

/// The files of a unit that systemd is asked of, by all the paths that it may name them by.
struct Files(BTreeMap<PathBuf, PathBuf>);

/// The units of which nothing is asked, or not yet known.
pub(super) struct Begun {
    asked: BTreeMap<String, Files>,
    answer: Probe<Seen<Vec<verify::Objection>>>,
}

/// Asks systemd to read the units that nobody but root could have written.
pub(super) fn begin(context: &ProbeContext, candidates: &[Candidate]) -> Begun {
    let units = candidates.iter().filter_map(|candidate| candidate.unit.as_ref());
    let asked: BTreeMap<String, Files> = units
        .filter(|unit| unit.manager == Manager::Systemd && unit.provenance() == Provenance::Root)
        .take(UNITS)
        .map(|unit| (unit.name.clone(), Files::of(unit)))
        .collect();
    let names: Vec<String> = asked.keys().cloned().collect();
    let answer = context.start(ProbeName::UnitObjections, move |context| {
        if context.os != Os::Linux || context.commands.find(PROGRAM).is_none() {
            return Seen::not(format!("there is no {PROGRAM} on this host"));
        }
        let image = (!context.is_host).then_some(&*context.root);
        match objections(&context.commands, &names, image, context.limit) {
            // Before version 250 it looks into no image.
            Err(error) if !context.is_host => {
                Seen::not(format!("{PROGRAM} of this host did not examine the image: {error}"))
            }
            answer => Seen::from(answer),
        }
    });
    Begun { asked, answer }
}

/// What systemd answered.
pub(super) struct Objections {
    asked: BTreeMap<String, Files>,
    answer: Seen<Vec<verify::Objection>>,
}

impl Begun {
    /// Waits for the answer.
    pub(super) fn done(self) -> Objections {
        Objections { asked: self.asked, answer: self.answer.flat() }
    }
}

impl Objections {
    /// Those to one unit.
    pub(super) fn of(&self, unit: &Unit, scrub: &Scrub) -> Seen<Vec<Objection>> {
        if unit.manager != Manager::Systemd {
            return Seen::not_applicable("it is not a unit of systemd");
        }
        let Some(files) = self.asked.get(&unit.name) else {
            return Seen::not(
                "another account than root could have written a part of the unit, so systemd was \
                 not asked to read it",
            );
        };
        let all = match &self.answer {
            Seen::Known(all) => all,
            Seen::Unseen(unseen) => return Seen::Unseen(unseen.clone()),
        };
        let own = all.iter().filter_map(|objection| {
            let file = files.named(&objection.file)?;
            let message = own_words(unit, file, objection);
            Some(Objection {
                file: file.to_owned(),
                line: objection.line,
                message: Scrubbed::text(message, scrub),
            })
        });
        Seen::Known(own.take(KEPT).collect())
    }
}

impl Files {
    fn of(unit: &Unit) -> Self {
        let trails = unit.definitions.iter().map(|definition| &definition.trail);
        let both = |path: &Path, trail: &Path| (path.to_owned(), trail.to_owned());
        Self(
            trails
                .flat_map(|trail| [both(&trail.path, &trail.path), both(&trail.real, &trail.path)])
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
fn own_words<'a>(unit: &Unit, file: &Path, objection: &'a verify::Objection) -> &'a str {
    let message = objection.message.split(": ").next().unwrap_or_default();
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
        host::{Definition, Trail},
        service::systemd::unit_text::parse,
        text::Secrets,
    };

    const UNIT: &str = "/etc/systemd/system/circleci.service";

    fn unit(text: &str) -> Unit {
        let trail = Trail { path: UNIT.into(), real: UNIT.into(), ..Trail::default() };
        Unit {
            definitions: vec![Definition { trail, trouble: None }],
            directives: parse(text, Path::new(UNIT)),
            ..Unit::of_one_file("circleci.service".into(), Manager::Systemd)
        }
    }

    fn objection(file: &str, message: &str) -> verify::Objection {
        verify::Objection { file: file.into(), line: 2, message: message.into() }
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
            assert_eq!(own_words(&unit, Path::new(UNIT), &objection(UNIT, message)), told);
        }
    }

    #[test]
    fn an_objection_is_told_of_the_unit_whose_file_it_names() {
        let unit = unit("[Service]\nX=5\n");
        let of = |file: &str| {
            let objections = Objections {
                asked: [(unit.name.clone(), Files::of(&unit))].into(),
                answer: Seen::Known(vec![objection(file, "Unknown key.")]),
            };
            let found = objections.of(&unit, &Scrub(Secrets::default()));
            found.ok().unwrap().iter().map(|own| own.file.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(UNIT), [Path::new(UNIT)]);
        assert_eq!(of(&format!("/srv/image{UNIT}")), [Path::new(UNIT)]);
        assert!(of("/etc/systemd/system/other.service").is_empty());
    }

    #[test]
    fn a_unit_that_others_could_have_written_is_not_given_to_systemd() {
        let unit = unit("[Service]\n");
        let objections = Objections { asked: BTreeMap::new(), answer: Seen::Known(Vec::new()) };
        let found = objections.of(&unit, &Scrub(Secrets::default()));
        assert!(found.known().unwrap_err().why.contains("another account than root"));
    }
}
