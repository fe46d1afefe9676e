//! Accounts and their numbers; a command prefix gives one by number in `sudo -u '#1501'`.

use super::{ProbeContext, candidate, candidate::Candidate, known_or_default, uid_of};
use crate::host::{ProbeName, Seen};
use std::collections::{BTreeMap, BTreeSet};

/// The numbers of accounts.
pub(super) fn of_names(context: &ProbeContext, candidates: &[Candidate]) -> BTreeMap<String, u32> {
    let names: BTreeSet<String> = names(candidates).collect();
    let uids = context.start(ProbeName::AccountNumbers, |context| {
        let number = |name: String| Some((name.clone(), uid_of(&context.root, &name)?));
        names.into_iter().filter_map(number).collect()
    });
    known_or_default(uids.seen())
}

/// The accounts that agents and their jobs run as.
pub(super) fn names(candidates: &[Candidate]) -> impl Iterator<Item = String> {
    let users = candidates.iter().flat_map(|candidate| [&candidate.user, &candidate.task_user]);
    users.flatten().cloned()
}

/// Names accounts that are given by number, where the system knows a name.
pub(super) fn name_accounts(context: &ProbeContext, candidates: &mut [Candidate]) {
    for user in candidates.iter_mut().filter_map(|candidate| candidate.task_user.as_mut()) {
        let number = user.clone();
        if !number.starts_with('#') {
            continue;
        }
        let probe = context.start(ProbeName::AccountNumbers, move |context| {
            candidate::by_name(&context.root, number)
        });
        if let Seen::Known(name) = probe.seen() {
            *user = name;
        }
    }
}
