//! The doctor's looks at Windows, on a folder that holds what the system's drive of one does:
//! agents are found by the scheduler's own files. What only runs is not in it.

// A test that panics has failed, which is what its helpers are to tell.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

const FOLDER: &str = "Program Files/CircleCI";
const TASKS: &str = "Windows/System32/Tasks";
const OURS: &str = include_str!("../templates/agent-task.xml");
const AT_START: &str = include_str!("../templates/task-trigger-boot.xml");

/// As documented (docs/agents.md, Places): what `New-ScheduledTask` and its like write of it.
const DOCUMENTED: &str = "\
<?xml version=\"1.0\" encoding=\"UTF-16\"?>
<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">
  <RegistrationInfo><URI>\\{{name}}</URI></RegistrationInfo>
  <Principals><Principal id=\"Author\">
    <UserId>WIN-1\\circleci</UserId><LogonType>{{logon}}</LogonType>
    <RunLevel>HighestAvailable</RunLevel>
  </Principal></Principals>
  <Settings>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
  </Settings>
  <Triggers><{{trigger}} /></Triggers>
  <Actions Context=\"Author\"><Exec>
    <Command>powershell.exe</Command>
    <Arguments>-Command \"{{line}}\"</Arguments>
  </Exec></Actions>
</Task>
";

struct Image(tempfile::TempDir);

/// What is installed in an image.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Ours,
    OursWithProxy,
    Documented,
    MachineRunner,
}

impl Image {
    fn new(kind: Kind) -> Self {
        let image = Self(tempfile::tempdir().unwrap());
        let is_runner = kind == Kind::MachineRunner;
        let (program, config) = match is_runner {
            true => ("circleci-runner.exe", "runner-agent-config.yaml"),
            false => ("circleci-launch-agent.exe", "launch-agent-config.yaml"),
        };
        // The header of a program for amd64: where it stands, and the processor's number.
        let mut header = vec![b'M', b'Z'];
        header.resize(0x3c, 0);
        header.extend([0x40, 0, 0, 0, b'P', b'E', 0, 0, 0x64, 0x86]);
        header.resize(64 << 10, 0);
        image.write(&format!("{FOLDER}/{program}"), header);
        let text = "api:\n  auth_token: \
            0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n  \
            url: https://ci.example.com\nrunner:\n  name: win-1\n  mode: single-task\n  \
            working_directory: C:\\Program Files\\CircleCI\\Workdir\n  \
            cleanup_working_directory: true\nlogging:\n  \
            file: C:\\Program Files\\CircleCI\\circleci-runner.log\n";
        image.write(&format!("{FOLDER}/{config}"), text.replace('\n', "\r\n"));
        image.write(&format!("{FOLDER}/Workdir/.keep"), "");
        image.write("Windows/System32/cmd.exe", "");
        let own = r"C:\Program Files\CircleCI";
        match kind {
            Kind::Ours => image.ours(
                &format!("{own}\\{program}"),
                &format!("--config &quot;{own}\\{config}&quot;"),
            ),
            Kind::OursWithProxy => {
                image.ours(
                    r"C:\Windows\System32\cmd.exe",
                    &format!("/d /c &quot;&quot;{own}\\circleci-launch-agent.cmd&quot;&quot;"),
                );
                let script = format!(
                    "@rem Written by runnerup: the agent's environment.\r\n\
                     @set \"HTTPS_PROXY=http://me:hunter2@proxy.example.com:3128\"\r\n\
                     @set \"NO_PROXY=example.com\"\r\n@\"{own}\\{program}\" --config \"{own}\\{config}\"\r\n"
                );
                image.write(&format!("{FOLDER}/circleci-launch-agent.cmd"), script);
            }
            Kind::Documented | Kind::MachineRunner => {
                let name =
                    if is_runner { "CircleCI Runner Agent" } else { "CircleCI Launch Agent" };
                let machine = if is_runner { " machine" } else { "" };
                let line = format!(
                    "&amp; \"\"{own}\\{program}\"\"{machine} --config \"\"{own}\\{config}\"\"; \
                     &amp; logoff (Get-Process -Id $PID).SessionID"
                );
                image.documented(name, "InteractiveToken", "LogonTrigger", &line);
                let keeps = "while ($true) { mstsc /v:localhost; Start-Sleep 10 }";
                let keeper = format!("{name} session keeper");
                image.documented(&keeper, "Password", "BootTrigger", keeps);
            }
        }
        image
    }

