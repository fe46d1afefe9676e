//! `runnerup doctor`.

mod facts;
mod fix;
mod list;
mod report;
mod watch;

#[cfg(test)]
pub(super) use fix::Document as Fixed;
#[cfg(test)]
pub(super) use list::List;
pub(super) use list::Listed;

use super::{Output, options::DoctorArgs};
use crate::{
    Code, Error, Result,
    agent::Token,
    doctor::{CHECKS, Diagnosis, Selection, allowed_path},
    host::Survey,
    probe::{Endpoints, Request, network::QueueQuery},
    session::{Examination, Session},
    settings::token_from_file,
    text::Secrets,
};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

/// Seconds that each probe is given.
const TIMEOUT: u64 = 5;

/// Examines, tells, and cures where that is asked for.
pub(super) fn run(args: &DoctorArgs, out: &Output) -> Result<ExitCode> {
    let mut args = args.clone();
    args.fill()?;
    refuse_contradictions(&args)?;
    args.root = out.about(args.root.as_deref())?;
    if args.list {
        list::list(args.markdown, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let selection = Selection::new(args.only.clone(), args.skip.clone())?;
    if !CHECKS.iter().any(|check| selection.has(check)) {
        return contradiction("--only", "--skip", "no check is left");
    }
    if args.watch {
        return watch::run(&args, &selection, out);
    }
    let is_asking = args.fix && !args.dry_run && out.is_asking(args.yes)?;
    let examined = examined(&args, &selection, out)?;
    if let Some(file) = &args.save_facts {
        facts::save(file, &examined.survey, out)?;
    }
    if args.fix {
        return fix::run(&args, &selection, &examined, is_asking, out);
    }
    report::tell(&examined.survey, &examined.diagnosis, out)?;
    Ok(code(&examined.diagnosis, args.strict))
}

/// Examines the host, or reads the survey from `--facts`, and judges it.
pub(super) fn examined(
    args: &DoctorArgs,
    selection: &Selection,
    out: &Output,
) -> Result<Examination> {
    let allowed: Vec<_> =
        args.allow_path.iter().map(|path| allowed_path(path)).collect::<Result<_>>()?;
    if let Some(file) = &args.facts {
        let begun = Instant::now();
        let mut survey = Survey { allowed, is_saved: true, ..facts::load(file)? };
        if let Some(name) = &args.instance {
            facts::of_instance(&mut survey, name)?;
        }
        return Ok(Examination::of(survey, selection, Secrets::default(), begun));
    }
    let request = Request {
        timeout: timeout(args)?,
        instance: args.instance.clone(),
        config: args.config.as_deref().map(|path| whole(path, args)).transpose()?,
        endpoints: match args.offline || args.root.is_some() {
            true => None,
            false => Some(Endpoints::parse(&args.endpoint)?),
        },
        queue_query: queue_query(args, out)?,
        allowed,
    };
    let session = Session::open(args.root.as_deref())?;
    let examination = session.diagnose(selection, args.save_facts.is_some(), request)?;
    out.secrets().take(&examination.secrets);
    Ok(examination)
}

/// A path of this host as the current folder completes it; one of an image begins at its root.
fn whole(path: &Path, args: &DoctorArgs) -> Result<PathBuf> {
    if args.root.is_some() {
        return Ok(path.to_owned());
    }
    std::path::absolute(path).map_err(|error| {
        Error::new(Code::ValueInvalid, format!("--config {}: {error}", path.display()))
    })
}

/// The resource class and the personal token; both or neither.
fn queue_query(args: &DoctorArgs, out: &Output) -> Result<Option<QueueQuery>> {
    let Some(resource_class) = args.resource_class.clone() else { return Ok(None) };
    if resource_class.split('/').filter(|part| !part.is_empty()).count() != 2 {
        return Err(Error::new(
            Code::ValueInvalid,
            format!("--resource-class: {resource_class:?} is not NAMESPACE/NAME"),
        ));
    }
    let token = match &args.api_token_file {
        Some(file) => token_from_file(file)?,
        None => match std::env::var("CIRCLECI_TOKEN") {
            Ok(text) if !text.trim().is_empty() => Token::as_found(text.trim()),
            _ => {
                return Err(Error::new(
                    Code::SettingMissing,
                    "--resource-class needs a personal API token",
                )
                .help("set the variable CIRCLECI_TOKEN, or give --api-token-file FILE"));
            }
        },
    };
    out.secrets().add(token.expose());
    Ok(Some(QueueQuery { resource_class, token }))
}

/// 1 when something fails; with `--strict` a warning or a broken look is enough.
pub(super) fn code(diagnosis: &Diagnosis, strict: bool) -> ExitCode {
    let summary = &diagnosis.summary;
    let is_bad = summary.fail > 0 || strict && summary.warn + summary.error > 0;
    ExitCode::from(u8::from(is_bad))
}

fn timeout(args: &DoctorArgs) -> Result<Duration> {
    let Some(text) = &args.timeout else { return Ok(Duration::from_secs(TIMEOUT)) };
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(Error::new(
            Code::ValueInvalid,
            format!("--timeout: {text:?} is no number of seconds from 0.1 to 600"),
        )),
    }
}

fn refuse_contradictions(args: &DoctorArgs) -> Result<()> {
    let both = contradiction::<()>;
    if args.fix && args.facts.is_some() {
        return both("--fix", "--facts", "the host of saved facts is not this one");
    }
    if args.fix && args.watch {
        return both("--fix", "--watch", "cure first, then watch");
    }
    if args.save_facts.is_some() && args.facts.is_some() {
        return both("--save-facts", "--facts", "they are saved already");
    }
    let of_a_host = [
        ("--watch", args.watch),
        ("--root", args.root.is_some()),
        ("--config", args.config.is_some()),
    ];
    if args.facts.is_some()
        && let Some((option, _)) = of_a_host.iter().find(|(_, is_given)| *is_given)
    {
        return both("--facts", option, "saved facts are judged as they are");
    }
    let of_a_fix = [("--dry-run", args.dry_run), ("--allow", !args.allow.is_empty())];
    if !args.fix
        && let Some((option, _)) = of_a_fix.iter().find(|(_, is_given)| *is_given)
    {
        let why = format!("{option} is about a fix, and --fix was not given");
        return Err(Error::new(Code::Contradiction, why));
    }
    if args.resource_class.is_some() && args.offline {
        return both("--resource-class", "--offline", "the queue is asked for over the network");
    }
    Ok(())
}

fn contradiction<T>(one: &str, other: &str, why: &str) -> Result<T> {
    Err(Error::new(Code::Contradiction, format!("{one} and {other}: {why}")))
}
