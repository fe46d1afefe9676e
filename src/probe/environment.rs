//! The variables that a service gives its agent, and what of them may be kept.

use super::{
    agent_words::is_literal,
    environment_files,
    reader::{self, Part},
    scrub::Scrub,
    unit::Unit,
};
use crate::{
    agent::{is_agents_variable, is_token_variable},
    host::{
        Assigned, Directive, Effective, Misread, Misreading, PathWalk, Provenance, Scrubbed, Seen,
        Variable,
    },
    platform::fs::Root,
    service::systemd::{
        environment_file::{self, Assignment},
        environment_line, meant,
        specifiers::Specifiers,
        words::split,
    },
    text::REDACTED,
};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Most bytes of an environment file that are read.
const LIMIT: u64 = 256 << 10;

/// Most environment files of a unit that are read.
const FILES: usize = 32;

/// Most variables of one file, and of one unit, that are kept. An account may have written them.
const OF_FILE: usize = 64;
const OF_UNIT: usize = 128;

/// Most lines of a unit that are told of.
const MISREAD: usize = 20;

/// Words that a shell takes in front of an assignment.
const KEYWORDS: [&str; 5] = ["export", "set", "declare -x", "setenv", "env"];

/// Longest value that is kept, in bytes. A part of one would be another value.
const VALUE: usize = 16 << 10;

/// Variables whose values help to understand a trouble and hold no secret but a proxy's login.
pub const KEPT: [&str; 16] = [
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "TMPDIR",
    "PATH",
    "HOME",
    "USER",
    "GODEBUG",
    "TZ",
];

/// CircleCI's own variables begin so.
const CIRCLECI: &str = "CIRCLECI_";

/// A variable as it is set, secrets included: never kept.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) source: String,
    /// Who could have set it.
    pub(super) written_by: Provenance,
}

/// A file that a service's variables come from.
#[derive(Clone)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) optional: bool,
    pub(super) walk: Seen<PathWalk>,
    /// Who could have named it.
    pub(super) named_by: Provenance,
}

/// The variables of a unit.
#[derive(Default)]
pub(super) struct OfUnit {
    /// In the order in which they count.
    pub(super) set: Vec<Raw>,
    /// Those whose value has a specifier that only the host knows, without it.
    pub(super) unknown: Vec<Raw>,
    /// The files that they come from.
    pub(super) files: Vec<File>,
    /// Lines that set something else than they say.
    pub(super) misread: Vec<Misread>,
}

/// The variables of a unit by its definition; where the manager told what is in force, that counts,
/// and the definition says where it comes from.
///
/// `base` is what the manager gives every service.
pub(super) fn of_unit(
    root: &Root,
    unit: &Unit,
    told: Option<&Effective<String>>,
    base: Vec<Raw>,
) -> OfUnit {
    let mut lines = Lines::default();
    let specifiers = unit.specifiers();
    let specifiers = Specifiers { unit: &unit.name, of_host: &specifiers };
    let in_service = unit.directives.iter().filter(|directive| directive.section == "Service");
    for directive in in_service {
        match (directive.key.as_str(), directive.value.as_str()) {
            ("Environment", "") => {
                lines.set.clear();
                lines.misread.clear();
            }
            ("EnvironmentFile", "") => lines.files.clear(),
            ("UnsetEnvironment", "") => lines.unset.clear(),
            ("UnsetEnvironment", value) => lines.unset.extend(split(value)),
            ("Environment", _) => lines.environment(unit, directive, &specifiers),
            ("EnvironmentFile", value) => lines.file(unit, directive, value, &specifiers),
            _ => {}
        }
    }
    let (set, unknown) = match told {
        Some(told) => (lines.in_force(unit, told), Vec::new()),
        None => {
            // Of several to one name the last one counts.
            let mut names = HashSet::new();
            let last = lines.set.iter().rev().filter(|(raw, _)| names.insert(raw.name.as_str()));
            let mut last: Vec<_> = last.cloned().collect();
            last.reverse();
            let (known, unknown): (Vec<_>, Vec<_>) =
                last.into_iter().partition(|(_, known)| *known);
            let raws = |all: Vec<(Raw, bool)>| all.into_iter().map(|(raw, _)| raw).collect();
            (raws(known), raws(unknown))
        }
    };
    let set = base.into_iter().chain(set).collect();
    let mut of_unit = OfUnit { set, unknown, misread: lines.misread, ..OfUnit::default() };
    let mut from_files: Vec<Raw> = Vec::new();
    let named = lines.files.into_iter().flat_map(|(path, optional, named_by)| {
        let all = environment_files::matching(root, &path).into_iter();
        all.map(move |path| (path, optional, named_by))
    });
    for (path, optional, named_by) in named.take(FILES) {
        let walk = match reader::read_at(root, &path, Part::Head(LIMIT), named_by) {
            Ok((walk, content)) => {
                let text = String::from_utf8_lossy(&content.bytes);
                let whole = text.rsplit_once('\n').filter(|_| content.cut);
                let text = whole.map_or(&*text, |(whole, _)| whole);
                let written_by = named_by.and(walk.written_by());
                let (set, misread) = of_file(text, &path, written_by);
                from_files.extend(limited(last_of_each(set), OF_FILE));
                of_unit.misread.extend(misread);
                Seen::Known(walk)
            }
            Err(_) => reader::walk(root, &path, named_by, None).into(),
        };
        of_unit.files.push(File { path, optional, walk, named_by });
    }
    // What a file sets counts before what the unit sets: systemd.exec(5).
    of_unit.unknown.retain(|raw| from_files.iter().all(|other| other.name != raw.name));
    of_unit.set.extend(from_files);
    let unset = told.map_or(lines.unset, |told| told.unset_environment.clone());
    of_unit.set.retain(|raw| !unset.contains(&raw.name));
    of_unit.unknown.retain(|raw| !unset.contains(&raw.name));
    of_unit.set = limited(of_unit.set, OF_UNIT);
    // An account may have written them.
    of_unit.misread.sort_by_key(|misread| !misread.matters);
    of_unit.misread.truncate(MISREAD);
    of_unit
}

