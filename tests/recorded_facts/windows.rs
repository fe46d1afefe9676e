//! Windows: our own install with and without a desktop, and both agents as documented.

#[path = "windows/faults.rs"]
mod faults;
#[path = "windows/installs.rs"]
mod installs;

use super::problems;
use faults::{AGENTS, Fault, HOST, RIGHTS, TASK};
use installs::{desktop, documented, ended, install, machine_runner, ours, windows};
use serde_json::json;
use std::{collections::BTreeSet, fs, path::Path};

/// What the documented installs leave, and why each of it is told.
const DOCUMENTED_FLAWS: [(&str, &str); 3] = [
    ("service/task-priority", "the scheduler's own priority is below normal"),
    ("permissions/config-private", "the program folder lets every user read what is put into it"),
    ("permissions/power-known", "the account is made an administrator"),
];

#[test]
fn our_own_have_no_finding() {
    for facts in [ours(), desktop()] {
        assert_eq!(problems(&facts), (Vec::new(), 0));
    }
}

#[test]
fn those_made_by_hand_have_the_flaws_that_are_documented_and_no_other() {
    for facts in [documented(), machine_runner()] {
        let flaws: Vec<_> = DOCUMENTED_FLAWS.iter().map(|own| own.0.to_owned()).collect();
        assert_eq!(problems(&facts), (flaws, 0));
    }
}

#[test]
fn each_fault_is_found_by_its_check_alone() {
    let mut count = 0;
    for Fault(what, healthy, plant, check) in HOST.iter().chain(&TASK).chain(&RIGHTS).chain(&AGENTS)
    {
        let mut facts = healthy();
        assert!(!problems(&facts).0.iter().any(|own| own == check), "{what}: before it");
        plant(&mut facts);
        assert_eq!(problems(&facts).0, [*check], "{what}");
        count += 1;
    }
    assert!(count >= 25, "{count}");
}

#[test]
fn an_agent_between_two_jobs_is_well() {
    let mut facts = ours();
    ended(&mut facts, 0);
    assert_eq!(problems(&facts).0, Vec::<String>::new());
    windows(&mut facts, "tasks")["known"][0]["next_run"] = json!(null);
    assert_eq!(problems(&facts).0, ["service/running"]);
}

/// A trigger that repeats each minute is refused while the agent runs.
#[test]
fn a_task_whose_second_start_was_refused_is_well() {
    let mut facts = ours();
    windows(&mut facts, "tasks")["known"][0]["result"] = json!(2_147_946_720_u32);
    let state = &mut install(&mut facts, "service")["state"]["known"];
    state["exit_status"] = json!(2_147_946_720_u32.cast_signed());
    state["main_pid"] = json!(null);
    assert_eq!(problems(&facts).0, Vec::<String>::new());
}

/// The host of the agent's console is a child of it; an agent that is idle has no other.
#[test]
fn a_console_is_no_job() {
    let mut facts = ours();
    let processes = install(&mut facts, "processes")["known"].as_array_mut().unwrap();
    let mut console = processes[0].clone();
    console["pid"] = json!(412);
    console["parent"] = processes[0]["pid"].clone();
    console["name"] = json!("conhost.exe");
    console["started"] = json!(1_793_400_000);
    processes.push(console);
    assert_eq!(problems(&facts).0, Vec::<String>::new());
}

/// Every command that a fault of Windows is answered with, for whoever reads them and for the grammar of
/// PowerShell (ci/check-powershell). `RUNNERUP_BLESS=1 cargo test --test recorded_facts` writes them anew.
#[test]
fn every_cure_is_one_that_windows_has() {
    let mut cures = BTreeSet::new();
    for Fault(_, healthy, plant, _) in HOST.iter().chain(&TASK).chain(&RIGHTS).chain(&AGENTS) {
        for is_ours in [true, false] {
            let mut facts = healthy();
            plant(&mut facts);
            if !is_ours {
                facts["installs"][0]["receipt"] = json!(null);
            }
            cures.extend(super::commands(&facts));
        }
    }
    let text: String = cures.iter().map(|line| format!("{line}\n")).collect();
    for word in ["sudo", "tail", "systemctl", "Administrators"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/windows-cures.txt");
    if std::env::var_os("RUNNERUP_BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default() == text, "the cures are now:\n{text}");
}

/// Nobody knows the password of an account that was made with a random one.
#[test]
fn no_cure_of_our_own_install_asks_for_a_password() {
    for Fault(what, healthy, plant, _) in HOST.iter().chain(&TASK).chain(&RIGHTS) {
        let mut facts = healthy();
        if facts["installs"][0]["receipt"].is_null() {
            continue;
        }
        plant(&mut facts);
        for line in super::commands(&facts) {
            let asks = ["/RP", "/pass", "Get-Credential", "Read-Host"];
            assert!(!asks.iter().any(|word| line.contains(word)), "{what}: {line}");
        }
    }
}
