//! What an existing install already has: settings read back from its files, and the secrets
//! among them, which go to the planner and never into facts.

use crate::{
    Result,
    agent::{Config, Token},
    apply::Receipt,
    platform::{fs::Root, layout::Layout},
    spec::{Given, Settings, Source},
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
    pub trouble: Option<String>,
}

/// Adds what an existing install has to `settings`, behind what was given already.
///
/// # Errors
/// Only when a setting's name is unknown, as in a receipt by a later version.
pub fn existing(
    root: &Root,
    layout: &Layout,
    receipt: Option<&Receipt>,
    settings: &mut Settings,
) -> Result<Existing> {
    let mut existing = Existing::default();
    match read(root, &layout.config) {
        Ok(Some(bytes)) => match Config::parse(&bytes) {
            Ok(config) => {
                let ours = receipt.is_some();
                existing.token = from_config(config, &layout.config, ours, settings)?;
            }
            Err(error) => existing.trouble = Some(error.to_string()),
        },
        Ok(None) => {}
        Err(error) => existing.trouble = Some(error.to_string()),
    }
    if let Ok(Some(bytes)) = read(root, &layout.environment) {
        let text = String::from_utf8_lossy(&bytes);
        let variables = text.lines().filter_map(|line| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), crate::plan::unquoted(value)))
        });
        let mut variables = variables.collect::<Vec<_>>();
        variables.extend(crate::plan::script_variables(&text));
        from_environment(&variables, &layout.environment, settings)?;
    }
    if let Ok(Some(bytes)) = read(root, &layout.definition) {
        let variables = crate::plan::plist_variables(&bytes);
        from_environment(&variables, &layout.definition, settings)?;
    }
    if let Some(receipt) = receipt {
        let source = Source::Existing(format!("receipt of {}", receipt.written));
        for (name, value) in &receipt.settings {
            // An uninstall that kept data leaves a receipt whose token and name are gone.
            settings.add(name, Given::one(value.clone(), source.clone()))?;
        }
    }
    Ok(existing)
}

fn from_config(
    config: Config,
    path: &Path,
    ours: bool,
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
    for (name, value) in texts {
        // The account can write its configuration; what root acts on comes from the receipt.
        let receipt_knows = ours && matches!(name, "workdir" | "log-file" | "auto-update");
        if let Some(value) = value.filter(|_| !receipt_knows) {
            settings.add(name, Given::one(value, source.clone()))?;
        }
    }
    if let Some(prefix) = runner.command_prefix.filter(|prefix| !prefix.is_empty()) {
        settings.add("command-prefix", Given::list(prefix, source.clone()))?;
    }
    Ok(config.api.auth_token.map(|token| (token, source)))
}

fn from_environment(
    variables: &[(String, String)],
    path: &Path,
    settings: &mut Settings,
) -> Result<()> {
    let source = Source::Existing(path.display().to_string());
    for (variable, name) in
        [("HTTPS_PROXY", "proxy"), ("NO_PROXY", "no-proxy"), ("SSL_CERT_FILE", "ca-file")]
    {
        if let Some((_, value)) = variables.iter().find(|(name, _)| name == variable) {
            settings.add(name, Given::one(value.clone(), source.clone()))?;
        }
    }
    Ok(())
}

fn read(root: &Root, path: &Path) -> Result<Option<Vec<u8>>> {
    let Some(spot) = root.find(path)? else { return Ok(None) };
    if spot.look()?.is_none() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    spot.read()?.0.take(SIZE_LIMIT).read_to_end(&mut bytes).map_err(|error| {
        crate::Error::new(
            crate::Code::StepFailed,
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    Ok(Some(bytes))
}
