//! What an existing install already has: settings read back from its files, and the secrets
//! among them, which go to the planner and never into facts.

use super::reader::refuse_unreadable;
use crate::{
    Error, Result,
    agent::{Config, Layout, Token},
    platform::fs::Root,
    record::{Digest, Receipt, Target},
    settings::{SettingValue, Settings, Source},
    text::shown,
    values::GoDuration,
};
use std::{io::Read, path::Path};

/// Most bytes of a file that are read.
const SIZE_LIMIT: u64 = 256 * 1024;

/// The settings of an existing install.
#[derive(Debug, Default)]
pub struct Existing {
    /// The token in its configuration.
    pub token: Option<(Token, Source)>,
    /// Why its configuration could not be read.
    pub failure: Option<Error>,
    /// Settings that were found and not taken over, and why.
    pub notes: Vec<String>,
}

/// Adds what an existing install has to `settings`, behind what was given already.
///
/// `key` is the one that fingerprints of files with a secret are made with.
///
/// # Errors
/// Only when a setting's name is unknown, as in a receipt by a later version.
pub fn existing(
    root: &Root,
    layout: &Layout,
    receipt: Option<&Receipt>,
    key: &[u8],
    settings: &mut Settings,
) -> Result<Existing> {
    let mut existing = Existing::default();
    match read(root, &layout.config) {
        Ok(Some(bytes)) => match Config::parse(&bytes) {
            Ok(config) => {
                if let Some(receipt) = receipt {
                    existing.notes = put_back(&config, layout, receipt, settings);
                }
                existing.token = from_config(config, &layout.config, receipt, settings)?;
            }
            Err(error) => existing.failure = Some(error),
        },
        Ok(None) => {}
        Err(error) => existing.failure = Some(error),
    }
    for path in [&layout.environment, &layout.definition] {
        let Ok(Some(bytes)) = read(root, path) else { continue };
        let variables = if *path == layout.definition {
            crate::service::launchd::definition::variables(&bytes)
        } else {
            environment_variables(&bytes)
        };
        if is_from_root(root, path, &bytes, receipt, key) {
            from_environment(&variables, path, settings)?;
        } else {
            existing.notes.extend(not_taken(&variables, path, settings));
        }
    }
    if let Some(receipt) = receipt {
        let source = Source::Existing(format!("receipt of {}", receipt.written));
        for (name, value) in &receipt.settings {
            // What an image says leads no download of this host.
            if name == "release-url" && !root.is_host() && !settings.has(name) {
                existing.notes.push(
                    "the bucket that the receipt of the image names is not taken over; if it is \
                     meant, give --release-url"
                        .to_owned(),
                );
                continue;
            }
            // An uninstall that kept data leaves a receipt whose token and name are gone.
            let given = match name.as_str() {
                "command-prefix" => {
                    SettingValue::list(shlex::split(value).unwrap_or_default(), source.clone())
                }
                _ => SettingValue::one(value.clone(), source.clone()),
            };
            settings.add(name, given)?;
        }
    }
    Ok(existing)
}

