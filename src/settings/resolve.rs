//! From settings to a [`Spec`]: values read, defaults filled in, contradictions refused.

use super::{Hardening, Spec, given::Settings};
use crate::{
    Code, Error, Help, Result,
    agent::{CircleCi, Kind, Layout, RELEASE_URL, Token, VersionChoice, api_url},
    platform::{Os, Platform},
    text::shown,
    values::{
        AbsolutePath, AccountName, GoDuration, InstanceName, Manager, Mode, ProxyUrl,
        RunnerNameTemplate, checked_url, truth,
    },
};
use std::{path::PathBuf, time::Duration};
use url::Url;

/// What defaults depend on besides the settings themselves.
#[derive(Debug, Clone, Copy)]
pub struct HostDefaults {
    /// The platform that the tool runs on.
    pub platform: Platform,
    /// The service manager that an install here would use.
    pub service: Manager,
    /// The agent that is installed here as the instance, by whomever.
    pub installed: Option<Kind>,
}

impl HostDefaults {
    /// Of a host where no agent is installed.
    pub fn new(platform: Platform, service: Manager) -> Self {
        Self { platform, service, installed: None }
    }
}

impl Spec {
    /// Reads every setting.
    ///
    /// # Errors
    /// A usage error that names the setting and its source.
    pub fn resolve(settings: &Settings, token: Option<Token>, here: HostDefaults) -> Result<Self> {
        let platform = settings.parse::<Platform>("platform")?.unwrap_or(here.platform);
        let os = platform.os();
        let agent = agent_of(settings, here.installed)?;
        let instance = settings.parse::<InstanceName>("instance")?;
        let layout = Layout::of(agent, os, instance.as_ref().map(InstanceName::as_str));
        let sha256 = settings.parse("sha256")?;
        let version = settings
            .read("version", |text| VersionChoice::of(agent, text))?
            .unwrap_or(VersionChoice::Latest);
        let url = settings.read("url", |text| api_url("url", text))?;
        let is_cloud = CircleCi::of(url.as_ref().map(Url::as_str)).is_cloud();
        let absolute = |name| settings.read(name, |text| AbsolutePath::new(text, os));
        let mut spec = Self {
            agent,
            auto_update: match settings.read("auto-update", truth)? {
                Some(given) => given,
                // Documented for server and for pinned versions: no updates of its own.
                None => {
                    let updates = agent.profile().updates_itself;
                    updates && is_cloud && version == VersionChoice::Latest
                }
            },
            version,
            platform,
            release_url: release_url(settings, sha256.is_some())?,
            bundle: settings.text("bundle").map(PathBuf::from),
            sha256,
            url,
            proxy: settings.parse::<ProxyUrl>("proxy")?,
            no_proxy: settings.read("no-proxy", one_line)?,
            ca_file: settings.text("ca-file").map(PathBuf::from),
            name: match settings.parse::<RunnerNameTemplate>("name")? {
                Some(name) => name,
                None => "{hostname}".parse()?,
            },
            token,
            workdir: match absolute("workdir")? {
                Some(workdir) => workdir,
                None => AbsolutePath::new(&shown(&layout.workdir), os)?,
            },
            cleanup_workdir: settings.read("cleanup-workdir", truth)?.unwrap_or(true),
            mode: match settings.parse("mode")? {
                Some(mode) => mode,
                // As documented; continuous mode is not advised there.
                None if os == Os::Windows => Mode::SingleTask,
                None => Mode::Continuous,
            },
            max_run_time: match settings.parse::<GoDuration>("max-run-time")? {
                Some(time) => time,
                None => agent.profile().drain.max_run_time.parse()?,
            },
            idle_timeout: settings.parse("idle-timeout")?,
            command_prefix: Vec::new(),
            ssh_advertise_addr: settings.parse("ssh-advertise-addr")?,
            log_file: match (absolute("log-file")?, layout.log.as_ref()) {
                (Some(log), _) => Some(log),
                (None, Some(log)) => Some(AbsolutePath::new(&shown(log), os)?),
                (None, None) => None,
            },
            user: match settings.read("user", |text| AccountName::new(text, os))? {
                Some(user) => user,
                None => AccountName::new(&layout.user, os)?,
            },
            create_user: !settings.switch("no-create-user")?,
            instance,
            service: service(settings, os, here)?,
            start: !settings.switch("no-start")?,
            hardening: settings.parse("hardening")?.unwrap_or_default(),
            passwordless_sudo: settings.switch("passwordless-sudo")?,
            desktop_session: settings.switch("desktop-session")?,
            root: settings.text("root").map(PathBuf::from),
            connections: settings.parse("connections")?.unwrap_or_default(),
            timeout: settings.read("timeout", seconds)?.unwrap_or(Duration::from_secs(30)),
            layout,
        };
        spec.command_prefix = settings.list("command-prefix").unwrap_or_else(|| spec.steps_down());
        spec.refuse_contradictions(settings)?;
        Ok(spec)
    }

