//! Which agents there are, and their configurations.

use super::{
    agent_settings::ConfigPlace,
    candidate::{self, Candidate},
    config,
    context::ProbeContext,
    deadline::known_or_default,
    host, launchd, mac, other_keepers,
    processes::Processes,
    reader::{self, Part},
    services, tasks, units, variables,
};
use crate::{
    Code, Error, Result,
    agent::{Kind, Token},
    host::{ConfigFile, ConfigState, ProbeName, Provenance, Seen, Strays, Unseen},
    platform::{Os, fs::Root},
    record::{self, Receipt},
    text::Secrets,
};
use std::{collections::BTreeSet, path::Path, sync::Arc};

/// Most bytes of a configuration that are read.
const CONFIG_LIMIT: u64 = 256 << 10;

/// What was found to look closer at.
pub(super) struct Discovery {
    pub(super) candidates: Vec<Candidate>,
    pub(super) strays: Strays,
    pub(super) processes: Arc<Processes>,
    /// Why there may be more.
    pub(super) undiscovered: Vec<String>,
}

/// Finds the agents and reads their configurations; where a configuration is named, its agent alone.
///
/// # Errors
/// When no random number can be had.
pub(super) fn discover(
    context: &ProbeContext,
    config: Option<&Path>,
    secrets: &Secrets,
) -> Result<Discovery> {
    let mut discovery = agents(context);
    if let Some(path) = config {
        discovery.keep(path);
    }
    read_configs(context, &mut discovery.candidates, secrets)?;
    Ok(discovery)
}

/// The agents: by the definitions of services, the receipts and the processes, all looked at at once.
fn agents(context: &ProbeContext) -> Discovery {
    let units = context.start(ProbeName::Definitions, |context| {
        let mut found = units::find(&context.root, &BTreeSet::new(), context.soon());
        found.units.extend(launchd::find(&context.root));
        if context.os == Os::Windows {
            found.units.extend(tasks::find(&context.root));
        }
        found
    });
    let receipts = context.start(ProbeName::Receipts, |context| {
        Seen::from(
            record::read(&context.root, "default")
                .map(|known| known.into_receipts().collect::<Vec<Receipt>>()),
        )
    });
    let machine = context.start(ProbeName::MachineEnvironment, |context| {
        let asks = context.is_host && context.os == Os::Windows;
        if asks { variables::of_machine(&context.commands, context.limit) } else { Vec::new() }
    });
    let processes = context.start(ProbeName::Processes, |context| match context.is_host {
        true if context.os == Os::Darwin => {
            Processes::of(mac::processes(&context.commands, context.now))
        }
        true => Processes::read(context.now, host::uptime(), context.soon()),
        false => Processes::default(),
    });
    let (units, receipts) = (units.seen(), receipts.flat());
    let processes = Arc::new(match processes.seen() {
        Seen::Known(processes) => processes,
        Seen::Unseen(unseen) => Processes::unseen(unseen, context.now - host::uptime()),
    });
    let faults = [reason(&units), reason(&receipts), processes.fault()];
    let mut undiscovered: Vec<String> =
        faults.into_iter().flatten().map(|unseen| unseen.why.clone()).collect();
    let (units, receipts) = (known_or_default(units), known_or_default(receipts));
    let units = services::complete(context, units, &processes, &mut undiscovered);
    let of_processes = Arc::clone(&processes);
    let candidates = context
        .start(ProbeName::Environments, move |context| {
            let (root, scrub, until) = (&context.root, &context.scrub, context.soon());
            candidate::all(root, units, receipts, &of_processes, scrub, until)
        })
        .seen();
    let fault = reason(&candidates).map(|unseen| unseen.why.clone());
    undiscovered.extend(fault.clone());
    let (mut candidates, mut strays) = known_or_default(candidates);
    strays.unseen = strays.unseen.or(fault.map(Unseen::not_examined));
    if candidates.is_empty() && !context.is_host {
        let others = context.start(ProbeName::Definitions, |context| {
            other_keepers::find(&context.root, context.soon())
        });
        undiscovered.extend(known_or_default(others.seen()));
    }
    let machine = known_or_default(machine.seen());
    for candidate in &mut candidates {
        // What a script sets comes later, and counts.
        candidate.variables.splice(0..0, machine.iter().cloned());
    }
    Discovery { candidates, strays, processes, undiscovered }
}