/// Adds what the configuration says, which the account of the jobs can write.
///
/// | setting | what root does by it |
/// | --- | --- |
/// | workdir, log-file, auto-update, max-run-time, command-prefix | makes folders, gives the binary away, lets a stop wait, starts jobs (macOS) or lets them use sudo: the receipt decides, and without one the planner asks for what is not harmless |
/// | all others | writes them into the configuration again, for the agent that runs as the account |
fn from_config(
    config: Config,
    path: &Path,
    receipt: Option<&Receipt>,
    settings: &mut Settings,
) -> Result<Option<(Token, Source)>> {
    let source = Source::Existing(path.display().to_string());
    let runner = config.runner;
    let updates = runner.disable_auto_update.map(|disabled| !disabled);
    let texts = [
        ("url", config.api.url),
        ("name", runner.name),
        ("workdir", runner.working_directory),
        ("cleanup-workdir", runner.cleanup_working_directory.map(|value| value.to_string())),
        ("mode", runner.mode),
        ("max-run-time", runner.max_run_time),
        ("idle-timeout", runner.idle_timeout),
        ("auto-update", updates.map(|value| value.to_string())),
        ("ssh-advertise-addr", runner.ssh.advertise_addr),
        ("log-file", config.logging.file),
    ];
    let receipt_decides = |name: &str| match name {
        "workdir" | "log-file" | "auto-update" | "command-prefix" => receipt.is_some(),
        // Receipts of earlier versions do not have it.
        "max-run-time" => receipt.is_some_and(|receipt| receipt.settings.contains_key(name)),
        _ => false,
    };
    for (name, value) in texts {
        if let Some(value) = value.filter(|_| !receipt_decides(name)) {
            settings.add(name, SettingValue::one(value, source.clone()))?;
        }
    }
    let prefix = runner.command_prefix.filter(|_| !receipt_decides("command-prefix"));
    if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
        settings.add("command-prefix", SettingValue::list(prefix, source.clone()))?;
    }
    Ok(config.api.auth_token.map(|token| (token, source)))
}

/// A note for each setting that somebody has changed in the configuration and that the receipt decides,
/// unless a person gave a value. The changed value is not repeated: an account may have written it.
fn put_back(
    config: &Config,
    layout: &Layout,
    receipt: &Receipt,
    settings: &Settings,
) -> Vec<String> {
    let path = &layout.config;
    let written = |name: &str| receipt.settings.get(name).map(String::as_str);
    let workdir = shown(&layout.workdir);
    let workdir = written("workdir").unwrap_or(&workdir);
    let runner = &config.runner;
    let time = |text: &str| text.parse::<GoDuration>().ok();
    let is_other_time = runner.max_run_time.as_deref().zip(written("max-run-time"));
    let updates = runner.disable_auto_update.map(|disabled| (!disabled).to_string());
    let prefix = runner.command_prefix.clone().unwrap_or_default();
    let is_other_prefix = match written("command-prefix") {
        Some(text) => shlex::split(text).unwrap_or_default() != prefix,
        // On macOS it is the default to step down.
        None => !prefix.is_empty() && !prefix.starts_with(&["sudo", "-niHu"].map(str::to_owned)),
    };
    let log = layout.log.as_ref().map(shown);
    let log = written("log-file").or(log.as_deref());
    let changed = [
        ("workdir", runner.working_directory.as_deref().is_some_and(|now| now != workdir)),
        ("log-file", config.logging.file.is_some() && config.logging.file.as_deref() != log),
        (
            "auto-update",
            updates.as_deref().zip(written("auto-update")).is_some_and(|(now, then)| now != then),
        ),
        ("max-run-time", is_other_time.is_some_and(|(now, then)| time(now) != time(then))),
        ("command-prefix", is_other_prefix),
    ];
    let changed = changed.into_iter().filter(|(name, other)| *other && !settings.has(name));
    let note = |(name, _)| {
        format!(
            "{name} was changed in {} since the last install, and is put back: another account could \
             have changed it; if it is meant, give --{name}",
            shown(path)
        )
    };
    changed.map(note).collect()
}

fn environment_variables(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let variables = text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), crate::service::unquoted(value)))
    });
    variables.chain(crate::service::task_scheduler::definition::variables(&text)).collect()
}

/// Whether what was read can only have come from root: nobody else could have written the file,
/// or it is to the byte what an earlier install wrote.
fn is_from_root(
    root: &Root,
    path: &Path,
    bytes: &[u8],
    receipt: Option<&Receipt>,
    key: &[u8],
) -> bool {
    let record = receipt.and_then(|receipt| receipt.record(&Target::File(path.to_owned())));
    let written = record.and_then(|record| record.after.as_ref()?.digest.as_ref());
    let is_as_written = written.is_some_and(|written| {
        *written == Digest::of(bytes, Some(key)) || *written == Digest::of(bytes, None)
    });
    is_as_written || root.walk(path).is_ok_and(|walk| walk.changed_by().is_root())
}

