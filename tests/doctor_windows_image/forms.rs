//! Definitions and configurations as people have them.

use crate::image::{FOLDER, Image, Kind};

/// Definitions and configurations as people have them: what must be found, and nothing else.
#[test]
fn forms_that_people_have_are_judged_by_what_windows_makes_of_them() {
    const AGENT: &str = "CircleCI Launch Agent";
    const HERE: &str = "<WorkingDirectory>C:\\Program Files\\CircleCI</WorkingDirectory>";
    const BOOT: &str = "<BootTrigger>";
    type Plant = fn(&Image);
    let forms: [(&str, Plant, &[&str]); 20] = [
        (
            "no priority",
            |image| image.edit_task(AGENT, "<Priority>5</Priority>", ""),
            &["service/task-priority"],
        ),
        (
            "a priority below normal",
            |image| image.edit_task(AGENT, "<Priority>5</Priority>", "<Priority>7</Priority>"),
            &["service/task-priority"],
        ),
        (
            "another normal priority",
            |image| image.edit_task(AGENT, "<Priority>5", "<Priority>4"),
            &[],
        ),
        (
            "a network",
            |image| {
                let key = "<RunOnlyIfNetworkAvailable>";
                image.edit_task(AGENT, &format!("{key}false"), &format!("{key}true"));
            },
            &["service/task-unconditional"],
        ),
        (
            "a start in the future",
            |image| {
                let later = format!("{BOOT}<StartBoundary>2099-01-01T00:00:00</StartBoundary>");
                image.edit_task(AGENT, BOOT, &later);
            },
            &["service/task-unconditional"],
        ),
        (
            "restarts of failed starts alone",
            |image| {
                image.edit_task(
                    AGENT,
                    "<Interval>PT1M</Interval>\n    <StopAtDurationEnd>false</StopAtDurationEnd>",
                    "",
                );
                image.edit_task(AGENT, "<Count>255", "<Count>3");
            },
            &["service/restarts"],
        ),
        (
            "a trigger that repeats for a day",
            |image| {
                image.edit_task(
                    AGENT,
                    "<StopAtDurationEnd>",
                    "<Duration>P1D</Duration><StopAtDurationEnd>",
                );
            },
            &["service/restarts"],
        ),
        (
            "a trigger that ends what runs at its end",
            |image| {
                let ends = "<Duration>P9999D</Duration><StopAtDurationEnd>true";
                image.edit_task(AGENT, "<StopAtDurationEnd>false", ends);
            },
            &[],
        ),
        (
            "a daily trigger that repeats all day",
            |image| {
                let days = "<ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger>";
                image.edit_task(AGENT, "</TimeTrigger>", days);
                image.edit_task(AGENT, "<TimeTrigger>", "<CalendarTrigger>");
                image.edit_task(
                    AGENT,
                    "<StopAtDurationEnd>",
                    "<Duration>P1D</Duration><StopAtDurationEnd>",
                );
            },
            &[],
        ),
        (
            "the system's account",
            |image| image.edit_task(AGENT, "<UserId>circleci", "<UserId>S-1-5-18"),
            &["permissions/power-known"],
        ),
        (
            "a folder in quotes",
            |image| {
                let quoted = HERE.replace(">C:", ">\"C:").replace("CircleCI<", "CircleCI\"<");
                image.edit_task(AGENT, HERE, &quoted);
            },
            &["service/task-folder"],
        ),
        (
            "a folder that is not there",
            |image| image.edit_task(AGENT, HERE, "<WorkingDirectory>C:\\ci</WorkingDirectory>"),
            &["service/task-folder"],
        ),
        (
            "a folder by a variable",
            |image| {
                let there = "<WorkingDirectory>%ProgramFiles%\\CircleCI\\</WorkingDirectory>";
                image.edit_task(AGENT, HERE, there);
            },
            &[],
        ),
        ("no folder", |image| image.edit_task(AGENT, HERE, ""), &[]),
        (
            "a configuration by the folder",
            |image| {
                let whole = "\"C:\\Program Files\\CircleCI\\launch-agent-config.yaml\"";
                let whole = whole.replace('"', "&quot;");
                image.edit_task(AGENT, &whole, "launch-agent-config.yaml");
            },
            &[],
        ),
        (
            "a configuration of the scheduler's folder",
            |image| {
                let whole = "\"C:\\Program Files\\CircleCI\\launch-agent-config.yaml\"";
                image.edit_task(AGENT, &whole.replace('"', "&quot;"), "launch-agent-config.yaml");
                image.edit_task(AGENT, HERE, "");
            },
            &["config/exists"],
        ),
        (
            "a tab and a line break",
            |image| workdir(image, "\"C:\\temp\\new\""),
            &["config/windows-paths"],
        ),
        ("a path of the drive", |image| workdir(image, "C:work"), &["config/windows-paths"]),
        ("a device", |image| workdir(image, "C:\\work\\aux"), &["config/windows-paths"]),
        ("a dot at the end", |image| workdir(image, "C:\\work."), &["config/windows-paths"]),
    ];
    for (what, plant, expected) in forms {
        let image = Image::new(Kind::Ours);
        plant(&image);
        assert_eq!(image.problems(), expected, "{what}");
    }
}

/// Another work folder, as it stands in the file.
fn workdir(image: &Image, text: &str) {
    let file = format!("{FOLDER}/launch-agent-config.yaml");
    image.edit(&file, "C:\\Program Files\\CircleCI\\Workdir", text);
}
