//! Windows: one folder, whose access list protects its content, and a scheduled task.

use super::Desired;
use crate::{
    Code, Error, Result,
    agent::Token,
    plan::{config, desktop},
    record::{Binary, Content, File, IfBusy, Step, Target},
    release::Artifact,
    service::{
        drain, environment,
        task_scheduler::{self, definition},
    },
    text::inner,
    values::{Manager, static_prefix},
};
use std::path::Path;

impl Desired<'_> {
    /// The folder comes first, so that files created in it inherit its access list.
    ///
    /// # Errors
    /// When a value cannot be had on Windows.
    pub(super) fn program_folder(&mut self, token: &Token, artifact: &Artifact) -> Result<()> {
        let (spec, layout) = (self.spec, &self.spec.layout);
        let (user, root) = (self.user(), self.root());
        let Some(folder) = layout.binary.parent() else { return Ok(()) };
        desktop::refuse(spec, self.facts, self.is_own_account(spec.user.as_str()))?;
        // The account may replace its own binary only where the agent is to update itself.
        let mode = if spec.auto_update { 0o700 } else { 0o500 };
        self.folder(folder, user.clone(), mode, false);
        self.steps.push(Step::Binary(Binary {
            path: layout.binary.clone(),
            artifact: artifact.clone(),
            owner: if spec.auto_update { user.clone() } else { root.clone() },
            updates_itself: spec.auto_update,
        }));
        if let Some(ca) = self.facts.ca.as_deref() {
            let purpose = "a certificate authority that the agent trusts";
            self.file(&layout.ca, Content::public(ca), user.clone(), 0o400, purpose);
        }
        for variable in environment::variables(spec, layout) {
            if !definition::can_hold(&variable.value) {
                let what = format!("{} cannot contain a quote on Windows", variable.name);
                return Err(Error::new(Code::ValueInvalid, what));
            }
        }
        if let Some(script) = definition::script(spec, layout) {
            let purpose = match spec.desktop_session {
                true => "runs the agent, then logs its session off",
                false => "sets the agent's environment and runs it",
            };
            self.file(&layout.environment, script, user.clone(), 0o500, purpose);
        }
        let name = config::runner_name(spec, self.facts)?;
        let content = config::content(spec, token, &name);
        let purpose = "the agent's configuration, with the token";
        self.file(&layout.config, content, user.clone(), 0o400, purpose);
        self.folder(&static_prefix(spec.workdir.as_str()), user.clone(), 0o700, true);
        if let Some(log) = spec.log_file.as_ref() {
            self.log(inner(log.as_str()), user, "the agent's log");
        }
        if spec.service == Manager::TaskScheduler {
            self.task();
        }
        Ok(())
    }

    fn task(&mut self) {
        let (spec, layout) = (self.spec, &self.spec.layout);
        let logon = definition::logon(spec, self.is_own_account(spec.user.as_str()));
        let content = definition::content(spec, layout, logon);
        self.definition(&layout.definition, content, "the scheduled task");
        let mut services = vec![layout.service.clone()];
        if spec.desktop_session {
            let keeper = task_scheduler::keeper(&layout.service);
            let content = definition::keeper(spec, layout);
            let purpose = "the task that keeps the account's session open";
            self.definition(&task_scheduler::definition_path(&keeper), content, purpose);
            let values = desktop::values(self.facts);
            self.steps.extend(values.into_iter().map(Step::Registry));
            // It saves the password, and the agent's task must exist when it opens a session.
            services.insert(0, keeper);
        }
        if !self.facts.is_host {
            return;
        }
        let enable = |service: &String| Step::Enable { service: service.clone() };
        self.steps.extend(services.iter().map(enable));
        if spec.start {
            let start =
                |service| Step::Start { service, drain: drain(spec), if_busy: IfBusy::Drain };
            self.steps.extend(services.into_iter().map(start));
        }
    }

    fn definition(&mut self, path: &Path, content: Content, purpose: &'static str) {
        let owner = self.root();
        self.parents(path);
        self.steps.push(Step::File(File {
            path: path.to_owned(),
            content,
            owner,
            mode: 0o400,
            purpose,
            definition: true,
            check: None,
            seed: false,
        }));
    }

    /// Whether this install makes the account, or an earlier one did.
    fn is_own_account(&self, name: &str) -> bool {
        let target = Target::Account(name.to_owned());
        let made = |receipt: &crate::record::Receipt| receipt.record(&target).is_some();
        self.facts.account(name).is_none() || self.facts.receipt.as_ref().is_some_and(made)
    }
}

/// A path that only Windows has.
pub(super) fn shell() -> &'static Path {
    Path::new("C:/Windows/System32/cmd.exe")
}