/// What root's own download and the certificates that it copies would follow.
const FROM_ENVIRONMENT: [(&str, &str); 3] =
    [("HTTPS_PROXY", "proxy"), ("NO_PROXY", "no-proxy"), ("SSL_CERT_FILE", "ca-file")];

fn from_environment(
    variables: &[(String, String)],
    path: &Path,
    settings: &mut Settings,
) -> Result<()> {
    let source = Source::Existing(path.display().to_string());
    for (variable, name) in FROM_ENVIRONMENT {
        if let Some((_, value)) = variables.iter().find(|(name, _)| name == variable) {
            settings.add(name, SettingValue::one(value.clone(), source.clone()))?;
        }
    }
    Ok(())
}

/// A note for each setting that is not taken over, unless a person gave another value.
fn not_taken(variables: &[(String, String)], path: &Path, settings: &Settings) -> Vec<String> {
    let found = FROM_ENVIRONMENT.iter().filter_map(|(variable, name)| {
        let (_, value) = variables.iter().find(|(name, _)| name == variable)?;
        (!settings.has(name)).then_some((variable, name, value))
    });
    let note = |(variable, name, value): (&&str, &&str, &String)| {
        // A value with a login, or made to look like something else, is not repeated.
        let value = if is_plain(value) { format!(" ({value})") } else { String::new() };
        format!(
            "{variable}{value} of {} is not taken over: other accounts than root could have \
             written it; if it is meant, give --{name}",
            shown(path)
        )
    };
    found.map(note).collect()
}

/// The characters of paths, lists of hosts, and URLs without a login.
fn is_plain(value: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_./:,*".contains(c);
    (1..=200).contains(&value.len()) && value.chars().all(fits)
}

