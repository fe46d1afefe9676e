//! Agents, as far as definitions, processes and receipts tell without a closer look.

use super::{
    agent_settings::{self, config_place},
    agent_words::{binary, holds_token, kind},
    environment::{self, Raw},
    launch,
    processes::{Processes, RawRunning, Wanted},
    scrub::Scrub,
    strays::{none_yet, stray},
    uid_of,
    unit::Unit,
};
use crate::{
    agent::{Kind, Layout, Token, is_token_flag},
    host::{
        ConfigFile, Directive, Misread, Provenance, Resolved, Seen, StepDown, Strays, TokenPlace,
        TokenShape,
    },
    platform::{Os, accounts, fs::Root},
    record::Receipt,
    service::systemd::{drop_ins::is_documented, elevation::Elevation},
    text::{Found, Secrets},
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// An agent that is to be examined.
#[derive(Default, Clone)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) agent: Kind,
    pub(super) receipt: Option<Receipt>,
    pub(super) unit: Option<Unit>,
    /// The agent's command line; where it was not found, the service's.
    pub(super) command: Vec<String>,
    /// The service's, and how it leads to the agent.
    pub(super) started: launch::Command,
    /// The agent's working directory.
    pub(super) folder: Option<PathBuf>,
    pub(super) binary: Option<PathBuf>,
    pub(super) config_path: Option<PathBuf>,
    /// The configuration is one that no command names.
    pub(super) config_is_default: bool,
    /// Who could have named binary, configuration and account.
    pub(super) named_by: Provenance,
    pub(super) config: Option<Seen<ConfigFile<String>>>,
    /// The token of its configuration.
    pub(super) token: Option<Token>,
    /// The shape of the one that counts in its place.
    pub(super) token_given: Option<TokenShape>,
    pub(super) user: Option<String>,
    pub(super) task_user: Option<String>,
    pub(super) variables: Vec<Raw>,
    pub(super) files: Vec<environment::File>,
    /// Lines that its manager takes otherwise than they are meant.
    pub(super) misread: Vec<Misread>,
    /// The process of one that no service runs.
    pub(super) process: Option<u32>,
    /// The agent's process, by the control group of its service.
    pub(super) running: Option<RawRunning>,
    /// The variables of that process.
    pub(super) of_process: Vec<Raw>,
}

/// Puts units, receipts and processes together.
///
/// A process alone is no install: its name, its arguments and its program are the words of whoever
/// started it. One that no unit and no receipt accounts for is a stray.
pub(super) fn all(
    root: &Root,
    units: Vec<Unit>,
    receipts: Vec<Receipt>,
    processes: &Processes,
    scrub: &Scrub,
    until: Instant,
) -> (Vec<Candidate>, Strays) {
    let mut receipts: Vec<Receipt> =
        receipts.into_iter().filter(|receipt| receipt.installed).collect();
    let mut found = Vec::new();
    for unit in units {
        let of_unit = |receipt: &Receipt| layout(receipt).service == unit.name;
        let receipt = receipts.iter().position(of_unit).map(|at| receipts.remove(at));
        let candidate = of_definition(root, unit, receipt);
        if !candidate.is_another_service(processes) {
            found.push(candidate);
        }
    }
    found.extend(receipts.into_iter().map(of_receipt));
    // Beside another agent a masked unit is one that somebody has put out of use.
    if !found.iter().all(Candidate::is_put_away) {
        found.retain(|candidate| !candidate.is_put_away());
    }
    let uids: Vec<Option<u32>> =
        found.iter().map(|candidate| uid_of(root, candidate.user.as_deref()?)).collect();
    let units = found.iter().filter_map(|candidate| Some(candidate.unit.as_ref()?.name.clone()));
    let wanted = Wanted { units: units.collect(), uids: uids.iter().flatten().copied().collect() };
    let mut strays = none_yet(processes);
    for agent in &processes.agents(&wanted, until) {
        let unit = agent.managed.system_unit();
        let runs = |candidate: &Candidate| {
            candidate.unit.as_ref().is_some_and(|other| Some(other.name.as_str()) == unit)
        };
        if found.iter().any(runs) {
            continue;
        }
        // What a receipt without service tells of may run by hand, as its account or root has begun
        // it: the program is one that everybody can run.
        let same = found.iter_mut().zip(&uids).find(|(candidate, uid)| {
            candidate.unit.is_none()
                && candidate.process.is_none()
                && candidate.binary.is_some()
                && candidate.binary == agent.program
                && (agent.uid == 0 || **uid == Some(agent.uid))
        });
        match same {
            Some((candidate, _)) => candidate.process = Some(agent.pid),
            None => stray(&mut strays, agent, processes, Some(root), scrub),
        }
    }
    for candidate in &mut found {
        let of_unit = candidate.unit.as_ref().and_then(|unit| processes.agent_of(&unit.name));
        let pid = of_unit.or(candidate.process);
        candidate.running = pid.and_then(|pid| processes.witness(pid, until));
        candidate.testify();
        let running = candidate.running.as_ref();
        candidate.of_process = running.and_then(RawRunning::variables).unwrap_or_default();
    }
    (found, strays)
}

