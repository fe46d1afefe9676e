//! Ends the processes of an account that is removed: they would keep its user ID, and could write to
//! folders that are being removed.

use super::{Loss, Tools, rest};
use crate::{
    Code, Command, Error, Help, Result,
    platform::{
        accounts::{self, UnixAccount},
        fs::Provenance,
        processes::{Numbers, Origin, Process, Signal, ancestors, list, origin, send},
    },
    record::State,
};
use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

/// Time that a process has to end after TERM.
const TERM_LIMIT: Duration = Duration::from_secs(5);

/// Time that the system has to remove killed processes.
const KILL_LIMIT: Duration = Duration::from_secs(2);

/// Attempts to kill all of them: they can start others meanwhile.
const KILL_ROUNDS: u32 = 5;

/// Attempts to stop all of them. A stopped process starts no other, but counts towards the process
/// limit of its account.
const STOP_ROUNDS: u32 = 200;

/// Most processes that a message names.
const NAMED: usize = 8;

/// Whether the account's own group is removed too; then all processes with that group end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Goes,
    Stays,
}

pub(super) fn before(tools: &Tools<'_>, name: &str) -> Result<State> {
    let is_there = accounts::find(tools.host.root, name)?.is_some();
    Ok(if is_there { State::Present } else { State::Absent })
}

/// Ends all processes of the account with this name, if it exists. Reports those in containers, which
/// are not ended.
pub(super) fn end_of(tools: &Tools<'_>, name: &str) -> Result<()> {
    let account = accounts::find(tools.host.root, name)?.and_then(|account| account.unix());
    let Some(account) = account else { return Ok(()) };
    let numbers = Numbers::of(tools.host.root, &account)?;
    let mut contained = tools.host.system.processes(&numbers)?;
    contained.retain(|process| process.is_contained);
    if !contained.is_empty() {
        tools.host.report.tells(&format!(
            "processes of containers have the user ID of {name}, which is another account there, and \
             keep running: {}",
            shown(&contained)
        ));
    }
    end(tools, &account, Group::Stays)
}

/// Ends all processes of an account, or reports those that are left.
pub(super) fn end(tools: &Tools<'_>, account: &UnixAccount, group: Group) -> Result<()> {
    let name = &account.name;
    if account.uid == 0 {
        return Err(Error::new(
            Code::StepFailed,
            format!("{name} is root, whose processes are not ended"),
        ));
    }
    if let Some(twin) = accounts::twin(tools.host.root, account)? {
        let message = format!(
            "{twin} has the same number as {name}, user ID {}: their files and processes cannot be \
             distinguished",
            account.uid
        );
        return Err(Error::new(Code::StepFailed, message).help(Help::value(
            "give ",
            twin,
            " another user ID, and run again",
        )));
    }
    let numbers = Numbers::of(tools.host.root, account)?;
    let numbers = match group {
        Group::Goes => numbers.and_group(tools.host.root, account)?,
        Group::Stays => numbers,
    };
    let found = running(tools, &numbers)?;
    if found.is_empty() {
        return Ok(());
    }
    let above = ancestors();
    if found.iter().any(|process| above.contains(&process.pid)) {
        return Err(Error::new(
            Code::StepFailed,
            format!("a process of {name}, which would be ended, started this program"),
        )
        .help("log in as another user, and run again"));
    }
    tools.host.report.tells(&format!("ending the processes of {name}: {}", shown(&found)));
    let tell = |processes: &[Process], signal| {
        let theirs = processes.iter().filter(|process| !process.is_roots);
        theirs.for_each(|process| send(process.pid, &numbers, signal));
    };
    if found.iter().any(|process| !process.is_roots) {
        tools.lost.borrow_mut().insert(Loss::Processes(name.clone()));
    }
    tell(&found, Signal::Term);
    let is_over = |limit| is_over(tools, &account.name, &numbers, limit);
    if is_over(TERM_LIMIT)? {
        return Ok(());
    }
    for _ in 0..KILL_ROUNDS {
        stop_all(tools, &numbers)?;
        let left = running(tools, &numbers)?;
        tell(&left, Signal::Kill);
        if is_over(KILL_LIMIT)? {
            return Ok(());
        }
        if left.iter().all(|process| process.is_roots) {
            break;
        }
    }
    Err(unended(tools, account, running(tools, &numbers)?))
}

