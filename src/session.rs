//! One run against one host: discover, plan, apply, prove, in that order; or diagnose, and cure.

mod bundle;
mod cure;
mod diagnose;
mod discover;
mod network;

pub(crate) use cure::BY_HAND;
pub use cure::{Cures, cures};
pub use diagnose::Examination;
pub use discover::Discovery;

use crate::{
    Code, Error, Result,
    agent::{CLOUD_URL, VersionChoice},
    apply::{self, BinarySource, Expected, Host, StepReporter, Task},
    host::{Facts, ServiceState},
    plan::{self, Plan, UninstallOptions},
    platform::{
        Platform, accounts,
        command::HostCommands,
        fs::Root,
        system::{self, System},
    },
    probe,
    record::{Receipt, Step, Target},
    release::{Artifact, Client, DownloadProgress, Supply, read_certificates},
    service::{Hints, Services},
    settings::{Settings, Source, Spec},
    text::{inner, shown},
    values::{Manager, Sha256},
};
use std::{fs::File, path::Path, sync::Arc};
use url::Url;

/// The host that a run is about, or the folder that stands for it.
#[derive(Debug)]
pub struct Session {
    root: Arc<Root>,
    commands: HostCommands,
}

/// An install that can be applied.
#[derive(Debug)]
pub struct Install {
    /// Every setting, checked.
    pub spec: Spec,
    /// What is to be done.
    pub plan: Plan,
    /// Where the binary comes from.
    pub supply: Supply,
}

impl Install {
    /// What the service is to run once the plan is done.
    pub fn expected(&self) -> Expected {
        let (spec, layout) = (&self.spec, &self.spec.layout);
        let profile = spec.agent.profile();
        let (binary, config) = (shown(&layout.binary), shown(&layout.config));
        let words = [binary.as_str()].into_iter().chain(profile.arguments(&config));
        let health = profile.health.filter(|_| spec.service.profile().passes_health());
        // Only where the manager knows the log.
        let is_usual_log = spec.log_file.as_ref().map(|path| inner(path.as_str())) == layout.log;
        Expected {
            binary: layout.binary.clone(),
            command: words.map(str::to_owned).collect(),
            definition: layout.definition.clone(),
            user: spec.user.as_str().to_owned(),
            healthy: health.map(|health| health.healthy),
            start_text: profile.start_text.filter(|_| is_usual_log),
            updates_itself: spec.auto_update,
        }
    }
}

/// A supply, told where to report progress.
struct Reported<'a> {
    supply: &'a Supply,
    watch: &'a dyn DownloadProgress,
}

impl Session {
    /// Opens the host, or the folder given as `--root`.
    pub fn open(root: Option<&Path>) -> Result<Self> {
        let root = Root::open(root.unwrap_or(Path::new("/")))?;
        Ok(Self { root: Arc::new(root), commands: HostCommands })
    }

