//! Allowed places of the work folder and the log: not the same as other paths of the install, nor above
//! them. The account of jobs owns both, and could have set them in its configuration.

use super::real_path::real_path;
use crate::{
    Code, Command, Error, Help, Result,
    agent::{
        Layout,
        cleaned_folder::{Fate, Part, PartKind, Unfit, unfit},
    },
    host::Facts,
    platform::{
        Os,
        fs::{Kind, Provenance},
        paths::{home, state_folder},
    },
    record::{Receipt, Step, Target},
    settings::{Settings, Spec},
    text::{inner, shown},
    values::static_prefix,
};
use std::path::{Path, PathBuf};

/// Refuses a work folder or a log at the path of another part of the install, or where the doctor would
/// fail it.
///
/// # Errors
/// [`Code::ValueInvalid`] with the setting and where it came from.
pub(super) fn refuse_taken_places(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    let named = |name, path: &Path| format!("--{name} {} ({})", shown(path), settings.source(name));
    let refused = |name, path: &Path, part: &Part| {
        let what = format!(
            "{} conflicts with {} {}",
            named(name, path),
            part.kind.noun(),
            shown(&part.path)
        );
        Error::new(Code::ValueInvalid, what).help(another(name))
    };
    let os = spec.platform.os();
    let parts = parts(spec, facts);
    let workdir = static_prefix(spec.workdir.as_str());
    refuse_unreplaced(spec, settings)?;
    let is_file = |part: &&Part| part.kind != PartKind::Home && part.kind != PartKind::OtherAgent;
    let mut files = parts.iter().filter(is_file);
    if let Some(part) = files.clone().find(|part| is_in(&workdir, &part.path, os)) {
        return Err(refused("workdir", &workdir, part));
    }
    refuse_unfit(spec, settings, facts, &parts)?;
    let Some(log) = spec.log_file.as_ref().map(|path| inner(path.as_str())) else { return Ok(()) };
    let is_bad = |part: &&Part| {
        part.kind != PartKind::Log
            && (is_in(&log, &part.path, os)
                || is_in(&part.path, &log, os)
                || is_given_with(part, &log, os, facts))
    };
    if let Some(part) = files.find(is_bad) {
        return Err(refused("log-file", &log, part));
    }
    match facts.path(&log).meta {
        Some(meta) if !matches!(meta.kind, Kind::File | Kind::Link) => {
            let what =
                format!("{} is {}, where a file must be", named("log-file", &log), meta.kind);
            Err(Error::new(Code::ValueInvalid, what).help(another("log-file")))
        }
        _ => Ok(()),
    }
}

fn another(name: &str) -> &'static str {
    match name {
        "workdir" => "choose another work folder: --workdir PATH",
        _ => "choose another log file: --log-file PATH",
    }
}

/// Refuses a work folder in whose path something stands that looks as if it were replaced.
fn refuse_unreplaced(spec: &Spec, settings: &Settings) -> Result<()> {
    let Some(sign) = spec.agent.profile().unreplaced(spec.workdir.as_str()) else { return Ok(()) };
    let message = format!(
        "--workdir {} ({}): {} does not replace {sign:?} in the path of the work folder",
        spec.workdir,
        settings.source("workdir"),
        spec.agent.profile().title
    );
    Err(Error::new(Code::ValueInvalid, message).help(another("workdir")))
}

/// Refuses a work folder that is not for jobs alone, by its own path and by where links lead.
fn refuse_unfit(spec: &Spec, settings: &Settings, facts: &Facts, parts: &[Part]) -> Result<()> {
    let (os, text) = (spec.platform.os(), spec.workdir.as_str());
    let workdir = static_prefix(text);
    let is_made_inside = workdir != inner(text);
    let fate = match spec.cleanup_workdir && !is_made_inside {
        true => Fate::Emptied,
        false => Fate::Filled,
    };
    let mut real_parts = parts.to_vec();
    for part in &mut real_parts {
        part.path = real_path(&part.path, facts);
    }
    let real = real_path(&workdir, facts);
    let by_path = unfit(os, &workdir, fate, parts);
    // What a link leads to is no value that was given, and may have been put there by others.
    let (code, leads) = match by_path {
        Some(_) => (Code::ValueInvalid, String::new()),
        None => (Code::InTheWay, format!(", which leads to {},", shown(&real))),
    };
    let Some(found) = by_path.or_else(|| unfit(os, &real, fate, &real_parts)) else {
        return refuse_shared(spec, settings, facts);
    };
    let why = match fate {
        Fate::Emptied => "it is emptied after each job",
        Fate::Filled => "it belongs to the account of the jobs",
    };
    let conflict = match &found {
        Unfit::Holds(part) => format!("conflicts with {} {}", part.kind.noun(), shown(&part.path)),
        other => other.to_string(),
    };
    let source = settings.source("workdir");
    let what = format!("--workdir {} ({source}){leads} {conflict}: {why}", spec.workdir);
    let error = Error::new(code, what).help(another("workdir"));
    Err(match found {
        Unfit::System | Unfit::Home | Unfit::Holds(Part { kind: PartKind::Home, .. }) => {
            error.help("a new folder inside that one will do")
        }
        Unfit::Top | Unfit::Holds(_) => error,
    })
}

