//! `runnerup bundle create`.

use super::{
    Output, interrupt,
    options::{BundleArgs, BundleCommand, BundleCreateArgs},
    place::{place, scratch},
    progress::Progress,
    text::{Line, Text},
};
use crate::{
    Code, Error, Result,
    platform::{Platform, command::quoted},
    release::bundle::{self, Contents, Part},
    session::Session,
    settings::{HostDefaults, SettingValue, Settings, Source, Spec},
    text::shown,
    values::Manager,
};
use serde::Serialize;
use std::{collections::HashSet, process::ExitCode};

/// The JSON document of a bundle that was made.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Document<'a> {
    file: String,
    bytes: u64,
    parts: &'a [Part],
}

/// Runs `bundle`.
pub(super) fn run(args: &BundleArgs, out: &Output) -> Result<ExitCode> {
    match &args.command {
        BundleCommand::Create(args) => create(args.clone(), out),
    }
}

fn create(mut args: BundleCreateArgs, out: &Output) -> Result<ExitCode> {
    args.fill()?;
    interrupt::listen(out)?;
    let file = args.out.clone().ok_or_else(|| {
        Error::new(Code::SettingMissing, "the file to write was not given")
            .help("--out FILE, or the variable RUNNERUP_OUT")
    })?;
    let mut settings = Settings::default();
    for (name, value) in args.settings() {
        settings.add(name, SettingValue::one(value, Source::Flag))?;
    }
    if let Some(proxy) = settings.text("proxy") {
        out.secrets().add_login(&proxy);
    }
    let here = Platform::of_this_host();
    let mut platforms = match args.platform.as_slice() {
        [] => vec![here.clone()?],
        given => given.iter().map(|text| text.trim().parse()).collect::<Result<Vec<_>>>()?,
    };
    // One that is named twice is in the bundle once.
    let mut seen = HashSet::new();
    platforms.retain(|platform| seen.insert(*platform));
    // Any platform does for what the settings are asked for.
    let first = platforms.first().copied().map_or(here, Ok)?;
    let spec = Spec::resolve(&settings, None, HostDefaults::new(first, Manager::None))?;
    let session = Session::open(None)?;
    let (client, artifacts) = session.plan_bundle(&spec, &settings, &platforms)?;
    interrupt::applying();
    let progress = Progress::new(out);
    let (contents, bytes) = scratch(&file, |binary| {
        place(&file, |into| {
            let contents = bundle::write(&client, spec.agent, &artifacts, into, binary, &progress)?;
            let bytes = into.metadata().map_or(0, |meta| meta.len());
            Ok((contents, bytes))
        })
    })
    .map_err(|error| error.context(format!("--out {}", shown(&file))))?;
    progress.finish();
    if out.is_json() {
        let parts = &contents.parts;
        out.document(&Document { file: shown(&file), bytes, parts })?;
    } else {
        out.result(told(&contents, bytes, &file.display().to_string()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(contents: &Contents, bytes: u64, file: &str) -> Text {
    let megabytes = bytes as f64 / 1e6;
    let mut text = Text::from(format!("Wrote {file}, {megabytes:.2} MB"));
    for part in &contents.parts {
        let Part { agent, version, platform, published_sha256, .. } = part;
        let line = format!("  {} {version} for {platform}", agent.profile().title);
        text.line(Line::new().text(format!("{line}, SHA-256 {published_sha256}")).hang(2));
    }
    text.line(format!("Install from it with: runnerup install --bundle {}", quoted(file)));
    text.line(
        Line::new()
            .text(
                "The agent itself still fetches its task agent from CircleCI when it takes a job.",
            )
            .hang(2),
    );
    text
}
