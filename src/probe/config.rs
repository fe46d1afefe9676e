//! An agent's configuration with the place of every key, and the token apart.

use super::scrub::Scrub;
use crate::{
    agent::{Config, Token},
    host::{
        ConfigFile, ConfigState, Provenance, Scrubbed, Setting, TokenShape, Trail, Written,
        limits::SETTINGS,
    },
    text::yaml::{self, Entry, Node, Value},
};
use sha2::{Digest, Sha256};

/// The key of the token.
const TOKEN: &str = "api.auth_token";

/// What a key is called that no agent knows, in a file that may be another program's.
const NOT_SHOWN: &str = "(a key that is not shown)";

/// What a configuration says, and its token. `salt` makes the token's mark useless elsewhere.
///
/// Where an account could have named the file it may be any file, and nothing of it is kept but
/// the keys that agents know.
pub fn read(
    trail: Trail,
    bytes: &[u8],
    named_by: Provenance,
    salt: &[u8],
) -> (ConfigFile<String>, Option<Token>) {
    let written_by = named_by.and(trail.written_by());
    let mut file = ConfigFile {
        trail,
        state: ConfigState::Parsed,
        settings: Vec::new(),
        token: None,
        written_by,
    };
    let mut token = None;
    match yaml::parse(bytes) {
        Err(fault) => file.state = ConfigState::Broken(fault.to_string()),
        Ok(Node { value: Value::Null, .. }) => {
            file.state = ConfigState::Broken("the file is empty".to_owned());
        }
        Ok(Node { value: Value::Map(entries), .. }) => {
            take("", &entries, &mut file.settings, &mut token);
            if file.settings.len() > SETTINGS {
                file.settings.truncate(SETTINGS);
                file.state = ConfigState::Broken(format!("it has more than {SETTINGS} settings"));
            }
            if !named_by.is_root() {
                let unknown = file
                    .settings
                    .iter_mut()
                    .filter(|setting| !Config::KEYS.contains(&setting.path.as_str()));
                unknown.for_each(|unknown| NOT_SHOWN.clone_into(&mut unknown.path));
            }
        }
        Ok(node) => {
            let place = node.place;
            let (line, column, kind) = (place.line, place.column, node.value.kind());
            file.state = ConfigState::Broken(format!(
                "line {line}, column {column}: the file must hold a mapping, not {kind}"
            ));
        }
    }
    file.token = token.as_ref().map(|token| shape(token, salt));
    (file, token)
}

/// The same as it may be told.
pub(super) fn scrubbed(file: ConfigFile<String>, scrub: &Scrub) -> ConfigFile {
    let value = |written: Written<String>| match written {
        Written::Nothing => Written::Nothing,
        Written::Map => Written::Map,
        Written::Hidden => Written::Hidden,
        Written::Text { text, plain } => {
            Written::Text { text: Scrubbed::text(&text, scrub), plain }
        }
        Written::List(items) => Written::List(Scrubbed::items(&items, scrub)),
    };
    let setting = |setting: Setting<String>| Setting {
        path: setting.path,
        line: setting.line,
        column: setting.column,
        value: value(setting.value),
    };
    ConfigFile {
        trail: file.trail,
        state: match file.state {
            ConfigState::Broken(why) => ConfigState::Broken(scrub.text(&why)),
            other => other,
        },
        settings: file.settings.into_iter().map(setting).collect(),
        token: file.token,
        written_by: file.written_by,
    }
}

/// What may be told of a token.
pub(super) fn shape(token: &Token, salt: &[u8]) -> TokenShape {
    let text = token.expose();
    let mut hasher = Sha256::new();
    hasher.update(salt);
    hasher.update(text);
    let digest = hasher.finalize();
    TokenShape {
        length: text.chars().count(),
        alphabet: alphabet(text).to_owned(),
        mark: digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
        unusable: match text.trim().is_empty() {
            true => Some("it is empty".to_owned()),
            false => token.check().err().map(|error| error.message().to_owned()),
        },
        unusual: token.shape_warning(),
    }
}

fn alphabet(text: &str) -> &'static str {
    let all = |fits: fn(u8) -> bool| text.bytes().all(fits);
    if text.is_empty() {
        "none"
    } else if all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        "lowercase hex digits"
    } else if all(|b| b.is_ascii_alphanumeric()) {
        "letters and digits"
    } else if text.is_ascii() {
        "ASCII with other characters"
    } else {
        "more than ASCII"
    }
}

fn take(
    prefix: &str,
    entries: &[Entry],
    into: &mut Vec<Setting<String>>,
    token: &mut Option<Token>,
) {
    for entry in entries {
        let key = entry.shown_key();
        let path = match prefix {
            "" => key.trim_matches('"').to_owned(),
            prefix => format!("{prefix}.{}", key.trim_matches('"')),
        };
        let is_section = matches!(path.as_str(), "api" | "runner" | "logging" | "runner.ssh");
        if let (true, Value::Map(inner)) = (is_section, &entry.value.value) {
            take(&path, inner, into, token);
            continue;
        }
        if let (TOKEN, Value::Text { text, .. }) = (path.as_str(), &entry.value.value) {
            *token = Some(Token::as_found(text.as_str()));
        }
        let value = written(&path, &entry.value.value);
        into.push(Setting { path, line: entry.place.line, column: entry.place.column, value });
    }
}

