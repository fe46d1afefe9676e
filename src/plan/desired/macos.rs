//! macOS: the launchd daemon.

use super::Desired;
use crate::{
    Result,
    record::{File, IfBusy, Step},
    service::drain,
    service::launchd::definition,
};
use std::path::PathBuf;

impl Desired<'_> {
    /// # Errors
    /// When the definition cannot be written down.
    pub(super) fn daemon(&mut self) -> Result<()> {
        let (spec, layout) = (self.spec, &self.spec.layout);
        let own = spec.log_file.as_ref().map(|path| PathBuf::from(path.as_str()));
        let before = (layout.start_log.clone(), "output of the agent before it opens its log");
        for (log, purpose) in [(own, "the agent's log"), before] {
            if let Some(log) = log {
                let owner = self.root();
                self.log(log, owner, purpose);
            }
        }
        let content = definition::content(spec, layout)?;
        // launchd requires root as the owner; the file may contain the password of a proxy.
        let mode = if content.is_secret() { 0o600 } else { 0o644 };
        let owner = self.root();
        self.parents(&layout.definition);
        self.steps.push(Step::File(File {
            path: layout.definition.clone(),
            content,
            owner,
            mode,
            purpose: "the launchd definition",
            definition: true,
            check: None,
            seed: false,
        }));
        if !self.facts.is_host {
            return Ok(());
        }
        let service = layout.service.clone();
        self.steps.push(Step::Enable { service: service.clone() });
        if spec.start {
            self.steps.push(Step::Start { service, drain: drain(spec), if_busy: IfBusy::Drain });
        }
        Ok(())
    }
}