/// The name of an account that a definition may give by its number, or a prefix for sudo behind `#`.
pub(super) fn by_name(root: &Root, user: String) -> String {
    let number = user.strip_prefix('#').unwrap_or(&user);
    let account = number.parse().ok().and_then(|uid| accounts::by_number(root, uid));
    account.map_or(user, |account| account.name)
}

fn of_definition(root: &Root, mut unit: Unit, receipt: Option<Receipt>) -> Candidate {
    // A definition without any line, as that of a masked unit is, tells nothing of the agent.
    let receipt = match receipt {
        Some(receipt) if unit.directives.is_empty() && unit.command.is_none() => {
            return Candidate { unit: Some(unit), ..of_receipt(receipt) };
        }
        receipt => receipt,
    };
    let environment::OfUnit { set: mut variables, unknown, files, mut misread } =
        environment::of_unit(root, &unit, None, Vec::new());
    if unit.manager.profile().has_drop_ins() {
        misread.extend(unit.misread());
    }
    variables.append(&mut unit.variables);
    let mut started = launch::of_unit(root, &unit, &variables);
    started.run.unknown.extend(unknown);
    let run = &started.run;
    variables.extend(run.variables.iter().cloned());
    let is_found = !run.words.is_empty();
    let command = if is_found { run.words.clone() } else { started.words.clone() };
    let file = unit.definitions.first();
    let file = file.map_or(Path::new(""), |definition| definition.walk.path.as_path());
    let user = unit.manager.profile().account(&unit.directives, file);
    let user = match (&run.account, user.as_deref()) {
        (Some(account), Some("root")) => Some(account.clone()),
        _ => user,
    };
    let user = user.map(|user| by_name(root, user));
    let name = unit.name.trim_end_matches(".service").to_owned();
    unit.definitions.shrink_to_fit();
    let folder = started.folder().map(Path::to_owned);
    let folder = folder.or_else(|| agent_settings::folder(root, &unit, user.as_deref()));
    let place = config_place(kind(&command), &command, folder.as_deref());
    Candidate {
        named_by: run.named_by,
        name: receipt.as_ref().map_or(name, |receipt| receipt.instance.clone()),
        agent: kind(&command),
        binary: binary(&command),
        config_is_default: place.as_ref().is_some_and(|place| place.is_default),
        config_path: place.map(|place| place.path),
        user,
        receipt,
        command,
        started,
        folder,
        variables,
        files,
        misread,
        unit: Some(unit),
        ..Candidate::default()
    }
}

