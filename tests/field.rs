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
