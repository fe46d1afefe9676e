//! Hosts as people have them, by kind: each fault is found by its check and by none that has nothing
//! to do with it, and of a healthy form nothing bad is said. `ci/faults` prints the tables.

#![cfg(target_os = "linux")]
// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::{
    faults::{Fault, Healthy, field},
    host::Suite,
    lab::Lab,
    planted,
};

/// A table on one host.
fn kind(what: &str, faults: &[Fault], healthy: &[Healthy]) {
    let Some(lab) = Lab::new(Suite::Bookworm, what) else { return };
    planted::prepare(&lab);
    planted::plant(&lab, faults.iter());
    planted::forms(&lab, healthy.iter());
}

#[test]
fn the_process_is_the_witness() {
    kind(
        "who runs the agent: the process is the witness",
        field::process::FAULTS,
        field::process::HEALTHY,
    );
}

#[test]
fn wrappers_are_looked_through() {
    kind(
        "programs and scripts in front of the agent",
        field::wrapper::FAULTS,
        field::wrapper::HEALTHY,
    );
}

#[test]
fn settings_have_sources() {
    kind(
        "where settings come from, and how their values are read",
        field::settings::FAULTS,
        field::settings::HEALTHY,
    );
}

#[test]
fn the_managers_word_counts() {
    kind(
        "what the manager made of the text of units and variables",
        field::manager::FAULTS,
        field::manager::HEALTHY,
    );
}

#[test]
fn what_runs_is_compared_with_what_is_on_disk() {
    kind("what runs differs from what is on disk", field::running::FAULTS, field::running::HEALTHY);
}

#[test]
fn the_next_boot_is_foreseen() {
    kind("whether the next boot starts the agent", field::boot::FAULTS, field::boot::HEALTHY);
}

#[test]
fn what_ends_before_the_agent_starts_is_named() {
    kind("what ends before the agent starts", field::start::FAULTS, field::start::HEALTHY);
}

#[test]
fn hazards_of_the_system_are_known() {
    kind(
        "hazards of the system around it, and restarts that harm",
        field::shared::FAULTS,
        field::shared::HEALTHY,
    );
}

#[test]
fn the_very_prefix_is_judged() {
    kind("the command prefix and what it may do", field::sudo::FAULTS, field::sudo::HEALTHY);
}

#[test]
fn mounts_belong_to_may_use() {
    kind(
        "mounts under what the agent and its jobs write to",
        field::mounts::FAULTS,
        field::mounts::HEALTHY,
    );
}

#[test]
fn a_cleaned_folder_holds_nothing_else() {
    kind(
        "what a cleaned work folder may be and hold",
        field::workdir::FAULTS,
        field::workdir::HEALTHY,
    );
}

/// Units of agents that differ in what the next boot does with them, each with its `[Unit]` and
/// `[Install]`, and whether that boot starts it.
const UNITS: [(&str, &str, &str, bool); 11] = [
    ("plain", "", "WantedBy=multi-user.target", true),
    ("slip", "", "WantedBy=mutli-user.target", false),
    ("server", "", "WantedBy=graphical.target", false),
    ("runtime", "", "WantedBy=multi-user.target", false),
    ("timer", "", "", true),
    ("condition", "ConditionPathExists=/srv/none", "WantedBy=multi-user.target", false),
    (
        "either",
        "ConditionPathExists=|/srv/none\nConditionPathExists=|/etc",
        "WantedBy=multi-user.target",
        true,
    ),
    ("early", "Before=sysinit.target", "WantedBy=multi-user.target", false),
    ("behind", "After=multi-user.target", "WantedBy=multi-user.target", true),
    ("wants", "Wants=none.service\nAfter=none.service", "WantedBy=multi-user.target", true),
    ("alone", "Conflicts=circleci-plain.service", "WantedBy=multi-user.target", false),
];

/// What the doctor foresees is what systemd does.
#[test]
fn the_next_boot_is_as_foreseen() {
    let Some(mut lab) = Lab::new(Suite::Bookworm, "what a boot does with eleven units") else {
        return;
    };
    lab.host.ok(&["systemctl", "set-default", "multi-user.target"]);
    for (name, unit, install, _) in UNITS {
        let text = format!(
            "[Unit]\n{unit}\n[Service]\nExecStart=/bin/sh -c 'sleep infinity; exec circleci-launch-agent'\n[Install]\n{install}\n"
        );
        let path = format!("/etc/systemd/system/circleci-{name}.service");
        lab.host.write(&path, text.as_bytes(), 0o644);
    }
    let timer = "[Timer]\nOnBootSec=1s\n[Install]\nWantedBy=timers.target\n";
    lab.host.write("/etc/systemd/system/circleci-timer.timer", timer.as_bytes(), 0o644);
    lab.host.ok(&["systemctl", "daemon-reload"]);
    for (name, _, _, _) in UNITS.into_iter().filter(|unit| unit.0 != "timer") {
        let runtime = if name == "runtime" { "--runtime" } else { "--no-reload" };
        lab.host.ok(&["systemctl", "enable", runtime, &format!("circleci-{name}.service")]);
    }
    lab.host.ok(&["systemctl", "enable", "circleci-timer.timer"]);
    let report = planted::doctor(&lab, &["--only", "service/enabled,service/loaded"]);
    let foreseen = |name: &str| {
        let findings = report["findings"].as_array().unwrap().iter();
        let of_unit = findings.filter(|own| own["check"] == "service/enabled");
        let own = of_unit.into_iter().find(|own| own["instance"] == format!("circleci-{name}"));
        own.unwrap_or_else(|| panic!("{name}: {report:#}")).clone()
    };
    lab.host.reboot();
    std::thread::sleep(std::time::Duration::from_secs(4));
    let mut wrong = Vec::new();
    for (name, _, _, starts) in UNITS {
        let unit = format!("circleci-{name}.service");
        let was_started = lab.property(&unit, "ActiveState") == "active";
        let own = foreseen(name);
        let is_foreseen = own["status"] == "pass";
        // Of two that exclude each other systemd starts one, and the doctor says so of both.
        let is_either = matches!(name, "plain" | "alone");
        if !is_either && (was_started != starts || is_foreseen != starts) {
            wrong.push(format!("{name}: started {was_started}, foreseen {own}"));
        }
        if is_either && is_foreseen {
            wrong.push(format!("{name}: nothing is said of the other one: {own}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
