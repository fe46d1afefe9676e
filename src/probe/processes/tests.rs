//! Tables of processes as any user can make them.

use super::agents::AGENTS_LIMIT;
use super::*;
#[cfg(target_os = "linux")]
use crate::platform::processes::children;
use proptest::prelude::*;
use std::sync::atomic::Ordering;

const UNIT: &str = "circleci.service";
const JOBS: u32 = 990;
const MALLORY: u32 = 1001;

fn entry(pid: u32, parent: u32, uid: u32, name: &str) -> Entry {
    Entry {
        pid,
        parent,
        uid,
        name: name.to_owned(),
        state: 'S',
        started: i64::from(pid),
        ticks: 0,
        managed: ManagedBy::Nobody,
        // There is no such process to look closer at.
        program: Some("/usr/bin/x".into()),
    }
}

fn in_unit(mut entry: Entry) -> Entry {
    entry.managed = ManagedBy::System(UNIT.to_owned());
    entry
}

fn table(all: Vec<Entry>) -> Processes {
    Processes::new(all)
}

fn of(processes: &Processes, main: u32) -> OfInstall {
    let soon = Instant::now() + Duration::from_secs(20);
    processes.of_install(Some(main), Some(UNIT), Some(JOBS), &Scrub::default(), soon)
}

