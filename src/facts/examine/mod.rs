//! Takes the survey of a host: everything that the doctor may know, read at once and never
//! changed. What is found first is where to look closer: definitions, processes, receipts.

mod account;
mod asks;
mod binary;
mod candidate;
mod config;
mod environment;
mod ground;
mod host;
mod log;
mod manager;
mod probe;
mod processes;
mod scrub;
mod units;
mod workdir;

use super::network::{Ask, Inquiry};
use super::survey::{
    AccountFacts, Host, Install, Network, Process, Queue, Received, SCHEMA_VERSION, Seen, Service,
    State, Survey, Trail,
};
use crate::{
    Result,
    agent::{Os, Secrets},
    apply::{self, Receipt},
    plan::before_blank,
    platform::{
        command::HostCommands,
        fs::Root,
        privilege::is_privileged,
        service::{Manager, systemd_runs},
    },
};
use candidate::Candidate;
use ground::Part;
use probe::{Probe, probe};
use processes::Processes;
use scrub::Scrub;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use asks::Endpoints;

/// Programs and files of the host itself answer within this time, or are said to hang.
const LOCAL_LIMIT: Duration = Duration::from_secs(2);

/// Why nothing is said of what only runs.
const IMAGE: &str = "nothing runs in an image";

/// Most bytes of a configuration that are read.
const CONFIG_LIMIT: u64 = 256 << 10;

/// What to examine.
#[derive(Debug, Clone)]
pub struct Request {
    /// The host, or the folder given as `--root`.
    pub root: Arc<Root>,
    /// For each probe.
    pub timeout: Duration,
    /// Only this instance.
    pub instance: Option<String>,
    /// This configuration, whatever the service names.
    pub config: Option<PathBuf>,
    /// Where to reach what an agent needs; `None`: no network.
    pub endpoints: Option<Endpoints>,
    /// The resource class to ask for.
    pub inquiry: Option<Inquiry>,
}

/// A survey, and the secrets that were met on the way and did not enter it.
#[derive(Debug)]
pub struct Examined {
    /// The survey.
    pub survey: Survey,
    /// What must not be printed.
    pub secrets: Secrets,
}

/// What every look needs.
#[derive(Clone)]
struct Ground {
    root: Arc<Root>,
    commands: HostCommands,
    limit: Duration,
    scrub: Scrub,
    is_host: bool,
    now: i64,
}

/// The looks at one agent.
struct Looks {
    candidate: Candidate,
    binary: Option<Probe<super::survey::Binary>>,
    paths: Vec<(String, Probe<Seen<Trail>>)>,
    workdir: Option<Probe<Seen<super::survey::Workdir>>>,
    log: Option<Probe<log::Log>>,
    tools: Probe<Vec<super::survey::Tool>>,
}

/// Examines a host.
///
/// # Errors
/// None that hides the rest: only when no random number can be had.
pub fn examine(request: &Request) -> Result<Examined> {
    let secrets = Secrets::default();
    let ground = Ground {
        root: Arc::clone(&request.root),
        commands: HostCommands,
        limit: request.timeout.min(LOCAL_LIMIT),
        scrub: Scrub(secrets.clone()),
        is_host: request.root.base() == Path::new("/"),
        now: jiff::Timestamp::now().as_second(),
    };
    let (mut candidates, processes) = discover(&ground, request, &secrets)?;
    if let Some(only) = &request.instance {
        candidates.retain(|candidate| candidate.name == *only);
    }
    let asks =
        request.endpoints.as_ref().map(|endpoints| asks::of(endpoints, &candidates, &ground.root));
    let queue = queue_look(request, asks.as_deref());
    let network = asks.map(|asks| {
        let (timeout, scrub) = (request.timeout, ground.scrub.clone());
        // Each attempt has a deadline of its own; this one guards against a hang.
        probe("the network", timeout + LOCAL_LIMIT, move || {
            let mut network = super::network::examine(asks, timeout);
            let answers = network.endpoints.iter_mut().filter_map(|own| own.answer.as_mut());
            for answer in answers.filter_map(|answer| answer.outcome.as_mut().ok()) {
                answer.begins = scrub.text(&answer.begins);
            }
            network
        })
    });
    let units: Vec<String> = candidates
        .iter()
        .filter_map(|candidate| Some(candidate.unit.as_ref()?.name.clone()))
        .collect();
    let uptime = host::uptime();
    let states =
        ground.look("systemctl show", move |ground| match ground.is_host && systemd_runs() {
            true => manager::states(&ground.commands, &units, ground.limit, ground.now, uptime),
            false => Seen::not("systemd does not run here"),
        });
    let host = host_looks(&ground, &candidates, &processes);
    let accounts = accounts(&ground, &candidates);
    let uids: BTreeMap<String, u32> = candidates
        .iter()
        .flat_map(|candidate| [&candidate.user, &candidate.task_user])
        .flatten()
        .filter_map(|name| Some((name.clone(), uid_of(&ground.root, name)?)))
        .collect();
    let looks: Vec<Looks> =
        candidates.into_iter().map(|candidate| looks(&ground, candidate, &uids)).collect();
    let states = states.flat();
    let installs: Vec<Install> =
        looks.into_iter().map(|looks| looks.done(&ground, &states, &processes, &uids)).collect();
    let mut host = host(&installs);
    host.accounts =
        accounts.into_iter().filter_map(|account| account.seen().ok().cloned().flatten()).collect();
    let network: Seen<Network> = match network {
        Some(network) => network.seen(),
        None => Seen::not("not asked: --offline"),
    };
    let survey = Survey {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        taken: ground.now,
        host,
        installs,
        network,
        queue: queue
            .map_or_else(|| Seen::not("not asked: --resource-class was not given"), Probe::flat),
    };
    Ok(Examined { survey, secrets })
}

