//! Allowed places of the work folder and the log: not the same as other paths of the install, nor above
//! them. The account of jobs owns both, and could have set them in its configuration.

use crate::{
    Code, Command, Error, Help, Result,
    host::Facts,
    platform::{Os, fs::Kind, paths::state_folder},
    record::{Step, Target},
    settings::{Settings, Spec},
    text::{inner, shown},
    values::static_prefix,
};
use std::path::{Path, PathBuf};

/// Refuses a work folder or a log at the path of another part of the install.
///
/// # Errors
/// [`Code::ValueInvalid`] with the setting and where it came from.
pub(super) fn refuse_taken_places(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    let refused = |name, path: &Path, taken: &Taken| {
        let what = format!(
            "--{name} {} ({}) conflicts with {} {}",
            shown(path),
            settings.source(name),
            taken.what,
            shown(&taken.path)
        );
        let (folder, file) = (
            "choose another work folder: --workdir PATH",
            "choose another log file: --log-file PATH",
        );
        Error::new(Code::ValueInvalid, what).help(if name == "workdir" { folder } else { file })
    };
    let os = spec.platform.os();
    let all = taken(spec);
    let workdir = static_prefix(spec.workdir.as_str());
    if let Some(taken) = all.iter().find(|taken| taken.collides(&workdir, os)) {
        return Err(refused("workdir", &workdir, taken));
    }
    let Some(log) = spec.log_file.as_ref().map(|path| inner(path.as_str())) else { return Ok(()) };
    let is_bad = |taken: &&Taken| taken.collides(&log, os) || taken.is_given_with(&log, os, facts);
    match all.iter().find(is_bad) {
        Some(taken) => Err(refused("log-file", &log, taken)),
        None => Ok(()),
    }
}

/// Refuses a plan with two steps for the same target.
///
/// # Errors
/// [`Code::StepFailed`]: it is a fault of the planner.
pub(super) fn refuse_twice(steps: &[Step]) -> Result<()> {
    for (at, step) in steps.iter().enumerate() {
        if steps.iter().skip(at + 1).any(|later| is_same_place(step, later)) {
            let target = step.target();
            return Err(Error::new(
                Code::StepFailed,
                format!("internal error: two steps of the plan change {target}"),
            )
            .help("nothing was changed; please report this error with the plan as JSON"));
        }
    }
    Ok(())
}

/// Refuses a link at the path of a file that is written, such as `systemctl link` makes for a unit.
pub(super) fn refuse_links(steps: &[Step], facts: &Facts) -> Result<()> {
    let written = |step: &Step| {
        matches!(step, Step::File(_) | Step::Binary(_))
            .then(|| step.target().path().map(Path::to_owned))
    };
    let mut paths = steps.iter().filter_map(written).flatten();
    let is_ours = |path: &PathBuf| {
        let link = Target::Link(path.clone());
        facts.receipt.as_ref().is_some_and(|receipt| receipt.record(&link).is_some())
    };
    let is_link = |path: &PathBuf| facts.path(path).is(Kind::Link) && !is_ours(path);
    let Some(path) = paths.find(is_link) else { return Ok(()) };
    let message = format!(
        "{} is a symbolic link, where a file of the install must be; nothing was changed",
        shown(&path)
    );
    let look = Command::shows("ls -ld", &path).then("| cat -v");
    Err(Error::new(Code::InTheWay, message)
        .help(Help::command("show its target", &look))
        .help("remove the link (its target stays), and run again"))
}

/// What an earlier install made may be taken away so that something of another kind takes its place.
fn is_same_place(one: &Step, other: &Step) -> bool {
    let is_restored = |step: &Step| matches!(step, Step::Restore { .. });
    let (target, other_target) = (one.target(), other.target());
    let is_same_path = target.path().is_some() && target.path() == other_target.path();
    target == other_target || is_same_path && !is_restored(one) && !is_restored(other)
}

/// A place that something else of the install has.
struct Taken {
    what: &'static str,
    path: PathBuf,
    is_folder: bool,
}

fn taken(spec: &Spec) -> Vec<Taken> {
    let layout = &spec.layout;
    let files = [
        ("the agent's binary", &layout.binary),
        ("the agent's configuration", &layout.config),
        ("the service's environment", &layout.environment),
        ("the certificates", &layout.ca),
        ("the service's definition", &layout.definition),
    ];
    let files = files.map(|(what, path)| Taken { what, path: path.clone(), is_folder: false });
    let state = Taken { what: "the state folder", path: state_folder(), is_folder: true };
    files.into_iter().chain([state]).collect()
}

impl Taken {
    /// Whether a path is this place, above it or below it.
    fn collides(&self, path: &Path, os: Os) -> bool {
        let (ours, path) = (comparable(&self.path, os), comparable(path, os));
        ours.starts_with(&path) || path.starts_with(&ours)
    }

    /// Whether a log's folder, which is given to the account where the install makes it, is the
    /// folder of this place or above it. On other systems than Linux no folder is made for a log.
    fn is_given_with(&self, log: &Path, os: Os, facts: &Facts) -> bool {
        let Some(folder) = log.parent().filter(|_| os == Os::Linux && !self.is_folder) else {
            return false;
        };
        let is_made = facts.path(folder).meta.is_none();
        self.path.parent() == Some(folder) || is_made && self.path.starts_with(folder)
    }
}

/// The file systems of the other systems know one name in all cases of its letters.
fn comparable(path: &Path, os: Os) -> PathBuf {
    match os {
        Os::Linux => path.to_owned(),
        Os::Darwin | Os::Windows => path.to_string_lossy().to_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stands_in_a_plan_once() {
        let enable = |name: &str| Step::Enable { service: name.into() };
        let link = |path: &str| Step::Link { path: path.into(), to: "/x".into() };
        refuse_twice(&[enable("a"), enable("b"), link("/a"), link("/b")]).unwrap();
        let settled = Step::SetPermissions(crate::record::SetPermissions {
            path: "/a".into(),
            folder: true,
            owner: None,
            mode: 0o755,
            judged: None,
            only_if_empty: false,
        });
        for steps in [[enable("a"), enable("a")], [link("/a"), link("/a")], [link("/a"), settled]] {
            assert_eq!(refuse_twice(&steps).unwrap_err().code(), Code::StepFailed);
        }
    }
}
