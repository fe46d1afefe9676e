//! From a [`Config`] to the file, as a person would write it.

use super::Config;
use crate::{
    agent::Token,
    platform::Os,
    text::{REDACTED, yaml},
};
use secrecy::SecretString;

/// Has no version in it, so that a newer runnerup does not change a file that is right.
const HEAD: &str =
    "# Written by runnerup. Holds a secret: nobody but the agent's account may read it.\n";

impl Config {
    /// The file's content for `os` (lines end with CR LF on Windows), token included.
    pub fn render(&self, os: Os) -> SecretString {
        let token = self.api.auth_token.as_ref().map(Token::expose);
        SecretString::from(self.lines(token, os))
    }

    /// The file's content with `***` for the token, fit to be shown.
    pub fn render_redacted(&self, os: Os) -> String {
        self.lines(self.api.auth_token.as_ref().map(|_| REDACTED), os)
    }

    fn lines(&self, token: Option<&str>, os: Os) -> String {
        let mut out = Lines::new(os);
        out.section("api", |out| {
            out.text("auth_token", token);
            out.text("url", self.api.url.as_deref());
        });
        let runner = &self.runner;
        out.section("runner", |out| {
            out.text("name", runner.name.as_deref());
            out.text("working_directory", runner.working_directory.as_deref());
            out.truth("cleanup_working_directory", runner.cleanup_working_directory);
            out.text("mode", runner.mode.as_deref());
            out.text("max_run_time", runner.max_run_time.as_deref());
            out.text("idle_timeout", runner.idle_timeout.as_deref());
            out.truth("disable_auto_update", runner.disable_auto_update);
            out.list("command_prefix", runner.command_prefix.as_deref());
            out.section("ssh", |out| {
                out.text("advertise_addr", runner.ssh.advertise_addr.as_deref());
            });
            out.text("task_agent_directory", runner.task_agent_directory.as_deref());
            out.truth("cache_task_agent", runner.cache_task_agent);
            out.truth(
                "use_home_ssh_dir_for_checkout_keys",
                runner.use_home_ssh_dir_for_checkout_keys,
            );
        });
        out.section("logging", |out| {
            out.text("file", self.logging.file.as_deref());
            out.text("level", self.logging.level.as_deref());
            out.text("format", self.logging.format.as_deref());
        });
        out.text
    }
}

/// The file as far as it is written.
struct Lines {
    text: String,
    indent: &'static str,
    end: &'static str,
}

impl Lines {
    fn new(os: Os) -> Self {
        let end = if os == Os::Windows { "\r\n" } else { "\n" };
        // Room for a usual file: a text that grew would leave copies of the token behind.
        let mut text = String::with_capacity(4096);
        text.push_str(HEAD.trim_end());
        text.push_str(end);
        Self { text, indent: "", end }
    }

    /// Writes a section, unless nothing is in it.
    fn section(&mut self, key: &str, content: impl FnOnce(&mut Self)) {
        let (before, indent) = (self.text.len(), self.indent);
        self.line(key, "");
        let empty = self.text.len();
        self.indent = if indent.is_empty() { "  " } else { "    " };
        content(self);
        self.indent = indent;
        if self.text.len() == empty {
            self.text.truncate(before);
        }
    }

    fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(key, &yaml::scalar(value));
        }
    }

    fn truth(&mut self, key: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.line(key, if value { "true" } else { "false" });
        }
    }

    fn list(&mut self, key: &str, items: Option<&[String]>) {
        if let Some(items) = items {
            let items: Vec<_> = items.iter().map(|item| yaml::quoted(item)).collect();
            self.line(key, &format!("[{}]", items.join(", ")));
        }
    }

    fn line(&mut self, key: &str, value: &str) {
        let blank = if value.is_empty() { "" } else { " " };
        for part in [self.indent, key, ":", blank, value, self.end] {
            self.text.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{TRICKY, any_config};
    use super::super::{Api, Logging, Runner, Ssh};
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use std::process::{Command, Stdio};

    fn full() -> Config {
        let text = |text: &str| Some(text.to_owned());
        Config {
            api: Api {
                auth_token: Some(Token::as_found("abc123")),
                url: text("https://ci.example.com"),
            },
            runner: Runner {
                name: text("build-1"),
                command_prefix: Some(
                    ["sudo", "-niHu", "circleci", "--"].map(str::to_owned).to_vec(),
                ),
                working_directory: text("/var/opt/circleci/workdir/%s"),
                cleanup_working_directory: Some(true),
                mode: text("continuous"),
                max_run_time: text("5h"),
                idle_timeout: text("30m"),
                disable_auto_update: Some(true),
                ssh: Ssh { advertise_addr: text("203.0.113.9:54782") },
                task_agent_directory: text("/opt/task-agents"),
                cache_task_agent: Some(false),
                use_home_ssh_dir_for_checkout_keys: Some(false),
            },
            logging: Logging {
                file: text("/var/log/agent.log"),
                level: text("info"),
                format: text("text"),
            },
        }
    }

    #[test]
    fn the_file_looks_as_if_a_person_wrote_it() {
        let expected = r#"# Written by runnerup. Holds a secret: nobody but the agent's account may read it.
api:
  auth_token: abc123
  url: https://ci.example.com
runner:
  name: build-1
  working_directory: /var/opt/circleci/workdir/%s
  cleanup_working_directory: true
  mode: continuous
  max_run_time: 5h
  idle_timeout: 30m
  disable_auto_update: true
  command_prefix: ["sudo", "-niHu", "circleci", "--"]
  ssh:
    advertise_addr: "203.0.113.9:54782"
  task_agent_directory: /opt/task-agents
  cache_task_agent: false
  use_home_ssh_dir_for_checkout_keys: false
logging:
  file: /var/log/agent.log
  level: info
  format: text
"#;
        assert_eq!(full().render(Os::Linux).expose_secret(), expected);
        let windows = full().render(Os::Windows);
        assert_eq!(windows.expose_secret(), expected.replace('\n', "\r\n"));
    }

    #[test]
    fn what_is_shown_has_no_token() {
        let shown = full().render_redacted(Os::Linux);
        assert!(shown.contains("  auth_token: \"***\"\n") && !shown.contains("abc123"));
        assert!(!format!("{:?}", full().render(Os::Linux)).contains("abc123"));
    }

    #[test]
    fn sections_without_keys_are_left_out() {
        let mut config = Config::default();
        config.runner.name = Some("a".to_owned());
        let text = config.render_redacted(Os::Linux);
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["runner:", "  name: a"]);
    }

    #[test]
    fn every_key_is_written_in_the_order_of_the_list() {
        let text = full().render_redacted(Os::Linux);
        let mut from = 0;
        for key in Config::KEYS {
            let name = format!(" {}:", key.rsplit('.').next().unwrap());
            from += text[from..].find(&name).unwrap_or_else(|| panic!("{key}")) + 1;
        }
    }

    /// PyYAML reads YAML 1.1 and shares no code with ours.
    #[test]
    #[expect(clippy::print_stderr, reason = "a test that is left out must say so")]
    fn another_reader_sees_the_same_texts() {
        let configs: Vec<Config> = TRICKY.iter().map(|text| tricky(text)).collect();
        let files = configs.iter().map(|config| config.render(Os::Windows));
        let files: Vec<_> = files.map(|file| file.expose_secret().to_owned()).collect();
        let Some(seen) = read_with_pyyaml(&files) else {
            eprintln!("left out: python3 with PyYAML is not here");
            return;
        };
        assert_eq!(seen.len(), files.len());
        for (seen, text) in seen.iter().zip(TRICKY) {
            assert_eq!(seen["api"]["auth_token"], *text);
            assert_eq!(seen["runner"]["name"], *text);
            assert_eq!(seen["runner"]["command_prefix"], serde_json::json!([text, text]));
            assert_eq!(seen["runner"]["cleanup_working_directory"], true);
            assert_eq!(seen["runner"]["ssh"]["advertise_addr"], *text);
        }
    }

    fn tricky(text: &str) -> Config {
        let mut config = full();
        config.api.auth_token = Some(Token::as_found(text));
        config.runner.name = Some(text.to_owned());
        config.runner.command_prefix = Some(vec![text.to_owned(), text.to_owned()]);
        config.runner.ssh.advertise_addr = Some(text.to_owned());
        config
    }

    /// What PyYAML sees in each of `files`; `None` where it is not installed.
    fn read_with_pyyaml(files: &[String]) -> Option<Vec<serde_json::Value>> {
        const SCRIPT: &str = "import json, sys, yaml\n\
            json.dump([yaml.safe_load(f.encode()) for f in json.load(sys.stdin)], sys.stdout)";
        let is_here = Command::new("python3").args(["-c", "import yaml"]).output();
        is_here.ok().filter(|output| output.status.success())?;
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        serde_json::to_writer(child.stdin.take().unwrap(), files).unwrap();
        let output = child.wait_with_output().unwrap();
        Some(serde_json::from_slice(&output.stdout).unwrap())
    }

    proptest! {
        #[test]
        fn every_config_reads_back(config in any_config(), windows: bool) {
            let os = if windows { Os::Windows } else { Os::Linux };
            let file = config.render(os);
            prop_assert_eq!(Config::parse(file.expose_secret().as_bytes()).unwrap(), config);
        }

        #[test]
        fn the_redacted_file_is_yaml_too(config in any_config()) {
            prop_assert!(Config::parse(config.render_redacted(Os::Linux).as_bytes()).is_ok());
        }
    }
}
