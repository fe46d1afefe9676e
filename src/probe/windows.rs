//! What only a Windows that runs can say: asked once, with all that the definitions name.

use super::{ProbeContext, acl, candidate::Candidate, deadline::Probe, processes::Processes};
use crate::{
    host::{
        AccountFacts, Clock, Host, Install, Memory, PathRole, ProbeName, Process, SYSTEM_SID, Seen,
        ServiceState, TaskState, Unseen, Volume, Windows, same,
    },
    platform::windows::inventory::{self, Inventory, InventoryQuery, Part},
    service::task_scheduler::{self, NEVER_RAN},
    text::shown,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

/// PowerShell takes seconds to start on a busy host, and so do accounts and access lists, whatever the
/// time for a probe: without this answer nothing of Windows is known.
const LEAST: Duration = Duration::from_secs(60);

/// What was asked, until the answer is there.
pub(super) struct Asked(Probe<Result<Inventory, String>>);

/// The answer, or why there is none.
pub(super) struct Answer(Result<Inventory, Unseen>);

/// Asks for all that the candidates name.
pub(super) fn ask(context: &ProbeContext, candidates: &[Candidate], timeout: Duration) -> Asked {
    let (wanted, limit) = (wanted(candidates), timeout.max(LEAST));
    let commands = context.commands;
    let guard = limit + Duration::from_millis(500);
    Asked(
        context.begin(ProbeName::Windows, guard, move || inventory::ask(&commands, &wanted, limit)),
    )
}

fn wanted(candidates: &[Candidate]) -> InventoryQuery {
    let mut wanted = InventoryQuery::default();
    for candidate in candidates {
        if let Some(unit) = &candidate.unit {
            wanted.tasks.push(unit.name.clone());
            let keeper = unit.directives.iter().find(|directive| directive.key == "SessionKeeper");
            wanted.tasks.extend(keeper.map(|keeper| keeper.value.clone()));
            // Behind the task's own file stand its keeper's and a script; the scheduler's own
            // folder is the system's.
            let others = unit.definitions.iter().skip(1).map(|definition| &definition.walk.path);
            let is_system = |path: &Path| same(&shown(path)).starts_with(r"c:\windows\");
            wanted.paths.extend(others.filter(|path| !is_system(path)).map(shown));
        }
        wanted.users.extend(candidate.user.clone());
        let binary = candidate.binary.iter().flat_map(|path| [Some(path.as_path()), path.parent()]);
        wanted.paths.extend(binary.flatten().map(shown));
        wanted.paths.extend(candidate.config_path.as_ref().map(shown));
    }
    let mut seen = BTreeSet::new();
    wanted.paths.retain(|path| seen.insert(same(path)));
    wanted.users.sort_unstable();
    wanted.users.dedup();
    wanted
}

impl Asked {
    /// The answer, once it is there or late.
    pub(super) fn answer(self) -> Answer {
        Answer(match self.0.seen() {
            Seen::Known(Ok(answer)) => Ok(answer),
            Seen::Known(Err(why)) => Err(Unseen::probe_failed(why)),
            Seen::Unseen(unseen) => Err(unseen),
        })
    }
}

impl Answer {
    fn part<T>(&self, of: fn(&Inventory) -> &Part<T>) -> Result<&[T], Unseen> {
        let answer = self.0.as_ref().map_err(Clone::clone)?;
        of(answer).seen().map_err(Unseen::probe_failed)
    }

    fn seen<T, U>(
        &self,
        of: fn(&Inventory) -> &Part<T>,
        each: impl FnMut(&T) -> U,
    ) -> Seen<Vec<U>> {
        match self.part(of) {
            Ok(all) => Seen::Known(all.iter().map(each).collect()),
            Err(unseen) => Seen::Unseen(unseen),
        }
    }

    /// Every process.
    pub(super) fn processes(&self) -> Seen<Processes> {
        let all = match self.part(|answer| &answer.processes) {
            Ok(all) => all,
            Err(unseen) => return Seen::Unseen(unseen),
        };
        let began: BTreeMap<u32, i64> =
            all.iter().filter_map(|process| Some((process.pid, process.started?))).collect();
        let process = |other: &inventory::Process| {
            // Numbers are given again: a parent that began later is another process.
            let is_parent = |parent: &u32| other.started >= began.get(parent).copied();
            Process {
                pid: other.pid,
                parent: Some(other.parent).filter(is_parent).unwrap_or_default(),
                uid: 0,
                name: other.name.clone(),
                command: other.path.clone().unwrap_or_default(),
                started: other.started.unwrap_or_default(),
                state: 'S',
                in_service: false,
            }
        };
        Seen::Known(Processes::of(all.iter().map(process).collect()))
    }

    /// The state of each task by its name.
    pub(super) fn states(
        &self,
        candidates: &[Candidate],
        processes: &Processes,
    ) -> Seen<BTreeMap<String, ServiceState>> {
        let tasks = match self.part(|answer| &answer.tasks) {
            Ok(tasks) => tasks,
            Err(unseen) => return Seen::Unseen(unseen),
        };
        let of_task = |candidate: &Candidate| {
            let name = candidate.unit.as_ref()?.name.clone();
            let task = tasks.iter().find(|task| task.name.eq_ignore_ascii_case(&name));
            let pid = candidate.binary.as_ref().and_then(|path| processes.running(path));
            Some((name, state(task, pid)))
        };
        Seen::Known(candidates.iter().filter_map(of_task).collect())
    }

    /// Calls accounts by their names that a definition calls by their numbers.
    pub(super) fn name_users(&self, candidates: &mut [Candidate]) {
        let known = self.part(|answer| &answer.accounts).unwrap_or_default();
        for candidate in candidates {
            for user in [&mut candidate.user, &mut candidate.task_user] {
                let named = |account: &&inventory::Account| {
                    user.as_ref().is_some_and(|name| *name == account.sid)
                };
                if let Some(account) = known.iter().find(named) {
                    *user = Some(account.name.clone());
                }
            }
        }
    }

    /// The accounts that were asked for, each called as its task calls it.
    pub(super) fn accounts(&self, candidates: &[Candidate], now: i64) -> Vec<AccountFacts> {
        let known = self.part(|answer| &answer.accounts).unwrap_or_default();
        let names: BTreeSet<&String> =
            candidates.iter().filter_map(|candidate| candidate.user.as_ref()).collect();
        let account = |name: &String| {
            if name == "SYSTEM" {
                return Some(system(name));
            }
            let account = known.iter().find(|account| {
                account.name.eq_ignore_ascii_case(name) || account.sid.eq_ignore_ascii_case(name)
            })?;
            Some(AccountFacts {
                name: name.clone(),
                closed: closed(account, now),
                sid: Some(account.sid.clone()),
                administrator: Some(account.administrator),
                ..AccountFacts::default()
            })
        };
        names.into_iter().filter_map(account).collect()
    }

    /// Free space, by drive.
    fn volume(&self, folder: &Path, purpose: PathRole) -> Option<Volume> {
        let path = same(&shown(folder));
        let volumes = self.part(|answer| &answer.volumes).ok()?;
        let drive = volumes.iter().find(|volume| path.starts_with(&volume.drive.to_lowercase()))?;
        Some(Volume {
            folder: shown(folder).into(),
            purpose,
            bytes: drive.bytes?,
            bytes_free: drive.free?,
            inodes: 0,
            inodes_free: 0,
        })
    }

    /// Puts what Windows says in the place of what only others keep in files.
    pub(super) fn complete(
        &self,
        host: &mut Host,
        accounts: Vec<AccountFacts>,
        facts: Windows,
        installs: &[Install],
    ) {
        host.system = self.name().unwrap_or_else(|| "Windows".to_owned());
        host.memory = self.memory();
        host.clock = self.clock();
        host.accounts = accounts;
        host.privileged = self.part(|answer| &answer.elevated).is_ok_and(|part| part == [true]);
        host.windows = Some(facts);
        host.volumes = super::volumes::writes(installs)
            .into_iter()
            .filter_map(|(folder, what)| self.volume(&folder, what))
            .collect();
    }

    fn system(&self) -> Result<&inventory::System, Unseen> {
        let one = self.part(|answer| &answer.system)?.first();
        one.ok_or_else(|| Unseen::probe_failed("nothing was said of the system".to_owned()))
    }

    /// The system in words.
    fn name(&self) -> Option<String> {
        self.system().ok()?.name.clone()
    }

    /// Memory.
    fn memory(&self) -> Seen<Memory> {
        match self.system() {
            Ok(system) => {
                let (total, available, swap) = (system.memory, system.free, system.swap);
                Seen::Known(Memory { total, available, swap })
            }
            Err(unseen) => Seen::Unseen(unseen),
        }
    }

    /// The time service. Outside of a domain it is started now and then only, which is enough.
    fn clock(&self) -> Seen<Clock> {
        let system = match self.system() {
            Ok(system) => system,
            Err(unseen) => return Seen::Unseen(unseen),
        };
        let is_off = system.clock.is_empty() || system.clock_start == "Disabled";
        let by = (!system.clock.is_empty()).then(|| "w32time".to_owned());
        Seen::Known(Clock { synchronized: !is_off, by })
    }

    /// What only Windows has.
    pub(super) fn facts(&self, candidates: &[Candidate]) -> Windows {
        let system = self.system();
        let answer = system.as_ref().ok();
        let accounts = self.part(|answer| &answer.accounts).unwrap_or_default();
        let of_agents = |account: &&inventory::Account| {
            candidates.iter().filter_map(|one| one.user.as_ref()).any(|name| {
                account.name.eq_ignore_ascii_case(name) || account.sid.eq_ignore_ascii_case(name)
            })
        };
        let keepers: Vec<&inventory::Account> = accounts.iter().filter(of_agents).collect();
        Windows {
            build: answer.map_or(0, |answer| answer.build),
            domain_controller: answer.map(|answer| answer.role >= 4),
            long_paths: answer.map(|answer| answer.long_paths),
            remote_desktop_off: answer.map(|answer| answer.desktop_off),
            credential_guard: answer.and_then(|answer| answer.credential_guard),
            saved_credential: (!keepers.is_empty())
                .then(|| keepers.iter().all(|keeper| keeper.credentials > 0)),
            winhttp_proxy: answer.and_then(|answer| answer.winhttp.clone()),
            quarantined: match self.seen(|answer| &answer.threats, Clone::clone) {
                Seen::Known(all) => Seen::Known(of_candidates(all, candidates)),
                // A host without Defender is asked in vain.
                Seen::Unseen(unseen) => {
                    Seen::not(format!("Defender does not answer: {}", unseen.why))
                }
            },
            lists_accounts: self.part(|answer| &answer.accounts).is_ok(),
            tasks: self.seen(|answer| &answer.tasks, task),
            rights: self.seen(|answer| &answer.rights, acl::of),
            unseen: system.err(),
        }
    }
}

fn of_candidates(all: Vec<String>, candidates: &[Candidate]) -> Vec<String> {
    let is_ours = |path: &String| {
        let binaries = candidates.iter().filter_map(|candidate| candidate.binary.as_ref());
        binaries.into_iter().any(|binary| same(&shown(binary)) == same(path))
    };
    all.into_iter().filter(is_ours).collect()
}

fn task(task: &inventory::Task) -> TaskState {
    TaskState {
        name: task.name.clone(),
        state: task.state.clone(),
        result: task.result,
        last_run: task.last_run.filter(|_| task.result != NEVER_RAN),
        next_run: task.next_run,
    }
}

fn state(task: Option<&inventory::Task>, process: Option<(u32, i64)>) -> ServiceState {
    let main_pid = process.map(|(pid, _)| pid);
    let Some(task) = task else { return task_scheduler::not_registered(main_pid) };
    ServiceState {
        since: process.map(|(_, started)| started).or(task.last_run),
        ..task_scheduler::state(&task.state, task.result, main_pid)
    }
}

fn system(name: &str) -> AccountFacts {
    AccountFacts {
        name: name.to_owned(),
        sid: Some(SYSTEM_SID.to_owned()),
        administrator: Some(true),
        ..AccountFacts::default()
    }
}

/// Why nobody can log on with an account.
fn closed(account: &inventory::Account, now: i64) -> Option<String> {
    let is_over = |time: Option<i64>| time.is_some_and(|time| time <= now);
    let reasons = [
        (account.disabled, "it is disabled"),
        (account.locked, "it is locked: too many wrong passwords were given"),
        (is_over(account.expires), "it has expired"),
        (is_over(account.password_expires), "its password has expired"),
        (account.must_change, "its password has to be changed at the next logon"),
    ];
    let reasons: Vec<_> =
        reasons.into_iter().filter(|reason| reason.0).map(|reason| reason.1).collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Activity, Grant};
    use crate::platform::command::Recorded;

    const MADE: &str = include_str!("../platform/windows/inventory-made.json");
    const AGENT: &str = "C:/Program Files/CircleCI/circleci-launch-agent.exe";

    fn answer() -> Answer {
        Answer(
            inventory::ask(&Recorded::answering(0, MADE), &InventoryQuery::default(), LEAST)
                .map_err(Unseen::probe_failed),
        )
    }

    fn candidates() -> Vec<Candidate> {
        let unit = super::super::unit::Unit {
            name: "CircleCI Launch Agent".into(),
            ..super::super::unit::Unit::default()
        };
        vec![Candidate {
            unit: Some(unit),
            binary: Some(AGENT.into()),
            user: Some("CircleCI".into()),
            config_path: Some("C:/Program Files/CircleCI/launch-agent-config.yaml".into()),
            ..Candidate::default()
        }]
    }

    #[test]
    fn a_running_agent_is_told_by_its_program() {
        let (answer, candidates) = (answer(), candidates());
        let processes = answer.processes();
        let processes = processes.ok().unwrap();
        let states = answer.states(&candidates, processes);
        let state = &states.ok().unwrap()["CircleCI Launch Agent"];
        assert_eq!((state.main_pid, state.active), (Some(400), Activity::Active));
        assert_eq!(state.since, Some(1_793_487_600));
        // What is older than its parent is not its child.
        let scrub = super::super::scrub::Scrub::default();
        let soon = std::time::Instant::now() + Duration::from_secs(20);
        let found = processes.of_install(Some(400), None, None, &scrub, soon);
        let names: Vec<_> =
            found.processes.ok().unwrap().iter().map(|process| process.name.as_str()).collect();
        assert_eq!(names, ["circleci-launch-agent.exe", "conhost.exe", "circleci-agent.exe"]);
    }

    #[test]
    fn accounts_and_access_lists_are_read_by_number() {
        let (answer, candidates) = (answer(), candidates());
        let accounts = answer.accounts(&candidates, 1_793_491_200);
        assert_eq!((accounts[0].name.as_str(), accounts[0].uid()), ("CircleCI", None));
        assert_eq!(accounts[0].sid.as_deref(), Some("S-1-5-21-1-2-3-1001"));
        assert_eq!(accounts[0].closed, None);
        let facts = answer.facts(&candidates);
        let rights = facts.rights(candidates[0].config_path.as_ref().unwrap()).unwrap().unwrap();
        assert_eq!(rights.grants.len(), 3, "what is only for what is below does not count");
        let others: Vec<_> = rights.others(&accounts[0]).map(Grant::who).collect();
        assert_eq!(others, [r"BUILTIN\Users"]);
        assert_eq!(facts.saved_credential, Some(true));
        assert!(facts.quarantined.known().unwrap_err().why.contains("Defender"));
    }

    #[test]
    fn a_number_becomes_the_accounts_name() {
        let (answer, mut candidates) = (answer(), candidates());
        candidates[0].user = Some("S-1-5-21-1-2-3-1001".into());
        candidates[0].task_user = Some("S-1-5-21-9".into());
        answer.name_users(&mut candidates);
        let users = (candidates[0].user.as_deref(), candidates[0].task_user.as_deref());
        assert_eq!(users, (Some("circleci"), Some("S-1-5-21-9")));
    }

    #[test]
    fn every_way_an_account_is_closed_is_said() {
        let answer = answer();
        let mut account = answer.part(|answer| &answer.accounts).unwrap()[0].clone();
        account.expires = Some(10);
        account.password_expires = Some(100);
        account.locked = true;
        let words = closed(&account, 50).unwrap();
        assert!(words.contains("locked") && words.contains("it has expired"), "{words}");
        assert!(!words.contains("its password has expired"), "{words}");
    }

    #[test]
    fn without_an_answer_each_fact_says_why() {
        let silent = Recorded::answering(0, "");
        let output = inventory::ask(&silent, &InventoryQuery::default(), LEAST);
        let answer = Answer(output.map_err(Unseen::probe_failed));
        let facts = answer.facts(&candidates());
        assert!(facts.known(facts.long_paths.as_ref()).unwrap_err().why.contains("said nothing"));
        assert!(facts.rights.known().is_err() && facts.tasks.known().is_err());
        assert!(!facts.lists_accounts && answer.processes().ok().is_none());
    }

    #[test]
    fn a_survey_is_whole_where_windows_says_that_it_was_taken_elevated() {
        let is_whole = |text: &str| {
            let output =
                inventory::ask(&Recorded::answering(0, text), &InventoryQuery::default(), LEAST);
            let answer = Answer(output.map_err(Unseen::probe_failed));
            let mut host = Host { privileged: true, ..Host::default() };
            let facts = answer.facts(&[]);
            answer.complete(&mut host, Vec::new(), facts, &[]);
            host.privileged
        };
        assert!(is_whole(MADE));
        for text in [
            r#"{"elevated":{"ok":[false]}}"#,
            r#"{"elevated":{"error":"Access denied"}}"#,
            "{}",
            "",
        ] {
            assert!(!is_whole(text), "{text}");
        }
    }
}