    /// The file that lets jobs use sudo, by `--passwordless-sudo`: sudo ignores names with a dot.
    pub fn sudoers(&self) -> PathBuf {
        std::path::Path::new("/etc/sudoers.d").join(self.user.as_str().replace('.', "_"))
    }

    /// On macOS the agent runs as root, and each job is handed to the account that is to run it.
    pub fn steps_down(&self) -> Vec<String> {
        match (self.platform.os(), self.user.as_str()) {
            (Os::Darwin, user) if user != "root" => {
                ["sudo", "-niHu", user, "--"].map(str::to_owned).to_vec()
            }
            _ => Vec::new(),
        }
    }

    fn refuse_contradictions(&self, settings: &Settings) -> Result<()> {
        let against = |one: &str, other: &str, why: &str| {
            let (first, second) = (settings.source(one), settings.source(other));
            Err(Error::new(
                Code::Contradiction,
                format!("--{one} ({first}) contradicts --{other} ({second}): {why}"),
            )
            .help(Help::words(format!("leave out --{one} or --{other}"))))
        };
        if self.user.as_str() == "root" && self.passwordless_sudo {
            return against("passwordless-sudo", "user", "root needs no sudo");
        }
        if self.platform.os() != Os::Linux && self.passwordless_sudo {
            return against("passwordless-sudo", "platform", "it is for Linux");
        }
        if self.desktop_session {
            let not_here = match self.service {
                _ if self.platform.os() != Os::Windows => {
                    Some(("platform", "a logon session kept over Remote Desktop is for Windows"))
                }
                _ if self.is_image() => Some(("root", "an image has no scheduler and no sessions")),
                Manager::None => Some(("service", "a task of the scheduler keeps the session")),
                _ if !self.create_user => {
                    Some(("no-create-user", "the account needs a password that is made here"))
                }
                _ => None,
            };
            if let Some((other, why)) = not_here {
                return against("desktop-session", other, why);
            }
        }
        if self.auto_update && !self.agent.profile().updates_itself {
            return against("auto-update", "agent", "it never replaces its own binary");
        }
        if self.idle_timeout.is_some_and(|idle| idle.seconds() == 0) {
            return against("idle-timeout", "mode", "an agent that ends at once takes no job");
        }
        Ok(())
    }
}

/// The agent that is to be installed: the one that is asked for; else the one that is installed; else
/// the one that has the version, or that the CircleCI works with.
///
/// # Errors
/// When it is none that can be.
pub fn agent_of(settings: &Settings, installed: Option<Kind>) -> Result<Kind> {
    let given = settings.read("agent", |text| {
        Kind::installable().find(|kind| kind.profile().name == text).ok_or_else(|| {
            Error::new(Code::ValueInvalid, format!("{text:?} cannot be installed"))
                .help("use launch-agent or machine-runner")
        })
    })?;
    if let Some(kind) = given.or(installed) {
        return Ok(kind);
    }
    let version = settings.text("version");
    let named = version.and_then(|text| {
        // Of two that fit the one for older servers, whose jobs it has run so far.
        let mut kinds = Kind::installable();
        kinds.find(|kind| {
            VersionChoice::of(*kind, &text).is_ok_and(|choice| {
                text.starts_with("server-") || matches!(choice, VersionChoice::Exact(_))
            })
        })
    });
    let url = settings.read("url", |text| api_url("url", text))?;
    Ok(named.unwrap_or(match CircleCi::of(url.as_ref().map(Url::as_str)) {
        CircleCi::Cloud => Kind::MachineRunner,
        CircleCi::Server(_) => Kind::LaunchAgent,
    }))
}

fn release_url(settings: &Settings, pinned: bool) -> Result<Url> {
    let text = settings.text("release-url").unwrap_or_else(|| RELEASE_URL.to_owned());
    checked_url("release-url", &text, pinned).map_err(|error| {
        let error = error.context(format!("--release-url ({})", settings.source("release-url")));
        if error.code() == Code::UrlInsecure {
            return error.help("or say what must arrive with --sha256");
        }
        error
    })
}

