//! The paths that settings, variables and definition of an agent name, and who could have named them.

use super::{ProbeContext, candidate::Candidate, environment::Raw, tasks};
use crate::{
    host::{PathRole, Provenance},
    platform::Os,
    text::{inner, is_whole},
    values::static_prefix,
};
use std::path::PathBuf;

/// Most paths that the start of a service depends on.
const CONDITIONS: usize = 8;

/// The paths that an agent names.
pub(super) struct NamedPaths {
    pub(super) all: Vec<(PathRole, Provenance, PathBuf)>,
    /// The work folder among them, as far as it is the same for every job.
    pub(super) work: Option<(PathBuf, Provenance)>,
    /// The log among them.
    pub(super) log: Option<(PathBuf, Provenance)>,
}

/// A variable that the service of an agent sets.
pub(super) fn variable(candidate: &Candidate, name: &str) -> Option<(String, Provenance)> {
    let by = |raw: &Raw| (raw.value.clone(), candidate.named_by.and(raw.written_by));
    candidate.raw(name).map(by)
}

impl NamedPaths {
    pub(super) fn of(candidate: &Candidate, context: &ProbeContext) -> Self {
        let by_service = candidate.named_by;
        // What the receipt knows was named by root, whoever repeats it.
        let or_receipts = |setting: &str, (text, by): (String, Provenance)| {
            let known =
                candidate.receipt.as_ref().and_then(|receipt| receipt.settings.get(setting));
            let by = if known.is_some_and(|known| *known == text) { Provenance::Root } else { by };
            (text, by)
        };
        let mut named: Vec<(PathRole, Provenance, PathBuf)> = Vec::new();
        let mut name = |role: PathRole, named_by: Provenance, path: Option<PathBuf>| {
            named.extend(path.map(|path| (role, named_by, path)));
        };
        let variable = |name: &str| variable(candidate, name);
        let work = candidate.setting("runner.working_directory");
        let work = work.map(|given| or_receipts("workdir", given));
        let work =
            work.map(|(path, by)| (static_prefix(&path), by)).filter(|(path, _)| is_whole(path));
        if let Some((path, by)) = &work {
            name(PathRole::WorkFolder, *by, Some(path.clone()));
        }
        let profile = candidate.agent.profile();
        let file =
            candidate.setting("logging.file").filter(|(text, _)| !profile.logs_to_stream(text));
        let file = file.map(|given| or_receipts("log-file", given));
        let file = file.map(|(path, by)| (inner(&path), by)).filter(|(path, _)| is_whole(path));
        if let Some((path, by)) = &file {
            name(PathRole::LogFile, *by, Some(path.clone()));
        }
        // An image gets its /tmp where it runs.
        let usual = (context.is_host && context.os != Os::Windows).then_some("/tmp");
        match (variable("TMPDIR"), usual) {
            (Some((path, by)), _) => name(PathRole::TemporaryFolder, by, Some(path.into())),
            (None, usual) => {
                name(PathRole::TemporaryFolder, Provenance::Root, usual.map(PathBuf::from));
            }
        }
        if let Some((path, by)) = candidate.setting("runner.task_agent_directory") {
            name(PathRole::TaskAgentFolder, by, Some(path.into()));
        }
        if let Some((path, by)) = variable("SSL_CERT_FILE") {
            name(PathRole::Certificates, by, Some(path.into()));
        }
        let directive = |key: &str| {
            let directives = candidate.unit.iter().flat_map(|unit| unit.directives.iter().rev());
            directives
                .filter(|directive| directive.section == "Service" && directive.key == key)
                .map(|directive| directive.value.clone())
                .next()
        };
        let output = candidate.unit.iter().flat_map(|unit| &unit.directives);
        let output =
            output.filter(|output| output.section.is_empty() && output.key == "StandardErrorPath");
        let output =
            output.map(|output| PathBuf::from(&output.value)).find(|path| path.is_absolute());
        name(PathRole::ServiceOutput, by_service, output);
        let conditions = candidate.unit.iter().flat_map(|unit| &unit.directives);
        let conditions = conditions.filter(|line| line.section == "KeepAlive/PathState");
        for path in conditions
            .map(|line| PathBuf::from(&line.key))
            .filter(|path| path.is_absolute())
            .take(CONDITIONS)
        {
            name(PathRole::StartCondition, by_service, Some(path));
        }
        let of_top = |key: &str| {
            let lines = candidate.unit.iter().flat_map(|unit| &unit.directives);
            let line = lines.rev().find(|line| line.section.is_empty() && line.key == key)?;
            Some(PathBuf::from(&line.value)).filter(|path| path.is_absolute())
        };
        let profile = candidate.unit.as_ref().map(|unit| unit.manager.profile());
        for (role, key) in profile.map_or(&[][..], |profile| profile.folder_keys()) {
            name(*role, by_service, of_top(key));
        }
        let filled =
            |path: String| candidate.unit.as_ref().map_or(path.clone(), |unit| unit.filled(&path));
        let folder = directive("WorkingDirectory").map(filled);
        let folder = folder.map(|path| path.trim_start_matches('-').to_owned());
        let folder = folder.filter(|path| path.starts_with('/')).map(PathBuf::from);
        let folder = folder.or_else(|| candidate.unit.as_ref().and_then(tasks::start_folder));
        name(PathRole::ServiceFolder, by_service, folder);
        Self { all: named, work, log: file }
    }
}
