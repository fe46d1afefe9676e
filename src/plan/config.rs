//! From the settings to the agent's configuration.

use crate::{
    Code, Error, Result,
    agent::{Config, Profile, Token},
    host::Facts,
    record::Content,
    settings::Spec,
    text::shown,
    values::{Mode, RunnerName},
};

/// The configuration file's content.
pub(super) fn content(spec: &Spec, token: &Token, name: &RunnerName) -> Content {
    let mut config = Config::default();
    config.api.auth_token = Some(token.clone());
    config.api.url = spec.url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    let runner = &mut config.runner;
    runner.name = Some(name.to_string());
    runner.working_directory = Some(spec.workdir.to_string());
    runner.cleanup_working_directory = Some(spec.cleanup_workdir);
    runner.mode = Some(spec.mode.to_string());
    runner.max_run_time = Some(spec.max_run_time.to_string());
    runner.idle_timeout = spec.idle_timeout.map(|time| time.to_string());
    runner.command_prefix = Some(spec.command_prefix.clone()).filter(|prefix| !prefix.is_empty());
    let profile = spec.agent.profile();
    runner.disable_auto_update =
        profile.reads("runner.disable_auto_update").then_some(!spec.auto_update);
    runner.ssh.advertise_addr = spec.ssh_advertise_addr.as_ref().map(ToString::to_string);
    runner.task_agent_directory = spec.layout.task_agents.as_ref().map(shown);
    // A program that is kept need not be downloaded for each job.
    let keeps = profile.reads("runner.cache_task_agent") && spec.mode == Mode::SingleTask;
    runner.cache_task_agent = keeps.then_some(true);
    config.logging.format = profile.log_format.map(str::to_owned);
    config.logging.file = spec.log_file.as_ref().map(ToString::to_string);
    let os = spec.platform.os();
    Content::secret(config.render(os), config.render_redacted(os))
}

/// The runner's name, with its placeholders replaced.
///
/// # Errors
/// When the host name gives no valid name for a runner.
pub(super) fn runner_name(spec: &Spec, facts: &Facts) -> Result<RunnerName> {
    if spec.name.needs_hostname() && facts.hostname.is_empty() {
        return Err(Error::new(
            Code::SettingMissing,
            "the image has no host name of its own, from which the runner's name could be made",
        )
        .help("give the runner's name: --name NAME"));
    }
    let name = spec.name.resolve(&facts.hostname, &facts.random)?;
    let Profile { title, longest_name, .. } = spec.agent.profile();
    let length = name.as_str().chars().count();
    if length > *longest_name {
        let message = format!(
            "the runner's name {:?} has {length} characters, and {title} takes {longest_name} at most",
            name.as_str()
        );
        return Err(Error::new(Code::ValueInvalid, message).help("give a shorter one: --name NAME"));
    }
    Ok(name)
}
