//! Whether the work of a step is done already.

use crate::{
    host::{Facts, PathFact, ServiceState},
    platform::{
        accounts::AccountId,
        fs::{Kind, Meta, Permissions},
    },
    record::{Binary, Digest, Owner, Step, Target},
};

/// Whether the host is already in the state that the step would create.
pub(super) fn is_done(step: &Step, facts: &Facts) -> bool {
    match step {
        Step::Folder(folder) => {
            let fact = facts.path(&folder.path);
            // A folder of others is left alone, link or not; unless a run that was cut off created it
            // and did not set its mode.
            let target = Target::Folder(folder.path.clone());
            let ours =
                facts.receipt.as_ref().is_some_and(|receipt| receipt.record(&target).is_some());
            let is_others = folder.shared && !ours;
            let is_there = fact.is(Kind::Folder) || is_others && fact.is(Kind::Link);
            is_there
                && (is_others
                    || has_list(step, fact, facts)
                        && is_as_planned(fact, folder.owner.as_ref(), folder.mode, facts))
        }
        Step::File(file) => {
            let fact = facts.path(&file.path);
            let same = file.seed || fact.digest.as_ref() == Some(&file.content.digest(&facts.key));
            fact.is(Kind::File)
                && same
                // A log that is there is not begun anew.
                && (file.seed || has_list(step, fact, facts))
                && is_as_planned(fact, file.owner.as_ref(), file.mode, facts)
        }
        Step::Binary(binary) => {
            let fact = facts.path(&binary.path);
            fact.is(Kind::File)
                && fact.digest.is_some()
                && fact.digest == expected_digest(binary, facts)
                && has_list(step, fact, facts)
                && is_as_planned(fact, binary.owner.as_ref(), 0o755, facts)
        }
        Step::SetPermissions(change) => {
            is_as_planned(facts.path(&change.path), change.owner.as_ref(), change.mode, facts)
        }
        Step::Link { path, to } => facts.path(path).link.as_ref() == Some(to),
        Step::Account(account) => facts.account(&account.name).is_some(),
        Step::Registry(wanted) => facts.registry_value(&wanted.place) == Some(&wanted.value),
        Step::Enable { service } => {
            facts.services.get(service).is_some_and(|state| state.registered)
        }
        Step::Start { service, .. } => {
            facts.services.get(service).is_some_and(ServiceState::is_held)
        }
        Step::Stop { service, .. } => {
            facts.services.get(service).is_none_or(|state| !state.is_held())
        }
        // Not examined here: the step itself finds them.
        Step::EndProcesses { .. } => false,
        Step::Close { path } => {
            let fact = facts.path(path);
            let is_closed = |meta: Meta| meta.is_of(0) && meta.mode() == Some(0o700);
            fact.failure.is_none() && fact.meta.is_none_or(is_closed)
        }
        Step::Restore { target, .. } => is_gone(target, facts),
    }
}

/// What the binary must hash to; of an archive only the install that unpacked it knows.
fn expected_digest(binary: &Binary, facts: &Facts) -> Option<Digest> {
    let artifact = &binary.artifact;
    if artifact.member.is_none() {
        return Some(Digest::of_sha256(artifact.sha256));
    }
    let receipt = facts.receipt.as_ref()?;
    let placed = receipt.binary.as_ref()?;
    let is_same = placed.archived && placed.sha256 == artifact.sha256 && placed.path == binary.path;
    is_same.then(|| receipt.binary_digest())?
}

/// Whether an access list is the one that an earlier install set: one that others made may give anything
/// to anybody.
fn has_list(step: &Step, fact: &PathFact, facts: &Facts) -> bool {
    let is_list = fact.meta.is_some_and(|meta| meta.permissions == Permissions::Acl);
    let target = step.target();
    !is_list || facts.receipt.as_ref().is_some_and(|receipt| receipt.record(&target).is_some())
}

fn is_as_planned(fact: &PathFact, owner: Option<&Owner>, mode: u32, facts: &Facts) -> bool {
    let Some(meta) = fact.meta else { return false };
    let Permissions::Mode { uid, gid, mode: found } = meta.permissions else {
        // See `has_list`; the doctor examines it.
        return true;
    };
    let owned = owner.is_none_or(|owner| match owner.user.as_str() {
        "root" => (uid, gid) == (0, 0),
        user => facts.account(user).is_some_and(|account| match account.id {
            AccountId::Unix { uid: owner_uid, gid: group } => (uid, gid) == (owner_uid, group),
            // Windows has access lists instead.
            AccountId::Windows {} => true,
        }),
    });
    owned && found == mode
}

fn is_gone(target: &Target, facts: &Facts) -> bool {
    match target {
        Target::File(path) | Target::Folder(path) | Target::Link(path) => {
            let fact = facts.path(path);
            fact.meta.is_none() && fact.failure.is_none()
        }
        Target::Account(name) => facts.account(name).is_none(),
        Target::Registry(place) => facts.registry_value(place).is_none(),
        Target::Processes(_) => false,
        Target::Enabled(name) => facts.services.get(name).is_none_or(|state| !state.registered),
        Target::Running(name) => facts.services.get(name).is_none_or(|state| !state.is_held()),
    }
}
