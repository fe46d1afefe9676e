//! What others left for a unit of the agent's name: units that are read in place of the install's, and
//! drop-ins that change it.
//!
//! A drop-in of a hand-made install goes on to count for the unit that is written in place of that
//! install's: what ran in one public report was its `ExecStart`, as root, and the install said
//! "active (running)".

use super::{definition, unit_text::parse};
use crate::{
    Code, Command, Error, Help, Result,
    host::{Directive, Facts, ServiceState},
    record::Target,
    settings::Spec,
    text::shown,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

type Line = Directive<String>;

/// Refuses them where the agent that would run is not the one that is planned.
///
/// # Errors
/// [`Code::InTheWay`] with the file.
pub(super) fn refuse(spec: &Spec, facts: &Facts) -> Result<()> {
    let unit = &spec.layout.service;
    let first = facts.unit.places.first().filter(|first| **first != spec.layout.definition);
    if let Some(first) = first.filter(|first| counts_first(first)) {
        let message = format!(
            "{} defines {unit} too, and systemd reads it in place of {}; nothing was changed",
            shown(first),
            shown(&spec.layout.definition)
        );
        return Err(away(Error::new(Code::InTheWay, message), first, facts));
    }
    let replaced: Vec<&Line> =
        facts.unit.added.iter().filter(|line| is_replaced(line, spec)).collect();
    let Some(file) = replaced.first().map(|line| &line.file) else { return Ok(()) };
    let of_file = replaced.iter().filter(|line| line.file == *file);
    let keys: BTreeSet<&str> = of_file.map(|line| line.key.as_str()).collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let message = format!(
        "{} replaces {} of {unit}: what runs would not be the agent as it is planned; nothing was \
         changed",
        shown(file),
        keys.join(" and ")
    );
    Err(away(Error::new(Code::InTheWay, message), file, facts))
}

fn away(error: Error, file: &Path, facts: &Facts) -> Error {
    match facts.is_host {
        true => error
            .help(Help::command("show it", &Command::shows("cat -v --", file)))
            .help("remove that file, or give it a name that systemd does not read, and run again"),
        // The path is that of the host which the image becomes.
        false => error.help("remove that file from the image, and run again"),
    }
}

/// Whether a unit there is read in place of one in `/etc/systemd/system`.
fn counts_first(place: &Path) -> bool {
    let folder = place.parent();
    let mut above =
        super::drop_ins::FOLDERS.iter().take_while(|folder| **folder != super::profile::FOLDER);
    above.any(|above| folder == Some(Path::new(above)))
}

/// Whether a line has something else run than the planned agent, or by another account, or in another
/// tree of files.
fn is_replaced(line: &Line, spec: &Spec) -> bool {
    let value = line.value.as_str();
    line.section == "Service"
        && match line.key.as_str() {
            "ExecStart" | "RootDirectory" | "RootImage" | "RootDirectoryStartOnly" => true,
            "User" => value != spec.user.as_str(),
            "DynamicUser" => !matches!(value, "" | "0" | "no" | "n" | "false" | "f" | "off"),
            "Type" => !matches!(value, "" | "simple" | "exec"),
            _ => false,
        }
}

/// What stays in force, and what is replaced.
pub(super) fn notes(spec: &Spec, facts: &Facts) -> Vec<String> {
    let mut notes = replaced_unit(spec, facts);
    let own = definition::content(spec, &spec.layout, false);
    let own: BTreeSet<String> =
        parse(own.shown(), Path::new("")).into_iter().map(|line| line.key).collect();
    let mut files: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
    for line in facts.unit.added.iter().filter(|line| !line.key.is_empty()) {
        // What counts for all services, and changes nothing of this one, is the host's own affair.
        let is_general = line.file.parent().is_some_and(|folder| folder.ends_with("service.d"));
        let is_ours = facts
            .receipt
            .as_ref()
            .is_some_and(|receipt| receipt.record(&Target::File(line.file.clone())).is_some());
        if !is_ours && (!is_general || own.contains(&line.key)) {
            files.entry(&line.file).or_default().insert(&line.key);
        }
    }
    notes.extend(files.into_iter().map(|(file, keys)| {
        let keys: Vec<&str> = keys.into_iter().collect();
        format!(
            "{} stays in force, and sets {} of {}",
            shown(file),
            keys.join(", "),
            spec.layout.service
        )
    }));
    notes
}

fn replaced_unit(spec: &Spec, facts: &Facts) -> Vec<String> {
    let (unit, path) = (&spec.layout.service, &spec.layout.definition);
    let is_ours = facts
        .receipt
        .as_ref()
        .is_some_and(|receipt| receipt.record(&Target::File(path.clone())).is_some());
    if is_ours || facts.path(path).meta.is_none() {
        return Vec::new();
    }
    let runs = facts.services.get(unit).is_some_and(ServiceState::is_held);
    let until = if runs { "; it runs, and is stopped once its job has ended" } else { "" };
    vec![format!(
        "{unit} is there already, and not by runnerup: it is replaced{until}; an uninstall puts it \
         back"
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host::UnitParts,
        settings::{HostDefaults, Settings},
        values::Manager,
    };

    const DROP_IN: &str = "/etc/systemd/system/circleci.service.d/override.conf";

    fn spec() -> Spec {
        let here = HostDefaults::new("linux/amd64".parse().unwrap(), Manager::Systemd);
        Spec::resolve(&Settings::default(), None, here).unwrap()
    }

    fn facts(text: &str, file: &str) -> Facts {
        let added = parse(text, Path::new(file));
        let unit = UnitParts { places: Vec::new(), added };
        let mut facts = Facts { is_host: true, unit, ..Facts::default() };
        facts.paths.insert(spec().layout.definition, crate::host::PathFact::default());
        facts
    }

    #[test]
    fn a_drop_in_that_has_something_else_run_is_refused_and_named() {
        for text in [
            "[Service]\nExecStart=\nExecStart=/bin/sleep 1000\n",
            "[Service]\nUser=root\n",
            "[Service]\nDynamicUser=yes\n",
            "[Service]\nRootImage=/srv/x.raw\n",
            "[Service]\nType=oneshot\n",
        ] {
            for file in [DROP_IN, "/etc/systemd/system/service.d/10-all.conf"] {
                let error = refuse(&spec(), &facts(text, file)).unwrap_err();
                assert!(error.exit() == 3 && error.message().contains(file), "{error}");
                let help = error.help_lines().join("\n");
                assert!(help.contains(&format!("cat -v -- {file}")), "{help}");
            }
        }
        for text in [
            "[Service]\nUser=circleci\nType=exec\nDynamicUser=no\n",
            "[Service]\nEnvironment=A=b\nLimitNOFILE=65536\nTimeoutStopSec=2h\n",
            "[Unit]\nUser=root\n",
            "",
        ] {
            refuse(&spec(), &facts(text, DROP_IN)).unwrap();
        }
    }

    #[test]
    fn a_unit_that_is_read_in_place_of_ours_is_refused() {
        let with = |place: &str| {
            let unit = UnitParts { places: vec![place.into()], added: Vec::new() };
            refuse(&spec(), &Facts { unit, is_host: true, ..Facts::default() })
        };
        assert!(with("/etc/systemd/system.control/circleci.service").is_err());
        assert!(with("/run/systemd/transient/circleci.service").is_err());
        for place in ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"] {
            with(&format!("{place}/circleci.service")).unwrap();
        }
    }

    #[test]
    fn what_stays_in_force_is_told() {
        let of = |text: &str, file: &str| notes(&spec(), &facts(text, file)).join("\n");
        let told = of("[Service]\nEnvironment=A=hunter\nTimeoutStopSec=30\n", DROP_IN);
        assert!(told.contains(DROP_IN) && told.contains("Environment, TimeoutStopSec"), "{told}");
        assert!(!told.contains("hunter"), "{told}");
        let general = "/usr/lib/systemd/system/service.d/10-timeout-abort.conf";
        assert_eq!(of("[Service]\nTimeoutAbortSec=5\n", general), "");
        assert!(of("[Service]\nTimeoutStopSec=5\n", general).contains("TimeoutStopSec"));
    }
}
