//! Symbolic links: created under a temporary name, then renamed.

use super::Tools;
use crate::{
    Code, Error, Help, Result,
    platform::fs::Kind,
    record::{After, State},
};
use std::path::Path;

pub(super) fn before(tools: &Tools<'_>, path: &Path) -> Result<State> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(State::Absent) };
    match spot.metadata()? {
        None => Ok(State::Absent),
        Some(meta) if meta.kind == Kind::Link => Ok(State::Link { target: spot.link_target()? }),
        Some(meta) => Err(Error::new(
            Code::InTheWay,
            format!("{} is {}, where a link must be", path.display(), meta.kind),
        )
        .help(Help::inspect("ls -ld", spot.outside()))),
    }
}

pub(super) fn make(tools: &Tools<'_>, path: &Path, to: &Path) -> Result<After> {
    let spot = tools.host.spot(path)?;
    before(tools, path)?;
    let temporary = tools.temporary(&spot)?;
    let meta = super::file::placed(&temporary, &spot, |temporary| temporary.create_link(to))?;
    Ok(After { meta, digest: None, made_for: None })
}

pub(super) fn restore(tools: &Tools<'_>, path: &Path, to: &State) -> Result<()> {
    let Some(spot) = tools.host.root.find(path)? else { return Ok(()) };
    tools.temporary(&spot)?.remove()?;
    match (to, spot.metadata()?.map(|meta| meta.kind)) {
        (State::Absent, Some(Kind::Link)) => spot.remove(),
        (State::Link { target }, _) => make(tools, path, target).map(drop),
        _ => Ok(()),
    }
}