    fn ours(&self, command: &str, arguments: &str) {
        let text = OURS
            .replace("{{trigger}}", AT_START.trim_end())
            .replace("{{description}}", "CircleCI self-hosted runner")
            .replace("{{user}}", "circleci")
            .replace("{{logon}}", "Password")
            .replace("{{command}}", command)
            .replace("{{arguments}}", arguments)
            .replace("{{folder}}", r"C:\Program Files\CircleCI");
        self.task("CircleCI Launch Agent", &text);
    }

    fn documented(&self, name: &str, logon: &str, trigger: &str, line: &str) {
        let text = DOCUMENTED
            .replace("{{name}}", name)
            .replace("{{logon}}", logon)
            .replace("{{trigger}}", trigger)
            .replace("{{line}}", line);
        self.task(name, &text);
    }

    /// As the scheduler writes it.
    fn task(&self, name: &str, text: &str) {
        let wide = text.replace('\n', "\r\n");
        let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.write(&format!("{TASKS}/{name}"), [&[0xff, 0xfe], wide.as_slice()].concat());
    }

    fn edit_task(&self, name: &str, from: &str, to: &str) {
        let bytes = fs::read(self.path(&format!("{TASKS}/{name}"))).unwrap();
        let units: Vec<u16> =
            bytes[2..].chunks_exact(2).map(|own| u16::from_le_bytes([own[0], own[1]])).collect();
        let text = String::from_utf16(&units).unwrap().replace("\r\n", "\n");
        assert!(text.contains(from), "{from}: {text}");
        self.task(name, &text.replace(from, to));
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn doctor(&self, more: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_runnerup"))
            .args(["doctor", "--json", "--offline", "--root"])
            .arg(self.0.path())
            .args(more)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(!text.contains("hunter2") && !text.contains("0123456789abcdef01"), "{text}");
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    fn problems(&self) -> Vec<String> {
        let report = self.doctor(&[]);
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .filter(|own| matches!(own["status"].as_str(), Some("fail" | "warn" | "error")))
            .map(|own| own["check"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn found<'a>(report: &'a Value, check: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|own| own["check"] == check).unwrap()
}

#[test]
fn every_documented_install_is_found_and_healthy() {
    for (kind, name) in [
        (Kind::Ours, "CircleCI Launch Agent"),
        (Kind::OursWithProxy, "CircleCI Launch Agent"),
        (Kind::Documented, "CircleCI Launch Agent"),
        (Kind::MachineRunner, "CircleCI Runner Agent"),
    ] {
        let image = Image::new(kind);
        let report = image.doctor(&[]);
        // Those that are documented leave the priority to the scheduler, whose own is below normal.
        let flaws: &[&str] = match kind {
            Kind::Ours | Kind::OursWithProxy => &[],
            Kind::Documented | Kind::MachineRunner => &["service/task-priority"],
        };
        assert_eq!(image.problems(), flaws, "{name}: {report:#}");
        for check in ["service/task-triggered", "service/restarts", "config/parses"] {
            let own = found(&report, check);
            assert_eq!((&own["status"], &own["instance"]), (&"pass".into(), &name.into()));
        }
        let passed = report["summary"]["pass"].as_u64().unwrap();
        assert!(passed > 18, "{passed}: {report:#}");
    }
}

#[test]
fn the_environment_is_what_our_script_sets() {
    let image = Image::new(Kind::OursWithProxy);
    let file = image.path("facts.json");
    image.doctor(&["--save-facts", &file.display().to_string()]);
    let facts: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let install = &facts["installs"][0];
    let variable = &install["environment"][0];
    assert_eq!(variable["value"], "http://me:***@proxy.example.com:3128", "{install:#}");
    assert!(variable["source"].as_str().unwrap().ends_with(".cmd:2"), "{variable}");
    let config = r"C:\Program Files\CircleCI\launch-agent-config.yaml";
    assert_eq!(install["service"]["command"][2], config);
    assert_eq!(install["config"]["known"]["trail"]["path"], config);
    assert_eq!(install["user"], "circleci");
}

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
