//! The plan of an install: steps for what is missing, and for the removal of what an earlier install
//! made and this one does not need.

use super::{
    Plan, Setting, compare,
    desired::{Desired, is_declared, refuse_foreign_workdir},
    desktop, notes,
    other_agents::{self, refuse_other_agent},
    places::{refuse_links, refuse_taken_places, refuse_twice},
    unconfirmed::refuse_unconfirmed,
};
use crate::{
    Code, Error, Help, Result,
    agent::VersionChoice,
    host::{Facts, Fingerprint, Query, prefix_lacks_end},
    platform::{Os, home::refusal, paths::home},
    record::{Digest, PlacedBinary, Receipt, Record, State, Step, Target, ancestors},
    release::Artifact,
    service::task_scheduler,
    settings::{
        Settings, Source, Spec,
        table::{Definition, SETTINGS},
    },
    text::{inner, shown},
    values::{Manager, static_prefix},
};
use std::path::{Path, PathBuf};

/// The facts that [`install`] needs.
pub fn queries(spec: &Spec, facts: &Facts) -> Vec<Query> {
    let layout = &spec.layout;
    let plain = Some(Fingerprint::Plain);
    let keyed = Some(Fingerprint::Keyed);
    let user = spec.user.as_str();
    let mut paths: Vec<(PathBuf, Option<Fingerprint>)> = vec![
        (layout.binary.clone(), plain),
        (layout.config.clone(), keyed),
        (layout.environment.clone(), keyed),
        (layout.ca.clone(), plain),
        (layout.definition.clone(), plain),
        (layout.data.clone(), None),
        (static_prefix(spec.workdir.as_str()), None),
    ];
    paths.extend(spec.log_file.as_ref().map(|path| (inner(path.as_str()), None)));
    paths.extend(other_agents::places(spec).map(|path| (path, None)));
    paths.extend(layout.task_agents.as_ref().map(|path| (path.clone(), None)));
    paths.extend(layout.start_log.as_ref().map(|path| (path.clone(), None)));
    let service = layout.service.as_str();
    match spec.platform.os() {
        Os::Linux => {
            let name = service.trim_end_matches(".service");
            paths.extend([
                (spec.sudoers(), plain),
                ("/bin/bash".into(), None),
                (format!("/etc/sysusers.d/{name}.conf").into(), plain),
                (format!("/etc/tmpfiles.d/{name}.conf").into(), plain),
            ]);
        }
        Os::Darwin | Os::Windows => {}
    }
    for manager in Manager::all_of(spec.platform.os()) {
        paths.extend(manager.profile().places(spec).into_iter().map(|path| (path, None)));
    }
    let above: Vec<_> = paths.iter().flat_map(|(path, _)| ancestors(path)).collect();
    paths.extend(above.into_iter().map(|path| (path, None)));
    let mut queries = record_queries(facts.receipt.as_ref());
    for (path, digest) in paths {
        let is_listed =
            |query: &Query| matches!(query, Query::Path { path: known, .. } if *known == path);
        if !queries.iter().any(is_listed) {
            queries.push(Query::Path { path, digest });
        }
    }
    queries.push(Query::Account(user.to_owned()));
    queries.push(Query::Service(service.to_owned()));
    if spec.service.profile().has_drop_ins() {
        queries.push(Query::DropIns(service.to_owned()));
    }
    match spec.platform.os() {
        Os::Windows => queries.extend(desktop::queries(spec)),
        os => queries.push(Query::Home(home(os, user))),
    }
    queries
}

/// The facts that show the current state of a receipt's records.
pub(super) fn record_queries(receipt: Option<&Receipt>) -> Vec<Query> {
    let records = receipt.into_iter().flat_map(|receipt| &receipt.records);
    let query = |record: &Record| {
        Some(match &record.target {
            Target::File(path) => {
                let known = record.after.as_ref().and_then(|after| after.digest.as_ref());
                let digest = match known.is_some_and(Digest::is_keyed) {
                    true => Fingerprint::Keyed,
                    false => Fingerprint::Plain,
                };
                Query::Path { path: path.clone(), digest: Some(digest) }
            }
            Target::Folder(path) | Target::Link(path) => {
                Query::Path { path: path.clone(), digest: None }
            }
            Target::Account(name) => Query::Account(name.clone()),
            Target::Registry(place) => Query::Registry(place.clone()),
            Target::Enabled(name) | Target::Running(name) => Query::Service(name.clone()),
            Target::Processes(_) => return None,
        })
    };
    records.filter_map(query).collect()
}

