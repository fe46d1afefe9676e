//! What systemd has in force for a unit, and which file that comes from.

use crate::{
    host::{Directive, Effective, Limit, Load, Scrubbed, Service},
    service::systemd::{
        choices::may_take,
        sandbox::{Words, of_lines},
        time_span::time_span,
    },
};

/// What is in force, where systemd runs and has loaded the unit.
pub(super) fn in_force(service: &Service) -> Option<&Effective> {
    let state = service.state.ok().filter(|state| state.load == Load::Loaded)?;
    state.effective.as_deref()
}

/// The directives of the sandbox that concern folders: what systemd has in force, else the lines.
pub(super) fn sandbox(service: &Service) -> Words {
    let told = in_force(service).map(|unit| &unit.sandbox).filter(|told| !told.is_empty());
    let Some(told) = told else { return of_lines(&service.directives) };
    let words = |words: &Vec<Scrubbed>| words.iter().map(|word| word.as_str().to_owned()).collect();
    told.iter().map(|(key, of_key)| (key.clone(), words(of_key))).collect()
}

/// Whether systemd takes a line of this key otherwise than it is meant.
pub(super) fn is_misread(service: &Service, key: &str) -> bool {
    service.misread.iter().any(|misread| misread.key == key)
}

/// A word in force, such as that of `Restart=`; of a unit that was not asked for the one that its
/// definition has.
pub(super) fn word<'a>(
    service: &'a Service,
    key: &str,
    told: impl Fn(&'a Effective) -> &'a str,
) -> Option<&'a str> {
    let told = in_force(service).map(told).filter(|word| !word.is_empty());
    let taken = service.directives("Service", key).filter(|line| may_take(key, &line.value));
    told.or_else(|| taken.last().map(|line| line.value.as_str()))
}

/// A limit in force: of the unit's definition, or of systemd's own configuration, where systemd was not
/// asked.
pub(super) fn limit(
    service: &Service,
    keys: &[&str],
    told: Limit,
    read: impl Fn(&str) -> Limit,
) -> Limit {
    if told.is_known() {
        return told;
    }
    line(service, keys).map_or(Limit::Unknown, |line| read(&line.value))
}

/// The line that sets a value: the last of the definition, else of systemd's own configuration.
pub(super) fn line<'a>(service: &'a Service, keys: &[&str]) -> Option<&'a Directive> {
    let mut of_unit = service.directives.iter().filter(|line| line.section == "Service");
    let of_unit = of_unit.rfind(|line| keys.contains(&line.key.as_str()));
    of_unit.filter(|line| !line.value.is_empty()).or_else(|| {
        let is_default = |line: &&Directive| {
            let key = line.key.strip_prefix("Default");
            key.is_some_and(|key| keys.contains(&key))
        };
        service.defaults.iter().rfind(is_default)
    })
}

/// Where a value in force comes from: the file and the line that set it, if one does.
pub(super) fn place(
    service: &Service,
    keys: &[&str],
    value: Limit,
    read: impl Fn(&str) -> Limit,
) -> String {
    match line(service, keys) {
        Some(line) if !value.is_known() || read(&line.value) == value => {
            format!("{}:{}: {}={}", line.file.display(), line.line, line.key, line.value)
        }
        Some(line) => format!(
            "{}:{} has {}={}, which is not in force",
            line.file.display(),
            line.line,
            line.key,
            line.value
        ),
        None => "no file sets it: it is systemd's default".to_owned(),
    }
}

/// Where a word in force comes from: the line that sets it, the one that systemd did not take, or none.
pub(super) fn word_place(service: &Service, key: &str, word: &str) -> String {
    match line(service, &[key]) {
        Some(line) if line.value.as_str() == word => {
            format!("{}:{}: {}={word}", line.file.display(), line.line, line.key)
        }
        Some(line) => format!(
            "{key}={word} is in force; {}:{} has {}={}",
            line.file.display(),
            line.line,
            line.key,
            line.value
        ),
        None => format!("{key}={word} is in force, and no line of the unit sets it"),
    }
}

/// A time span as a limit in microseconds; 0 is none.
pub(super) fn time(text: &str) -> Limit {
    match time_span(text).map(|span| u64::try_from(span.as_micros())) {
        _ if text.trim() == "infinity" => Limit::Infinity,
        Some(Ok(0)) => Limit::Infinity,
        Some(Ok(micros)) => Limit::Of(micros),
        _ => Limit::Unknown,
    }
}