/// What the lines of a unit say of its environment.
#[derive(Default)]
struct Lines {
    /// Each with whether its value is known, and not only as it is written.
    set: Vec<(Raw, bool)>,
    /// Path, whether it may be missing, and who named it.
    files: Vec<(PathBuf, bool, Provenance)>,
    /// Names that are taken out at the end.
    unset: Vec<String>,
    misread: Vec<Misread>,
}

impl Lines {
    fn environment(
        &mut self,
        unit: &Unit,
        directive: &Directive<String>,
        specifiers: &Specifiers<'_>,
    ) {
        let line = environment_line::read(&directive.value, specifiers);
        let misread = |variable: Option<String>, what| Misread {
            file: directive.file.clone(),
            line: directive.line,
            key: directive.key.clone(),
            matters: variable.as_deref().is_none_or(matters),
            variable,
            what,
        };
        for (variable, what) in line.dropped {
            self.misread.push(misread(variable, what));
        }
        let source = format!("{}:{}", directive.file.display(), directive.line);
        for set in line.set {
            let meant = meant::of_assignment(&set.name, &set.written, true);
            self.misread.extend(meant.map(|what| misread(Some(set.name.clone()), what)));
            let is_known = set.value.is_some();
            let value = set.value.unwrap_or(set.written);
            let written_by = unit.written_by(&directive.file);
            let raw = Raw { name: set.name, value, source: source.clone(), written_by };
            self.set.push((raw, is_known));
        }
    }

    fn file(
        &mut self,
        unit: &Unit,
        directive: &Directive<String>,
        value: &str,
        specifiers: &Specifiers<'_>,
    ) {
        let (optional, path) = match value.strip_prefix('-') {
            Some(path) => (true, path),
            None => (false, value),
        };
        // What is no path from the root on is no file to systemd.
        if let Some(path) = specifiers.fill(path).ok().filter(|path| path.starts_with('/')) {
            self.files.push((path.into(), optional, unit.written_by(&directive.file)));
        }
    }

    /// The variables that are in force, each with the line that sets it.
    fn in_force(&self, unit: &Unit, told: &Effective<String>) -> Vec<Raw> {
        let raw = |set: &Assigned<String>| {
            let value = set.value.clone()?;
            let line = self.set.iter().rev().map(|(raw, _)| raw).find(|raw| raw.name == set.name);
            let source = line.map_or_else(|| unit.name.clone(), |raw| raw.source.clone());
            let written_by = line.map_or_else(|| unit.provenance(), |raw| raw.written_by);
            Some(Raw { name: set.name.clone(), value, source, written_by })
        };
        told.environment.iter().filter_map(raw).collect()
    }
}

/// Variables of a process, of which the last of a name counts here as well.
pub(super) fn of_process(all: Vec<Raw>) -> Vec<Raw> {
    limited(last_of_each(all), OF_UNIT)
}

/// The assignments that count, of several to one name.
fn last_of_each(set: Vec<Raw>) -> Vec<Raw> {
    let mut names = HashSet::new();
    let mut last: Vec<Raw> =
        set.into_iter().rev().filter(|raw| names.insert(raw.name.clone())).collect();
    last.reverse();
    last
}

