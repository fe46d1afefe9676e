//! The agent's binary, which gets its final name only after it was verified.

use super::{Tools, file};
use crate::{
    Code, Error, Result,
    record::{After, Binary, Digest},
};

pub(super) fn place(tools: &Tools<'_>, binary: &Binary) -> Result<After> {
    let spot = tools.host.spot(&binary.path)?;
    file::refuse_other_kinds(&spot)?;
    let source = tools.host.source.ok_or_else(|| {
        Error::new(Code::StepFailed, "this plan has no source for the agent's binary")
    })?;
    let temporary = tools.temporary(&spot)?;
    let mut sha256 = None;
    let meta = file::placed(&temporary, &spot, |temporary| {
        let open = temporary.create(0o600)?;
        let second = open.try_clone().map_err(|error| {
            Error::new(Code::StepFailed, format!("the downloaded file cannot be opened: {error}"))
        })?;
        sha256 = Some(source.fetch(&binary.artifact, second)?);
        // The quarantine is removed only after the verification.
        if let Some(verdict) =
            tools.host.system.clear_quarantine(&tools.host.root.outside(temporary.path()))?
        {
            tools.host.report.tells(&verdict);
        }
        tools.set_acl(temporary, binary.owner.as_ref(), 0o755, false)?;
        temporary.set_file_permissions(&open, tools.host.numbers(binary.owner.as_ref())?, 0o755)
    })?;
    let digest = sha256.filter(|_| !binary.updates_itself).map(Digest::of_sha256);
    Ok(After { meta, digest, made_for: None })
}
