//! What service managers object to in the definitions of agents.

use super::{ProbeContext, candidate::Candidate, deadline::Probe, scrub::Scrub, unit::Unit};
use crate::{
    host::{Definition, Objection, ProbeName, Provenance, Reason, Scrubbed, Seen},
    platform::fs::Kind,
    values::Manager,
};
use std::{
    collections::{BTreeMap, BTreeSet},
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
    let trusted = units.filter(|unit| unit.provenance() == Provenance::Root && is_judged(unit));
    let trusted: Vec<&Unit> = trusted.take(UNITS).collect();
    let asked = trusted.iter().map(|unit| (unit.name.clone(), Files::of(unit))).collect();
    let names = Manager::ALL.map(|manager| {
        let of_manager = trusted.iter().filter(|unit| unit.manager == manager);
        (manager, of_manager.map(|unit| unit.name.clone()).collect::<Vec<_>>())
    });
    let answer = context.start(ProbeName::UnitObjections, move |context| {
        let ask = |(manager, names): &(Manager, Vec<String>)| {
            let answer = match context.is_host {
                true => manager.profile().objections(&context.commands, names, context.limit),
                // A link in an image would lead the manager of the host out of it.
                false => Seen::not("definitions in an image are not given to this host's manager"),
            };
            (*manager, answer)
        };
        names.iter().map(ask).collect()
    });
    Begun { asked, answer }
}

/// Where systemd's generators put units, which `systemd-analyze verify` does not find: asked of one, it
/// says nothing of the others.
const GENERATED: [&str; 3] =
    ["/run/systemd/generator.early", "/run/systemd/generator", "/run/systemd/generator.late"];

/// Whether its manager judges it: by its name, and where it is a file that it finds, which a mask is
/// not.
fn is_judged(unit: &Unit) -> bool {
    let is_found = |definition: &Definition| {
        let walk = &definition.walk;
        walk.end.is_some_and(|end| end.kind == Kind::File)
            && !GENERATED.iter().any(|folder| walk.path.starts_with(folder))
    };
    unit.manager.profile().judges(&unit.name) && unit.definitions.first().is_some_and(is_found)
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
            let why = match unit.provenance() {
                Provenance::Root => "the manager does not read a definition of this kind or name",
                _ => {
                    "another account than root could have written a part of the definition, so its \
                     manager was not asked to read it"
                }
            };
            return Seen::not(why);
        };
        if let Some((_, Seen::Unseen(unseen))) = answer {
            return Seen::Unseen(unseen.clone());
        }
        let of_unit = all.iter().filter_map(|objection| {
            let file = files.named(&objection.file)?;
            Some(Objection {
                file: file.to_owned(),
                line: objection.line,
                message: Scrubbed::text(&own_words(unit, file, objection), scrub),
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

    /// The file as the model names it.
    fn named(&self, shown: &Path) -> Option<&Path> {
        self.0.get(shown).map(PathBuf::as_path)
    }
}

/// The manager's own words of a message, and nothing that it repeats of the line, which may be a
/// secret: names of keys and sections are shown, and words of letters that the line does not hold.
fn own_words(unit: &Unit, file: &Path, objection: &Objection<String>) -> String {
    let of_file = || unit.directives.iter().filter(|directive| directive.file == file);
    let names = of_file().flat_map(|directive| [directive.section.as_str(), &directive.key]);
    let names: BTreeSet<&str> = names.chain(["="]).filter(|name| !name.is_empty()).collect();
    let line = of_file().rfind(|directive| directive.line <= objection.line);
    let value = line.map_or("", |directive| directive.value.as_str());
    let held: BTreeSet<&str> = value.split(|c: char| !c.is_ascii_alphabetic()).collect();
    let message = objection.message.split(": ").next().unwrap_or_default();
    let mut words = Vec::new();
    for word in message.split_whitespace() {
        let bare = word.trim_end_matches([',', '.', ';', '!']);
        let inner = bare.trim_matches(['\'', '"', '[', ']']);
        let is_name = inner != bare && names.contains(inner);
        let is_letters = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !is_name && (!is_letters || held.contains(bare)) {
            break;
        }
        words.push(word);
    }
    words.join(" ").trim_end_matches(',').to_owned()
}

#[cfg(test)]
#[cfg(unix)] // Paths are whole only there.
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

    /// As version 247, 252 and 257 write them.
    #[test]
    fn nothing_that_a_line_holds_is_repeated() {
        for (line, message, told) in [
            (
                "TimeoutStopSecs=5",
                "Unknown key name 'TimeoutStopSecs' in section 'Service', ignoring.",
                "Unknown key name 'TimeoutStopSecs' in section 'Service', ignoring.",
            ),
            (
                "TimeoutStopSecs=5",
                "Unknown key 'TimeoutStopSecs' in section [Service], ignoring.",
                "Unknown key 'TimeoutStopSecs' in section [Service], ignoring.",
            ),
            ("hunter two", "Missing '=', ignoring line.", "Missing '=', ignoring line."),
            (
                "TimeoutStopSec=hunter",
                "Failed to parse time value, ignoring: hunter",
                "Failed to parse time value, ignoring",
            ),
            (
                "Environment=A=s'ecret",
                "Failed to resolve unit specifiers in 'A=s'ecret', ignoring: No",
                "Failed to resolve unit specifiers in",
            ),
            (
                "Environment=A=b%2Fhunter",
                "Failed to resolve specifiers in A=b%2Fhunter, ignoring",
                "Failed to resolve specifiers in",
            ),
            ("ReadWritePaths=/a hunter", "Failed to add hunter, ignoring", "Failed to add"),
            (
                "SetCredential=hunter/x:y",
                "Credential name \"hunter/x\" not valid, ignoring.",
                "Credential name",
            ),
            (
                "c3VwZXJzZWNyZXRrZXk=",
                "Unknown key 'c3VwZXJzZWNyZXRrZXk' in section [Service], ignoring.",
                "Unknown key",
            ),
            ("X=1", "Failed ' ä", "Failed"),
        ] {
            let unit = unit(&format!("[Service]\n{line}\n"));
            let found =
                objections(&[&unit], &[(UNIT, message)]).of(&unit, &Scrub(Secrets::default()));
            assert_eq!(found.ok().unwrap()[0].message.as_str(), told, "{line}: {message}");
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
        assert!(of(&format!("/srv/image{UNIT}")).is_empty());
        assert!(of("/etc/systemd/system/other.service").is_empty());
    }

    #[test]
    fn a_unit_that_others_could_have_written_is_not_given_to_its_manager() {
        let unit = unit("[Service]\n");
        let found = objections(&[], &[]).of(&unit, &Scrub(Secrets::default()));
        assert!(found.known().unwrap_err().why.contains("another account than root"));
    }
}