/// At most so many, in their order; first those that mean something to an agent, then tokens.
fn limited(mut set: Vec<Raw>, most: usize) -> Vec<Raw> {
    set.retain(|raw| raw.value.len() <= VALUE);
    if set.len() <= most {
        return set;
    }
    let rank = |raw: &Raw| match raw.name.as_str() {
        name if KEPT.contains(&name) => 0,
        name if matters(name) => 1,
        name if is_token(name) => 2,
        _ => 3,
    };
    let mut all: Vec<(usize, Raw)> = set.into_iter().enumerate().collect();
    // Of a rank the last ones: they count.
    all.sort_by_key(|(at, raw)| (rank(raw), std::cmp::Reverse(*at)));
    all.truncate(most);
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, raw)| raw).collect()
}

/// The same without secrets.
pub(super) fn kept(raw: &[Raw], scrub: &Scrub) -> Vec<Variable> {
    let variable = |raw: &Raw| {
        let value = Scrubbed::variable(&raw.name, &raw.value, scrub);
        Variable {
            name: raw.name.clone(),
            secret: Some(value.as_ref().is_some_and(|value| value.as_str() != raw.value)),
            value,
            source: raw.source.clone(),
            written_by: raw.written_by,
        }
    };
    raw.iter().map(variable).collect()
}

/// The same behind those that a script sets to what only a run tells.
pub(super) fn with_unknown(raw: &[Raw], unknown: &[Raw], scrub: &Scrub) -> Vec<Variable> {
    let untold = |raw: &Raw| Variable {
        name: raw.name.clone(),
        value: None,
        secret: None,
        source: raw.source.clone(),
        written_by: raw.written_by,
    };
    unknown.iter().map(untold).chain(kept(raw, scrub)).collect()
}

