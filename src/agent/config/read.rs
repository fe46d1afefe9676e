//! From the file's bytes to a [`Config`].

use super::{Api, Config, Logging, Runner, Ssh, UnknownKey};
use crate::{
    Code, Error, Result,
    agent::Token,
    text::yaml::{self, Entry, Fault, Node, Value},
};

impl Config {
    /// Reads a config. The error gives line and column, and none of the file's values.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        read(bytes).map_err(|fault| {
            Error::new(Code::ConfigInvalid, fault.to_string())
                .help("the keys and what they hold: `runnerup explain E3010`")
        })
    }
}

fn read(bytes: &[u8]) -> Result<Config, Fault> {
    let mut file = Section::new(String::new(), Some(yaml::parse(bytes)?))?;
    let mut api = file.section("api")?;
    let mut runner = file.section("runner")?;
    let mut ssh = runner.section("ssh")?;
    let mut logging = file.section("logging")?;
    let mut config = Config {
        api: Api {
            auth_token: api.text("auth_token")?.map(Token::as_found),
            url: api.text("url")?,
        },
        runner: Runner {
            name: runner.text("name")?,
            command_prefix: runner.list("command_prefix")?,
            working_directory: runner.text("working_directory")?,
            cleanup_working_directory: runner.truth("cleanup_working_directory")?,
            mode: runner.text("mode")?,
            max_run_time: runner.text("max_run_time")?,
            idle_timeout: runner.text("idle_timeout")?,
            disable_auto_update: runner.truth("disable_auto_update")?,
            ssh: Ssh { advertise_addr: ssh.text("advertise_addr")? },
            task_agent_directory: runner.text("task_agent_directory")?,
            cache_task_agent: runner.truth("cache_task_agent")?,
            use_home_ssh_dir_for_checkout_keys: runner
                .truth("use_home_ssh_dir_for_checkout_keys")?,
        },
        logging: Logging {
            file: logging.text("file")?,
            level: logging.text("level")?,
            format: logging.text("format")?,
        },
        unknown: Vec::new(),
    };
    config.unknown =
        [file, api, runner, ssh, logging].into_iter().flat_map(Section::rest).collect();
    config.unknown.sort_by_key(|key| key.line);
    Ok(config)
}

/// A mapping of the file; what is taken out of it is known.
struct Section {
    path: String,
    entries: Vec<Entry>,
}

impl Section {
    fn new(path: String, node: Option<Node>) -> Result<Self, Fault> {
        let entries = match node {
            None | Some(Node { value: Value::Null, .. }) => Vec::new(),
            Some(Node { value: Value::Map(entries), .. }) => entries,
            Some(node) if path.is_empty() => {
                let kind = node.value.kind();
                return Err(node.fault(format!("the file must hold a mapping, not {kind}")));
            }
            Some(node) => return Err(wrong(&path, &node, "a mapping")),
        };
        Ok(Self { path, entries })
    }