/// Refuses a work folder that another instance has: jobs of the two would remove each other's files.
fn refuse_shared(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<()> {
    let os = spec.platform.os();
    let workdir = static_prefix(spec.workdir.as_str());
    let is_shared = |folder: &Path| is_in(&workdir, folder, os) || is_in(folder, &workdir, os);
    for other in &facts.others {
        if let Some(folder) = work_folder(other, os).filter(|folder| is_shared(folder)) {
            let message = format!(
                "--workdir {} ({}) conflicts with {}, the work folder of the instance {}",
                spec.workdir,
                settings.source("workdir"),
                shown(&folder),
                other.instance
            );
            return Err(Error::new(Code::ValueInvalid, message).help(another("workdir")));
        }
    }
    Ok(())
}

/// The work folder that an instance has; none after an uninstall that kept data.
fn work_folder(receipt: &Receipt, os: Os) -> Option<PathBuf> {
    let instance = Some(receipt.instance.as_str()).filter(|name| *name != "default");
    let named = receipt.settings.get("workdir").map(|text| static_prefix(text));
    receipt
        .installed
        .then(|| named.unwrap_or_else(|| Layout::of(receipt.agent(), os, instance).workdir))
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
pub(super) fn refuse_links(spec: &Spec, steps: &[Step], facts: &Facts) -> Result<()> {
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
    if path == spec.layout.definition && spec.service.profile().starts_by_links() {
        return Err(linked_unit(spec, facts, &path));
    }
    let message = format!(
        "{} is a symbolic link, where a file of the install must be; nothing was changed",
        shown(&path)
    );
    let look = Command::shows("ls -ld", &path).then("| cat -v");
    Err(Error::new(Code::InTheWay, message)
        .help(Help::command("show its target", &look))
        .help("remove the link (its target stays), and run again"))
}

/// A unit that is masked, or linked from elsewhere, as public set-up scripts do it with
/// `systemctl enable /opt/circleci/circleci.service`.
fn linked_unit(spec: &Spec, facts: &Facts, path: &Path) -> Error {
    let unit = &spec.layout.service;
    let to = facts.path(path).link.as_deref().unwrap_or(Path::new(""));
    let is_mask = to == Path::new("/dev/null");
    let what = if is_mask { "is masked by it" } else { "is linked from there" };
    let message = format!(
        "{} is a symbolic link to {}, so {unit} {what}; nothing was changed",
        shown(path),
        shown(to)
    );
    let error = Error::new(Code::InTheWay, message);
    let undo = Command::root(if is_mask { "systemctl unmask" } else { "systemctl disable" });
    match facts.is_host {
        true => error
            .help(Help::of_program(
                undo.unit(unit, Provenance::Root),
                if is_mask { "removes the mask" } else { "removes the link; its target stays" },
            ))
            .help("then run again"),
        // A command would act on this host.
        false => error.help("remove the link in the image, and run again"),
    }
}

/// What an earlier install made may be taken away so that something of another kind takes its place.
fn is_same_place(one: &Step, other: &Step) -> bool {
    let is_restored = |step: &Step| matches!(step, Step::Restore { .. });
    let (target, other_target) = (one.target(), other.target());
    let is_same_path = target.path().is_some() && target.path() == other_target.path();
    target == other_target || is_same_path && !is_restored(one) && !is_restored(other)
}

/// What must not be in a work folder, or be the log.
fn parts(spec: &Spec, facts: &Facts) -> Vec<Part> {
    let layout = &spec.layout;
    let os = spec.platform.os();
    let files = [
        (PartKind::Binary, &layout.binary),
        (PartKind::Configuration, &layout.config),
        (PartKind::Environment, &layout.environment),
        (PartKind::Certificates, &layout.ca),
        (PartKind::Definition, &layout.definition),
    ];
    let files = files.map(|(kind, path)| Part { kind, path: path.clone() });
    let log = spec.log_file.as_ref().map(|path| inner(path.as_str()));
    let log = log.map(|path| Part { kind: PartKind::Log, path });
    let account = facts.account(spec.user.as_str());
    let known_home = account.map(|account| account.home.path.clone());
    let home = known_home.unwrap_or_else(|| home(os, spec.user.as_str()));
    let of_others = facts.others.iter().filter_map(|other| other.binary.as_ref());
    let of_others = of_others.map(|binary| &binary.path).filter(|path| **path != layout.binary);
    files
        .into_iter()
        .chain(log)
        .chain([
            Part { kind: PartKind::State, path: state_folder() },
            Part { kind: PartKind::Home, path: home },
        ])
        .chain(of_others.map(|path| Part { kind: PartKind::OtherAgent, path: path.clone() }))
        .collect()
}

/// Whether a path is a folder, or in it.
fn is_in(path: &Path, folder: &Path, os: Os) -> bool {
    comparable(path, os).starts_with(comparable(folder, os))
}

/// Whether a log's folder, which is given to the account where the install makes it, is the
/// folder of this part or above it. On other systems than Linux no folder is made for a log.
fn is_given_with(part: &Part, log: &Path, os: Os, facts: &Facts) -> bool {
    let is_folder = part.kind == PartKind::State;
    let Some(folder) = log.parent().filter(|_| os == Os::Linux && !is_folder) else {
        return false;
    };
    let is_made = facts.path(folder).meta.is_none();
    part.path.parent() == Some(folder) || is_made && part.path.starts_with(folder)
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