/// A value of a known key; what an unknown one holds may be a token in the wrong place.
fn written(path: &str, value: &Value) -> Written<String> {
    let is_known = path != TOKEN && Config::KEYS.contains(&path);
    match value {
        Value::Null => Written::Nothing,
        Value::Map(_) => Written::Map,
        Value::Text { .. } | Value::List(_) if !is_known => Written::Hidden,
        Value::Text { text, plain } => Written::Text { text: text.clone(), plain: *plain },
        Value::List(items) => {
            let item = |node: &Node| match &node.value {
                Value::Text { text, .. } => text.clone(),
                other => other.kind().to_owned(),
            };
            Written::List(items.iter().map(item).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> ConfigFile<String> {
        read(Trail::default(), text.as_bytes(), Provenance::Root, b"salt").0
    }

    #[test]
    fn no_file_has_more_settings_than_are_judged() {
        let lines = |count: usize| (0..count).map(|at| format!("k{at}: 1\n")).collect::<String>();
        let file = config(&lines(SETTINGS));
        assert_eq!((file.settings.len(), file.state), (SETTINGS, ConfigState::Parsed));
        let file = config(&lines(2 * SETTINGS));
        assert!(file.settings.len() == SETTINGS && matches!(file.state, ConfigState::Broken(_)));
    }

    #[test]
    fn every_key_has_its_place_and_no_secret_stays() {
        let text = "api:\n  auth_token: hush-hush\n  auth_tokn: hush-hush\nrunner:\n  name: \"a\"\n  ssh:\n    advertise_addr: h:1\n  command_prefix: [a, b]\n";
        let (file, token) = read(Trail::default(), text.as_bytes(), Provenance::Root, b"salt");
        assert_eq!(token.unwrap().expose(), "hush-hush");
        assert!(!serde_json::to_string(&file).unwrap().contains("hush-hush"));
        let told: Vec<_> =
            file.settings.iter().map(|s| (s.path.as_str(), s.line, s.column)).collect();
        assert_eq!(
            told,
            [
                ("api.auth_token", 2, 3),
                ("api.auth_tokn", 3, 3),
                ("runner.name", 5, 3),
                ("runner.ssh.advertise_addr", 7, 5),
                ("runner.command_prefix", 8, 3)
            ]
        );
        assert_eq!(file.list("runner.command_prefix").unwrap(), ["a", "b"]);
    }

    #[test]
    fn no_value_of_a_setting_is_told_with_its_secret() {
        let long =
            "7c1a09be42d85f63e0b7149ad3c85f26e1904b7dc3a86f25d0be91473c6a8f52d4e07b193ac5860f";
        let kept = "hunter2";
        for line in [
            "api:\n  url: https://u:hunter2@h.example",
            "api:\n  url: https://hunter2@h.example",
            "api:\n  url: https://h.example/?token=hunter2",
            "api:\n  url: https://h.example?x=hunter2",
            "runner:\n  command_prefix: [env, GITHUB_TOKEN=hunter2, --]",
            "runner:\n  command_prefix: [env, DEPLOY=hunter2, HTTPS_PROXY=http://a:hunter2@p:1]",
            "runner:\n  command_prefix: [vault, --token, hunter2]",
            "runner:\n  name: password=hunter2",
            "runner:\n  working_directory: https://x:hunter2@h/",
            "runner:\n  mode: LONG",
            "logging:\n  file: /x/LONG",
        ] {
            let text = line.replace("LONG", long);
            let file = scrubbed(config(&text), &Scrub::default());
            assert_eq!(file.settings.len(), 1, "{line}");
            let shown = serde_json::to_string(&file).unwrap();
            assert!(!shown.contains(kept) && !shown.contains(long), "{line}: {shown}");
            assert!(shown.contains("***"), "{line}: {shown}");
        }
        let prefix =
            "runner:\n  command_prefix: [sudo, -niHu, ci, --preserve-env=PATH, TMPDIR=/x, --]";
        let file = scrubbed(config(prefix), &Scrub::default());
        let items = ["sudo", "-niHu", "ci", "--preserve-env=PATH", "TMPDIR=/x", "--"];
        assert_eq!(file.list("runner.command_prefix").unwrap(), items);
        assert!(file.list("runner.command_prefix").unwrap().iter().all(Scrubbed::is_whole));
    }

    #[test]
    fn the_same_token_has_the_same_mark_and_only_here() {
        let token = Token::as_found("0123456789abcdef");
        assert_eq!(shape(&token, b"x").mark, shape(&token, b"x").mark);
        assert_ne!(shape(&token, b"x").mark, shape(&token, b"y").mark);
    }

    #[test]
    fn what_is_no_mapping_is_a_fault() {
        let fault = |text: &str| match config(text).state {
            ConfigState::Broken(why) => why,
            other => panic!("{text}: {other:?}"),
        };
        assert!(!fault("").is_empty());
        assert!(fault("- a").contains("line 1"));
        assert!(!fault("a: [").is_empty());
        assert!(config("api:\n  auth_token: ''\n").token.unwrap().unusable.is_some());
    }
}