/// The artifact that an earlier install verified, if it is the requested one: then no network is needed.
pub fn known_artifact(spec: &Spec, facts: &Facts, version: Option<&str>) -> Option<Artifact> {
    let placed = facts.receipt.as_ref()?.binary.as_ref()?;
    let version = match (&spec.version, version) {
        (_, Some(newest)) => newest,
        (VersionChoice::Exact(version), None) => version.as_str(),
        (VersionChoice::Latest, None) => return None,
    };
    let receipt_agent = facts.receipt.as_ref().map(Receipt::agent);
    let same = receipt_agent == Some(spec.agent)
        && placed.version.as_str() == version
        && placed.platform == spec.platform
        && spec.sha256.is_none_or(|pinned| pinned == placed.sha256);
    let PlacedBinary { version, platform, sha256, .. } = placed.clone();
    same.then(|| Artifact::new(&spec.release_url, spec.agent, version, platform, sha256).ok())?
}

/// The steps from the state in `facts` to the one in `settings`.
///
/// # Errors
/// A usage error when a setting is missing; [`Code::HostUnfit`] and similar codes when the host does not
/// allow the install.
pub fn install(spec: &Spec, settings: &Settings, facts: &Facts) -> Result<Plan> {
    refuse_unfit(spec, facts)?;
    refuse_no_account_tool(spec, facts)?;
    spec.service.profile().refuse_name(spec, facts)?;
    refuse_strange_parts(spec, facts)?;
    spec.service.profile().refuse_foreign_parts(spec, facts)?;
    refuse_prefix_without_end(spec, settings)?;
    refuse_foreign_home(spec, facts)?;
    refuse_other_agent(spec, facts)?;
    refuse_unconfirmed(spec, settings, facts)?;
    refuse_taken_places(spec, settings, facts)?;
    refuse_foreign_workdir(spec, facts)?;
    let token = spec.token.as_ref().ok_or_else(missing_token)?;
    let artifact = facts.release.as_ref().ok_or_else(|| {
        Error::new(Code::StepFailed, "the version was not requested from the release bucket")
    })?;
    let wanted = Desired::steps(spec, facts, token, artifact)?;
    refuse_links(spec, &wanted, facts)?;
    let mut steps = no_longer_wanted(&wanted, facts);
    let (starts, rest): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|step| matches!(step, Step::Start { .. }));
    steps.extend(rest.into_iter().filter(|step| !compare::is_done(step, facts)));
    let stale = starts.iter().any(|start| match start {
        Step::Start { service, .. } => {
            facts.services.get(service).is_some_and(|status| status.needs_reload)
        }
        _ => false,
    });
    let must_restart = stale || steps.iter().any(|step| concerns_service(step, spec));
    let prove = starts.first().map(|_| spec.layout.service.clone());
    steps
        .extend(starts.into_iter().filter(|start| must_restart || !compare::is_done(start, facts)));
    refuse_twice(&steps)?;
    mark_replaced(&mut steps, facts);
    let notes = notes::of(spec, facts, &steps);
    Ok(Plan {
        instance: spec.instance_name().to_owned(),
        prove: prove.filter(|_| steps.iter().any(|step| matches!(step, Step::Start { .. }))),
        notes,
        unfinished: is_unfinished(facts),
        settings: described(spec, settings, facts),
        receipt: receipt(spec, settings, facts, artifact),
        steps,
    })
}

/// Says of a file that is there already, and that no install wrote, that it is replaced.
fn mark_replaced(steps: &mut [Step], facts: &Facts) {
    for step in steps {
        let target = step.target();
        let is_ours = facts.receipt.as_ref().is_some_and(|known| known.record(&target).is_some());
        if let Step::File(file) = step {
            let is_there = facts.path(&file.path).meta.is_some();
            file.replaces = is_there && !is_ours && !file.seed;
        }
    }
}

