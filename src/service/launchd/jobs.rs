//! The jobs of agents, and what launchd says of each.

use super::{AGENTS, Launchd};
use crate::{
    Result,
    host::{Seen, ServiceState},
    platform::macos::SYSTEM,
    service::StateQuery,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What launchd says of each label, in the domain that it loads the definition in.
pub(super) fn states(query: &StateQuery<'_>) -> Seen<BTreeMap<String, ServiceState>> {
    let launchd = Launchd::new(query.commands);
    let state = |(label, file): &(String, PathBuf)| {
        Ok((label.clone(), launchd.state_in(&domains(file, query.uid_of), label)?))
    };
    match query.services.iter().map(state).collect::<Result<_>>() {
        Ok(states) => Seen::Known(states),
        Err(error) => Seen::broken(error.message()),
    }
}

/// Where launchd loads a definition: a daemon's for the system, an agent's for the user whose
/// home it is in, else for the one who is logged in; with a desktop, or without one.
fn domains(file: &Path, uid_of: &dyn Fn(&str) -> Option<u32>) -> Vec<String> {
    let user = file.strip_prefix("/Users").ok().and_then(|rest| rest.components().next());
    let uid = match user {
        Some(user) => uid_of(&user.as_os_str().to_string_lossy()),
        None if file.starts_with(AGENTS) => uid_of(StateQuery::CONSOLE),
        None => None,
    };
    match uid {
        Some(uid) => vec![format!("gui/{uid}"), format!("user/{uid}")],
        None => vec![SYSTEM.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host::{AUTO_RESTART, Activity, Load},
        platform::command::Script,
    };
    use std::time::Duration;

    const DAEMON: &str = "/Library/LaunchDaemons/a.plist";

    /// The state of the label `a`, which this file defines; one user is there.
    fn state(script: &Script, file: &str) -> ServiceState {
        let query = StateQuery {
            commands: script,
            services: vec![("a".to_owned(), file.into())],
            slices: Vec::new(),
            limit: Duration::ZERO,
            booted: 0,
            uid_of: &|name| (name == "ci").then_some(501),
        };
        states(&query).ok().unwrap()["a"].clone()
    }

    #[test]
    fn launchds_words_become_a_state() {
        let script = Script::new(&[
            ("launchctl print-disabled system", 0, ""),
            (
                "launchctl print system/a",
                0,
                "system/a = {\n\tstate = spawn scheduled\n\truns = 9\n\tlast exit code = 78: \
                 EX_CONFIG\n}\n",
            ),
        ]);
        let state = state(&script, DAEMON);
        assert_eq!((state.active, state.sub.as_str()), (Activity::Activating, AUTO_RESTART));
        assert_eq!((state.restarts, state.exit_status), (8, Some(78)));
        assert_eq!(state.result, "exit-code");
        assert_eq!(state.domain.as_deref(), Some("system"));
    }

    #[test]
    fn an_agent_of_a_users_is_looked_for_with_a_desktop_and_without() {
        let uid = |name: &str| (name == "ci").then_some(501);
        let home = "/Users/ci/Library/LaunchAgents/a.plist";
        assert_eq!(domains(Path::new(home), &uid), ["gui/501", "user/501"]);
        let all = Path::new("/Library/LaunchAgents/a.plist");
        assert_eq!(domains(all, &uid), ["system"]);
        assert_eq!(domains(all, &|_| Some(502)), ["gui/502", "user/502"]);
        let script = Script::new(&[
            ("launchctl print-disabled gui/501", 125, ""),
            ("launchctl print gui/501/a", 113, ""),
            ("launchctl print-disabled user/501", 0, ""),
            ("launchctl print user/501/a", 0, "user/501/a = {\n\tstate = running\n\tpid = 9\n}\n"),
        ]);
        let state = state(&script, home);
        assert_eq!((state.active, state.domain.as_deref()), (Activity::Active, Some("user/501")));
        script.assert_done();
    }

    #[test]
    fn what_is_nowhere_is_not_loaded() {
        let script = Script::new(&[
            ("launchctl print-disabled system", 0, "\t\"a\" => disabled\n"),
            ("launchctl print system/a", 113, ""),
        ]);
        let state = state(&script, DAEMON);
        assert_eq!((state.load, state.enabled), (Load::NotFound, false));
    }
}