/// The value of an `Environment=` directive without secrets.
pub(super) fn shown(value: &str, scrub: &Scrub) -> String {
    let shown = split(value).into_iter().map(|word| match word.split_once('=') {
        Some((name, value)) => {
            format!("{name}={}", shown_value(name, value, scrub).unwrap_or(REDACTED.to_owned()))
        }
        // Quotes that are not closed made a word of the rest of a value.
        None => REDACTED.to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Whether an `Environment=` directive sets a variable that holds the agent's token.
pub(super) fn sets_token(value: &str) -> bool {
    split(value).iter().any(|word| {
        let set = word.split_once('=');
        set.is_some_and(|(name, value)| is_token_variable(name) && is_literal(value))
    })
}

/// Whether a variable holds a token by its name.
pub(super) fn is_token(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["TOKEN", "PASSWORD", "SECRET", "API_KEY"].iter().any(|word| name.contains(word))
}

/// Whether a variable means something to an agent.
pub(super) fn matters(name: &str) -> bool {
    KEPT.contains(&name) || name.starts_with(CIRCLECI) || is_agents_variable(name)
}

pub(super) fn shown_value(name: &str, value: &str, scrub: &Scrub) -> Option<String> {
    if is_token(name) {
        return Some(if value.is_empty() { String::new() } else { REDACTED.to_owned() });
    }
    matters(name).then(|| scrub.text(value))
}

/// The variables of an environment file, and what of it is passed over.
fn of_file(text: &str, path: &Path, written_by: Provenance) -> (Vec<Raw>, Vec<Misread>) {
    let (mut set, mut all) = (Vec::new(), Vec::new());
    for assignment in environment_file::read(text) {
        let misread = |name: &str, what| Misread {
            file: path.to_owned(),
            line: assignment.line,
            key: String::new(),
            matters: matters(name),
            variable: environment_line::is_name(name).then(|| name.to_owned()),
            what,
        };
        if assignment.is_taken() {
            let meant = meant::of_assignment(&assignment.name, &assignment.value, false);
            all.extend(meant.map(|what| misread(&assignment.name, what)));
            let source = format!("{}:{}", path.display(), assignment.line);
            let Assignment { name, value, .. } = assignment;
            set.push(Raw { name, value, source, written_by });
        } else {
            let (before, name) = assignment.name.rsplit_once([' ', '\t']).unwrap_or_default();
            let keyword = KEYWORDS.contains(&before).then(|| before.to_owned());
            all.push(match keyword {
                Some(keyword) => misread(name, Misreading::Keyword(keyword)),
                None => misread("", Misreading::BadName),
            });
        }
    }
    (set, all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::systemd::unit_text::parse;

    #[test]
    fn tokens_and_passwords_do_not_stay() {
        let scrub = Scrub::default();
        let value =
            "LAUNCH_AGENT_API_AUTH_TOKEN=hunter2 HTTPS_PROXY=http://a:pw@p:1 FOO=bar TMPDIR=/x";
        assert_eq!(
            shown(value, &scrub),
            "LAUNCH_AGENT_API_AUTH_TOKEN=*** HTTPS_PROXY=http://a:***@p:1 FOO=*** TMPDIR=/x"
        );
        let raw =
            [("A_SECRET_TOKEN", "x"), ("OTHER", "y"), ("PATH", "/a b")].map(|(name, value)| {
                let (name, value, source) = (name.to_owned(), value.to_owned(), "u:1".to_owned());
                Raw { name, value, source, written_by: Provenance::Root }
            });
        let values: Vec<_> = kept(&raw, &scrub).into_iter().map(|v| v.value).collect();
        assert_eq!(values, [Some("***".into()), None, Some("/a b".into())]);
    }

    #[test]
    fn files_count_before_the_unit() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("env"), "# x\nA=\"file\"\n B='c d'\n").unwrap();
        let root = Root::open(folder.path()).unwrap();
        let text = "[Service]\nEnvironmentFile=/env\nEnvironment=A=unit\nEnvironmentFile=-/none\n";
        let directives = parse(text, Path::new("/u"));
        let unit = Unit { directives, ..Unit::default() };
        let OfUnit { set: raw, files, .. } = of_unit(&root, &unit, None, Vec::new());
        let values: Vec<_> =
            raw.iter().map(|raw| (raw.name.as_str(), raw.value.as_str())).collect();
        assert_eq!(values, [("A", "unit"), ("A", "file"), ("B", "c d")]);
        assert_eq!(files.iter().map(|file| file.optional).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn what_is_in_force_counts_and_keeps_its_source() {
        let (_folder, root) = crate::platform::fs::empty_root();
        let text = "[Service]\nEnvironment=A=%40 B=unit\nEnvironment=C=%H D=x, y\n\
                    UnsetEnvironment=LANG\n";
        let directives = parse(text, Path::new("/u"));
        let unit = Unit { name: "a.service".into(), directives, ..Unit::default() };
        let raw = |name: &str, source: &str| Raw {
            name: name.to_owned(),
            value: "base".to_owned(),
            source: source.to_owned(),
            written_by: Provenance::Root,
        };
        let base = || vec![raw("LANG", "manager"), raw("B", "manager"), raw("Z", "manager")];
        let told = Effective {
            environment: ["B=unit", "C=host-1", "D=x,"]
                .map(|set| set.split_once('=').unwrap())
                .map(|(name, value)| Assigned { name: name.into(), value: Some(value.into()) })
                .to_vec(),
            unset_environment: vec!["LANG".to_owned()],
            ..Effective::default()
        };
        let shown = |of_unit: &OfUnit| -> Vec<String> {
            let shown = |raw: &Raw| format!("{}={} {}", raw.name, raw.value, raw.source);
            of_unit.set.iter().map(shown).collect()
        };
        let live = of_unit(&root, &unit, Some(&told), base());
        let known = ["B=base manager", "Z=base manager", "B=unit /u:2"];
        assert_eq!(shown(&live), [&known[..], &["C=host-1 /u:3", "D=x, /u:3"]].concat());
        // What an image does not tell is not known.
        let image = of_unit(&root, &unit, None, base());
        assert_eq!(shown(&image), [&known[..], &["D=x, /u:3"]].concat());
        assert_eq!(image.unknown.iter().map(|raw| raw.name.as_str()).collect::<Vec<_>>(), ["C"]);
        for of_unit in [live, image] {
            let misread: Vec<_> = of_unit.misread.into_iter().map(|own| own.what).collect();
            let percent = Misreading::NoSpecifier("%40".to_owned());
            assert_eq!(misread, [percent, Misreading::NoAssignment(1)]);
        }
    }

    #[test]
    fn no_file_has_more_variables_than_are_kept() {
        let root = crate::platform::fs::empty_root();
        let many = |line: fn(usize) -> String| (0..2000).map(line).collect::<String>();
        let path = "PATH=/a\nPATH=/b\n".to_owned();
        let long = format!("HOME=/{}\nTMPDIR=/t\n", "x".repeat(VALUE));
        let tokens = many(|at| format!("A_TOKEN_{at}=a1b2c3d4e5f6a7b8{at}\n"));
        let proxies = many(|at| format!("HTTPS_PROXY=http://u:a1b2c3d4e5f6a7b8{at}@h\n"));
        std::fs::write(root.0.path().join("env"), path + &tokens + &proxies + &long).unwrap();
        let line = "EnvironmentFile=/env\n".repeat(4 * FILES);
        let directives = parse(&format!("[Service]\n{line}"), Path::new("/u"));
        let unit = Unit { directives, ..Unit::default() };
        let OfUnit { set: raw, files, .. } = of_unit(&root.1, &unit, None, Vec::new());
        assert_eq!((raw.len(), files.len()), (OF_UNIT, FILES));
        let last =
            |name: &str| raw.iter().rfind(|raw| raw.name == name).map(|variable| &*variable.value);
        assert_eq!(last("PATH"), Some("/b"));
        assert_eq!(last("HTTPS_PROXY"), Some("http://u:a1b2c3d4e5f6a7b81999@h"));
        assert_eq!((last("TMPDIR"), last("HOME")), (Some("/t"), None));
    }
}
