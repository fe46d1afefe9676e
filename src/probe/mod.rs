//! Takes the survey of a host: everything that the doctor may know, read at once and never
//! changed. What is found first is where to look closer: definitions, processes, receipts.

mod account;
mod acl;
mod agent_probes;
mod agent_settings;
mod agent_words;
mod binary;
mod boot;
mod candidate;
mod command_prefix;
pub mod config;
mod context;
mod deadline;
mod discovery;
mod drop_ins;
mod effective;
mod endpoints;
mod environment;
mod environment_files;
mod existing;
mod held_names;
mod host;
mod host_end;
mod host_probes;
mod image_name;
mod launch;
mod launchd;
mod log;
mod mac;
mod mac_agents;
mod manager_settings;
mod managers;
mod misnamed;
mod named_paths;
pub mod network;
mod numbered;
mod objections;
mod other_keepers;
mod paths;
mod personal;
mod plan_facts;
mod planned_mounts;
mod processes;
pub mod procfs;
mod program_path;
mod questions;
mod reader;
mod route;
mod scrub;
mod scrubbed;
mod secret_words;
mod services;
mod slices;
mod start_lacks;
mod start_log;
mod strays;
mod sudo;
mod task_action;
mod task_starts;
mod tasks;
mod unit;
mod unit_parts;
mod units;
mod upgrades;
mod variables;
mod volumes;
mod windows;
mod windows_paths;
mod workdir;

use crate::{
    Code, Command, Error, Help, Result,
    host::{AccountFacts, Install, Network, ProbeName, ProbeSet, SCHEMA_VERSION, Seen, Survey},
    platform::{Os, command::HostCommands, fs::Root},
    service::Told,
    text::Secrets,
};
use agent_probes::AgentProbes;
use candidate::Candidate;
use context::ProbeContext;
use deadline::{Limit, Probe, known_or_default, probe};
use discovery::{Discovery, discover};
use mac_agents::MacAgents;
use managers::{Answer, ManagerAnswers, next_boot, service_states};
use network::QueueQuery;
use processes::Processes;
use questions::{network_probe, queue_probe};
use scrub::Scrub;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

pub use endpoints::Endpoints;
pub use environment::KEPT as KEPT_VARIABLES;
pub use existing::{Existing, existing};
pub use plan_facts::{examine_paths, of_host};

/// Programs and files of the host itself answer within this time, or are said to hang.
const LOCAL_LIMIT: Duration = Duration::from_secs(2);

/// How much longer a probe may take than the programs that it runs.
const MARGIN: Duration = Duration::from_millis(250);

/// What the whole examination takes at most, beside the time for the probes of the network.
const WHOLE_LIMIT: Duration = Duration::from_secs(10);

/// How much later than that it is given up, where something hangs that no probe looks at.
const GRACE: Duration = Duration::from_secs(5);

/// Why nothing is said of what only runs.
const IMAGE: &str = "nothing runs in an image";

/// Why nothing is said of what only other systems keep in files.
const THERE: &str = "Windows does not keep it in a file";

/// What to examine a host for.
#[derive(Debug, Clone)]
pub struct Request {
    /// For each probe.
    pub timeout: Duration,
    /// Only this instance.
    pub instance: Option<String>,
    /// This configuration, whatever the service names.
    pub config: Option<PathBuf>,
    /// Where to reach what an agent needs; `None`: no network. An image has none either.
    pub endpoints: Option<Endpoints>,
    /// The resource class to ask for.
    pub queue_query: Option<QueueQuery>,
    /// Paths that the person at this run allows to be given to an agent's account.
    pub allowed: Vec<PathBuf>,
}

/// A survey, and the secrets that were met on the way and did not enter it.
#[derive(Debug)]
pub struct Examined {
    /// The survey.
    pub survey: Survey,
    /// What must not be printed.
    pub secrets: Secrets,
}

