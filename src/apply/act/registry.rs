//! Values of the registry, and the keys that are made for them.

use super::Tools;
use crate::{
    Result,
    apply::{step::RegistryValue, target::State},
    platform::windows::registry::{self, Place},
};

pub(super) fn before(tools: &Tools<'_>, place: &Place) -> Result<State> {
    let commands = tools.host.commands;
    if let Some(value) = registry::look(commands, place)? {
        return Ok(State::Value(value));
    }
    let nearest = registry::nearest_key(commands, &place.key)?;
    Ok(if nearest == place.key { State::Absent } else { State::NoKey { nearest } })
}

pub(super) fn set(tools: &Tools<'_>, wanted: &RegistryValue) -> Result<()> {
    registry::set(tools.host.commands, &wanted.place, &wanted.value)
}

pub(super) fn restore(tools: &Tools<'_>, place: &Place, to: &State) -> Result<()> {
    let commands = tools.host.commands;
    match to {
        State::Value(value) => match registry::look(commands, place)? {
            Some(now) if now == *value => Ok(()),
            _ => registry::set(commands, place, value),
        },
        State::Absent => registry::remove(commands, place),
        State::NoKey { nearest } => {
            registry::remove(commands, place)?;
            registry::remove_keys(commands, &place.key, nearest)
        }
        _ => Ok(()),
    }
}
