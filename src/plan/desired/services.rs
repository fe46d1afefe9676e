//! What the service manager is given, whichever it is.

use super::Desired;
use crate::{
    Result,
    plan::desktop,
    record::{File, IfBusy, Step},
    service::{DefinitionFile, drain},
};

impl Desired<'_> {
    /// # Errors
    /// When a definition cannot be written down.
    pub(super) fn services(&mut self) -> Result<()> {
        let (spec, layout) = (self.spec, &self.spec.layout);
        let is_ours = self.is_own_account(spec.user.as_str());
        let parts = spec.service.profile().parts(spec, is_ours)?;
        for (log, purpose) in parts.logs {
            let owner = self.root();
            self.log(log, owner, purpose);
        }
        parts.definitions.into_iter().for_each(|definition| self.definition(definition));
        if spec.desktop_session {
            self.steps.extend(desktop::values(self.facts).into_iter().map(Step::Registry));
        }
        if !self.facts.is_host {
            if let Some(link) = parts.link {
                self.parents(&link);
                self.steps.push(Step::Link { path: link, to: layout.definition.clone() });
            }
            return Ok(());
        }
        let enable = |service: &String| Step::Enable { service: service.clone() };
        self.steps.extend(parts.services.iter().map(enable));
        if spec.start {
            let start =
                |service| Step::Start { service, drain: drain(spec), if_busy: IfBusy::Drain };
            self.steps.extend(parts.services.into_iter().map(start));
        }
        Ok(())
    }

    fn definition(&mut self, definition: DefinitionFile) {
        let DefinitionFile { path, content, mode, purpose } = definition;
        let owner = self.root();
        self.parents(&path);
        self.steps.push(Step::File(File {
            path,
            content,
            owner,
            mode,
            purpose,
            definition: true,
            check: None,
            seed: false,
            replaces: false,
        }));
    }
}
