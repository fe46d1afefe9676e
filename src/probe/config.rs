//! An agent's configuration with the place of every key, and the token apart.

use super::scrub::Scrub;
use crate::{
    agent::{
        Config, NotToken, Token,
        config::{Document, Holds, KeyRead},
    },
    host::{
        Around, ConfigFile, ConfigState, PathWalk, Provenance, Scrubbed, Setting, TokenShape,
        Written, limits::SETTINGS,
    },
    text::yaml::{Node, Value},
};
use sha2::{Digest, Sha256};

/// What a key is called that no agent knows, in a file that may be another program's.
const NOT_SHOWN: &str = "(a key that is not shown)";

/// What a configuration says, and its token. `salt` makes the token's mark useless elsewhere.
///
/// Where an account could have named the file it may be any file, and nothing of it is kept but
/// the keys that agents know.
pub fn read(
    walk: PathWalk,
    bytes: &[u8],
    named_by: Provenance,
    salt: &[u8],
) -> (ConfigFile<String>, Option<Token>) {
    let written_by = named_by.and(walk.written_by());
    let mut file = ConfigFile {
        walk,
        state: ConfigState::Parsed,
        settings: Vec::new(),
        token: None,
        written_by,
        is_default: false,
        second: None,
    };
    let document = match Document::parse(bytes) {
        Ok(document) if document.is_empty() => {
            file.state = ConfigState::Broken("the file is empty".to_owned());
            return (file, None);
        }
        Ok(document) => document,
        Err(fault) => {
            file.state = ConfigState::Broken(fault.to_string());
            return (file, None);
        }
    };
    if document.keys().len() > SETTINGS {
        file.state = ConfigState::Broken(format!("it has more than {SETTINGS} settings"));
    }
    file.second = document.second.map(|place| place.line);
    let keys = document.keys().iter().take(SETTINGS);
    file.settings = keys.map(|key| setting(key, named_by)).collect();
    let token = document.token();
    file.token = token.as_ref().map(|token| shape(token, salt));
    (file, token)
}

/// A key with its place, and its value where an agent knows it: what an unknown one holds may be a
/// token in the wrong place. In a file that may be another program's, it has no name either.
fn setting(key: &KeyRead, named_by: Provenance) -> Setting<String> {
    let holds = Config::holds(&key.path);
    let is_told = !matches!(holds, None | Some(Holds::Section)) && key.path != Config::TOKEN;
    let value = match &key.node.value {
        Value::Null => Written::Nothing,
        Value::Map(_) => Written::Map,
        Value::Text { .. } | Value::List(_) if !is_told => Written::Hidden,
        Value::Text { text, plain } => Written::Text { text: text.clone(), plain: *plain },
        Value::List(items) => {
            let item = |node: &Node| match &node.value {
                Value::Text { text, .. } => text.clone(),
                other => other.kind().to_owned(),
            };
            Written::List(items.iter().map(item).collect())
        }
    };
    let path = match holds {
        None if !named_by.is_root() => NOT_SHOWN.to_owned(),
        _ => key.path.clone(),
    };
    Setting { path, line: key.place.line, column: key.place.column, value }
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
        walk: file.walk,
        state: match file.state {
            ConfigState::Broken(why) => ConfigState::Broken(scrub.text(&why)),
            other => other,
        },
        settings: file.settings.into_iter().map(setting).collect(),
        token: file.token,
        written_by: file.written_by,
        is_default: file.is_default,
        second: file.second,
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
        around: around(text),
    }
}

/// What stands around what may be a token.
fn around(text: &str) -> Option<Around> {
    let quotes = |c: char| "\"'\u{201c}\u{201d}\u{2018}\u{2019}`".contains(c);
    let (around, inner) = match NotToken::of(text)? {
        NotToken::Quoted => (Around::Quotes, text.trim().trim_matches(quotes)),
        NotToken::Assignment => {
            let end = text.find(['=', ':']).map_or(text.len(), |at| at + 1);
            (Around::Name, text.get(end..)?.trim().trim_matches(quotes))
        }
        NotToken::Header => (Around::Name, text.trim().rsplit(' ').next()?),
        NotToken::OuterBlank => (Around::Blanks, text.trim()),
        _ => return None,
    };
    NotToken::of(inner).is_none().then_some(around)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> ConfigFile<String> {
        read(PathWalk::default(), text.as_bytes(), Provenance::Root, b"salt").0
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
        let (file, token) = read(PathWalk::default(), text.as_bytes(), Provenance::Root, b"salt");
        assert_eq!(token.unwrap().expose(), "hush-hush");
        assert!(!serde_json::to_string(&file).unwrap().contains("hush-hush"));
        let places: Vec<_> =
            file.settings.iter().map(|s| (s.path.as_str(), s.line, s.column)).collect();
        assert_eq!(
            places,
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
    fn an_empty_section_is_no_key_and_another_value_of_one_is() {
        assert_eq!(config("api:\nrunner:\n  ssh:\n  mode: x\n").settings.len(), 1);
        let file = config("logging: hunter2\n");
        assert_eq!(file.setting("logging").unwrap().value, Written::Hidden);
        assert_eq!(config("runner.name: x\n").text("runner.name"), None);
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
    fn what_stands_around_a_token_is_known() {
        let token = "0aB9".repeat(20);
        let of = |text: String| shape(&Token::as_found(text), b"x").around;
        assert_eq!(of(format!("\"{token}\"")), Some(Around::Quotes));
        assert_eq!(of(format!("'{token}")), Some(Around::Quotes));
        assert_eq!(of(format!("\u{201c}{token}\u{201d}")), Some(Around::Quotes));
        assert_eq!(of(format!("auth_token: \"{token}\"")), Some(Around::Name));
        assert_eq!(of(format!("Bearer {token}")), Some(Around::Name));
        assert_eq!(of(format!(" {token}\n")), Some(Around::Blanks));
        assert_eq!(of("\"YOUR_TOKEN\"".to_owned()), None);
        assert_eq!(of(token), None);
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