/// An install whose service is gone, or that was made without one.
fn of_receipt(receipt: Receipt) -> Candidate {
    let layout = layout(&receipt);
    Candidate {
        name: receipt.instance.clone(),
        agent: receipt.agent(),
        binary: Some(receipt.binary.as_ref().map_or(layout.binary, |binary| binary.path.clone())),
        config_path: Some(layout.config),
        user: Some(receipt.settings.get("user").cloned().unwrap_or(layout.user)),
        // Only root writes receipts, and others' are not read.
        named_by: Provenance::Root,
        receipt: Some(receipt),
        ..Candidate::default()
    }
}

impl Candidate {
    /// Whether its unit is masked, and nothing else tells that it was an agent's.
    fn is_put_away(&self) -> bool {
        let Some(unit) = self.unit.as_ref().filter(|_| self.receipt.is_none()) else {
            return false;
        };
        let is_empty = unit.directives.is_empty() && unit.command.is_none();
        is_empty && unit.definitions.iter().any(|definition| definition.walk.leads_to_null())
    }

    /// Whether its unit runs another program than an agent, such as one that cleans up after agents or
    /// watches them: neither a name nor an argument makes it an agent's.
    fn is_another_service(&self, processes: &Processes) -> bool {
        let Some(unit) = &self.unit else { return false };
        let is_known = self.receipt.is_some() || processes.agent_of(&unit.name).is_some();
        let run = &self.started.run;
        let is_followed = run.words.is_empty() && run.unread.is_none();
        let is_systems = unit.manager.profile().starts_by_links() && !is_documented(&unit.name);
        is_systems && !is_known && !self.started.words.is_empty() && is_followed
    }

    /// Takes in what was read of its configuration.
    pub(super) fn configured(&mut self, config: Seen<ConfigFile<String>>, token: Option<Token>) {
        self.config = Some(config);
        self.token = token;
        self.settle();
    }

    /// Takes what follows from its settings, once its configuration is known or none is.
    pub(super) fn settle(&mut self) {
        let prefix = self.settings().given("runner.command_prefix");
        // Root steps down by what stands there: whom jobs run as is not known without it.
        let is_read = prefix.is_ok();
        let words = prefix.ok().flatten().and_then(Resolved::into_list);
        let other = words.as_deref().and_then(StepDown::of).and_then(|step| step.user);
        let own = self.user.clone().filter(|user| is_read || user != "root");
        self.task_user = other.or(own);
    }

    /// Its process, looked at closely: the one that was seen first, unless another one is its agent.
    pub(super) fn running(
        &self,
        agent: Option<u32>,
        processes: &Processes,
        until: Instant,
    ) -> Option<RawRunning> {
        let pid = agent?;
        let known = self.running.as_ref().filter(|running| running.pid == pid);
        known.cloned().or_else(|| processes.witness(pid, until))
    }

    /// Takes in the account that its manager has in force, specifiers filled in.
    pub(super) fn runs_as(&mut self, user: &str) {
        if user.is_empty() || self.user.as_deref() == Some(user) {
            return;
        }
        // What the unit names is not whom its command runs as.
        let unit = self.unit.as_ref();
        if unit.is_some_and(|unit| Elevation::of_unit(&unit.directives).is_some()) {
            return;
        }
        // The manager knows nothing of what a program in front of the agent steps over to.
        if user == "root" && self.started.run.account.is_some() {
            return;
        }
        if self.task_user == self.user {
            self.task_user = Some(user.to_owned());
        }
        self.user = Some(user.to_owned());
    }