/// Examines a host, or the folder given as `--root`, by these probes, within a time that follows from
/// that for each of them.
///
/// # Errors
/// None that hides the rest: only when no random number can be had, or when all of it hangs.
pub fn examine(root: &Arc<Root>, probes: ProbeSet, request: Request) -> Result<Examined> {
    let each = request.timeout * 2 + WHOLE_LIMIT;
    let until = Instant::now() + each;
    let whole = Limit { each: each + GRACE, until: until + GRACE };
    let root = Arc::clone(root);
    match probe("this host", whole, move || take(root, probes, request, until)).seen() {
        Seen::Known(examined) => examined,
        Seen::Unseen(unseen) => Err(Error::new(Code::HostUnfit, unseen.why).help(
            Help::of_program(Command::fixed("runnerup doctor -vv"), "says what was looked at last"),
        )),
    }
}

/// Takes the survey.
fn take(root: Arc<Root>, probes: ProbeSet, request: Request, until: Instant) -> Result<Examined> {
    let secrets = Secrets::default();
    let context = ProbeContext {
        commands: HostCommands,
        limit: request.timeout.min(LOCAL_LIMIT),
        until,
        scrub: Scrub(secrets.clone()),
        is_host: root.is_host(),
        os: mac::os(&root),
        root,
        now: jiff::Timestamp::now().as_second(),
        allowed: request.allowed.clone().into(),
        asked: probes,
    };
    let Discovery { mut candidates, mut strays, mut processes, undiscovered } =
        discover(&context, request.config.as_deref(), &secrets)?;
    if let Some(only) = &request.instance {
        candidates = of_instance(candidates, only)?;
    }
    let states = service_states(&context, &candidates);
    let word = effective::ManagerWord::begin(&context);
    let objections = objections::begin(&context, &candidates);
    let boots = next_boot(&context, &candidates);
    let windows = (context.is_host && context.os == Os::Windows)
        .then(|| windows::ask(&context, &candidates, request.timeout));
    // What systemd has in force decides how the network is reached; no other manager tells that.
    let word = known_or_default(word.seen());
    let mut states = Answer::Begun(states);
    if context.os == Os::Linux {
        let told = states.done();
        effective::take_over(&context, &mut candidates, &told, &word, &secrets);
        states = Answer::Done(told);
    }
    let network = network_probe(&context, &request, &candidates);
    let queue = queue_probe(&context, &request, &candidates);
    let windows = windows.map(windows::Asked::answer);
    if let Some(windows) = &windows {
        processes = Arc::new(match windows.processes() {
            Seen::Known(processes) => processes,
            Seen::Unseen(unseen) => Processes::unseen(unseen, context.now - host::uptime()),
        });
        windows.name_users(&mut candidates);
        strays = strays::by_hand(&candidates, &processes, &context.root, &context.scrub);
    }
    numbered::name_accounts(&context, &mut candidates);
    let host = host_probes::begin(&context, &candidates, &processes);
    let of_windows = windows.as_ref().map(|windows| {
        let accounts = windows.accounts(&candidates, context.now);
        (windows.states(&candidates, &processes), accounts, windows.facts(&candidates))
    });
    // Windows tells of its accounts in another way, and none of them has a number here.
    let asked: &[Candidate] = if context.os == Os::Windows { &[] } else { &candidates };
    let accounts = accounts(&context, asked);
    let uids = numbered::of_names(&context, asked);
    let mut probes: Vec<AgentProbes> = candidates
        .into_iter()
        .map(|candidate| agent_probes::begin(&context, candidate, &uids))
        .collect();
    let mut states = states.done();
    if let Some((of_tasks, _, _)) = &of_windows {
        states = of_tasks.clone().map(effective::without);
    } else if context.os == Os::Windows {
        states = Seen::not_applicable(IMAGE);
    }
    if context.is_host && context.os == Os::Darwin {
        let main = |told: &Told| told.state.main_pid;
        let agents = MacAgents {
            jobs: states.clone().map(|all| all.values().filter_map(main).collect()),
            processes: &processes,
            commands: &context.commands,
            scrub: &context.scrub,
            limit: context.limit,
        };
        let mut found: Vec<_> = probes.iter_mut().map(AgentProbes::candidate).collect();
        strays = agents.claim(&mut found, &uids);
    }
    let managers = ManagerAnswers {
        states,
        objections: objections.done(),
        boots: boots.flat(),
        settings: word.settings,
    };
    let mut installs: Vec<Install> = probes
        .into_iter()
        .map(|probes| probes.done(&context, &managers, &processes, &uids))
        .collect();
    let mut host = host(&installs);
    if context.os == Os::Windows {
        installs.iter_mut().for_each(windows_paths::as_windows_does);
    }
    for account in accounts {
        match account.flat() {
            Seen::Known(account) => host.accounts.extend(account),
            Seen::Unseen(unseen) => host.accounts_unread = Some(unseen.why),
        }
    }
    if let (Some(answer), Some((_, accounts, facts))) = (&windows, of_windows) {
        answer.complete(&mut host, accounts, facts, &installs);
    }
    let network: Seen<Network> = match network {
        Some(network) => network.seen(),
        None if context.is_host => Seen::not("not examined, because --offline was given"),
        None => Seen::not_applicable("an image reaches no server"),
    };
    let survey = Survey {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        taken: context.now,
        host,
        installs,
        undiscovered,
        network,
        queue: queue.map_or_else(
            || Seen::not_applicable("not examined, because --resource-class was not given"),
            Probe::flat,
        ),
        strays,
        allowed: request.allowed,
        base: (!context.is_host).then(|| context.root.base().to_owned()),
        is_saved: false,
    };
    Ok(Examined { survey, secrets })
}