fn read(root: &Root, path: &Path) -> Result<Option<Vec<u8>>> {
    let Some(spot) = root.find(path)? else { return Ok(None) };
    if spot.metadata()?.is_none() {
        return Ok(None);
    }
    // In a folder of another account a file of root's may stand that was moved there.
    let walk = root.walk(path)?;
    refuse_unreadable(root, &walk, walk.changed_by())?;
    let mut bytes = Vec::new();
    spot.read()?.0.take(SIZE_LIMIT).read_to_end(&mut bytes).map_err(|error| {
        Error::new(crate::Code::StepFailed, format!("cannot read {}: {error}", path.display()))
    })?;
    Ok(Some(bytes))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::{
        agent::Kind,
        platform::{Os, fs::empty_root},
        record::{After, Record, State},
    };
    use std::{
        fs::{self, Permissions},
        os::unix::fs::PermissionsExt,
    };

    const ENVIRONMENT: &str = "HTTPS_PROXY=http://proxy.example.com:3128\n\
                               NO_PROXY=\"$(touch x)\"\nSSL_CERT_FILE=/etc/site.pem\n";

    struct Found {
        settings: Settings,
        notes: Vec<String>,
    }

    /// An install with this configuration and [`ENVIRONMENT`], whose folder has this mode.
    fn found(config: &str, mode: u32, receipt: Option<&Receipt>, key: &[u8]) -> Found {
        let (folder, root) = empty_root();
        let layout = Layout::of(Kind::LaunchAgent, Os::Linux, None);
        let place = |path: &Path, content: &str| {
            let path = root.outside(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        };
        place(&layout.config, config);
        let environment = place(&layout.environment, ENVIRONMENT);
        fs::set_permissions(environment.parent().unwrap(), Permissions::from_mode(mode)).unwrap();
        let mut settings = Settings::default();
        let found = existing(&root, &layout, receipt, key, &mut settings).unwrap();
        drop(folder);
        Found { settings, notes: found.notes }
    }

    #[test]
    fn what_only_root_could_write_is_taken_over() {
        let Found { settings, notes } = found("runner:\n  name: a\n", 0o755, None, b"key");
        assert_eq!(settings.text("proxy").unwrap(), "http://proxy.example.com:3128");
        assert_eq!(settings.text("ca-file").unwrap(), "/etc/site.pem");
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn what_others_could_write_is_told_and_not_taken_over() {
        let Found { settings, notes } = found("runner:\n  name: a\n", 0o775, None, b"key");
        for name in ["proxy", "no-proxy", "ca-file"] {
            assert!(!settings.has(name), "{name}");
            assert!(
                notes.iter().any(|note| note.ends_with(&format!("give --{name}"))),
                "{notes:?}"
            );
        }
        assert!(notes[0].contains("(http://proxy.example.com:3128)"), "{notes:?}");
        assert!(!notes[1].contains("touch"), "{notes:?}");
    }

    #[test]
    fn what_is_as_an_earlier_install_wrote_it_is_taken_over() {
        let layout = Layout::of(Kind::LaunchAgent, Os::Linux, None);
        let (folder, root) = empty_root();
        fs::write(folder.path().join("file"), "").unwrap();
        let meta = root.metadata(Path::new("/file")).unwrap().unwrap();
        for (digest, expected) in [
            (Digest::of(ENVIRONMENT.as_bytes(), Some(b"key")), true),
            (Digest::of(b"another", Some(b"key")), false),
            (Digest::of(ENVIRONMENT.as_bytes(), Some(b"another")), false),
        ] {
            let mut receipt = Receipt::new("default");
            receipt.changed(Record {
                target: Target::File(layout.environment.clone()),
                before: State::Absent,
                after: Some(After { meta, digest: Some(digest), made_for: None }),
                data: false,
                cure: false,
            });
            let Found { settings, .. } = found("", 0o777, Some(&receipt), b"key");
            assert_eq!(settings.has("proxy"), expected);
        }
    }

    #[test]
    fn a_receipt_of_an_image_leads_no_download() {
        let mut receipt = Receipt::new("default");
        receipt.settings.insert("release-url".into(), "http://127.0.0.1:9/x".into());
        let Found { settings, notes } = found("", 0o755, Some(&receipt), b"key");
        assert!(!settings.has("release-url"));
        assert!(notes.iter().any(|note| note.contains("--release-url")), "{notes:?}");
    }

    #[test]
    fn what_is_put_back_is_told_by_its_name_alone() {
        let mut receipt = Receipt::new("default");
        for (name, value) in [
            ("max-run-time", "5h"),
            ("workdir", "/w"),
            ("auto-update", "false"),
            ("command-prefix", "nice -n 5"),
        ] {
            receipt.settings.insert(name.into(), value.into());
        }
        let same = "runner:\n  max_run_time: 300m\n  working_directory: /w\n  disable_auto_update: true\n  \
                    command_prefix: [nice, -n, \"5\"]\n";
        let notes = |config: &str| found(config, 0o755, Some(&receipt), b"key").notes;
        assert_eq!(notes(same), [""; 0]);
        let found =
            notes(&same.replace("300m", "87600h").replace("/w", "/x").replace("nice", "mine"));
        let names = ["workdir", "max-run-time", "command-prefix"];
        assert!(
            found.iter().zip(names).all(|(note, name)| note.ends_with(&format!("give --{name}")))
        );
        assert!(found.len() == 3 && !found.concat().contains("87600h"), "{found:?}");
    }

    #[test]
    fn the_receipt_decides_how_long_a_stop_may_wait() {
        let config = "runner:\n  max_run_time: 87600h\n";
        let mut receipt = Receipt::new("default");
        fn text(config: &str, receipt: Option<&Receipt>) -> String {
            found(config, 0o755, receipt, b"key").settings.text("max-run-time").unwrap()
        }
        assert_eq!(text(config, None), "87600h");
        assert_eq!(text(config, Some(&receipt)), "87600h", "of an earlier version");
        receipt.settings.insert("max-run-time".to_owned(), "5h".to_owned());
        assert_eq!(text(config, Some(&receipt)), "5h");
    }
}
