//! From the file's bytes to its keys, each with its place, and from those to a [`Config`].

use super::{Api, Config, Logging, Runner, Ssh};
use crate::{
    Code, Error, Result,
    agent::Token,
    text::yaml::{self, Entry, Fault, Node, Place, Value},
};

/// A file as it was read: every key that stands in it, known or not, and what it holds. It has the
/// token, so it is neither shown nor kept.
pub struct Document {
    keys: Vec<KeyRead>,
    is_empty: bool,
    /// Where a second document begins, of which an agent reads nothing.
    pub second: Option<Place>,
}

/// A key of a file.
pub struct KeyRead {
    /// Its path, such as `runner.name`. What looks like no name of a setting is not repeated.
    pub path: String,
    /// Where the key stands.
    pub place: Place,
    /// What it holds.
    pub node: Node,
}

impl Config {
    /// Reads a config. The error gives line and column, and none of the file's values.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let only = |document: Document| match document.second {
            None => document.config(),
            Some(place) => Err(yaml::second(place)),
        };
        Document::parse(bytes).and_then(only).map_err(|fault| {
            Error::new(Code::ConfigInvalid, fault.to_string())
                .help("the keys and what they hold: `runnerup explain E3010`")
        })
    }
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// When it is no YAML, or holds something else than a mapping.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let file = yaml::document(bytes)?;
        let is_empty = matches!(file.root.value, Value::Null);
        let mut keys = Vec::new();
        match &file.root.value {
            Value::Null => {}
            Value::Map(entries) => {
                // A key that is there for its anchor is no setting.
                let is_setting = |entry: &&Entry| {
                    Config::holds(&entry.key).is_some() || !file.is_meant(&entry.value)
                };
                let entries = entries.iter().filter(is_setting).cloned().collect();
                take("", entries, &mut keys);
            }
            other => {
                let kind = other.kind();
                return Err(file.root.fault(format!("the file must hold a mapping, not {kind}")));
            }
        }
        Ok(Self { keys, is_empty, second: file.second })
    }

    /// Whether nothing stands in it, or comments alone.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Every key, in the file's order. A section is none, unless it holds something else than keys.
    pub fn keys(&self) -> &[KeyRead] {
        &self.keys
    }

    /// The token, as it stands in the file.
    pub fn token(&self) -> Option<Token> {
        self.text(Config::TOKEN).ok().flatten().map(Token::as_found)
    }

    /// The values of all keys that an agent reads.
    ///
    /// # Errors
    /// When one holds something else than belongs there.
    pub fn config(&self) -> Result<Config, Fault> {
        if let Some(key) = self.keys.iter().find(|key| Config::SECTIONS.contains(&&*key.path)) {
            return Err(wrong(&key.path, &key.node, "a mapping"));
        }
        let text = |path| self.text(path).map(|text| text.map(str::to_owned));
        Ok(Config {
            api: Api {
                auth_token: text(Config::TOKEN)?.map(Token::as_found),
                url: text("api.url")?,
            },
            runner: Runner {
                name: text("runner.name")?,
                command_prefix: self.list("runner.command_prefix")?,
                working_directory: text("runner.working_directory")?,
                cleanup_working_directory: self.truth("runner.cleanup_working_directory")?,
                mode: text("runner.mode")?,
                max_run_time: text("runner.max_run_time")?,
                idle_timeout: text("runner.idle_timeout")?,
                disable_auto_update: self.truth("runner.disable_auto_update")?,
                ssh: Ssh { advertise_addr: text("runner.ssh.advertise_addr")? },
                task_agent_directory: text("runner.task_agent_directory")?,
                cache_task_agent: self.truth("runner.cache_task_agent")?,
                use_home_ssh_dir_for_checkout_keys: self
                    .truth("runner.use_home_ssh_dir_for_checkout_keys")?,
            },
            logging: Logging {
                file: text("logging.file")?,
                level: text("logging.level")?,
                format: text("logging.format")?,
            },
        })
    }

    /// What a key holds, unless that is nothing.
    fn node(&self, path: &str) -> Option<&Node> {
        let key = self.keys.iter().find(|key| key.path == path)?;
        Some(&key.node).filter(|node| !matches!(node.value, Value::Null))
    }

    fn text(&self, path: &str) -> Result<Option<&str>, Fault> {
        match self.node(path) {
            None => Ok(None),
            Some(Node { value: Value::Text { text, .. }, .. }) => Ok(Some(text)),
            Some(node) => Err(wrong(path, node, "a text")),
        }
    }

    fn truth(&self, path: &str) -> Result<Option<bool>, Fault> {
        let Some(node) = self.node(path) else { return Ok(None) };
        let Value::Text { text, .. } = &node.value else {
            return Err(wrong(path, node, "true or false"));
        };
        let truth =
            yaml::truth(text).ok_or_else(|| node.fault(format!("{path} must be true or false")));
        truth.map(Some)
    }

    fn list(&self, path: &str) -> Result<Option<Vec<String>>, Fault> {
        let Some(node) = self.node(path) else { return Ok(None) };
        let Value::List(items) = &node.value else { return Err(wrong(path, node, "a list")) };
        let text = |item: &Node| match &item.value {
            Value::Text { text, .. } => Ok(text.clone()),
            _ => Err(item.fault(format!("{path} must be a list of texts"))),
        };
        items.iter().map(text).collect::<Result<_, _>>().map(Some)
    }
}

