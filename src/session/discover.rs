//! What there is before anything is planned: the host, an install of it, and what was put there by
//! hand.

use super::Session;
use crate::{
    Error, Result,
    agent::{Kind, Layout, Token},
    host::Facts,
    platform::{Os, Platform},
    probe,
    record::{self, Receipt},
    settings::{HostDefaults, SettingValue, Settings, agent_of},
    text::REDACTED,
    values::InstanceName,
};
use std::path::PathBuf;

/// What is known once the host was looked at and before the person is asked anything.
#[derive(Debug, Clone)]
pub struct Discovery {
    /// The host.
    pub facts: Facts,
    /// The token, given or found in an existing install.
    pub token: Option<Token>,
    /// Why an existing configuration could not be read.
    pub failure: Option<Error>,
    /// What an existing install has that is not taken over, and why.
    pub notes: Vec<String>,
    /// The platform and service manager of this host.
    pub here: HostDefaults,
}

impl Session {
    /// Looks at the host and adds what an existing install has to the settings.
    pub fn discover(&self, settings: &mut Settings, token: Option<Token>) -> Result<Discovery> {
        let instance = settings.parse::<InstanceName>("instance")?;
        let name = instance.as_ref().map(InstanceName::as_str);
        let facts = probe::of_host(&self.root, &self.commands, name.unwrap_or("default"))?;
        let mut here = HostDefaults::new(Platform::of_this_host()?, self.default_service()?);
        let platform = settings.parse::<Platform>("platform")?.unwrap_or(here.platform);
        let on_record = facts.receipt.as_ref().and_then(Receipt::known_agent);
        here.installed = on_record.or_else(|| self.made_by_hand(platform.os(), name));
        let layout = Layout::of(agent_of(settings, here.installed)?, platform.os(), name);
        let receipt = facts.receipt.as_ref();
        let existing = probe::existing(&self.root, &layout, receipt, &facts.key, settings)?;
        let mut failure = existing.failure;
        let token = match (token, existing.token) {
            (Some(given), _) => Some(given),
            (None, Some((found, source))) => {
                found.check().map_err(|error| error.context(&source))?;
                settings.add("token-file", SettingValue::one(REDACTED, source))?;
                Some(found)
            }
            (None, None) => None,
        };
        if token.is_some() {
            failure = None;
        }
        Ok(Discovery { facts, token, failure, notes: existing.notes, here })
    }

    /// The agent whose configuration stands where its documentation or its package puts it.
    fn made_by_hand(&self, os: Os, instance: Option<&str>) -> Option<Kind> {
        let is_there = |kind: &Kind| {
            let config = Layout::of(*kind, os, instance).config;
            // What cannot be looked at is not known to be an agent's.
            matches!(self.root.metadata(&config), Ok(Some(_)))
        };
        Kind::ALL.into_iter().find(is_there)
    }

    /// The instances that a receipt tells of, in order.
    ///
    /// # Errors
    /// When a receipt or the journal is damaged.
    pub fn instances(&self) -> Result<Vec<String>> {
        let receipts = record::read(&self.root, "default")?.into_receipts();
        let mut names: Vec<String> = receipts.map(|receipt| receipt.instance).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Files of an agent that stand where its documentation or its package puts them: what an
    /// install without a receipt has of the instance.
    pub fn found_by_hand(&self, instance: Option<&InstanceName>) -> Result<Vec<PathBuf>> {
        let os = Platform::of_this_host()?.os();
        let name = instance.map(InstanceName::as_str);
        let mut found: Vec<PathBuf> = Vec::new();
        for kind in Kind::ALL {
            let Layout { definition, config, environment, binary, .. } = Layout::of(kind, os, name);
            for path in [definition, config, environment, binary] {
                // What cannot be looked at is not known to be an agent's.
                if !found.contains(&path) && matches!(self.root.metadata(&path), Ok(Some(_))) {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }
}
