//! The settings of an agent that a survey tells of.

use super::{Given, Resolved, Settings, Source, counted};
use crate::{
    agent::{CircleCi, Config, UrlFault},
    host::{
        ConfigFile, ConfigState, Directive, Install, Provenance, Scrubbed, Seen, Service,
        TokenShape, Unseen, Variable,
    },
};

/// What a definition calls the line that holds its command, in the words of each service manager.
const COMMANDS: [&str; 5] = ["ExecStart", "ProgramArguments", "Program", "Arguments", "Command"];

impl Install {
    /// Its settings, as it takes them.
    pub fn settings(&self) -> Settings<'_> {
        let running = self.running.ok();
        // Behind what stands in front of it, where that was found.
        let of_service = self.service.as_ref().map(|service| match &service.launch.command {
            words if words.is_empty() => service.command.as_slice(),
            words => words.as_slice(),
        });
        // What an agent behind a wrapper was given, only its process tells.
        let inner = running.filter(|_| {
            of_service
                .is_some_and(|words| !words.is_empty() && crate::agent::program(words).is_none())
        });
        let of_process = running.and_then(|running| {
            let by = self.named_by.and(running.named_by);
            Some((by, running.environment.ok()?))
        });
        let of_process = of_process.into_iter().flat_map(|(by, all)| {
            all.iter().map(move |variable| Given {
                name: &variable.name,
                value: variable.value.as_deref(),
                at: &variable.source,
                by,
            })
        });
        // What the service sets counts: it is what root has written. But what a script makes of a
        // variable only the process tells.
        let given = |variable| of_variable(variable, self.named_by);
        let is_untold =
            |variable: &&Variable| variable.value.is_none() && variable.secret.is_none();
        let untold = self.environment.iter().filter(is_untold).map(given);
        let of_definition = self.environment.iter().filter(|all| !is_untold(all)).map(given);
        Settings {
            agent: self.agent,
            command: match inner {
                Some(running) => &running.command,
                None => of_service.unwrap_or_default(),
            },
            defined: match inner {
                Some(running) => Some(format!("process {}", running.pid)),
                None => self.service.as_ref().and_then(defined_at),
            },
            command_by: inner.map_or(self.named_by, |running| self.named_by.and(running.named_by)),
            variables: untold.chain(of_process).chain(of_definition).collect(),
            file: match &self.config {
                Some(config) => config.known().and_then(counted),
                None => Err(Unseen::not_examined(
                    "it is not known where the agent looks for its configuration",
                )),
            },
        }
        .if_enough()
    }

    /// The configuration, where it could be parsed.
    ///
    /// # Errors
    /// Why there is none whose settings could be judged.
    pub fn config(&self) -> Result<&ConfigFile, Unseen> {
        let file = self.config_file()?;
        match file.unjudged() {
            None => Ok(file),
            Some(why) => Err(Unseen::not_examined(why)),
        }
    }

    /// The configuration's file, whatever is in it.
    ///
    /// # Errors
    /// Why it was not looked at, or that the agent has none.
    pub fn config_file(&self) -> Result<&ConfigFile, Unseen> {
        match &self.config {
            Some(Seen::Known(file)) if file.is_default && file.state == ConfigState::Missing => {
                Err(Unseen::not_applicable("the agent has no configuration"))
            }
            Some(config) => config.known(),
            None => Err(Unseen::not_examined("the service names no configuration")),
        }
    }

    /// The shape of the token that counts, and where it comes from; `None` where there is none.
    ///
    /// # Errors
    /// Why it is not known.
    pub fn token(&self) -> Result<Option<(&TokenShape, Source)>, Unseen> {
        let Some(Resolved { source, .. }) = self.settings().given(Config::TOKEN)? else {
            return Ok(None);
        };
        match source {
            Source::File { .. } => {
                let shape = self.config()?.token();
                Ok(shape.map(|shape| (shape, source)))
            }
            _ => match &self.token_given {
                Some(shape) => Ok(Some((shape, source))),
                // Older facts do not hold its shape.
                None => Err(Unseen::not_applicable(format!("{source} gives the token"))),
            },
        }
    }

    /// What it takes its jobs from.
    ///
    /// # Errors
    /// Why that is not known: of a URL that names no server, too.
    pub fn api(&self) -> Result<CircleCi<'_>, Unseen> {
        let url = self.settings().given("api.url")?;
        let text = url.as_ref().and_then(Resolved::text);
        if let Some(fault) = text.and_then(UrlFault::of).filter(|fault| fault.hides_host()) {
            return Err(Unseen::not_examined(format!("api.url {}", fault.what())));
        }
        Ok(CircleCi::of(text))
    }
}

fn of_variable(variable: &Variable, named_by: Provenance) -> Given<'_> {
    Given {
        name: &variable.name,
        value: variable.value.as_deref(),
        at: &variable.source,
        by: named_by.and(variable.written_by),
    }
}

/// Where a service's command stands, as `FILE:LINE`.
fn defined_at(service: &Service) -> Option<String> {
    let line = command_line(service)?;
    Some(format!("{}:{}", line.file.display(), line.line))
}

/// The line of a definition that holds the command; of a property list or a task the first one of
/// the file.
fn command_line(service: &Service) -> Option<&Directive<Scrubbed>> {
    let is_it = |line: &&Directive<Scrubbed>| COMMANDS.contains(&line.key.as_str());
    service.directives.iter().rev().find(is_it).or(service.directives.first())
}
