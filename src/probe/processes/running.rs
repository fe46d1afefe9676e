//! A running agent: read from `/proc` with the same limits as every process, and told as the words
//! of its account.

use super::{Index, Processes, read};
use crate::{
    agent::Kind,
    host::{
        Above, Condition, ManagedBy, OnDisk, Provenance, Running, RunningProgram, Scrubbed, Seen,
    },
    probe::{
        environment::{self, Raw},
        launch::prefix::is_in_front,
        procfs::{Limits, Status},
        scrub::Scrub,
        task_action::program_name,
    },
};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// Most processes above an agent's that are told.
const ABOVE: usize = 16;

/// Longest path that is told, in bytes.
const PATH: usize = 4 << 10;

/// What a closer look at an agent's process tells, secrets included.
#[derive(Debug, Default, Clone)]
pub(in crate::probe) struct Raws {
    pub(super) status: Status,
    pub(super) limits: Option<Limits>,
    /// Its command line, as far as it was read.
    pub(in crate::probe) words: Vec<String>,
    pub(super) folder: Option<PathBuf>,
    pub(super) environment: Option<Vec<(String, String)>>,
    pub(super) program: Option<RunningProgram>,
}

/// A running agent, secrets included: never kept.
#[derive(Debug, Clone)]
pub(in crate::probe) struct RawRunning {
    pub(in crate::probe) pid: u32,
    started: i64,
    state: char,
    uid: u32,
    pub(in crate::probe) managed: ManagedBy,
    above: Vec<(Above, Option<String>)>,
    pub(in crate::probe) read: Raws,
}

impl Processes {
    /// The agent's process at or below a service's main process: that of a wrapper is not its own.
    pub(in crate::probe) fn agent_below(&self, main: u32) -> u32 {
        let agent = self.index.tree(main).find(|entry| self.index.is_agent(entry.pid));
        agent.map_or(main, |entry| entry.pid)
    }

    /// Whether a process is an agent's, or waits for one: nothing but shells and programs in front of
    /// another one stand between.
    pub(in crate::probe) fn waits_for_agent(&self, main: u32, until: Instant) -> bool {
        let agent = self.agent_below(main);
        let above = above(&self.index, agent);
        let at = above.iter().position(|entry| entry.pid == main);
        let between: Vec<_> = above.into_iter().take(at.map_or(0, |at| at + 1)).collect();
        let details = super::look_closer(between.iter().copied(), until);
        let stands = |entry: &&super::Entry| {
            details.get(&entry.pid).and_then(program).is_some_and(|name| is_in_front(&name))
        };
        self.index.is_agent(agent) && (agent == main || at.is_some()) && between.iter().all(stands)
    }

    /// Looks closely at an agent's process.
    pub(in crate::probe) fn witness(&self, pid: u32, until: Instant) -> Option<RawRunning> {
        let entry = self.index.get(pid)?;
        let read = read::running(entry, until)?;
        // What waits in front of an agent that has not begun yet is none.
        let is_named = |word: &String| Kind::of_program(&program_name(word)).is_some();
        if !self.index.is_agent(pid) && !read.words.first().is_some_and(is_named) {
            return None;
        }
        let above: Vec<_> = above(&self.index, pid);
        let scripts = super::look_closer(above.iter().copied(), until);
        let told = |entry: &super::Entry| {
            let details = scripts.get(&entry.pid);
            let above = Above {
                pid: entry.pid,
                uid: entry.uid,
                name: entry.name.clone(),
                program: details.and_then(program),
                script: None,
                hears_term: details.and_then(|of| of.hears_term),
            };
            let words = details.filter(|_| above.is_shell()).map(|of| of.command.words.as_slice());
            let script = words.and_then(script).map(str::to_owned);
            (above, script)
        };
        Some(RawRunning {
            pid,
            started: entry.started,
            state: entry.state,
            uid: entry.uid,
            managed: entry.managed.clone(),
            above: above.into_iter().map(told).collect(),
            read,
        })
    }
}