/// Asks for the resource class, by the way that an agent of this host reaches the API.
fn queue_look(request: &Request, asks: Option<&[Ask]>) -> Option<Probe<Seen<Queue>>> {
    let inquiry = request.inquiry.clone()?;
    let way = asks.unwrap_or_default().iter().find(|ask| ask.endpoint == "api").cloned();
    let timeout = request.timeout;
    Some(probe("the runner API", timeout * 2 + LOCAL_LIMIT, move || match way {
        Some(way) => super::network::inquire(&inquiry, &way, timeout),
        None => Seen::not("no agent here says where its API is"),
    }))
}

/// Finds the agents and reads their configurations.
fn discover(
    ground: &Ground,
    request: &Request,
    secrets: &Secrets,
) -> Result<(Vec<Candidate>, Arc<Processes>)> {
    let units =
        ground.look("the unit files", |ground| units::find(&ground.root).unwrap_or_default());
    let receipts = ground.look("the receipts", |ground| {
        let known = apply::read(&ground.root, "default").unwrap_or_default();
        known.receipt.into_iter().chain(known.others).collect::<Vec<Receipt>>()
    });
    let processes = ground.look("the processes", |ground| match ground.is_host {
        true => Processes::read(ground.now, host::uptime()),
        false => Processes::default(),
    });
    let units = known_or_default(units.seen());
    let receipts = known_or_default(receipts.seen());
    let processes = Arc::new(known_or_default(processes.seen()));
    let mut candidates = candidate::all(&ground.root, units, receipts, &processes);
    if let Some(path) = &request.config {
        let named = candidates.iter().any(|candidate| candidate.config_path.as_ref() == Some(path));
        if !named {
            candidates = vec![Candidate {
                name: path.display().to_string(),
                config_path: Some(path.clone()),
                ..Candidate::default()
            }];
        } else {
            candidates.retain(|candidate| candidate.config_path.as_ref() == Some(path));
        }
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| {
        crate::Error::new(crate::Code::HostUnfit, format!("no random numbers: {error}"))
    })?;
    let configs: Vec<_> = candidates
        .iter()
        .map(|candidate| {
            let path = candidate.config_path.clone();
            ground.look("a configuration", move |ground| {
                path.map(|path| read_config(&ground.root, &path, &salt))
            })
        })
        .collect();
    for (candidate, config) in candidates.iter_mut().zip(configs) {
        match config.seen() {
            Seen::Known(Some((config, token))) => candidate.configured(config, token),
            Seen::Known(None) => candidate.task_user = candidate.user.clone(),
            Seen::Unseen(unseen) => candidate.configured(Seen::Unseen(unseen), None),
        }
        candidate.tell(secrets);
    }
    Ok((candidates, processes))
}

type ReadConfig = (Seen<super::survey::ConfigFile>, Option<crate::agent::Token>);

