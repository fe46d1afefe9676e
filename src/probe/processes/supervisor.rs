//! What keeps an agent's process that no service accounts for.

use super::{Agent, Processes};
use crate::{
    host::{Keeper, ManagedBy, Supervisor},
    platform::{accounts, fs::Root},
};
use std::path::Path;

/// Most processes above an agent's that are looked at.
const ABOVE: usize = 32;

/// Where systemd notes the accounts whose managers run without a session.
const LINGER: &str = "/var/lib/systemd/linger";

impl Processes {
    /// What keeps an agent's process.
    pub(in crate::probe) fn supervisor(&self, agent: &Agent, root: Option<&Root>) -> Supervisor {
        let parent = |entry: &&super::Entry| {
            self.index.get(entry.parent).filter(|parent| parent.pid != entry.pid)
        };
        let above = std::iter::successors(self.index.get(agent.pid), parent).skip(1).take(ABOVE);
        let keeper = above.clone().find_map(|entry| Keeper::of_process(&entry.name));
        let own = self.index.get(agent.pid).filter(|entry| entry.pid == 1);
        let first = own.or(above.last().filter(|entry| entry.pid == 1));
        match (&agent.managed, keeper) {
            (ManagedBy::User { uid, unit: Some(unit) }, _) => Supervisor::UserManager {
                unit: unit.clone(),
                lingers: root.and_then(|root| lingers(root, *uid)),
            },
            (_, Some(keeper)) => Supervisor::Program(keeper),
            (ManagedBy::User { .. }, None) => Supervisor::Session,
            (ManagedBy::System(unit), None) => Supervisor::Service(unit.clone()),
            (ManagedBy::Nobody, None) => match first {
                Some(init) if !matches!(init.name.as_str(), "systemd" | "launchd" | "init") => {
                    Supervisor::Container { init: init.name.clone() }
                }
                _ => Supervisor::Nothing,
            },
        }
    }
}

/// Whether an account's manager runs while the account is not logged in.
fn lingers(root: &Root, uid: Option<u32>) -> Option<bool> {
    let name = accounts::by_number(root, uid?)?.name;
    // It is a part of a path.
    let is_name = !name.contains('/') && !name.starts_with('.');
    let walk = root.walk(&Path::new(LINGER).join(Some(name).filter(|_| is_name)?)).ok()?;
    Some(walk.end.is_some())
}
