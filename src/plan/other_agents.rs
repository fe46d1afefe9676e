//! Another agent, or one of a package, in the place of the one that is planned: two agents of one
//! instance share a name, an account and often a token, and CircleCI shows them as one.

use crate::{
    Code, Command, Error, Help, Result,
    agent::{Kind, Layout},
    host::Facts,
    platform::Os,
    record::Receipt,
    settings::Spec,
    text::shown,
    values::InstanceName,
};
use std::path::{Path, PathBuf};

/// Folders for units of packages, and of launch-agent's documentation.
const UNIT_FOLDERS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// Paths by which [`refuse_other_agent`] knows one.
pub(super) fn places(spec: &Spec) -> impl Iterator<Item = PathBuf> {
    definitions(spec).map(|(_, path)| path)
}

/// Where another agent of the instance, or one of a package, would be defined.
fn definitions(spec: &Spec) -> impl Iterator<Item = (Kind, PathBuf)> {
    let instance = spec.instance.as_ref().map(InstanceName::as_str);
    let os = spec.platform.os();
    Kind::ALL.into_iter().flat_map(move |kind| {
        let Layout { definition, service, .. } = Layout::of(kind, os, instance);
        // Launch-agent has no package: its documentation has people put its unit there.
        let has_units = os == Os::Linux && (kind != spec.agent || !kind.profile().updates_itself);
        let units = UNIT_FOLDERS.into_iter().filter(move |_| has_units);
        let units = units.map(move |folder| Path::new(folder).join(&service));
        // On macOS both have one place, which launchd's own check knows.
        let definition = Some(definition).filter(|path| *path != spec.layout.definition);
        definition.into_iter().chain(units).map(move |path| (kind, path))
    })
}

/// Refuses an install beside another kind of agent of the same instance, and over a package's.
///
/// # Errors
/// [`Code::InTheWay`].
pub(super) fn refuse_other_agent(spec: &Spec, facts: &Facts) -> Result<()> {
    let installed = facts.receipt.as_ref().filter(|receipt| receipt.installed).map(Receipt::agent);
    if let Some(other) = installed.filter(|kind| *kind != spec.agent) {
        let message = format!("{} is installed as this instance", other.profile().title);
        return Err(refusal(message, spec));
    }
    let mut definitions = definitions(spec);
    let Some((kind, path)) = definitions.find(|(_, path)| facts.path(path).meta.is_some()) else {
        return Ok(());
    };
    let (title, path) = (kind.profile().title, shown(&path));
    let message = match kind == spec.agent {
        true => {
            let unit = shown(&spec.layout.definition);
            format!("{title} of a package is here: {unit} would hide its unit, {path}")
        }
        false => format!("{title} is here already, defined by {path}"),
    };
    Err(refusal(message, spec))
}

fn refusal(message: String, spec: &Spec) -> Error {
    let beside = match spec.instance {
        None => "for a second agent beside it: --instance NAME",
        Some(_) => "for a second agent beside it, give --instance another name",
    };
    let doctor = Command::root("runnerup doctor");
    Error::new(Code::InTheWay, message)
        .help(beside)
        .help(Help::of_program(doctor, "examines the one that is here"))
}