impl Discovery {
    /// Keeps the agent of a configuration; where none has it, one of which nothing else is known.
    fn keep(&mut self, config: &Path) {
        self.candidates.retain(|candidate| candidate.config_path.as_deref() == Some(config));
        if self.candidates.is_empty() {
            self.candidates.push(Candidate {
                name: config.display().to_string(),
                config_path: Some(config.to_owned()),
                // Whoever runs the doctor named it.
                named_by: Provenance::Root,
                ..Candidate::default()
            });
        }
    }
}

fn read_configs(
    context: &ProbeContext,
    candidates: &mut [Candidate],
    secrets: &Secrets,
) -> Result<()> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::new(Code::HostUnfit, format!("no random numbers: {error}")))?;
    let configs: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let is_default = candidate.config_is_default;
            let (path, named_by) = (candidate.config_path.clone(), candidate.named_by);
            let place = path.map(|path| ConfigPlace { path, is_default });
            context.start(ProbeName::Configuration, move |context| {
                place.map(|place| read_config(&context.root, &place, named_by, &salt))
            })
        })
        .collect();
    for (candidate, config) in candidates.iter_mut().zip(configs) {
        match config.seen() {
            Seen::Known(Some((config, token))) => candidate.configured(config, token),
            Seen::Known(None) => {
                // What names it was not read, so that nothing is missing.
                let unread = candidate.started.run.unread.clone();
                let is_known = candidate.command.iter().any(|word| Kind::named_in(word).is_some());
                let is_lost = !is_known && candidate.unit.is_some();
                let lost = || "what the service runs was not followed to an agent".to_owned();
                let why = unread.or_else(|| is_lost.then(lost));
                candidate.config = why.map(Seen::not);
                candidate.settle();
            }
            Seen::Unseen(unseen) => candidate.configured(Seen::Unseen(unseen), None),
        }
        let given = candidate.token_given();
        candidate.token_given = given.map(|token| config::shape(&token, &salt));
        candidate.tell(secrets);
    }
    Ok(())
}

/// Why something was not seen.
fn reason<T>(seen: &Seen<T>) -> Option<&Unseen> {
    match seen {
        Seen::Known(_) => None,
        Seen::Unseen(unseen) => Some(unseen),
    }
}

type ReadConfig = (Seen<ConfigFile<String>>, Option<Token>);

fn read_config(
    root: &Root,
    ConfigPlace { path, is_default }: &ConfigPlace,
    named_by: Provenance,
    salt: &[u8],
) -> ReadConfig {
    let walk = match reader::walk(root, path, named_by, None) {
        Ok(walk) => walk,
        Err(error) => return (Err(error).into(), None),
    };
    match reader::read(root, &walk, Part::Head(CONFIG_LIMIT), named_by) {
        Ok(content) => {
            let (config, token) = config::read(walk, &content.bytes, named_by, salt);
            (Seen::Known(ConfigFile { is_default: *is_default, ..config }), token)
        }
        Err(error) if error.code() == Code::NeedsRoot => (Err(error).into(), None),
        Err(error) => {
            let of_walk = ConfigState::of_walk(&walk);
            let unreadable = || ConfigState::Unreadable(error.message().to_owned());
            let config = ConfigFile {
                state: of_walk.unwrap_or_else(unreadable),
                walk,
                settings: Vec::new(),
                token: None,
                written_by: Provenance::Anybody,
                is_default: *is_default,
                second: None,
            };
            (Seen::Known(config), None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_that_is_absent_is_not_broken() {
        let (folder, root) = crate::platform::fs::empty_root();
        std::fs::create_dir(folder.path().join("folder")).unwrap();
        std::fs::write(folder.path().join("file"), "a: [").unwrap();
        let place = |path: &str| ConfigPlace { path: path.into(), is_default: false };
        for (path, expected) in [
            ("/none", ConfigState::Missing),
            ("/none/none", ConfigState::Missing),
            ("/file/none", ConfigState::Missing),
            ("/folder", ConfigState::NotAFile),
        ] {
            let (config, _) = read_config(&root, &place(path), Provenance::Root, b"");
            assert_eq!(config.known().unwrap().state, expected, "{path}");
        }
        let (config, _) = read_config(&root, &place("/file"), Provenance::Root, b"");
        assert!(matches!(config.known().unwrap().state, ConfigState::Broken(_)));
    }
}