/// Takes the keys of a section, and of those in it.
fn take(section: &str, entries: Vec<Entry>, into: &mut Vec<KeyRead>) {
    for entry in entries {
        let shown = entry.shown_key();
        // A key with a dot is not the one that a path with that dot names.
        let key = if entry.key.contains('.') { &shown } else { shown.trim_matches('"') };
        let path = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        match entry.value.value {
            Value::Map(inner) if Config::SECTIONS.contains(&&*path) => take(&path, inner, into),
            Value::Null if Config::SECTIONS.contains(&&*path) => {}
            _ => into.push(KeyRead { path, place: entry.place, node: entry.value }),
        }
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
    fn every_key_is_kept_with_its_place() {
        let text = "runner:\n  worker_directory: /x\n  name: a\nextra: {a: 1}\napi:\n  token: x\n\
                    logging:\napi.url: x\n";
        let document = Document::parse(text.as_bytes()).unwrap();
        let keys = document.keys().iter();
        let shown: Vec<_> =
            keys.map(|key| (key.path.as_str(), key.place.line, key.place.column)).collect();
        assert_eq!(
            shown,
            [
                ("runner.worker_directory", 2, 3),
                ("runner.name", 3, 3),
                ("extra", 4, 1),
                ("api.token", 6, 3),
                ("\"api.url\"", 8, 1),
            ]
        );
        let config = document.config().unwrap();
        assert_eq!((config.runner.name.as_deref(), config.api.url), (Some("a"), None));
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
            fault("runner:\n  cleanup_working_directory: ja"),
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
    fn settings_may_stand_at_an_anchor() {
        let text = "x-name: &n build-1\nx-shared: &s\n  cleanup_working_directory: yes\n  mode: \
                    single-task\nrunner:\n  <<: *s\n  name: *n\n  mode: continuous\n";
        let document = Document::parse(text.as_bytes()).unwrap();
        let config = document.config().unwrap();
        assert_eq!(config.runner.name.as_deref(), Some("build-1"));
        assert_eq!(config.runner.cleanup_working_directory, Some(true));
        assert_eq!(config.runner.mode.as_deref(), Some("continuous"));
        let places: Vec<_> =
            document.keys().iter().map(|key| (key.path.as_str(), key.place.line)).collect();
        assert_eq!(
            places,
            [("runner.name", 7), ("runner.mode", 8), ("runner.cleanup_working_directory", 3)]
        );
        // Nothing means this one.
        let document = Document::parse(b"x-name: &n a\n").unwrap();
        assert_eq!(document.keys().len(), 1);
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
