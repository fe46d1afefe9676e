//! The dialogue of an install at a terminal: asks what is missing, and nothing else.

mod ask;
mod dialogue;
mod line;
mod menu;
mod questions;
mod terminal;

pub(super) use ask::{Ask, Exit, Prompt, Reply};
pub(super) use dialogue::Dialogue;
use questions::Known;
pub(super) use terminal::Person;

use super::Output;
use crate::{
    Result,
    platform::Platform,
    session::Discovery,
    settings::{SettingValue, Settings, Source, table::names},
    text::REDACTED,
    values::{InstanceName, Manager},
};

/// Asks for every setting that neither was given nor is known from an existing install; a dialogue
/// that was held before goes on at its last question.
/// `false`: the person quit, and nothing is to be done.
pub(super) fn ask(
    dialogue: &mut Dialogue,
    settings: &mut Settings,
    discovery: &mut Discovery,
    out: &Output,
) -> Result<bool> {
    let platform = settings.parse::<Platform>("platform")?.unwrap_or(discovery.here.platform);
    let instance = settings.parse::<InstanceName>("instance")?;
    let is_existing = |name| matches!(settings.source(name), Source::Existing(_));
    let known = Known {
        hostname: discovery.facts.hostname.clone(),
        os: platform.os(),
        instance,
        installed: discovery.here.installed,
        token: discovery.token.clone(),
        is_installed: discovery.facts.receipt.is_some() || names().any(is_existing),
        can_start: discovery.facts.is_host
            && discovery.here.service != Manager::None
            && settings.text("service").as_deref() != Some("none"),
        console_user: discovery.facts.console_user.clone(),
        settings,
    };
    let Some(draft) = dialogue.hold(&known, &mut Person::new(out))? else { return Ok(false) };
    for (name, value) in draft.settings {
        settings.add(name, SettingValue::one(value, Source::Prompt))?;
    }
    if let Some(token) = draft.token {
        out.secrets().add(token.expose());
        settings.add("token-file", SettingValue::one(REDACTED, Source::Prompt))?;
        discovery.token = Some(token);
    }
    Ok(true)
}