fn read_config(root: &Root, path: &Path, salt: &[u8]) -> ReadConfig {
    let trail = match root.trail(path) {
        Ok(trail) => trail,
        Err(error) => return (Err(error).into(), None),
    };
    match ground::read(root, &trail, Part::Head(CONFIG_LIMIT)) {
        Ok(content) => {
            let (config, token) = config::read(trail, &content.bytes, salt);
            (Seen::Known(config), token)
        }
        Err(error) if error.code() == crate::Code::NeedsRoot => (Err(error).into(), None),
        // That it is not there, or is no file, is for the checks.
        Err(error) => {
            let fault = Some(error.message().to_owned());
            (
                Seen::Known(super::survey::ConfigFile {
                    trail,
                    fault,
                    settings: Vec::new(),
                    token: None,
                }),
                None,
            )
        }
    }
}

fn looks(ground: &Ground, mut candidate: Candidate, uids: &BTreeMap<String, u32>) -> Looks {
    let uid = |name: &Option<String>| name.as_ref().and_then(|name| uids.get(name).copied());
    let (user, task_user) = (uid(&candidate.user), uid(&candidate.task_user));
    let binary = candidate.binary.clone().map(|path| {
        let receipt = candidate.receipt.clone();
        ground.look("the binary", move |ground| binary::look(&ground.root, &path, receipt.as_ref()))
    });
    let config = candidate.config.as_ref().and_then(Seen::ok).cloned();
    let text = |key: &str| config.as_ref().and_then(|config| config.text(key)).map(str::to_owned);
    let mut named: Vec<(String, PathBuf)> = Vec::new();
    let mut name =
        |what: &str, path: Option<PathBuf>| named.extend(path.map(|path| (what.to_owned(), path)));
    let work = candidate
        .variable("LAUNCH_AGENT_RUNNER_WORK_DIR")
        .map(str::to_owned)
        .or_else(|| text("runner.working_directory"));
    let work = work.map(|path| before_blank(&path)).filter(|path| path.is_absolute());
    name("the work folder", work.clone());
    let file = text("logging.file").map(PathBuf::from).filter(|path| path.is_absolute());
    name("the log file", file.clone());
    // An image gets its /tmp where it runs.
    let temporary = candidate.variable("TMPDIR").or(ground.is_host.then_some("/tmp"));
    name("the temporary folder", temporary.map(PathBuf::from));
    name("the task agent's folder", text("runner.task_agent_directory").map(PathBuf::from));
    name("the certificates", candidate.variable("SSL_CERT_FILE").map(PathBuf::from));
    let directive = |key: &str| {
        let directives = candidate.unit.iter().flat_map(|unit| unit.directives.iter().rev());
        directives
            .filter(|own| own.section == "Service" && own.key == key)
            .map(|own| own.value.clone())
            .next()
    };
    let own = directive("WorkingDirectory").map(|path| path.trim_start_matches('-').to_owned());
    name("the service's own folder", own.filter(|path| path.starts_with('/')).map(PathBuf::from));
    let prefix =
        config.as_ref().and_then(|config| config.list("runner.command_prefix")?.first().cloned());
    name(
        "the command prefix",
        prefix.map(|word| program(&ground.root, &word, candidate.variable("PATH"))),
    );
    let mut paths: Vec<_> = named
        .into_iter()
        .map(|(what, path)| {
            let look = ground.look("a path", move |ground| Seen::from(ground.root.trail(&path)));
            (what, look)
        })
        .collect();
    for file in std::mem::take(&mut candidate.files) {
        let what =
            if file.optional { "an optional environment file" } else { "an environment file" };
        let trail = match file.trail {
            Seen::Known(trail) => Seen::Known(trail),
            Seen::Unseen(unseen) => Seen::not(format!("{}: {}", file.path.display(), unseen.why)),
        };
        paths.push((what.to_owned(), ground.look("a path", move |_| trail)));
    }
    let workdir = work.map(|path| {
        ground.look("the work folder", move |ground| {
            Seen::from(workdir::look(&ground.root, &path, task_user))
        })
    });
    let unit = candidate.unit.as_ref().map(|unit| unit.name.clone());
    let log = match (file, unit) {
        (Some(path), _) => {
            Some(ground.look("the log", move |ground| {
                log::of_file(&ground.root, &path, user, &ground.scrub)
            }))
        }
        (None, Some(unit)) if ground.is_host => Some(ground.look("the journal", move |ground| {
            log::of_unit(&ground.commands, &unit, ground.limit, &ground.scrub)
        })),
        _ => None,
    };
    let path = candidate.variable("PATH").map(str::to_owned);
    let tools = ground
        .look("the tools of jobs", move |ground| account::tools(&ground.root, path.as_deref()));
    Looks { candidate, binary, paths, workdir, log, tools }
}

