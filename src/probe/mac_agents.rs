//! Running agents of a Mac. launchd tells the number of each job's process; that of a process names
//! no job, and what `ps` shows of its command is what whoever started it calls it.

use super::{
    candidate::Candidate,
    processes::{Agent, Processes, Wanted},
    scrub::Scrub,
    strays,
};
use crate::{
    host::{Seen, Strays},
    platform::command::{Call, Commands},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};

/// What is asked, and of whom.
pub(super) struct MacAgents<'a> {
    /// The processes of the jobs that launchd runs of the candidates.
    pub(super) jobs: Seen<BTreeSet<u32>>,
    pub(super) processes: &'a Processes,
    pub(super) commands: &'a dyn Commands,
    pub(super) scrub: &'a Scrub,
    /// How long an answer may take.
    pub(super) limit: Duration,
}

impl MacAgents<'_> {
    /// Finds the processes of candidates that no job runs; the strays are what is left.
    pub(super) fn claim(
        &self,
        candidates: &mut [&mut Candidate],
        uids: &BTreeMap<String, u32>,
    ) -> Strays {
        let mut strays = strays::none_yet(self.processes);
        let jobs = match &self.jobs {
            Seen::Known(jobs) => jobs,
            Seen::Unseen(unseen) => {
                // Any of them may be a job's.
                strays.unseen = strays.unseen.or_else(|| Some(unseen.clone()));
                return strays;
            }
        };
        let of_jobs: BTreeSet<u32> =
            jobs.iter().flat_map(|main| self.processes.below(*main)).collect();
        let agents = self.processes.agents(&Wanted::default(), Instant::now());
        let by_hand: Vec<&Agent> =
            agents.iter().filter(|agent| !of_jobs.contains(&agent.pid)).collect();
        if by_hand.is_empty() {
            return strays;
        }
        let programs = self.programs(&by_hand);
        let labels = self.labels();
        for agent in by_hand {
            let program = programs.get(&agent.pid);
            let runs = |candidate: &&mut &mut Candidate| {
                let uid = candidate.user.as_ref().and_then(|name| uids.get(name));
                candidate.unit.is_none()
                    && candidate.process.is_none()
                    && program.is_some()
                    && candidate.binary.as_ref() == program
                    && (agent.uid == 0 || uid == Some(&agent.uid))
            };
            match candidates.iter_mut().find(runs) {
                Some(candidate) => candidate.process = Some(agent.pid),
                None => {
                    let unit = || {
                        let above = self.processes.above(agent.pid).into_iter();
                        above.chain([agent.pid]).find_map(|pid| labels.get(&pid).cloned())
                    };
                    let shown = strays.shown.len();
                    strays::stray(&mut strays, agent, self.processes, None, self.scrub);
                    if let Some(stray) = strays.shown.get_mut(shown) {
                        stray.unit = unit();
                    }
                }
            }
        }
        strays
    }

    /// The program of each process: the first file that the kernel has mapped as its text.
    fn programs(&self, agents: &[&Agent]) -> BTreeMap<u32, PathBuf> {
        let pids: Vec<String> = agents.iter().map(|agent| agent.pid.to_string()).collect();
        let args = ["-n", "-P", "-w", "-a", "-d", "txt", "-F", "pn", "-p", &pids.join(",")];
        let call = Call::new("lsof", args).within(self.limit);
        // It ends with 1 where one of them has ended meanwhile.
        let answer = self.commands.answer(&call).map(|answer| answer.stdout).unwrap_or_default();
        let mut found = BTreeMap::new();
        let mut pid = None;
        for line in answer.lines() {
            match (line.strip_prefix('p'), line.strip_prefix('n'), pid) {
                (Some(number), ..) => pid = number.parse::<u32>().ok(),
                (_, Some(path), Some(pid)) if path.starts_with('/') => {
                    found.entry(pid).or_insert_with(|| PathBuf::from(path));
                }
                _ => {}
            }
        }
        found
    }

    /// The labels of all jobs that run, by the numbers of their processes: of each line the process,
    /// its last status and the label, with a tab between them.
    fn labels(&self) -> BTreeMap<u32, String> {
        let call = Call::new("launchctl", ["list"]).within(self.limit);
        let answer = self.commands.answer(&call).map(|answer| answer.stdout).unwrap_or_default();
        let job = |line: &str| {
            let mut words = line.split('\t');
            let pid = words.next()?.parse().ok()?;
            let label = self.scrub.text(words.nth(1)?.trim());
            Some((pid, label))
        };
        answer.lines().filter_map(job).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        host::{Process, Unseen},
        platform::command::Script,
        probe::unit::Unit,
        values::Manager,
    };

    const PROGRAM: &str = "/opt/circleci/circleci-launch-agent";
    const LSOF: &str = "lsof -n -P -w -a -d txt -F pn -p";

    fn process(pid: u32, parent: u32, uid: u32, name: &str) -> Process<String> {
        Process {
            pid,
            parent,
            uid,
            name: name.to_owned(),
            command: name.to_owned(),
            started: i64::from(pid),
            state: 'S',
            in_service: false,
        }
    }

    /// An agent of launchd's with its job, and one by hand.
    fn processes() -> Processes {
        Processes::of(vec![
            process(1, 0, 0, "launchd"),
            process(412, 1, 0, "circleci-launch-agent"),
            process(413, 412, 501, "bash"),
            process(900, 1, 501, "zsh"),
            process(901, 900, 501, "circleci-launch-agent"),
        ])
    }

    fn claimed(
        jobs: Seen<BTreeSet<u32>>,
        script: &Script,
        candidates: &mut [&mut Candidate],
    ) -> Strays {
        let (processes, scrub) = (processes(), Scrub::default());
        let limit = Duration::from_secs(1);
        let agents =
            MacAgents { jobs, processes: &processes, commands: script, scrub: &scrub, limit };
        agents.claim(candidates, &BTreeMap::from([("ci".to_owned(), 501)]))
    }

    /// Its name is what its plist calls it, or what anybody calls another program.
    #[test]
    fn a_job_of_launchd_is_known_by_its_number() {
        let lsof = format!("{LSOF} 901");
        let script = Script::new(&[
            (
                lsof.as_str(),
                0,
                "p901\nftxt\nn/Users/ci/circleci-launch-agent\nftxt\nn/usr/lib/dyld\n",
            ),
            (
                "launchctl list",
                0,
                "PID\tStatus\tLabel\n-\t0\tcom.apple.x\n412\t0\tcom.circleci.runner\n",
            ),
        ]);
        let unit = Unit::of_one_file("com.circleci.runner".to_owned(), Manager::Launchd);
        let mut candidate = Candidate { unit: Some(unit), ..Candidate::default() };
        let strays = claimed(Seen::Known([412].into()), &script, &mut [&mut candidate]);
        assert_eq!(strays.shown.iter().map(|stray| stray.process.pid).collect::<Vec<_>>(), [901]);
        assert_eq!((strays.count, candidate.process), (1, None));
        script.assert_done();
    }

    #[test]
    fn nothing_is_asked_where_launchd_runs_every_agent() {
        let script = Script::new(&[]);
        // A wrapper of the job's started the agent.
        let strays = claimed(Seen::Known([412, 900].into()), &script, &mut []);
        assert_eq!((strays.count, strays.unseen), (0, None));
    }

    #[test]
    fn one_by_hand_is_known_by_its_program_and_not_by_its_name() {
        for (program, uid, expected) in [
            (PROGRAM, "ci", Some(901)),
            ("/tmp/circleci-launch-agent", "ci", None),
            (PROGRAM, "x", None),
        ] {
            let (lsof, text) = (format!("{LSOF} 901"), format!("p901\nftxt\nn{program}\n"));
            let list = "900\t0\torg.ci.worker\n";
            let script = Script::new(&[(lsof.as_str(), 0, &text), ("launchctl list", 0, list)]);
            let mut candidate = Candidate {
                binary: Some(PROGRAM.into()),
                user: Some(uid.to_owned()),
                ..Candidate::default()
            };
            let strays = claimed(Seen::Known([412].into()), &script, &mut [&mut candidate]);
            assert_eq!(candidate.process, expected, "{program} {uid}");
            let units: Vec<_> = strays.shown.iter().map(|stray| stray.unit.as_deref()).collect();
            let unit = Some("org.ci.worker");
            assert_eq!(units, if expected.is_some() { vec![] } else { vec![unit] });
        }
    }

    /// Finder, cfprefsd and the like are launchd's, and a command that ends them ends a desktop.
    #[test]
    fn what_launchd_runs_for_an_account_is_no_jobs_rest() {
        let desktop = [(530, "Finder"), (531, "cfprefsd"), (532, "trustd"), (533, "loginwindow")];
        let all = desktop.map(|(pid, name)| process(pid, 1, 501, name)).into_iter();
        let agent = [process(412, 1, 0, "circleci-launch-agent"), process(413, 412, 501, "bash")];
        let processes = Processes::of(all.chain(agent).collect());
        let found = processes.of_mac_install(Some(412), &Scrub::default(), Instant::now());
        let pids: Vec<u32> =
            found.processes.ok().unwrap().iter().map(|process| process.pid).collect();
        assert_eq!(pids, [412, 413]);
        assert!(found.orphans.ok().is_none());
    }

    #[test]
    fn nothing_is_by_hand_where_launchd_did_not_answer() {
        let unseen = Unseen::probe_failed("launchctl took longer than 2 s".to_owned());
        let strays = claimed(Seen::Unseen(unseen.clone()), &Script::new(&[]), &mut []);
        assert_eq!((strays.count, strays.unseen), (0, Some(unseen)));
    }
}
