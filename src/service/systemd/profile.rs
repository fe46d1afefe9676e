//! What is known of systemd.

use super::{
    OnUnit, Systemd, definition, elevation::Elevation, foreign, instances, misnamed, on_unit,
    reload, start_line, state, verify,
};
use crate::{
    Code, Command, Error, Result,
    host::{Directive, Facts, Install, Objection, Seen, Service, ServiceState},
    platform::{command::Commands, fs::Root},
    service::{
        DefinitionFile, Parts, Profile, Services, StartLine, StartQuery, StateQuery, Told, Unread,
        Verb, environment, systemd_runs,
    },
    settings::Spec,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where an administrator's units stand.
pub(super) const FOLDER: &str = "/etc/systemd/system";

/// What is known of systemd.
pub(crate) struct SystemdProfile;

/// The link by which an image starts a unit: what `systemctl --root=DIR enable` makes of
/// `WantedBy=multi-user.target`.
fn wants(spec: &Spec) -> PathBuf {
    Path::new(FOLDER).join("multi-user.target.wants").join(&spec.layout.service)
}

impl Profile for SystemdProfile {
    fn elsewhere(&self) -> &'static str {
        "the service is not a systemd unit"
    }

    fn control<'a>(&self, commands: &'a dyn Commands) -> Option<Box<dyn Services + 'a>> {
        Some(Box::new(Systemd::new(commands)))
    }

    fn marks(&self) -> &'static [&'static str] {
        &["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]
    }

    fn folder(&self) -> Option<&'static str> {
        Some(FOLDER)
    }

    fn has_drop_ins(&self) -> bool {
        true
    }

    fn starts_by_links(&self) -> bool {
        true
    }

    fn passes_health(&self) -> bool {
        true
    }

    fn needs_whole_path(&self) -> bool {
        true
    }

    fn is_reached(&self, _: &Service) -> bool {
        true
    }

    fn told(&self, query: &StateQuery<'_>) -> Seen<BTreeMap<String, Told>> {
        if !systemd_runs() {
            return Seen::not_applicable("systemd does not run on this host");
        }
        let StateQuery { commands, slices, limit, booted, .. } = query;
        let units: Vec<String> = query.services.iter().map(|(unit, _)| unit.clone()).collect();
        match state::told(*commands, &units, slices, *limit, *booted) {
            Ok(states) => Seen::Known(states),
            Err(error) => Seen::broken(error.message()),
        }
    }

    fn judges(&self, service: &str) -> bool {
        verify::is_name(service)
    }

    /// That the program is not there is no failure of it.
    fn objections(
        &self,
        commands: &dyn Commands,
        services: &[String],
        limit: Duration,
    ) -> Seen<Vec<Objection<String>>> {
        match verify::objections(commands, services, limit) {
            Err(error) if error.code() == Code::ToolMissing => Seen::not(error.message()),
            answer => answer.into(),
        }
    }

    fn unread(&self, root: &Root) -> Vec<Unread> {
        misnamed::unread(root)
    }

    fn start_line(&self, query: &mut StartQuery<'_>) -> StartLine {
        start_line::of(query)
    }

    fn program_folders(&self, directives: &[Directive<String>]) -> Vec<PathBuf> {
        start_line::program_folders(directives)
    }

    /// A unit that names none runs as root, as one does whose command has a sign for that.
    fn account(&self, directives: &[Directive<String>], _: &Path) -> Option<String> {
        if Elevation::of_unit(directives).is_some() {
            return Some("root".to_owned());
        }
        let is_user = |line: &&Directive<String>| line.section == "Service" && line.key == "User";
        let user = directives.iter().rev().find(is_user).map(|line| line.value.as_str());
        Some(user.filter(|user| !user.is_empty()).unwrap_or("root").to_owned())
    }

    fn instances(
        &self,
        commands: &dyn Commands,
        templates: &[String],
        limit: Duration,
    ) -> Vec<String> {
        instances::loaded(commands, templates, limit)
    }

    /// An exit status of systemd's own: `systemd.exec(5)`.
    fn meaning(&self, state: &ServiceState) -> Option<&'static str> {
        Some(match (state.result.as_str(), state.exit_status?) {
            ("oom-kill", _) => "the kernel killed it because memory ran out",
            ("start-limit-hit", _) => "it was started too often, so systemd does not restart it",
            ("resources", _) => {
                "systemd could not read a file of the unit, such as an environment file"
            }
            ("timeout", _) => "it did not start or stop in time",
            (_, 200) => "the working directory cannot be entered",
            (_, 203) => "the binary cannot be executed",
            (_, 209) => "the output file cannot be opened",
            (_, 216) => "the group does not exist",
            (_, 217) => "the account does not exist",
            (_, 218) => "the capabilities cannot be set",
            (_, 226) => {
                "the mount namespace cannot be set up: a path of the sandbox does not exist"
            }
            (_, 228) => "the system call filter cannot be set",
            _ => return None,
        })
    }

    fn commands(&self, verb: Verb, install: &Install, service: &Service) -> Vec<Command> {
        let on_unit = |what| on_unit(what, install, service);
        let shown = |what: OnUnit| what.of(&service.name, install.named_by);
        match verb {
            Verb::Enable => vec![on_unit(OnUnit::Enable)],
            // Root starts nothing that an account could have defined.
            Verb::Start if !install.named_by.is_root() => Vec::new(),
            Verb::Start => vec![on_unit(OnUnit::Start)],
            Verb::Restart => vec![on_unit(OnUnit::Restart)],
            Verb::Reload => vec![reload(install, service)],
            Verb::Inspect => vec![shown(OnUnit::Status)],
            Verb::ShowDefinition => {
                vec![shown(OnUnit::Cat).then("| cat -v")]
            }
            Verb::ShowLog => vec![shown(OnUnit::Log)],
        }
    }

    fn parts(&self, spec: &Spec, _: bool) -> Result<Parts> {
        let layout = &spec.layout;
        let with_environment = environment::content(spec, layout).is_some();
        Ok(Parts {
            definitions: vec![DefinitionFile {
                path: layout.definition.clone(),
                content: definition::content(spec, layout, with_environment),
                mode: 0o644,
                purpose: "the systemd unit",
            }],
            link: Some(wants(spec)),
            services: vec![layout.service.clone()],
            ..Parts::default()
        })
    }

    fn places(&self, spec: &Spec) -> Vec<PathBuf> {
        vec![wants(spec)]
    }

    fn refuse_foreign_parts(&self, spec: &Spec, facts: &Facts) -> Result<()> {
        foreign::refuse(spec, facts)
    }

    fn foreign_parts(&self, spec: &Spec, facts: &Facts) -> Vec<String> {
        foreign::notes(spec, facts)
    }

    fn refuse_host(&self, facts: &Facts) -> Result<()> {
        if !facts.systemd_runs {
            return Err(Error::new(
                Code::ServiceManagerMissing,
                "the service needs systemd, which does not run this host",
            )
            .help("--service none   # the plan then shows how to run the agent"));
        }
        if !facts.tools.contains("systemctl") {
            return Err(Error::new(
                Code::ToolMissing,
                "the program systemctl is not there; it registers the service",
            )
            .help("install the package systemd"));
        }
        Ok(())
    }
}