fn pids(listed: &Seen<Vec<Process>>) -> Vec<u32> {
    listed.ok().unwrap().iter().map(|listed| listed.pid).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn this_process_and_its_child_are_a_tree() {
    let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
    let soon = Instant::now() + Duration::from_secs(20);
    let processes = Processes::read(1000, 500, soon);
    let agent = std::process::id();
    let found = processes.of_install(Some(agent), None, None, &Scrub::default(), soon);
    let _ = child.kill();
    let _ = child.wait();
    let tree = found.processes.ok().unwrap();
    assert_eq!((tree[0].pid, tree[0].uid), (agent, rustix::process::getuid().as_raw()));
    let is_child = |process: &&Process| process.pid == child.id() && process.name == "sleep";
    assert_eq!(tree.iter().find(is_child).unwrap().command, "sleep (2 words)");
}

#[test]
#[cfg(target_os = "linux")]
fn an_agents_job_is_seen_though_the_processes_cannot_be_listed() {
    let mut agent = std::process::Command::new("sh");
    // What is left of it at the end holds no output of the test's open.
    agent.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut agent = agent.args(["-c", "sleep 30 & wait"]).spawn().unwrap();
    while children(agent.id(), 9).is_none_or(|children| children.is_empty()) {}
    let soon = Instant::now() + Duration::from_secs(20);
    let late = Unseen::probe_failed(LATE.to_owned());
    let processes = Processes::unseen(late, 500);
    let of = |main| processes.of_install(main, Some(UNIT), Some(JOBS), &Scrub::default(), soon);
    let found = of(Some(agent.id()));
    let unknown = of(None);
    let _ = agent.kill();
    let _ = agent.wait();
    let tree = found.processes.ok().unwrap();
    assert_eq!((tree[0].pid, tree.len(), tree[1].parent), (agent.id(), 2, agent.id()));
    assert!(tree.iter().all(|process| process.in_service && process.started > 500));
    assert!(found.orphans.ok().is_none() && unknown.processes.ok().is_none());
}

#[test]
fn what_jobs_left_is_of_the_unit_or_the_account_and_of_no_agent() {
    let mut in_session = entry(30, 1, JOBS, "bash");
    in_session.managed = ManagedBy::User { uid: Some(JOBS), unit: None };
    let processes = table(vec![
        entry(1, 0, 0, "systemd"),
        in_unit(entry(10, 1, JOBS, "circleci-runner")),
        in_unit(entry(11, 10, JOBS, "job")),
        in_unit(entry(20, 1, JOBS, "left")),
        entry(21, 1, JOBS, "moved"),
        in_session,
        entry(40, 1, MALLORY, "other"),
    ]);
    let found = of(&processes, 10);
    assert_eq!(pids(&found.processes), [10, 11]);
    assert_eq!(pids(&found.orphans), [20, 21]);
    let is_in_service = |pid: u32| {
        found.orphans.ok().unwrap().iter().find(|orphan| orphan.pid == pid).unwrap().in_service
    };
    assert!(is_in_service(20) && !is_in_service(21));
}

#[test]
fn a_daemon_is_roots_or_of_the_service_that_is_named_after_it() {
    let under = |unit: &str, name: &str| {
        let managed = ManagedBy::System(unit.to_owned());
        Entry { managed, ..entry(10, 1, MALLORY, name) }
    };
    let named = |entry: Entry| table(vec![entry]).daemons().unwrap().len();
    for agent in [
        entry(10, 1, 0, "chronyd"),
        under("chrony.service", "chronyd"),
        under("ntpsec.service", "ntpd"),
        under("systemd-timesyncd.service", "systemd-timesyn"),
    ] {
        assert_eq!(named(agent), 1);
    }
    for agent in [entry(10, 1, MALLORY, "chronyd"), under("cron.service", "chronyd")] {
        assert_eq!(named(agent), 0, "any account has it so");
    }
}

#[test]
fn no_number_of_fake_agents_takes_the_place_of_a_services_own() {
    let fakes = (100..5100).map(|pid| entry(pid, 1, MALLORY, "circleci-runner"));
    let agent = in_unit(entry(9000, 1, JOBS, "circleci-launch"));
    let processes = table(fakes.chain([agent]).collect());
    assert_eq!(chosen(&processes).len(), AGENTS_LIMIT);
    assert_eq!(processes.agents_beyond(), 5001 - AGENTS_LIMIT);
    assert_eq!(processes.agent_of(UNIT), Some(9000));
}

fn chosen(processes: &Processes) -> Vec<u32> {
    let wanted = Wanted { units: [UNIT.to_owned()].into(), uids: [JOBS].into() };
    processes.agents(&wanted, Instant::now()).iter().map(|agent| agent.pid).collect()
}

/// Whoever has a crontab can start processes in a service of the system, and numbers of a
/// namespace are accounts of their own.
#[test]
fn fakes_in_a_service_of_the_system_push_no_real_agent_out() {
    let in_cron = |mut entry: Entry| {
        entry.managed = ManagedBy::System("cron.service".to_owned());
        entry
    };
    let fake = |pid: u32, uid: u32| in_cron(entry(pid, 1, uid, "circleci-runner"));
    let fakes = (100..200).map(|pid| fake(pid, MALLORY));
    let of_numbers = (200..300).map(|pid| fake(pid, 100_000 + pid));
    let agent = in_unit(entry(9000, 1, JOBS, "circleci-launch"));
    let by_hand = entry(9001, 1, JOBS, "circleci-launch");
    let processes = table(fakes.chain(of_numbers).chain([agent, by_hand]).collect());
    assert_eq!(chosen(&processes)[..2], [9000, 9001]);
    assert_eq!(processes.agent_of(UNIT), Some(9000));
    // Without numbers of their own they leave room for others.
    let fakes = (100..200).map(|pid| fake(pid, MALLORY));
    let processes = table(fakes.chain([entry(9002, 1, 1002, "circleci-launch")]).collect());
    assert!(chosen(&processes).contains(&9002));
}

#[test]
fn an_accounts_own_service_is_not_the_systems() {
    let mut fake = entry(100, 1, MALLORY, "circleci-runner");
    fake.managed = ManagedBy::User { uid: Some(MALLORY), unit: Some(UNIT.to_owned()) };
    let processes = table(vec![fake]);
    assert_eq!(processes.agent_of(UNIT), None);
    assert!(pids(&of(&processes, 9000).orphans).is_empty());
}

#[test]
fn what_is_beyond_the_limits_is_counted() {
    let children = (100..1100).map(|pid| entry(pid, 10, JOBS, "job"));
    let left = (2000..3000).map(|pid| {
        let mut entry = in_unit(entry(pid, 1, JOBS, "left"));
        entry.state = if pid % 2 == 0 { 'Z' } else { 'S' };
        entry
    });
    let main = in_unit(entry(10, 1, JOBS, "circleci-runner"));
    let processes = table(children.chain(left).chain([main]).collect());
    let found = of(&processes, 10);
    assert_eq!(pids(&found.processes).len(), SHOWN_LIMIT);
    assert_eq!(pids(&found.processes)[..2], [10, 100]);
    assert_eq!(pids(&found.orphans).len(), SHOWN_LIMIT + ZOMBIES_LIMIT);
    let unlisted =
        Unlisted { processes: 1001 - SHOWN_LIMIT, orphans: 500 - SHOWN_LIMIT, zombies: 500 - 16 };
    assert_eq!(found.unlisted, unlisted);
}

/// Shapes that made earlier versions pass over the table again for each process in it.
fn shapes(count: u32) -> [(&'static str, Vec<Entry>); 5] {
    let all = |parent: fn(u32, u32) -> u32, name: &'static str| {
        let one = |pid| in_unit(entry(pid, parent(pid, count), JOBS, name));
        (2..count + 2).map(one).collect::<Vec<_>>()
    };
    [
        ("agents side by side", all(|_, _| 1, "circleci-runner")),
        ("agents in a chain", all(|pid, _| pid - 1, "circleci-runner")),
        (
            "agents in a circle",
            all(|pid, all| if pid == 2 { all + 1 } else { pid - 1 }, "circleci-runner"),
        ),
        ("others side by side", all(|_, _| 1, "job")),
        ("others in a chain", all(|pid, _| pid - 1, "job")),
    ]
}

#[test]
fn each_question_passes_over_the_table_a_fixed_number_of_times() {
    const COUNT: u32 = 20_000;
    for (shape, all) in shapes(COUNT) {
        let processes = table(all);
        let steps = || processes.index.steps.load(Ordering::Relaxed);
        let made = steps();
        assert!(made <= 3 * COUNT as usize, "{shape}: {made} steps to make the table");
        let found = of(&processes, 2);
        let asked = steps() - made;
        assert!(asked <= 3 * COUNT as usize, "{shape}: {asked} steps for one install");
        assert!(chosen(&processes).len() <= AGENTS_LIMIT, "{shape}");
        for listed in [&found.processes, &found.orphans] {
            assert!(pids(listed).len() <= SHOWN_LIMIT + ZOMBIES_LIMIT, "{shape}");
        }
    }
}

#[test]
fn names_and_commands_of_another_programs_list_are_short() {
    let process = Process {
        pid: 10,
        parent: 1,
        uid: JOBS,
        name: "x".repeat(100_000),
        command: "/".repeat(100_000),
        started: 0,
        state: 'S',
        in_service: false,
    };
    let found = of(&Processes::of(vec![process]), 10);
    let shown = &found.processes.ok().unwrap()[0];
    assert_eq!((shown.name.len(), shown.command.len()), (NAME_SHOWN, COMMAND_SHOWN));
}

prop_compose! {
    fn any_entry()(
        pid in 0..40u32, parent in 0..40u32, uid in prop::sample::select(vec![0, JOBS, MALLORY]),
        name in prop::sample::select(vec!["circleci-runner", "circleci-launch", "job"]),
        zombie: bool, in_unit: bool,
    ) -> Entry {
        let mut entry = entry(pid, parent, uid, name);
        entry.state = if zombie { 'Z' } else { 'S' };
        if in_unit {
            entry.managed = ManagedBy::System(UNIT.to_owned());
        }
        entry
    }
}

proptest! {
    #[test]
    fn any_table_is_told_within_limits(
        all in proptest::collection::vec(any_entry(), 0..200), main in 0..40u32,
    ) {
        let processes = table(all);
        let found = of(&processes, main);
        let steps = processes.index.steps.load(Ordering::Relaxed);
        // Numbers that stand twice in the table are children of two parents.
        prop_assert!(steps <= 6 * 200, "{} steps", steps);
        let mut listed = pids(&found.processes);
        listed.extend(pids(&found.orphans));
        prop_assert!(listed.len() <= 2 * (SHOWN_LIMIT + ZOMBIES_LIMIT));
        let agents: HashSet<u32> = chosen(&processes).into_iter().collect();
        prop_assert!(pids(&found.orphans).iter().all(|pid| !agents.contains(pid)));
    }
}