/// Refuses a prefix whose program would read the options of the task agent as its own.
fn refuse_prefix_without_end(spec: &Spec, settings: &Settings) -> Result<()> {
    if !prefix_lacks_end(&spec.command_prefix) {
        return Ok(());
    }
    let message = format!(
        "--command-prefix ({}): the prefix does not end with --, so its program would read the \
         options of each job as its own",
        settings.source("command-prefix")
    );
    Err(Error::new(Code::ValueInvalid, message).help("write -- as the last word of the prefix"))
}

/// Whether a run of this instance was cut off, and no later run has completed it.
pub(super) fn is_unfinished(facts: &Facts) -> bool {
    facts.unfinished.is_some() || facts.receipt.as_ref().is_some_and(|receipt| !receipt.complete)
}

fn missing_token() -> Error {
    Error::new(Code::SettingMissing, "the resource class token was not given")
        .help("--token-file FILE, or --token-file - for standard input")
        .help("or the variable RUNNERUP_TOKEN, or the key token-file in an answers file")
}

/// Refuses what does not depend on the release bucket, before a request to it.
pub fn refuse_unfit(spec: &Spec, facts: &Facts) -> Result<()> {
    if spec.token.is_none() {
        return Err(missing_token());
    }
    if facts.is_host {
        spec.service.profile().refuse_host(facts)?;
    }
    if facts.domain_controller && spec.platform.os() == Os::Windows {
        return Err(Error::new(
            Code::HostUnfit,
            "this host is a domain controller: it has no local accounts, and jobs would run as an \
             administrator of the domain",
        )
        .help("install the runner on a member server"));
    }
    if spec.passwordless_sudo && !facts.tools.contains("visudo") {
        let why = "it checks the file that --passwordless-sudo writes";
        return Err(missing_tool("visudo", why, "sudo"));
    }
    Ok(())
}

fn refuse_no_account_tool(spec: &Spec, facts: &Facts) -> Result<()> {
    let tools: &[&str] = match spec.platform.os() {
        Os::Linux => &["useradd", "adduser"],
        Os::Darwin => &["dscl"],
        Os::Windows => return Ok(()),
    };
    let has_tool = tools.iter().any(|tool| facts.tools.contains(*tool));
    let creates = spec.create_user && !is_declared(facts);
    if creates && !has_tool && facts.account(spec.user.as_str()).is_none() {
        let package = "passwd (on Fedora shadow-utils)";
        return Err(missing_tool("useradd", "it creates the account", package));
    }
    Ok(())
}

/// Refuses drop-ins of others: the service manager applies them as root. The unit itself is written
/// again.
fn refuse_strange_parts(spec: &Spec, facts: &Facts) -> Result<()> {
    let mut parts = facts.strange_parts.iter();
    let Some(path) = parts.find(|path| **path != spec.layout.definition) else { return Ok(()) };
    let message = format!(
        "an account other than root could have written {}, which systemd would apply as root",
        shown(path)
    );
    Err(Error::new(Code::UntrustedPath, message)
        .help("write the intended settings to a file of root, and remove this one"))
}

/// Refuses a home folder that others could have prepared: its files act for the account.
fn refuse_foreign_home(spec: &Spec, facts: &Facts) -> Result<()> {
    let Some(strange) = &facts.strange_in_home else { return Ok(()) };
    let user = spec.user.as_str();
    let account = Target::Account(user.to_owned());
    let is_ours = facts.receipt.as_ref().is_some_and(|receipt| receipt.record(&account).is_some());
    let is_made = spec.create_user && facts.account(user).is_none();
    match is_made && !is_ours {
        true => Err(refusal(&home(spec.platform.os(), user), strange, user)),
        false => Ok(()),
    }
}

fn missing_tool(tool: &str, why: &str, package: &str) -> Error {
    Error::new(Code::ToolMissing, format!("the program {tool} was not found; {why}"))
        .help(Help::words(format!("install the package {package}")))
}

