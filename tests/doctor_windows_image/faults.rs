//! Faults of a drive of Windows, each with the one check that finds it.

use crate::image::{FOLDER, Image, Kind};
use std::fs;

#[test]
fn faults_of_a_drive_of_windows_are_found() {
    const AGENT: &str = "CircleCI Launch Agent";
    type Plant = fn(&Image);
    let faults: [(&str, Kind, Plant, &str); 14] = [
        (
            "the scheduler's own limit",
            Kind::Ours,
            |image| image.edit_task(AGENT, "<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>", ""),
            "service/task-unlimited",
        ),
        (
            "no trigger",
            Kind::Documented,
            |image| image.edit_task(AGENT, "<LogonTrigger />", ""),
            "service/task-triggered",
        ),
        (
            "a logon that nobody makes",
            Kind::Ours,
            |image| image.edit_task(AGENT, "BootTrigger>", "LogonTrigger>"),
            "service/task-triggered",
        ),
        (
            "a session that is not there at start-up",
            Kind::Ours,
            |image| image.edit_task(AGENT, "<LogonType>Password", "<LogonType>InteractiveToken"),
            "service/task-triggered",
        ),
        (
            "battery power",
            Kind::Ours,
            |image| {
                let no = "<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>";
                image.edit_task(AGENT, no, "");
            },
            "service/task-unconditional",
        ),
        (
            "two agents at once",
            Kind::Ours,
            |image| image.edit_task(AGENT, "IgnoreNew", "Parallel"),
            "service/task-one-instance",
        ),
        (
            "a disabled task",
            Kind::Ours,
            |image| {
                let on = "<Enabled>true</Enabled>\n    <Hidden>";
                image.edit_task(AGENT, on, &on.replace("true", "false"));
            },
            "service/enabled",
        ),
        (
            "another account's session",
            Kind::Documented,
            |image| image.edit_task(&format!("{AGENT} session keeper"), "circleci</U", "bob</U"),
            "service/session-kept",
        ),
        (
            "a broken definition",
            Kind::Ours,
            |image| image.task(AGENT, "<Task><Actions>"),
            "service/loaded",
        ),
        (
            "no binary",
            Kind::Ours,
            |image| {
                fs::remove_file(image.path(&format!("{FOLDER}/circleci-launch-agent.exe")))
                    .unwrap();
            },
            "permissions/binary-executable",
        ),
        (
            "a page",
            Kind::Ours,
            |image| image.write(&format!("{FOLDER}/circleci-launch-agent.exe"), "<html>"),
            "permissions/binary-is-program",
        ),
        (
            "no configuration",
            Kind::Ours,
            |image| {
                fs::remove_file(image.path(&format!("{FOLDER}/launch-agent-config.yaml"))).unwrap();
            },
            "config/exists",
        ),
        (
            "continuous mode",
            Kind::Ours,
            |image| {
                let file = format!("{FOLDER}/launch-agent-config.yaml");
                image.edit(&file, "single-task", "continuous");
            },
            "config/mode-fits",
        ),
        (
            "an unknown command of machine runner 3",
            Kind::MachineRunner,
            |image| image.edit_task("CircleCI Runner Agent", "\"\" machine", "\"\" start"),
            "service/command-right",
        ),
    ];
    for (what, kind, plant, check) in faults {
        let image = Image::new(kind);
        plant(&image);
        let others = ["service/task-priority"];
        let is_known =
            |own: &String| kind == Kind::Ours || own == check || !others.contains(&own.as_str());
        let problems: Vec<_> = image.problems().into_iter().filter(is_known).collect();
        assert_eq!(problems, [check], "{what}");
    }
}