    /// Plans an install: reads the settings, asks the release bucket, looks at every place.
    pub fn plan_install(&self, settings: &Settings, found: Discovery) -> Result<Install> {
        let Discovery { mut facts, token, failure, mut notes, here } = found;
        if let (None, Some(failure)) = (&token, failure) {
            let failure = failure
                .context("no token was given, and the existing configuration is not readable");
            return Err(failure.help("or give the token again: --token-file FILE"));
        }
        let spec = Spec::resolve(settings, token, here)?;
        plan::refuse_unfit(&spec, &facts)?;
        facts.ca = self.ca(&spec, settings)?;
        let (network, image_notes) =
            network::of_download(&spec, settings, facts.ca.clone(), self.root.is_host());
        notes.extend(image_notes);
        let supply = match &spec.bundle {
            Some(path) => Supply::Bundle(bundle::open(path)?),
            None => Supply::Bucket(Box::new(Client::new(spec.agent, network))),
        };
        let queries = plan::queries(&spec, &facts);
        let services = self.services(spec.service);
        // The bucket answers while the disk is read.
        let known = plan::known_artifact(&spec, &facts, None);
        let (artifact, looked) = std::thread::scope(|scope| {
            let earlier = facts.clone();
            let (spec, supply) = (&spec, &supply);
            let asked = scope.spawn(move || match known {
                Some(artifact) => Ok(artifact),
                None => offered(supply, spec, &earlier),
            });
            let looked = probe::examine_paths(
                &mut facts,
                &self.root,
                &self.commands,
                services.as_deref(),
                &queries,
            );
            let lost = || Err(Error::new(Code::StepFailed, "the question to the bucket was lost"));
            (asked.join().unwrap_or_else(|_| lost()), looked)
        });
        looked?;
        let is_left_out = |receipt: &Receipt| {
            receipt.settings.contains_key("release-url") && !settings.has("release-url")
        };
        facts.release = Some(artifact.map_err(|error| match &facts.receipt {
            Some(receipt) if is_left_out(receipt) => error.help(
                "the image was installed from another bucket, which is not taken over from its \
                 receipt; if it is meant, give --release-url",
            ),
            _ => error,
        })?);
        let mut plan = plan::install(&spec, settings, &facts)?;
        plan::refuse_host_end(&plan, &facts)?;
        notes.append(&mut plan.notes);
        if spec.bundle.is_some() {
            notes.push(format!(
                "the agent itself fetches its task agent from {}: the host needs a way there before \
                 it takes a job",
                spec.url.as_ref().map_or(CLOUD_URL, Url::as_str)
            ));
        }
        plan.notes = notes;
        self.refuse_led_out(&plan)?;
        Ok(Install { spec, plan, supply })
    }

    /// Plans an uninstall; `None` when there is nothing of the instance.
    pub fn plan_uninstall(&self, instance: &str, leave: UninstallOptions) -> Result<Option<Plan>> {
        let mut facts = probe::of_host(&self.root, &self.commands, instance)?;
        // The run itself, which needs root, looks once more before its first step.
        let without_root = |refused: Result<()>| match refused {
            Err(error) if error.code() == Code::NeedsRoot => Ok(()),
            refused => refused,
        };
        if leave.purge {
            // Before a look at a folder that a dead file system could be mounted on.
            for folder in plan::purged_folders(&facts) {
                without_root(apply::refuse_mounts_in(&folder, &self.root))?;
            }
        }
        let queries = plan::uninstall_queries(&facts);
        let services = self.services(self.default_service()?);
        probe::examine_paths(
            &mut facts,
            &self.root,
            &self.commands,
            services.as_deref(),
            &queries,
        )?;
        let plan = plan::uninstall(&facts, leave);
        if let Some(plan) = &plan {
            let system = self.system()?;
            without_root(apply::refuse_mounts(&plan.steps, &self.root, system.as_ref()))?;
        }
        plan.iter().try_for_each(|plan| {
            plan::refuse_host_end(plan, &facts)?;
            self.refuse_led_out(plan)
        })?;
        Ok(plan)
    }