/// The processes that are to end.
fn running(tools: &Tools<'_>, numbers: &Numbers) -> Result<Vec<Process>> {
    let mut found = tools.host.system.processes(numbers)?;
    found.retain(|process| !process.is_contained);
    Ok(found)
}

fn unended(tools: &Tools<'_>, account: &UnixAccount, left: Vec<Process>) -> Error {
    let UnixAccount { name, uid, .. } = account;
    let (roots, theirs): (Vec<_>, Vec<_>) = left.into_iter().partition(|process| process.is_roots);
    let mut parts = Vec::new();
    if !theirs.is_empty() || roots.is_empty() {
        parts.push(format!("the processes of {name} cannot be ended: {}", shown(&theirs)));
        parts.extend(started_again(&theirs, *uid));
    }
    if !roots.is_empty() {
        let roots = shown(&roots);
        parts.push(format!("root's processes that run as {name} are not ended: {roots}"));
    }
    let mut error = Error::new(Code::StepFailed, parts.join("; "));
    if !theirs.is_empty() {
        error = error.help(Command::ending("pkill -KILL -u").user(name, Provenance::Root));
        let programs = rest::find(tools).then("-xdev -perm -4000 -uid").number(*uid);
        let programs = programs.then("| cat -v");
        error = error.help(Help::command(
            "list the programs by which another account can run as it",
            &programs,
        ));
        error = error.help("remove those programs, or end the processes that start them");
    }
    if !roots.is_empty() {
        error = error.help(Help::command("find the service that they belong to", &list()));
        error = error.help("stop that service");
    }
    error.help("then run again")
}

/// Which users start them, and by which programs: an account can have left a setuid program to another
/// account.
fn started_again(processes: &[Process], uid: u32) -> Option<String> {
    let origins = processes.iter().take(NAMED).map(|process| origin(process.pid, uid));
    let (mut programs, mut users) = (BTreeSet::new(), BTreeSet::new());
    for Origin { program, started_by } in origins {
        programs.extend(program);
        // What has lost its parent is a child of root's.
        users.extend(started_by.filter(|user| ![0, uid].contains(user)));
    }
    if users.is_empty() {
        return None;
    }
    let users: Vec<String> = users.iter().map(u32::to_string).collect();
    let programs: Vec<String> = programs.into_iter().collect();
    Some(format!(
        "processes of user ID {} start them; they run {}",
        users.join(" and "),
        programs.join(", ")
    ))
}

/// Stops all of them: a stopped process starts no other.
fn stop_all(tools: &Tools<'_>, numbers: &Numbers) -> Result<()> {
    for _ in 0..STOP_ROUNDS {
        tools.go_on()?;
        let mut active = running(tools, numbers)?;
        active.retain(|process| !process.is_stopped && !process.is_zombie && !process.is_roots);
        if active.is_empty() {
            break;
        }
        active.iter().for_each(|process| send(process.pid, numbers, Signal::Stop));
    }
    Ok(())
}

/// Whether all have ended within `limit`. A zombie counts as ended.
fn is_over(tools: &Tools<'_>, name: &str, numbers: &Numbers, limit: Duration) -> Result<bool> {
    let begun = Instant::now();
    loop {
        let left = running(tools, numbers)?;
        if left.is_empty() {
            return Ok(true);
        }
        if begun.elapsed() > limit {
            return Ok(left.iter().all(|process| process.is_zombie));
        }
        tools.go_on()?;
        tools.host.report.waits(&format!("the processes of {name} to end"));
        thread::sleep(Duration::from_millis(30));
    }
}

fn shown(processes: &[Process]) -> String {
    let mut words: Vec<String> = processes
        .iter()
        .take(NAMED)
        .map(|process| format!("{} ({})", process.pid, process.name))
        .collect();
    if processes.len() > NAMED {
        words.push(format!("and {} more", processes.len() - NAMED));
    }
    words.join(", ")
}