/// Steps that restore what an earlier install made and this one does not need, in reverse order. Data
/// stays until `uninstall --purge`, and what `doctor --fix` cured until an uninstall.
fn no_longer_wanted(wanted: &[Step], facts: &Facts) -> Vec<Step> {
    let records = facts.receipt.iter().flat_map(|receipt| &receipt.records);
    let targets: Vec<Target> = wanted.iter().map(Step::target).collect();
    let stays = |record: &&Record| record.data || record.cure;
    let kept = records.clone().filter(stays).map(|record| &record.target);
    let staying: Vec<&Path> = targets.iter().chain(kept).filter_map(Target::path).collect();
    let is_stale = |record: &&Record| {
        let folder = matches!(&record.target, Target::Folder(path)
            if staying.iter().any(|staying| staying.starts_with(path)));
        !stays(record) && !folder && !targets.contains(&record.target)
            // Whether the service runs followed from --no-start then, and is not undone.
            && !matches!(record.target, Target::Running(_))
            && !desktop::is_needed_by_others(record, facts)
    };
    let mut stale: Vec<&Record> = records.filter(is_stale).collect();
    stale.reverse();
    stale
        .into_iter()
        .map(|record| Step::restore(record, false))
        .filter(|step| {
            !compare::is_done(step, facts)
                || matches!(step, Step::Restore { to, .. } if *to != State::Absent)
        })
        .collect()
}

/// Whether a running agent must be restarted for the change of a step.
fn concerns_service(step: &Step, spec: &Spec) -> bool {
    let layout = &spec.layout;
    let keeper = task_scheduler::definition_path(&task_scheduler::keeper(&layout.service));
    let files = [
        &layout.binary,
        &layout.config,
        &layout.environment,
        &layout.ca,
        &layout.definition,
        &keeper,
    ];
    step.target().path().is_some_and(|path| files.iter().any(|file| path == file.as_path()))
}

fn receipt(spec: &Spec, settings: &Settings, facts: &Facts, artifact: &Artifact) -> Receipt {
    let mut receipt = Receipt::new(spec.instance_name());
    receipt.installed = true;
    receipt.binary = Some(PlacedBinary {
        path: spec.layout.binary.clone(),
        version: artifact.version.clone(),
        platform: artifact.platform,
        sha256: artifact.sha256,
        archived: artifact.member.is_some(),
    });
    for setting in SETTINGS.iter().filter(|setting| setting.is_remembered) {
        if let Some(value) = settings.text(setting.name) {
            receipt.settings.insert(setting.name.to_owned(), value);
        }
    }
    let prefix = settings.list("command-prefix");
    let prefix = prefix.and_then(|words| shlex::try_join(words.iter().map(String::as_str)).ok());
    if let Some(prefix) = prefix {
        receipt.settings.insert("command-prefix".to_owned(), prefix);
    }
    // The default too: which one it is depends on the CircleCI that it is for.
    receipt.settings.insert("agent".to_owned(), spec.agent.to_string());
    // The default too: the account can write the configuration, which has it as well.
    receipt.settings.insert("max-run-time".to_owned(), spec.max_run_time.to_string());
    // The default too: a purge of another instance must know which account it would remove.
    receipt.settings.insert("user".to_owned(), spec.user.as_str().to_owned());
    if let Some(earlier) = facts.receipt.as_ref() {
        receipt.written.clone_from(&earlier.written);
    }
    receipt
}

/// The settings as a plan shows them.
fn described(spec: &Spec, settings: &Settings, facts: &Facts) -> Vec<Setting> {
    // The values of these two depend on the host and the bucket.
    let with_facts = |name: &str| match name {
        "name" => super::config::runner_name(spec, facts).ok().map(|name| name.to_string()),
        "version" if spec.version == VersionChoice::Latest => {
            facts.release.as_ref().map(|artifact| format!("latest ({})", artifact.version))
        }
        _ => None,
    };
    let row = |setting: &Definition| {
        let shown = setting.shown?;
        let value = with_facts(setting.name).unwrap_or_else(|| shown(spec));
        Some(Setting { name: setting.name, value, source: source(setting.name, settings, spec) })
    };
    SETTINGS.iter().filter_map(row).collect()
}

fn source(name: &str, settings: &Settings, spec: &Spec) -> Source {
    match settings.source(name) {
        // The variable that holds the token itself is no setting of its own.
        Source::Default if name == "token-file" && spec.token.is_some() => {
            Source::Variable("RUNNERUP_TOKEN".to_owned())
        }
        source => source,
    }
}