    /// Before anything is changed: an image that another account can swap, and one in which the
    /// tools for accounts would change this host.
    fn refuse_led_out(&self, plan: &Plan) -> Result<()> {
        self.root.admit_changes()?;
        let system = self.system()?;
        for step in &plan.steps {
            match step {
                Step::Account(account) => system.admit_account(&account.name, &account.home)?,
                Step::Restore { target: Target::Account(name), .. } => {
                    if let Some(account) = accounts::find(&self.root, name)? {
                        system.admit_account(name, &account.home)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Does the steps of a plan.
    pub fn apply(
        &self,
        command: &str,
        plan: &Plan,
        source: Option<(&Supply, &dyn DownloadProgress)>,
        report: &dyn StepReporter,
    ) -> Result<Option<Receipt>> {
        self.root.admit_changes()?;
        let task = Task { command, steps: &plan.steps, receipt: plan.receipt.clone() };
        self.with_host(source, report, |host| apply::run(task, host))
    }

    /// Takes away what a run left that was killed before its first step.
    pub fn remove_empty_state(&self) -> Result<()> {
        self.root.admit_changes()?;
        let system = self.system()?;
        apply::remove_empty_state(&self.root, system.as_ref())
    }

    /// Waits until the service is up and stays up.
    pub fn prove(
        &self,
        service: &str,
        expected: Option<&Expected>,
        report: &dyn StepReporter,
    ) -> Result<ServiceState> {
        self.with_host(None, report, |host| match host.services {
            Some(services) => apply::prove(host, services, service, expected),
            None => Ok(ServiceState::default()),
        })
    }

    /// What a person would type to look at the service.
    pub fn hints(&self, manager: Manager, service: &str) -> Option<Hints> {
        self.services(manager).map(|services| services.hints(service))
    }

    fn with_host<T>(
        &self,
        source: Option<(&Supply, &dyn DownloadProgress)>,
        report: &dyn StepReporter,
        work: impl FnOnce(&Host<'_>) -> Result<T>,
    ) -> Result<T> {
        let services = self.services(self.default_service()?);
        let system = self.system()?;
        let reported = source.map(|(supply, watch)| Reported { supply, watch });
        work(&Host {
            root: &self.root,
            commands: &self.commands,
            system: system.as_ref(),
            services: services.as_deref(),
            source: reported.as_ref().map(|source| source as _),
            report,
        })
    }

    fn system(&self) -> Result<Box<dyn System + '_>> {
        let os = Platform::of_this_host()?.os();
        Ok(system::of(os, &self.commands, &self.root, self.root.is_host()))
    }

    /// The service manager to talk to: none for an image, and none that does not run.
    fn services(&self, manager: Manager) -> Option<Box<dyn Services + '_>> {
        let services = manager.profile().control(&self.commands)?;
        (self.root.is_host() && services.is_running()).then_some(services)
    }

    /// On a host what started it; in an image what it has; else none.
    fn default_service(&self) -> Result<Manager> {
        if self.root.is_host() {
            let os = Platform::of_this_host()?.os();
            let running = Manager::all_of(os).find(|manager| self.services(*manager).is_some());
            return Ok(running.unwrap_or(Manager::usual(os)));
        }
        for manager in Manager::ALL {
            for mark in manager.profile().marks() {
                if self.root.metadata(Path::new(mark))?.is_some() {
                    return Ok(manager);
                }
            }
        }
        Ok(Manager::None)
    }

    fn ca(&self, spec: &Spec, settings: &Settings) -> Result<Option<String>> {
        let Some(path) = spec.ca_file.as_ref() else { return Ok(None) };
        let source = settings.source("ca-file");
        let named = |error: Error| error.context(format!("--ca-file {} ({source})", shown(path)));
        // What an existing install names is a path inside the root; what a person names is not.
        let read = match source {
            Source::Existing(_) => read_certificates(&self.root, path),
            _ => std::path::absolute(path)
                .map_err(|error| Error::new(Code::ValueInvalid, error.to_string()))
                .and_then(|path| read_certificates(&Root::open(Path::new("/"))?, &path)),
        };
        read.map(Some).map_err(named)
    }
}

impl BinarySource for Reported<'_> {
    fn fetch(&self, artifact: &Artifact, into: File) -> Result<Sha256> {
        self.supply.fetch(artifact, into, self.watch).map(|fetched| fetched.sha256)
    }
}

/// What the bucket offers for the settings; no more questions than needed.
fn offered(supply: &Supply, spec: &Spec, facts: &Facts) -> Result<Artifact> {
    let client = match supply {
        Supply::Bucket(client) => client,
        Supply::Bundle(bundle) => {
            let Spec { agent, version, platform, sha256, release_url, .. } = spec;
            return bundle.artifact(release_url, *agent, version, *platform, *sha256);
        }
    };
    let version = match &spec.version {
        VersionChoice::Exact(version) => version.clone(),
        VersionChoice::Latest => client.newest(spec.platform)?,
    };
    if let Some(known) = plan::known_artifact(spec, facts, Some(version.as_str())) {
        return Ok(known);
    }
    client.artifact(&version, spec.platform, spec.sha256)
}