/// Where a program is that is named without its folder.
fn program(root: &Root, word: &str, path: Option<&str>) -> PathBuf {
    let folders = path.unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let stands = |path: &PathBuf| root.trail(path).is_ok_and(|trail| trail.end.is_some());
    let found = || folders.split(':').map(|folder| Path::new(folder).join(word)).find(stands);
    if word.contains('/') {
        word.into()
    } else {
        found().unwrap_or(Path::new("/usr/bin").join(word))
    }
}

impl Looks {
    fn done(
        self,
        ground: &Ground,
        states: &Seen<BTreeMap<String, State>>,
        processes: &Processes,
        uids: &BTreeMap<String, u32>,
    ) -> Install {
        let scrub = &ground.scrub;
        let candidate = self.candidate;
        let command = candidate.shown_command(scrub);
        let name = candidate.unit.as_ref().map(|unit| unit.name.clone());
        let state = match (states, &name) {
            (Seen::Known(states), Some(name)) => states.get(name).cloned().map_or_else(
                || Seen::broken(format!("systemctl said nothing of {name}")),
                Seen::Known,
            ),
            (Seen::Unseen(unseen), _) => Seen::Unseen(unseen.clone()),
            (_, None) => Seen::not("no service"),
        };
        let main = state.ok().and_then(|state| state.main_pid).or(candidate.process);
        let of_unit = || {
            processes
                .agents()
                .into_iter()
                .find(|(_, unit)| name.is_some() && *unit == name)
                .map(|(pid, _)| pid)
        };
        let main = main.or_else(of_unit);
        let task_uid = candidate.task_user.as_ref().and_then(|name| uids.get(name).copied());
        let (tree, orphans): (Seen<Vec<Process>>, Seen<Vec<Process>>) = match ground.is_host {
            true => (
                Seen::Known(main.map_or_else(Vec::new, |main| processes.tree(main, scrub))),
                Seen::Known(processes.orphans(name.as_deref(), task_uid, scrub)),
            ),
            false => (Seen::not(IMAGE), Seen::not(IMAGE)),
        };
        let environment = environment::kept(&candidate.variables, scrub);
        let service = candidate.unit.map(|mut unit| {
            unit.scrub(scrub);
            Service {
                manager: Manager::Systemd,
                name: unit.name,
                definitions: unit.definitions,
                directives: unit.directives,
                command,
                state,
            }
        });
        let (log, log_written) = match self.log.map(Probe::seen) {
            Some(Seen::Known(log)) => log,
            Some(Seen::Unseen(unseen)) => (Seen::Unseen(unseen), None),
            None => (Seen::not("it has no log that is known"), None),
        };
        Install {
            name: candidate.name,
            agent: candidate.agent,
            receipt: candidate.receipt.as_ref().map(received),
            service,
            user: candidate.user,
            task_user: candidate.task_user,
            environment,
            binary: self.binary.map(|binary| match binary.seen() {
                Seen::Known(binary) => binary,
                Seen::Unseen(unseen) => super::survey::Binary {
                    trail: Seen::Unseen(unseen),
                    program: Seen::default(),
                    sha256: Seen::default(),
                    label: None,
                    quarantined: false,
                    gatekeeper: None,
                },
            }),
            config: candidate.config,
            paths: self.paths.into_iter().map(|(what, look)| (what, look.flat())).collect(),
            workdir: self.workdir.map_or_else(|| Seen::not("no work folder is named"), Probe::flat),
            processes: tree,
            orphans,
            log,
            log_written,
            tools: if ground.is_host { self.tools.seen() } else { Seen::not(IMAGE) },
        }
    }
}

fn received(receipt: &Receipt) -> Received {
    Received {
        complete: receipt.complete,
        installed: receipt.installed,
        version: receipt.binary.as_ref().map(|binary| binary.version.to_string()),
        sha256: receipt.binary.as_ref().map(|binary| binary.sha256.to_string()),
        changed: Vec::new(),
    }
}

