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
    /// What keeps an agent's process, and whether nobody but root could have had it kept so: every
    /// account has a manager, a line of cron and programs of any name.
    pub(in crate::probe) fn supervisor(
        &self,
        agent: &Agent,
        root: Option<&Root>,
    ) -> (Supervisor, bool) {
        let parent = |entry: &&super::Entry| {
            self.index.get(entry.parent).filter(|parent| parent.pid != entry.pid)
        };
        let above = std::iter::successors(self.index.get(agent.pid), parent).skip(1).take(ABOVE);
        let keeper = above
            .clone()
            .find_map(|entry| Some((Keeper::of_process(&entry.name)?, entry.uid == 0)));
        let own = self.index.get(agent.pid).filter(|entry| entry.pid == 1);
        let first = own.or(above.last().filter(|entry| entry.pid == 1));
        let is_roots = match (&agent.managed, keeper) {
            _ if agent.uid == 0 => true,
            (ManagedBy::User { .. }, _) => false,
            (_, Some((keeper, is_roots))) => is_roots && keeper.runs_roots_choice(),
            (ManagedBy::System(_), None) => false,
            (ManagedBy::Nobody, None) => first.is_some_and(|init| init.uid == agent.uid),
        };
        let supervisor = match (&agent.managed, keeper) {
            (ManagedBy::User { uid, unit: Some(unit) }, _) => Supervisor::UserManager {
                unit: unit.clone(),
                lingers: root.and_then(|root| lingers(root, *uid)),
            },
            (_, Some((keeper, _))) => Supervisor::Program(keeper),
            (ManagedBy::User { .. }, None) => Supervisor::Session,
            (ManagedBy::System(unit), None) => Supervisor::Service(unit.clone()),
            (ManagedBy::Nobody, None) => match first {
                Some(init) if !matches!(init.name.as_str(), "systemd" | "launchd" | "init") => {
                    Supervisor::Container { init: init.name.clone() }
                }
                _ => Supervisor::Nothing,
            },
        };
        (supervisor, is_roots)
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
