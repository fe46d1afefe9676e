//! The looks at one agent: all begun at once, then put together.

use super::{
    IMAGE, ProbeContext, account, binary,
    candidate::Candidate,
    command_prefix, config,
    deadline::Probe,
    effective, environment, held_names, host, host_end, log,
    managers::ManagerAnswers,
    named_paths::{self, NamedPaths},
    processes::{OfInstall, Processes},
    reader, slices, start_lacks, sudo,
    unit::Unit,
    workdir,
};
use crate::{
    host::{
        Binary, HeldName, HostEnd, Install, Named, PathRole, PathWalk, ProbeName, Provenance,
        Received, Scrubbed, Seen, Service, SliceLimits, StartLack, StepDown, SudoAnswer,
        TokenPlace, Tool, Unseen, Workdir, Wrapper,
    },
    platform::{
        Os,
        fs::{Meta, Root},
        macos::gatekeeper,
    },
    record::Receipt,
    service::{host_end::command, systemd::drop_ins::is_template},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Why nothing is said of a path.
const SECRET: &str = "what is named as its path looks like a secret";

/// The looks at one agent.
pub(super) struct AgentProbes {
    candidate: Candidate,
    binary: Option<Probe<Binary>>,
    paths: Vec<(PathRole, Provenance, Probe<Seen<PathWalk>>)>,
    prefix: Option<Prefix>,
    host_ends: Probe<Vec<HostEnd>>,
    held_names: Option<Probe<Vec<HeldName>>>,
    workdir: Option<Probe<Seen<Workdir>>>,
    start_lacks: Probe<Vec<StartLack>>,
    slices: Option<Probe<Vec<SliceLimits>>>,
    log: Option<Probe<(log::Log, Vec<Scrubbed>)>>,
    tools: Probe<Vec<Tool>>,
}

/// The look at the command prefix's program: the way to it, what it does if it is a script, and what
/// sudo answers where it is asked for something.
type Prefix = (Provenance, Probe<(Seen<PathWalk>, Option<Wrapper>, Seen<SudoAnswer>)>);

/// Starts to look at an agent. Nothing is looked at here: what an account has named may never
/// answer.
pub(super) fn begin(
    context: &ProbeContext,
    mut candidate: Candidate,
    uids: &BTreeMap<String, u32>,
) -> AgentProbes {
    let uid = |name: &Option<String>| name.as_ref().and_then(|name| uids.get(name).copied());
    let task_user = uid(&candidate.task_user);
    let agent = uid(&candidate.user);
    let by_service = candidate.named_by;
    let binary = candidate.binary.clone().map(|path| {
        let receipt = candidate.receipt.clone();
        context.start(ProbeName::Binary, move |context| {
            let mut binary =
                binary::examine(&context.root, &path, (by_service, agent), receipt.as_ref());
            if context.os == Os::Darwin && context.is_host {
                let commands = &context.commands;
                binary.quarantined =
                    gatekeeper::is_quarantined(commands, &path).unwrap_or_default();
                binary.gatekeeper = gatekeeper::verdict(commands, &path);
            }
            binary
        })
    });
    let NamedPaths { all: named, work, log: file } = NamedPaths::of(&candidate, context);
    let prefix = candidate.settings().given("runner.command_prefix").ok().flatten();
    let prefix = prefix.and_then(|given| Some((given.by, given.into_list()?)));
    let folders = named_paths::variable(&candidate, "PATH");
    let prefix = prefix.and_then(|(by, words)| {
        Some((by, words.first()?.clone().into_owned(), StepDown::of(&words)))
    });
    let prefix = prefix.map(|(by_prefix, word, step)| {
        let (folders, user) = (folders.clone(), candidate.user.clone());
        let probe = context.start(ProbeName::CommandPrefix, move |context| {
            let by = folders.as_ref().map_or(by_prefix, |(_, by)| by_prefix.and(*by));
            let end = |path: &Path| end_of(&context.root, path, by, agent);
            let path = program(&end, &word, folders.as_ref().map(|(path, _)| path.as_str()));
            let walk = Seen::from(reader::walk(&context.root, &path, by, agent));
            let probe = |walk| command_prefix::examine(&context.root, walk, by_prefix);
            let wrapper = walk.ok().and_then(probe);
            let of_script = || wrapper.as_ref()?.steps_down.clone();
            let answer = match (step.or_else(of_script), user) {
                (Some(step), Some(user)) if context.is_host => sudo::answer(context, &user, &step),
                _ => Seen::default(),
            };
            (walk, wrapper, answer)
        });
        (by_prefix, probe)
    });
    let temporary = named.iter().find(|(role, ..)| *role == PathRole::TemporaryFolder);
    let temporary = temporary.map(|(_, by, folder)| (folder.clone(), *by));
    let held_names = temporary.map(|(folder, by)| {
        context.start(ProbeName::Path, move |context| {
            let end = |path: &Path| end_of(&context.root, path, by, agent);
            held_names::at(&end, &folder)
        })
    });
    let mut paths: Vec<_> = named
        .into_iter()
        .map(|(role, named_by, path)| {
            let probe = context
                .start(ProbeName::Path, move |context| walk(context, &path, named_by, agent));
            (role, named_by, probe)
        })
        .collect();
    for file in std::mem::take(&mut candidate.files) {
        let role = if file.optional {
            PathRole::OptionalEnvironmentFile
        } else {
            PathRole::EnvironmentFile
        };
        let walk = match file.walk {
            Seen::Known(walk) => Seen::Known(walk),
            Seen::Unseen(unseen) => Seen::not(format!("{}: {}", file.path.display(), unseen.why)),
        };
        paths.push((role, file.named_by, context.start(ProbeName::Path, move |_| walk)));
    }
    let workdir = work.map(|(path, named_by)| {
        context.start(ProbeName::WorkFolder, move |context| {
            if holds_secret(context, &path) {
                return Seen::not(SECRET);
            }
            // What a person allows was named by root.
            let is_allowed = context.allowed.contains(&path);
            let named_by = if is_allowed { Provenance::Root } else { named_by };
            let listed = context.root.walk(&path).and_then(|walk| {
                reader::may_echo(&context.root, &walk, named_by)?;
                // Where nothing is yet, the way ends in a folder above.
                let folder = if walk.end.is_some() { &walk.real } else { &path };
                workdir::examine(&context.root, folder, task_user)
            });
            Seen::from(listed)
        })
    });
    let definition = candidate.unit.as_ref().map(|unit| unit.directives.clone());
    let lines = definition.clone().unwrap_or_default();
    let programs =
        candidate.unit.as_ref().map(|unit| unit.manager.profile().program_folders(&lines));
    let start_lacks = context.start(ProbeName::Path, move |context| {
        let search = start_lacks::Search {
            root: &context.root,
            commands: context.is_host.then_some(&context.commands),
            limit: context.limit,
            until: context.soon(),
            scrub: &context.scrub,
            named_by: by_service,
            agent,
            programs: programs.unwrap_or_default(),
        };
        search.lacks(&lines)
    });
    let words = candidate.command.clone();
    let host_ends = context.start(ProbeName::Path, move |context| {
        host_end::examine(&context.root, &definition.unwrap_or_default(), &words, by_service)
    });
    let has_slices = |unit: &&Unit| !context.is_host && unit.manager.profile().has_drop_ins();
    let slices = candidate.unit.as_ref().filter(has_slices).cloned().map(|unit| {
        context.start(ProbeName::Path, move |context| {
            slices::of_unit(&context.root, &unit, context.soon())
        })
    });
    let unit = candidate.unit.as_ref().map(|unit| unit.name.clone());
    let programs: Vec<String> = words_of_unit(candidate.unit.as_ref());
    let journal = unit.filter(|_| context.is_host).map(|unit| {
        move |context: &ProbeContext| {
            log::of_unit(&context.commands, &unit, &programs, context.limit, &context.scrub)
        }
    });
    let log = match (file, journal) {
        (Some((path, by)), journal) => Some(context.start(ProbeName::Log, move |context| {
            let log = match holds_secret(context, &path) {
                true => (Seen::not(SECRET), None),
                false => log::of_file(&context.root, &path, by, &context.scrub),
            };
            (log, journal.map(|journal| journal(context).1).unwrap_or_default())
        })),
        (None, Some(journal)) => Some(context.start(ProbeName::Log, journal)),
        _ => None,
    };
    let tools = context.start(ProbeName::Tools, move |context| {
        let by = folders.as_ref().map_or(Provenance::Root, |(_, by)| *by);
        let end = |path: &Path| end_of(&context.root, path, by, agent);
        account::tools(&end, context.os, folders.as_ref().map(|(path, _)| path.as_str()))
    });
    AgentProbes {
        candidate,
        binary,
        paths,
        prefix,
        held_names,
        host_ends,
        start_lacks,
        slices,
        workdir,
        log,
        tools,
    }
}

/// The programs of a unit, as its lines name them.
fn words_of_unit(unit: Option<&Unit>) -> Vec<String> {
    let lines = unit.into_iter().flat_map(|unit| &unit.directives);
    let commands = lines.filter(|line| line.key.starts_with("Exec"));
    commands.filter_map(|line| command(&line.value).into_iter().next()).take(64).collect()
}

/// The way to a path that `named_by` named.
fn walk(
    context: &ProbeContext,
    path: &Path,
    named_by: Provenance,
    agent: Option<u32>,
) -> Seen<PathWalk> {
    match holds_secret(context, path) {
        true => Seen::not(SECRET),
        false => Seen::from(reader::walk(&context.root, path, named_by, agent)),
    }
}

/// What stands at a path, as far as whoever named it could find out.
fn end_of(root: &Root, path: &Path, named_by: Provenance, agent: Option<u32>) -> Option<Meta> {
    reader::walk(root, path, named_by, agent).ok()?.end
}

/// Whether what is named as a path looks like a secret, and so is told nowhere.
fn holds_secret(context: &ProbeContext, path: &Path) -> bool {
    let text = path.display().to_string();
    context.scrub.text(&text) != text
}

/// Where a program is that is named without its folder.
fn program(end: &account::End<'_>, word: &str, path: Option<&str>) -> PathBuf {
    let folders = path.unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let stands = |path: &PathBuf| end(path).is_some();
    let folders = folders.split(':').take(account::FOLDERS);
    let found = || folders.map(|folder| Path::new(folder).join(word)).find(stands);
    if word.contains('/') {
        word.into()
    } else {
        found().unwrap_or(Path::new("/usr/bin").join(word))
    }
}

impl AgentProbes {
    /// The agent that is looked at.
    pub(super) fn candidate(&mut self) -> &mut Candidate {
        &mut self.candidate
    }

    /// What was seen, once all of it is there or late.
    pub(super) fn done(
        self,
        context: &ProbeContext,
        managers: &ManagerAnswers,
        processes: &Processes,
        uids: &BTreeMap<String, u32>,
    ) -> Install {
        let scrub = &context.scrub;
        let candidate = self.candidate;
        let command = Scrubbed::words(&candidate.started.words, scrub);
        let launch = candidate.started.told(scrub);
        let name = candidate.unit.as_ref().map(|unit| unit.name.clone());
        let state = match (&managers.states, &name) {
            (_, Some(name)) if is_template(name) => {
                Seen::not_applicable("a template runs nothing by itself")
            }
            (Seen::Known(states), Some(name)) => states
                .get(name)
                .map(|told| effective::state(told, scrub))
                .map_or_else(|| Seen::broken(format!("nothing was said of {name}")), Seen::Known),
            (Seen::Unseen(unseen), _) => Seen::Unseen(unseen.clone()),
            (_, None) => Seen::not("no service"),
        };
        let main = state.ok().and_then(|state| state.main_pid).or(candidate.process);
        let main = main.or_else(|| processes.agent_of(name.as_ref()?));
        let task_uid = candidate.task_user.as_ref().and_then(|name| uids.get(name).copied());
        let main = main.map(|main| processes.agent_below(main));
        let running = candidate.running(main, processes, context.until);
        let of_install = match context.is_host {
            true if context.os == Os::Darwin => {
                processes.of_mac_install(main, scrub, context.until)
            }
            true => processes.of_install(main, name.as_deref(), task_uid, scrub, context.until),
            false => OfInstall::unseen(&Unseen::not_applicable(IMAGE)),
        };
        let mut token_in = candidate.token_places();
        token_in.extend(of_install.holds_token.then_some(TokenPlace::Process));
        let unknown = &candidate.started.run.unknown;
        let environment = environment::with_unknown(&candidate.variables, unknown, scrub);
        let host_ends = self.host_ends.seen();
        let slices = self.slices.and_then(|probe| probe.seen().ok().cloned()).unwrap_or_default();
        let boot = match (&managers.boots, &name) {
            (Seen::Known(boots), Some(name)) => boots.get(name).cloned().map_or_else(
                || Seen::not_applicable("the service is not a systemd unit"),
                Seen::Known,
            ),
            (Seen::Unseen(unseen), _) => Seen::Unseen(unseen.clone()),
            (_, None) => Seen::not("no service"),
        };
        let service = candidate.unit.map(|unit| Service {
            host_ends,
            defaults: managers.settings.of(unit.manager, scrub),
            start_lacks: self.start_lacks.seen(),
            slices,
            boot,
            objections: managers.objections.of(&unit, scrub),
            manager: unit.manager,
            name: unit.name,
            definitions: unit.definitions,
            strange_parts: unit.strange_parts,
            directives: Unit::scrubbed(unit.directives, scrub),
            misread: candidate.misread,
            command,
            launch,
            state,
        });
        let mut paths: Vec<_> = self
            .paths
            .into_iter()
            .map(|(role, named_by, probe)| Named { role, walk: probe.flat(), named_by })
            .collect();
        let (mut wrapper, mut sudo) = (None, Seen::default());
        if let Some((named_by, probe)) = self.prefix {
            let walk = match probe.seen() {
                Seen::Known((walk, script, answer)) => {
                    (wrapper, sudo) = (script, answer);
                    walk
                }
                Seen::Unseen(unseen) => Seen::Unseen(unseen),
            };
            paths.push(Named { role: PathRole::CommandPrefix, walk, named_by });
        }
        let known = paths.iter().filter_map(|named| named.walk.ok());
        let known: Vec<PathBuf> = known.map(|walk| walk.real.clone()).collect();
        let mounts = match running.as_ref().filter(|_| context.is_host) {
            Some(running) => host::mounts_of(running.pid, &known),
            None => Seen::default(),
        };
        let held_names = self.held_names.map_or_else(Seen::default, Probe::seen);
        let ((log, log_written), start_log) = match self.log.map(Probe::seen) {
            Some(Seen::Known(log)) => log,
            Some(Seen::Unseen(unseen)) => ((Seen::Unseen(unseen), None), Vec::new()),
            None => ((Seen::not_applicable("it has no log that is known"), None), Vec::new()),
        };
        Install {
            name: candidate.name,
            agent: candidate.agent,
            receipt: candidate.receipt.as_ref().map(received),
            named_by: candidate.named_by,
            service,
            user: candidate.user,
            task_user: candidate.task_user.filter(|name| scrub.text(name) == *name),
            environment,
            binary: self.binary.map(|binary| match binary.seen() {
                Seen::Known(binary) => binary,
                Seen::Unseen(unseen) => Binary {
                    walk: Seen::Unseen(unseen),
                    program: Seen::default(),
                    sha256: Seen::default(),
                    label: None,
                    quarantined: false,
                    gatekeeper: None,
                },
            }),
            config: candidate.config.map(|config| match config {
                Seen::Known(file) => Seen::Known(config::scrubbed(file, scrub)),
                Seen::Unseen(unseen) => Seen::Unseen(unseen),
            }),
            paths,
            wrapper,
            sudo,
            mounts,
            held_names,
            workdir: self
                .workdir
                .map_or_else(|| Seen::not("runner.working_directory is not set"), Probe::flat),
            token_in: Some(token_in),
            token_given: candidate.token_given,
            running: running.map_or_else(
                || Seen::not("no process of it was found, or it could not be read"),
                |running| Seen::Known(running.told(scrub)),
            ),
            processes: of_install.processes,
            orphans: of_install.orphans,
            unlisted: of_install.unlisted,
            log,
            log_written,
            start_log,
            tools: if context.is_host { self.tools.seen() } else { Seen::not_applicable(IMAGE) },
        }
    }
}

fn received(receipt: &Receipt) -> Received {
    let choice = receipt.settings.get("version").map(String::as_str);
    let manager = receipt.settings.get("service");
    Received {
        has_service: manager.map(|manager| manager != "none"),
        has_bucket: receipt.settings.contains_key("release-url"),
        is_pinned: Some(choice.is_some_and(|choice| choice != "latest")),
        complete: receipt.complete,
        installed: receipt.installed,
        version: receipt.binary.as_ref().map(|binary| binary.version.to_string()),
        sha256: receipt
            .binary_digest()
            .map(|digest| digest.to_string().trim_start_matches("sha256:").to_owned()),
        binary: receipt.binary.as_ref().map(|binary| binary.path.clone()),
    }
}

#[cfg(test)]
#[cfg(unix)] // Paths are whole only there.
mod tests {
    use super::*;

    #[test]
    fn no_more_folders_are_looked_into_than_a_path_has() {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("last")).unwrap();
        std::fs::write(folder.path().join("last/sudo"), "").unwrap();
        let of = |count: usize| format!("{}/last", "/a:".repeat(count));
        let end = |path: &Path| end_of(&root, path, Provenance::Root, None);
        let found = |path: &str| program(&end, "sudo", Some(path));
        assert_eq!(found(&of(account::FOLDERS - 1)), Path::new("/last/sudo"));
        assert_eq!(found(&of(account::FOLDERS)), Path::new("/usr/bin/sudo"));
        let tools = |path: &str| account::tools(&end, Os::Linux, Some(path));
        std::fs::write(folder.path().join("last/git"), "").unwrap();
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("last/git"), permissions).unwrap();
        let has_git = |path: &str| tools(path).iter().any(|tool| tool.path.is_some());
        assert!(has_git(&of(account::FOLDERS - 1)) && !has_git(&of(account::FOLDERS)));
    }
}
