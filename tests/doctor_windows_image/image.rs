//! A folder that holds what the system's drive of Windows does, with an agent.

use super::support::report::problems;
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

pub(super) const FOLDER: &str = "Program Files/CircleCI";
pub(super) const TASKS: &str = "Windows/System32/Tasks";
pub(super) const OURS: &str = include_str!("../../templates/agent-task.xml");
pub(super) const AT_START: &str = include_str!("../../templates/task-trigger-boot.xml");

/// As documented (docs/agents.md, Places): what `New-ScheduledTask` and its like write of it.
pub(super) const DOCUMENTED: &str = "\
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

pub(super) struct Image(pub(super) tempfile::TempDir);

/// What is installed in an image.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Ours,
    OursWithProxy,
    Documented,
    MachineRunner,
}

impl Image {
    pub(super) fn new(kind: Kind) -> Self {
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

    pub(super) fn ours(&self, command: &str, arguments: &str) {
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

    pub(super) fn documented(&self, name: &str, logon: &str, trigger: &str, line: &str) {
        let text = DOCUMENTED
            .replace("{{name}}", name)
            .replace("{{logon}}", logon)
            .replace("{{trigger}}", trigger)
            .replace("{{line}}", line);
        self.task(name, &text);
    }

    /// As the scheduler writes it.
    pub(super) fn task(&self, name: &str, text: &str) {
        let wide = text.replace('\n', "\r\n");
        let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.write(&format!("{TASKS}/{name}"), [&[0xff, 0xfe], wide.as_slice()].concat());
    }

    pub(super) fn edit_task(&self, name: &str, from: &str, to: &str) {
        let bytes = fs::read(self.path(&format!("{TASKS}/{name}"))).unwrap();
        let units: Vec<u16> =
            bytes[2..].chunks_exact(2).map(|own| u16::from_le_bytes([own[0], own[1]])).collect();
        let text = String::from_utf16(&units).unwrap().replace("\r\n", "\n");
        assert!(text.contains(from), "{from}: {text}");
        self.task(name, &text.replace(from, to));
    }

    pub(super) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn doctor(&self, more: &[&str]) -> Value {
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

    pub(super) fn problems(&self) -> Vec<String> {
        problems(&self.doctor(&[]))
    }
}