/// Starts the looks at the host; what it returns waits for them.
fn host_looks(
    ground: &Ground,
    candidates: &[Candidate],
    processes: &Arc<Processes>,
) -> impl FnOnce(&[Install]) -> Host + use<> {
    let processes = Arc::clone(processes);
    let container = ground.is_host.then(host::container).flatten();
    let is_container = container.is_some();
    let systemd =
        ground.look("systemd's version", |ground| match ground.is_host && systemd_runs() {
            true => host::systemd(&ground.commands, ground.limit),
            false => None,
        });
    let kills = ground.look("the kernel's log", move |ground| {
        host::oom_kills(&ground.commands, ground.limit, is_container || !ground.is_host)
    });
    let selinux = ground.look("SELinux", |ground| {
        ground.is_host.then(|| host::selinux(&ground.commands, ground.limit)).flatten()
    });
    let folders: BTreeSet<PathBuf> = candidates
        .iter()
        .filter_map(|candidate| Some(candidate.config_path.as_ref()?.parent()?.to_owned()))
        .collect();
    let packages = ground.look("the package manager", move |ground| {
        host::packages(&ground.root, &folders.into_iter().collect::<Vec<_>>())
    });
    let resolver =
        ground.look("the resolver's configuration", |ground| host::resolver(&ground.root));
    let ground = ground.clone();
    move |installs| {
        let volumes = volumes(&ground, installs);
        Host {
            os: if cfg!(target_os = "macos") { Os::Darwin } else { Os::Linux },
            machine: machine(),
            system: host::system(&ground.root),
            hostname: hostname(),
            privileged: is_privileged(),
            image: !ground.is_host,
            systemd: systemd.seen().ok().copied().flatten(),
            mounts: if ground.is_host { host::mounts() } else { Vec::new() },
            volumes,
            memory: if ground.is_host { host::memory() } else { Seen::not(IMAGE) },
            oom_kills: kills.flat(),
            clock: match ground.is_host {
                true => host::clock(&processes, is_container),
                false => Seen::not(IMAGE),
            },
            selinux: selinux.seen().ok().cloned().flatten(),
            resolver: resolver.flat(),
            accounts: Vec::new(),
            listening: host::listening(),
            routes: host::routes(),
            packages: packages.flat(),
            container,
            mac: None,
            windows: None,
        }
    }
}

/// The file systems that an agent writes to, each once.
fn volumes(ground: &Ground, installs: &[Install]) -> Vec<super::survey::Volume> {
    if !ground.is_host {
        return Vec::new();
    }
    let mut folders: Vec<(PathBuf, String)> = Vec::new();
    for (what, trail) in installs.iter().flat_map(|install| &install.paths) {
        let Some(folder) = trail.ok().and_then(Trail::nearest) else { continue };
        let is_ours =
            ["the work folder", "the temporary folder", "the log file", "the task agent's folder"]
                .contains(&what.as_str());
        let folder = match trail.ok() {
            Some(trail) if trail.is(crate::platform::fs::Kind::Folder) => trail.real.clone(),
            _ => folder.path.clone(),
        };
        if is_ours && !folders.iter().any(|(own, _)| *own == folder) {
            folders.push((folder, what.clone()));
        }
    }
    let looks: Vec<_> = folders
        .into_iter()
        .map(|(folder, what)| ground.look("a file system", move |_| host::volume(&folder, &what)))
        .collect();
    looks.into_iter().filter_map(|look| look.seen().ok().cloned().flatten()).collect()
}

fn accounts(ground: &Ground, candidates: &[Candidate]) -> Vec<Probe<Option<AccountFacts>>> {
    let names = candidates.iter().flat_map(|candidate| [&candidate.user, &candidate.task_user]);
    let mut names: BTreeSet<String> = names.flatten().cloned().collect();
    names.insert("root".to_owned());
    let look = |name: String| {
        ground.look("an account", move |ground| {
            account::facts(&ground.root, &ground.commands, &name, ground.limit, ground.is_host)
        })
    };
    names.into_iter().map(look).collect()
}

impl Ground {
    fn look<T: Send + 'static>(
        &self,
        what: &'static str,
        look: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Probe<T> {
        let own = self.clone();
        probe(what, self.limit + Duration::from_millis(250), move || look(&own))
    }
}

fn uid_of(root: &Root, name: &str) -> Option<u32> {
    crate::platform::accounts::find(root, name).ok().flatten().map(|account| account.uid)
}

fn known_or_default<T: Default>(seen: Seen<T>) -> T {
    match seen {
        Seen::Known(known) => known,
        Seen::Unseen(unseen) => {
            tracing::warn!("{}", unseen.why);
            T::default()
        }
    }
}

fn machine() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
