//! Windows: one folder whose access list keeps everything in it.

use super::Desired;
use crate::{
    Code, Error, Result,
    agent::Token,
    plan::{config, desktop},
    record::{Binary, Content, Step, Target},
    release::Artifact,
    service::{environment, task_scheduler::definition},
    text::inner,
    values::static_prefix,
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
        if let Some(folder) = layout.task_agents.as_ref() {
            self.folder(folder, user.clone(), 0o700, true);
        }
        if let Some(log) = spec.log_file.as_ref() {
            self.log(inner(log.as_str()), user, "the agent's log");
        }
        self.services()
    }

    /// Whether this install makes the account, or an earlier one did.
    pub(super) fn is_own_account(&self, name: &str) -> bool {
        let target = Target::Account(name.to_owned());
        let made = |receipt: &crate::record::Receipt| receipt.record(&target).is_some();
        self.facts.account(name).is_none() || self.facts.receipt.as_ref().is_some_and(made)
    }
}

/// A path that only Windows has.
pub(super) fn shell() -> &'static Path {
    Path::new("C:/Windows/System32/cmd.exe")
}