fn service(settings: &Settings, os: Os, here: HostDefaults) -> Result<Manager> {
    let read = |text: &str| {
        let manager: Manager = text.parse()?;
        match Manager::all_of(os).any(|known| known == manager) {
            true => Ok(manager),
            false => {
                let message = format!("{text} is not a service manager of {os}");
                Err(Error::new(Code::Contradiction, message))
            }
        }
    };
    Ok(match settings.read("service", read)? {
        Some(given) => given,
        None if here.platform.os() == os => here.service,
        None => Manager::usual(os),
    })
}

/// Reads `--timeout`.
pub(crate) fn seconds(text: &str) -> Result<Duration> {
    match text.parse::<u64>() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::new(Code::ValueInvalid, format!("{text:?} is not a number of seconds"))
            .help("from 1 to 3600, such as 30")),
    }
}

fn one_line(text: &str) -> Result<String> {
    if text.chars().any(char::is_control) {
        return Err(Error::new(Code::ValueInvalid, "it holds a control character"));
    }
    Ok(text.to_owned())
}

impl std::str::FromStr for Hardening {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "compatible" => Ok(Self::Compatible),
            "strict" => Ok(Self::Strict),
            _ => Err(Error::new(Code::ValueInvalid, format!("there is no hardening {text:?}"))
                .help(
                    "hardening: compatible (as documented), strict (shuts what jobs do not need)",
                )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{SettingValue, Source};

    fn spec(given: &[(&str, &str)]) -> Result<Spec> {
        let mut settings = Settings::default();
        for (name, value) in given {
            settings.add(name, SettingValue::one(*value, Source::Flag)).unwrap();
        }
        let here = HostDefaults::new("linux/amd64".parse().unwrap(), Manager::Systemd);
        Spec::resolve(&settings, None, here)
    }

    #[test]
    fn the_agent_follows_from_what_it_is_for() {
        use Kind::{LaunchAgent, MachineRunner};
        let server = ("url", "https://ci.example.com");
        for (given, expected) in [
            (&[][..], MachineRunner),
            (&[("url", "https://runner.circleci.com")], MachineRunner),
            (&[server], LaunchAgent),
            (&[server, ("version", "latest")], LaunchAgent),
            (&[server, ("version", "server-4.7")], LaunchAgent),
            (&[server, ("version", "server-4.8")], MachineRunner),
            (&[server, ("version", "3.1.11")], MachineRunner),
            (&[("version", "server-4.6")], LaunchAgent),
            (&[("version", "1.1.73189-8792751")], LaunchAgent),
            (&[("agent", "launch-agent")], LaunchAgent),
        ] {
            assert_eq!(spec(given).unwrap().agent, expected, "{given:?}");
        }
        let settings = Settings::default();
        assert_eq!(agent_of(&settings, Some(LaunchAgent)).unwrap(), LaunchAgent);
        // It would own a binary that it never replaces.
        let error = spec(&[("agent", "machine-runner"), ("auto-update", "true")]).unwrap_err();
        assert_eq!(error.code(), Code::Contradiction);
    }

    #[test]
    fn updates_of_its_own_are_off_on_a_server_and_for_a_pinned_version() {
        assert!(spec(&[("agent", "launch-agent")]).unwrap().auto_update);
        assert!(!spec(&[]).unwrap().auto_update);
        assert!(!spec(&[("url", "https://ci.example.com")]).unwrap().auto_update);
        assert!(!spec(&[("version", "1.1.73189-8792751")]).unwrap().auto_update);
        assert!(spec(&[("version", "server-4.6"), ("auto-update", "true")]).unwrap().auto_update);
    }

    #[test]
    fn an_instance_has_places_of_its_own() {
        let spec = spec(&[("instance", "gpu"), ("agent", "launch-agent")]).unwrap();
        assert_eq!(spec.workdir.as_str(), "/var/opt/circleci-gpu/workdir");
        assert_eq!(spec.user.as_str(), "circleci-gpu");
    }

    #[test]
    fn plain_http_needs_loopback_or_a_pin() {
        assert!(spec(&[("release-url", "http://127.0.0.1:8080")]).is_ok());
        let refused = spec(&[("release-url", "http://mirror.example.com")]).unwrap_err();
        assert_eq!(refused.code(), Code::UrlInsecure);
        let sum = "00".repeat(32);
        assert!(spec(&[("release-url", "http://mirror.example.com"), ("sha256", &sum)]).is_ok());
    }

    #[test]
    fn another_systems_service_manager_is_refused() {
        assert_eq!(spec(&[("service", "launchd")]).unwrap_err().code(), Code::Contradiction);
    }
}