/// The candidates of that name.
fn of_instance(candidates: Vec<Candidate>, name: &str) -> Result<Vec<Candidate>> {
    let others: BTreeSet<String> =
        candidates.iter().map(|candidate| candidate.name.clone()).collect();
    let found: Vec<_> = candidates.into_iter().filter(|candidate| candidate.name == name).collect();
    if !found.is_empty() || others.is_empty() {
        return Ok(found);
    }
    let others: Vec<String> = others.into_iter().take(32).collect();
    let message = format!("--instance: {name:?} is no agent of this host");
    Err(Error::new(Code::ValueInvalid, message)
        .help(Help::words(format!("there is: {}", others.join(", ")))))
}

fn accounts(
    context: &ProbeContext,
    candidates: &[Candidate],
) -> Vec<Probe<Seen<Option<AccountFacts>>>> {
    let mut names: BTreeSet<String> = numbered::names(candidates).collect();
    names.insert("root".to_owned());
    let probe = |name: String| {
        context.start(ProbeName::Account, move |context| {
            let ProbeContext { root, commands, limit, is_host, scrub, .. } = context;
            Seen::from(account::facts(root, &name).map(|account| {
                let mut account = account?;
                account.sudo = match is_host {
                    true => sudo::of_host(root, commands, &account, *limit, scrub),
                    false => sudo::of_image(root, &account),
                };
                Some(account)
            }))
        })
    };
    names.into_iter().map(probe).collect()
}

fn uid_of(root: &Root, name: &str) -> Option<u32> {
    crate::platform::accounts::find(root, name).ok().flatten()?.uid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Reason;

    #[test]
    fn what_is_not_asked_for_is_not_read() {
        let (_folder, root) = crate::platform::fs::empty_root();
        let root = Arc::new(root);
        let examined = |probes: ProbeSet| {
            let request = Request {
                timeout: Duration::from_secs(5),
                instance: None,
                config: None,
                endpoints: None,
                queue_query: None,
                allowed: Vec::new(),
            };
            examine(&root, probes, request).unwrap().survey.host
        };
        let reason =
            |host: &crate::host::Host| host.resolver.known().err().map(|unseen| unseen.why);
        let few = examined(ProbeSet::of(&[ProbeName::ServiceState]));
        assert_eq!(reason(&few).unwrap(), "the resolver's configuration was not asked for");
        let Seen::Unseen(unseen) = few.memory else { panic!("it was read") };
        assert_eq!(unseen.reason, Reason::NotExamined);
        assert!(!reason(&examined(ProbeSet::ALL)).is_some_and(|why| why.contains("asked for")));
    }
}