    /// Every secret that is known of it. What only root could have written is the administrator's;
    /// anything else must look like a token to be searched for.
    pub(super) fn tell(&self, secrets: &Secrets) {
        let mut found = Found::default();
        if let Some(token) = &self.token {
            let config = self.config.as_ref().and_then(Seen::ok);
            match config.is_some_and(|config| config.written_by.is_root()) {
                true => secrets.add(token.expose()),
                false => found.token(token.expose()),
            }
        }
        let running = self.running.as_ref();
        let words = running.map_or_else(Default::default, |running| running.read.words.iter());
        let mut words = self.command.iter().chain(words).peekable();
        while let Some(word) = words.next() {
            match word.split_once('=') {
                Some((name, value)) if is_token_flag(name) => found.token(value),
                None if is_token_flag(word) => {
                    words.peek().iter().for_each(|value| found.token(value));
                }
                _ => {}
            }
        }
        for raw in self.variables.iter().chain(&self.of_process) {
            let is_token = environment::is_token(&raw.name);
            if self.named_by.and(raw.written_by).is_root() {
                if is_token {
                    secrets.add(&raw.value);
                }
                secrets.add_login(&raw.value);
            } else {
                if is_token {
                    found.token(&raw.value);
                }
                found.login(&raw.value);
            }
        }
        secrets.add_all(&found);
    }

    /// Where its service's definition holds the token.
    pub(super) fn token_places(&self) -> Vec<TokenPlace> {
        let in_command = holds_token(&self.command).then_some(TokenPlace::Command);
        let lines = self.unit.iter().flat_map(|unit| &unit.directives).filter(|line| {
            line.section == "Service"
                && line.key == "Environment"
                && environment::sets_token(&line.value)
        });
        let place = |line: &Directive<String>| TokenPlace::Definition {
            file: line.file.clone(),
            line: line.line,
        };
        in_command.into_iter().chain(lines.map(place)).collect()
    }

    /// A variable that its service sets, with who could have set it; the last one counts.
    pub(super) fn raw(&self, name: &str) -> Option<&Raw> {
        self.variables.iter().rev().find(|raw| raw.name == name)
    }
}

/// The places of an install of ours.
fn layout(receipt: &Receipt) -> Layout {
    let instance = (receipt.instance != "default").then_some(receipt.instance.as_str());
    let os = receipt.binary.as_ref().map_or(Os::Linux, |binary| binary.platform.os());
    Layout::of(receipt.agent(), os, instance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_counts_for_the_agent_that_reads_it() {
        let raw = |name: &str| Raw {
            name: name.to_owned(),
            value: name.to_owned(),
            source: String::new(),
            written_by: Provenance::Root,
        };
        let names = ["LAUNCH_AGENT_RUNNER_WORK_DIR", "CIRCLECI_RUNNER_WORK_DIR"];
        for (agent, name) in Kind::ALL.into_iter().zip(names) {
            let variables = names.map(raw).to_vec();
            let candidate = Candidate { agent, variables, ..Candidate::default() };
            assert_eq!(candidate.setting("runner.working_directory").unwrap().0, name);
        }
    }

    /// Everybody can run the program that an install without service has.
    #[test]
    #[cfg(unix)] // Accounts have numbers only there.
    fn a_process_of_another_account_is_no_agent_of_an_install() {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let line = "circleci:x:4242:4242::/home/circleci:/bin/sh\n";
        std::fs::write(folder.path().join("etc/passwd"), line).unwrap();
        let mut receipt = Receipt::new("default");
        receipt.installed = true;
        for (uid, is_own) in [(1001, false), (4242, true), (0, true)] {
            let command = "/opt/circleci/circleci-launch-agent".to_owned();
            let process = crate::host::Process {
                pid: 7,
                uid,
                name: "circleci-launch".into(),
                command,
                parent: 1,
                started: 0,
                state: 'S',
                in_service: false,
            };
            let processes = Processes::of(vec![process]);
            let (receipts, scrub) = (vec![receipt.clone()], Scrub::default());
            let (found, strays) =
                all(&root, Vec::new(), receipts, &processes, &scrub, Instant::now());
            assert_eq!(found[0].process.is_some(), is_own, "{uid}");
            assert_eq!(strays.count == 0, is_own, "{uid}");
        }
    }
}