    fn section(&mut self, key: &str) -> Result<Self, Fault> {
        Self::new(self.path_of(key), self.take(key))
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, Fault> {
        match self.take(key) {
            None | Some(Node { value: Value::Null, .. }) => Ok(None),
            Some(Node { value: Value::Text { text, .. }, .. }) => Ok(Some(text)),
            Some(node) => Err(wrong(&self.path_of(key), &node, "a text")),
        }
    }

    fn truth(&mut self, key: &str) -> Result<Option<bool>, Fault> {
        let Some(node) = self.take(key) else { return Ok(None) };
        match &node.value {
            Value::Null => Ok(None),
            Value::Text { text, .. } if matches!(text.as_str(), "true" | "True" | "TRUE") => {
                Ok(Some(true))
            }
            Value::Text { text, .. } if matches!(text.as_str(), "false" | "False" | "FALSE") => {
                Ok(Some(false))
            }
            Value::Text { .. } => {
                Err(node.fault(format!("{} must be true or false", self.path_of(key))))
            }
            _ => Err(wrong(&self.path_of(key), &node, "true or false")),
        }
    }

    fn list(&mut self, key: &str) -> Result<Option<Vec<String>>, Fault> {
        let path = self.path_of(key);
        let items = match self.take(key) {
            None | Some(Node { value: Value::Null, .. }) => return Ok(None),
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => return Err(wrong(&path, &node, "a list")),
        };
        let text = |item: Node| match item.value {
            Value::Text { text, .. } => Ok(text),
            _ => Err(item.fault(format!("{path} must be a list of texts"))),
        };
        items.into_iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn rest(self) -> Vec<UnknownKey> {
        let key = |entry: &Entry| UnknownKey {
            // Without the quotes that a message would have, as long as the key is harmless.
            path: self.path_of(entry.shown_key().trim_matches('"')),
            line: entry.place.line,
        };
        self.entries.iter().map(key).collect()
    }
}

fn wrong(path: &str, node: &Node, wanted: &str) -> Fault {
    node.fault(format!("{path} must be {wanted}, not {}", node.value.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOCUMENTED: &str = r#"
api:
  auth_token: abc123
  # On server: the server's URL
  url: https://server.example.com

runner:
  name: "build-1"
  command_prefix: ["sudo", "-niHu", "circleci", "--"]
  working_directory: /var/opt/circleci/workdir/%s
  cleanup_working_directory: true
  max_run_time: 72h
  ssh:
    advertise_addr: 203.0.113.9:54782
logging:
  file: /Library/Logs/com.circleci.runner.log
"#;

    fn fault(text: &str) -> String {
        let error = Config::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::ConfigInvalid);
        error.message().to_owned()
    }

    #[test]
    fn a_config_made_by_hand_is_read() {
        for text in [DOCUMENTED.to_owned(), DOCUMENTED.replace('\n', "\r\n")] {
            let config = Config::parse(text.as_bytes()).unwrap();
            assert_eq!(config.api.auth_token.unwrap().expose(), "abc123");
            assert_eq!(config.api.url.as_deref(), Some("https://server.example.com"));
            assert_eq!(config.runner.name.as_deref(), Some("build-1"));
            let prefix = ["sudo", "-niHu", "circleci", "--"].map(str::to_owned).to_vec();
            assert_eq!(config.runner.command_prefix, Some(prefix));
            assert_eq!(config.runner.cleanup_working_directory, Some(true));
            assert_eq!(config.runner.disable_auto_update, None);
            assert_eq!(config.runner.max_run_time.as_deref(), Some("72h"));
            assert_eq!(config.runner.ssh.advertise_addr.as_deref(), Some("203.0.113.9:54782"));
            assert_eq!(config.unknown, []);
        }
    }

    #[test]
    fn what_is_wrong_inside_a_text_is_left_to_others() {
        let text = "api: {auth_token: AUTH_TOKEN}\nrunner:\n  name: 007\n  max_run_time: 5d\n";
        let config = Config::parse(text.as_bytes()).unwrap();
        assert_eq!(
            config.api.auth_token.unwrap().check().unwrap_err().code(),
            Code::TokenPlaceholder
        );
        assert_eq!(config.runner.name.as_deref(), Some("007"));
        assert_eq!(config.runner.max_run_time.as_deref(), Some("5d"));
    }

    #[test]
    fn unknown_keys_are_kept_with_their_line() {
        let text = "runner:\n  worker_directory: /x\n  name: a\nextra: {a: 1}\napi:\n  token: x\n";
        let unknown = Config::parse(text.as_bytes()).unwrap().unknown;
        let shown: Vec<_> = unknown.iter().map(|key| (key.path.as_str(), key.line)).collect();
        assert_eq!(shown, [("runner.worker_directory", 2), ("extra", 4), ("api.token", 6)]);
    }

    #[test]
    fn a_wrong_shape_is_told_with_its_place() {
        assert_eq!(fault("- a"), "line 1, column 1: the file must hold a mapping, not a list");
        assert_eq!(fault("api: x"), "line 1, column 6: api must be a mapping, not a text");
        assert_eq!(
            fault("api:\n  url: [a]"),
            "line 2, column 8: api.url must be a text, not a list"
        );
        assert_eq!(
            fault("runner:\n  cleanup_working_directory: yes"),
            "line 2, column 30: runner.cleanup_working_directory must be true or false"
        );
        assert_eq!(
            fault("runner: {command_prefix: sudo}"),
            "line 1, column 26: runner.command_prefix must be a list, not a text"
        );
        assert!(fault("runner: {command_prefix: [[a]]}").contains("a list of texts"));
        assert!(fault("api:\n  url: a\n  url: b").contains("a second time"));
    }

    #[test]
    fn an_empty_file_has_no_keys() {
        for text in ["", "# nothing\n", "api:\nrunner:\n", "api: {url: }"] {
            assert_eq!(Config::parse(text.as_bytes()).unwrap(), Config::default(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Config::parse(&bytes);
        }
    }

    #[test]
    fn no_damage_to_a_config_panics_or_shows_its_token() {
        let token = "s3cr3t".repeat(13);
        let text = DOCUMENTED.replace("abc123", &token);
        for at in 0..text.len() {
            for with in b"\0\n\t :-#'\"[]{},*&!|>%\\\xff" {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = *with;
                let shown = format!("{:?}", Config::parse(&bytes));
                assert!(!shown.contains("s3cr3t"), "{at} {with}: {shown}");
            }
        }
    }
}