/// The processes above: of the same service, or, where none of the system's manager runs it, all.
fn above(index: &Index, pid: u32) -> Vec<&super::Entry> {
    let unit = index.get(pid).and_then(|entry| entry.managed.system_unit());
    let parent = |entry: &&super::Entry| {
        let parent = index.get(entry.parent).filter(|parent| parent.pid != entry.pid)?;
        (unit.is_none() || parent.managed.system_unit() == unit).then_some(parent)
    };
    let first = index.get(pid);
    std::iter::successors(first, parent).skip(1).take(ABOVE).collect()
}

/// The name of a process's program: of the file that it runs, else as it calls itself.
fn program(details: &super::Details) -> Option<String> {
    let file = details.program.as_ref().and_then(|path| path.file_name()?.to_str());
    let name = file.or_else(|| details.command.words.first()?.rsplit('/').next())?;
    Some(name.trim_start_matches('-').chars().take(super::NAME_SHOWN).collect())
}

/// The script in a shell's command line, which is its first word that is no option.
fn script(words: &[String]) -> Option<&str> {
    let mut words = words.iter().skip(1).map(String::as_str);
    let first = words.find(|word| !word.starts_with(['-', '+']) || word.ends_with('c'))?;
    (!first.starts_with('-')).then_some(first)
}

impl RawRunning {
    /// Who could have chosen its words: a service of root's that runs as root says what root wrote.
    pub(in crate::probe) fn named_by(&self) -> Provenance {
        match (self.uid, &self.managed) {
            (0, ManagedBy::System(_)) => Provenance::Root,
            (0, _) => Provenance::Anybody,
            (uid, _) => Provenance::Account(uid),
        }
    }

    /// Its working directory, where it may be looked at.
    pub(in crate::probe) fn folder(&self) -> Option<&Path> {
        self.read.folder.as_deref()
    }

    /// The program that it runs, if it is still there.
    pub(in crate::probe) fn program(&self) -> Option<&Path> {
        let program = self.read.program.as_ref()?;
        (program.on_disk != OnDisk::Deleted).then_some(program.path.as_path())
    }

    /// Its variables.
    pub(in crate::probe) fn variables(&self) -> Option<Vec<Raw>> {
        let raw = |(name, value): &(String, String)| Raw {
            name: name.clone(),
            value: value.clone(),
            source: format!("process {}", self.pid),
            written_by: self.named_by(),
        };
        let all = self.read.environment.as_ref()?.iter().map(raw).collect();
        Some(environment::of_process(all))
    }

    /// The same without secrets.
    pub(in crate::probe) fn told(self, scrub: &Scrub) -> Running {
        const CLOSED: &str = "only root and its own account may read it";
        let path = |path: PathBuf| {
            let text = path.display().to_string();
            (text.len() <= PATH && scrub.text(&text) == text).then_some(path)
        };
        let named_by = self.named_by();
        let environment = self.variables().map(|all| environment::kept(&all, scrub));
        let Raws { status, limits, words, folder, program, .. } = self.read;
        let above = self.above.into_iter().map(|(above, script)| Above {
            script: script.map(|script| Scrubbed::text(&script, scrub).cut(PATH)),
            ..above
        });
        Running {
            pid: self.pid,
            started: self.started,
            condition: Condition { state: self.state, tracer: status.tracer },
            named_by,
            command: Scrubbed::words(&words, scrub),
            folder: folder.and_then(path).map_or_else(|| Seen::not(CLOSED), Seen::Known),
            environment: environment.map_or_else(|| Seen::not(CLOSED), Seen::Known),
            uid: self.uid,
            gid: status.gid.unwrap_or_default(),
            groups: status.groups,
            no_new_privs: status.no_new_privs,
            capabilities: status.capabilities,
            limits,
            program: program
                .and_then(|program| Some(RunningProgram { path: path(program.path)?, ..program }))
                .map_or_else(|| Seen::not(CLOSED), Seen::Known),
            managed: self.managed,
            above: above.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_a_shell_is_its_first_word_that_is_no_option() {
        let of = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            script(&words).map(str::to_owned)
        };
        for line in ["/bin/bash /opt/start.sh", "bash -eu /opt/start.sh a", "sh +x /opt/start.sh"] {
            assert_eq!(of(line).as_deref(), Some("/opt/start.sh"), "{line}");
        }
        assert_eq!((of("bash -c agent"), of("bash -lc agent"), of("-bash")), (None, None, None));
    }
}
